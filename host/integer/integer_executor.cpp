#include "host/integer/integer_executor.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/integer/map_moves.h"
#include "host/integer/pooling.h"

namespace bittern {
namespace {

using Codes = std::vector<std::int16_t>;

std::int16_t clamped(std::int64_t value, int low, int high) {
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(value, low, high));
}

/// Place of a value that a list has once for all, or once for each.
std::size_t place(std::size_t count, std::size_t index) { return count == 1 ? 0 : index; }

}  // namespace

IntegerExecutor::IntegerExecutor(const QuantisedNetwork& network) : network_(network) {
  if (!network.stated.empty()) stated_.emplace(network);
  const std::vector<Node>& nodes = network.graph.nodes;
  layers_.assign(nodes.size(), -1);
  last_use_.assign(nodes.size(), 0);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto node = static_cast<std::size_t>(network.layer_nodes[i]);
    layers_[node] = static_cast<int>(i);
    kernels_.emplace_back(network.layers[i], network.nodes[node].weights);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const int source : nodes[i].inputs) {
      if (source != kImage) last_use_[static_cast<std::size_t>(source)] = i;
    }
  }
  last_use_[static_cast<std::size_t>(network.graph.output)] = nodes.size();
}

const Codes& IntegerExecutor::codes(int source, const IntegerValues& values) const {
  return source == kImage ? values.image : values.nodes[static_cast<std::size_t>(source)];
}

IntegerValues IntegerExecutor::begin(Bytes image) const {
  if (image.size() != static_cast<std::size_t>(network_.graph.input.elements())) {
    fail("network {}: an image of {} bytes, expected {}", network_.name, image.size(),
         network_.graph.input.elements());
  }
  IntegerValues values;
  if (stated_) {
    stated_->begin(image, values);
    return values;
  }
  values.image.assign(image.begin(), image.end());
  values.nodes.resize(network_.graph.nodes.size());
  return values;
}

void IntegerExecutor::store(std::size_t node, Codes codes, IntegerValues& values) const {
  if (network_.graph.nodes[node].attributes.relu) {
    for (std::int16_t& code : codes) code = std::max<std::int16_t>(code, 0);
  }
  values.nodes[node] = std::move(codes);
  for (const int source : network_.graph.nodes[node].inputs) {
    if (source == kImage || last_use_[static_cast<std::size_t>(source)] != node) continue;
    Codes().swap(values.nodes[static_cast<std::size_t>(source)]);
  }
}

void IntegerExecutor::compute(std::size_t node, IntegerValues& values) const {
  if (stated_) {
    stated_->compute(node, values);
  } else if (network_.graph.nodes[node].op == Op::kAveragePool) {
    average(node, values);
  } else {
    store(node, computed(node, values), values);
  }
}

void IntegerExecutor::average(std::size_t index, IntegerValues& values) const {
  const Node& node = network_.graph.nodes[index];
  const QuantisedNode& with = network_.nodes[index];
  const Codes& x = codes(node.inputs[0], values);
  const Shape& input = network_.graph.shape_of(node.inputs[0]);
  const bool answers = with.outputs.empty();
  const CodeRange range = answers ? CodeRange{} : network_.format_of(static_cast<int>(index)).range;
  const auto area = static_cast<std::size_t>(input.height) * input.width;
  Codes out;
  for (int c = 0; c < input.channels; ++c) {
    std::size_t pixel = 0;
    for (int row = 0; row < node.shape.height; ++row) {
      for (int column = 0; column < node.shape.width; ++column, ++pixel) {
        const PoolWindow w = pool_window(node, input, row, column);
        std::int64_t sum = 0;
        for (int y = w.y0; y < w.y1; ++y) {
          const std::int16_t* const from = x.data() + static_cast<std::size_t>(c) * area +
                                           static_cast<std::size_t>(y) * input.width;
          for (int at = w.x0; at < w.x1; ++at) sum += from[at];
        }
        if (answers) {
          values.answer.push_back(sum);
        } else {
          out.push_back(clamped(with.outputs[pixel](sum), range.low, range.high));
        }
      }
    }
  }
  store(index, std::move(out), values);
}

