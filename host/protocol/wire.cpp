#include "host/protocol/wire.h"

#include <fmt/format.h>

namespace bittern {

WireWriter& WireWriter::u8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}

WireWriter& WireWriter::u32(std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return *this;
}

WireWriter& WireWriter::u64(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return *this;
}

WireWriter& WireWriter::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  return *this;
}

Bytes WireReader::take(const char* field, std::size_t size) {
  if (bytes_.size() - position_ < size) {
    throw ProtocolError(WireError::kBadPayload,
                        fmt::format("payload of {} bytes ends within field '{}', which needs {} "
                                    "bytes from byte {}",
                                    bytes_.size(), field, size, position_));
  }
  const Bytes part = bytes_.subspan(position_, size);
  position_ += size;
  return part;
}

std::uint64_t WireReader::number(const char* field, std::size_t size) {
  const Bytes part = take(field, size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(part[i]) << (8 * i);
  return value;
}

std::uint8_t WireReader::u8(const char* field) {
  return static_cast<std::uint8_t>(number(field, 1));
}

std::uint32_t WireReader::u32(const char* field) {
  return static_cast<std::uint32_t>(number(field, 4));
}

std::uint64_t WireReader::u64(const char* field) { return number(field, 8); }

std::string WireReader::text(const char* field, std::size_t max_length) {
  const std::uint32_t length = u32(field);
  if (length > max_length) {
    throw ProtocolError(WireError::kBadPayload,
                        fmt::format("field '{}' has a length of {}, at most {} expected", field,
                                    length, max_length));
  }
  const Bytes part = take(field, length);
  return std::string(part.begin(), part.end());
}

std::uint32_t WireReader::count(const char* field, std::size_t element_bytes) {
  const std::uint32_t value = u32(field);
  const std::size_t left = bytes_.size() - position_;
  if (value > left / element_bytes) {
    throw ProtocolError(WireError::kBadPayload,
                        fmt::format("field '{}' announces {} elements of at least {} bytes, but "
                                    "only {} bytes follow",
                                    field, value, element_bytes, left));
  }
  return value;
}

Bytes WireReader::rest() { return take("rest", bytes_.size() - position_); }

void WireReader::end() const {
  if (position_ != bytes_.size()) {
    throw ProtocolError(WireError::kBadPayload,
                        fmt::format("payload of {} bytes, {} expected", bytes_.size(), position_));
  }
}

}  // namespace bittern
