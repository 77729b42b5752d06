#include "agent/nn/tensor_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "agent/torch.h"

namespace bittern {
namespace {

TEST(Score, CountsFirstAnswersAndThoseAmongFive) {
  // One row: logits 7, 6, ..., 0; the label is the answer of that rank.
  const torch::Tensor row = torch::arange(7, -1, -1).to(torch::kFloat32);
  const torch::Tensor logits = row.repeat({8, 1});
  const torch::Tensor labels = torch::arange(8);
  const Score score = score_of(logits, labels, summed_loss(logits, labels));
  EXPECT_EQ(score.images, 8);
  EXPECT_EQ(score.correct, 1);
  EXPECT_EQ(score.correct_in_five, 5);
  EXPECT_DOUBLE_EQ(score.accuracy(), 12.5);
  EXPECT_DOUBLE_EQ(score.top5(), 62.5);
}

TEST(Score, FourClassesAreAlwaysAmongFive) {
  const torch::Tensor logits = torch::zeros({3, 4});
  const Score score = score_of(logits, torch::tensor({0, 1, 3}), torch::zeros({}));
  EXPECT_EQ(score.correct_in_five, 3);
}

TEST(Score, WhatIsNoNumberIsNoGoodAnswer) {
  const torch::Tensor logits = torch::full({2, 10}, std::nan(""));
  const Score score = score_of(logits, torch::tensor({0, 1}), torch::zeros({}));
  EXPECT_EQ(score.correct_in_five, 0);
}

}  // namespace
}  // namespace bittern
