#include "agent/data/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/base/error.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Different images of 2x2 pixels from number `first` on, labels going round.
Dataset images(int first, int count, int classes = 10) {
  Dataset data;
  data.name = "made";
  data.height = 2;
  data.width = 2;
  data.classes = classes;
  for (int i = first; i < first + count; ++i) {
    for (const int pixel : {i % 256, i / 256, 7, 9}) {
      data.images.push_back(static_cast<std::uint8_t>(pixel));
    }
    data.labels.push_back(static_cast<std::uint8_t>(i % classes));
  }
  return data;
}

DataSplits sound() {
  DataSplits splits;
  splits.train = images(0, 200);
  splits.validation = images(200, 100);
  splits.test = images(300, 100);
  return splits;
}

void copy_image(Dataset& data, int from, int to) {
  const Bytes source = data.image(from);
  std::copy(source.begin(), source.end(), data.images.begin() + to * 4);
}

TEST(DataWarnings, SoundDataHasNone) { EXPECT_THAT(data_warnings(sound()), IsEmpty()); }

TEST(DataWarnings, NamesClassesWithoutImages) {
  DataSplits splits = sound();
  for (auto& label : splits.validation.labels) label = label == 3 ? 4 : label;
  EXPECT_THAT(data_warnings(splits),
              ElementsAre(HasSubstr("the validation images have none of class 3")));
}

TEST(DataWarnings, NamesAClassThatOutweighsAllOthers) {
  DataSplits splits = sound();
  for (int i = 0; i < 60; ++i) splits.test.labels[static_cast<std::size_t>(i)] = 5;
  EXPECT_THAT(data_warnings(splits),
              ElementsAre(HasSubstr("64 % of the test images are of class 5")));
}

TEST(DataWarnings, CountsBlankAndRepeatedImages) {
  DataSplits splits = sound();
  for (int i = 0; i < 4; ++i) {
    const auto first = splits.train.images.begin() + std::ptrdiff_t{4} * i;
    std::fill(first, first + 4, static_cast<std::uint8_t>(100 + i));
  }
  for (int i = 0; i < 30; ++i) copy_image(splits.validation, 50, i);
  EXPECT_THAT(data_warnings(splits),
              ElementsAre(HasSubstr("4 of 200 training images are blank"),
                          HasSubstr("30 of 100 validation images are copies")));
}

TEST(DataWarnings, CountsImagesThatAreInTwoParts) {
  DataSplits splits = sound();
  splits.test = images(150, 100);
  EXPECT_THAT(data_warnings(splits),
              ElementsAre(HasSubstr("50 of 100 test images are among the training images")));
}

TEST(DataWarnings, NothingToLearnIsAnError) {
  DataSplits one_class = sound();
  for (auto& label : one_class.train.labels) label = 7;
  DataSplits one_image = sound();
  for (int i = 1; i < 200; ++i) copy_image(one_image.train, 0, i);
  for (const auto& [splits, text] :
       {std::pair(one_class, "all 200 training images are of class 7"),
        std::pair(one_image, "all 200 training images are the same")}) {
    try {
      data_warnings(splits);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  }
}

TEST(Chance, IsTheMostFrequentClassAndAMargin) {
  // 10 % and three standard deviations: sqrt(0.1 * 0.9 / 100) = 3 %.
  EXPECT_NEAR(chance_limit(images(0, 100)), 19.0, 1e-9);
  EXPECT_NEAR(chance_limit(images(0, 10000)), 10.9, 1e-9);
  Dataset skewed = images(0, 100);
  for (int i = 0; i < 50; ++i) skewed.labels[static_cast<std::size_t>(i)] = 0;
  // 55 of 100 are of class 0.
  EXPECT_NEAR(chance_limit(skewed), 55 + 300 * std::sqrt(0.55 * 0.45 / 100), 1e-9);
  EXPECT_TRUE(is_guessing(19.0, images(0, 100)));
  EXPECT_FALSE(is_guessing(20.0, images(0, 100)));
  EXPECT_TRUE(is_guessing(std::nan(""), images(0, 100)));
}

TEST(Chance, DivergedIsWorseThanHavingLearntNothing) {
  const Dataset data = images(0, 100);
  const double guessing = std::log(10.0);
  EXPECT_FALSE(has_diverged(10.0, guessing, data));
  EXPECT_TRUE(has_diverged(10.0, 1.2 * guessing, data));
  EXPECT_TRUE(has_diverged(10.0, std::nan(""), data));
  EXPECT_TRUE(has_diverged(10.0, std::numeric_limits<double>::infinity(), data));
  EXPECT_FALSE(has_diverged(90.0, 1.2 * guessing, data));
}

}  // namespace
}  // namespace bittern
