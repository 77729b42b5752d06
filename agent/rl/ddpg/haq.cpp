#include "agent/rl/ddpg/haq.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "agent/rl/ddpg/replay.h"
#include "agent/rl/ddpg/truncated_normal.h"
#include "agent/rl/policy_bits.h"
#include "agent/rl/standing.h"
#include "host/base/error.h"
#include "host/search/uniform_policies.h"

namespace bittern {
namespace {

using nlohmann::json;

json number_or_null(double value, bool there) { return there ? json(value) : json(nullptr); }

/// Place of a value among others (ascending, not empty), -1 to 1; equal values share their mean
/// place.
float rank_of(float value, const std::vector<float>& sorted) {
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
  const auto twice = (first - sorted.begin()) + (last - sorted.begin());
  return static_cast<float>(twice) / static_cast<float>(sorted.size()) - 1.0f;
}

/// By how much of the schedule's noise it grows with every draw that led to a known policy.
constexpr double kNoisier = 0.1;

/// Steps of an episode that begins from the best policy whose actions get noise, on average; so
/// many more with every draw that led to a known policy.
constexpr double kChanged = 3.0;

/// Most policies of warm-up that are proposed at once: every one more is a longer wait for news.
constexpr int kSideBySide = 8;

class Haq : public Method {
 public:
  Haq(const HaqOptions& options, const MethodContext& context)
      : options_(options),
        environment_(context.network, context.space),
        wall_(context.wall),
        explore_(Rng(context.seed).split(2)),
        draw_(Rng(context.seed).split(3)),
        uniform_(options.uniform_first ? uniform_policies(context.space) : std::vector<Policy>()),
        agent_(make_agent(options, context.seed)),
        replay_(static_cast<std::size_t>(options.replay_episodes) *
                transitions(options, environment_.steps())) {}

  /// Nothing is learnt in warm-up, so its policies can be scored side by side.
  int batch() const override { return std::clamp(warmup_episodes() - episode_, 1, kSideBySide); }
  bool takes_part() const override { return true; }

  std::vector<Proposal> ask(int n) override {
    const SingleThread single;
    while (asked_.size() < static_cast<std::size_t>(n)) asked_.push_back(next());
    std::vector<Proposal> proposals;
    for (int i = 0; i < n; ++i) {
      proposals.push_back({environment_.policy(asked_[static_cast<std::size_t>(i)].decisions)});
    }
    return proposals;
  }

  std::vector<json> tell(const std::vector<Outcome>& outcomes) override {
    std::vector<json> lines;
    for (const Outcome& outcome : outcomes) {
      const Asked asked = std::move(asked_.front());
      asked_.pop_front();
      remember(asked, outcome.policy, outcome.reward);
      note_best(outcome);
      if (options_.redraw > 0) known_.insert(bits_of(outcome.policy));
      const std::optional<Ddpg::Losses> losses = learn();
      lines.push_back(
          {{"warmup", warmup()},
           {"sigma", number_or_null(asked.sigma.value_or(0.0), asked.sigma.has_value())},
           {"redrawn", asked.redrawn},
           {"revisits", asked.revisits},
           {"critic_loss", number_or_null(losses ? losses->critic : 0.0, losses.has_value())},
           {"actor_loss", number_or_null(losses ? losses->actor : 0.0, losses.has_value())},
           {"baseline", agent_.baseline()}});
      ++episode_;
    }
    return lines;
  }

  /// Takes over networks and memory: rewards are of accuracies, which are the same on every machine
  /// and behind every limit. So are the policies: the best of those within the limits here is where
  /// this search returns to. There is nothing left to warm up.
  int learn_from(const Experience& other, const std::vector<Outcome>& outcomes) override {
    agent_.load(other.checkpoint);
    load_memory(other.checkpoint);
    for (const Outcome& outcome : outcomes) {
      if (outcome.meets_limits) note_best(outcome);
    }
    started_ = true;
    return options_.warmup_episodes;
  }

  void save(Checkpoint& checkpoint) const override {
    checkpoint.state["explore"] = explore_.save();
    checkpoint.state["draw"] = draw_.save();
    agent_.save(checkpoint);
    checkpoint.arrays["replay"] = replay_.save();
    if (started_) checkpoint.state["started"] = true;
    checkpoint.state["uniform"] = next_uniform_;
    if (options_.redraw > 0) checkpoint.state["known"] = known_;
    checkpoint.state["revisit"] = {best_, best_standing_};
    // All of them are of the warm-up, without noise: later there is never one that waits.
    for (const Asked& asked : asked_) {
      checkpoint.state["asked"].push_back({asked.actions, asked.decisions, asked.redrawn});
    }
  }

