// How close a search comes to the best policy of problems whose optimum is known: six independent
// layers (tests/host/search/synthetic.h), and chains of layers that act on each other
// (tests/host/search/chain_problem.h). Prints a line for each problem and latency limit: the share
// of what the best policy gains over the mean random one, for five seeds from the first one (1) on,
// beside that of random search with the same number of policies (mean over 20 seeds).
//
//   search_quality ['<keys of the method>' [problems [ratios [episodes [first seed [method]]]]]]
//
// for example search_quality 'preset: paper, hidden: [64, 48]' six,chain20 0.2,0.5
//         and search_quality 'wall_actions: true' six,chain8 0.3,0.5 200 1 releq
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "agent/rl/methods.h"
#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/search/driver.h"
#include "host/search/methods.h"
#include "tests/host/search/chain_problem.h"
#include "tests/host/search/synthetic.h"
#include "tests/host/search/yardstick.h"

namespace bittern {
namespace {

constexpr int kSeeds = 5;
constexpr int kRandomSeeds = 20;

struct Budget {
  int episodes = 600;
  int first_seed = 1;
};

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

template <typename Problem>
void measure(const std::string& name, Problem& problem, double ratio, const Budget& budget,
             const ConfiguredMethod& method) {
  const int episodes = budget.episodes;
  const testing::Yardstick yardstick(problem, ratio, episodes, kRandomSeeds);
  const auto share = [&](double accuracy) { return 100.0 * yardstick.share(accuracy); };

  std::string found;
  double sum = 0.0;
  for (int seed = budget.first_seed; seed < budget.first_seed + kSeeds; ++seed) {
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.constraints = {yardstick.limit};
    context.seed = static_cast<std::uint64_t>(seed);
    context.budget = episodes;
    const double accuracy =
        run_search(context, yardstick.search, method).ranked.front().accuracy.top1;
    found += fmt::format(" {:5.1f}", share(accuracy));
    sum += share(accuracy) / kSeeds;
  }
  fmt::print("{:8} ratio {:.2f}  seeds{}  mean {:5.1f} %  random {:5.1f} %\n", name, ratio, found,
             sum, share(yardstick.random));
  std::fflush(stdout);
}

void measure(const std::string& name, double ratio, const Budget& budget,
             const ConfiguredMethod& method) {
  if (name == "six") {
    testing::SyntheticProblem problem;
    measure(name, problem, ratio, budget, method);
  } else if (name == "plain12") {
    testing::ChainProblem problem(12, 0.0, 7);
    measure(name, problem, ratio, budget, method);
  } else if (name == "chain8") {
    testing::ChainProblem problem(8, 1.0, 3);
    measure(name, problem, ratio, budget, method);
  } else if (name == "chain20") {
    testing::ChainProblem problem(20, 1.0, 5);
    measure(name, problem, ratio, budget, method);
  } else {
    fail_usage("problem \"{}\": expected six, plain12, chain8 or chain20", name);
  }
}

}  // namespace
}  // namespace bittern

int main(int count, char** words) {
  try {
    using namespace bittern;
    const std::string keys = count > 1 ? words[1] : "";
    const auto problems = words_of(count > 2 ? words[2] : "six,chain8,plain12,chain20");
    const auto ratios = words_of(count > 3 ? words[3] : "0.2,0.3,0.5,0.7");
    Budget budget;
    if (count > 4) budget.episodes = std::atoi(words[4]);
    if (count > 5) budget.first_seed = std::atoi(words[5]);
    const std::string name = count > 6 ? words[6] : "haq";
    const std::vector<MethodKind> methods = all_methods();
    const MethodKind* kind = find_method(methods, name);
    if (kind == nullptr) fail_usage("no method is called \"{}\"", name);
    const ConfiguredMethod method =
        kind->configure(YamlMap(YamlNode::parse("{" + keys + "}", "search"), kind->keys));
    fmt::print("{}\n", method.key.dump());
    for (const std::string& problem : problems) {
      for (const std::string& ratio : ratios) {
        measure(problem, std::atof(ratio.c_str()), budget, method);
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "search_quality: {}\n", error.what());
    return 1;
  }
  return 0;
}
