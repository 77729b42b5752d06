#include "agent/evaluator/fine_tune.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "agent/evaluator/norm_tuning.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

std::uint64_t seed_from(const std::string& text) {
  return std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16);
}

Weights copy_of(const Weights& weights) {
  Weights copies = weights;
  for (NodeWeights& node : copies) {
    for (torch::Tensor* tensor : {&node.weight, &node.bias, &node.mean, &node.variance}) {
      if (tensor->defined()) *tensor = tensor->clone();
    }
  }
  return copies;
}

}  // namespace

FineTuner::FineTuner(const Graph& unfolded, const Engine& engine, const Weights& weights,
                     NetworkQuantisers& quantisers, const TensorData& train,
                     torch::Tensor re_estimation, std::shared_ptr<const PolicyScales> own,
                     const FakeQuantOptions& options)
    : engine_(&engine),
      weights_(&weights),
      quantisers_(&quantisers),
      train_(&train),
      re_estimation_(std::move(re_estimation)),
      own_(std::move(own)),
      trained_ranges_(options.trained_ranges),
      float_weights_(options.float_weights),
      re_estimate_(options.re_estimate),
      seed_(options.seed),
      normed_(layers_with_norm(unfolded, engine.model().network())) {
  if (re_estimate_ || tunes_norms()) outputs_ = quantisers_->output_statistics(re_estimation_);
}

bool FineTuner::tunes_norms() const {
  return (quantisers_->free_scales() || float_weights_) &&
         std::any_of(normed_.begin(), normed_.end(), [](bool norm) { return norm; });
}

TunedNetwork FineTuner::untuned(const Policy& policy, bool tunes) const {
  TunedNetwork network{copy_of(*weights_), {}};
  if (owns(policy)) {
    network.adjustments.scales = own_;
    return network;
  }
  if (re_estimate_ || (tunes && tunes_norms())) {
    quantisers_->re_estimate(re_estimation_, outputs_, policy, network.master, network.adjustments);
  }
  return network;
}

void FineTuner::tune(Engine& engine, TunedNetwork& network, const Policy& policy,
                     const FineTuneOptions& options, const BatchCallback& on_batch) const {
  LoopOptions loop;
  loop.optimiser = options.optimiser;
  loop.epochs = options.epochs;
  loop.max_batches = options.max_batches;
  loop.batch = options.batch;
  loop.augment = options.augment;
  loop.seed = seed_from(fmt::format("fine-tune {} {}", seed_, policy_text(policy)));
  if (owns(policy)) check_own_scales();
  const int per_epoch = batches_per_epoch(train_->size(), loop.batch);
  int total = loop.epochs * per_epoch;
  if (loop.max_batches > 0) total = std::min(total, loop.max_batches);

  // What is trained: thresholds with it or not, batch norms with it or not.
  std::optional<TrainedRanges> ranges;
  if (trained_ranges_) ranges = first_ranges(policy, network.adjustments);
  std::optional<NormTuning> norms;
  Weights with_norms;
  Adjustments start = network.adjustments;
  std::vector<std::vector<float>> gains = all_gains(network.adjustments);
  if (tunes_norms()) {
    norms.emplace(engine, normed_);
    with_norms = norms->begin(
        network.master,
        owns(policy) ? quantisers_->output_statistics(re_estimation_, policy, network.master, start)
                     : outputs_,
        gains);
    if (quantisers_->free_scales()) start.gains = gains;
  }
  Hooks hooks = quantisers_->hooks(policy, start);
  WeightView view = quantisers_->weight_view(policy, start);
  if (ranges) {
    hooks = Hooks(
        [&ranges](std::size_t layer, const torch::Tensor& x) { return ranges->quantise(layer, x); },
        quantisers_->store_hook(start));
    view = quantisers_->weight_view(policy, start, [&ranges](std::size_t layer) {
      return ranges->quantiser(layer).scales().front();
    });
  }
  if (norms) {
    hooks = Hooks(hooks.input, norms->stored(hooks.stored));
    view = norms->view(std::move(view));
  }
  const auto keep = [&] {
    if (ranges) network.adjustments.thresholds = ranges->thresholds();
    if (!norms) return;
    std::vector<std::vector<float>> grown = gains;
    norms->end(with_norms, network.master, grown);
    if (quantisers_->free_scales()) network.adjustments.gains = std::move(grown);
  };
  const bool ended =
      train_loop(norms ? norms->engine() : engine, norms ? with_norms : network.master, *train_,
                 loop, view, hooks, [&](int epoch, int batch, const Score& score) {
                   const int step = epoch * per_epoch + batch;
                   if (ranges) {
                     ranges->step(learning_rate(loop.optimiser, step, total),
                                  loop.optimiser.momentum, loop.optimiser.weight_decay);
                   }
                   if (batch + 1 == per_epoch || step + 1 == total) keep();
                   return !on_batch || on_batch(epoch, batch, score);
                 });
  if (!ended) keep();
  if (norms && re_estimate_) {
    quantisers_->re_estimate(re_estimation_, norms->outputs(with_norms), policy, network.master,
                             network.adjustments);
  }
}

void FineTuner::check_own_scales() const {
  for (std::size_t layer = 0; layer < layers().size(); ++layer) {
    const auto channels =
        static_cast<std::size_t>((*weights_)[engine_->model().slot_of_layer(layer)].weight.size(0));
    const std::size_t scales = own_->weights[layer].size();
    if (scales == (quantisers_->free_scales() ? channels : 1)) continue;
    fail_usage(
        "the weights of layer {} came with {} scales for {} channels: fine-tune them with as many "
        "({})",
        layers()[layer].name, scales, channels,
        scales == 1 ? "without per_channel" : "with per_channel");
  }
}

TrainedRanges FineTuner::first_ranges(const Policy& policy, const Adjustments& adjustments) const {
  std::vector<CodeRange> codes;
  std::vector<float> thresholds;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    codes.push_back(activation_range(policy[i].activation, layers()[i].signed_input));
    const LinearQuantiser start = quantisers_->activation(i, policy, adjustments);
    thresholds.push_back(start.scales().front() * static_cast<float>(codes.back().high));
  }
  return {std::move(codes), std::move(thresholds)};
}

std::vector<std::vector<float>> FineTuner::all_gains(const Adjustments& adjustments) const {
  if (!adjustments.gains.empty()) return adjustments.gains;
  std::vector<std::vector<float>> gains;
  for (std::size_t layer = 0; layer < layers().size(); ++layer) {
    gains.emplace_back(
        static_cast<std::size_t>((*weights_)[engine_->model().slot_of_layer(layer)].weight.size(0)),
        1.0f);
  }
  return gains;
}

}  // namespace bittern
