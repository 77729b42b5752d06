#include "agent/evaluator/network_quantisers.h"

#include <algorithm>
#include <memory>

#include "agent/evaluator/stored_integers.h"
#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

/// Images that go through the network at once while it is calibrated.
constexpr std::int64_t kPiece = 64;

/// Thresholds are whole multiples of the bins of a histogram, so that two of one map stand in small
/// whole ratios: of the 255 codes that are stored some would lie in the middle between two codes of
/// a layer, exactly, where single precision and integers decide as they like. With this factor they
/// lie a little above it.
constexpr float kOffHalves = 1.0f - 1.0f / 4096.0f;

ChannelStatistics channel_statistics(const torch::Tensor& x) {
  const torch::Tensor map = (x.dim() == 2 ? x.unsqueeze(2) : x.flatten(2)).to(torch::kFloat64);
  const std::vector<std::int64_t> all = {0, 2};
  const torch::Tensor mean = map.mean(all, /*keepdim=*/true);
  return {mean.flatten(), (map - mean).square().mean(all).sqrt_()};
}

/// A bias as whole multiples of what a unit of the layer's sums is worth. In double precision:
/// biases have more digits than a float.
torch::Tensor in_units(const torch::Tensor& bias, const std::vector<float>& weight_scales,
                       float input_scale) {
  const torch::Tensor units = torch::tensor(weight_scales, torch::kFloat64)
                                  .mul_(static_cast<double>(input_scale))
                                  .to(bias.device());
  return (bias.to(torch::kFloat64) / units).round_().mul_(units).to(torch::kFloat32);
}

/// One way through a network that shows the sums of every layer, before its ReLU, and goes on with
/// what `show` leaves in them.
template <typename Show>
void pass_layers(const Model& model, const torch::Tensor& images, const Weights& weights,
                 const Hooks& hooks, Show show) {
  const Graph& graph = model.graph();
  const std::vector<int> layer_of = layer_nodes(graph);
  std::vector<int> uses = use_counts(graph);
  Values values{Model::pixels(images), std::vector<torch::Tensor>(graph.nodes.size())};
  std::size_t layer = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node bare = graph.nodes[i];
    bare.attributes.relu = false;
    const bool is_layer = layer < layer_of.size() && layer_of[layer] == static_cast<int>(i);
    std::vector<torch::Tensor> inputs;
    for (const int source : bare.inputs) inputs.push_back(values.of(source));
    if (is_layer && hooks.input) inputs[0] = hooks.input(layer, inputs[0]);
    const int slot = model.slot_of_node(i);
    torch::Tensor x =
        compute_node(bare, inputs, slot < 0 ? nullptr : &weights[static_cast<std::size_t>(slot)]);
    if (is_layer) show(layer++, x);
    if (graph.nodes[i].attributes.relu) x = at::relu(x);
    if (hooks.stored && model.stores(i)) x = hooks.stored(i, x);
    values.nodes[i] = x;
    for (const int source : bare.inputs) {
      if (source == kImage || --uses[static_cast<std::size_t>(source)] > 0) continue;
      values.nodes[static_cast<std::size_t>(source)] = torch::Tensor();
    }
  }
}

std::vector<ChannelStatistics> statistics_of(const Model& model, const torch::Tensor& images,
                                             const Weights& weights, const Hooks& hooks) {
  const torch::NoGradGuard no_gradient;
  std::vector<ChannelStatistics> found(model.network().layers.size());
  pass_layers(model, images, weights, hooks, [&](std::size_t layer, torch::Tensor& sums) {
    found[layer] = channel_statistics(sums);
  });
  return found;
}

}  // namespace

NetworkQuantisers::NetworkQuantisers(Engine& engine, const Weights& weights,
                                     QuantiserOptions options)
    : engine_(&engine), weights_(&weights), options_(options) {}

