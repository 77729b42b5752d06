#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/network/graph.h"
#include "host/network/io/onnx/constant.h"

namespace bittern::onnx_io {

/// Integers that stand for a map's values between QuantizeLinear and DequantizeLinear.
struct Codes {
  Constant scale;
  Constant zero;
  int axis = 1;
  double low = 0;  ///< least and greatest code: the type's, or what a Clip leaves
  double high = 0;
};

/// What a name of the file stands for: a tensor that is known, or what a node of our graph gives.
///
/// The values of a map lie in the order of `dims`, the first extent outermost, whatever the shape
/// of the node that gives them: reshaping is another `dims` and no operation.
struct Value {
  std::shared_ptr<const Constant> constant;
  int source = kImage;
  Dims dims;            ///< without the batch where there is one
  bool batched = true;  ///< whether an extent for the images of a batch stands before `dims`
  std::optional<Codes> codes = std::nullopt;
  bool bytes = false;     ///< values are bytes in the file, of which arithmetic would wrap around
  std::string name = {};  ///< of the initialiser that a constant comes from

  bool known() const { return constant != nullptr; }
};

}  // namespace bittern::onnx_io
