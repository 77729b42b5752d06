#pragma once

#include <array>
#include <string>
#include <vector>

#include "host/cost/cost_model.h"
#include "host/search/bit_space.h"

namespace bittern {

/// Every cost that a search can meet, asked of a cost model once: the wall then changes a policy
/// bit by bit at the price of one look-up.
class CostTable {
 public:
  /// Prefetches and reads all pairs of `space` and the reference of every layer. Throws Error
  /// naming layer and bits when the model cannot answer or answers with a cost that is negative or
  /// not finite.
  CostTable(CostModel& model, const BitSpace& space);

  const Network& network() const { return *network_; }
  std::size_t layers() const { return costs_.size(); }
  /// Cost of a layer. Throws Error when the pair is not in the space.
  const LayerCost& at(std::size_t layer, BitPair bits) const;
  /// Sum over the layers, in their order.
  LayerCost total(const Policy& policy) const;
  /// Cost of reference_policy(): what ratios refer to.
  const LayerCost& reference() const { return reference_; }
  /// Its bits in words, "8/8".
  const std::string& reference_bits() const { return reference_bits_; }

 private:
  static constexpr int kWidths = 17;
  struct Row {
    std::array<std::int16_t, kWidths * kWidths> index;  ///< into `costs`; -1: not in the space
    std::vector<LayerCost> costs;
  };

  const Network* network_;
  std::vector<Row> costs_;
  LayerCost reference_;
  std::string reference_bits_;
};

/// What ratios refer to: 8/8 bits in every layer where the costs of that are known (always, but for
/// tables), else the most bits that the search may choose everywhere.
Policy reference_policy(const CostModel& model, const BitSpace& space);

/// The bits of such a policy, without those of pinned layers: "8/8".
std::string reference_bits(const Policy& reference, const BitSpace& space);

}  // namespace bittern
