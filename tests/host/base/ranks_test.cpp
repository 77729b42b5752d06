#include "host/base/ranks.h"

#include <gtest/gtest.h>

#include "host/base/error.h"

namespace bittern {
namespace {

TEST(Ranks, AreSharedByEqualValues) {
  EXPECT_EQ(ranks({10, 20, 10, 30}), (std::vector<double>{1.5, 3, 1.5, 4}));
}

TEST(Spearman, IsThePearsonCorrelationOfRanks) {
  // By hand: ranks 1..5 against 2 1 4 3 5, sum of squared differences 4, 1 - 6 * 4 / (5 * 24).
  EXPECT_NEAR(spearman({1, 2, 3, 4, 5}, {20, 10, 40, 30, 50}).value(), 0.8, 1e-12);
  // With ties: ranks 1 2.5 2.5 4 against 1 2 3 4, deviations from 2.5: 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(spearman({1, 2, 2, 3}, {1, 2, 3, 4}).value(), 0.9486832980505138, 1e-12);
}

TEST(Spearman, SaysNothingOfConstantListsAndRefusesUnequalOnes) {
  EXPECT_FALSE(spearman({1, 1, 1}, {1, 2, 3}).has_value());
  EXPECT_FALSE(spearman({1}, {1}).has_value());
  EXPECT_THROW(spearman({1, 2}, {1}), Error);
}

}  // namespace
}  // namespace bittern
