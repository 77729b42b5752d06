#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/span.h"

namespace bittern {

/// SHA-256 (FIPS 180-4), fed in pieces. Content keys of measurements, networks, data and caches are
/// made of it.
class Sha256 {
 public:
  Sha256();
  /// Appends bytes to the message.
  Sha256& update(Bytes bytes);
  /// Appends a string and its length, so that ("ab","c") and ("a","bc") differ.
  Sha256& update_field(std::string_view text);
  /// Digest as 64 lower-case hexadecimal digits. Ends the message: call once.
  std::string hex();

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;
};

/// SHA-256 of a string, hexadecimal.
std::string sha256_hex(std::string_view text);

}  // namespace bittern
