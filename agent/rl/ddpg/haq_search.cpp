#include "agent/rl/ddpg/haq_search.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "agent/rl/ddpg/replay.h"
#include "agent/rl/ddpg/truncated_normal.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json_text.h"
#include "host/search/checkpoint.h"
#include "host/search/cost_table.h"
#include "host/search/ranking.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Goes into the fingerprint; to be raised whenever the same settings would give another
/// trajectory.
constexpr int kVersion = 1;

class Stopwatch {
 public:
  /// Seconds since construction or the last call.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string network_hash(const Network& network) {
  Sha256 hash;
  for (const Layer& layer : network.layers) hash.update_field(layer.name).update_field(layer.key());
  return hash.hex();
}

json constraints_json(const std::vector<Constraint>& constraints) {
  json result = json::array();
  for (const Constraint& constraint : constraints) {
    result.push_back({{"resource", resource_name(constraint.resource)},
                      {constraint.is_ratio ? "ratio" : "limit", constraint.limit}});
  }
  return result;
}

const SearchContext& checked(const SearchContext& context) {
  if (context.network == nullptr || context.cost == nullptr || context.evaluator == nullptr) {
    fail("search: network, cost model and evaluator are all needed");
  }
  if (context.budget < 1) fail_usage("search: {} episodes; expected at least 1", context.budget);
  return context;
}

json number_or_null(double value, bool there) { return there ? json(value) : json(nullptr); }

/// One search from its start, or from a checkpoint, to its end.
class HaqRun {
 public:
  HaqRun(const HaqOptions& options, const SearchContext& context)
      : options_(options),
        context_(checked(context)),
        space_(options.bits, *context.network),
        table_(*context.cost, space_),
        wall_(table_, space_, context.constraints, options.wall),
        environment_(*context.network, space_),
        baseline_accuracy_(context.evaluator->baseline().top1),
        explore_(Rng(context.seed).split(2)),
        draw_(Rng(context.seed).split(3)),
        agent_(make_agent()),
        replay_(static_cast<std::size_t>(options.replay_episodes) * environment_.steps()),
        ranking_(static_cast<std::size_t>(options.keep_best),
                 context.constraints.empty() ? Resource::kLatency
                                             : context.constraints.front().resource) {
    if (!std::isfinite(baseline_accuracy_)) {
      fail("evaluator: the full-precision accuracy is {}", baseline_accuracy_);
    }
    fingerprint_ = {
        {"method", "haq"},
        {"version", kVersion},
        {"network", {{"name", context.network->name}, {"layers", network_hash(*context.network)}}},
        {"cost_model", context.cost->fingerprint()},
        {"evaluator", context.evaluator->fingerprint()},
        {"constraints", constraints_json(context.constraints)},
        {"seed", context.seed},
        {"options", to_json(options)}};
  }

  SearchResult run() {
    if (context_.resume && !context_.checkpoint.empty() &&
        std::filesystem::exists(context_.checkpoint)) {
      const json lines = load();
      if (context_.on_resume) context_.on_resume(episode_, lines);
    }
    SearchResult result;
    int saved = episode_;
    while (episode_ < context_.budget) {
      if (context_.stop != nullptr && context_.stop->load()) {
        result.stopped = true;
        break;
      }
      const json line = run_episode();
      ++episode_;
      if (context_.on_episode) context_.on_episode(line);
      if (episode_ - saved >= options_.checkpoint_every) {
        save();
        saved = episode_;
      }
    }
    if (saved != episode_) save();
    result.ranked = ranking_.best();
    result.episodes = episode_;
    return result;
  }

 private:
  /// What the agent asked for in one episode.
  struct Asked {
    std::vector<double> actions;
    std::vector<int> decisions;
    std::optional<double> sigma;  ///< none in warm-up
  };

  Ddpg make_agent() const {
    const SingleThread single;
    Rng rng = Rng(context_.seed).split(1);
    return Ddpg(options_.agent, rng);
  }

  bool warmup() const { return episode_ < options_.warmup_episodes; }

  Asked ask() {
    const SingleThread single;
    Asked asked;
    if (!warmup()) {
      asked.sigma =
          options_.noise * std::pow(options_.noise_decay, episode_ - options_.warmup_episodes);
    }
    int previous = 0;
    for (int step = 0; step < environment_.steps(); ++step) {
      const double action =
          asked.sigma ? truncated_normal(explore_, agent_.act(environment_.state(step, previous)),
                                         *asked.sigma, 0.0, 1.0)
                      : explore_.uniform();
      previous = environment_.bits(step, action);
      asked.actions.push_back(action);
      asked.decisions.push_back(previous);
    }
    return asked;
  }

