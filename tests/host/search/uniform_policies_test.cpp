#include "host/search/uniform_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;

class UniformPolicies : public ::testing::Test {
 protected:
  std::vector<Policy> policies() {
    return uniform_policies(BitSpace(options_, problem_.cost().network()));
  }

  testing::SyntheticProblem problem_;  // six layers
  BitOptions options_;
};

TEST_F(UniformPolicies, HaveEveryWidthOnceMostBitsFirst) {
  options_.weight_bits = options_.activation_bits = {8, 2, 4};
  options_.pin_first_last = false;
  EXPECT_THAT(policies(), ElementsAre(Policy(6, {8, 8}), Policy(6, {4, 4}), Policy(6, {2, 2})));
}

TEST_F(UniformPolicies, KeepPinsAndWhatIsNotSearched) {
  options_.mode = BitMode::kWeights;
  options_.weight_bits = {2, 4};
  options_.fixed = {8, 5};
  options_.pinned = {8, 8};
  Policy four(6, {4, 5});
  four.front() = four.back() = {8, 8};
  Policy two(6, {2, 5});
  two.front() = two.back() = {8, 8};
  EXPECT_THAT(policies(), ElementsAre(four, two));
}

TEST_F(UniformPolicies, TakeTheNearestWidthOfALayerThatHasOthers) {
  options_.mode = BitMode::kTied;
  options_.weight_bits = options_.activation_bits = {2, 4, 8};
  options_.pin_first_last = false;
  options_.layers = {{problem_.cost().network().layers[1].name, {3, 6}, {3, 6}}};
  const auto with = [](int others, int own) {
    Policy policy(6, {others, others});
    policy[1] = {own, own};
    return policy;
  };
  EXPECT_THAT(policies(), ElementsAre(with(8, 6), with(4, 6), with(4, 3), with(2, 3)));
}

}  // namespace
}  // namespace bittern
