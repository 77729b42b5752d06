#include "host/search/baselines/pareto.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "host/base/error.h"

namespace bittern {

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

std::vector<std::vector<std::size_t>> nondominated_fronts(const Objectives& objectives,
                                                          const std::vector<double>& violations) {
  const std::size_t n = objectives.size();
  if (!violations.empty() && violations.size() != n) {
    fail("search: {} violations of {} individuals", violations.size(), n);
  }
  for (const std::vector<double>& row : objectives) {
    if (row.size() == objectives.front().size()) continue;
    fail("search: individuals with {} and with {} objectives", objectives.front().size(),
         row.size());
  }
  const auto beats = [&](std::size_t a, std::size_t b) {
    if (!violations.empty() && violations[a] != violations[b]) return violations[a] < violations[b];
    if (!violations.empty() && violations[a] > 0.0) return false;
    return dominates(objectives[a], objectives[b]);
  };
  std::vector<std::vector<std::size_t>> beaten(n);
  std::vector<int> beaten_by(n, 0);
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      if (!beats(a, b)) continue;
      beaten[a].push_back(b);
      ++beaten_by[b];
    }
  }
  std::vector<std::vector<std::size_t>> fronts;
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < n; ++i) {
    if (beaten_by[i] == 0) front.push_back(i);
  }
  while (!front.empty()) {
    std::vector<std::size_t> next;
    for (const std::size_t a : front) {
      for (const std::size_t b : beaten[a]) {
        if (--beaten_by[b] == 0) next.push_back(b);
      }
    }
    std::sort(next.begin(), next.end());
    fronts.push_back(std::exchange(front, std::move(next)));
  }
  return fronts;
}

std::vector<double> crowding_distances(const Objectives& objectives,
                                       const std::vector<std::size_t>& front) {
  std::vector<double> distances(front.size(), 0.0);
  if (front.empty()) return distances;
  std::vector<std::size_t> order(front.size());
  for (std::size_t m = 0; m < objectives[front.front()].size(); ++m) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return objectives[front[a]][m] < objectives[front[b]][m];
    });
    const auto value = [&](std::size_t place) { return objectives[front[order[place]]][m]; };
    distances[order.front()] = std::numeric_limits<double>::infinity();
    distances[order.back()] = std::numeric_limits<double>::infinity();
    const double range = value(order.size() - 1) - value(0);
    if (!(range > 0.0)) continue;
    for (std::size_t place = 1; place + 1 < order.size(); ++place) {
      distances[order[place]] += (value(place + 1) - value(place - 1)) / range;
    }
  }
  return distances;
}

}  // namespace bittern
