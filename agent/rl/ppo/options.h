#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/rl/ppo/environment.h"
#include "agent/rl/ppo/ppo.h"
#include "agent/rl/ppo/reward.h"
#include "host/base/yaml.h"

namespace bittern {

/// When a policy is scored (arXiv 1811.01704, section 3).
enum class ScoreAt {
  kEnd,   ///< once an episode, when all bits are chosen (the paper: deep networks)
  kStep,  ///< after every decision, all later layers still at most bits
};

/// "end" or "step".
const char* score_at_name(ScoreAt when);

/// ReLeQ's own settings; those that every search has are SearchOptions. The defaults are what
/// docs/search.md measures; releq_preset("paper") has the paper's.
struct ReleqOptions {
  PpoOptions agent;
  ReleqEnvironmentOptions environment;
  ReleqReward reward;
  ScoreAt evaluate = ScoreAt::kEnd;
  int episodes_per_update = 4;  ///< that the agent learns from at once
  /// Most walks in a row that are given up because all their policies were scored before. The
  /// walk after that is drawn from flatter distributions, a little flatter each time. They cost no
  /// episode of the budget. 0: everything is asked for, known or not.
  int redraw = 50;
  /// The first walks are not the agent's own: they lead to uniform_policies(), and the agent learns
  /// from them as if it had drawn their actions.
  bool uniform_first = false;
  /// Share of the walks after one that was given up which lead to the best policy so far, but for a
  /// few decisions that are the agent's ("first return, then explore", Ecoffet et al., Nature
  /// 2021). The agent learns from them as if it had drawn all their actions.
  double revisit = 0.0;
  /// The constraint wall rewrites what the agent chose. With it the cost is settled: read_releq()
  /// takes the reward "search" then, has uniform bits first and revisits, unless the file says
  /// otherwise.
  bool wall_actions = false;
};

/// "default" and "paper".
std::vector<std::string> releq_presets();

/// The settings of that name. Throws Error listing the names.
///
/// "paper" is ReLeQ as printed: scored after every decision, an update after every episode, state
/// of quantisation by MACs and memory, Adam 1e-4, lambda 0.99, 3 epochs, clip 0.1; and where the
/// paper is silent its published code: gamma 0.9, Adam's epsilon 1e-5, weights of value and entropy
/// 1 and 0.01, a temperature of 0.5.
ReleqOptions releq_preset(const std::string& name);

/// Throws Error (exit status 2) naming the first option that is out of range, or two that exclude
/// each other.
void validate(const ReleqOptions& options);

/// All options that change a trajectory: part of the fingerprint, and fit for a report.
nlohmann::json to_json(const ReleqOptions& options);

/// The keys that read_releq() knows.
std::vector<std::string> releq_keys();

/// Reads the keys of a campaign's `search:` (docs/search.md). Throws Error naming file, line and
/// key.
ReleqOptions read_releq(const YamlMap& map);

}  // namespace bittern
