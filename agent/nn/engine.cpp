#include "agent/nn/engine.h"

#include <algorithm>

#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

// Pieces are small enough to share out over some cores and to stay in their caches.
constexpr std::int64_t kScorePiece = 64;
constexpr std::int64_t kGradientPiece = 32;
constexpr std::int64_t kGpuPiece = 1024;

torch::Device torch_device(TensorDevice device) {
  const bool available = torch::cuda::is_available();
  if (device == TensorDevice::kCuda && !available) {
    fail_usage("--device cuda: LibTorch sees no usable GPU here; use --device cpu or auto");
  }
  return device != TensorDevice::kCpu && available ? torch::kCUDA : torch::kCPU;
}

int pieces(std::int64_t size, std::int64_t piece) {
  return static_cast<int>((size + piece - 1) / piece);
}

TensorData piece_of(const TensorData& data, std::int64_t size, int index) {
  const std::int64_t begin = size * index;
  const std::int64_t length = std::min(size, data.size() - begin);
  return {data.images.narrow(0, begin, length), data.labels.narrow(0, begin, length)};
}

torch::Tensor summed_loss(const torch::Tensor& logits, const torch::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum);
}

torch::Tensor correct_answers(const torch::Tensor& logits, const torch::Tensor& labels) {
  return logits.argmax(1).eq(labels);
}

std::vector<bool> image_by_image(const torch::Tensor& correct) {
  const torch::Tensor bytes = correct.to(torch::kUInt8).cpu().contiguous();
  const auto* const begin = bytes.data_ptr<std::uint8_t>();
  return std::vector<bool>(begin, begin + bytes.numel());
}

Score score_of(const torch::Tensor& logits, const torch::Tensor& labels,
               const torch::Tensor& loss_sum) {
  Score score;
  score.images = labels.size(0);
  score.correct = correct_answers(logits, labels).sum().item<std::int64_t>();
  score.loss_sum = loss_sum.item<double>();
  return score;
}

Score total(const std::vector<Score>& scores) {
  Score sum;
  for (const Score& score : scores) sum += score;
  return sum;
}

}  // namespace

TensorDevice tensor_device_of(const std::string& name) {
  if (name == "auto") return TensorDevice::kAuto;
  if (name == "cpu") return TensorDevice::kCpu;
  if (name == "cuda") return TensorDevice::kCuda;
  fail_usage("device '{}' is not known; expected auto, cpu or cuda", name);
}

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

Engine::Engine(const Network& network, int threads, TensorDevice device)
    : model_(network), device_(torch_device(device)), pool_(device_.is_cuda() ? 1 : threads) {
  if (device_.is_cuda()) {
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
  }
}

Weights Engine::to_device(const Weights& weights) const {
  Weights moved;
  for (const LayerWeights& layer : weights) {
    moved.push_back({layer.weight.to(device_), layer.bias.to(device_)});
  }
  return moved;
}

Score Engine::score(const Weights& weights, const InputHook& hook, const TensorData& data) {
  const std::int64_t size = device_.is_cuda() ? kGpuPiece : kScorePiece;
  std::vector<Score> scores(static_cast<std::size_t>(pieces(data.size(), size)));
  pool_.run(static_cast<int>(scores.size()), [&](int index) {
    const torch::NoGradGuard no_gradient;
    const TensorData piece = piece_of(data, size, index);
    const torch::Tensor logits = model_.forward(piece.images, weights, hook);
    Score& score = scores[static_cast<std::size_t>(index)];
    score = score_of(logits, piece.labels, summed_loss(logits, piece.labels));
    score.answers = image_by_image(correct_answers(logits, piece.labels));
  });
  return total(scores);
}

Score Engine::gradients(const Weights& at, const InputHook& hook, const TensorData& batch,
                        Weights& gradients) {
  const std::int64_t size = device_.is_cuda() ? batch.size() : kGradientPiece;
  const auto count = static_cast<std::size_t>(pieces(batch.size(), size));
  std::vector<Score> scores(count);
  std::vector<torch::autograd::variable_list> found(count);
  pool_.run(static_cast<int>(count), [&](int index) {
    const TensorData piece = piece_of(batch, size, index);
    // Leaves of this piece's own graph that share the weights' memory.
    Weights leaves;
    torch::autograd::variable_list inputs;
    for (const LayerWeights& layer : at) {
      leaves.push_back(
          {layer.weight.detach().requires_grad_(true), layer.bias.detach().requires_grad_(true)});
      inputs.push_back(leaves.back().weight);
      inputs.push_back(leaves.back().bias);
    }
    const torch::Tensor logits = model_.forward(piece.images, leaves, hook);
    const torch::Tensor loss = summed_loss(logits, piece.labels);
    found[static_cast<std::size_t>(index)] =
        torch::autograd::grad({loss / static_cast<double>(batch.size())}, inputs);
    scores[static_cast<std::size_t>(index)] = score_of(logits, piece.labels, loss);
  });
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < at.size(); ++i) {
    gradients[i] = {found[0][2 * i], found[0][2 * i + 1]};
    for (std::size_t index = 1; index < count; ++index) {
      gradients[i].weight.add_(found[index][2 * i]);
      gradients[i].bias.add_(found[index][2 * i + 1]);
    }
  }
  return total(scores);
}

}  // namespace bittern
