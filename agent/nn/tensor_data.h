#pragma once

#include <cstdint>

#include "agent/data/dataset.h"
#include "agent/nn/score.h"
#include "agent/torch.h"

namespace bittern {

/// A data set as tensors: 8-bit images (N x C x H x W) and 64-bit labels (N).
struct TensorData {
  torch::Tensor images;
  torch::Tensor labels;

  /// Copies the data to a device.
  static TensorData from(const Dataset& data, torch::Device device);
  std::int64_t size() const { return labels.size(0); }
};

/// Cross entropy summed over the images (nats).
torch::Tensor summed_loss(const torch::Tensor& logits, const torch::Tensor& labels);

/// For each image whether the greatest logit is that of its label.
torch::Tensor correct_answers(const torch::Tensor& logits, const torch::Tensor& labels);

/// For each image whether fewer than five logits are greater than that of its label (top-5).
torch::Tensor answers_in_five(const torch::Tensor& logits, const torch::Tensor& labels);

/// The score without the answers to single images.
Score score_of(const torch::Tensor& logits, const torch::Tensor& labels,
               const torch::Tensor& loss_sum);

/// The score with answers and predictions.
Score score_with_answers(const torch::Tensor& logits, const torch::Tensor& labels);

}  // namespace bittern
