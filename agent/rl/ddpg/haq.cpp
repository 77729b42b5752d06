#include "agent/rl/ddpg/haq.h"

#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "agent/rl/ddpg/replay.h"
#include "agent/rl/ddpg/truncated_normal.h"
#include "host/base/error.h"

namespace bittern {
namespace {

using nlohmann::json;

json number_or_null(double value, bool there) { return there ? json(value) : json(nullptr); }

class Haq : public Method {
 public:
  Haq(const HaqOptions& options, const MethodContext& context)
      : options_(options),
        environment_(context.network, context.space),
        explore_(Rng(context.seed).split(2)),
        draw_(Rng(context.seed).split(3)),
        agent_(make_agent(options, context.seed)),
        replay_(static_cast<std::size_t>(options.replay_episodes) * environment_.steps()) {}

  std::vector<Proposal> ask(int) override {
    const SingleThread single;
    asked_ = {};
    if (!warmup()) {
      asked_.sigma =
          options_.noise * std::pow(options_.noise_decay, episode_ - options_.warmup_episodes);
    }
    int previous = 0;
    for (int step = 0; step < environment_.steps(); ++step) {
      const double action =
          asked_.sigma ? truncated_normal(explore_, agent_.act(environment_.state(step, previous)),
                                          *asked_.sigma, 0.0, 1.0)
                       : explore_.uniform();
      previous = environment_.bits(step, action);
      asked_.actions.push_back(action);
      asked_.decisions.push_back(previous);
    }
    return {{environment_.policy(asked_.decisions)}};
  }

  std::vector<json> tell(const std::vector<Outcome>& outcomes) override {
    const Outcome& outcome = outcomes.front();
    remember(outcome.policy, outcome.reward);
    const std::optional<Ddpg::Losses> losses = learn();
    json line = {{"warmup", warmup()},
                 {"sigma", number_or_null(asked_.sigma.value_or(0.0), asked_.sigma.has_value())},
                 {"critic_loss", number_or_null(losses ? losses->critic : 0.0, losses.has_value())},
                 {"actor_loss", number_or_null(losses ? losses->actor : 0.0, losses.has_value())},
                 {"baseline", agent_.baseline()}};
    ++episode_;
    return {std::move(line)};
  }

  void save(Checkpoint& checkpoint) const override {
    checkpoint.state["explore"] = explore_.save();
    checkpoint.state["draw"] = draw_.save();
    agent_.save(checkpoint);
    checkpoint.arrays["replay"] = replay_.save();
  }

  void load(const Checkpoint& checkpoint) override {
    // One proposal an episode: the driver's count is the agent's.
    episode_ = checkpoint.state.at("episode").get<int>();
    explore_ = Rng::restore(checkpoint.state.at("explore").get<std::string>());
    draw_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
    agent_.load(checkpoint);
    const auto memory = checkpoint.arrays.find("replay");
    if (memory == checkpoint.arrays.end()) fail("checkpoint: the replay memory is missing");
    replay_.load(memory->second);
  }

 private:
  /// What the agent asked for in one episode.
  struct Asked {
    std::vector<double> actions;
    std::vector<int> decisions;
    std::optional<double> sigma;  ///< none in warm-up
  };

  static Ddpg make_agent(const HaqOptions& options, std::uint64_t seed) {
    const SingleThread single;
    Rng rng = Rng(seed).split(1);
    return Ddpg(options.agent, rng);
  }

  bool warmup() const { return episode_ < options_.warmup_episodes; }

  void remember(const Policy& policy, double reward) {
    const bool post = options_.store == StoredAction::kPostWall;
    const std::vector<int> run = post ? environment_.decisions(policy) : asked_.decisions;
    for (int step = 0; step < environment_.steps(); ++step) {
      Transition transition;
      transition.state = environment_.state(step, step == 0 ? 0 : run[step - 1]);
      transition.action = static_cast<float>(run[step] == asked_.decisions[step]
                                                 ? asked_.actions[step]
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

  const HaqOptions options_;
  Environment environment_;
  Rng explore_;  ///< actions
  Rng draw_;     ///< minibatches
  Ddpg agent_;
  Replay replay_;
  Batch batch_;
  Asked asked_;
  int episode_ = 0;  ///< next one
};

void check(bool good, const char* name, double value, const char* expected) {
  if (!good) fail_usage("search: {} is {}; expected {}", name, value, expected);
}

int read_int(const YamlMap& map, const char* key, int low, int high, int fallback) {
  return static_cast<int>(map.integer(key, low, high, fallback));
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
}

json to_json(const HaqOptions& options) {
  const DdpgOptions& agent = options.agent;
  return {{"hidden1", agent.hidden1},
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
          {"store", stored_action_name(options.store)}};
}

ConfiguredMethod configure_haq(const HaqOptions& options) {
  validate(options);
  ConfiguredMethod method;
  method.name = "haq";
  method.reinforcement = true;
  method.fingerprint = to_json(options);
  method.key = {{"replay", stored_action_name(options.store)},
                {"hidden", {options.agent.hidden1, options.agent.hidden2}},
                {"warmup", options.warmup_episodes},
                {"actor_rate", options.agent.actor_rate},
                {"critic_rate", options.agent.critic_rate},
                {"noise", options.noise},
                {"noise_decay", options.noise_decay},
                {"batch", options.agent.batch}};
  method.make = [options](const MethodContext& context) -> std::unique_ptr<Method> {
    return std::make_unique<Haq>(options, context);
  };
  method.doubts = [warmup = options.warmup_episodes](int episodes) {
    std::vector<std::string> doubts;
    if (warmup >= episodes) {
      doubts.push_back(
          fmt::format("search.warmup ({}) is not below search.episodes ({}): every policy is drawn "
                      "at random, the agent learns nothing",
                      warmup, episodes));
    }
    return doubts;
  };
  return method;
}

MethodKind haq_method() {
  MethodKind kind;
  kind.name = "haq";
  kind.description = "DDPG of HAQ (Wang et al., CVPR 2019)";
  kind.keys = {"replay",      "hidden", "warmup",      "actor_rate",
               "critic_rate", "noise",  "noise_decay", "batch"};
  kind.configure = [](const YamlMap& map) {
    HaqOptions out;
    out.store =
        parse_stored_action(map.choice("replay", {"pre", "post"}, stored_action_name(out.store)));
    if (const auto hidden = map.find("hidden")) {
      const auto sizes = hidden->integers(1, 4096, 2, 2);
      out.agent.hidden1 = static_cast<int>(sizes[0]);
      out.agent.hidden2 = static_cast<int>(sizes[1]);
    }
    out.warmup_episodes = read_int(map, "warmup", 0, 1'000'000, out.warmup_episodes);
    out.agent.actor_rate = map.real("actor_rate", 1e-12, 1, out.agent.actor_rate);
    out.agent.critic_rate = map.real("critic_rate", 1e-12, 1, out.agent.critic_rate);
    out.noise = map.real("noise", 0, 10, out.noise);
    out.noise_decay = map.real("noise_decay", 1e-6, 1, out.noise_decay);
    out.agent.batch = read_int(map, "batch", 1, 65536, out.agent.batch);
    return configure_haq(out);
  };
  return kind;
}

}  // namespace bittern