Codes IntegerExecutor::computed(std::size_t index, const IntegerValues& values) const {
  const Node& node = network_.graph.nodes[index];
  const QuantisedNode& with = network_.nodes[index];
  const Codes& x = codes(node.inputs[0], values);
  const Shape& input = network_.graph.shape_of(node.inputs[0]);
  const auto area = static_cast<std::size_t>(input.height) * input.width;
  switch (node.op) {
    case Op::kRelu: {
      Codes out = x;
      for (std::int16_t& code : out) code = std::max<std::int16_t>(code, 0);
      return out;
    }
    case Op::kClip: {
      Codes out = x;
      for (std::size_t k = 0; k < out.size(); ++k) {
        out[k] = clamped(out[k], with.low, with.highs[place(with.highs.size(), k / area)]);
      }
      return out;
    }
    case Op::kMaxPool:
      return max_pooled(node, input, x, {});
    case Op::kFlatten:  // or nothing at all, behind a layer whose sums are the answer
    case Op::kPadChannels:
    case Op::kSlice:
    case Op::kUpsample:
    case Op::kPad:
    case Op::kRearrange:
      return moved<std::int16_t>(node, input, x, 0);
    case Op::kAdd: {
      const CodeRange& range = network_.format_of(static_cast<int>(index)).range;
      const ScaledSum& sum = with.sums.front();
      const std::int64_t half = std::int64_t{1} << (sum.shift - 1);
      std::vector<std::int64_t> exact(x.size(), half + sum.offset);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Codes& more = codes(node.inputs[i], values);
        for (std::size_t k = 0; k < exact.size(); ++k) {
          exact[k] += std::int64_t{sum.factors[i]} * more[k];
        }
      }
      Codes out(x.size());
      for (std::size_t k = 0; k < exact.size(); ++k) {
        out[k] = clamped(exact[k] >> sum.shift, range.low, range.high);
      }
      return out;
    }
    case Op::kConcat: {
      const CodeRange& range = network_.format_of(static_cast<int>(index)).range;
      Codes out;
      out.reserve(static_cast<std::size_t>(node.shape.elements()));
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        for (const std::int16_t code : codes(node.inputs[i], values)) {
          out.push_back(clamped(with.outputs[i](code), range.low, range.high));
        }
      }
      return out;
    }
    case Op::kNormalise:
    case Op::kBatchNorm: {
      const CodeRange& range = network_.format_of(static_cast<int>(index)).range;
      Codes out(x.size());
      for (std::size_t k = 0; k < x.size(); ++k) {
        const ScaledSum& sum = with.sums[k / area];
        const std::int64_t half = std::int64_t{1} << (sum.shift - 1);
        out[k] = clamped((std::int64_t{sum.factors[0]} * x[k] + sum.offset + half) >> sum.shift,
                         range.low, range.high);
      }
      return out;
    }
    case Op::kConv:
    case Op::kLinear:
    case Op::kAveragePool:
    case Op::kQuantise:
    case Op::kGiven:
      break;
  }
  fail("network {}: node {} is none that compute() knows", network_.name, index);
}

Codes IntegerExecutor::layer_input(std::size_t layer, const IntegerValues& values) const {
  if (stated_) return stated_->layer_input(layer, values);
  const auto index = static_cast<std::size_t>(network_.layer_nodes[layer]);
  const Codes& x = codes(network_.graph.nodes[index].inputs[0], values);
  const Rescale& rescale = network_.nodes[index].input;
  const auto point = static_cast<std::size_t>(network_.scheme.point_of_layer[layer]);
  const CodeRange& range = network_.formats[point].range;
  Codes out(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    out[k] = clamped(rescale(x[k]), range.low, range.high);
  }
  return out;
}

