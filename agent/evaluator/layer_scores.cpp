#include "agent/evaluator/layer_scores.h"

#include <algorithm>
#include <utility>

#include "agent/torch.h"
#include "host/base/random.h"

namespace bittern {
namespace {

/// Images that go through the network together: the Fisher information needs the gradient of each
/// alone.
constexpr std::int64_t kHessianPiece = 16;
constexpr std::int64_t kFisherPiece = 1;
/// Traces need fewer images than they need backward passes.
constexpr std::int64_t kHessianImages = 64;

/// The operands of all layers in one pass, as ends that gradients are taken at.
struct Pass {
  std::vector<torch::Tensor> weights;
  std::vector<torch::Tensor> inputs;
  torch::Tensor loss;  ///< summed over the images
};

Pass forward(const Model& model, const Weights& weights, const TensorData& piece) {
  const std::size_t layers = model.network().layers.size();
  Pass pass;
  pass.inputs.resize(layers);
  Weights ends = weights;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    torch::Tensor& weight = ends[model.slot_of_layer(layer)].weight;
    weight = weight.detach().requires_grad_(true);
    pass.weights.push_back(weight);
  }
  const torch::Tensor logits =
      model.forward(piece.images, ends, [&pass](std::size_t layer, const torch::Tensor& input) {
        pass.inputs[layer] = input.requires_grad() ? input : input.detach().requires_grad_(true);
        return pass.inputs[layer];
      });
  pass.loss = summed_loss(logits, piece.labels);
  return pass;
}

std::vector<torch::Tensor> both(const Pass& pass) {
  std::vector<torch::Tensor> all = pass.weights;
  all.insert(all.end(), pass.inputs.begin(), pass.inputs.end());
  return all;
}

torch::Tensor signs_like(const torch::Tensor& tensor, Rng& rng) {
  torch::Tensor signs = torch::empty(tensor.sizes(), torch::kFloat32);
  auto* const values = signs.data_ptr<float>();
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < signs.numel(); ++i, bits >>= 1) {
    if (i % 64 == 0) bits = rng.next();
    values[i] = (bits & 1) != 0 ? 1.0f : -1.0f;
  }
  return signs.to(tensor.device());
}

/// Sums over the images of one piece, by operand and width; halves and means come at the end.
struct Sums {
  std::vector<std::array<double, LayerScores::kWidths>> weights;
  std::vector<std::array<double, LayerScores::kWidths>> activations;
};

template <typename Value>
std::array<double, LayerScores::kWidths> for_widths(const QuantiserOf& quantiser_of,
                                                    std::size_t layer, Value value) {
  std::array<double, LayerScores::kWidths> out{};
  for (int bits = 1; bits < LayerScores::kWidths; ++bits) {
    const LinearQuantiser* quantiser = quantiser_of(layer, bits);
    if (quantiser != nullptr) out[static_cast<std::size_t>(bits)] = value(*quantiser);
  }
  return out;
}

torch::Tensor error_of(const LinearQuantiser& quantiser, const torch::Tensor& values) {
  const torch::NoGradGuard no_gradient;
  return quantiser.fake_quantise(values.detach()) - values.detach();
}

double square(double x) { return x * x; }

/// (g . d)^2 of one image.
Sums fisher_sums(const Model& model, const Weights& weights, const TensorData& image,
                 const QuantiserOf& weight_quantiser, const QuantiserOf& activation_quantiser) {
  const Pass pass = forward(model, weights, image);
  const std::size_t layers = pass.weights.size();
  const auto gradients = torch::autograd::grad({pass.loss}, both(pass));
  Sums sums;
  const auto along = [](const torch::Tensor& gradient, const torch::Tensor& values) {
    return [&gradient, &values](const LinearQuantiser& quantiser) {
      return square((gradient * error_of(quantiser, values)).sum().item<double>());
    };
  };
  for (std::size_t layer = 0; layer < layers; ++layer) {
    sums.weights.push_back(
        for_widths(weight_quantiser, layer, along(gradients[layer], pass.weights[layer])));
    sums.activations.push_back(for_widths(activation_quantiser, layer,
                                          along(gradients[layers + layer], pass.inputs[layer])));
  }
  return sums;
}

/// v . Hv for each of the images (dimension 0 of `end`, or one value for all of them), the mean
/// over probes. H is the block of `end` alone: probes of all operands at once would cost less, but
/// what the blocks between them add is noise, more of it than there is signal.
torch::Tensor trace_of(const torch::Tensor& gradient, const torch::Tensor& end, bool by_image,
                       Rng& rng, int probes) {
  torch::Tensor trace = torch::zeros({by_image ? end.size(0) : 1}, end.device());
  // Where the loss is linear in the operand there is no second derivative.
  if (!gradient.requires_grad()) return trace;
  for (int probe = 0; probe < probes; ++probe) {
    const torch::Tensor signs = signs_like(end, rng);
    const torch::Tensor product =
        torch::autograd::grad({(gradient * signs).sum()}, {end}, {}, /*retain_graph=*/true,
                              /*create_graph=*/false, /*allow_unused=*/true)[0];
    if (!product.defined()) return trace;
    const torch::Tensor values = product * signs / static_cast<double>(probes);
    trace += by_image ? values.flatten(1).sum(1) : values.sum().view({1});
  }
  return trace;
}

