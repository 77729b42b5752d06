#include "agent/rl/ppo/releq.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "agent/rl/policy_bits.h"
#include "agent/rl/standing.h"
#include "host/base/error.h"
#include "host/search/uniform_policies.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Walks that moving means are over.
constexpr std::size_t kWindow = 20;

/// By how much flatter the actions are drawn with every walk that brought nothing new.
constexpr double kFlatter = 0.3;

/// Decisions of a walk to the best policy that the agent takes for itself, on average, and by how
/// much of that they become more with every walk that brought nothing new.
constexpr double kChanged = 3.0;
constexpr double kMoreChanged = 0.1;

/// Most walks that are asked for at once: every one more is a longer wait for news.
constexpr int kSideBySide = 8;

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
  Known last{1.0};        ///< the last score of the walk; its accuracy is part of the state
  double flatness = 1.0;  ///< of the distributions that its actions are drawn from
  bool asked = false;     ///< one of its policies was new
  int given = -1;         ///< place of the uniform policy that it goes to; -1: the agent decides
  Policy target;          ///< the best policy, where it goes there; else empty
  double changed = 0.0;   ///< share of decisions that are the agent's all the same
  int redrawn = 0;        ///< walks before it, since the last line, that brought nothing new
  PolicyNetwork::Memory memory;
  std::vector<std::vector<double>> probabilities;  ///< of each decision
  Rollout rollout;
};

json to_json(const Walk& walk) {
  return {{"policy", bits_of(walk.policy)},
          {"step", walk.step},
          {"previous", walk.previous},
          {"last", numbers(walk.last)},
          {"flatness", walk.flatness},
          {"asked", walk.asked},
          {"given", walk.given},
          {"target", bits_of(walk.target)},
          {"changed", walk.changed},
          {"redrawn", walk.redrawn},
          {"hidden", walk.memory.hidden},
          {"cell", walk.memory.cell},
          {"probabilities", walk.probabilities},
          {"rollout", to_json(walk.rollout)}};
}

