#include "host/integer/stated_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/integer/map_moves.h"
#include "host/integer/pooling.h"
#include "host/integer/stated_layer.h"
#include "host/network/clip.h"

namespace bittern {
namespace {

/// Of a map: the places where its code changes are listed, for each channel.
constexpr int kMostMapBits = 12;
/// Bits of the sums of maps that are read differently.
constexpr int kSumBits = 52;
constexpr double kMostPixelFactor = 1048576.0;

class Builder {
 public:
  Builder(const std::string& name, const Graph& graph, const NamedTensors& tensors)
      : graph_(graph), tensors_(tensors) {
    network_.name = name;
    network_.graph = graph;
    network_.layers = layers(graph);
    network_.layer_nodes = layer_nodes(graph);
    network_.nodes.resize(graph.nodes.size());
    network_.stated.resize(graph.nodes.size());
    image_.readings.assign(static_cast<std::size_t>(graph.input.channels),
                           Reading{static_cast<double>(1.0F / 255.0F)});
    image_.high = 255;
  }

  QuantisedNetwork build() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      for (const int source : node.inputs) network_.stated[i].sources.push_back(map(source).source);
      StatedMap made = computed(i);
      if (node.attributes.relu) made = rectified(std::move(made));
      network_.stated[i].same = made.source != static_cast<int>(i);
      maps_.push_back(std::move(made));
    }
    network_.answer_source = map(graph_.output).source;
    network_.answer_readings = map(graph_.output).readings;
    return std::move(network_);
  }

 private:
  const StatedMap& map(int source) const {
    return source == kImage ? image_ : maps_[static_cast<std::size_t>(source)];
  }

  std::string place(std::size_t index) const {
    const Node& node = graph_.nodes[index];
    return node.name.empty() ? node.where : fmt::format("{}: {}", node.where, node.name);
  }

