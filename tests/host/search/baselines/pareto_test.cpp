#include "host/search/baselines/pareto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "host/base/error.h"
#include "host/base/random.h"

#ifdef BITTERN_PAGMO
#include <pagmo/utils/hypervolume.hpp>
#include <pagmo/utils/multi_objective.hpp>
#endif

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Points of which many are equal in an objective or in all.
Objectives random_points(Rng& rng, std::size_t count, std::size_t objectives) {
  Objectives points(count, std::vector<double>(objectives));
  const std::int64_t values = rng.integer(2, 20);
  for (std::vector<double>& point : points) {
    for (double& value : point) value = static_cast<double>(rng.integer(0, values));
  }
  return points;
}

/// Fronts by their definition: take away all that nobody left beats, again and again.
std::vector<std::vector<std::size_t>> fronts_by_peeling(const Objectives& points,
                                                        const std::vector<double>& violations) {
  const auto beats = [&](std::size_t a, std::size_t b) {
    if (violations[a] != violations[b]) return violations[a] < violations[b];
    if (violations[a] > 0.0) return false;
    bool no_worse = true;
    bool better = false;
    for (std::size_t m = 0; m < points[a].size(); ++m) {
      no_worse = no_worse && points[a][m] <= points[b][m];
      better = better || points[a][m] < points[b][m];
    }
    return no_worse && better;
  };
  std::vector<std::size_t> left(points.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<std::vector<std::size_t>> fronts;
  while (!left.empty()) {
    std::vector<std::size_t> front;
    std::vector<std::size_t> rest;
    for (const std::size_t i : left) {
      const bool beaten =
          std::any_of(left.begin(), left.end(), [&](std::size_t j) { return beats(j, i); });
      (beaten ? rest : front).push_back(i);
    }
    fronts.push_back(front);
    left = rest;
  }
  return fronts;
}

TEST(ParetoTest, FrontsAreWhatPeelingGives) {
  Rng rng(1);
  for (int round = 0; round < 300; ++round) {
    const Objectives points = random_points(rng, static_cast<std::size_t>(rng.integer(1, 40)),
                                            static_cast<std::size_t>(rng.integer(1, 4)));
    std::vector<double> violations(points.size(), 0.0);
    EXPECT_EQ(nondominated_fronts(points), fronts_by_peeling(points, violations));
    for (double& violation : violations) {
      violation = std::max(0.0, static_cast<double>(rng.integer(-3, 3)));
    }
    EXPECT_EQ(nondominated_fronts(points, violations), fronts_by_peeling(points, violations));
  }
}

TEST(ParetoTest, ALimitThatHoldsBeatsEveryObjective) {
  const Objectives points = {{0.0, 0.0}, {5.0, 5.0}, {1.0, 1.0}};
  EXPECT_THAT(nondominated_fronts(points, {2.0, 0.0, 1.0}),
              ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(0)));
}

TEST(ParetoTest, CrowdingIsTheDistanceOfTheNeighboursInEveryObjective) {
  // With distinct values the neighbours are the next smaller and the next larger value.
  Rng rng(2);
  for (int round = 0; round < 100; ++round) {
    Objectives points(static_cast<std::size_t>(rng.integer(3, 30)), std::vector<double>(3));
    for (std::vector<double>& point : points) {
      for (double& value : point) value = rng.uniform();
    }
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); i += 2) front.push_back(i);
    const std::vector<double> distances = crowding_distances(points, front);
    for (std::size_t i = 0; i < front.size(); ++i) {
      double expected = 0.0;
      for (std::size_t m = 0; m < 3; ++m) {
        const double own = points[front[i]][m];
        double below = -kInfinity;
        double above = kInfinity;
        double least = kInfinity;
        double most = -kInfinity;
        for (const std::size_t j : front) {
          const double value = points[j][m];
          if (value < own) below = std::max(below, value);
          if (value > own) above = std::min(above, value);
          least = std::min(least, value);
          most = std::max(most, value);
        }
        expected += (above - below) / (most - least);
      }
      if (std::isinf(expected)) {
        EXPECT_EQ(distances[i], kInfinity);
      } else {
        EXPECT_NEAR(distances[i], expected, 1e-12);
      }
    }
  }
}

TEST(ParetoTest, FewOrEqualPointsAreAllEnds) {
  EXPECT_TRUE(crowding_distances({{1.0}}, {}).empty());
  EXPECT_THAT(crowding_distances({{1.0, 2.0}, {2.0, 1.0}}, {0, 1}),
              ElementsAre(kInfinity, kInfinity));
  EXPECT_THAT(crowding_distances({{1.0}, {1.0}, {1.0}}, {0, 1, 2}),
              ElementsAre(kInfinity, 0.0, kInfinity));
}

TEST(ParetoTest, RefusesWhatDoesNotFit) {
  const auto error_of = [](const Objectives& points, const std::vector<double>& violations) {
    try {
      nondominated_fronts(points, violations);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of({{1.0}, {2.0}}, {1.0}), HasSubstr("1 violations of 2 individuals"));
  EXPECT_THAT(error_of({{1.0}, {2.0, 3.0}}, {}), HasSubstr("with 1 and with 2 objectives"));
}

#ifdef BITTERN_PAGMO
TEST(ParetoTest, AgreesWithPagmo) {
  Rng rng(3);
  for (int round = 0; round < 100; ++round) {
    // Distinct values: among equal ones each sort has its own order, and crowding follows it.
    Objectives points(static_cast<std::size_t>(rng.integer(4, 40)),
                      std::vector<double>(static_cast<std::size_t>(rng.integer(2, 4))));
    const std::size_t objectives = points.front().size();
    for (std::vector<double>& point : points) {
      point.resize(objectives);
      for (double& value : point) value = rng.uniform();
    }
    const auto [theirs, by_whom, counts, ranks] = pagmo::fast_non_dominated_sorting(points);
    const std::vector<std::vector<std::size_t>> ours = nondominated_fronts(points);
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t f = 0; f < ours.size(); ++f) {
      std::vector<std::size_t> front(theirs[f].begin(), theirs[f].end());
      std::sort(front.begin(), front.end());
      EXPECT_EQ(ours[f], front);
      if (front.size() < 3) continue;  // pagmo wants more than two points
      std::vector<std::vector<double>> values;
      for (const std::size_t i : front) values.push_back(points[i]);
      const std::vector<double> distances = pagmo::crowding_distance(values);
      const std::vector<double> own = crowding_distances(points, front);
      for (std::size_t i = 0; i < own.size(); ++i) {
        if (std::isinf(own[i])) {
          EXPECT_TRUE(std::isinf(distances[i]));
        } else {
          EXPECT_NEAR(own[i], distances[i], 1e-12);
        }
      }
    }
    // Only the first front takes volume: what is behind it adds nothing.
    Objectives first;
    for (const std::size_t i : ours.front()) first.push_back(points[i]);
    const std::vector<double> corner(objectives, 1.5);
    EXPECT_NEAR(pagmo::hypervolume(first).compute(corner),
                pagmo::hypervolume(points).compute(corner), 1e-12);
  }
}
#else
TEST(ParetoTest, AgreesWithPagmo) {
  GTEST_SKIP() << "pagmo is not installed (Debian: libpagmo-dev); install it and configure again";
}
#endif

}  // namespace
}  // namespace bittern
