#include "agent/rl/ppo/options.h"

#include "host/base/error.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

using nlohmann::json;

std::vector<int> read_sizes(const YamlMap& map, const char* key, const std::vector<int>& fallback) {
  const auto node = map.find(key);
  if (!node) return fallback;
  const std::vector<std::int64_t> sizes = node->integers(1, 4096, 0, 8);
  return {sizes.begin(), sizes.end()};
}

const char* actions_name(BitActions actions) {
  return actions == BitActions::kAbsolute ? "absolute" : "relative";
}

ReleqOptions paper() {
  ReleqOptions out;
  out.agent.adam.rate = 1e-4;
  out.agent.adam.epsilon = 1e-5;
  out.agent.gamma = 0.9;
  out.agent.lambda = 0.99;
  out.agent.clip = 0.1;
  out.agent.epochs = 3;
  out.agent.value_weight = 1.0;
  out.agent.entropy_weight = 0.01;
  out.agent.temperature = 0.5;
  out.agent.normalise_advantages = false;
  out.agent.max_gradient = 0.0;
  out.environment.quantization = QuantizationState::kMaccMem;
  out.environment.one_hot = false;
  out.evaluate = ScoreAt::kStep;
  out.episodes_per_update = 1;
  out.redraw = 0;
  return out;
}

}  // namespace

const char* score_at_name(ScoreAt when) { return when == ScoreAt::kEnd ? "end" : "step"; }

std::vector<std::string> releq_presets() { return {"default", "paper"}; }

ReleqOptions releq_preset(const std::string& name) {
  if (name == "default") return {};
  if (name == "paper") return paper();
  fail_usage("search: preset \"{}\": expected default or paper", name);
}

void validate(const ReleqOptions& options) {
  validate(options.agent);
  validate(options.reward);
  check_setting(options.environment.passes >= 0 && options.environment.passes <= 100, "passes",
                options.environment.passes, "0..100");
  check_setting(options.episodes_per_update >= 1 && options.episodes_per_update <= 10000,
                "episodes_per_update", options.episodes_per_update, "1..10000");
  check_setting(options.redraw >= 0 && options.redraw <= 1'000'000, "redraw", options.redraw,
                "0..1000000");
  check_setting(options.revisit >= 0.0 && options.revisit <= 1.0, "revisit", options.revisit,
                "0..1");
  if (options.wall_actions && options.evaluate == ScoreAt::kStep) {
    fail_usage(
        "search: wall_actions with evaluate: step: the wall would take bits from layers that are "
        "still to be decided about; use evaluate: end");
  }
}

json to_json(const ReleqOptions& options) {
  const PpoOptions& agent = options.agent;
  json keys = {{"lstm", agent.lstm},
               {"hidden", agent.hidden},
               {"policy_layers", agent.policy},
               {"value_layers", agent.value},
               {"rate", agent.adam.rate},
               {"beta1", agent.adam.beta1},
               {"beta2", agent.adam.beta2},
               {"adam_epsilon", agent.adam.epsilon},
               {"gamma", agent.gamma},
               {"gae", agent.lambda},
               {"clip", agent.clip},
               {"epochs", agent.epochs},
               {"value_weight", agent.value_weight},
               {"entropy", agent.entropy_weight},
               {"temperature", agent.temperature},
               {"normalise_advantages", agent.normalise_advantages},
               {"max_gradient", agent.max_gradient},
               {"actions", actions_name(options.environment.actions)},
               {"passes", options.environment.passes},
               {"one_hot", options.environment.one_hot},
               {"state_quantization", quantization_state_name(options.environment.quantization)},
               {"hw_cost", options.environment.energy ? "energy" : "cycles"},
               {"reward_shape", static_cast<int>(options.reward.shape)},
               {"reward_a", options.reward.a},
               {"reward_b", options.reward.b},
               {"threshold", options.reward.threshold},
               {"evaluate", score_at_name(options.evaluate)},
               {"episodes_per_update", options.episodes_per_update},
               {"redraw", options.redraw},
               {"wall_actions", options.wall_actions}};
  // Came later: what was begun without it goes on.
  if (options.uniform_first) keys["uniform_first"] = true;
  if (options.revisit > 0.0) keys["revisit"] = options.revisit;
  return keys;
}