  const std::vector<float>& tensor(const std::string& name, std::size_t count) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail_usage("there is no tensor '{}'", name);
    if (found->second.values.size() != count) {
      fail_usage("tensor '{}' has {} values, expected {}", name, found->second.values.size(),
                 count);
    }
    for (const float value : found->second.values) {
      if (!std::isfinite(value)) fail_usage("tensor '{}': a value is {}", name, value);
    }
    return found->second.values;
  }

  StatedMap computed(std::size_t index) {
    const Node& node = graph_.nodes[index];
    switch (node.op) {
      case Op::kConv:
      case Op::kLinear:
        return layer(index);
      case Op::kQuantise:
        return quantised(index);
      case Op::kBatchNorm:
      case Op::kNormalise:
        return scaled(node, map(node.inputs[0]));
      case Op::kClip:
        return clipped(map(node.inputs[0]), node.attributes);
      case Op::kRelu: {
        const StatedMap& input = map(node.inputs[0]);
        if (!input.codes || input.codes->bipolar) return rectified(input);
        StatedMap out = input;
        out.source = static_cast<int>(index);
        out.low = std::max<std::int64_t>(out.low, 0);
        return out;
      }
      case Op::kMaxPool: {
        StatedMap out = map(node.inputs[0]);
        out.source = static_cast<int>(index);
        for (const Reading& reading : out.readings) {
          network_.stated[index].falling.push_back(reading.gain < 0.0);
        }
        return out;
      }
      case Op::kAveragePool:
        return averaged(index);
      case Op::kAdd:
        return added(index);
      case Op::kConcat:
        return joined(index);
      case Op::kFlatten:
      case Op::kSlice:
      case Op::kUpsample:
      case Op::kPad:
      case Op::kPadChannels:
      case Op::kRearrange:
        return displaced(index);
      case Op::kGiven:
        break;
    }
    fail_usage("{}: nothing says what this map is", place(index));
  }

  /// What a ReLU behind the integers leaves of what they stand for.
  static StatedMap rectified(StatedMap map) {
    Attributes from_zero;
    return clipped(std::move(map), from_zero);
  }

  static StatedMap clipped(StatedMap map, const Attributes& clip) {
    for (std::size_t c = 0; c < map.readings.size(); ++c) {
      map.readings[c] = map.readings[c].clamped(clip.low, clip_high(clip, c));
    }
    map.codes.reset();
    return map;
  }

  StatedMap scaled(const Node& node, StatedMap map) const {
    const Attributes& a = node.attributes;
    const std::size_t channels = map.readings.size();
    for (std::size_t c = 0; c < channels; ++c) {
      if (node.op == Op::kNormalise) {
        map.readings[c] = map.readings[c].scaled(1.0 / a.deviation[c], -a.mean[c] / a.deviation[c]);
        continue;
      }
      const auto value = [&](const char* what) {
        return static_cast<double>(tensor(node.name + "." + what, channels)[c]);
      };
      const double gain = value("weight") / std::sqrt(value("running_var") + a.epsilon);
      map.readings[c] = map.readings[c].scaled(gain, value("bias") - value("running_mean") * gain);
    }
    map.codes.reset();
    return map;
  }

  StatedMap quantised(std::size_t index) {
    const Quantiser& quantiser = *graph_.nodes[index].attributes.quantiser;
    const StatedMap& input = map(graph_.nodes[index].inputs[0]);
    if (quantiser.bits > kMostMapBits) {
      fail_usage("{}: a quantiser of {} bits: integers take at most {}", place(index),
                 quantiser.bits, kMostMapBits);
    }
    const std::size_t channels = input.readings.size();
    const bool alike =
        quantiser.scale.size() == 1 && quantiser.zero_point.size() == 1 &&
        std::all_of(input.readings.begin(), input.readings.end(),
                    [&](const Reading& reading) { return reading == input.readings[0]; });
    std::vector<Steps>& steps = network_.stated[index].steps;
    for (std::size_t c = 0; c < (alike ? 1 : channels); ++c) {
      steps.push_back(Steps::of(input.readings[c], quantiser, c, input.low, input.high));
    }
    StatedMap out;
    out.source = static_cast<int>(index);
    StatedCodes codes;
    codes.bits = quantiser.bits;
    codes.is_signed = quantiser.is_signed && !quantiser.bipolar;
    codes.bipolar = quantiser.bipolar;
    for (std::size_t c = 0; c < channels; ++c) {
      const auto zero = static_cast<int>(quantiser.zero_of(c));
      codes.zero.push_back(zero);
      out.readings.push_back(Reading{static_cast<double>(quantiser.scale_of(c))});
      out.low = std::min(out.low, static_cast<std::int64_t>(quantiser.low()) - zero);
      out.high = std::max(out.high, static_cast<std::int64_t>(quantiser.high()) - zero);
    }
    out.codes = std::move(codes);
    return out;
  }

  // Sums.

  /// A unit for sums of readings whose values stay below `most`.
  static double unit_for(double most) {
    return most > 0.0 ? std::ldexp(1.0, std::ilogb(most) + 1 - kSumBits) : 1.0;
  }

  static double greatest(const Reading& reading, const StatedMap& map) {
    return std::max(std::abs(reading.value(static_cast<double>(map.low))),
                    std::abs(reading.value(static_cast<double>(map.high))));
  }

  static std::vector<FixedPoint> fixed(const StatedMap& map, const std::vector<double>& units) {
    std::vector<FixedPoint> terms;
    for (std::size_t c = 0; c < units.size(); ++c) {
      terms.push_back(FixedPoint::of(map.readings[c], units[c]));
    }
    return terms;
  }

  StatedMap added(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const std::size_t channels = map(node.inputs[0]).readings.size();
    bool alike = true;
    StatedMap out;
    out.source = static_cast<int>(index);
    for (const int source : node.inputs) {
      const StatedMap& input = map(source);
      out.low += input.low;
      out.high += input.high;
      for (std::size_t c = 0; c < channels; ++c) {
        const Reading& reading = input.readings[c];
        alike = alike && reading.straight() && reading.offset == 0.0 &&
                reading.gain == map(node.inputs[0]).readings[c].gain;
      }
    }
    out.readings = map(node.inputs[0]).readings;
    if (alike) return out;
    std::vector<double> units;
    for (std::size_t c = 0; c < channels; ++c) {
      double most = 0.0;
      for (const int source : node.inputs) most += greatest(map(source).readings[c], map(source));
      units.push_back(unit_for(most));
      out.readings[c] = Reading{units.back()};
    }
    for (const int source : node.inputs) {
      network_.stated[index].terms.push_back(fixed(map(source), units));
    }
    out.high = std::int64_t{1} << (kSumBits + 1);
    out.low = -out.high;
    return out;
  }

  StatedMap averaged(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const StatedMap& input = map(node.inputs[0]);
    const std::vector<int> counts = average_counts(node, graph_.shape_of(node.inputs[0]));
    // All pixels are divided by what all their numbers divide.
    std::int64_t divisor = 1;
    for (const int count : counts) {
      divisor = std::lcm(divisor, std::int64_t{count});
      if (static_cast<double>(divisor) > kMostPixelFactor) {
        fail_usage("{}: its windows have too many different numbers of pixels", place(index));
      }
    }
    StatedNode& with = network_.stated[index];
    for (const int count : counts) with.pixel_factors.push_back(divisor / count);
    // The sum of a window times its factor.
    const std::int64_t most = divisor * node.attributes.kernel_h * node.attributes.kernel_w;
    StatedMap out;
    out.source = static_cast<int>(index);
    const bool plain = std::all_of(
        input.readings.begin(), input.readings.end(),
        [](const Reading& reading) { return reading.straight() && reading.offset == 0.0; });
    if (plain) {
      out.low = input.low * most;
      out.high = input.high * most;
      for (const Reading& reading : input.readings) {
        out.readings.push_back(Reading{reading.gain / static_cast<double>(divisor)});
      }
      return out;
    }
    std::vector<double> units;
    for (const Reading& reading : input.readings) {
      units.push_back(unit_for(greatest(reading, input) * static_cast<double>(most)));
      out.readings.push_back(Reading{units.back() / static_cast<double>(divisor)});
    }
    with.terms.push_back(fixed(input, units));
    out.high = std::int64_t{1} << (kSumBits + 1);
    out.low = -out.high;
    return out;
  }

  StatedMap joined(std::size_t index) {
    const Node& node = graph_.nodes[index];
    StatedMap out = map(node.inputs[0]);
    out.source = static_cast<int>(index);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const StatedMap& more = map(node.inputs[i]);
      out.readings.insert(out.readings.end(), more.readings.begin(), more.readings.end());
      out.low = std::min(out.low, more.low);
      out.high = std::max(out.high, more.high);
      if (out.codes && more.codes && out.codes->same_form(*more.codes)) {
        out.codes->zero.insert(out.codes->zero.end(), more.codes->zero.begin(),
                               more.codes->zero.end());
      } else {
        out.codes.reset();
      }
    }
    return out;
  }

  /// Values in other places, and a border around them.
  StatedMap displaced(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const StatedMap& input = map(node.inputs[0]);
    const Shape& shape = graph_.shape_of(node.inputs[0]);
    // Which channel each output value comes from.
    constexpr std::int64_t kBorder = -1;
    std::vector<std::int64_t> from;
    const std::int64_t area = std::int64_t{shape.height} * shape.width;
    for (std::int64_t k = 0; k < shape.elements(); ++k) from.push_back(k / area);
    from = moved(node, shape, from, kBorder);
    const auto channels = static_cast<std::size_t>(node.shape.channels);
    const std::size_t each = from.size() / channels;
    StatedMap out = input;
    out.readings.clear();
    if (out.codes) out.codes->zero.clear();
    bool border = false;
    for (std::size_t c = 0; c < channels; ++c) {
      std::optional<std::size_t> channel;
      for (std::size_t k = c * each; k < (c + 1) * each; ++k) {
        if (from[k] == kBorder) {
          border = true;
          continue;
        }
        const auto here = static_cast<std::size_t>(from[k]);
        if (channel && !(input.readings[here] == input.readings[*channel])) {
          fail_usage("{}: it puts values of different scales into one channel", place(index));
        }
        if (channel && input.codes && input.codes->zero[here] != input.codes->zero[*channel]) {
          fail_usage("{}: it puts values of different zero points into one channel", place(index));
        }
        channel = here;
      }
      out.readings.push_back(input.readings[channel.value_or(0)]);
      if (out.codes) out.codes->zero.push_back(input.codes->zero[channel.value_or(0)]);
    }
    if (border) network_.stated[index].border = border_of(index, out);
    if (node.op != Op::kFlatten) out.source = static_cast<int>(index);
    return out;
  }

  /// The integer that stands for the value of a border.
  std::int64_t border_of(std::size_t index, const StatedMap& map) const {
    const Node& node = graph_.nodes[index];
    const double value = node.op == Op::kPad ? node.attributes.value : 0.0;
    const Reading& reading = map.readings.front();
    const double code = std::round((value - reading.offset) / reading.gain);
    const bool is_code =
        reading.value(code) == static_cast<double>(static_cast<float>(value)) &&
        code >= static_cast<double>(map.low) && code <= static_cast<double>(map.high) &&
        !(map.codes && map.codes->bipolar && std::abs(code) != 1.0) &&
        (value == 0.0 ? std::all_of(map.readings.begin(), map.readings.end(),
                                    [](const Reading& r) { return r.value(0.0) == 0.0; })
                      : std::all_of(map.readings.begin(), map.readings.end(),
                                    [&](const Reading& r) { return r == reading; }));
    if (!is_code) {
      fail_usage("{}: a border of {} is no code of the map that it is put around", place(index),
                 value);
    }
    return static_cast<std::int64_t>(code);
  }

  // Layers.

  StatedMap layer(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const Layer& layer = network_.layers[network_.device_codes.size()];
    const StatedMap& input = map(node.inputs[0]);
    const auto channels = static_cast<std::size_t>(layer.out_channels);
    StatedLayer made = stated_layer(
        node, layer, input,
        tensor(layer.name + ".weight", channels * static_cast<std::size_t>(layer.reduction())));
    network_.precision.push_back(made.precision);
    network_.device_codes.push_back(std::move(made.device_codes));
    network_.nodes[index].weights = std::move(made.weights);
    const std::vector<float> bias = node.attributes.bias ? tensor(layer.name + ".bias", channels)
                                                         : std::vector<float>(channels);
    StatedMap sums;
    sums.source = static_cast<int>(index);
    sums.high = made.most_sum;
    sums.low = -sums.high;
    for (std::size_t c = 0; c < channels; ++c) {
      sums.readings.push_back(Reading{made.scales[c], bias[c]});
    }
    return sums;
  }

  const Graph& graph_;
  const NamedTensors& tensors_;
  QuantisedNetwork network_;
  StatedMap image_;
  std::vector<StatedMap> maps_;
};

}  // namespace

QuantisedNetwork stated_network(const std::string& name, const Graph& graph,
                                const NamedTensors& tensors) {
  return Builder(name, graph, tensors).build();
}

}  // namespace bittern
