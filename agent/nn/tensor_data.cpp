#include "agent/nn/tensor_data.h"

#include <vector>

#include "agent/torch.h"

namespace bittern {

namespace {

/// Copies pixels, image after image, to a device.
torch::Tensor images_of(const Dataset& shape, std::int64_t count, Bytes pixels,
                        torch::Device device) {
  // from_blob wants a pointer it could write through; the copy follows at once.
  auto* const data = const_cast<std::uint8_t*>(pixels.data());
  return torch::from_blob(data, {count, shape.channels, shape.height, shape.width}, torch::kUInt8)
      .clone()
      .to(device);
}

}  // namespace

TensorData TensorData::from(const Dataset& data, torch::Device device) {
  auto* const labels = const_cast<std::int32_t*>(data.labels.data());
  const std::int64_t count = data.size();
  TensorData tensors;
  tensors.labels = torch::from_blob(labels, {count}, torch::kInt32).to(torch::kInt64).to(device);
  if (data.store) {
    tensors.source = std::make_shared<const Dataset>(data);
  } else {
    tensors.images = images_of(data, count, data.images, device);
  }
  return tensors;
}

TensorData TensorData::slice(std::int64_t begin, std::int64_t length) const {
  if (source) return select(torch::arange(begin, begin + length, torch::kInt64));
  return {images.narrow(0, begin, length), labels.narrow(0, begin, length)};
}

TensorData TensorData::select(const torch::Tensor& places) const {
  if (!source) return {images.index_select(0, places), labels.index_select(0, places)};
  const torch::Tensor here = places.cpu().contiguous();
  const auto* const indices = here.data_ptr<std::int64_t>();
  const std::size_t bytes = source->image_bytes();
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(here.numel()) * bytes);
  for (std::size_t i = 0; i < static_cast<std::size_t>(here.numel()); ++i) {
    source->read_image(static_cast<int>(indices[i]),
                       MutableBytes(pixels).subspan(i * bytes, bytes));
  }
  return select(places, pixels);
}

TensorData TensorData::select(const torch::Tensor& places, Bytes pixels) const {
  return {images_of(*source, places.size(0), pixels, labels.device()),
          labels.index_select(0, places.to(labels.device()))};
}

torch::Tensor summed_loss(const torch::Tensor& logits, const torch::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels, torch::Tensor(), at::Reduction::Sum);
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
