#include "agent/campaign/loaded_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bittern {
namespace {

using ::testing::ElementsAreArray;

DataOptions few_images() {
  DataOptions options;
  options.train_images = 200;
  options.validation_images = 60;
  options.test_images = 30;
  return options;
}

TEST(DataKeeper, ReadsOnceWhatIsAskedForAgain) {
  DataKeeper keeper;
  const auto first = keeper.load(few_images(), 10, nullptr);
  EXPECT_EQ(keeper.load(few_images(), 10, nullptr), first);
  DataOptions other = few_images();
  other.split_seed = 2;
  const auto second = keeper.load(other, 10, nullptr);
  EXPECT_NE(second->splits.hash, first->splits.hash);
  EXPECT_NE(keeper.load(few_images(), 10, nullptr), first);  // the last one is kept
}

TEST(DataKeeper, SetsAsideWhatOnlyTheChoiceSees) {
  DataKeeper keeper;
  const auto all = keeper.load(few_images(), 0, nullptr);
  const auto some = keeper.load(few_images(), 10, nullptr);
  EXPECT_EQ(all->splits.validation.size(), 60);
  EXPECT_EQ(all->splits.choice.size(), 0);
  ASSERT_EQ(some->splits.validation.size(), 50);
  ASSERT_EQ(some->splits.choice.size(), 10);
  for (int i = 0; i < 60; ++i) {
    const Dataset& part = i < 50 ? some->splits.validation : some->splits.choice;
    const int at = i < 50 ? i : i - 50;
    EXPECT_THAT(part.image(at), ElementsAreArray(all->splits.validation.image(i))) << i;
  }
  EXPECT_NE(all->splits.hash, some->splits.hash);
}

TEST(DataKeeper, KeepsNothingOfWhatCannotBeRead) {
  DataKeeper keeper;
  const auto known = keeper.load(few_images(), 0, nullptr);
  DataOptions missing = few_images();
  missing.name = "mnist";
  missing.folder = "/nonexistent";
  EXPECT_ANY_THROW(keeper.load(missing, 0, nullptr));
  EXPECT_EQ(keeper.load(few_images(), 0, nullptr)->splits.hash, known->splits.hash);
}

}  // namespace
}  // namespace bittern
