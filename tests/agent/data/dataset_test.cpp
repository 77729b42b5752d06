#include "agent/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "agent/data/synthetic.h"
#include "host/base/error.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

Dataset numbered(int count) {
  Dataset data;
  data.name = "numbered";
  data.height = 1;
  data.width = 2;
  data.classes = 10;
  for (int i = 0; i < count; ++i) {
    data.images.push_back(static_cast<std::uint8_t>(i));
    data.images.push_back(static_cast<std::uint8_t>(i / 256));
    data.labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return data;
}

TEST(SyntheticDigits, SameSeedGivesTheSameImages) {
  EXPECT_EQ(content_hash(synthetic_digits(50, Rng(7))), content_hash(synthetic_digits(50, Rng(7))));
  EXPECT_NE(content_hash(synthetic_digits(50, Rng(7))), content_hash(synthetic_digits(50, Rng(8))));
}

TEST(SyntheticDigits, AnImageDoesNotDependOnHowManyAreDrawn) {
  const Dataset few = synthetic_digits(11, Rng(3));
  const Dataset many = synthetic_digits(40, Rng(3));
  EXPECT_TRUE(std::equal(few.images.begin(), few.images.end(), many.images.begin()));
}

TEST(SyntheticDigits, EveryImageHasInkAndAllLabelsOccurEquallyOften) {
  const Dataset data = synthetic_digits(500, Rng(1));
  std::array<int, 10> counts{};
  for (int i = 0; i < data.size(); ++i) {
    ++counts.at(data.labels[static_cast<std::size_t>(i)]);
    const Bytes image = data.image(i);
    EXPECT_GE(std::count_if(image.begin(), image.end(), [](std::uint8_t p) { return p > 120; }), 5)
        << "image " << i;
  }
  EXPECT_THAT(counts, ::testing::Each(50));
}

TEST(SyntheticDigits, ImpossibleCountsAreRefused) {
  EXPECT_THROW(synthetic_digits(0, Rng(1)), Error);
  EXPECT_THROW(synthetic_digits(1000001, Rng(1)), Error);
}

TEST(ContentHash, CoversShapeImagesAndLabels) {
  const Dataset data = numbered(20);
  Dataset turned = data;
  std::swap(turned.height, turned.width);
  Dataset brighter = data;
  brighter.images[5] ^= 1;
  Dataset relabelled = data;
  relabelled.labels[3] = 9;
  Dataset renamed = data;
  renamed.name = "other";
  EXPECT_NE(content_hash(data), content_hash(turned));
  EXPECT_NE(content_hash(data), content_hash(brighter));
  EXPECT_NE(content_hash(data), content_hash(relabelled));
  EXPECT_EQ(content_hash(data), content_hash(renamed));
}

TEST(Split, PartsAreDisjointAndTogetherEverything) {
  const DataSplits splits = split_data(numbered(1000), numbered(5), 200, 0, 4);
  ASSERT_EQ(splits.train.size(), 800);
  ASSERT_EQ(splits.validation.size(), 200);
  EXPECT_EQ(splits.test.size(), 5);
  std::vector<int> seen;
  for (const Dataset* part : {&splits.train, &splits.validation}) {
    for (int i = 0; i < part->size(); ++i) {
      const int id = part->image(i)[0] + 256 * part->image(i)[1];
      seen.push_back(id);
      EXPECT_EQ(part->labels[static_cast<std::size_t>(i)], id % 10);
    }
  }
  EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end()));
  std::sort(seen.begin(), seen.end());
  std::vector<int> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(seen, all);
}

TEST(Split, DependsOnTheSeedAlone) {
  const auto hash = [](std::uint64_t seed) {
    return split_data(numbered(300), numbered(5), 50, 100, seed).hash;
  };
  EXPECT_EQ(hash(1), hash(1));
  EXPECT_NE(hash(1), hash(2));
}

TEST(Split, MoreImagesThanThereAreIsAnErrorWithTheNumbers) {
  EXPECT_THAT(message_of([] { split_data(numbered(100), numbered(5), 60, 41, 1); }),
              HasSubstr("60 validation and 41 training images from 100"));
  EXPECT_THROW(split_data(numbered(100), numbered(5), 0, 10, 1), Error);
  EXPECT_THROW(split_data(numbered(100), numbered(5), 100, 0, 1), Error);
}

TEST(LoadData, SyntheticTestImagesDoNotDependOnTheTrainingSize) {
  DataOptions options;
  options.train_images = 100;
  options.validation_images = 20;
  options.test_images = 30;
  const DataSplits small = load_data(options);
  options.train_images = 200;
  const DataSplits large = load_data(options);
  EXPECT_EQ(content_hash(small.test), content_hash(large.test));
  EXPECT_EQ(large.train.size(), 200);
  EXPECT_NE(small.hash, large.hash);
}

TEST(LoadData, UnknownNameListsTheKnownOnes) {
  DataOptions options;
  options.name = "imagenet";
  EXPECT_THAT(message_of([&] { load_data(options); }), HasSubstr("synthetic, mnist"));
}

TEST(OutlineData, HasTheSizesThatLoadingGives) {
  DataOptions options;
  options.train_images = 30;
  options.validation_images = 20;
  options.test_images = 10;
  const DataOutline outline = outline_data(options);
  const DataSplits splits = load_data(options);
  EXPECT_EQ(outline.train, splits.train.size());
  EXPECT_EQ(outline.validation, splits.validation.size());
  EXPECT_EQ(outline.test, splits.test.size());
  EXPECT_EQ(outline.height, splits.train.height);
  EXPECT_EQ(outline.width, splits.train.width);
  EXPECT_EQ(outline.channels, splits.train.channels);
  EXPECT_EQ(outline.classes, splits.train.classes);
}

TEST(OutlineData, RefusesWhatLoadingRefuses) {
  DataOptions options;
  options.train_images = 2147483647;
  options.validation_images = 2147483647;
  EXPECT_THAT(message_of([&] { outline_data(options); }), HasSubstr("1..1000000"));
  EXPECT_THAT(message_of([&] { load_data(options); }), HasSubstr("1..1000000"));
  options.train_images = -1;
  EXPECT_THAT(message_of([&] { outline_data(options); }), HasSubstr("expected 0 or more"));
  options = DataOptions();
  options.name = "cifar";
  EXPECT_THAT(message_of([&] { outline_data(options); }), HasSubstr("did you mean 'cifar10'?"));
  options.name = "mnist";
  options.folder = "/nowhere";
  EXPECT_THAT(message_of([&] { outline_data(options); }), HasSubstr("was not found"));
}

}  // namespace
}  // namespace bittern
