#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/export/export.h"
#include "host/export/onnx_file.h"

namespace bittern {

/// How a file states that values are codes.
class QuantiserStyle {
 public:
  virtual ~QuantiserStyle() = default;

  /// Values that are rounded to codes of a format; `name` is that of the result.
  virtual void activations(OnnxFile& file, const std::string& input, const CodeFormat& format,
                           const std::string& name) = 0;
  /// The weights of a layer; returns the name of their values. Throws Error (exit status 2) naming
  /// the layer when its codes cannot be said.
  virtual std::string weights(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer,
                              const std::vector<std::int64_t>& shape) = 0;
  /// Its biases, which are whole units of its sums.
  virtual std::string bias(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer) = 0;
};

/// The network as ONNX: images of values 0 to 1 in, logits out. Wherever the network in integers
/// has codes (QuantisationScheme) values go through a quantiser; between them, operations are those
/// of ONNX in floating point. It computes what the integers do but for the rounding of ties and of
/// single precision. A map that is quantised is called as the node of ours that gives it, or
/// "<layer>.input" where a layer rounds a stored map to its own codes.
OnnxFile network_onnx(const ExportInput& input, QuantiserStyle& style);

}  // namespace bittern