void NetworkQuantisers::calibrate(const TensorData& images) {
  const QuantisationScheme& scheme = engine_->model().scheme();
  samples_.clear();
  for (const CodePoint& point : scheme.points) samples_.emplace_back(Magnitudes(!point.is_signed));
  const auto pass = [&](void (Magnitudes::*look)(Span<const float>)) {
    const torch::NoGradGuard no_gradient;
    const auto see = [&](int point, const torch::Tensor& x) {
      const torch::Tensor values = x.cpu().contiguous();
      ((*samples_[static_cast<std::size_t>(point)]).*
       look)({values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
      return x;
    };
    const Hooks hooks([&](std::size_t layer,
                          const torch::Tensor& x) { return see(scheme.point_of_layer[layer], x); },
                      [&](std::size_t node, const torch::Tensor& x) {
                        return see(scheme.point_of_node[node], x);
                      });
    for (std::int64_t first = 0; first < images.size(); first += kPiece) {
      const std::int64_t count = std::min(kPiece, images.size() - first);
      engine_->model().forward(images.images.narrow(0, first, count), *weights_, hooks);
    }
  };
  // The bins of a histogram depend on the greatest value.
  pass(&Magnitudes::measure);
  pass(&Magnitudes::count);
}

void NetworkQuantisers::check_weight_bits(int bits) const {
  weight_range(bits);
  if (options_.weights.kind == WeightKind::kWrpn && bits < 2) {
    fail_usage("weights of {} bits: WRPN's expected 2..8", bits);
  }
}

void NetworkQuantisers::check(const Policy& policy) const {
  if (policy.size() != layers().size()) {
    fail_usage("a policy of {} layers for network {}, which has {}", policy.size(),
               engine_->model().network().name, layers().size());
  }
  for (std::size_t i = 0; i < policy.size(); ++i) {
    try {
      if (!options_.float_weights) check_weight_bits(policy[i].weight);
      if (!options_.float_activations) {
        activation_range(policy[i].activation, layers()[i].signed_input);
      }
    } catch (const Error& error) {
      fail_usage("layer {}: {}", layers()[i].name, error.what());
    }
  }
}

torch::Tensor NetworkQuantisers::bent(const torch::Tensor& weight) const {
  return options_.weights.kind == WeightKind::kDorefa ? dorefa_bent(weight) : weight;
}

const LinearQuantiser& NetworkQuantisers::weight(std::size_t layer, int bits) {
  const auto key = std::pair(layer, bits);
  auto found = weight_quantisers_.find(key);
  if (found == weight_quantisers_.end()) {
    const LinearQuantiser quantiser =
        weight_quantiser((*weights_)[slot(layer)].weight.cpu(), bits, options_.weights);
    found = weight_quantisers_.emplace(key, quantiser.to(engine_->device())).first;
  }
  return found->second;
}

const CodebookQuantiser& NetworkQuantisers::codebook(std::size_t layer, int bits) {
  const auto key = std::pair(layer, bits);
  auto found = codebooks_.find(key);
  if (found == codebooks_.end()) {
    const CodebookQuantiser quantiser((*weights_)[slot(layer)].weight.cpu(), bits);
    found = codebooks_.emplace(key, quantiser.to(engine_->device())).first;
  }
  return found->second;
}

const LinearQuantiser& NetworkQuantisers::activation(std::size_t layer, int bits) {
  const auto key = std::pair(layer, bits);
  auto found = activation_quantisers_.find(key);
  if (found == activation_quantisers_.end()) {
    const auto point = static_cast<std::size_t>(engine_->model().scheme().point_of_layer[layer]);
    const CodeRange range = activation_range(bits, layers()[layer].signed_input);
    float threshold = samples_[point]->threshold(range, bits, options_.activations);
    if (bits < kStoredBits) threshold *= kOffHalves;
    found = activation_quantisers_.emplace(key, LinearQuantiser(range, threshold)).first;
  }
  return found->second;
}

const LinearQuantiser& NetworkQuantisers::stored(std::size_t node) {
  auto found = stored_quantisers_.find(node);
  if (found == stored_quantisers_.end()) {
    const QuantisationScheme& scheme = engine_->model().scheme();
    const auto point = static_cast<std::size_t>(scheme.point_of_node[node]);
    found = stored_quantisers_
                .emplace(node,
                         activation_quantiser(*samples_[point], kStoredBits,
                                              scheme.points[point].is_signed, options_.activations))
                .first;
  }
  return found->second;
}

LinearQuantiser NetworkQuantisers::weight(std::size_t layer, const Policy& policy,
                                          const Adjustments& adjustments) {
  const int bits = policy[layer].weight;
  LinearQuantiser start = adjustments.scales ? LinearQuantiser::with_scales(
                                                   weight_code_range(options_.weights.kind, bits),
                                                   adjustments.scales->weights[layer])
                                                   .to(engine_->device())
                                             : weight(layer, bits);
  if (adjustments.gains.empty()) return start;
  return start.times(adjustments.gains[layer]).to(engine_->device());
}

LinearQuantiser NetworkQuantisers::activation(std::size_t layer, const Policy& policy,
                                              const Adjustments& adjustments) {
  const int bits = policy[layer].activation;
  const CodeRange range = activation_range(bits, layers()[layer].signed_input);
  if (!adjustments.thresholds.empty()) return {range, adjustments.thresholds[layer]};
  if (!adjustments.scales) return activation(layer, bits);
  return LinearQuantiser::with_scales(range, {adjustments.scales->activations[layer]});
}

LinearQuantiser NetworkQuantisers::stored(std::size_t node, const Adjustments& adjustments) {
  if (!adjustments.scales) return stored(node);
  const QuantisationScheme& scheme = engine_->model().scheme();
  const auto point = static_cast<std::size_t>(scheme.point_of_node[node]);
  return LinearQuantiser::with_scales(activation_range(kStoredBits, scheme.points[point].is_signed),
                                      {adjustments.scales->stored.at(node)});
}

template <typename Check, typename Find>
QuantiserOf NetworkQuantisers::all_of(bool is_float, Check check, Find find) {
  // All made beforehand: they are asked for by several threads at once.
  std::vector<std::vector<const LinearQuantiser*>> all(layers().size());
  for (std::size_t layer = 0; layer < all.size(); ++layer) {
    for (int bits = 0; bits < LayerScores::kWidths; ++bits) {
      all[layer].push_back(nullptr);
      if (is_float) continue;
      try {
        check(layer, bits);
      } catch (const Error&) {
        continue;
      }
      all[layer].back() = find(layer, bits);
    }
  }
  return [all = std::move(all)](std::size_t layer, int bits) {
    return all[layer][static_cast<std::size_t>(bits)];
  };
}

QuantiserOf NetworkQuantisers::all_weights() {
  return all_of(
      options_.float_weights, [this](std::size_t, int bits) { check_weight_bits(bits); },
      [this](std::size_t layer, int bits) { return &weight(layer, bits); });
}

QuantiserOf NetworkQuantisers::all_activations() {
  return all_of(
      options_.float_activations,
      [this](std::size_t layer, int bits) { activation_range(bits, layers()[layer].signed_input); },
      [this](std::size_t layer, int bits) { return &activation(layer, bits); });
}

WeightView NetworkQuantisers::weight_view(const Policy& policy, const Adjustments& adjustments) {
  std::vector<float> scales;
  if (!options_.float_activations) {
    for (std::size_t i = 0; i < policy.size(); ++i) {
      scales.push_back(activation(i, policy, adjustments).scales().front());
    }
  }
  return weight_view(policy, adjustments,
                     [scales = std::move(scales)](std::size_t layer) { return scales[layer]; });
}

WeightView NetworkQuantisers::weight_view(const Policy& policy, const Adjustments& adjustments,
                                          InputScale input_scale) {
  if (options_.float_weights) return [](const Weights& master) { return master; };
  if (codebooks()) {
    std::vector<const CodebookQuantiser*> quantisers;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      quantisers.push_back(&codebook(i, policy[i].weight));
    }
    return [this, quantisers](const Weights& master) {
      Weights view = master;
      for (std::size_t i = 0; i < quantisers.size(); ++i) {
        view[slot(i)].weight = quantisers[i]->fake_quantise(master[slot(i)].weight);
      }
      return view;
    };
  }
  std::vector<LinearQuantiser> quantisers;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    quantisers.push_back(weight(i, policy, adjustments));
  }
  return [this, quantisers = std::move(quantisers),
          input_scale = std::move(input_scale)](const Weights& master) {
    const torch::NoGradGuard no_gradient;
    Weights view = master;
    for (std::size_t i = 0; i < quantisers.size(); ++i) {
      NodeWeights& tensors = view[slot(i)];
      tensors.weight = quantisers[i].fake_quantise(bent(tensors.weight));
      if (options_.float_activations || !tensors.bias.defined()) continue;
      tensors.bias = in_units(tensors.bias, quantisers[i].scales(), input_scale(i));
    }
    return view;
  };
}

