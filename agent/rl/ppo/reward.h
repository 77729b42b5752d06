#pragma once

#include <string>
#include <vector>

namespace bittern {

/// How ReLeQ (arXiv 1811.01704, section 2.6 and figure 3) makes one number of the state of relative
/// accuracy A (accuracy / full-precision accuracy) and the state of quantisation Q (cost / cost at
/// most bits).
enum class RewardShape {
  kShaped,      ///< (1 - Q^a) * max(A, threshold)^(b / max(A, threshold)): asymmetric
  kRatio,       ///< A / Q
  kDifference,  ///< A - Q
  /// A, where limits see to the cost; where a search saves cost at an accuracy, its own reward
  /// (SearchOptions), which is no function of A and Q: the caller's.
  kSearch,
};

/// What an accuracy that is not acceptable gets: below the threshold, or below a search's floor.
constexpr double kUnacceptable = -1.0;

struct ReleqReward {
  RewardShape shape = RewardShape::kShaped;
  double a = 0.2;
  double b = 0.4;
  /// Relative accuracy below which a policy gets kUnacceptable. The paper has it for the shaped
  /// reward only; 0 switches it off.
  double threshold = 0.4;
};

/// The names that reward_of() knows: "paper" (shaped, a = 0.2, b = 0.4, threshold 0.4), the shaped
/// reward with the constants of ReLeQ's published code for single networks ("lenet", "simplenet",
/// "svhn", "resnet", "mobilenet"), the paper's two alternatives "ratio" and "difference", and
/// "search".
std::vector<std::string> reward_names();

/// Throws Error listing the names.
ReleqReward reward_of(const std::string& name);

/// Throws Error (exit status 2) naming the first number that is out of range.
void validate(const ReleqReward& reward);

/// Reward of a policy. Requires both states to be at least 0; a Q of 0 counts as the smallest
/// number that the ratio can be taken with.
double releq_reward(const ReleqReward& reward, double accuracy_state, double quantization_state);

}  // namespace bittern
