#include "host/analysis/additive_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "host/base/error.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// All policies of three layers with weights of 2, 4 or 8 bits, and what `value` says of them.
struct Grid {
  std::vector<Policy> policies;
  std::vector<double> values;
  explicit Grid(const std::function<double(int, int, int)>& value) {
    for (const int a : {2, 4, 8}) {
      for (const int b : {2, 4, 8}) {
        for (const int c : {2, 4, 8}) {
          policies.push_back({{a, 8}, {b, 8}, {c, 8}});
          values.push_back(value(a, b, c));
        }
      }
    }
  }
};

TEST(AdditiveFit, PredictsASumPerfectly) {
  const Grid grid(
      [](int a, int b, int c) { return 50 + 3.1 * a - 0.7 * b + (c == 4 ? 5.3 : 0.013 * c); });
  const AdditiveFit fit = additive_fit(grid.policies, grid.values);
  EXPECT_EQ(fit.policies, 27u);
  EXPECT_TRUE(fit.note.empty()) << fit.note;
  EXPECT_GT(fit.ranks.rho, 0.999);
}

TEST(AdditiveFit, CannotPredictWhatIsNoSum) {
  // Whether an odd number of layers is narrow: layers one at a time say nothing of it.
  const Grid grid([](int a, int b, int c) { return (a == 2) ^ (b == 2) ^ (c == 2) ? 90.0 : 10.0; });
  EXPECT_LT(additive_fit(grid.policies, grid.values).ranks.rho, 0.7);
}

TEST(AdditiveFit, DoesNotDependOnWhoFoundAPolicyWhenOrHowOften) {
  Grid grid([](int a, int b, int c) { return a * b + c + 0.1 * b; });
  const double once = additive_fit(grid.policies, grid.values).ranks.rho;
  std::vector<Policy> policies(grid.policies.rbegin(), grid.policies.rend());
  std::vector<double> values(grid.values.rbegin(), grid.values.rend());
  policies.push_back(grid.policies[3]);
  values.push_back(grid.values[3]);
  EXPECT_DOUBLE_EQ(additive_fit(policies, values).ranks.rho, once);
}

TEST(AdditiveFit, SaysWhenThereAreTooFewPolicies) {
  const AdditiveFit fit = additive_fit({{{2, 2}}, {{3, 3}}}, {1, 2});
  EXPECT_THAT(fit.note, HasSubstr("2 different policies, 20 are needed"));
}

TEST(AdditiveFit, RefusesPoliciesOfDifferentNetworks) {
  EXPECT_THROW(additive_fit({{{2, 2}}, {{2, 2}, {3, 3}}}, {1, 2}), Error);
  EXPECT_THROW(additive_fit({{{2, 2}}}, {1, 2}), Error);
}

}  // namespace
}  // namespace bittern
