#include "agent/rl/ppo/releq.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "agent/rl/policy_bits.h"
#include "host/base/error.h"
#include "host/search/uniform_policies.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Walks that moving means are over.
constexpr std::size_t kWindow = 20;

/// By how much flatter the actions are drawn with every walk that brought nothing new.
constexpr double kFlatter = 0.3;

/// What is known of a policy.
struct Known {
  double accuracy = 0.0;      ///< state of relative accuracy
  double quantization = 0.0;  ///< state of quantisation of what ran
  double reward = 0.0;
};

json to_json(const Rollout& rollout) {
  return {{"states", rollout.states},
          {"actions", rollout.actions},
          {"log_probabilities", rollout.log_probabilities},
          {"values", rollout.values},
          {"rewards", rollout.rewards}};
}

Rollout rollout_of(const json& from) {
  Rollout rollout;
  from.at("states").get_to(rollout.states);
  from.at("actions").get_to(rollout.actions);
  from.at("log_probabilities").get_to(rollout.log_probabilities);
  from.at("values").get_to(rollout.values);
  from.at("rewards").get_to(rollout.rewards);
  return rollout;
}

json numbers(const Known& known) { return {known.accuracy, known.quantization, known.reward}; }

Known known_of(const json& from) {
  return {from.at(0).get<double>(), from.at(1).get<double>(), from.at(2).get<double>()};
}

/// An episode of the agent that is under way.
struct Walk {
  Policy policy;          ///< as decided so far; the rest at most bits
  int step = 0;           ///< next decision
  int previous = 0;       ///< bits of the last one
  double accuracy = 1.0;  ///< state of relative accuracy: that of the last score of the walk
  double flatness = 1.0;  ///< of the distributions that its actions are drawn from
  bool asked = false;     ///< one of its policies was new
  int given = -1;         ///< place of the uniform policy that it goes to; -1: the agent decides
  PolicyNetwork::Memory memory;
  std::vector<std::vector<double>> probabilities;  ///< of each decision
  Rollout rollout;
};

class Releq : public Method {
 public:
  Releq(const ReleqOptions& options, const MethodContext& context)
      : options_(options),
        full_precision_(context.full_precision),
        saves_cost_(context.reward.goal == Goal::kCost),
        wall_(context.wall),
        environment_(context.network, context.space, context.costs, context.weight_deviations,
                     options.environment),
        uniform_(options.uniform_first ? uniform_policies(context.space) : std::vector<Policy>()),
        draw_(Rng(context.seed).split(2)),
        agent_(make_agent(options, environment_, context.seed)) {
    if (!(full_precision_ > 0.0)) {
      fail("search: the full-precision accuracy is {}: ReLeQ needs the share of it that is left",
           full_precision_);
    }
  }

  std::vector<Proposal> ask(int) override {
    for (;;) {
      decide();
      if (!scores_here()) {
        walk_->rollout.rewards.push_back(0.0f);
        continue;
      }
      const bool end = walk_->step == environment_.steps();
      // Uniform bits that the wall makes the same are asked for all the same: that they earn the
      // same is worth learning.
      if (end && walk_->given >= 0 && options_.wall_actions) break;
      const auto found = memory_.find(bits_of(as_it_runs(walk_->policy)));
      if (found == memory_.end()) break;
      if (end && !walk_->asked) {
        // Nothing in this walk is new.
        if (redrawn_ == options_.redraw) break;
        if (walk_->given < 0) ++redrawn_;
        walk_.reset();
        continue;
      }
      settle(found->second);
    }
    walk_->asked = true;
    return {{walk_->policy, options_.wall_actions}};
  }

