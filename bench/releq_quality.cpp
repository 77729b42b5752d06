// How close ReLeQ's PPO comes to the best policy of problems that can be gone through
// (tests/agent/rl/ppo/grids.h). Prints for every problem and state of quantisation: episodes until
// a policy within 5 % and within 1 % of the best reward was scored (seeds from 1 on, - where
// never), the share of the best reward that was found, and the mean reward of the last walks.
// Random policies, none twice, beside it.
//
//   releq_quality [EPISODES [SEEDS [key=value ...]]]       keys as in search: of a campaign
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <string>

#include "agent/rl/ppo/releq.h"
#include "host/search/driver.h"
#include "tests/agent/rl/ppo/grids.h"

namespace bittern {
namespace {

/// Random rewards without repetition: mean and worst over many draws of the best of `episodes`.
std::string random_text(const std::vector<double>& rewards, int episodes) {
  Rng rng(1);
  constexpr int kDraws = 200;
  int within1 = 0;
  int within5 = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<double> left = rewards;
    double best = -1e9;
    for (std::size_t i = 0; i < static_cast<std::size_t>(episodes) && i < left.size(); ++i) {
      std::swap(left[i],
                left[static_cast<std::size_t>(rng.integer(
                    static_cast<std::int64_t>(i), static_cast<std::int64_t>(left.size()) - 1))]);
      best = std::max(best, left[i]);
    }
    within5 += best >= 0.95 * rewards.front();
    within1 += best >= 0.99 * rewards.front();
  }
  return fmt::format("random: {} %, {} %", 100 * within5 / kDraws, 100 * within1 / kDraws);
}

void measure(const testing::ReleqGrid& grid, const ReleqOptions& options, int episodes, int seeds) {
  testing::ReleqProblem problem(grid);
  const std::vector<double> rewards = problem.rewards(options);
  const double best = rewards.front();
  std::string within5;
  std::string within1;
  std::string ends;
  double found_sum = 0.0;
  int good5 = 0;
  int good1 = 0;
  const auto begin = std::chrono::steady_clock::now();
  int walks = 0;
  int redrawn = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    SearchOptions search;
    search.bits = problem.bits();
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.seed = static_cast<std::uint64_t>(seed);
    context.budget = episodes;
    double found = -1e9;
    double moving = 0.0;
    int first5 = -1;
    int first1 = -1;
    int last = 0;
    context.on_episode = [&](const nlohmann::json& line) {
      // A policy in the middle of a walk is a policy, too.
      found = std::max(found, line["releq_reward"].get<double>());
      const int episode = line["episode"];
      if (found >= 0.95 * best && first5 < 0) first5 = episode + 1;
      if (found >= 0.99 * best && first1 < 0) first1 = episode + 1;
      if (!line["moving"].is_null()) moving = line["moving"]["reward"];
      last = line["agent_episode"];
      redrawn += line["redrawn"].get<int>();
    };
    run_search(context, search, configure_releq(options));
    within5 += fmt::format(" {:>4}", first5 < 0 ? "-" : std::to_string(first5));
    within1 += fmt::format(" {:>4}", first1 < 0 ? "-" : std::to_string(first1));
    ends += fmt::format(" {:5.2f}", moving / best);
    found_sum += found / best / seeds;
    good5 += first5 >= 0;
    good1 += first1 >= 0;
    walks += last;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(
      "{:12} {:8} best {:.4f}  5 %:{} ({}/{})  1 %:{} ({}/{})  found {:.3f}  walks end at{}  {}  "
      "({:.1f} s, {} walks, {} redrawn)\n",
      grid.name, quantization_state_name(options.environment.quantization), best, within5, good5,
      seeds, within1, good1, seeds, found_sum, ends, random_text(rewards, episodes), seconds, walks,
      redrawn);
  std::fflush(stdout);
}

}  // namespace
}  // namespace bittern

int main(int count, char** words) {
  using namespace bittern;
  try {
    const int episodes = count > 1 ? std::atoi(words[1]) : 300;
    const int seeds = count > 2 ? std::atoi(words[2]) : 5;
    std::string text = "{";
    for (int i = 3; i < count; ++i) {
      std::string word = words[i];
      text += word.replace(word.find('='), 1, ": ") + (i + 1 < count ? ", " : "");
    }
    const YamlMap map(YamlNode::parse(text + "}", "command line"), releq_keys());
    ReleqOptions options = read_releq(map);
    fmt::print("{} episodes {}\n", episodes, to_json(options).dump());
    for (const testing::ReleqGrid& grid : testing::releq_grids()) {
      for (const QuantizationState state :
           {QuantizationState::kMean, QuantizationState::kMaccMem, QuantizationState::kHardware}) {
        options.environment.quantization = state;
        measure(grid, options, episodes, seeds);
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "releq_quality: {}\n", error.what());
    return 1;
  }
  return 0;
}
