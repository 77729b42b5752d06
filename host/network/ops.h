#pragma once

#include <limits>
#include <string>
#include <vector>

#include "host/network/graph.h"

namespace bittern {

/// Values that a map can have; infinite where nothing is known.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// One entry of the table of ops: all that is known of an operation without computing it.
struct OpInfo {
  Op op;
  const char* name;  ///< in network files and messages
  int least_inputs;
  int most_inputs;
  /// Names of its attributes in network files; those that begin with '!' must be given.
  std::vector<std::string> attributes;
  /// Its tensors in checkpoints, <node>.<name>: "weight", ...
  std::vector<std::string> tensors;
  /// Shape of the output. Throws Error that says what is wrong with inputs or attributes.
  Shape (*shape)(const Node& node, const std::vector<Shape>& inputs);
  /// Values of the output for values of the inputs.
  Range (*range)(const Node& node, const std::vector<Range>& inputs);
  /// Canonical text of its attributes, for graph_key().
  std::string (*text)(const Node& node);
};

/// The entry of an operation.
const OpInfo& op_info(Op op);

/// All of them.
const std::vector<OpInfo>& all_ops();

/// What is missing for an operation that people write and Bittern cannot compute (transposed and
/// 3-D convolution, products of two activations); empty for other words.
std::string missing_for(const std::string& op);

/// Kernel, stride and padding in the canonical text of convolutions and poolings.
std::string window_text(const Attributes& a);

/// The layer of a convolution or fully connected node that takes a map of this shape.
Layer layer_of(const Node& node, const Shape& input);

/// Rows and columns that windows of a pooling cover behind the padded map (negative: that they
/// leave out).
struct Overhang {
  int rows = 0;
  int columns = 0;
};
Overhang pool_overhang(const Node& node, const Shape& input);

}  // namespace bittern