  std::vector<json> tell(const std::vector<Outcome>& outcomes) override {
    const Outcome& outcome = outcomes.front();
    const Known known = score(outcome);
    if (options_.redraw > 0) memory_[bits_of(outcome.policy)] = known;
    json line = {{"agent_episode", episodes_},
                 {"agent_step", walk_->step - 1},
                 {"redrawn", std::exchange(redrawn_, 0)},
                 {"state_accuracy", known.accuracy},
                 {"state_quantization", known.quantization},
                 {"releq_reward", known.reward}};
    settle(known);
    // A walk whose end was known already is told of with the next policy that was not.
    line["probabilities"] = std::exchange(ended_["probabilities"], nullptr);
    line["entropy"] = std::exchange(ended_["entropy"], nullptr);
    line["moving"] = moving();
    line["update"] = last_update_;
    return {std::move(line)};
  }

  /// Takes over the network. What is known of policies
  /// is not: their states of quantisation are another machine's.
  int learn_from(const Experience& other, const std::vector<Outcome>&) override {
    agent_.load(other.checkpoint);
    return 0;
  }

  double objective(const Outcome& outcome) const override {
    // Behind the wall cost is what the limits say, and accuracy is what is left to rank by.
    return options_.wall_actions ? outcome.reward : score(outcome).reward;
  }

  void save(Checkpoint& checkpoint) const override {
    agent_.save(checkpoint);
    json& state = checkpoint.state["releq"];
    state = {{"draw", draw_.save()},     {"episodes", episodes_},       {"updates", updates_},
             {"redrawn", redrawn_},      {"last_update", last_update_}, {"recent", json::array()},
             {"pending", json::array()}, {"memory", json::array()},     {"uniform", next_uniform_}};
    for (const Known& known : recent_) state["recent"].push_back(numbers(known));
    for (const Rollout& rollout : pending_) state["pending"].push_back(to_json(rollout));
    for (const auto& [bits, known] : memory_) {
      state["memory"].push_back({bits, numbers(known)});
    }
    state["walk"] = nullptr;
    if (walk_) {
      state["walk"] = {{"policy", bits_of(walk_->policy)},
                       {"step", walk_->step},
                       {"previous", walk_->previous},
                       {"accuracy", walk_->accuracy},
                       {"flatness", walk_->flatness},
                       {"asked", walk_->asked},
                       {"given", walk_->given},
                       {"hidden", walk_->memory.hidden},
                       {"cell", walk_->memory.cell},
                       {"probabilities", walk_->probabilities},
                       {"rollout", to_json(walk_->rollout)}};
    }
  }

  void load(const Checkpoint& checkpoint) override {
    agent_.load(checkpoint);
    const json& state = checkpoint.state.at("releq");
    draw_ = Rng::restore(state.at("draw").get<std::string>());
    episodes_ = state.at("episodes").get<int>();
    updates_ = state.at("updates").get<int>();
    redrawn_ = state.at("redrawn").get<int>();
    next_uniform_ = state.value("uniform", 0);  // older checkpoints have no such walks
    last_update_ = state.at("last_update");
    recent_.clear();
    for (const json& entry : state.at("recent")) recent_.push_back(known_of(entry));
    pending_.clear();
    for (const json& entry : state.at("pending")) pending_.push_back(rollout_of(entry));
    memory_.clear();
    for (const json& entry : state.at("memory")) {
      memory_[entry.at(0).get<std::vector<int>>()] = known_of(entry.at(1));
    }
    walk_.reset();
    const json& walk = state.at("walk");
    if (walk.is_null()) return;
    walk_.emplace();
    walk_->policy = policy_of(walk.at("policy").get<std::vector<int>>());
    walk.at("step").get_to(walk_->step);
    walk.at("previous").get_to(walk_->previous);
    walk.at("accuracy").get_to(walk_->accuracy);
    walk.at("flatness").get_to(walk_->flatness);
    walk.at("asked").get_to(walk_->asked);
    walk_->given = walk.value("given", -1);
    walk.at("hidden").get_to(walk_->memory.hidden);
    walk.at("cell").get_to(walk_->memory.cell);
    walk.at("probabilities").get_to(walk_->probabilities);
    walk_->rollout = rollout_of(walk.at("rollout"));
    check_walk();
  }

