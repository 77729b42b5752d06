#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/span.h"

namespace bittern {

/// Header of an .npy file (NumPy, format versions 1 to 3).
struct NpyHeader {
  char kind =
      'u';        ///< u: unsigned, i: signed whole numbers, f: floating point, b: truth values, ...
  int bytes = 1;  ///< of a value
  bool big_endian = false;
  bool fortran_order = false;       ///< the first extent is innermost
  std::vector<std::int64_t> shape;  ///< empty for a single value
  std::size_t data_offset = 0;      ///< of the values in the file

  /// Values. Their bytes fit into 62 bits.
  std::int64_t elements() const;
};

/// Reads the header out of the beginning of a file of `file_bytes` bytes; `begin` has at least
/// npy_header_bytes() of it. Throws Error that starts with `name` when it is no such file, holds
/// Python objects or records, or has fewer or more bytes than the shape asks for.
NpyHeader parse_npy_header(Bytes begin, std::uint64_t file_bytes, const std::string& name);

/// Most bytes that a header may take.
constexpr std::size_t npy_header_bytes() { return 65536; }

/// Value i of an array of whole numbers. The caller keeps within the data.
std::int64_t npy_integer(const NpyHeader& header, Bytes data, std::size_t i);

}  // namespace bittern
