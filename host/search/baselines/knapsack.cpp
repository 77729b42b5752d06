#include "host/search/baselines/knapsack.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <queue>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
/// States of the pass that finds solutions to prune by.
constexpr std::size_t kFirstStates = 150;
/// Of a state's rivals in several resources only so many are looked at: a comparison with all would
/// take longer than what it saves.
constexpr std::size_t kRivals = 48;
/// Steps of the search for the weights of the resources.
constexpr int kWeightSteps = 60;

void check(const KnapsackProblem& problem, const KnapsackOptions& options) {
  if (options.solutions < 1) fail("knapsack: {} solutions; expected at least 1", options.solutions);
  if (options.most_states < 1) fail("knapsack: no states; expected at least 1");
  if (problem.costs.size() != problem.limits.size()) {
    fail("knapsack: costs of {} resources and {} limits", problem.costs.size(),
         problem.limits.size());
  }
  for (std::size_t r = 0; r < problem.costs.size(); ++r) {
    if (std::isnan(problem.limits[r])) fail("knapsack: the limit of resource {} is no number", r);
    if (problem.costs[r].size() != problem.scores.size()) {
      fail("knapsack: resource {} has {} classes, the scores have {}", r, problem.costs[r].size(),
           problem.scores.size());
    }
  }
  for (std::size_t i = 0; i < problem.scores.size(); ++i) {
    if (problem.scores[i].empty()) fail("knapsack: class {} has no option", i);
    for (const double score : problem.scores[i]) {
      if (!std::isfinite(score)) fail("knapsack: a score of class {} is {}", i, score);
    }
    for (std::size_t r = 0; r < problem.costs.size(); ++r) {
      if (problem.costs[r][i].size() != problem.scores[i].size()) {
        fail("knapsack: class {} has {} scores and {} costs in resource {}", i,
             problem.scores[i].size(), problem.costs[r][i].size(), r);
      }
      for (const double cost : problem.costs[r][i]) {
        if (!(std::isfinite(cost) && cost >= 0.0)) {
          fail("knapsack: a cost of class {} in resource {} is {}; expected at least 0", i, r,
               cost);
        }
      }
    }
  }
}

/// The linear relaxation of the classes from one on, for one resource: what they add at least to
/// the score when they may cost so much.
class Relaxation {
 public:
  Relaxation() = default;

  /// Of the classes order[first..]; costs by [class][option].
  Relaxation(const std::vector<std::vector<double>>& scores,
             const std::vector<std::vector<double>>& costs, const std::vector<std::size_t>& order,
             std::size_t first) {
    struct Step {
      double cost;
      double gain;
    };
    std::vector<Step> steps;
    for (std::size_t at = first; at < order.size(); ++at) {
      const std::vector<double>& score = scores[order[at]];
      const std::vector<double>& cost = costs[order[at]];
      std::vector<std::size_t> by_cost(score.size());
      std::iota(by_cost.begin(), by_cost.end(), std::size_t{0});
      std::sort(by_cost.begin(), by_cost.end(), [&](std::size_t a, std::size_t b) {
        return cost[a] != cost[b] ? cost[a] < cost[b] : score[a] < score[b];
      });
      // The lower convex hull, from the cheapest option to the one with the least score.
      std::vector<std::size_t> hull;
      for (const std::size_t option : by_cost) {
        if (!hull.empty() && score[option] >= score[hull.back()]) continue;
        while (hull.size() >= 2) {
          const std::size_t a = hull[hull.size() - 2];
          const std::size_t b = hull.back();
          const double left = (score[b] - score[a]) * (cost[option] - cost[b]);
          const double right = (score[option] - score[b]) * (cost[b] - cost[a]);
          if (left < right) break;
          hull.pop_back();
        }
        hull.push_back(option);
      }
      base_cost_ += cost[hull.front()];
      base_score_ += score[hull.front()];
      for (std::size_t i = 1; i < hull.size(); ++i) {
        steps.push_back({cost[hull[i]] - cost[hull[i - 1]], score[hull[i - 1]] - score[hull[i]]});
      }
    }
    std::sort(steps.begin(), steps.end(),
              [](const Step& a, const Step& b) { return a.gain * b.cost > b.gain * a.cost; });
    double cost = 0.0;
    double gain = 0.0;
    costs_.push_back(0.0);
    gains_.push_back(0.0);
    for (const Step& step : steps) {
      costs_.push_back(cost += step.cost);
      gains_.push_back(gain += step.gain);
    }
  }