 private:
  static Ppo make_agent(const ReleqOptions& options, const ReleqEnvironment& environment,
                        std::uint64_t seed) {
    Rng rng = Rng(seed).split(1);
    return {options.agent, environment.inputs(), environment.allowed(), rng};
  }

  Known score(const Outcome& outcome) const {
    Known known;
    known.accuracy = outcome.accuracy.top1 / full_precision_;
    known.quantization = environment_.quantization(outcome.policy);
    if (options_.reward.shape == RewardShape::kSearch && saves_cost_) {
      known.reward = outcome.reward;  // knows the floor
    } else {
      known.reward = outcome.meets_floor
                         ? releq_reward(options_.reward, known.accuracy, known.quantization)
                         : kUnacceptable;
    }
    return known;
  }

  Policy as_it_runs(const Policy& policy) const {
    return options_.wall_actions ? wall_.apply(policy).policy : policy;
  }

  /// The agent's next decision; the first one of a walk where none is under way.
  void decide() {
    if (!walk_) {
      walk_.emplace();
      walk_->policy = environment_.start();
      walk_->memory = agent_.blank();
      walk_->flatness = 1.0 + kFlatter * redrawn_;
      if (next_uniform_ < static_cast<int>(uniform_.size())) walk_->given = next_uniform_++;
    }
    Walk& walk = *walk_;
    const std::vector<float> state =
        environment_.state(walk.step, walk.policy, walk.previous,
                           environment_.quantization(walk.policy), walk.accuracy);
    const Ppo::Decision decision =
        walk.given < 0 ? agent_.decide(walk.step, state, walk.memory, draw_, walk.flatness)
                       : agent_.take(environment_.action_towards(
                                         uniform_[static_cast<std::size_t>(walk.given)],
                                         walk.policy, walk.step),
                                     walk.step, state, walk.memory);
    walk.policy = environment_.act(walk.policy, walk.step, decision.action);
    walk.previous = environment_.bits(walk.policy, walk.step);
    ++walk.step;
    walk.probabilities.push_back(decision.probabilities);
    Rollout& rollout = walk.rollout;
    rollout.states.insert(rollout.states.end(), state.begin(), state.end());
    rollout.actions.push_back(decision.action);
    rollout.log_probabilities.push_back(static_cast<float>(decision.log_probability));
    rollout.values.push_back(static_cast<float>(decision.value));
  }

  bool scores_here() const {
    return options_.evaluate == ScoreAt::kStep || walk_->step == environment_.steps();
  }

  /// The last decision has its reward. Ends the walk after its last one, and learns when there are
  /// episodes enough.
  void settle(const Known& known) {
    walk_->rollout.rewards.push_back(static_cast<float>(known.reward));
    walk_->accuracy = known.accuracy;
    if (walk_->step < environment_.steps()) return;
    describe_walk();
    recent_.push_back(known);
    if (recent_.size() > kWindow) recent_.pop_front();
    pending_.push_back(std::move(walk_->rollout));
    walk_.reset();
    ++episodes_;
    if (pending_.size() < static_cast<std::size_t>(options_.episodes_per_update)) return;
    const Ppo::Statistics statistics = agent_.update(pending_);
    pending_.clear();
    ++updates_;
    last_update_ = {{"count", updates_},
                    {"policy_loss", statistics.policy_loss},
                    {"value_loss", statistics.value_loss},
                    {"entropy", statistics.entropy},
                    {"kl", statistics.kl},
                    {"clip_share", statistics.clip_share},
                    {"gradient", statistics.gradient}};
  }

  json moving() const {
    if (recent_.empty()) return nullptr;
    Known mean;
    const auto count = static_cast<double>(recent_.size());
    for (const Known& known : recent_) {
      mean.accuracy += known.accuracy / count;
      mean.quantization += known.quantization / count;
      mean.reward += known.reward / count;
    }
    return {
        {"accuracy", mean.accuracy}, {"quantization", mean.quantization}, {"reward", mean.reward}};
  }

