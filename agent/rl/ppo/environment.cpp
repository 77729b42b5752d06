#include "agent/rl/ppo/environment.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "host/base/error.h"
#include "host/search/search.h"

namespace bittern {
namespace {

/// Energy of a memory access over that of a multiply-accumulate, as ReLeQ estimates it.
constexpr double kMemoryOverMacc = 120.0;

/// Numbers in a state besides those that tell the decisions apart.
constexpr int kDescribed = 10;

/// What the present decision's own number is: large enough for the decision to weigh as much as
/// everything else in a network that is just drawn.
constexpr float kPresent = 3.0f;

/// min-max scaled; 0 where all are equal.
std::vector<float> scaled(const std::vector<double>& column) {
  const auto [low, high] = std::minmax_element(column.begin(), column.end());
  std::vector<float> result;
  for (const double value : column) {
    result.push_back(*high > *low ? static_cast<float>((value - *low) / (*high - *low)) : 0.0f);
  }
  return result;
}

}  // namespace

const char* quantization_state_name(QuantizationState state) {
  switch (state) {
    case QuantizationState::kMean:
      return "mean";
    case QuantizationState::kMaccMem:
      return "maccmem";
    case QuantizationState::kHardware:
      return "hw";
  }
  return "unknown";
}

ReleqEnvironment::ReleqEnvironment(const Network& network, const BitSpace& space,
                                   const CostTable& costs, const std::vector<double>& deviations,
                                   const ReleqEnvironmentOptions& options)
    : network_(network), space_(space), costs_(costs), options_(options) {
  if (network.layers.size() != space.layers() || costs.layers() != space.layers()) {
    fail("search: a network of {} layers, a search space of {} and costs of {}",
         network.layers.size(), space.layers(), costs.layers());
  }
  if (!deviations.empty() && deviations.size() != space.layers()) {
    fail("evaluator: deviations of the weights of {} layers; the network has {}", deviations.size(),
         space.layers());
  }
  if (options.passes < 0 || options.passes > 100) {
    fail_usage("search: passes is {}; expected 0..100", options.passes);
  }
  if (options.quantization == QuantizationState::kMaccMem && space.mode() != BitMode::kWeights &&
      !space.tied()) {
    fail_usage(
        "search: state_quantization maccmem counts the bits of weights, but mode {} searches those "
        "of activations; use hw or mean, or mode w",
        bit_mode_name(space.mode()));
  }
  int widest = 1;
  for (std::size_t layer = 0; layer < space.layers(); ++layer) {
    for (const auto* list : {&space.weight_choices(layer), &space.activation_choices(layer)}) {
      widest = std::max(widest, static_cast<int>(list->size()));
    }
  }
  const int needed = options.actions == BitActions::kRelative ? std::max(1, widest - 1) : 1;
  list_steps(options.passes > 0 ? options.passes : needed);
  list_actions();
  list_features(deviations);
  start_ = space.highest();
  most_ = counted(start_);
  if (options.quantization == QuantizationState::kHardware) {
    most_ =
        resource_value(costs.reference(), options.energy ? Resource::kEnergy : Resource::kLatency);
    if (!(most_ > 0.0)) {
      fail_usage(
          "search: state_quantization hw with {}: the {} policy costs nothing there; choose the "
          "other hw_cost, or mean",
          options.energy ? "energy" : "cycles", costs.reference_bits());
    }
  }
}

void ReleqEnvironment::list_steps(int passes) {
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t layer = 0; layer < space_.layers(); ++layer) {
      if (space_.leader(layer) != layer || space_.pinned(layer)) continue;
      for (const bool weights : {true, false}) {
        const Step step{layer, weights};
        // What is fixed, tied, or has one width only is no decision.
        if ((!weights && space_.tied()) || choices(step).size() < 2) continue;
        steps_.push_back(step);
      }
    }
  }
  pass_ = static_cast<int>(steps_.size()) / passes;
  if (steps_.empty()) {
    fail_usage("search: every layer has one width only, nothing is left to search");
  }
}

void ReleqEnvironment::list_actions() {
  if (options_.actions == BitActions::kRelative) {
    meanings_ = {-1, 0, 1};
    allowed_.assign(steps_.size(), std::vector<bool>(3, true));
    return;
  }
  std::set<int> widths;
  for (const Step& step : steps_) widths.insert(choices(step).begin(), choices(step).end());
  meanings_.assign(widths.begin(), widths.end());
  for (const Step& step : steps_) {
    const std::vector<int>& own = choices(step);
    allowed_.emplace_back();
    for (const int width : meanings_) {
      allowed_.back().push_back(std::find(own.begin(), own.end(), width) != own.end());
    }
  }
}

