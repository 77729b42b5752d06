#pragma once

#include <cstddef>
#include <vector>

#include "host/network/graph.h"

namespace bittern {

/// A place where activations become codes: whoever computes a quantised network, in floating point
/// or in integers, quantises there and nowhere else.
struct CodePoint {
  enum class Kind {
    kImage,   ///< the image: its bytes, in steps of 1 / 255
    kLayer,   ///< the input of a layer, with that layer's bits
    kStored,  ///< the output of a node, with 8 bits
  };
  Kind kind = Kind::kImage;
  std::size_t place = 0;  ///< kLayer: which layer; kStored: which node
  bool is_signed = false;

  bool operator==(const CodePoint& other) const {
    return kind == other.kind && place == other.place && is_signed == other.is_signed;
  }
};

/// Bits of what is stored between operations that are no layers.
constexpr int kStoredBits = 8;

/// Where the activations of a graph are codes, and in which form each of its maps is.
///
/// Layers, additions, average poolings, concatenations, normalisations and batch norms make new
/// values. A ReLU, clipping, max pooling, flattening, slices, upsampling and padding of channels
/// only choose among values or bound them: they compute on codes, and give what they would have
/// given before rounding. A new value that only one layer takes (through such operations) is
/// rounded to that layer's codes at once; one that only a concatenation takes, to those of the
/// concatenation's output. All others are stored with 8 bits, and every layer that takes them
/// rounds them again to its own codes. Nothing is rounded behind the last layer: the answer is
/// made of its sums.
struct QuantisationScheme {
  /// Codes are not made here: the sums are the answer.
  static constexpr int kSums = -1;

  std::vector<CodePoint> points;    ///< the image's is the first one
  std::vector<int> point_of_node;   ///< index of the codes of each node's output, or kSums
  std::vector<int> point_of_layer;  ///< of its input, by its place

  /// Codes of the map that `source` (a node or kImage) gives.
  int point_of(int source) const {
    return source == kImage ? 0 : point_of_node[static_cast<std::size_t>(source)];
  }
  /// The nodes whose outputs are stored, in ascending order.
  std::vector<std::size_t> stored() const;
};

/// Whether an operation computes on codes what it computes on values.
bool computes_on_codes(Op op);

/// The scheme of a graph. Throws Error naming the node for an operation that cannot be computed
/// (kGiven).
QuantisationScheme quantisation_scheme(const Graph& graph);

}  // namespace bittern