  void describe_walk() {
    json all = json::array();
    double entropy = 0.0;
    for (int step = 0; step < environment_.steps(); ++step) {
      const std::vector<double>& p = walk_->probabilities[static_cast<std::size_t>(step)];
      const std::vector<bool>& allowed = environment_.allowed()[static_cast<std::size_t>(step)];
      json entry = {{"layer", environment_.layer(step)},
                    {"kind", environment_.kind(step)},
                    {"bits", json::array()},
                    {"p", json::array()}};
      for (std::size_t k = 0; k < p.size(); ++k) {
        if (!allowed[k]) continue;
        entry["bits"].push_back(environment_.meanings()[k]);
        // Four digits: they are for curves, and there are many.
        entry["p"].push_back(std::round(p[k] * 1e4) / 1e4);
        if (p[k] > 0.0) entropy -= p[k] * std::log(p[k]) / environment_.steps();
      }
      all.push_back(std::move(entry));
    }
    ended_ = {{"probabilities", std::move(all)}, {"entropy", entropy}};
  }

  void check_walk() const {
    const auto done = static_cast<std::size_t>(walk_->step);
    if (walk_->policy.size() != environment_.start().size() || walk_->step < 1 ||
        walk_->step >= environment_.steps() || walk_->rollout.steps() != done ||
        walk_->rollout.rewards.size() != done || walk_->probabilities.size() != done ||
        walk_->memory.hidden.size() != agent_.blank().hidden.size() ||
        walk_->memory.cell.size() != agent_.blank().cell.size() ||
        walk_->given >= static_cast<int>(uniform_.size())) {
      fail("checkpoint: the episode that was under way does not fit the agent");
    }
  }

  const ReleqOptions options_;
  const double full_precision_;
  const bool saves_cost_;  ///< the search's goal
  const Wall& wall_;
  ReleqEnvironment environment_;
  std::vector<Policy> uniform_;  ///< that the first walks go to
  int next_uniform_ = 0;         ///< place of the next one
  Rng draw_;                     ///< actions
  Ppo agent_;
  std::optional<Walk> walk_;
  std::vector<Rollout> pending_;  ///< walks that the next update learns from
  std::map<std::vector<int>, Known> memory_;
  std::deque<Known> recent_;     ///< ends of the last walks
  json last_update_;             ///< null before the first
  json ended_ = json::object();  ///< what the next line tells of the last walk that ended
  int episodes_ = 0;             ///< walks that are over
  int updates_ = 0;
  int redrawn_ = 0;  ///< walks since the last line in which nothing was new
};

}  // namespace

ConfiguredMethod configure_releq(const ReleqOptions& options) {
  validate(options);
  ConfiguredMethod method;
  method.name = "releq";
  method.weighs_cost = !options.wall_actions;
  method.reinforcement = true;
  method.starts_from = StartsFrom::kAgent;
  method.fingerprint = method.key = to_json(options);
  method.make = [options](const MethodContext& context) -> std::unique_ptr<Method> {
    return std::make_unique<Releq>(options, context);
  };
  method.doubts = [options](int episodes) {
    std::vector<std::string> doubts;
    if (options.evaluate == ScoreAt::kEnd && options.episodes_per_update > episodes) {
      doubts.push_back(fmt::format(
          "search.episodes_per_update ({}) is above search.episodes ({}): the agent learns nothing",
          options.episodes_per_update, episodes));
    }
    return doubts;
  };
  return method;
}

MethodKind releq_method() {
  MethodKind kind;
  kind.name = "releq";
  kind.description = "PPO of ReLeQ (Elthakeb et al., IEEE Micro 2020)";
  kind.keys = releq_keys();
  kind.configure = [](const YamlMap& map) { return configure_releq(read_releq(map)); };
  return kind;
}

}  // namespace bittern
