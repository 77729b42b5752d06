#include "host/export/npy_file.h"

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Magic number and version, then the length of the header: what the data is aligned behind.
constexpr std::size_t kPrefix = 10;
constexpr std::size_t kAlignment = 64;

template <typename T>
std::string type_text() {
  const char kind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
  return fmt::format("{}{}{}", sizeof(T) == 1 ? '|' : '<', kind, sizeof(T));
}

template <typename T>
std::string text_of(const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
  std::string extents;
  std::int64_t places = 1;
  for (const std::int64_t extent : shape) {
    extents += fmt::format("{},", extent);
    places *= extent;
  }
  if (places != static_cast<std::int64_t>(values.size())) {
    fail("an array of {} values has {} places", values.size(), places);
  }
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   type_text<T>(), extents);
  header.resize(
      (kPrefix + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - kPrefix - 1, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 0xff);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  // Every machine that Bittern is built for is little endian.
  const std::size_t begin = out.size();
  out.resize(begin + values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(&out[begin], values.data(), values.size() * sizeof(T));
  return out;
}

}  // namespace

std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int8_t>& values) {
  return text_of(shape, values);
}
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::uint8_t>& values) {
  return text_of(shape, values);
}
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int16_t>& values) {
  return text_of(shape, values);
}
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int32_t>& values) {
  return text_of(shape, values);
}
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int64_t>& values) {
  return text_of(shape, values);
}
std::string npy_text(const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
  return text_of(shape, values);
}

}  // namespace bittern
