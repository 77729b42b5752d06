#include "host/report/tensorboard.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "host/report/line_fields.h"

namespace bittern {
namespace {

using nlohmann::json;

// Wire types of protocol buffers.
constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffU);
  return out;
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7fU) | 0x80U);
  return out + static_cast<char>(value);
}

std::string key(std::uint32_t field, std::uint32_t type) { return varint(field << 3 | type); }

std::string bytes_field(std::uint32_t field, const std::string& bytes) {
  return key(field, kBytes) + varint(bytes.size()) + bytes;
}

std::string double_field(std::uint32_t field, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return key(field, kFixed64) + little_endian(bits, 8);
}

std::string float_field(std::uint32_t field, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return key(field, kFixed32) + little_endian(bits, 4);
}

/// A checksum as TFRecords hold it: turned and shifted, since data may hold checksums itself.
std::string masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return little_endian(((crc >> 15) | (crc << 17)) + 0xa282ead8U, 4);
}

std::string record(const std::string& data) {
  const std::string length = little_endian(data.size(), 8);
  return length + masked_crc(length) + data + masked_crc(data);
}

/// Adds a Value for each number in `value`; tags are paths with slashes.
void add_values(const json& value, const std::string& tag, int depth, std::string& summary) {
  constexpr int kDeepest = 4;
  if (value.is_object() && depth < kDeepest) {
    for (const auto& [name, inner] : value.items()) {
      add_values(inner, tag.empty() ? name : tag + "/" + name, depth + 1, summary);
    }
    return;
  }
  if (!value.is_number() || tag == "episode") return;
  const auto number = value.get<double>();
  if (!std::isfinite(number)) return;
  summary += bytes_field(1, bytes_field(1, tag) + float_field(2, static_cast<float>(number)));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t crc = n;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
      out[n] = crc;
    }
    return out;
  }();
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes)
    crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ (crc >> 8);
  return crc ^ 0xffffffffU;
}

std::string tensorboard_events(const std::vector<json>& lines) {
  std::string out = record(double_field(1, 0.0) + bytes_field(3, "brain.Event:2"));
  double seconds = 0.0;
  for (const json& line : lines) {
    if (const auto time = line.find("time"); time != line.end() && time->is_object()) {
      for (const auto& [name, part] : time->items()) {
        if (part.is_number()) seconds += part.get<double>();
      }
    }
    const double episode = line_number(line, "episode");
    std::string summary;
    add_values(line, "", 0, summary);
    if (summary.empty() || !(episode >= 0.0)) continue;
    out += record(double_field(1, seconds) + key(2, kVarint) +
                  varint(static_cast<std::uint64_t>(episode)) + bytes_field(5, summary));
  }
  return out;
}

}  // namespace bittern