  void remember(const Asked& asked, const Policy& policy, double reward) {
    const bool post = options_.store == StoredAction::kPostWall;
    const std::vector<int> run = post ? environment_.decisions(policy) : asked.decisions;
    for (int step = 0; step < environment_.steps(); ++step) {
      Transition transition;
      transition.state = environment_.state(step, step == 0 ? 0 : run[step - 1]);
      transition.action = static_cast<float>(run[step] == asked.decisions[step]
                                                 ? asked.actions[step]
                                                 : environment_.action(step, run[step]));
      // Every step of an episode gets the reward of its end.
      transition.reward = static_cast<float>(reward);
      transition.done = step + 1 == environment_.steps();
      if (!transition.done) transition.next = environment_.state(step + 1, run[step]);
      replay_.push(transition);
    }
  }

  /// Mean losses, none during warm-up.
  std::optional<Ddpg::Losses> learn() {
    if (warmup()) return std::nullopt;
    const SingleThread single;
    const int updates = environment_.steps() * options_.updates_per_transition;
    Ddpg::Losses mean;
    for (int i = 0; i < updates; ++i) {
      replay_.sample(draw_, static_cast<std::size_t>(options_.agent.batch), batch_);
      const Ddpg::Losses losses = agent_.update(batch_);
      mean.critic += losses.critic / updates;
      mean.actor += losses.actor / updates;
    }
    if (!std::isfinite(mean.critic) || !std::isfinite(mean.actor)) {
      fail(
          "agent: its losses are not numbers in episode {}: it has diverged; lower its learning "
          "rates",
          episode_);
    }
    return mean;
  }

  json run_episode() {
    Stopwatch watch;
    json time;
    const Asked asked = ask();
    time["act"] = watch.lap();
    const WallResult walled = wall_.apply(environment_.policy(asked.decisions));
    time["wall"] = watch.lap();

    Candidate candidate;
    candidate.policy = walled.policy;
    candidate.cost = table_.total(walled.policy);
    candidate.episode = episode_;
    candidate.accuracy = context_.evaluator->evaluate(walled.policy);
    time["evaluate"] = watch.lap();
    const double top1 = candidate.accuracy.top1;
    if (!(top1 >= 0.0 && top1 <= 100.0)) {
      fail("evaluator: an accuracy of {} in episode {}; expected 0..100 percent", top1, episode_);
    }
    candidate.reward = policy_reward(top1, baseline_accuracy_, options_.reward);
    candidate.meets_floor =
        !options_.reward.accuracy_floor || top1 >= *options_.reward.accuracy_floor;
    ranking_.add(candidate);

    remember(asked, walled.policy, candidate.reward);
    const std::optional<Ddpg::Losses> losses = learn();
    time["learn"] = watch.lap();

    json ratio;
    for (const Resource resource : {Resource::kLatency, Resource::kEnergy, Resource::kModelSize}) {
      const double reference = resource_value(table_.reference(), resource);
      ratio[resource_name(resource)] =
          number_or_null(resource_value(candidate.cost, resource) / reference, reference > 0.0);
    }
    return {{"episode", episode_},
            {"warmup", warmup()},
            {"asked", policy_json(environment_.policy(asked.decisions))},
            {"policy", policy_json(walled.policy)},
            {"wall_steps", walled.steps},
            {"wall_reserve", walled.reserve},
            {"accuracy", top1},
            {"loss", json_number(candidate.accuracy.loss)},
            {"reward", candidate.reward},
            {"best_reward", ranking_.best().front().reward},
            {"cost", cost_json(candidate.cost)},
            {"ratio", ratio},
            {"sigma", number_or_null(asked.sigma.value_or(0.0), asked.sigma.has_value())},
            {"critic_loss", number_or_null(losses ? losses->critic : 0.0, losses.has_value())},
            {"actor_loss", number_or_null(losses ? losses->actor : 0.0, losses.has_value())},
            {"baseline", agent_.baseline()},
            {"time", time}};
  }

  void save() const {
    if (context_.checkpoint.empty()) return;
    Checkpoint checkpoint;
    checkpoint.state = {{"fingerprint", fingerprint_},
                        {"episode", episode_},
                        {"explore", explore_.save()},
                        {"draw", draw_.save()},
                        {"best", ranking_.save()},
                        {"lines", context_.lines_state ? context_.lines_state() : json(nullptr)}};
    agent_.save(checkpoint);
    checkpoint.arrays["replay"] = replay_.save();
    write_checkpoint(context_.checkpoint, checkpoint);
  }

  /// Returns what the checkpoint knows of the lines.
  json load() {
    const Checkpoint checkpoint = read_checkpoint(context_.checkpoint);
    try {
      require_same_fingerprint(checkpoint.state.at("fingerprint"), fingerprint_,
                               context_.checkpoint);
      episode_ = checkpoint.state.at("episode").get<int>();
      explore_ = Rng::restore(checkpoint.state.at("explore").get<std::string>());
      draw_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
      ranking_.load(checkpoint.state.at("best"));
    } catch (const json::exception& error) {
      fail("{}: damaged checkpoint: {}", context_.checkpoint.string(), error.what());
    }
    agent_.load(checkpoint);
    const auto memory = checkpoint.arrays.find("replay");
    if (memory == checkpoint.arrays.end()) {
      fail("{}: damaged checkpoint: the replay memory is missing", context_.checkpoint.string());
    }
    replay_.load(memory->second);
    return checkpoint.state.value("lines", json(nullptr));
  }