  /// Infinite where even the cheapest options cost more than `room`.
  double least(double room) const {
    const double left = room - base_cost_;
    if (left < 0.0) return kNone;
    if (left >= costs_.back()) return base_score_ - gains_.back();
    const auto above = std::upper_bound(costs_.begin(), costs_.end(), left);
    const auto i = static_cast<std::size_t>(above - costs_.begin());
    const double share = (left - costs_[i - 1]) / (costs_[i] - costs_[i - 1]);
    return base_score_ - gains_[i - 1] - share * (gains_[i] - gains_[i - 1]);
  }

 private:
  double base_cost_ = 0.0;
  double base_score_ = 0.0;
  std::vector<double> costs_;  ///< of the first steps together
  std::vector<double> gains_;
};

/// A resource, or a weighted sum of all of them: what holds for every resource holds for it.
struct Surrogate {
  std::vector<std::vector<double>> costs;  ///< [class][option]
  double limit = 0.0;
  std::vector<Relaxation> from;  ///< of the classes from each one on, in the solver's order
};

class Solver {
 public:
  Solver(const KnapsackProblem& problem, const KnapsackOptions& options)
      : problem_(problem), options_(options), resources_(problem.limits.size()) {
    order_.resize(problem.scores.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    // Classes whose options differ most first: what is left to the bound is small early on.
    std::vector<double> spread(order_.size(), 0.0);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const auto [low, high] =
          std::minmax_element(problem.scores[i].begin(), problem.scores[i].end());
      spread[i] = *high - *low;
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return spread[a] > spread[b]; });
    for (std::size_t r = 0; r < resources_; ++r) {
      surrogates_.push_back({problem.costs[r], with_slack(problem.limits[r]), {}});
    }
    if (resources_ == 0) {
      std::vector<std::vector<double>> nothing;
      for (const auto& scores : problem.scores) nothing.emplace_back(scores.size(), 0.0);
      surrogates_.push_back({std::move(nothing), 0.0, {}});
    }
    if (resources_ > 1) surrogates_.push_back(weighted());
    for (Surrogate& surrogate : surrogates_) {
      for (std::size_t at = 0; at <= order_.size(); ++at) {
        surrogate.from.emplace_back(problem.scores, surrogate.costs, order_, at);
      }
    }
  }

  KnapsackResult solve() {
    const auto wanted = static_cast<std::size_t>(options_.solutions);
    const std::size_t few = std::min(std::max(kFirstStates, 2 * wanted), options_.most_states);
    KnapsackResult first = pass(few, kNone);
    if (first.exact || options_.most_states <= few) return first;
    const double known = first.solutions.size() < wanted ? kNone : first.solutions.back().score;
    KnapsackResult second = pass(options_.most_states, known);
    if (second.exact) return second;
    // Few states chosen well can beat many: the better of both counts.
    const bool keep_first =
        second.solutions.size() < first.solutions.size() ||
        (!first.solutions.empty() && first.solutions.back().score < second.solutions.back().score);
    const double bound = std::max(first.bound, second.bound);
    KnapsackResult result = keep_first ? std::move(first) : std::move(second);
    result.bound = bound;
    return result;
  }

 private:
  struct State {
    double score = 0.0;
    double bound = 0.0;
    double cost = 0.0;  ///< in the first surrogate: what states are sorted by
    std::uint32_t parent = 0;
    int option = 0;
    std::uint32_t costs = 0;  ///< where its costs begin in the pool
  };

  /// What is kept of a state whose class is done.
  struct Link {
    std::uint32_t parent;
    int option;
  };

  /// Sums of floating-point numbers in another order must not break a limit that is met exactly.
  static double with_slack(double limit) { return limit + 1e-12 * std::abs(limit); }

  /// The sum of the resources whose relaxation is tightest, found by subgradient steps on the
  /// Lagrangian.
  Surrogate weighted() const {
    std::vector<double> scale(resources_);
    for (std::size_t r = 0; r < resources_; ++r) {
      scale[r] = problem_.limits[r] > 0.0 ? problem_.limits[r] : 1.0;
    }
    double spread = 0.0;
    for (const auto& scores : problem_.scores) {
      const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
      spread += *high - *low;
    }
    std::vector<double> weights(resources_, 0.0);
    std::vector<double> best = weights;
    double highest = -kNone;
    for (int step = 0; step < kWeightSteps; ++step) {
      double value = 0.0;
      std::vector<double> excess(resources_, 0.0);
      for (std::size_t r = 0; r < resources_; ++r) {
        excess[r] = -problem_.limits[r] / scale[r];
        value += weights[r] * excess[r];
      }
      for (std::size_t i = 0; i < problem_.scores.size(); ++i) {
        double least = kNone;
        std::size_t chosen = 0;
        for (std::size_t option = 0; option < problem_.scores[i].size(); ++option) {
          double sum = problem_.scores[i][option];
          for (std::size_t r = 0; r < resources_; ++r) {
            sum += weights[r] * problem_.costs[r][i][option] / scale[r];
          }
          if (sum < least) {
            least = sum;
            chosen = option;
          }
        }
        value += least;
        for (std::size_t r = 0; r < resources_; ++r) {
          excess[r] += problem_.costs[r][i][chosen] / scale[r];
        }
      }
      if (value > highest) {
        highest = value;
        best = weights;
      }
      double norm = 0.0;
      for (const double e : excess) norm += e * e;
      if (norm == 0.0) break;
      const double length = spread * std::pow(0.9, step) / std::sqrt(norm);
      for (std::size_t r = 0; r < resources_; ++r) {
        weights[r] = std::max(0.0, weights[r] + length * excess[r]);
      }
    }
    Surrogate sum;
    for (std::size_t i = 0; i < problem_.scores.size(); ++i) {
      sum.costs.emplace_back(problem_.scores[i].size(), 0.0);
      for (std::size_t r = 0; r < resources_; ++r) {
        for (std::size_t option = 0; option < sum.costs[i].size(); ++option) {
          sum.costs[i][option] += best[r] / scale[r] * problem_.costs[r][i][option];
        }
      }
    }
    for (std::size_t r = 0; r < resources_; ++r) {
      sum.limit += best[r] / scale[r] * problem_.limits[r];
    }
    sum.limit = with_slack(sum.limit);
    return sum;
  }

  /// The score that a state can still reach at best; infinite where it cannot meet the limits.
  double bound(double score, const double* costs, std::size_t next) const {
    double highest = -kNone;
    for (std::size_t s = 0; s < surrogates_.size(); ++s) {
      highest = std::max(highest, surrogates_[s].from[next].least(surrogates_[s].limit - costs[s]));
    }
    return score + highest;
  }

  /// All solutions below `known` that so many states hold.
  KnapsackResult pass(std::size_t most, double known) const {
    const std::size_t width = surrogates_.size();
    std::vector<std::vector<Link>> links;
    std::vector<State> states;
    std::vector<State> next;
    std::vector<double> pool(width, 0.0);
    std::vector<double> next_pool;
    KnapsackResult result;
    result.bound = kNone;
    states.push_back({0.0, bound(0.0, pool.data(), 0), 0.0, 0, 0, 0});
    if (states[0].bound == kNone) return result;
    // A k-th best solution that is known must not prune itself by rounding.
    const double threshold = known == kNone ? kNone : known + 1e-9 * (1.0 + std::abs(known));
    std::vector<double> costs(width);
    for (std::size_t at = 0; at < order_.size(); ++at) {
      const std::size_t i = order_[at];
      next.clear();
      next_pool.clear();
      for (std::size_t parent = 0; parent < states.size(); ++parent) {
        const State& from = states[parent];
        for (std::size_t option = 0; option < problem_.scores[i].size(); ++option) {
          for (std::size_t s = 0; s < width; ++s) {
            costs[s] = pool[from.costs + s] + surrogates_[s].costs[i][option];
          }
          const double score = from.score + problem_.scores[i][option];
          const double least = bound(score, costs.data(), at + 1);
          if (least == kNone || least > threshold) continue;
          next.push_back({score, least, costs[0], static_cast<std::uint32_t>(parent),
                          static_cast<int>(option), static_cast<std::uint32_t>(next_pool.size())});
          next_pool.insert(next_pool.end(), costs.begin(), costs.end());
        }
        if (next.size() > 4 * most + 1024) trim(next, next_pool, most, result);
      }
      trim(next, next_pool, most, result);
      std::swap(pool, next_pool);
      std::swap(states, next);
      links.emplace_back();
      for (const State& state : states) links.back().push_back({state.parent, state.option});
    }
    collect(states, links, result);
    if (result.solutions.size() == static_cast<std::size_t>(options_.solutions)) {
      const double last = result.solutions.back().score;
      // What was dropped is worse than the list, then.
      if (result.bound >= last) {
        result.exact = true;
        result.bound = last;
      }
    }
    return result;
  }

  /// Drops states that k others beat, then the least promising above `most`.
  void trim(std::vector<State>& states, std::vector<double>& pool, std::size_t most,
            KnapsackResult& result) const {
    const std::size_t width = surrogates_.size();
    const auto wanted = static_cast<std::size_t>(options_.solutions);
    std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
      if (a.cost != b.cost) return a.cost < b.cost;
      if (a.score != b.score) return a.score < b.score;
      return a.parent != b.parent ? a.parent < b.parent : a.option < b.option;
    });
    std::vector<State> kept;
    // With one resource all earlier states cost no more, so that the k-th least score decides.
    std::priority_queue<double> least;
    for (const State& state : states) {
      if (resources_ <= 1) {
        if (least.size() == wanted && least.top() <= state.score) continue;
        least.push(state.score);
        if (least.size() > wanted) least.pop();
      } else if (beaten(state, kept, pool, width, wanted)) {
        continue;
      }
      kept.push_back(state);
    }
    if (kept.size() > most) {
      std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(most), kept.end(),
                       [](const State& a, const State& b) { return a.bound < b.bound; });
      for (std::size_t i = most; i < kept.size(); ++i) {
        result.bound = std::min(result.bound, kept[i].bound);
      }
      result.exact = false;
      kept.resize(most);
    }
    std::vector<double> packed;
    for (State& state : kept) {
      const std::uint32_t from = state.costs;
      state.costs = static_cast<std::uint32_t>(packed.size());
      packed.insert(packed.end(), pool.begin() + from, pool.begin() + from + width);
    }
    states = std::move(kept);
    pool = std::move(packed);
  }

  /// Whether at least `wanted` of the last kept states cost no more in anything and score no more.
  bool beaten(const State& state, const std::vector<State>& kept, const std::vector<double>& pool,
              std::size_t width, std::size_t wanted) const {
    std::size_t rivals = 0;
    const std::size_t looks = std::min(kept.size(), kRivals + wanted);
    for (std::size_t back = 1; back <= looks; ++back) {
      const State& other = kept[kept.size() - back];
      bool no_more = other.score <= state.score;
      for (std::size_t s = 0; no_more && s < width; ++s) {
        no_more = pool[other.costs + s] <= pool[state.costs + s];
      }
      if (no_more && ++rivals == wanted) return true;
    }
    return false;
  }

  void collect(const std::vector<State>& states, const std::vector<std::vector<Link>>& links,
               KnapsackResult& result) const {
    std::vector<std::uint32_t> ends(states.size());
    std::iota(ends.begin(), ends.end(), 0u);
    std::stable_sort(ends.begin(), ends.end(), [&](std::uint32_t a, std::uint32_t b) {
      return states[a].score < states[b].score;
    });
    if (ends.size() > static_cast<std::size_t>(options_.solutions)) {
      ends.resize(static_cast<std::size_t>(options_.solutions));
    }
    for (const std::uint32_t end : ends) {
      KnapsackSolution solution;
      solution.score = states[end].score;
      solution.options.resize(order_.size());
      std::uint32_t state = end;
      for (std::size_t at = order_.size(); at-- > 0;) {
        solution.options[order_[at]] = links[at][state].option;
        state = links[at][state].parent;
      }
      result.solutions.push_back(std::move(solution));
    }
  }

  const KnapsackProblem& problem_;
  const KnapsackOptions& options_;
  std::size_t resources_;
  std::vector<std::size_t> order_;  ///< of the classes
  std::vector<Surrogate> surrogates_;
};

}  // namespace

KnapsackResult solve_knapsack(const KnapsackProblem& problem, const KnapsackOptions& options) {
  check(problem, options);
  return Solver(problem, options).solve();
}

}  // namespace bittern
