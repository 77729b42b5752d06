// How close the methods that need no LibTorch come to the best policy of problems whose best policy
// is known (tests/host/search/grids.h), within a budget of evaluations. For every problem and
// method: the accuracy in percent points that is missing to the best policy, on average over the
// seeds and at worst, and for how many seeds the reward was within 1 % of the best one.
//
//   baseline_quality [evaluations [method or problem...]]
//
// A method may have its keys with it: "nsga2{population: 8}".
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/search/methods.h"
#include "tests/host/search/grids.h"

namespace bittern {
namespace {

constexpr int kSeeds = 5;

void measure(testing::GridProblem& problem, double best, const MethodKind& kind,
             const std::string& keys, int budget) {
  const ConfiguredMethod method = kind.configure(YamlMap(YamlNode::parse(keys, "keys"), kind.keys));
  double sum = 0.0;
  double worst = 0.0;
  int within = 0;
  int asked = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const SearchResult result = run_search(
        problem.context(budget, static_cast<std::uint64_t>(seed)), problem.options(), method);
    const double found = result.ranked.empty() ? 0.0 : result.ranked.front().accuracy.top1;
    const double missing = best - found;
    sum += missing / kSeeds;
    worst = std::max(worst, missing);
    const double gap = problem.reward(best) - problem.reward(found);
    within += gap <= 0.01 * std::abs(problem.reward(best)) ? 1 : 0;
    asked = std::max(asked, result.episodes);
  }
  fmt::print("  {:12} missing {:7.3f}, at worst {:7.3f}; within 1 %: {} of {}; {} evaluations\n",
             kind.name + (keys == "{}" ? "" : keys), sum, worst, within, kSeeds, asked);
  std::fflush(stdout);
}

}  // namespace
}  // namespace bittern

int main(int count, char** words) {
  try {
    const int budget = count > 1 ? std::atoi(words[1]) : 300;
    const std::vector<bittern::testing::Grid> grids = bittern::testing::grids();
    std::vector<std::string> wanted;
    std::vector<std::string> problems;
    for (int i = 2; i < count; ++i) {
      const bool problem = std::any_of(grids.begin(), grids.end(),
                                       [&](const auto& grid) { return grid.name == words[i]; });
      (problem ? problems : wanted).emplace_back(words[i]);
    }
    for (const bittern::testing::Grid& grid : grids) {
      if (!problems.empty() &&
          std::find(problems.begin(), problems.end(), grid.name) == problems.end()) {
        continue;
      }
      bittern::testing::GridProblem problem(grid);
      const double best = problem.best();
      fmt::print("{} ({}): best {:.3f} %, full precision {:.3f} %\n", grid.name, grid.about, best,
                 grid.baseline);
      for (const bittern::MethodKind& kind : bittern::host_methods()) {
        // Gradients do not come from functions; all policies are more than the budget.
        const bool left_out =
            kind.name == "fisher" || kind.name == "hessian" || kind.name == "exhaustive";
        if (wanted.empty() && !left_out) bittern::measure(problem, best, kind, "{}", budget);
        for (const std::string& word : wanted) {
          const std::size_t keys = std::min(word.find('{'), word.size());
          if (word.substr(0, keys) != kind.name) continue;
          bittern::measure(problem, best, kind, keys < word.size() ? word.substr(keys) : "{}",
                           budget);
        }
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "baseline_quality: {}\n", error.what());
    return 1;
  }
  return 0;
}
