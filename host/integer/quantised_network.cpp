#include "host/integer/quantised_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/integer/pooling.h"
#include "host/integer/quantise_network.h"
#include "host/network/clip.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

constexpr std::int64_t kMostSum = std::numeric_limits<std::int32_t>::max();
/// A bias of more units leaves too little room for the sums.
constexpr double kMostBias = 1073741824.0;  // 2^30

const std::vector<float>& values_of(const NamedTensors& tensors, const std::string& name,
                                    std::size_t count) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail_usage("there is no tensor '{}' to quantise", name);
  if (found->second.values.size() != count) {
    fail_usage("tensor '{}' has {} values, expected {}", name, found->second.values.size(), count);
  }
  for (const float value : found->second.values) {
    if (!std::isfinite(value)) fail_usage("tensor '{}': a value is {}", name, value);
  }
  return found->second.values;
}

void check_scale(const std::string& what, float scale) {
  if (!(scale > 0) || !std::isfinite(scale)) {
    fail_usage("{}: a scale is {}, expected a positive number", what, scale);
  }
}

/// A value of a list that has one for everything or one for each place.
template <typename T>
const T& each(const std::vector<T>& list, std::size_t place) {
  return list.size() == 1 ? list.front() : list[place];
}

class Builder {
 public:
  Builder(QuantisedNetwork& network, const NamedTensors& tensors)
      : network_(network), tensors_(tensors) {}