/// tr(H) / n |d|^2, summed over the images of a piece.
Sums hessian_sums(const Model& model, const Weights& weights, const TensorData& piece,
                  const QuantiserOf& weight_quantiser, const QuantiserOf& activation_quantiser,
                  Rng rng, int probes) {
  const Pass pass = forward(model, weights, piece);
  const std::size_t layers = pass.weights.size();
  const auto gradients = torch::autograd::grad({pass.loss}, both(pass), {}, /*retain_graph=*/true,
                                               /*create_graph=*/true);
  Sums sums;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const torch::Tensor& weight = pass.weights[layer];
    const double weight_trace =
        trace_of(gradients[layer], weight, false, rng, probes).item<double>();
    sums.weights.push_back(
        for_widths(weight_quantiser, layer, [&](const LinearQuantiser& quantiser) {
          return weight_trace / static_cast<double>(weight.numel()) *
                 error_of(quantiser, weight).square().sum().item<double>();
        }));
    const torch::Tensor& input = pass.inputs[layer];
    const double each = static_cast<double>(input.numel()) / static_cast<double>(input.size(0));
    const torch::Tensor traces = trace_of(gradients[layers + layer], input, true, rng, probes);
    sums.activations.push_back(
        for_widths(activation_quantiser, layer, [&](const LinearQuantiser& quantiser) {
          const torch::Tensor squares = error_of(quantiser, input).square().flatten(1).sum(1);
          return (squares * traces).sum().item<double>() / each;
        }));
  }
  return sums;
}

void add(std::vector<std::array<double, LayerScores::kWidths>>& to,
         const std::vector<std::array<double, LayerScores::kWidths>>& more, double factor) {
  to.resize(more.size());
  for (std::size_t layer = 0; layer < more.size(); ++layer) {
    for (std::size_t bits = 0; bits < more[layer].size(); ++bits) {
      to[layer][bits] += factor * more[layer][bits];
    }
  }
}

}  // namespace

LayerScores layer_scores(ScoreKind kind, Engine& engine, const Weights& weights,
                         const TensorData& all, const QuantiserOf& weight_quantiser,
                         const QuantiserOf& activation_quantiser, std::uint64_t seed, int probes) {
  const bool fisher = kind == ScoreKind::kFisher;
  const std::int64_t size = fisher ? kFisherPiece : kHessianPiece;
  const std::int64_t count = fisher ? all.size() : std::min(all.size(), kHessianImages);
  const TensorData data = all.slice(0, count);
  std::vector<Sums> sums(static_cast<std::size_t>((data.size() + size - 1) / size));
  const Rng rng(seed);
  engine.for_pieces(data, size, [&](int index, const TensorData& piece) {
    const torch::AutoGradMode with_gradients(true);
    sums[static_cast<std::size_t>(index)] =
        fisher
            ? fisher_sums(engine.model(), weights, piece, weight_quantiser, activation_quantiser)
            : hessian_sums(engine.model(), weights, piece, weight_quantiser, activation_quantiser,
                           rng.split(static_cast<std::uint64_t>(index)), probes);
  });
  LayerScores scores;
  const double factor = 0.5 / static_cast<double>(data.size());
  for (const Sums& piece : sums) {
    add(scores.weights, piece.weights, factor);
    add(scores.activations, piece.activations, factor);
  }
  // A trace is estimated, and of a loss that is not convex: what comes out below zero says no more
  // than that nothing is to be feared.
  for (auto* operand : {&scores.weights, &scores.activations}) {
    for (auto& layer : *operand) {
      for (double& score : layer) score = std::max(score, 0.0);
    }
  }
  const auto operands = static_cast<std::int64_t>(2 * scores.weights.size());
  scores.backward_images = count * (fisher ? 1 : 1 + operands * probes);
  return scores;
}

LazyScores::LazyScores(std::function<LayerScores()> compute, std::int64_t images)
    : compute_(std::move(compute)), images_(images) {}

const LayerScores& LazyScores::scores() {
  if (!scores_) scores_ = compute_();
  return *scores_;
}

double LazyScores::weight_score(std::size_t layer, int bits) {
  return scores().weights.at(layer).at(static_cast<std::size_t>(bits));
}

double LazyScores::activation_score(std::size_t layer, int bits) {
  return scores().activations.at(layer).at(static_cast<std::size_t>(bits));
}

double LazyScores::spent() const {
  constexpr double kForwardPasses = 3.0;
  return scores_ ? kForwardPasses * static_cast<double>(scores_->backward_images) /
                       static_cast<double>(images_)
                 : 0.0;
}

}  // namespace bittern
