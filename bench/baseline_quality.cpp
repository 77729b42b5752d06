// How close the methods come to the best policy of problems whose best policy is known
// (tests/host/search/grids.h), within a budget of evaluations. For every problem and method: the
// accuracy in percent points that is missing to the best policy, on average over the seeds and at
// worst, and for how many seeds the reward was within 1 % of the best one.
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

#ifdef BITTERN_WITH_AGENTS
#include "agent/rl/methods.h"
#endif
#include "host/base/random.h"
#include "host/base/yaml.h"
#include "host/search/methods.h"
#include "tests/host/search/grids.h"

namespace bittern {
namespace {

constexpr int kSeeds = 5;

std::vector<MethodKind> methods() {
#ifdef BITTERN_WITH_AGENTS
  return all_methods();
#else
  return host_methods();
#endif
}

/// What a layer loses alone, times a factor of each layer's own that is off by two on average: what
/// good gradients know. They cost nothing.
class BenchScores : public GradientScores {
 public:
  BenchScores(const testing::Grid& grid, std::uint64_t stream)
      : grid_(grid), top_(BitSpace(grid.bits, grid.network).highest()), stream_(stream) {}
  double weight_score(std::size_t layer, int bits) override {
    return score(layer, {bits, top_[layer].activation}, 0);
  }
  double activation_score(std::size_t layer, int bits) override {
    return score(layer, {top_[layer].weight, bits}, 1);
  }
  double spent() const override { return 0.0; }

 private:
  double score(std::size_t layer, BitPair bits, std::uint64_t operand) const {
    Policy policy = top_;
    policy[layer] = bits;
    const double loss = std::max(0.0, grid_.accuracy(top_) - grid_.accuracy(policy));
    return loss * std::exp(0.7 * Rng(stream_).split(2 * layer + operand).normal());
  }

  const testing::Grid& grid_;
  Policy top_;
  std::uint64_t stream_;
};

class BenchEvaluator : public testing::FunctionEvaluator {
 public:
  BenchEvaluator(const testing::Grid& grid, std::uint64_t seed)
      : FunctionEvaluator(grid.baseline, grid.accuracy),
        fisher_(grid, seed),
        hessian_(grid, 100 + seed) {}
  GradientScores* scores(ScoreKind kind) override {
    return kind == ScoreKind::kFisher ? &fisher_ : &hessian_;
  }

 private:
  BenchScores fisher_;
  BenchScores hessian_;
};

void measure(testing::GridProblem& problem, double best, const MethodKind& kind,
             const std::string& keys, int budget) {
  const ConfiguredMethod method = kind.configure(YamlMap(YamlNode::parse(keys, "keys"), kind.keys));
  // Nothing is drawn in these.
  const bool drawn = kind.name != "uniform" && kind.name != "greedy_down" &&
                     kind.name != "greedy_up" && kind.name != "sensitivity";
  const int seeds = drawn ? kSeeds : 1;
  double sum = 0.0;
  double worst = 0.0;
  int within = 0;
  int asked = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    BenchEvaluator evaluator(problem.grid(), static_cast<std::uint64_t>(seed));
    SearchContext context = problem.context(budget, static_cast<std::uint64_t>(seed));
    context.evaluator = &evaluator;
    const SearchResult result = run_search(context, problem.options(), method);
    const double found = result.ranked.empty() ? 0.0 : result.ranked.front().accuracy.top1;
    const double missing = best - found;
    sum += missing / seeds;
    worst = std::max(worst, missing);
    const double gap = problem.reward(best) - problem.reward(found);
    within += gap <= 0.01 * std::abs(problem.reward(best)) ? 1 : 0;
    asked = std::max(asked, result.episodes);
  }
  fmt::print("  {:12} missing {:7.3f}, at worst {:7.3f}; within 1 %: {} of {}; {} evaluations\n",
             kind.name + (keys == "{}" ? "" : keys), sum, worst, within, seeds, asked);
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
      for (const bittern::MethodKind& kind : bittern::methods()) {
        // All policies are more than the budget; hessian is fisher with other numbers here.
        const bool left_out = kind.name == "exhaustive" || kind.name == "hessian";
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
