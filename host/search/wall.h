#pragma once

#include <string>
#include <vector>

#include "host/search/bit_space.h"
#include "host/search/cost_table.h"
#include "host/search/search.h"

namespace bittern {

/// How bits are taken away from a policy that is too expensive.
enum class WallMode {
  /// HAQ (Wang et al., CVPR 2019, and its published code): passes from the last layer to the first;
  /// in each layer one activation bit, then one weight bit; stops at the first point within the
  /// limit. Takes bits that save nothing as well.
  kHaq,
  /// The same passes, but a decrement must save at least a share `epsilon` of what its layer costs
  /// at that moment.
  kMustPay,
  /// Always the decrement with the largest saving per bit of all layers.
  kBestRatio,
};

/// "haq", "must_pay" or "best_ratio".
const char* wall_mode_name(WallMode mode);

/// Inverse of wall_mode_name(); throws Error listing the names.
WallMode parse_wall_mode(const std::string& name);

struct WallOptions {
  WallMode mode = WallMode::kMustPay;
  double epsilon = 0.01;  ///< of kMustPay, 0..1
};

/// What the wall made of a policy.
struct WallResult {
  Policy policy;
  int steps = 0;               ///< changes that were made; one that jumps over several bits is one
  std::vector<double> totals;  ///< per constraint, in the order given, in its unit
  /// No way down was found from the asked policy (possible only with several constraints whose
  /// costs are not monotone in the bits), so that the policy is the one found from the uniform
  /// start instead.
  bool reserve = false;
};

/// The constraint wall: rewrites a policy so that all constraints hold.
///
/// Costs need not be monotone in the bits. A decrement that raises a cost over its limit, or an
/// exceeded one further, is never taken. Where the passes of kHaq and kMustPay get stuck (for
/// kMustPay: no decrement pays), one change is taken by the rule of kBestRatio, with epsilon 0 and
/// over any number of bits of a layer at once, and the passes go on; when no reduction helps at
/// all, a layer may also move to more bits that cost less.
class Wall {
 public:
  /// Throws Error when a limit is not a positive number, when the same resource is limited twice,
  /// when epsilon is out of range, or when a constraint cannot be met: the message has the least
  /// reachable value, its ratio to the reference and the layers that hold it. `table` must outlive
  /// the wall.
  Wall(const CostTable& table, const BitSpace& space, std::vector<Constraint> constraints,
       WallOptions options);

  /// Snaps `asked` to the space and takes bits away until every constraint holds. With L layers a
  /// step costs O(1) in the passes and O(L) in kBestRatio. Throws Error when `asked` has the wrong
  /// length.
  WallResult apply(const Policy& asked) const;

  /// Per constraint: the limit in its unit, the value of the reference policy, and the least value
  /// that any policy of the space has.
  const std::vector<double>& limits() const { return limits_; }
  const std::vector<double>& references() const { return references_; }
  const std::vector<double>& least() const { return least_; }
  /// What a layer of the space costs in a constraint, in its unit. Layers that share their bits are
  /// one: the first of them has the cost of all, the others cost nothing.
  double value(std::size_t constraint, std::size_t layer, BitPair bits) const;
  /// Whether a policy of the space meets every constraint.
  bool meets(const Policy& policy) const;

 private:
  class Descent;

  std::vector<double> totals(const Policy& policy) const;
  bool within(double total, std::size_t constraint) const;
  void check_reachable(const CostTable& table, std::size_t constraint);

  BitSpace space_;
  std::vector<Constraint> constraints_;
  WallOptions options_;
  std::vector<std::vector<BitPair>> pairs_;  ///< of each layer
  std::vector<double>
      values_;  ///< [constraint][layer][weight bits][activation bits]; 0 but for leaders
  std::vector<double> limits_;
  std::vector<double> references_;
  std::vector<double> least_;
  Policy reserve_;
};

}  // namespace bittern
