#pragma once

#include <cstdint>
#include <memory>

#include "agent/data/dataset.h"
#include "agent/nn/score.h"
#include "agent/torch.h"

namespace bittern {

/// A data set as tensors: 8-bit images (N x C x H x W) and 64-bit labels (N). Images that a set
/// does not have in memory are decoded when they are asked for, by the thread that asks.
struct TensorData {
  torch::Tensor images;  ///< undefined where they are in `source`
  torch::Tensor labels;
  std::shared_ptr<const Dataset> source = nullptr;

  /// Copies the data to a device; not the images that a store has.
  static TensorData from(const Dataset& data, torch::Device device);
  std::int64_t size() const { return labels.size(0); }
  /// Images begin .. begin + length - 1, in memory. Throws Error naming the file when one cannot be
  /// decoded.
  TensorData slice(std::int64_t begin, std::int64_t length) const;
  /// Those at the places that a tensor of 64-bit indices has, likewise.
  TensorData select(const torch::Tensor& places) const;
  /// The same with their pixels, which were read elsewhere (DecodingQueue).
  TensorData select(const torch::Tensor& places, Bytes pixels) const;
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
