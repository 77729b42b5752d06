#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/network/quantiser.h"

namespace bittern::onnx_io {

/// Extents of a tensor, the last one innermost.
using Dims = std::vector<std::int64_t>;

/// Elements of a tensor; throws Error where an extent is negative or there are more than 2^31.
std::int64_t count_of(const Dims& dims);

/// "2x3x4"; "scalar" without extents.
std::string dims_text(const Dims& dims);

/// The quantiser that the values of a constant come from. `scale` and `zero` have as many extents
/// as the constant, each either 1 or the constant's, or none.
struct ConstantQuantiser {
  Quantiser form;  ///< bits, signs and rounding; its scales stand below
  Dims scale_dims;
  std::vector<float> scale;
  Dims zero_dims;
  std::vector<float> zero;
};

/// A tensor whose values are known when the file is read. All real types are held as 32-bit floats
/// (doubles are rounded), all integers and truth values as 64-bit integers.
struct Constant {
  Dims dims;
  bool integer = false;
  std::vector<float> reals;             ///< when not integer
  std::vector<std::int64_t> integers;   ///< when integer
  int type = onnx::TensorProto::FLOAT;  ///< ONNX's element type
  std::optional<ConstantQuantiser> quantiser;
  /// Codes: the bounds that a Clip gave them.
  std::optional<std::pair<double, double>> code_range;

  std::int64_t count() const {
    return static_cast<std::int64_t>(integer ? integers.size() : reals.size());
  }
  double at(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return integer ? static_cast<double>(integers[i]) : static_cast<double>(reals[i]);
  }
};

Constant integer_constant(Dims dims, std::vector<std::int64_t> values);
Constant real_constant(Dims dims, std::vector<float> values);

/// Least and greatest value of an integer element type; nothing for other types.
std::optional<std::pair<std::int64_t, std::int64_t>> integer_limits(int type);

/// The values of a tensor: raw bytes, typed fields, or a file beside the model. `folder` is that of
/// the model; data outside of it is not read. Every length is checked. Throws Error (exit status 2)
/// that starts with `what`.
Constant read_tensor(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
                     const std::string& what);

}  // namespace bittern::onnx_io
