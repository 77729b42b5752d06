#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <utility>

#include "agent/rl/ddpg/haq.h"
#include "host/base/error.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

using nlohmann::json;

}  // namespace

const char* stored_action_name(StoredAction stored) {
  switch (stored) {
    case StoredAction::kPostWall:
      return "post";
    case StoredAction::kPreWall:
      return "pre";
    case StoredAction::kBoth:
      return "both";
  }
  return "unknown";
}

StoredAction parse_stored_action(const std::string& name) {
  for (const StoredAction stored :
       {StoredAction::kPostWall, StoredAction::kPreWall, StoredAction::kBoth}) {
    if (name == stored_action_name(stored)) return stored;
  }
  fail_usage("search: replay \"{}\": expected post, pre or both", name);
}

const char* learnt_reward_name(LearntReward reward) {
  return reward == LearntReward::kReward ? "reward" : "rank";
}

LearntReward parse_learnt_reward(const std::string& name) {
  for (const LearntReward reward : {LearntReward::kReward, LearntReward::kRank}) {
    if (name == learnt_reward_name(reward)) return reward;
  }
  fail_usage("search: learn_from \"{}\": expected reward or rank", name);
}

DdpgOptions unbootstrapped_agent() {
  DdpgOptions agent;
  agent.gamma = 0.0;
  agent.baseline_alpha = 0.0;
  return agent;
}

HaqOptions paper_haq() {
  HaqOptions options;
  options.agent = DdpgOptions();
  options.noise = 0.5;
  options.noise_decay = 0.99;
  options.noise_floor = 0.0;
  options.store = StoredAction::kPreWall;
  options.learnt = LearntReward::kReward;
  options.uniform_first = false;
  options.redraw = 0;
  options.revisit = 0.0;
  options.candidates = 1;
  return options;
}

void validate(const HaqOptions& options) {
  validate(options.agent);
  check_setting(options.warmup_episodes >= 0, "warmup_episodes", options.warmup_episodes,
                "at least 0");
  check_setting(options.noise >= 0 && options.noise <= 10, "noise", options.noise, "0..10");
  check_setting(options.noise_decay > 0 && options.noise_decay <= 1, "noise_decay",
                options.noise_decay, "above 0, at most 1");
  check_setting(options.noise_floor >= 0 && options.noise_floor <= 10, "noise_floor",
                options.noise_floor, "0..10");
  check_setting(options.redraw >= 0 && options.redraw <= 1'000'000, "redraw", options.redraw,
                "0..1000000");
  check_setting(options.revisit >= 0 && options.revisit <= 1, "revisit", options.revisit, "0..1");
  check_setting(options.candidates >= 1 && options.candidates <= 10'000, "candidates",
                options.candidates, "1..10000");
  check_setting(options.replay_episodes >= 1 && options.replay_episodes <= 100000,
                "replay_episodes", options.replay_episodes, "1..100000");
  check_setting(options.updates_per_transition >= 0 && options.updates_per_transition <= 1000,
                "updates_per_transition", options.updates_per_transition, "0..1000");
}

json to_json(const HaqOptions& options) {
  const DdpgOptions& agent = options.agent;
  json keys = {{"hidden1", agent.hidden1},
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
               {"noise_floor", options.noise_floor},
               {"replay_episodes", options.replay_episodes},
               {"updates_per_transition", options.updates_per_transition},
               {"store", stored_action_name(options.store)},
               {"learn_from", learnt_reward_name(options.learnt)}};
  if (options.uniform_first) keys["uniform_first"] = true;
  if (options.redraw > 0) keys["redraw"] = options.redraw;
  if (options.revisit > 0) keys["revisit"] = options.revisit;
  if (options.candidates > 1) keys["candidates"] = options.candidates;
  return keys;
}

ConfiguredMethod configure_haq(const HaqOptions& options) {
  validate(options);
  ConfiguredMethod method;
  method.name = "haq";
  method.reinforcement = true;
  method.starts_from = StartsFrom::kAgent;
  method.fingerprint = to_json(options);
  method.key = {{"replay", stored_action_name(options.store)},
                {"hidden", {options.agent.hidden1, options.agent.hidden2}},
                {"warmup", options.warmup_episodes},
                {"actor_rate", options.agent.actor_rate},
                {"critic_rate", options.agent.critic_rate},
                {"noise", options.noise},
                {"noise_decay", options.noise_decay},
                {"batch", options.agent.batch},
                {"noise_floor", options.noise_floor},
                {"replay_episodes", options.replay_episodes},
                {"learn_from", learnt_reward_name(options.learnt)},
                {"gamma", options.agent.gamma},
                {"baseline", options.agent.baseline_alpha}};
  // Came later: what was begun without it goes on.
  if (options.uniform_first) method.key["uniform_first"] = true;
  if (options.redraw > 0) method.key["redraw"] = options.redraw;
  if (options.revisit > 0) method.key["revisit"] = options.revisit;
  if (options.candidates > 1) method.key["candidates"] = options.candidates;
  method.make = [options](const MethodContext& context) { return make_haq(options, context); };
  method.doubts = [warmup = options.warmup_episodes](int episodes) {
    std::vector<std::string> doubts;
    if (warmup >= episodes) {
      doubts.push_back(
          fmt::format("search.warmup ({}) is not below search.episodes ({}): the agent learns "
                      "nothing, every policy is given or drawn at random",
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
  kind.keys = {"preset",          "replay",      "learn_from", "hidden",      "warmup",
               "actor_rate",      "critic_rate", "noise",      "noise_decay", "noise_floor",
               "replay_episodes", "gamma",       "baseline",   "batch",       "uniform_first",
               "redraw",          "revisit",     "candidates"};
  kind.configure = [](const YamlMap& map) {
    HaqOptions out = map.choice("preset", {"default", "paper"}, "default") == "paper"
                         ? paper_haq()
                         : HaqOptions();
    out.store = parse_stored_action(
        map.choice("replay", {"pre", "post", "both"}, stored_action_name(out.store)));
    out.learnt = parse_learnt_reward(
        map.choice("learn_from", {"reward", "rank"}, learnt_reward_name(out.learnt)));
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
    out.uniform_first = map.boolean("uniform_first", out.uniform_first);
    out.redraw = read_int(map, "redraw", 0, 1'000'000, out.redraw);
    out.revisit = map.real("revisit", 0, 1, out.revisit);
    out.candidates = read_int(map, "candidates", 1, 10'000, out.candidates);
    out.noise_floor = map.real("noise_floor", 0, 10, out.noise_floor);
    out.replay_episodes = read_int(map, "replay_episodes", 1, 100'000, out.replay_episodes);
    out.agent.gamma = map.real("gamma", 0, 1, out.agent.gamma);
    out.agent.baseline_alpha = map.real("baseline", 0, 1, out.agent.baseline_alpha);
    return configure_haq(out);
  };
  return kind;
}

}  // namespace bittern