StoreHook NetworkQuantisers::store_hook(const Adjustments& adjustments) {
  std::vector<std::optional<LinearQuantiser>> quantisers(engine_->model().graph().nodes.size());
  for (const std::size_t node : engine_->model().scheme().stored()) {
    quantisers[node] = stored(node, adjustments);
  }
  return [quantisers = std::move(quantisers)](std::size_t node, const torch::Tensor& x) {
    const bool gradient = x.requires_grad() && at::GradMode::is_enabled();
    return gradient ? quantisers[node]->fake_quantise_with_gradient(x)
                    : quantisers[node]->fake_quantise(x);
  };
}

Hooks NetworkQuantisers::hooks(const Policy& policy, const Adjustments& adjustments) {
  if (options_.float_activations) return {};
  std::vector<LinearQuantiser> quantisers;
  // What is stored in the layer's own codes is not rounded once more.
  std::vector<bool> done;
  const QuantisationScheme& scheme = engine_->model().scheme();
  const std::vector<int> nodes = layer_nodes(engine_->model().graph());
  for (std::size_t i = 0; i < policy.size(); ++i) {
    quantisers.push_back(activation(i, policy, adjustments));
    const Node& node = engine_->model().graph().nodes[static_cast<std::size_t>(nodes[i])];
    const CodePoint& from =
        scheme.points[static_cast<std::size_t>(scheme.point_of(node.inputs[0]))];
    done.push_back(from.kind == CodePoint::Kind::kStored &&
                   stored(from.place, adjustments) == quantisers.back());
  }
  return {[quantisers = std::move(quantisers), done = std::move(done)](std::size_t layer,
                                                                       const torch::Tensor& x) {
            if (done[layer]) return x;
            const bool gradient = x.requires_grad() && at::GradMode::is_enabled();
            return gradient ? quantisers[layer].fake_quantise_with_gradient(x)
                            : quantisers[layer].fake_quantise(x);
          },
          store_hook(adjustments)};
}