std::vector<std::string> releq_keys() {
  return {"preset",
          "reward",
          "reward_a",
          "reward_b",
          "threshold",
          "actions",
          "passes",
          "one_hot",
          "state_quantization",
          "hw_cost",
          "evaluate",
          "wall_actions",
          "episodes_per_update",
          "redraw",
          "uniform_first",
          "revisit",
          "lstm",
          "hidden",
          "policy_layers",
          "value_layers",
          "rate",
          "adam_epsilon",
          "gamma",
          "gae",
          "clip",
          "epochs",
          "entropy",
          "value_weight",
          "temperature",
          "max_gradient",
          "normalise_advantages"};
}

ReleqOptions read_releq(const YamlMap& map) {
  const std::string preset = map.choice("preset", releq_presets(), "default");
  ReleqOptions out = releq_preset(preset);
  out.wall_actions = map.boolean("wall_actions", out.wall_actions);
  if (out.wall_actions && preset == "default") {
    out.reward = reward_of("search");
    out.uniform_first = true;
    out.revisit = 1.0;
  }
  if (map.has("reward")) out.reward = reward_of(map.choice("reward", reward_names()));
  out.reward.a = map.real("reward_a", 1e-6, 100, out.reward.a);
  out.reward.b = map.real("reward_b", 0, 100, out.reward.b);
  out.reward.threshold = map.real("threshold", 0, 1, out.reward.threshold);
  ReleqEnvironmentOptions& environment = out.environment;
  environment.actions = map.choice("actions", {"absolute", "relative"},
                                   actions_name(environment.actions)) == "absolute"
                            ? BitActions::kAbsolute
                            : BitActions::kRelative;
  environment.passes = read_int(map, "passes", 0, 100, environment.passes);
  environment.one_hot = map.boolean("one_hot", environment.one_hot);
  const std::string quantization = map.choice("state_quantization", {"mean", "maccmem", "hw"},
                                              quantization_state_name(environment.quantization));
  environment.quantization = quantization == "mean"      ? QuantizationState::kMean
                             : quantization == "maccmem" ? QuantizationState::kMaccMem
                                                         : QuantizationState::kHardware;
  environment.energy = map.choice("hw_cost", {"cycles", "energy"},
                                  environment.energy ? "energy" : "cycles") == "energy";
  out.evaluate = map.choice("evaluate", {"end", "step"}, score_at_name(out.evaluate)) == "end"
                     ? ScoreAt::kEnd
                     : ScoreAt::kStep;
  out.episodes_per_update = read_int(map, "episodes_per_update", 1, 10000, out.episodes_per_update);
  out.redraw = read_int(map, "redraw", 0, 1'000'000, out.redraw);
  out.uniform_first = map.boolean("uniform_first", out.uniform_first);
  out.revisit = map.real("revisit", 0, 1, out.revisit);
  PpoOptions& agent = out.agent;
  agent.lstm = map.boolean("lstm", agent.lstm);
  agent.hidden = read_int(map, "hidden", 1, 4096, agent.hidden);
  agent.policy = read_sizes(map, "policy_layers", agent.policy);
  agent.value = read_sizes(map, "value_layers", agent.value);
  agent.adam.rate = map.real("rate", 1e-12, 1, agent.adam.rate);
  agent.adam.epsilon = map.real("adam_epsilon", 1e-12, 0.5, agent.adam.epsilon);
  agent.gamma = map.real("gamma", 0, 1, agent.gamma);
  agent.lambda = map.real("gae", 0, 1, agent.lambda);
  agent.clip = map.real("clip", 1e-6, 0.999, agent.clip);
  agent.epochs = read_int(map, "epochs", 1, 1000, agent.epochs);
  agent.entropy_weight = map.real("entropy", 0, 1000, agent.entropy_weight);
  agent.value_weight = map.real("value_weight", 0, 1000, agent.value_weight);
  agent.temperature = map.real("temperature", 1e-6, 1000, agent.temperature);
  agent.max_gradient = map.real("max_gradient", 0, 1e9, agent.max_gradient);
  agent.normalise_advantages = map.boolean("normalise_advantages", agent.normalise_advantages);
  return out;
}

}  // namespace bittern
