// How close HAQ's search comes to the best policy of a problem whose optimum is known
// (tests/host/search/synthetic.h): for tight and loose latency limits, and with the actions before
// or after the constraint wall in the replay memory. Prints one line per setting: the share of what
// the best policy gains over random ones, for seeds 1..5, after 600 episodes.
//
//   search_quality [hidden1 hidden2]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

#include "agent/rl/ddpg/haq.h"
#include "host/search/cost_table.h"
#include "host/search/driver.h"
#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

constexpr int kEpisodes = 600;
constexpr int kSeeds = 5;

void measure(double ratio, StoredAction store, int hidden1, int hidden2) {
  testing::SyntheticProblem problem;
  SearchOptions search;
  search.bits.pin_first_last = false;
  HaqOptions options;
  options.agent.hidden1 = hidden1;
  options.agent.hidden2 = hidden2;
  options.store = store;
  const Constraint limit{Resource::kLatency, true, ratio};
  const BitSpace space(search.bits, problem.cost().network());
  const CostTable table(problem.cost(), space);
  const Wall wall(table, space, {limit}, search.wall);
  const double best = problem.best_accuracy(ratio, space);

  Rng rng(1);
  double mean = 0.0;
  double luckiest = 0.0;
  for (int i = 0; i < kSeeds * kEpisodes; ++i) {
    Policy policy(space.layers());
    for (BitPair& bits : policy) {
      bits = {static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))};
    }
    const double accuracy = problem.accuracy(wall.apply(policy).policy);
    mean += accuracy / (kSeeds * kEpisodes);
    luckiest = std::max(luckiest, accuracy);
  }
  const auto share = [&](double accuracy) { return 100.0 * (accuracy - mean) / (best - mean); };

  std::string found;
  double sum = 0.0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.constraints = {limit};
    context.seed = static_cast<std::uint64_t>(seed);
    context.budget = kEpisodes;
    const double accuracy =
        run_search(context, search, configure_haq(options)).ranked.front().accuracy.top1;
    found += fmt::format(" {:5.1f}", share(accuracy));
    sum += share(accuracy) / kSeeds;
  }
  fmt::print("ratio {:.1f}  replay {:4}  seeds{}  mean {:5.1f} %  (best of {} random: {:.1f} %)\n",
             ratio, stored_action_name(store), found, sum, kSeeds * kEpisodes, share(luckiest));
  std::fflush(stdout);
}

}  // namespace
}  // namespace bittern

int main(int count, char** words) {
  try {
    const int hidden1 = count > 2 ? std::atoi(words[1]) : 64;
    const int hidden2 = count > 2 ? std::atoi(words[2]) : 48;
    fmt::print("hidden layers {}/{}\n", hidden1, hidden2);
    for (const double ratio : {0.2, 0.3, 0.5, 0.7}) {
      for (const bittern::StoredAction store :
           {bittern::StoredAction::kPostWall, bittern::StoredAction::kPreWall}) {
        bittern::measure(ratio, store, hidden1, hidden2);
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "search_quality: {}\n", error.what());
    return 1;
  }
  return 0;
}