bool NetworkQuantisers::free_scales() const {
  return options_.weights.per_channel && !options_.float_weights &&
         options_.weights.kind == WeightKind::kLinear;
}

std::vector<ChannelStatistics> NetworkQuantisers::output_statistics(
    const torch::Tensor& images) const {
  return statistics_of(engine_->model(), images, *weights_, {});
}

std::vector<ChannelStatistics> NetworkQuantisers::output_statistics(
    const torch::Tensor& images, const Policy& policy, const Weights& master,
    const Adjustments& adjustments) {
  return statistics_of(engine_->model(), images, weight_view(policy, adjustments)(master),
                       hooks(policy, adjustments));
}

void NetworkQuantisers::re_estimate(const torch::Tensor& images,
                                    const std::vector<ChannelStatistics>& wanted,
                                    const Policy& policy, Weights& master,
                                    Adjustments& adjustments) {
  const torch::NoGradGuard no_gradient;
  const Weights view = weight_view(policy, adjustments)(master);
  std::vector<std::vector<float>> gains;
  pass_layers(
      engine_->model(), images, view, hooks(policy, adjustments),
      [&](std::size_t layer, torch::Tensor& sums) {
        NodeWeights& tensors = master[slot(layer)];
        torch::Tensor gain = torch::ones({sums.size(1)}, sums.options().dtype(torch::kFloat64));
        const torch::Tensor& bias = view[slot(layer)].bias;
        if (bias.defined() && wanted[layer].mean.defined()) {
          const ChannelStatistics found = channel_statistics(sums);
          if (free_scales()) {
            // A channel that says the same of all images has no deviation to correct.
            const torch::Tensor ratio = wanted[layer].deviation / found.deviation;
            gain = torch::where((found.deviation > 0).logical_and(wanted[layer].deviation > 0),
                                ratio, gain);
          }
          // As the scales will have it, in single precision.
          gain = gain.to(torch::kFloat32);
          const torch::Tensor shift = (wanted[layer].mean - gain * found.mean).to(torch::kFloat32);
          sums = sums * per_channel(gain, sums) + per_channel(shift, sums);
          tensors.bias = bias * gain + shift;
          std::vector<std::int64_t> rows(static_cast<std::size_t>(tensors.weight.dim()), 1);
          rows[0] = gain.size(0);
          tensors.weight = tensors.weight * gain.view(rows);
        }
        const torch::Tensor numbers = gain.to(torch::kFloat32).cpu().contiguous();
        gains.emplace_back(numbers.data_ptr<float>(), numbers.data_ptr<float>() + numbers.numel());
      });
  if (!free_scales()) return;
  if (adjustments.gains.empty()) {
    adjustments.gains = std::move(gains);
    return;
  }
  for (std::size_t layer = 0; layer < gains.size(); ++layer) {
    for (std::size_t c = 0; c < gains[layer].size(); ++c) {
      adjustments.gains[layer][c] *= gains[layer][c];
    }
  }
}