  void load(const Checkpoint& checkpoint) override {
    // One proposal an episode: the driver's count is the agent's.
    episode_ = checkpoint.state.at("episode").get<int>();
    explore_ = Rng::restore(checkpoint.state.at("explore").get<std::string>());
    draw_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
    agent_.load(checkpoint);
    load_memory(checkpoint);
    started_ = checkpoint.state.value("started", false);
    next_uniform_ = checkpoint.state.value("uniform", std::size_t{0});
    known_ = checkpoint.state.value("known", std::set<std::vector<int>>());
    if (const auto best = checkpoint.state.find("revisit"); best != checkpoint.state.end()) {
      best->at(0).get_to(best_);
      best->at(1).get_to(best_standing_);
      if (!best_.empty() && best_.size() != static_cast<std::size_t>(environment_.steps())) {
        fail("checkpoint: the best policy does not fit the network");
      }
    }
    asked_.clear();
    for (const json& entry : checkpoint.state.value("asked", json::array())) {
      Asked asked;
      entry.at(0).get_to(asked.actions);
      entry.at(1).get_to(asked.decisions);
      entry.at(2).get_to(asked.redrawn);
      const auto steps = static_cast<std::size_t>(environment_.steps());
      if (asked.actions.size() != steps || asked.decisions.size() != steps) {
        fail("checkpoint: the policies that were asked for do not fit the network");
      }
      asked.walled = behind_wall(asked.decisions);
      asked_.push_back(std::move(asked));
    }
  }

 private:
  /// What the agent asked for in one episode.
  struct Asked {
    std::vector<double> actions;
    std::vector<int> decisions;
    Policy walled;                ///< what the wall makes of them
    std::optional<double> sigma;  ///< none in warm-up, and for uniform bits
    int redrawn = 0;              ///< draws before it that led to known policies
    bool revisits = false;        ///< it began from the best policy
  };

  Asked next() {
    // Also those that the wall makes the same: that they earn the same is worth learning.
    if (next_uniform_ < uniform_.size()) return take(uniform_[next_uniform_++]);
    Asked chosen = draw_unknown();
    if (warmup() || options_.candidates == 1) return chosen;
    double highest = value(chosen);
    for (int i = 1; i < options_.candidates; ++i) {
      Asked other = draw_unknown();
      const double worth = value(other);
      if (worth <= highest) continue;
      highest = worth;
      chosen = std::move(other);
    }
    return chosen;
  }

  /// Actions that lead to a policy which was not scored, as long as such are found.
  Asked draw_unknown() {
    int redrawn = 0;
    Asked asked = draw(redrawn);
    while (redrawn < options_.redraw && is_known(asked)) asked = draw(++redrawn);
    return asked;
  }

  /// What the critic expects of what the wall makes of the actions.
  double value(const Asked& asked) const {
    const std::vector<int> run = environment_.decisions(asked.walled);
    std::vector<State> states;
    std::vector<float> actions;
    for (int step = 0; step < environment_.steps(); ++step) {
      states.push_back(environment_.state(step, step == 0 ? 0 : run[step - 1]));
      actions.push_back(static_cast<float>(environment_.action(step, run[step])));
    }
    return agent_.value(states, actions);
  }

  /// The actions that ask for these bits, without noise.
  Asked take(const Policy& policy) const {
    Asked asked;
    asked.decisions = environment_.decisions(policy);
    for (int step = 0; step < environment_.steps(); ++step) {
      asked.actions.push_back(environment_.action(step, asked.decisions[step]));
    }
    asked.walled = behind_wall(asked.decisions);
    return asked;
  }