  void layer(std::size_t place, WeightFormat format) {
    const Layer& layer = network_.layers[place];
    const auto index = static_cast<std::size_t>(network_.layer_nodes[place]);
    const Node& node = network_.graph.nodes[index];
    QuantisedNode& out = network_.nodes[index];
    const auto channels = static_cast<std::size_t>(layer.out_channels);
    const auto length = static_cast<std::size_t>(layer.reduction());
    const std::vector<float>& weight =
        values_of(tensors_, layer.name + ".weight", channels * length);
    if (format.scales.size() != 1 && format.scales.size() != channels) {
      fail_usage("layer {}: {} scales of weights, expected 1 or {}", layer.name,
                 format.scales.size(), channels);
    }
    for (const float scale : format.scales) check_scale("weights of layer " + layer.name, scale);
    const CodeFormat& input =
        network_.formats[static_cast<std::size_t>(network_.scheme.point_of_layer[place])];
    std::vector<float> bias(channels, 0.0f);
    if (node.attributes.bias) bias = values_of(tensors_, layer.name + ".bias", channels);
    make_room_for_bias(layer, bias, input.scale, format);

    out.weights.resize(channels * length);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = c * length; i < (c + 1) * length; ++i) {
        out.weights[i] =
            static_cast<std::int16_t>(code_of(weight[i], each(format.scales, c), format.range));
      }
    }
    for (const float scale : format.scales) {
      out.sum_scales.push_back(static_cast<double>(scale) * input.scale);
    }
    for (std::size_t c = 0; c < channels; ++c) {
      out.bias.push_back(
          static_cast<std::int32_t>(std::llround(bias[c] / each(out.sum_scales, c))));
    }
    check_sums(layer, out, input.range);
    out.input = rescale(network_.format_of(node.inputs[0]).scale, input.scale, layer.name);
    const int to = network_.scheme.point_of_node[index];
    if (to == QuantisationScheme::kSums) return;
    for (const double scale : out.sum_scales) {
      out.outputs.push_back(rescale(scale, format_of(to).scale, layer.name));
    }
  }

  void node(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    QuantisedNode& out = network_.nodes[index];
    const int to = network_.scheme.point_of_node[index];
    const std::string where = place_of(index);
    switch (node.op) {
      case Op::kClip:
        out.low = bound(node.attributes.low, to);
        for (std::size_t c = 0; c < std::max<std::size_t>(1, node.attributes.deviation.size());
             ++c) {
          out.highs.push_back(bound(clip_high(node.attributes, c), to));
        }
        break;
      case Op::kConcat:
        for (const int source : node.inputs) {
          out.outputs.push_back(
              rescale(network_.format_of(source).scale, format_of(to).scale, where));
        }
        break;
      case Op::kAdd: {
        std::vector<double> factors;
        for (const int source : node.inputs) {
          factors.push_back(static_cast<double>(network_.format_of(source).scale) /
                            format_of(to).scale);
        }
        out.sums.push_back(sum_of(factors, 0.0, where));
        break;
      }
      case Op::kNormalise:
      case Op::kBatchNorm:
        for (int c = 0; c < node.shape.channels; ++c) {
          const auto [gain, shift] = affine(node, static_cast<std::size_t>(c));
          out.sums.push_back(
              sum_of({gain * network_.format_of(node.inputs[0]).scale / format_of(to).scale},
                     shift / format_of(to).scale, where));
        }
        break;
      case Op::kAveragePool: {
        const Shape& input = network_.graph.shape_of(node.inputs[0]);
        for (const int count : average_counts(node, input)) {
          const double value =
              static_cast<double>(network_.format_of(node.inputs[0]).scale) / count;
          out.sum_scales.push_back(value);
          if (to != QuantisationScheme::kSums) {
            out.outputs.push_back(rescale(value, format_of(to).scale, where));
          }
        }
        break;
      }
      default:
        break;
    }
  }

 private:
  const CodeFormat& format_of(int point) const {
    return network_.formats[static_cast<std::size_t>(point)];
  }

  std::string place_of(std::size_t index) const {
    const Node& node = network_.graph.nodes[index];
    return node.name.empty() ? node.where : node.name;
  }

  Rescale rescale(double from, double to, const std::string& where) const {
    try {
      return Rescale::of(from / to);
    } catch (const Error& error) {
      fail_usage("{}: {}: its activations and weights differ too much in size", where,
                 error.what());
    }
  }

  ScaledSum sum_of(const std::vector<double>& factors, double offset,
                   const std::string& where) const {
    try {
      return ScaledSum::of(factors, offset);
    } catch (const Error& error) {
      fail_usage("{}: {}", where, error.what());
    }
  }

  /// Gain and shift of a channel.
  std::pair<double, double> affine(const Node& node, std::size_t channel) const {
    const Attributes& a = node.attributes;
    if (node.op == Op::kNormalise) {
      return {1.0 / a.deviation[channel], -a.mean[channel] / a.deviation[channel]};
    }
    const auto channels = static_cast<std::size_t>(node.shape.channels);
    const auto value = [&](const char* tensor) {
      return static_cast<double>(values_of(tensors_, node.name + "." + tensor, channels)[channel]);
    };
    const double gain = value("weight") / std::sqrt(value("running_var") + a.epsilon);
    return {gain, value("bias") - value("running_mean") * gain};
  }

  int bound(double value, int point) const {
    const CodeFormat& format = format_of(point);
    if (std::isinf(value)) return value > 0 ? format.range.high : format.range.low;
    return code_of(static_cast<float>(value), format.scale, format.range);
  }

  /// A channel whose weights are almost nothing beside its bias (folded batch norms leave such)
  /// gets a larger scale: its weights vanish, which they do beside the bias anyway.
  static void make_room_for_bias(const Layer& layer, const std::vector<float>& bias, float input,
                                 WeightFormat& format) {
    const auto needed = [&](std::size_t c) {
      return static_cast<float>(std::abs(bias[c]) / (kMostBias * input));
    };
    bool fits = true;
    for (std::size_t c = 0; c < bias.size(); ++c) {
      fits = fits && each(format.scales, c) >= needed(c);
    }
    if (fits) return;
    if (format.scales.size() == 1) {
      fail_usage(
          "layer {}: a bias is more than 2^30 units of its sums: give each output channel a scale "
          "of its own (per channel)",
          layer.name);
    }
    for (std::size_t c = 0; c < bias.size(); ++c) {
      format.scales[c] = std::max(format.scales[c], needed(c));
    }
  }

  /// The greatest magnitude that sums with these weights can have, over all activations.
  static void check_sums(const Layer& layer, const QuantisedNode& node, const CodeRange& input) {
    const auto length = static_cast<std::size_t>(layer.reduction());
    const std::int64_t most = std::max(std::abs(input.low), std::abs(input.high));
    for (std::size_t c = 0; c < node.bias.size(); ++c) {
      std::int64_t sum = std::abs(std::int64_t{node.bias[c]});
      for (std::size_t i = c * length; i < (c + 1) * length; ++i) {
        sum += most * std::abs(node.weights[i]);
      }
      if (sum > kMostSum) {
        fail_usage(
            "layer {}: sums of output channel {} can reach {}, more than 32 bits hold: take fewer "
            "bits for its weights or activations",
            layer.name, c, sum);
      }
    }
  }

  QuantisedNetwork& network_;
  const NamedTensors& tensors_;
};