void ReleqEnvironment::list_features(const std::vector<double>& deviations) {
  std::vector<std::vector<double>> columns(5);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    columns[0].push_back(static_cast<double>(i));
    columns[1].push_back(layer.in_channels);
    columns[2].push_back(layer.out_channels);
    columns[3].push_back(std::max(layer.kernel_h, layer.kernel_w));
    columns[4].push_back(deviations.empty() ? 0.0 : deviations[i]);
  }
  features_.assign(network_.layers.size(), {});
  for (const std::vector<double>& column : columns) {
    const std::vector<float> numbers = scaled(column);
    for (std::size_t i = 0; i < numbers.size(); ++i) features_[i].push_back(numbers[i]);
  }
}

int ReleqEnvironment::inputs() const { return kDescribed + (options_.one_hot ? pass_ : 0); }

const std::vector<int>& ReleqEnvironment::choices(const Step& step) const {
  return step.weights ? space_.weight_choices(step.layer) : space_.activation_choices(step.layer);
}

const char* ReleqEnvironment::kind(int step) const {
  if (space_.tied()) return "w=a";
  return steps_[static_cast<std::size_t>(step)].weights ? "w" : "a";
}

int ReleqEnvironment::bits(const Policy& policy, int step) const {
  const Step& at = steps_[static_cast<std::size_t>(step)];
  return at.weights ? policy[at.layer].weight : policy[at.layer].activation;
}

Policy ReleqEnvironment::act(const Policy& policy, int step, int action) const {
  const Step& at = steps_[static_cast<std::size_t>(step)];
  int wanted = meanings_[static_cast<std::size_t>(action)];
  if (options_.actions == BitActions::kRelative) {
    const std::vector<int>& own = choices(at);
    const auto here = std::find(own.begin(), own.end(), bits(policy, step)) - own.begin();
    const auto there =
        std::clamp<std::ptrdiff_t>(here + wanted, 0, static_cast<std::ptrdiff_t>(own.size()) - 1);
    wanted = own[static_cast<std::size_t>(there)];
  }
  Policy result = policy;
  (at.weights ? result[at.layer].weight : result[at.layer].activation) = wanted;
  return space_.snap(result);
}

int ReleqEnvironment::action_towards(const Policy& target, const Policy& policy, int step) const {
  const std::vector<bool>& allowed = allowed_[static_cast<std::size_t>(step)];
  int best = -1;
  int least = 0;
  for (int action = 0; action < actions(); ++action) {
    if (!allowed[static_cast<std::size_t>(action)]) continue;
    const int distance = std::abs(bits(act(policy, step, action), step) - bits(target, step));
    if (best >= 0 && distance >= least) continue;
    best = action;
    least = distance;
  }
  return best;
}

double ReleqEnvironment::counted(const Policy& policy) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    const Layer& layer = network_.layers[i];
    if (options_.quantization == QuantizationState::kMaccMem) {
      sum += (kMemoryOverMacc * static_cast<double>(layer.weights()) +
              static_cast<double>(layer.macs())) *
             policy[i].weight;
      continue;
    }
    if (space_.mode() != BitMode::kActivations) sum += policy[i].weight;
    if (space_.mode() == BitMode::kBoth || space_.mode() == BitMode::kActivations) {
      sum += policy[i].activation;
    }
  }
  return sum;
}

double ReleqEnvironment::quantization(const Policy& policy) const {
  if (options_.quantization != QuantizationState::kHardware) return counted(policy) / most_;
  return resource_value(costs_.total(policy),
                        options_.energy ? Resource::kEnergy : Resource::kLatency) /
         most_;
}

std::vector<float> ReleqEnvironment::state(int step, const Policy& policy, int previous,
                                           double quantization, double accuracy_state) const {
  const Step& at = steps_[static_cast<std::size_t>(step)];
  const auto most = static_cast<float>(space_.max_bits());
  std::vector<float> result = features_[at.layer];
  result.push_back(static_cast<float>(bits(policy, step)) / most);
  result.push_back(step == 0 ? 1.0f : static_cast<float>(previous) / most);
  result.push_back(static_cast<float>(quantization));
  result.push_back(static_cast<float>(accuracy_state));
  result.push_back(at.weights ? 0.0f : 1.0f);
  for (int i = 0; options_.one_hot && i < pass_; ++i) {
    result.push_back(i == step % pass_ ? kPresent : 0.0f);
  }
  return result;
}

}  // namespace bittern
