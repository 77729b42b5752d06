#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/base/span.h"
#include "host/integer/integer_values.h"
#include "host/integer/quantised_network.h"

namespace bittern {

/// The part of IntegerExecutor for a network that states its quantisers (stated_network()). Holds
/// no state of an image. The network must outlive it.
class StatedExecutor {
 public:
  explicit StatedExecutor(const QuantisedNetwork& network);

  void begin(Bytes image, IntegerValues& values) const;
  /// Computes any node but that of a layer, and drops what nothing needs any more.
  void compute(std::size_t node, IntegerValues& values) const;
  std::vector<std::int16_t> layer_input(std::size_t layer, const IntegerValues& values) const;
  void finish_layer(std::size_t layer, Span<const std::int32_t> sums, IntegerValues& values) const;
  /// All answers, in single precision.
  std::vector<float> answers(const IntegerValues& values) const;

 private:
  using Integers = std::vector<std::int64_t>;

  const Integers& integers(int source, const IntegerValues& values) const;
  Integers computed(std::size_t node, const IntegerValues& values) const;
  Integers quantised(std::size_t node, const Integers& x) const;
  Integers added(std::size_t node, const IntegerValues& values) const;
  Integers averaged(std::size_t node, const Integers& x) const;
  void drop(std::size_t node, IntegerValues& values) const;

  const QuantisedNetwork& network_;
  /// The last node that works on each node's integers, and behind them on those of the image.
  std::vector<std::size_t> last_use_;
};

}  // namespace bittern
