#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "host/cost/cost_model.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"

namespace bittern::testing {

inline Layer conv(const std::string& name, int size, int in, int out, int kernel, int stride = 1) {
  Layer layer;
  layer.name = name;
  layer.kind = LayerKind::kConv;
  layer.in_channels = in;
  layer.in_height = layer.in_width = size;
  layer.out_channels = out;
  layer.kernel_h = layer.kernel_w = kernel;
  layer.stride_h = layer.stride_w = stride;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = kernel / 2;
  return layer;
}

inline Layer depthwise(const std::string& name, int size, int channels, int kernel, int stride) {
  Layer layer = conv(name, size, channels, channels, kernel, stride);
  layer.kind = LayerKind::kDepthwise;
  layer.groups = channels;
  return layer;
}

inline Layer linear(const std::string& name, int in, int out) {
  Layer layer;
  layer.name = name;
  layer.kind = LayerKind::kLinear;
  layer.in_channels = in;
  layer.out_channels = out;
  return layer;
}

/// LeNet with 20/50/500/10 channels on 28x28 images.
inline Network lenet() {
  Network network;
  network.name = "lenet";
  network.layers = {conv("conv1", 28, 1, 20, 5), conv("conv2", 12, 20, 50, 5),
                    linear("fc1", 800, 500), linear("fc2", 500, 10)};
  network.layers[0].pad_top = network.layers[0].pad_bottom = 0;
  network.layers[0].pad_left = network.layers[0].pad_right = 0;
  network.layers[1].pad_top = network.layers[1].pad_bottom = 0;
  network.layers[1].pad_left = network.layers[1].pad_right = 0;
  return network;
}

/// MobileNet-V2 (Sandler et al. 2018, table 2) for 224x224 images: 53 layers.
inline Network mobilenet_v2() {
  Network network;
  network.name = "mobilenet_v2";
  auto& layers = network.layers;
  const auto name = [&layers](const char* kind) { return kind + std::to_string(layers.size()); };
  layers.push_back(conv(name("conv"), 224, 3, 32, 3, 2));
  int channels = 32;
  int size = 112;
  struct Stage {
    int expansion, out, repeats, stride;
  };
  for (const Stage& stage :
       {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
        Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}}) {
    for (int i = 0; i < stage.repeats; ++i) {
      const int stride = i == 0 ? stage.stride : 1;
      const int hidden = channels * stage.expansion;
      if (stage.expansion != 1) layers.push_back(conv(name("expand"), size, channels, hidden, 1));
      layers.push_back(depthwise(name("depthwise"), size, hidden, 3, stride));
      size = (size - 1) / stride + 1;
      layers.push_back(conv(name("project"), size, hidden, stage.out, 1));
      channels = stage.out;
    }
  }
  layers.push_back(conv(name("conv"), size, channels, 1280, 1));
  layers.push_back(linear(name("fc"), 1280, 1000));
  return network;
}

/// Cost model from a function. Latency in the function's unit (so that integers stay exact), energy
/// `energy` (0 when none), model size from the weights. Counts what it is asked.
class FunctionCost : public CostModel {
 public:
  using Function = std::function<double(std::size_t layer, BitPair bits)>;

  FunctionCost(Network network, Function latency, Function energy = nullptr)
      : network_(std::move(network)), latency_(std::move(latency)), energy_(std::move(energy)) {}

  LayerCost layer_cost(std::size_t index, BitPair bits) override {
    ++asked;
    LayerCost cost;
    cost.latency_s = latency_(index, bits);
    cost.cycles = cost.latency_s > 0.0 ? static_cast<std::uint64_t>(cost.latency_s) : 0;
    cost.energy_j = cost.energy_high_j = energy_ ? energy_(index, bits) : 0.0;
    cost.weight_bytes = static_cast<double>(network_.layers[index].weights()) * bits.weight / 8.0;
    cost.origin = Origin::kTable;
    return cost;
  }
  void prefetch(const std::vector<std::pair<std::size_t, BitPair>>& points) override {
    prefetched += points.size();
  }
  const Network& network() const override { return network_; }
  std::string fingerprint() const override { return name; }

  std::string name = "function cost";
  std::size_t asked = 0;
  std::size_t prefetched = 0;

 private:
  Network network_;
  Function latency_;
  Function energy_;
};

/// Roofline of a 16x16 bit-serial array with 256-bit dot products at batch 16: the closed form of
/// HAQ's published MobileNet-V2 table, in cycles.
inline double roofline_cycles(const Layer& layer, BitPair bits) {
  const auto ceil_div = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t w = bits.weight;
  const std::int64_t a = bits.activation;
  const std::int64_t pixels = std::int64_t{layer.out_height()} * layer.out_width();
  if (layer.kind == LayerKind::kDepthwise) {
    const std::int64_t groups = ceil_div(layer.in_channels, 16);
    return static_cast<double>(16 * std::max(a * pixels * groups, w * groups));
  }
  const std::int64_t words =
      ceil_div(std::int64_t{layer.kernel_h} * layer.kernel_w * layer.in_channels, 256);
  if (layer.kind == LayerKind::kLinear) return static_cast<double>(w * layer.out_channels * words);
  const std::int64_t compute =
      w * a * ceil_div(pixels, 16) * ceil_div(layer.out_channels, 16) * words;
  return static_cast<double>(
      16 * std::max({compute, a * pixels * words, w * layer.out_channels * words}));
}

/// Evaluator from a function; counts what it is asked.
class FunctionEvaluator : public Evaluator {
 public:
  using Function = std::function<double(const Policy& policy)>;

  FunctionEvaluator(double baseline, Function accuracy)
      : baseline_(baseline), accuracy_(std::move(accuracy)) {}

  Accuracy evaluate(const Policy& policy) override {
    ++asked;
    Accuracy accuracy{accuracy_(policy), loss ? loss(policy) : 0.0};
    if (accuracy.top1 < screen_below) accuracy.screened_images = 100;
    return accuracy;
  }
  Accuracy baseline() override { return {baseline_, 0.0}; }
  std::string fingerprint() const override { return name; }

  std::string name = "function evaluator";
  int asked = 0;
  double screen_below = 0.0;  ///< accuracies below it are of 100 images
  Function loss;              ///< nats; empty: it has none

 private:
  double baseline_;
  Function accuracy_;
};

}  // namespace bittern::testing