  const HaqOptions& options_;
  const SearchContext& context_;
  BitSpace space_;
  CostTable table_;
  Wall wall_;
  Environment environment_;
  double baseline_accuracy_;
  Rng explore_;  ///< actions
  Rng draw_;     ///< minibatches
  Ddpg agent_;
  Replay replay_;
  Ranking ranking_;
  Batch batch_;
  json fingerprint_;
  int episode_ = 0;  ///< next one
};

void check(bool good, const char* name, double value, const char* expected) {
  if (!good) fail_usage("search: {} is {}; expected {}", name, value, expected);
}

}  // namespace

const char* stored_action_name(StoredAction stored) {
  return stored == StoredAction::kPostWall ? "post" : "pre";
}

StoredAction parse_stored_action(const std::string& name) {
  for (const StoredAction stored : {StoredAction::kPostWall, StoredAction::kPreWall}) {
    if (name == stored_action_name(stored)) return stored;
  }
  fail_usage("search: replay \"{}\": expected post or pre", name);
}

void validate(const HaqOptions& options) {
  validate(options.agent);
  check(options.warmup_episodes >= 0, "warmup_episodes", options.warmup_episodes, "at least 0");
  check(options.noise >= 0 && options.noise <= 10, "noise", options.noise, "0..10");
  check(options.noise_decay > 0 && options.noise_decay <= 1, "noise_decay", options.noise_decay,
        "above 0, at most 1");
  check(options.replay_episodes >= 1 && options.replay_episodes <= 100000, "replay_episodes",
        options.replay_episodes, "1..100000");
  check(options.updates_per_transition >= 0 && options.updates_per_transition <= 1000,
        "updates_per_transition", options.updates_per_transition, "0..1000");
  check(options.keep_best >= 1 && options.keep_best <= 10000, "keep_best", options.keep_best,
        "1..10000");
  check(options.checkpoint_every >= 1, "checkpoint_every", options.checkpoint_every, "at least 1");
  check(std::isfinite(options.reward.scale) && options.reward.scale > 0, "reward scale",
        options.reward.scale, "above 0");
  check(std::isfinite(options.reward.floor_penalty) && options.reward.floor_penalty >= 0,
        "floor_penalty", options.reward.floor_penalty, "at least 0");
  if (options.reward.accuracy_floor) {
    const double floor = *options.reward.accuracy_floor;
    check(floor >= 0 && floor <= 100, "accuracy_floor", floor, "0..100 percent");
  }
}

json to_json(const HaqOptions& options) {
  const DdpgOptions& agent = options.agent;
  return {{"mode", bit_mode_name(options.bits.mode)},
          {"weight_bits", options.bits.weight_bits},
          {"activation_bits", options.bits.activation_bits},
          {"fixed", {options.bits.fixed.weight, options.bits.fixed.activation}},
          {"pin_first_last", options.bits.pin_first_last},
          {"pinned", {options.bits.pinned.weight, options.bits.pinned.activation}},
          {"wall", wall_mode_name(options.wall.mode)},
          {"wall_epsilon", options.wall.epsilon},
          {"reward_scale", options.reward.scale},
          {"accuracy_floor", number_or_null(options.reward.accuracy_floor.value_or(0.0),
                                            options.reward.accuracy_floor.has_value())},
          {"floor_penalty", options.reward.floor_penalty},
          {"hidden1", agent.hidden1},
          {"hidden2", agent.hidden2},
          {"actor_rate", agent.actor_rate},
          {"critic_rate", agent.critic_rate},
          {"beta1", agent.beta1},
          {"beta2", agent.beta2},
          {"adam_epsilon", agent.adam_epsilon},
          {"gamma", agent.gamma},
          {"tau", agent.tau},
          {"batch", agent.batch},
          {"baseline_alpha", agent.baseline_alpha},
          {"init_w", agent.init_w},
          {"warmup_episodes", options.warmup_episodes},
          {"noise", options.noise},
          {"noise_decay", options.noise_decay},
          {"replay_episodes", options.replay_episodes},
          {"updates_per_transition", options.updates_per_transition},
          {"store", stored_action_name(options.store)},
          {"keep_best", options.keep_best}};
}

HaqSearch::HaqSearch(HaqOptions options) : options_(std::move(options)) { validate(options_); }

SearchResult HaqSearch::run(const SearchContext& context) {
  return HaqRun(options_, context).run();
}

}  // namespace bittern
