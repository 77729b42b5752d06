// What a search saves that starts from another one (`search: {start: ...}`, Method::learn_from()):
// on chains of layers that act on each other (tests/host/search/chain_problem.h), a search of 200
// evaluations at half the latency of 8/8 bits comes first; then each method searches at 0.3 of it,
// or at half on another machine (weights bit by bit, activations at once), from nothing and from
// there. Means of seeds 1 to 5: points of accuracy below the best that either reached, after 25,
// 50, 100 and 200 evaluations, and the evaluations after which each has what the one from nothing
// has at its end, but for 0.05 points. A search that knows no policy within the limits has 10 %.
//
//   start_quality [layers [method...]]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "agent/rl/methods.h"
#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "host/base/yaml.h"
#include "host/search/driver.h"
#include "host/search/methods.h"
#include "host/search/ranking.h"
#include "tests/host/search/chain_problem.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr int kSeeds = 5;
constexpr int kEvaluations = 200;
constexpr double kNearly = 0.05;  ///< points that do not count
/// What a search has that knows no policy within the limits yet: a guess among ten classes.
constexpr double kGuess = 10.0;
constexpr std::array<int, 4> kLooks = {25, 50, 100, 200};

struct Run {
  std::vector<double> best;  ///< accuracy after so many evaluations, from 1
  std::vector<json> lines;
};

ConfiguredMethod method_called(const std::string& name) {
  const std::vector<MethodKind> methods = all_methods();
  const MethodKind* kind = find_method(methods, name);
  const std::string keys = name == "releq" ? "{wall_actions: true}" : "{}";
  return kind->configure(YamlMap(YamlNode::parse(keys, "bench"), kind->keys));
}

Run search(testing::ChainProblem& problem, CostModel& cost, double ratio, int seed,
           const ConfiguredMethod& method, const std::filesystem::path& checkpoint,
           const Experience* start) {
  SearchOptions options;
  options.bits.pin_first_last = false;
  SearchContext context;
  context.network = &problem.cost().network();
  context.cost = &cost;
  context.evaluator = &problem.evaluator();
  context.constraints = {{Resource::kLatency, true, ratio}};
  context.seed = static_cast<std::uint64_t>(seed);
  context.budget = 10 * kEvaluations;
  context.evaluations = kEvaluations;
  context.checkpoint = checkpoint;
  context.start = start;
  Run run;
  // Rewards are tenths of points below full precision.
  double best = (kGuess - testing::ChainProblem::kBaseline) / 10.0;
  context.on_episode = [&](const json& line) {
    run.lines.push_back(line);
    if (!line.at("best_reward").is_null()) best = line.at("best_reward").get<double>();
    const auto at = static_cast<std::size_t>(line.at("evaluations").get<double>());
    run.best.resize(std::max(run.best.size(), at), best);
  };
  run_search(context, options, method);
  run.best.resize(kEvaluations, best);
  for (double& reward : run.best) reward = testing::ChainProblem::kBaseline + 10.0 * reward;
  return run;
}

Experience learnt(const std::string& method, const std::filesystem::path& checkpoint,
                  const Run& run) {
  Experience out;
  out.source = "first";
  out.method = method;
  out.checkpoint = read_checkpoint(checkpoint);
  out.digest = "first";
  std::set<json> seen;
  for (const json& line : run.lines) {
    if (!seen.insert(line.at("policy")).second) continue;
    out.scores.push_back(
        {policy_from_json(line.at("policy")), {line.at("accuracy").get<double>(), 0.0}});
  }
  return out;
}

void compare(const std::string& name, int layers, bool other_machine) {
  std::array<double, 4> cold_below{};
  std::array<double, 4> warm_below{};
  double cold_needs = 0.0;
  double warm_needs = 0.0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const TemporaryFolder folder;
    testing::ChainProblem problem(layers, 1.0, 5);
    testing::FunctionCost serial(problem.cost().network(),
                                 [&problem](std::size_t layer, BitPair bits) {
                                   return problem.latency(layer, {bits.weight, 8});
                                 });
    const ConfiguredMethod method = method_called(name);
    const Run first = search(problem, problem.cost(), 0.5, seed, method, folder / "first", nullptr);
    const Experience start = learnt(name, folder / "first", first);
    CostModel& cost = other_machine ? static_cast<CostModel&>(serial) : problem.cost();
    const double ratio = other_machine ? 0.5 : 0.3;
    const Run cold = search(problem, cost, ratio, seed, method, folder / "cold", nullptr);
    const Run warm = search(problem, cost, ratio, seed, method, folder / "warm", &start);
    const double best = std::max(cold.best.back(), warm.best.back());
    const auto needed = [&](const Run& run) {
      const auto at = std::find_if(run.best.begin(), run.best.end(), [&](double accuracy) {
        return accuracy >= cold.best.back() - kNearly;
      });
      return static_cast<double>(std::min<std::ptrdiff_t>(at - run.best.begin() + 1, kEvaluations));
    };
    cold_needs += needed(cold) / kSeeds;
    warm_needs += needed(warm) / kSeeds;
    for (std::size_t i = 0; i < kLooks.size(); ++i) {
      const auto at = static_cast<std::size_t>(kLooks[i] - 1);
      cold_below[i] += (best - cold.best[at]) / kSeeds;
      warm_below[i] += (best - warm.best[at]) / kSeeds;
    }
  }
  fmt::print("{:12} {:8} ", name, other_machine ? "machine" : "limit");
  for (std::size_t i = 0; i < kLooks.size(); ++i) {
    fmt::print(" {:3}: {:5.2f} {:5.2f} ", kLooks[i], cold_below[i], warm_below[i]);
  }
  fmt::print(" needs {:5.1f} {:5.1f}\n", cold_needs, warm_needs);
  std::fflush(stdout);
}

}  // namespace
}  // namespace bittern

int main(int count, char** words) {
  try {
    using namespace bittern;
    const int layers = count > 1 ? std::atoi(words[1]) : 12;
    fmt::print(
        "{} layers; points below the best after so many evaluations: from nothing, started\n",
        layers);
    std::vector<std::string> methods(words + std::min(count, 2), words + count);
    if (methods.empty()) methods = {"sensitivity", "local", "haq", "releq"};
    for (const std::string& method : methods) {
      for (const bool other_machine : {false, true}) compare(method, layers, other_machine);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "start_quality: {}\n", error.what());
    return 1;
  }
  return 0;
}