template <typename T>
void add(Sha256& hash, const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += std::to_string(value) + " ";
  hash.update_field(text);
}

void add_stated(Sha256& hash, const StatedNode& node) {
  std::string text = fmt::format("stated {} {}", node.border, node.same);
  for (const Steps& steps : node.steps) {
    text += fmt::format(" {}{} {}:{}", steps.falling ? "-" : "", steps.first, steps.step,
                        fmt::join(steps.at, ","));
  }
  for (const std::vector<FixedPoint>& terms : node.terms) {
    for (const FixedPoint& term : terms) {
      text += fmt::format(" {} {} {} {}", term.gain, term.offset, term.low, term.high);
    }
  }
  hash.update_field(text);
  add(hash, node.pixel_factors);
}

}  // namespace

ScaledSum ScaledSum::of(const std::vector<double>& factors, double offset) {
  constexpr double kMost = 1073741824.0;  // 2^30
  constexpr int kOffsetBits = 61;
  double greatest = 0.0;
  for (const double factor : factors) {
    if (!(std::abs(factor) < kMost)) {
      fail("a factor of {} between two scales: expected less than 2^30", factor);
    }
    greatest = std::max(greatest, std::abs(factor));
  }
  // 256 inputs of 9 bits times 31 bits leave room for an offset of 61.
  if (!(std::abs(offset) < kMost)) fail("an offset of {} codes: expected less than 2^30", offset);
  int exponent = 0;
  std::frexp(greatest, &exponent);
  int shift = std::clamp(31 - exponent, 1, 62);
  if (offset != 0.0) {
    int of_offset = 0;
    std::frexp(offset, &of_offset);
    shift = std::min(shift, kOffsetBits - 1 - of_offset);
  }
  ScaledSum sum;
  sum.shift = shift;
  sum.offset = std::llround(std::ldexp(offset, shift));
  constexpr std::int64_t kMostFactor = std::numeric_limits<std::int32_t>::max();
  for (const double factor : factors) {
    // Rounding may reach 2^31 itself, which is one too many.
    const std::int64_t rounded = std::llround(std::ldexp(factor, shift));
    sum.factors.push_back(
        static_cast<std::int32_t>(std::clamp<std::int64_t>(rounded, -kMostFactor, kMostFactor)));
  }
  return sum;
}

CodeFormat image_format() { return {activation_range(8, false), 1.0f / 255.0f}; }

int code_of(float value, float scale, const CodeRange& range) {
  const float steps = value * (1.0f / scale);
  const float code = range.odd ? 2.0f * std::floor(0.5f * steps) + 1.0f : std::nearbyint(steps);
  return static_cast<int>(
      std::clamp(code, static_cast<float>(range.low), static_cast<float>(range.high)));
}

