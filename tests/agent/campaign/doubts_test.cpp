#include "agent/campaign/doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "host/base/error.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kGuessingLoss = 2.302585;

class Doubts : public ::testing::Test {
 protected:
  void SetUp() override {
    validation_.name = "made";
    validation_.classes = 10;
    validation_.height = validation_.width = 1;
    for (int i = 0; i < 100; ++i) {  // guessing: up to 19 %
      validation_.labels.push_back(static_cast<std::uint8_t>(i % 10));
      validation_.images.push_back(static_cast<std::uint8_t>(i));
    }
    evaluator_.finetune_images = 64;
  }
  static std::string error_of(const std::function<void()>& action) {
    return message_of(ExitStatus::kFailed, action);
  }
  static json line(int weight_bits, double accuracy) {
    return {{"policy", {{weight_bits, 8}}}, {"accuracy", accuracy}};
  }

  Campaign campaign_;
  FakeQuantSettings evaluator_;
  Dataset validation_;
};

TEST_F(Doubts, NoneAboutANetworkThatHasLearnt) {
  EXPECT_THAT(baseline_doubts(campaign_, {90, 0.3}, validation_), IsEmpty());
  EXPECT_THAT(evaluation_doubts(evaluator_, {90, 0.3}, {88, 0.4}, validation_), IsEmpty());
  EXPECT_THAT(search_doubts(evaluator_, {line(3, 80), line(4, 85)}, validation_), IsEmpty());
  EXPECT_THAT(search_doubts(evaluator_, {}, validation_), IsEmpty());
  EXPECT_THAT(final_doubts(campaign_, {{"found", 85, 88}}, validation_), IsEmpty());
}

TEST_F(Doubts, TrainingThatDivergedIsAnErrorThatNamesTheRate) {
  EXPECT_THAT(error_of([&] {
                baseline_doubts(campaign_, {10, 50}, validation_);
              }),
              AllOf(HasSubstr("no better than guessing (up to 19.00 %)"),
                    HasSubstr("lower model.learning_rate (0.05)")));
  EXPECT_THAT(error_of([&] {
                baseline_doubts(campaign_, {10, std::nan("")}, validation_);
              }),
              HasSubstr("model.learning_rate"));
}

TEST_F(Doubts, ANetworkThatHasLearntNothingIsAWarning) {
  EXPECT_THAT(baseline_doubts(campaign_, {15, kGuessingLoss}, validation_),
              ElementsAre(AllOf(HasSubstr("learnt nothing"), HasSubstr("model.epochs (3)"))));
  campaign_.model.checkpoint = "w.safetensors";
  EXPECT_THAT(baseline_doubts(campaign_, {10, 50}, validation_),
              ElementsAre(HasSubstr("checkpoint w.safetensors does not fit")));
}

TEST_F(Doubts, AFineTuneThatDivergesIsAnErrorThatNamesTheRate) {
  EXPECT_THAT(error_of([&] {
                evaluation_doubts(evaluator_, {90, 0.3}, {10, 50}, validation_);
              }),
              AllOf(HasSubstr("90.00 %"), HasSubstr("10.00 %"),
                    HasSubstr("evaluator.finetune_rate (0.001)")));
  // Nothing new where the network had learnt nothing before.
  EXPECT_THAT(evaluation_doubts(evaluator_, {10, 2.3}, {10, 2.3}, validation_), IsEmpty());
  // But where it got worse.
  EXPECT_THAT(error_of([&] {
                evaluation_doubts(evaluator_, {10, 2.3}, {10, 50}, validation_);
              }),
              HasSubstr("evaluator.finetune_rate"));
  evaluator_.finetune_images = 0;
  EXPECT_THAT(evaluation_doubts(evaluator_, {90, 0.3}, {10, 50}, validation_),
              ElementsAre(HasSubstr("evaluator.weight_range (mse)")));
}

TEST_F(Doubts, ASearchThatHadNothingToGoByIsAWarning) {
  EXPECT_THAT(search_doubts(evaluator_, {line(2, 10), line(3, 18)}, validation_),
              ElementsAre(AllOf(HasSubstr("the best of 2 policies gets 18.00 %"),
                                HasSubstr("evaluator.finetune_images"))));
  EXPECT_THAT(search_doubts(evaluator_, {line(2, 90), line(3, 90)}, validation_),
              ElementsAre(AllOf(HasSubstr("all 2 policies have the same accuracy, 90.00 %"),
                                HasSubstr("data.validation_images"))));
  EXPECT_THAT(search_doubts(evaluator_, {line(2, 90), line(2, 90)}, validation_),
              ElementsAre(HasSubstr("all 2 episodes ran the same policy")));
}

TEST_F(Doubts, AFinalFineTuneThatRuinsAPolicyIsAWarningAndOfAllAnError) {
  const FinalStep sound = {"uniform 8", 90, 92};
  const FinalStep ruined = {"found", 90, 10};
  EXPECT_THAT(final_doubts(campaign_, {sound, ruined}, validation_),
              ElementsAre(AllOf(HasSubstr("of found took it from 90.00 %"),
                                HasSubstr("final.learning_rate (0.01)"))));
  EXPECT_THAT(error_of([&] {
                final_doubts(campaign_, {ruined, ruined}, validation_);
              }),
              HasSubstr("final.learning_rate"));
  // What guessed before is not counted.
  EXPECT_THAT(final_doubts(campaign_, {{"uniform 2", 10, 10}}, validation_), IsEmpty());
  EXPECT_THAT(final_doubts(campaign_, {{"found", 90, 89.9}}, validation_), IsEmpty());
  EXPECT_THAT(
      final_doubts(campaign_, {{"found", 90, 60}, {"uniform 8", 99, 50}, {"uniform 4", 80, 85}},
                   validation_),
      ElementsAre(AllOf(HasSubstr("2 of 3 policies clearly worse"),
                        HasSubstr("uniform 8 most (99.00 to 50.00 %)"), HasSubstr("final.crop"))));
}

}  // namespace
}  // namespace bittern
