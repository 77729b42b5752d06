#include "host/analysis/campaign_verdict_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bittern {
namespace {

std::string seeds_text(std::size_t n) { return fmt::format("{} seed{}", n, n == 1 ? "" : "s"); }

std::string budget_text(const PairRow& pair) {
  return pair.budget ? fmt::format("at an equal budget of {} evaluations", *pair.budget)
                     : "at unequal budgets";
}

std::string difference_text(const PairRow& pair) {
  const MeanInterval& d = pair.difference;
  return fmt::format("difference {:+.2f} points, 95 % interval {:+.2f} to {:+.2f}, {}", d.mean,
                     d.low, d.high, fmt::format("{} paired seeds", d.n));
}

std::string clause_of(const PairRow& pair) {
  const std::string name = method_title(pair.against);
  if (pair.difference.all_zero()) {
    return fmt::format("RL ({}) did not beat {} {}: both reached the same in all {} paired seeds",
                       pair.method, name, budget_text(pair), pair.difference.n);
  }
  if (!pair.difference.known()) {
    return fmt::format(
        "whether RL ({}) beats {} cannot be said from {} (difference {:+.2f} points)", pair.method,
        name,
        pair.difference.n == 1
            ? "one paired seed"
            : fmt::format("{} paired seeds with one and the same difference", pair.difference.n),
        pair.difference.mean);
  }
  if (pair.difference.above_zero()) {
    return fmt::format("RL ({}) did beat {} {} ({})", pair.method, name, budget_text(pair),
                       difference_text(pair));
  }
  return fmt::format("RL ({}) did not beat {} {} ({}: {})", pair.method, name, budget_text(pair),
                     difference_text(pair),
                     pair.difference.below_zero() ? "it is worse" : "no difference is shown");
}

}  // namespace

std::string method_title(const std::string& method) {
  return method == "sensitivity" ? "sensitivity + knapsack" : method;
}

std::string verdict_text(const VerdictFacts& facts) {
  std::string text = facts.problem + ": ";
  const auto best =
      std::max_element(facts.methods.begin(), facts.methods.end(),
                       [](const VerdictFacts::Method& a, const VerdictFacts::Method& b) {
                         // Of two equal ones the one that took fewer evaluations.
                         return a.score.mean != b.score.mean ? a.score.mean < b.score.mean
                                                             : a.evaluations > b.evaluations;
                       });
  if (best == facts.methods.end()) {
    return text + (facts.problems > 1
                       ? "no method has a seed with which it went through all of them"
                       : "there is no method but exhaustive search");
  }
  const MeanInterval& score = best->score;
  text += fmt::format("{} reached {:.2f} % ({}; {}{}) with {:.0f} evaluations",
                      method_title(best->name), score.mean, judge_name(facts.judge),
                      score.known() ? fmt::format("mean of {}, 95 % interval {:.2f} to {:.2f}",
                                                  seeds_text(score.n), score.low, score.high)
                      : score.n > 1 ? fmt::format("equal in {}", seeds_text(score.n))
                                    : "one seed, so without an interval",
                      facts.problems > 1 ? ", averaged over the problems" : "", best->evaluations);
  if (facts.learners.empty()) return text + "; no method here is reinforcement learning";
  if (facts.reference.empty()) {
    return text + fmt::format("; RL ({}) has nothing to be compared with",
                              fmt::join(facts.learners, ", "));
  }
  if (facts.pairs.empty()) {
    return text + fmt::format("; RL ({}) and {} share no seed", fmt::join(facts.learners, ", "),
                              method_title(facts.reference));
  }
  for (const PairRow& pair : facts.pairs) text += "; " + clause_of(pair);
  if (facts.stand_in) text += "; there is no cell of sensitivity + knapsack to compare it with";
  return text;
}

}  // namespace bittern