QuantisedNetwork quantise_network(const std::string& name, const Graph& graph,
                                  const NamedTensors& tensors, const Policy& policy,
                                  const std::vector<WeightFormat>& weights,
                                  const std::vector<CodeFormat>& activations) {
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kQuantise) {
      fail_usage(
          "{}: the network states its own quantisers: its bits are not for others to choose (take "
          "it without --policy, --wbits and --abits)",
          node.where);
    }
    if (node.op == Op::kPad && node.attributes.border == BorderMode::kValue &&
        node.attributes.value != 0.0) {
      fail_usage("{}: a border of {} need not be a code; only one of zeros is computed on codes",
                 node.where, node.attributes.value);
    }
  }
  QuantisedNetwork network;
  network.name = name;
  network.graph = graph;
  network.scheme = quantisation_scheme(graph);
  network.layers = layers(graph);
  network.layer_nodes = layer_nodes(graph);
  const std::size_t count = network.layers.size();
  if (policy.size() != count || weights.size() != count) {
    fail_usage("network {}: bits of {} and weights of {} layers, expected {} of each", name,
               policy.size(), weights.size(), count);
  }
  if (activations.size() + 1 != network.scheme.points.size()) {
    fail_usage("network {}: {} formats of activations, expected {}", name, activations.size(),
               network.scheme.points.size() - 1);
  }
  network.formats = {image_format()};
  network.formats.insert(network.formats.end(), activations.begin(), activations.end());
  for (std::size_t i = 0; i < network.formats.size(); ++i) {
    const CodePoint& point = network.scheme.points[i];
    const bool of_layer = point.kind == CodePoint::Kind::kLayer;
    const int bits = of_layer ? policy[point.place].activation : kStoredBits;
    check_scale("activations of network " + name, network.formats[i].scale);
    if (!(network.formats[i].range == activation_range(bits, point.is_signed))) {
      fail_usage("network {}: activations of {} bits with codes {} to {}", name, bits,
                 network.formats[i].range.low, network.formats[i].range.high);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    Precision precision;
    precision.bits = policy[i];
    precision.activation_signed = network.layers[i].signed_input;
    network.precision.push_back(precision);
    network.device_codes.push_back(weights[i].range.odd ? DeviceCodes::odd_weights()
                                                        : DeviceCodes());
    const int least = policy[i].weight == 1 || weights[i].range.odd
                          ? 1 - (1 << policy[i].weight)
                          : 1 - (1 << (policy[i].weight - 1));
    if (weights[i].range.low < least || weights[i].range.high > -least) {
      fail_usage("layer {}: weights of {} bits with codes {} to {}", network.layers[i].name,
                 policy[i].weight, weights[i].range.low, weights[i].range.high);
    }
  }
  network.nodes.resize(graph.nodes.size());
  Builder builder(network, tensors);
  for (std::size_t i = 0; i < count; ++i) builder.layer(i, weights[i]);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) builder.node(i);
  return network;
}

std::string QuantisedNetwork::hash() const {
  Sha256 hash;
  hash.update_field("bittern-integers-1").update_field(graph_key(graph));
  for (const CodeFormat& format : formats) {
    add(hash, std::vector<int>{format.range.low, format.range.high, format.range.odd ? 1 : 0});
    hash.update_field(fmt::format("{}", format.scale));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const QuantisedNode& node = nodes[i];
    hash.update_field(graph.nodes[i].attributes.relu ? "relu" : "");
    add(hash, node.weights);
    add(hash, node.bias);
    std::string text = fmt::format("{} {} {} {}", node.input.multiplier, node.input.shift, node.low,
                                   fmt::join(node.highs, ","));
    for (const double scale : node.sum_scales) text += fmt::format(" {}", scale);
    for (const Rescale& output : node.outputs) {
      text += fmt::format(" {}>>{}", output.multiplier, output.shift);
    }
    for (const ScaledSum& sum : node.sums) {
      text += fmt::format(" ({}>>{}", sum.offset, sum.shift);
      for (const std::int32_t factor : sum.factors) text += fmt::format(" {}", factor);
      text += ")";
    }
    hash.update_field(text);
  }
  for (const StatedNode& node : stated) add_stated(hash, node);
  for (const Reading& reading : answer_readings) {
    hash.update_field(
        fmt::format("{} {} {} {}", reading.gain, reading.offset, reading.low, reading.high));
  }
  return hash.hex();
}

}  // namespace bittern
