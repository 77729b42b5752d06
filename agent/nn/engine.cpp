#include "agent/nn/engine.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "agent/data/decoding_queue.h"
#include "agent/nn/batch_gradients.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/processors.h"

namespace bittern {
namespace {

// Pieces are small enough to share out over some cores and to stay in their caches.
constexpr std::int64_t kScorePiece = 64;
/// And fewer images where maps are large: their memory is given back and taken anew for every map,
/// which costs more than the arithmetic. LibTorch computes 1x1 convolutions of fewer images without
/// oneDNN, many times slower.
constexpr std::int64_t kMostValues = std::int64_t{1} << 22;
constexpr std::int64_t kLeastScorePiece = 16;
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

/// Images of a piece that is scored on the CPU.
std::int64_t score_piece(const Graph& graph) {
  std::int64_t greatest = graph.input.elements();
  for (const Node& node : graph.nodes) greatest = std::max(greatest, node.shape.elements());
  return std::clamp<std::int64_t>(kMostValues / greatest, kLeastScorePiece, kScorePiece);
}

TensorData piece_of(const TensorData& data, std::int64_t size, int index) {
  const std::int64_t begin = size * index;
  const std::int64_t length = std::min(size, data.size() - begin);
  return data.slice(begin, length);
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

int Engine::decoding_threads() const { return device_.is_cuda() ? processors() : pool_.threads(); }

void Engine::for_pieces(const TensorData& data, std::int64_t size,
                        const std::function<void(int index, const TensorData& piece)>& body) {
  const int count = pieces(data.size(), size);
  if (data.source && device_.is_cuda()) {
    // The one thread that feeds the GPU does not decode; others do, ahead of it.
    std::vector<int> order(static_cast<std::size_t>(data.size()));
    std::iota(order.begin(), order.end(), 0);
    DecodingQueue queue(*data.source, std::move(order), static_cast<int>(size), processors());
    for (int index = 0; index < count; ++index) {
      const std::int64_t begin = size * index;
      const std::int64_t end = std::min(begin + size, data.size());
      body(index, data.select(torch::arange(begin, end, torch::kInt64), queue.next()));
    }
    return;
  }
  pool_.run(count, [&](int index) { body(index, piece_of(data, size, index)); });
}

Score Engine::score(const Weights& weights, const Hooks& hooks, const TensorData& data,
                    const SharedPrefixes& prefixes,
                    const std::function<void(int images)>& on_images) {
  std::shared_ptr<const PrefixValues> known;
  std::size_t first = 0;  // node that is computed first
  std::size_t next = 0;   // cut that is reached next
  for (std::size_t i = prefixes.cuts.size(); i-- > 0 && known == nullptr;) {
    const auto& [cut, key] = prefixes.cuts[i];
    known = prefixes.cache->find(cut, key);
    if (known == nullptr) continue;
    first = cut;
    next = i + 1;
  }
  const std::int64_t size = device_.is_cuda() ? kGpuPiece : score_piece(model_.graph());
  const auto count = static_cast<std::size_t>(pieces(data.size(), size));
  std::vector<Score> scores(count);
  std::vector<PrefixValues> left(prefixes.cuts.size(), PrefixValues(count));
  for_pieces(data, size, [&](int index, const TensorData& piece) {
    const torch::NoGradGuard no_gradient;
    const auto place = static_cast<std::size_t>(index);
    Values values = known == nullptr ? model_.begin(piece.images) : (*known)[place];
    std::size_t node = first;
    for (std::size_t i = next; i < prefixes.cuts.size(); ++i) {
      const std::size_t cut = prefixes.cuts[i].first;
      model_.advance(node, cut, weights, hooks, values);
      left[i][place].nodes = values.nodes;  // behind a cut nobody takes the image
      node = cut;
    }
    model_.advance(node, model_.graph().nodes.size(), weights, hooks, values);
    scores[place] = score_with_answers(model_.logits(values), piece.labels);
    if (on_images) on_images(static_cast<int>(piece.size()));
  });
  for (std::size_t i = next; i < prefixes.cuts.size(); ++i) {
    prefixes.cache->insert(prefixes.cuts[i].first, prefixes.cuts[i].second, std::move(left[i]));
  }
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
