#include "agent/nn/engine.h"

#include <algorithm>
#include <utility>

#include "agent/nn/batch_gradients.h"
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

Engine::Engine(const Network& network, int threads, TensorDevice device)
    : model_(network), device_(torch_device(device)), pool_(device_.is_cuda() ? 1 : threads) {
  if (device_.is_cuda()) {
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
  }
}

Weights Engine::to_device(const Weights& weights) const {
  Weights moved;
  for (const NodeWeights& node : weights) {
    NodeWeights tensors;
    for (const auto tensor :
         {&NodeWeights::weight, &NodeWeights::bias, &NodeWeights::mean, &NodeWeights::variance}) {
      if ((node.*tensor).defined()) tensors.*tensor = (node.*tensor).to(device_);
    }
    moved.push_back(std::move(tensors));
  }
  return moved;
}

void Engine::for_pieces(const TensorData& data, std::int64_t size,
                        const std::function<void(int index, const TensorData& piece)>& body) {
  pool_.run(pieces(data.size(), size),
            [&](int index) { body(index, piece_of(data, size, index)); });
}

Score Engine::score(const Weights& weights, const Hooks& hooks, const TensorData& data) {
  const std::int64_t size = device_.is_cuda() ? kGpuPiece : kScorePiece;
  std::vector<Score> scores(static_cast<std::size_t>(pieces(data.size(), size)));
  for_pieces(data, size, [&](int index, const TensorData& piece) {
    const torch::NoGradGuard no_gradient;
    const torch::Tensor logits = model_.forward(piece.images, weights, hooks);
    scores[static_cast<std::size_t>(index)] = score_with_answers(logits, piece.labels);
  });
  return total(scores);
}

Score Engine::gradients(const Weights& at, const Hooks& hooks, const TensorData& batch,
                        Weights& gradients) {
  const std::int64_t size = device_.is_cuda() ? batch.size() : kGradientPiece;
  std::vector<TensorData> cut;
  for (int index = 0; index < pieces(batch.size(), size); ++index) {
    cut.push_back(piece_of(batch, size, index));
  }
  return BatchGradients(model_, pool_, at, hooks, std::move(cut)).compute(gradients);
}

}  // namespace bittern
