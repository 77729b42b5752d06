#include "host/search/baselines/choice_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/grids.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChoiceSpaceTest : public ::testing::Test {
 protected:
  ChoiceSpaceTest() : grid_(testing::deep_grid(8, true, 0.0)) {
    grid_.bits.pin_first_last = true;
    grid_.bits.ties = {{"l1", "l3"}};
    grid_.bits.layers = {{"l2", {4}, {2, 4, 8}}, {"l5", {6}, {6}}};
    cost_ = std::make_unique<testing::FunctionCost>(grid_.network, grid_.latency);
    space_ = std::make_unique<BitSpace>(grid_.bits, grid_.network);
    table_ = std::make_unique<CostTable>(*cost_, *space_);
    wall_ = std::make_unique<Wall>(
        *table_, *space_, std::vector<Constraint>{testing::at_most(Resource::kLatency, 0.6)},
        WallOptions{});
    choices_ = std::make_unique<ChoiceSpace>(*space_, *wall_);
  }
  testing::Grid grid_;
  std::unique_ptr<testing::FunctionCost> cost_;
  std::unique_ptr<BitSpace> space_;
  std::unique_ptr<CostTable> table_;
  std::unique_ptr<Wall> wall_;
  std::unique_ptr<ChoiceSpace> choices_;
};

TEST_F(ChoiceSpaceTest, HasASlotForEveryGroupThatMoves) {
  ASSERT_EQ(choices_->slots(), 4u) << "l1 with l3, l2, l4, l6";
  EXPECT_THAT(choices_->layers(0), ElementsAre(1, 3));
  EXPECT_THAT(choices_->layers(1), ElementsAre(2));
  EXPECT_EQ(choices_->count(0), 49);
  EXPECT_EQ(choices_->count(1), 3);
  EXPECT_EQ(choices_->size(), 49.0 * 3 * 49 * 49);
}

TEST_F(ChoiceSpaceTest, CostsAndRoomAgreeWithTheWall) {
  Rng rng(1);
  int within = 0;
  for (int i = 0; i < 500; ++i) {
    Choice choice;
    for (std::size_t slot = 0; slot < choices_->slots(); ++slot) {
      choice.push_back(static_cast<int>(rng.integer(0, choices_->count(slot) - 1)));
    }
    const Policy policy = choices_->policy(choice);
    EXPECT_EQ(choices_->choice(policy), choice);
    EXPECT_EQ(choices_->from_text(choices_->text(choice)), choice);
    const bool meets = table_->total(policy).latency_s <= wall_->limits()[0];
    EXPECT_EQ(choices_->meets(choice), meets);
    EXPECT_EQ(choices_->total(0, choice) <= choices_->room(0) + 1e-9, meets);
    within += meets ? 1 : 0;
  }
  EXPECT_GT(within, 50);
  EXPECT_LT(within, 450);
}

TEST_F(ChoiceSpaceTest, NeighboursAreWithinTheLimitsAndOneStepOrOneSwapAway) {
  const Choice middle = choices_->walled(choices_->highest());
  std::set<Choice> seen;
  for (const Choice& next : neighbours(*choices_, middle)) {
    EXPECT_TRUE(choices_->meets(next));
    EXPECT_TRUE(seen.insert(next).second);
    int up = 0;
    int down = 0;
    const Policy from = choices_->policy(middle);
    const Policy to = choices_->policy(next);
    for (std::size_t slot = 0; slot < choices_->slots(); ++slot) {
      const std::size_t layer = choices_->layers(slot).front();
      for (int BitPair::*operand : {&BitPair::weight, &BitPair::activation}) {
        up += to[layer].*operand > from[layer].*operand ? 1 : 0;
        down += to[layer].*operand < from[layer].*operand ? 1 : 0;
      }
    }
    EXPECT_LE(up, 1);
    EXPECT_LE(down, 1);
    EXPECT_GE(up + down, 1);
  }
  EXPECT_GT(seen.size(), 6u);
}

TEST_F(ChoiceSpaceTest, RefusesWhatIsNotOfTheSpace) {
  EXPECT_THAT(message_of([&] { choices_->policy({0, 0, 0}); }), HasSubstr("3 slots"));
  EXPECT_THAT(message_of([&] {
                choices_->policy({0, 3, 0, 0});
              }),
              HasSubstr("option 3 of slot 1; expected 0..2"));
  EXPECT_THAT(message_of([&] {
                choices_->choice(Policy(8, BitPair{2, 2}));
              }),
              HasSubstr("outside of the search space"));
  EXPECT_THAT(message_of([&] { choices_->from_text("00030000"); }), HasSubstr("no choice of 4"));
  EXPECT_THAT(message_of([&] { choices_->from_text("0g000000"); }), HasSubstr("no choice of 4"));
  EXPECT_THAT(message_of([&] { choices_->from_text("0000"); }), HasSubstr("no choice of 4"));
}

}  // namespace
}  // namespace bittern
