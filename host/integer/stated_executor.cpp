#include "host/integer/stated_executor.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/integer/map_moves.h"
#include "host/integer/pooling.h"

namespace bittern {
namespace {

/// Place in a list that has one for all, or one for each channel.
std::size_t place(std::size_t count, std::size_t channel) { return count == 1 ? 0 : channel; }

std::size_t area_of(const Shape& shape) {
  return static_cast<std::size_t>(shape.height) * shape.width;
}

}  // namespace

StatedExecutor::StatedExecutor(const QuantisedNetwork& network) : network_(network) {
  const std::size_t count = network.graph.nodes.size();
  last_use_.assign(count + 1, 0);
  const auto slot = [count](int source) {
    return source == kImage ? count : static_cast<std::size_t>(source);
  };
  for (std::size_t i = 0; i < count; ++i) {
    for (const int source : network.stated[i].sources) last_use_[slot(source)] = i;
  }
  last_use_[slot(network.answer_source)] = count;
}

void StatedExecutor::begin(Bytes image, IntegerValues& values) const {
  values.stated.resize(network_.graph.nodes.size() + 1);
  values.stated.back().assign(image.begin(), image.end());
}

const StatedExecutor::Integers& StatedExecutor::integers(int source,
                                                         const IntegerValues& values) const {
  return source == kImage ? values.stated.back() : values.stated[static_cast<std::size_t>(source)];
}

void StatedExecutor::drop(std::size_t node, IntegerValues& values) const {
  for (const int source : network_.stated[node].sources) {
    const std::size_t slot =
        source == kImage ? values.stated.size() - 1 : static_cast<std::size_t>(source);
    if (last_use_[slot] == node) Integers().swap(values.stated[slot]);
  }
}

void StatedExecutor::compute(std::size_t node, IntegerValues& values) const {
  if (!network_.stated[node].same) values.stated[node] = computed(node, values);
  drop(node, values);
}

StatedExecutor::Integers StatedExecutor::computed(std::size_t index,
                                                  const IntegerValues& values) const {
  const Node& node = network_.graph.nodes[index];
  const StatedNode& with = network_.stated[index];
  const Integers& x = integers(with.sources[0], values);
  const Shape& input = network_.graph.shape_of(node.inputs[0]);
  switch (node.op) {
    case Op::kQuantise:
      return quantised(index, x);
    case Op::kRelu: {
      Integers out = x;
      for (std::int64_t& code : out) code = std::max<std::int64_t>(code, 0);
      return out;
    }
    case Op::kMaxPool:
      return max_pooled(node, input, x, with.falling);
    case Op::kAveragePool:
      return averaged(index, x);
    case Op::kAdd:
      return added(index, values);
    case Op::kConcat: {
      Integers out;
      for (const int source : with.sources) {
        const Integers& more = integers(source, values);
        out.insert(out.end(), more.begin(), more.end());
      }
      return out;
    }
    default:
      return moved(node, input, x, with.border);
  }
}

StatedExecutor::Integers StatedExecutor::quantised(std::size_t index, const Integers& x) const {
  const std::vector<Steps>& steps = network_.stated[index].steps;
  const std::size_t area = area_of(network_.graph.nodes[index].shape);
  Integers out(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) out[k] = steps[place(steps.size(), k / area)](x[k]);
  return out;
}

StatedExecutor::Integers StatedExecutor::added(std::size_t index,
                                               const IntegerValues& values) const {
  const StatedNode& with = network_.stated[index];
  const std::size_t area = area_of(network_.graph.nodes[index].shape);
  Integers out(static_cast<std::size_t>(network_.graph.nodes[index].shape.elements()), 0);
  for (std::size_t i = 0; i < with.sources.size(); ++i) {
    const Integers& x = integers(with.sources[i], values);
    for (std::size_t k = 0; k < out.size(); ++k) {
      out[k] += with.terms.empty() ? x[k] : with.terms[i][k / area](x[k]);
    }
  }
  return out;
}

StatedExecutor::Integers StatedExecutor::averaged(std::size_t index, const Integers& x) const {
  const Node& node = network_.graph.nodes[index];
  const StatedNode& with = network_.stated[index];
  const Shape& input = network_.graph.shape_of(node.inputs[0]);
  const std::size_t area = area_of(input);
  Integers out;
  for (std::size_t c = 0; c < static_cast<std::size_t>(input.channels); ++c) {
    std::size_t pixel = 0;
    for (int row = 0; row < node.shape.height; ++row) {
      for (int column = 0; column < node.shape.width; ++column, ++pixel) {
        const PoolWindow w = pool_window(node, input, row, column);
        std::int64_t sum = 0;
        for (int y = w.y0; y < w.y1; ++y) {
          const std::int64_t* const from =
              x.data() + c * area + static_cast<std::size_t>(y) * input.width;
          for (int at = w.x0; at < w.x1; ++at) {
            sum += with.terms.empty() ? from[at] : with.terms[0][c](from[at]);
          }
        }
        out.push_back(sum * with.pixel_factors[pixel]);
      }
    }
  }
  return out;
}

std::vector<std::int16_t> StatedExecutor::layer_input(std::size_t layer,
                                                      const IntegerValues& values) const {
  const auto node = static_cast<std::size_t>(network_.layer_nodes[layer]);
  const Integers& x = integers(network_.stated[node].sources[0], values);
  std::vector<std::int16_t> out(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) out[k] = static_cast<std::int16_t>(x[k]);
  return out;
}

void StatedExecutor::finish_layer(std::size_t layer, Span<const std::int32_t> sums,
                                  IntegerValues& values) const {
  const auto node = static_cast<std::size_t>(network_.layer_nodes[layer]);
  values.stated[node].assign(sums.begin(), sums.end());
  drop(node, values);
}

std::vector<float> StatedExecutor::answers(const IntegerValues& values) const {
  const Integers& x = integers(network_.answer_source, values);
  const std::size_t area = x.size() / network_.answer_readings.size();
  std::vector<float> out;
  for (std::size_t k = 0; k < x.size(); ++k) {
    out.push_back(
        static_cast<float>(network_.answer_readings[k / area].value(static_cast<double>(x[k]))));
  }
  return out;
}

}  // namespace bittern
