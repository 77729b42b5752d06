#include "host/network/passes/equalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

/// Two layers, the second of which alone takes what the first gives.
struct Pair {
  std::size_t first = 0;
  std::size_t second = 0;
};

bool is_layer(const Node& node) { return node.op == Op::kConv || node.op == Op::kLinear; }

/// Whether a channel that is multiplied by a positive number comes out multiplied by it, in its
/// place. Flattening takes a channel apart, unless it has one pixel.
bool keeps_scale(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::kRelu:
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kUpsample:
      return true;
    case Op::kSlice:
      return graph.shape_of(node.inputs[0]).channels == node.shape.channels;
    case Op::kClip:
      return node.attributes.low == 0.0;
    case Op::kFlatten: {
      const Shape& in = graph.shape_of(node.inputs[0]);
      return in.height == 1 && in.width == 1;
    }
    default:
      return false;
  }
}

std::vector<Pair> pairs_of(const Graph& graph) {
  const std::vector<int> uses = use_counts(graph);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_layer(graph.nodes[i])) continue;
    int source = graph.nodes[i].inputs[0];
    while (source != kImage && uses[static_cast<std::size_t>(source)] == 1 &&
           !is_layer(graph.nodes[static_cast<std::size_t>(source)]) &&
           keeps_scale(graph, graph.nodes[static_cast<std::size_t>(source)])) {
      source = graph.nodes[static_cast<std::size_t>(source)].inputs[0];
    }
    if (source == kImage) continue;
    const auto first = static_cast<std::size_t>(source);
    if (!is_layer(graph.nodes[first]) || uses[first] != 1) continue;
    // A linear layer takes a map as a whole: one input a channel only behind maps of one pixel.
    const Shape& in = graph.shape_of(graph.nodes[i].inputs[0]);
    if (graph.nodes[i].op == Op::kLinear && in.channels != graph.nodes[first].shape.channels) {
      continue;
    }
    pairs.push_back({first, i});
  }
  return pairs;
}

std::vector<float>& values_of(NamedTensors& weights, const std::string& name, std::size_t size) {
  const auto found = weights.find(name);
  if (found == weights.end()) fail("there is no tensor '{}' to equalise", name);
  if (found->second.values.size() != size) {
    fail("tensor '{}' has {} values, expected {}", name, found->second.values.size(), size);
  }
  return found->second.values;
}

std::vector<float>& weight_of(const Graph& graph, const Node& node, NamedTensors& weights) {
  const Layer layer = layer_of(node, graph.shape_of(node.inputs[0]));
  return values_of(weights, node.name + ".weight", static_cast<std::size_t>(layer.weights()));
}

/// Calls `visit` with every weight of the second layer that takes channel c of the first.
template <typename Visit>
void visit_inputs(const Graph& graph, const Node& node, std::vector<float>& weight, std::size_t c,
                  Visit visit) {
  const Layer layer = layer_of(node, graph.shape_of(node.inputs[0]));
  const auto inputs = static_cast<std::size_t>(layer.in_channels / layer.groups);
  const auto outputs = static_cast<std::size_t>(layer.out_channels / layer.groups);
  const auto taps = static_cast<std::size_t>(layer.kernel_h) * layer.kernel_w;
  const std::size_t group = c / inputs;
  for (std::size_t o = group * outputs; o < (group + 1) * outputs; ++o) {
    for (std::size_t t = 0; t < taps; ++t) visit(weight[(o * inputs + c % inputs) * taps + t]);
  }
}

/// The clips on the way from the first to the second.
std::vector<std::size_t> clips_between(const Graph& graph, const Pair& pair) {
  std::vector<std::size_t> clips;
  auto node = static_cast<std::size_t>(graph.nodes[pair.second].inputs[0]);
  for (; node != pair.first; node = static_cast<std::size_t>(graph.nodes[node].inputs[0])) {
    if (graph.nodes[node].op == Op::kClip) clips.push_back(node);
  }
  return clips;
}