  /// Actions of the agent, or those of the best policy, with noise; in warm-up noise alone.
  Asked draw(int redrawn) {
    Asked asked;
    asked.redrawn = redrawn;
    if (!warmup()) {
      const double scheduled =
          std::max(options_.noise_floor,
                   options_.noise * std::pow(options_.noise_decay, episode_ - warmup_episodes()));
      asked.sigma = scheduled * (1.0 + kNoisier * redrawn);
    }
    asked.revisits = asked.sigma && options_.revisit > 0.0 && !best_.empty() &&
                     explore_.uniform() < options_.revisit;
    const double changed = kChanged * (1.0 + redrawn) / environment_.steps();
    int previous = 0;
    for (int step = 0; step < environment_.steps(); ++step) {
      double action = 0.0;
      if (!asked.sigma) {
        action = explore_.uniform();
      } else {
        action = asked.revisits ? environment_.action(step, best_[static_cast<std::size_t>(step)])
                                : agent_.act(environment_.state(step, previous));
        if (!asked.revisits || explore_.uniform() < changed) {
          action = truncated_normal(explore_, action, *asked.sigma, 0.0, 1.0);
        }
      }
      previous = environment_.bits(step, action);
      asked.actions.push_back(action);
      asked.decisions.push_back(previous);
    }
    asked.walled = behind_wall(asked.decisions);
    return asked;
  }

  Policy behind_wall(const std::vector<int>& decisions) const {
    return wall_.apply(environment_.policy(decisions)).policy;
  }

  /// Whether what the wall makes of the actions was scored before, or is about to be.
  bool is_known(const Asked& asked) const {
    return known_.count(bits_of(asked.walled)) > 0 ||
           std::any_of(asked_.begin(), asked_.end(),
                       [&](const Asked& other) { return other.walled == asked.walled; });
  }

  /// Where the search returns to.
  void note_best(const Outcome& outcome) {
    const double its = standing(outcome, outcome.reward);
    if (!best_.empty() && its <= best_standing_) return;
    best_standing_ = its;
    best_ = environment_.decisions(outcome.policy);
  }

  void load_memory(const Checkpoint& checkpoint) {
    const auto memory = checkpoint.arrays.find("replay");
    if (memory == checkpoint.arrays.end()) fail("checkpoint: the replay memory is missing");
    replay_.load(memory->second);
  }

  static Ddpg make_agent(const HaqOptions& options, std::uint64_t seed) {
    const SingleThread single;
    Rng rng = Rng(seed).split(1);
    return Ddpg(options.agent, rng);
  }

  /// Episodes without learning; an agent that starts from another search needs none.
  int warmup_episodes() const { return started_ ? 0 : options_.warmup_episodes; }
  bool warmup() const { return episode_ < warmup_episodes(); }

  /// Transitions that an episode may leave in the memory.
  static std::size_t transitions(const HaqOptions& options, int steps) {
    return (options.store == StoredAction::kBoth ? 2 : 1) * static_cast<std::size_t>(steps);
  }

  void remember(const Asked& asked, const Policy& policy, double reward) {
    const std::vector<int> ran = environment_.decisions(policy);
    const StoredAction store = options_.store;
    if (store != StoredAction::kPreWall) push(asked, ran, reward);
    if (store == StoredAction::kPreWall ||
        (store == StoredAction::kBoth && ran != asked.decisions)) {
      push(asked, asked.decisions, reward);
    }
  }

  /// One walk over the layers with these decisions.
  void push(const Asked& asked, const std::vector<int>& run, double reward) {
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
    std::vector<float> sorted;
    if (options_.learnt == LearntReward::kRank) {
      sorted = replay_.rewards();
      std::sort(sorted.begin(), sorted.end());
    }
    Ddpg::Losses mean;
    for (int i = 0; i < updates; ++i) {
      replay_.sample(draw_, static_cast<std::size_t>(options_.agent.batch), batch_);
      if (!sorted.empty()) {
        for (float& value : batch_.rewards) value = rank_of(value, sorted);
      }
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
  const Wall& wall_;
  Rng explore_;                  ///< actions
  Rng draw_;                     ///< minibatches
  std::vector<Policy> uniform_;  ///< what the search begins with
  Ddpg agent_;
  Replay replay_;
  Batch batch_;
  std::deque<Asked> asked_;  ///< that no outcome was told of yet
  int episode_ = 0;          ///< next one
  std::size_t next_uniform_ = 0;
  std::set<std::vector<int>> known_;  ///< bits of the policies that were scored
  std::vector<int> best_;             ///< decisions of the best policy so far
  double best_standing_ = 0.0;
  bool started_ = false;  ///< from another search
};

}  // namespace

std::unique_ptr<Method> make_haq(const HaqOptions& options, const MethodContext& context) {
  return std::make_unique<Haq>(options, context);
}

}  // namespace bittern