NetworkQuantisers NetworkQuantisers::complete(const Weights& master) const {
  NetworkQuantisers all = *this;
  if (options_.float_weights) {
    all.weights_ = &master;
    all.weight_quantisers_.clear();
  }
  all.options_.float_weights = false;
  all.options_.float_activations = false;
  return all;
}

QuantisedNetwork NetworkQuantisers::integers(const Weights& master, const Policy& policy,
                                             const Adjustments& adjustments) {
  const Model& model = engine_->model();
  if (codebooks()) {
    fail_usage(
        "weights in codebooks (k-means) have no codes that integers could multiply: take linear "
        "weights");
  }
  if (options_.float_weights || options_.float_activations) {
    fail_usage("integers need codes of weights and of activations: quantise both");
  }
  check(policy);
  std::vector<WeightFormat> formats;
  Weights tensors = master;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    const LinearQuantiser quantiser = weight(i, policy, adjustments);
    formats.push_back({quantiser.range(), quantiser.scales()});
    tensors[slot(i)].weight = bent(tensors[slot(i)].weight);
  }
  std::vector<CodeFormat> activations;
  for (const CodePoint& point : model.scheme().points) {
    if (point.kind == CodePoint::Kind::kImage) continue;
    const LinearQuantiser quantiser = point.kind == CodePoint::Kind::kLayer
                                          ? activation(point.place, policy, adjustments)
                                          : stored(point.place, adjustments);
    activations.push_back({quantiser.range(), quantiser.scales().front()});
  }
  return stored_integers(model.network().name, model.graph(), model.write_weights(tensors), policy,
                         formats, activations);
}

}  // namespace bittern