/// Divides channel c of the first layer by s.
void divide_channel(Graph& graph, const Pair& pair, std::size_t c, float s, NamedTensors& weights) {
  const Node& first = graph.nodes[pair.first];
  const Node& second = graph.nodes[pair.second];
  std::vector<float>& before = weight_of(graph, first, weights);
  const auto channels = static_cast<std::size_t>(first.shape.channels);
  const std::size_t each = before.size() / channels;
  for (std::size_t i = c * each; i < (c + 1) * each; ++i) before[i] /= s;
  if (first.attributes.bias) values_of(weights, first.name + ".bias", channels)[c] /= s;
  visit_inputs(graph, second, weight_of(graph, second, weights), c,
               [s](float& weight) { weight *= s; });
  for (const std::size_t clip : clips_between(graph, pair)) {
    std::vector<double>& divisors = graph.nodes[clip].attributes.deviation;
    divisors.resize(channels, 1.0);
    divisors[c] = static_cast<float>(divisors[c] * s);  // as checkpoints store it
  }
}

/// Greatest magnitudes of the weights on both sides of each channel.
struct Magnitudes {
  std::vector<float> first;
  std::vector<float> second;
};

Magnitudes magnitudes_of(const Graph& graph, const Pair& pair, NamedTensors& weights) {
  const Node& first = graph.nodes[pair.first];
  const Node& second = graph.nodes[pair.second];
  const std::vector<float>& before = weight_of(graph, first, weights);
  std::vector<float>& behind = weight_of(graph, second, weights);
  const auto channels = static_cast<std::size_t>(first.shape.channels);
  const std::size_t each = before.size() / channels;
  Magnitudes out;
  for (std::size_t c = 0; c < channels; ++c) {
    float r1 = 0.0f;
    for (std::size_t i = c * each; i < (c + 1) * each; ++i) r1 = std::max(r1, std::abs(before[i]));
    float r2 = 0.0f;
    visit_inputs(graph, second, behind, c,
                 [&r2](const float& weight) { r2 = std::max(r2, std::abs(weight)); });
    out.first.push_back(r1);
    out.second.push_back(r2);
  }
  return out;
}

/// Geometric mean of those that are not 0; 0 where all are.
double typical(const std::vector<float>& magnitudes) {
  double sum = 0.0;
  int count = 0;
  for (const float magnitude : magnitudes) {
    if (!(magnitude > 0.0f)) continue;
    sum += std::log(static_cast<double>(magnitude));
    ++count;
  }
  return count == 0 ? 0.0 : std::exp(sum / count);
}

/// `greatest`: of the channels between the two, or empty; none may become greater than `most`.
void equalise(Graph& graph, const Pair& pair, NamedTensors& weights, std::vector<float>& greatest,
              float most) {
  const Magnitudes r = magnitudes_of(graph, pair, weights);
  const double first = typical(r.first);
  const double second = typical(r.second);
  for (std::size_t c = 0; c < r.first.size(); ++c) {
    double wanted = std::sqrt(static_cast<double>(r.first[c]) / r.second[c]);
    if (r.first[c] == 0.0f && r.second[c] == 0.0f) continue;
    // Without weights on one side those on the other may have any size: not more than is usual.
    if (r.second[c] == 0.0f) wanted = std::max(1.0, r.first[c] / first);
    if (r.first[c] == 0.0f) wanted = std::min(1.0, second / r.second[c]);
    if (!greatest.empty() && most > 0.0f) {
      wanted = std::max(wanted, static_cast<double>(greatest[c] / most));
    }
    const auto s = static_cast<float>(wanted);
    if (!std::isfinite(s) || s < std::numeric_limits<float>::min()) continue;
    divide_channel(graph, pair, c, s, weights);
    if (!greatest.empty()) greatest[c] /= s;
  }
}

}  // namespace

std::size_t equalise_layers(Graph& graph, NamedTensors& weights, ChannelMagnitudes greatest,
                            int rounds) {
  const std::vector<Pair> pairs = pairs_of(graph);
  std::vector<float> most;
  for (const Pair& pair : pairs) {
    const std::vector<float>& magnitudes = greatest[graph.nodes[pair.second].name];
    const auto channels = static_cast<std::size_t>(graph.nodes[pair.first].shape.channels);
    if (!magnitudes.empty() && magnitudes.size() != channels) {
      fail("layer {}: {} magnitudes of channels, expected {}", graph.nodes[pair.second].name,
           magnitudes.size(), channels);
    }
    most.push_back(magnitudes.empty() ? 0.0f
                                      : *std::max_element(magnitudes.begin(), magnitudes.end()));
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      equalise(graph, pairs[i], weights, greatest[graph.nodes[pairs[i].second].name], most[i]);
    }
  }
  return pairs.size();
}

}  // namespace bittern
