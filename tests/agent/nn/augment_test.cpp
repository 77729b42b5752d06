#include "agent/nn/augment.h"

#include <gtest/gtest.h>

#include <set>

#include "agent/nn/training.h"
#include "agent/torch.h"

namespace bittern {
namespace {

/// Images whose pixels all differ.
torch::Tensor numbered(std::int64_t count) {
  return (torch::arange(count * 3 * 4 * 5) % 251 + 1).to(torch::kUInt8).view({count, 3, 4, 5});
}

TEST(Augment, NothingIsDrawnWhereNothingIsAskedFor) {
  Rng rng(1);
  const std::string before = rng.save();
  const torch::Tensor images = numbered(3);
  EXPECT_TRUE(torch::equal(augmented(images, {}, rng), images));
  EXPECT_EQ(rng.save(), before);
}

TEST(Augment, HalfOfTheImagesAreMirrored) {
  Rng rng(2);
  const torch::Tensor images = numbered(400);
  const torch::Tensor found = augmented(images, {true, 0}, rng);
  int mirrored = 0;
  for (std::int64_t i = 0; i < 400; ++i) {
    const bool same = torch::equal(found[i], images[i]);
    const bool turned = torch::equal(found[i], images[i].flip(2));
    ASSERT_NE(same, turned);
    mirrored += turned ? 1 : 0;
  }
  EXPECT_NEAR(mirrored, 200, 50);  // five standard deviations
}

TEST(Augment, PiecesAreCutOutOfABlackBorderAnywhere) {
  Rng rng(3);
  const torch::Tensor images = numbered(600);
  const torch::Tensor found = augmented(images, {false, 2}, rng);
  const torch::Tensor padded = at::constant_pad_nd(images, {2, 2, 2, 2}, 0);
  std::set<std::pair<int, int>> places;
  for (std::int64_t i = 0; i < 600; ++i) {
    int fits = 0;
    for (int top = 0; top <= 4; ++top) {
      for (int left = 0; left <= 4; ++left) {
        if (!torch::equal(found[i], padded[i].narrow(1, top, 4).narrow(2, left, 5))) continue;
        places.emplace(top, left);
        ++fits;
      }
    }
    ASSERT_EQ(fits, 1);
  }
  EXPECT_EQ(places.size(), 25U);
}

TEST(Augment, DrawsDependOnTheSeedAlone) {
  const auto once = [](std::uint64_t seed) {
    Rng rng(seed);
    return augmented(numbered(50), {true, 1}, rng);
  };
  EXPECT_TRUE(torch::equal(once(4), once(4)));
  EXPECT_FALSE(torch::equal(once(4), once(5)));
}

}  // namespace
}  // namespace bittern
