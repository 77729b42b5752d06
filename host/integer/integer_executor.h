#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/base/span.h"
#include "host/integer/integer_values.h"
#include "host/integer/layer_kernel.h"
#include "host/integer/quantised_network.h"
#include "host/integer/stated_executor.h"

namespace bittern {

/// Computes a quantised network with integers alone, image by image or operation by operation.
/// Holds no state of an image: may be used by several threads. The network must outlive it.
class IntegerExecutor {
 public:
  explicit IntegerExecutor(const QuantisedNetwork& network);

  /// What the network answers for an image of bytes, planes of rows: the sums of the last layer
  /// with their scales, in double precision and rounded to single once. Throws Error when the image
  /// has another size.
  std::vector<float> logits(Bytes image) const;

  // The same in steps: begin(); then for every node compute(), or for a layer layer_input(), the
  // sums of layer_sums() or of somebody else, and finish_layer(); then answer().

  IntegerValues begin(Bytes image) const;
  /// Computes any node but that of a layer, and drops what nothing needs any more.
  void compute(std::size_t node, IntegerValues& values) const;
  /// Codes that a layer multiplies, planes of rows.
  std::vector<std::int16_t> layer_input(std::size_t layer, const IntegerValues& values) const;
  /// Sums of weights times such codes, planes of rows, before the bias.
  std::vector<std::int32_t> layer_sums(std::size_t layer, Span<const std::int16_t> input) const;
  /// Makes the layer's output from its sums.
  void finish_layer(std::size_t layer, Span<const std::int32_t> sums, IntegerValues& values) const;
  /// Of the network's classes: without the answers before Graph::first_class.
  std::vector<float> answer(const IntegerValues& values) const;

  const QuantisedNetwork& network() const { return network_; }
  /// Which layer a node is; -1 for other nodes.
  int layer_of_node(std::size_t node) const { return layers_[node]; }

 private:
  const std::vector<std::int16_t>& codes(int source, const IntegerValues& values) const;
  std::vector<std::int16_t> computed(std::size_t node, const IntegerValues& values) const;
  void average(std::size_t node, IntegerValues& values) const;
  std::vector<float> all_answers(const IntegerValues& values) const;
  void store(std::size_t node, std::vector<std::int16_t> codes, IntegerValues& values) const;

  const QuantisedNetwork& network_;
  std::vector<int> layers_;  ///< of each node
  std::vector<LayerKernel> kernels_;
  std::vector<std::size_t> last_use_;
  std::optional<StatedExecutor> stated_;  ///< where the network states its quantisers
};

}  // namespace bittern
