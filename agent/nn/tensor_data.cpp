#include "agent/nn/tensor_data.h"

#include "agent/torch.h"

namespace bittern {

TensorData TensorData::from(const Dataset& data, torch::Device device) {
  // from_blob wants a pointer it could write through; the copy follows at once.
  auto* const pixels = const_cast<std::uint8_t*>(data.images.data());
  auto* const labels = const_cast<std::uint8_t*>(data.labels.data());
  const std::int64_t count = data.size();
  TensorData tensors;
  tensors.images =
      torch::from_blob(pixels, {count, data.channels, data.height, data.width}, torch::kUInt8)
          .clone()
          .to(device);
  tensors.labels = torch::from_blob(labels, {count}, torch::kUInt8).to(torch::kInt64).to(device);
  return tensors;
}

torch::Tensor summed_loss(const torch::Tensor& logits, const torch::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum);
}

torch::Tensor correct_answers(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.argmax(1).eq(labels);
}

torch::Tensor answers_in_five(const torch::Tensor& logits, const torch::Tensor& labels) {
  const torch::Tensor own = logits.gather(1, labels.unsqueeze(1));
  // Counted as "not lower or equal", so that what is no number is no good answer.
  return logits.le(own).logical_not().sum(1).lt(5);
}

Score score_of(const torch::Tensor& logits, const torch::Tensor& labels,
               const torch::Tensor& loss_sum) {
  Score score;
  score.images = labels.size(0);
  score.correct = correct_answers(logits, labels).sum().item<std::int64_t>();
  score.correct_in_five = answers_in_five(logits, labels).sum().item<std::int64_t>();
  score.loss_sum = loss_sum.item<double>();
  return score;
}

Score score_with_answers(const torch::Tensor& logits, const torch::Tensor& labels) {
  Score score = score_of(logits, labels, summed_loss(logits, labels));
  const torch::Tensor bytes = correct_answers(logits, labels).to(torch::kUInt8).cpu().contiguous();
  const auto* const begin = bytes.data_ptr<std::uint8_t>();
  score.answers.assign(begin, begin + bytes.numel());
  const torch::Tensor classes = logits.argmax(1).cpu().contiguous();
  const auto* const first = classes.data_ptr<std::int64_t>();
  score.predictions.assign(first, first + classes.numel());
  return score;
}

}  // namespace bittern
