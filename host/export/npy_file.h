#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bittern {

/// An array as the content of an .npy file (NumPy, format version 1.0): little endian, the last
/// extent innermost. `shape` has as many places as `values`.
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int8_t>& values);
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::uint8_t>& values);
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int16_t>& values);
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int32_t>& values);
std::string npy_text(const std::vector<std::int64_t>& shape,
                     const std::vector<std::int64_t>& values);
std::string npy_text(const std::vector<std::int64_t>& shape, const std::vector<float>& values);

}  // namespace bittern