Walk walk_of(const json& from) {
  Walk walk;
  walk.policy = policy_of(from.at("policy").get<std::vector<int>>());
  from.at("step").get_to(walk.step);
  from.at("previous").get_to(walk.previous);
  walk.last = known_of(from.at("last"));
  from.at("flatness").get_to(walk.flatness);
  from.at("asked").get_to(walk.asked);
  from.at("given").get_to(walk.given);
  walk.target = policy_of(from.value("target", std::vector<int>()));  // not in older checkpoints
  walk.changed = from.value("changed", 0.0);
  from.at("redrawn").get_to(walk.redrawn);
  from.at("hidden").get_to(walk.memory.hidden);
  from.at("cell").get_to(walk.memory.cell);
  from.at("probabilities").get_to(walk.probabilities);
  walk.rollout = rollout_of(from.at("rollout"));
  return walk;
}

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

  /// The agent learns from so many walks at once, and what each of them earns changes none of the
  /// others: where only their ends are scored, these can be scored side by side.
  int batch() const override {
    if (options_.evaluate == ScoreAt::kStep) return 1;
    return std::clamp(options_.episodes_per_update - static_cast<int>(pending_.size()), 1,
                      kSideBySide);
  }
  bool takes_part() const override { return true; }

  std::vector<Proposal> ask(int n) override {
    if (options_.evaluate == ScoreAt::kStep) {
      go_on();
    } else {
      while (walks_.size() < static_cast<std::size_t>(n)) go_on();
    }
    std::vector<Proposal> proposals;
    for (const Walk& walk : walks_) proposals.push_back({walk.policy, options_.wall_actions});
    proposals.resize(std::min(proposals.size(), static_cast<std::size_t>(n)));
    return proposals;
  }

  std::vector<json> tell(const std::vector<Outcome>& outcomes) override {
    std::vector<json> lines;
    for (const Outcome& outcome : outcomes) {
      Walk& walk = walks_.front();
      const Known known = score(outcome);
      if (options_.redraw > 0) memory_[bits_of(outcome.policy)] = known;
      note_best(outcome);
      json line = {{"agent_episode", episodes_},
                   {"agent_step", walk.step - 1},
                   {"redrawn", std::exchange(walk.redrawn, 0)},
                   {"revisits", !walk.target.empty()},
                   {"state_accuracy", known.accuracy},
                   {"state_quantization", known.quantization},
                   {"releq_reward", known.reward}};
      settle(walk, known);
      if (walk.step == environment_.steps()) end_first_walk();
      // A walk whose end was known already is told of with the next policy that was not.
      line["probabilities"] = std::exchange(ended_["probabilities"], nullptr);
      line["entropy"] = std::exchange(ended_["entropy"], nullptr);
      line["moving"] = moving();
      line["update"] = last_update_;
      lines.push_back(std::move(line));
    }
    return lines;
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
    state = {{"draw", draw_.save()},        {"episodes", episodes_},    {"updates", updates_},
             {"last_update", last_update_}, {"recent", json::array()},  {"pending", json::array()},
             {"memory", json::array()},     {"uniform", next_uniform_}, {"walks", json::array()}};
    for (const Known& known : recent_) state["recent"].push_back(numbers(known));
    for (const Rollout& rollout : pending_) state["pending"].push_back(to_json(rollout));
    for (const auto& [bits, known] : memory_) {
      state["memory"].push_back({bits, numbers(known)});
    }
    if (!best_.empty()) state["best"] = {bits_of(best_), best_standing_, bits_of(return_to_)};
    for (const Walk& walk : walks_) state["walks"].push_back(to_json(walk));
  }

  void load(const Checkpoint& checkpoint) override {
    agent_.load(checkpoint);
    const json& state = checkpoint.state.at("releq");
    draw_ = Rng::restore(state.at("draw").get<std::string>());
    episodes_ = state.at("episodes").get<int>();
    updates_ = state.at("updates").get<int>();
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
    best_.clear();
    return_to_.clear();
    if (const auto best = state.find("best"); best != state.end()) {
      best_ = policy_of(best->at(0).get<std::vector<int>>());
      best_standing_ = best->at(1).get<double>();
      return_to_ = policy_of(best->at(2).get<std::vector<int>>());
      const std::size_t layers = environment_.start().size();
      if (best_.size() != layers || (!return_to_.empty() && return_to_.size() != layers)) {
        fail("checkpoint: the best policy does not fit the network");
      }
    }
    walks_.clear();
    if (!state.contains("walks")) {
      fail("checkpoint: an older version of releq wrote it; begin the search anew");
    }
    for (const json& entry : state.at("walks")) {
      walks_.push_back(walk_of(entry));
      check(walks_.back());
    }
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

  std::vector<int> bits_as_it_runs(const Walk& walk) const {
    return bits_of(options_.wall_actions ? wall_.apply(walk.policy).policy : walk.policy);
  }

  /// Whether a walk before the last one waits for the score of this policy.
  bool is_asked_for(const std::vector<int>& bits) const {
    return options_.redraw > 0 &&
           std::any_of(walks_.begin(), walks_.end() - 1,
                       [&](const Walk& other) { return bits_as_it_runs(other) == bits; });
  }

  /// Decides on, until the policy of the last walk is to be scored.
  void go_on() {
    int redrawn = 0;
    for (;;) {
      if (walks_.empty() || walks_.back().step == environment_.steps()) begin_walk(redrawn);
      Walk& walk = walks_.back();
      decide(walk);
      const bool end = walk.step == environment_.steps();
      if (options_.evaluate == ScoreAt::kEnd && !end) {
        walk.rollout.rewards.push_back(0.0f);
        continue;
      }
      // Uniform bits that the wall makes the same are asked for all the same: that they earn the
      // same is worth learning.
      if (end && walk.given >= 0 && options_.wall_actions) break;
      const std::vector<int> bits = bits_as_it_runs(walk);
      const auto found = memory_.find(bits);
      if (found == memory_.end() && !is_asked_for(bits)) break;
      if (end && !walk.asked) {
        // Nothing in this walk is new.
        if (redrawn == options_.redraw) break;
        if (walk.given < 0) ++redrawn;
        walks_.pop_back();
        continue;
      }
      settle(walk, found->second);
      if (end) end_first_walk();
    }
    walks_.back().asked = true;
  }

  void begin_walk(int redrawn) {
    Walk& walk = walks_.emplace_back();
    walk.policy = environment_.start();
    walk.memory = agent_.blank();
    walk.flatness = 1.0 + kFlatter * redrawn;
    walk.redrawn = redrawn;
    if (next_uniform_ < static_cast<int>(uniform_.size())) {
      walk.given = next_uniform_++;
    } else if (redrawn > 0 && !return_to_.empty() && draw_.uniform() < options_.revisit) {
      walk.target = return_to_;
      walk.changed = kChanged * (1.0 + kMoreChanged * redrawn) / environment_.steps();
    }
  }

  void note_best(const Outcome& outcome) {
    if (options_.revisit <= 0.0) return;
    const double its = standing(outcome, objective(outcome));
    if (!best_.empty() && its <= best_standing_) return;
    best_standing_ = its;
    best_ = outcome.policy;
  }

  /// The policy that the next decision is to lead to; null: the agent decides.
  const Policy* destination(const Walk& walk) {
    if (walk.given >= 0) return &uniform_[static_cast<std::size_t>(walk.given)];
    if (walk.target.empty() || draw_.uniform() < walk.changed) return nullptr;
    return &walk.target;
  }

  /// The next decision of a walk.
  void decide(Walk& walk) {
    const std::vector<float> state =
        environment_.state(walk.step, walk.policy, walk.previous,
                           environment_.quantization(walk.policy), walk.last.accuracy);
    const Policy* to = destination(walk);
    const Ppo::Decision decision =
        to == nullptr ? agent_.decide(walk.step, state, walk.memory, draw_, walk.flatness)
                      : agent_.take(environment_.action_towards(*to, walk.policy, walk.step),
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

  /// The last decision has its reward.
  static void settle(Walk& walk, const Known& known) {
    walk.rollout.rewards.push_back(static_cast<float>(known.reward));
    walk.last = known;
  }

  /// The first walk has all its rewards. Learns when there are walks enough.
  void end_first_walk() {
    Walk& walk = walks_.front();
    describe(walk);
    recent_.push_back(walk.last);
    if (recent_.size() > kWindow) recent_.pop_front();
    pending_.push_back(std::move(walk.rollout));
    walks_.pop_front();
    ++episodes_;
    if (pending_.size() < static_cast<std::size_t>(options_.episodes_per_update)) return;
    const Ppo::Statistics statistics = agent_.update(pending_);
    pending_.clear();
    return_to_ = best_;
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

  void describe(const Walk& walk) {
    json all = json::array();
    double entropy = 0.0;
    for (int step = 0; step < environment_.steps(); ++step) {
      const std::vector<double>& p = walk.probabilities[static_cast<std::size_t>(step)];
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

  /// A walk of a checkpoint is at its end and waits for its last reward; with ScoreAt::kStep it is
  /// the only one, has its last reward, and goes on.
  void check(const Walk& walk) const {
    const auto done = static_cast<std::size_t>(walk.step);
    const bool ends = options_.evaluate == ScoreAt::kEnd;
    const std::size_t rewards = ends ? done - 1 : done;
    if (ends != (walk.step == environment_.steps()) || (!ends && walks_.size() > 1) ||
        walk.policy.size() != environment_.start().size() || walk.step < 1 ||
        walk.step > environment_.steps() || walk.rollout.steps() != done ||
        walk.rollout.rewards.size() != rewards || walk.probabilities.size() != done ||
        walk.memory.hidden.size() != agent_.blank().hidden.size() ||
        walk.memory.cell.size() != agent_.blank().cell.size() ||
        walk.given >= static_cast<int>(uniform_.size()) ||
        (!walk.target.empty() && walk.target.size() != environment_.start().size())) {
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
  /// Those that wait for the score of their end; with ScoreAt::kStep the one that is under way.
  std::deque<Walk> walks_;
  std::vector<Rollout> pending_;  ///< walks that the next update learns from
  std::map<std::vector<int>, Known> memory_;
  Policy best_;  ///< so far; empty before the first, and where no walk returns to it
  double best_standing_ = 0.0;
  /// The best one when the agent last learnt: walks that are scored side by side know no other.
  Policy return_to_;
  std::deque<Known> recent_;     ///< ends of the last walks
  json last_update_;             ///< null before the first
  json ended_ = json::object();  ///< what the next line tells of the last walk that ended
  int episodes_ = 0;             ///< walks that are over
  int updates_ = 0;
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
