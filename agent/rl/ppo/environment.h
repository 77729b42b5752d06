#pragma once

#include <string>
#include <vector>

#include "agent/rl/ppo/ppo.h"
#include "host/network/network.h"
#include "host/search/bit_space.h"
#include "host/search/cost_table.h"

namespace bittern {

/// What an action means (arXiv 1811.01704, figure 2).
enum class BitActions {
  kAbsolute,  ///< one action for each width
  kRelative,  ///< one width down, keep, one width up, in the layer's own list; ends stay
};

/// What ReLeQ's state of quantisation is: the cost of a policy as a share of that at most bits.
enum class QuantizationState {
  kMean,     ///< mean of the bits (ReLeQ's published code)
  kMaccMem,  ///< bits, a layer weighted by its MACs + 120 * its weights (the paper)
  kHardware  ///< cycles or energy of the search's cost model
};

/// "mean", "maccmem" or "hw".
const char* quantization_state_name(QuantizationState state);

struct ReleqEnvironmentOptions {
  BitActions actions = BitActions::kAbsolute;
  /// How often an episode walks over the layers. 0: once with absolute actions; with relative ones
  /// as often as it takes for every policy to be within reach.
  int passes = 0;
  QuantizationState quantization = QuantizationState::kHardware;
  bool energy = false;  ///< kHardware: energy instead of cycles
  /// Besides its index the state has a number for every decision of a pass, 0 but for the present
  /// one: layers are told apart from the first episode on.
  bool one_hot = true;
};

/// ReLeQ's environment: an episode starts with most bits everywhere and walks over the layers in
/// execution order, one decision a layer (weight bits, then activation bits in mode w+a). Pinned
/// layers are not decided about; of layers that share their bits the first one decides. It holds
/// nothing that changes.
///
/// A state is, all about in [0, 1]: layer index, input channels, output channels, kernel (each
/// scaled between its least and its greatest value over the network's layers; a column that is the
/// same everywhere is 0), deviation of the weights (likewise; 0 where it is not known), bits that
/// the decision is about / most bits, previous decision / most bits (1 at the start), state of
/// quantisation, state of relative accuracy, 1 for a decision about activations. That is table 1 of
/// the paper, the previous decision and the kind of the decision; then, with one_hot, a number for
/// every decision of a pass.
class ReleqEnvironment {
 public:
  /// `deviations`: of the weights of each layer, or empty. References must outlive the environment.
  /// Throws Error when sizes do not fit, or when the state of quantisation that is asked for does
  /// not exist: kMaccMem where activations are searched on their own, kHardware where the reference
  /// costs nothing.
  ReleqEnvironment(const Network& network, const BitSpace& space, const CostTable& costs,
                   const std::vector<double>& deviations, const ReleqEnvironmentOptions& options);

  /// Decisions in an episode.
  int steps() const { return static_cast<int>(steps_.size()); }
  /// Numbers in a state.
  int inputs() const;
  /// Actions that the policy network tells apart.
  int actions() const { return static_cast<int>(meanings_.size()); }
  /// What each action stands for: widths, or -1, 0, 1.
  const std::vector<int>& meanings() const { return meanings_; }
  /// The actions that each step may take.
  const AllowedActions& allowed() const { return allowed_; }
  /// Layer that a step decides about.
  std::size_t layer(int step) const { return steps_[static_cast<std::size_t>(step)].layer; }
  /// "w", "a", or "w=a" where one decision is about both.
  const char* kind(int step) const;

  /// What an episode starts from.
  const Policy& start() const { return start_; }
  /// `policy` after the step took this action; of the space.
  Policy act(const Policy& policy, int step, int action) const;
  /// The action of a step that brings `policy` nearest to what `target` has there.
  int action_towards(const Policy& target, const Policy& policy, int step) const;
  /// Bits that a step decides about, in a policy.
  int bits(const Policy& policy, int step) const;
  /// State of quantisation of a policy of the space.
  double quantization(const Policy& policy) const;
  /// What the agent sees before a step. `previous` is the bits of the decision before, and is not
  /// looked at in step 0.
  std::vector<float> state(int step, const Policy& policy, int previous, double quantization,
                           double accuracy_state) const;

 private:
  struct Step {
    std::size_t layer;
    bool weights;
  };

  const std::vector<int>& choices(const Step& step) const;
  void list_steps(int passes);
  void list_actions();
  void list_features(const std::vector<double>& deviations);
  double counted(const Policy& policy) const;

  const Network& network_;
  const BitSpace& space_;
  const CostTable& costs_;
  ReleqEnvironmentOptions options_;
  std::vector<Step> steps_;
  int pass_ = 0;  ///< decisions in a pass
  std::vector<int> meanings_;
  AllowedActions allowed_;
  std::vector<std::vector<float>> features_;  ///< the columns of a layer that do not change
  Policy start_;
  double most_ = 1.0;  ///< what quantization() is a share of
};

}  // namespace bittern