std::vector<std::int32_t> IntegerExecutor::layer_sums(std::size_t layer,
                                                      Span<const std::int16_t> input) const {
  const Layer& shape = network_.layers[layer];
  if (input.size() != static_cast<std::size_t>(shape.inputs())) {
    fail("layer {}: {} activations, expected {}", shape.name, input.size(), shape.inputs());
  }
  std::vector<std::int32_t> sums(static_cast<std::size_t>(shape.outputs()));
  kernels_[layer].sums(input, sums);
  return sums;
}

void IntegerExecutor::finish_layer(std::size_t layer, Span<const std::int32_t> sums,
                                   IntegerValues& values) const {
  const auto index = static_cast<std::size_t>(network_.layer_nodes[layer]);
  const QuantisedNode& with = network_.nodes[index];
  const Node& node = network_.graph.nodes[index];
  const auto area = static_cast<std::size_t>(node.shape.height) * node.shape.width;
  if (sums.size() != static_cast<std::size_t>(node.shape.elements())) {
    fail("layer {}: {} sums, expected {}", network_.layers[layer].name, sums.size(),
         node.shape.elements());
  }
  if (stated_) return stated_->finish_layer(layer, sums, values);
  if (with.outputs.empty()) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      values.answer.push_back(std::int64_t{sums[k]} + with.bias[k / area]);
    }
    store(index, {}, values);
    return;
  }
  const CodeRange& range = network_.format_of(static_cast<int>(index)).range;
  const int low = node.attributes.relu ? std::max(range.low, 0) : range.low;
  Codes out(sums.size());
  for (std::size_t c = 0; c < with.bias.size(); ++c) {
    const Rescale& rescale = with.outputs[place(with.outputs.size(), c)];
    for (std::size_t k = c * area; k < (c + 1) * area; ++k) {
      out[k] = clamped(rescale(std::int64_t{sums[k]} + with.bias[c]), low, range.high);
    }
  }
  store(index, std::move(out), values);
}

std::vector<float> IntegerExecutor::all_answers(const IntegerValues& values) const {
  std::vector<float> out;
  if (values.answer.empty()) {
    const float scale = network_.format_of(network_.graph.output).scale;
    for (const std::int16_t code : codes(network_.graph.output, values)) {
      out.push_back(static_cast<float>(code) * scale);
    }
    return out;
  }
  // The node whose sums they are: the answer itself, or what stands before its flattening.
  auto index = static_cast<std::size_t>(network_.graph.output);
  while (network_.graph.nodes[index].op == Op::kFlatten) {
    index = static_cast<std::size_t>(network_.graph.nodes[index].inputs[0]);
  }
  const Node& node = network_.graph.nodes[index];
  const std::vector<double>& scales = network_.nodes[index].sum_scales;
  const auto area = static_cast<std::size_t>(node.shape.height) * node.shape.width;
  for (std::size_t k = 0; k < values.answer.size(); ++k) {
    const std::size_t at = node.op == Op::kAveragePool ? k % area : k / area;
    out.push_back(static_cast<float>(static_cast<double>(values.answer[k]) *
                                     scales[place(scales.size(), at)]));
  }
  return out;
}

std::vector<float> IntegerExecutor::answer(const IntegerValues& values) const {
  std::vector<float> answers = stated_ ? stated_->answers(values) : all_answers(values);
  answers.erase(answers.begin(), answers.begin() + network_.graph.first_class);
  return answers;
}

std::vector<float> IntegerExecutor::logits(Bytes image) const {
  IntegerValues values = begin(image);
  for (std::size_t node = 0; node < network_.graph.nodes.size(); ++node) {
    const int layer = layers_[node];
    if (layer < 0) {
      compute(node, values);
      continue;
    }
    const auto place = static_cast<std::size_t>(layer);
    finish_layer(place, layer_sums(place, layer_input(place, values)), values);
  }
  return answer(values);
}

}  // namespace bittern
