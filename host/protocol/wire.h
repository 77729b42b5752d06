#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.h"
#include "host/base/span.h"
#include "host/protocol/frame.h"

namespace bittern {

/// A message that cannot be understood or carried out; travels as an error answer.
class ProtocolError : public Error {
 public:
  ProtocolError(WireError code, const std::string& message) : Error(message), code_(code) {}
  WireError code() const { return code_; }

 private:
  WireError code_;
};

/// Appends the little-endian fields of a payload.
class WireWriter {
 public:
  WireWriter& u8(std::uint8_t value);
  WireWriter& u32(std::uint32_t value);
  WireWriter& u64(std::uint64_t value);
  /// Length as u32, then the bytes.
  WireWriter& text(std::string_view value);
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Takes the fields of a payload one after another. Everything is checked against the bytes that
/// are there before it is believed; throws ProtocolError (kBadPayload) naming the field.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t u8(const char* field);
  std::uint32_t u32(const char* field);
  std::uint64_t u64(const char* field);
  /// At most `max_length` bytes.
  std::string text(const char* field, std::size_t max_length = 65536);
  /// Number of elements that follow, of at least `element_bytes` each: never more than fit in what
  /// is left, so that it may be allocated.
  std::uint32_t count(const char* field, std::size_t element_bytes);
  /// All that is left.
  Bytes rest();
  /// Throws when something is left.
  void end() const;

 private:
  Bytes take(const char* field, std::size_t size);
  std::uint64_t number(const char* field, std::size_t size);

  Bytes bytes_;
  std::size_t position_ = 0;
};

}  // namespace bittern
