#include "agent/rl/ppo/reward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "host/base/error.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// LeNet's published answer (2,2,3,2): mean bits 9/4 of 8, accuracy 93.92 of 99.8.
TEST(ReleqReward, OfTheAnswerOfThePaperIsKnown) {
  EXPECT_NEAR(releq_reward(reward_of("paper"), 93.92 / 99.8, 9.0 / 32.0), 0.2184, 5e-5);
  // Its nearest rivals by the same reward.
  EXPECT_LT(releq_reward(reward_of("paper"), 98.65 / 99.8, 10.0 / 32.0),
            releq_reward(reward_of("paper"), 93.92 / 99.8, 9.0 / 32.0));
}

TEST(ReleqReward, OfTheShapedFormFollowsItsFormula) {
  const ReleqReward reward{RewardShape::kShaped, 0.5, 2.0, 0.3};
  // (1 - sqrt(0.25)) * 0.5^(2 / 0.5)
  EXPECT_NEAR(releq_reward(reward, 0.5, 0.25), 0.5 * 0.0625, 1e-12);
  EXPECT_EQ(releq_reward(reward, 1.0, 1.0), 0.0);
  EXPECT_EQ(releq_reward(reward, 0.29999, 0.25), -1.0);
  EXPECT_GT(releq_reward(reward, 0.3, 0.25), 0.0);
  // Better than full precision is better than as good.
  EXPECT_GT(releq_reward(reward, 1.01, 0.25), releq_reward(reward, 1.0, 0.25));
}

TEST(ReleqReward, OfASearchBehindLimitsIsTheAccuracyAlone) {
  EXPECT_EQ(releq_reward(reward_of("search"), 0.9, 0.25), 0.9);
  EXPECT_EQ(releq_reward(reward_of("search"), 0.9, 1.0), 0.9);
  EXPECT_EQ(releq_reward(reward_of("search"), 0.0, 1.0), 0.0);
}

TEST(ReleqReward, OfTheAlternativesIsRatioAndDifference) {
  EXPECT_NEAR(releq_reward(reward_of("ratio"), 0.9, 0.25), 3.6, 1e-12);
  EXPECT_NEAR(releq_reward(reward_of("difference"), 0.9, 0.25), 0.65, 1e-12);
  // They have no threshold of their own, but take one.
  ReleqReward reward = reward_of("difference");
  EXPECT_NEAR(releq_reward(reward, 0.1, 0.25), -0.15, 1e-12);
  reward.threshold = 0.5;
  EXPECT_EQ(releq_reward(reward, 0.1, 0.25), -1.0);
}

TEST(ReleqReward, IsANumberAtTheEdges) {
  for (const std::string& name : reward_names()) {
    ReleqReward reward = reward_of(name);
    reward.threshold = 0.0;
    for (const double accuracy : {0.0, 1e-9, 1.0, 1.2}) {
      for (const double quantization : {0.0, 1e-9, 1.0}) {
        EXPECT_TRUE(std::isfinite(releq_reward(reward, accuracy, quantization)))
            << name << " " << accuracy << " " << quantization;
      }
    }
  }
}

TEST(ReleqReward, HasTheConstantsOfThePublishedCode) {
  const auto is = [](const std::string& name, double threshold, double a, double b) {
    const ReleqReward reward = reward_of(name);
    EXPECT_EQ(reward.shape, RewardShape::kShaped) << name;
    EXPECT_EQ(reward.threshold, threshold) << name;
    EXPECT_EQ(reward.a, a) << name;
    EXPECT_EQ(reward.b, b) << name;
  };
  is("paper", 0.4, 0.2, 0.4);
  is("lenet", 0.8, 0.6, 3.0);
  is("simplenet", 0.1, 0.8, 1.0);
  is("svhn", 0.1, 0.8, 1.0);
  is("resnet", 0.6, 0.8, 1.0);
  is("mobilenet", 0.7, 0.8, 1.0);
}

TEST(ReleqReward, RefusesWhatItDoesNotKnow) {
  const auto message = [](const std::function<void()>& act) -> std::string {
    try {
      act();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([] { reward_of("papper"); }), HasSubstr("expected one of paper, lenet"));
  EXPECT_EQ(message([] { validate(ReleqReward{}); }), "no error");
  EXPECT_THAT(message([] {
                validate(ReleqReward{RewardShape::kShaped, 0.0, 0.4, 0.4});
              }),
              HasSubstr("reward_a is 0"));
  EXPECT_THAT(message([] {
                validate(ReleqReward{RewardShape::kShaped, 0.2, -1.0, 0.4});
              }),
              HasSubstr("reward_b is -1"));
  EXPECT_THAT(message([] {
                validate(ReleqReward{RewardShape::kShaped, 0.2, 0.4, 1.5});
              }),
              HasSubstr("threshold is 1.5"));
}

}  // namespace
}  // namespace bittern
