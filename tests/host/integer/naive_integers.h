#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/integer/quantised_network.h"
#include "host/integer/reference.h"
#include "host/network/clip.h"
#include "host/network/ops.h"

namespace bittern {

/// The slow reference of IntegerExecutor: every operation by loops straight from its definition,
/// layers by reference_outputs(), rounding in exact long double arithmetic. Maps are kept from
/// beginning to end.
class NaiveIntegers {
 public:
  explicit NaiveIntegers(const QuantisedNetwork& network) : network_(network) {}

  using Map = std::vector<std::int16_t>;

  /// Codes of every node; the sums of the answer stand in `answer`.
  std::vector<Map> run(const std::vector<std::uint8_t>& image) {
    image_.assign(image.begin(), image.end());
    maps_.clear();
    answer.clear();
    for (std::size_t i = 0; i < network_.graph.nodes.size(); ++i) maps_.push_back(computed(i));
    return maps_;
  }

  std::vector<std::int64_t> answer;
  std::vector<std::vector<std::int32_t>> layer_sums;

 private:
  const Map& input(const Node& node, std::size_t which = 0) const {
    const int source = node.inputs[which];
    return source == kImage ? image_ : maps_[static_cast<std::size_t>(source)];
  }

  /// Where the value of a channel, row and column lies in a map of that shape.
  static std::size_t offset_in(const Shape& shape, int channel, int row, int column) {
    const auto line = static_cast<std::size_t>(channel) * static_cast<std::size_t>(shape.height) +
                      static_cast<std::size_t>(row);
    return line * static_cast<std::size_t>(shape.width) + static_cast<std::size_t>(column);
  }

  /// floor(value * factor / 2^shift + 1/2): all of it fits the 64 bits of a long double's fraction.
  static long double rounded(long double sum, int shift) {
    return std::floor(std::ldexp(sum, -shift) + 0.5L);
  }
  static std::int16_t bounded(long double value, int low, int high) {
    return static_cast<std::int16_t>(
        std::min<long double>(std::max<long double>(value, low), high));
  }
  std::int16_t rescaled(std::int64_t value, const Rescale& by, const CodeRange& range) const {
    return bounded(
        rounded(static_cast<long double>(value) * static_cast<long double>(by.multiplier),
                by.shift),
        range.low, range.high);
  }

  Map layer(std::size_t index) {
    const auto place =
        static_cast<std::size_t>(std::find(network_.layer_nodes.begin(), network_.layer_nodes.end(),
                                           static_cast<int>(index)) -
                                 network_.layer_nodes.begin());
    const Node& node = network_.graph.nodes[index];
    const QuantisedNode& with = network_.nodes[index];
    LayerData data;
    const auto point = static_cast<std::size_t>(network_.scheme.point_of_layer[place]);
    for (const std::int16_t code : input(node)) {
      data.activations.push_back(rescaled(code, with.input, network_.formats[point].range));
    }
    data.weights = with.weights;
    const std::vector<std::int32_t> sums = reference_outputs(network_.layers[place], 1, data);
    layer_sums.push_back(sums);
    Map out;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::size_t c = i * with.bias.size() / sums.size();
      const std::int64_t sum = std::int64_t{sums[i]} + with.bias[c];
      if (with.outputs.empty()) {
        answer.push_back(sum);
      } else {
        out.push_back(rescaled(sum, with.outputs.size() == 1 ? with.outputs[0] : with.outputs[c],
                               network_.format_of(static_cast<int>(index)).range));
      }
    }
    return out;
  }

  /// Value of a pixel of a map; `outside` where there is none.
  template <typename Visit>
  static void visit_window(const Node& node, const Shape& in, int row, int column, Visit visit) {
    const Attributes& a = node.attributes;
    for (int i = 0; i < a.kernel_h; ++i) {
      for (int j = 0; j < a.kernel_w; ++j) {
        const int y = row * a.stride_h + i * a.dilation_h - a.pad_top;
        const int x = column * a.stride_w + j * a.dilation_w - a.pad_left;
        const bool inside = y >= 0 && x >= 0 && y < in.height && x < in.width;
        const bool padding = !inside && y < in.height + a.pad_bottom && x < in.width + a.pad_right;
        visit(inside, padding, y, x);
      }
    }
  }

  Map pooled(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    const QuantisedNode& with = network_.nodes[index];
    const Shape& in = network_.graph.shape_of(node.inputs[0]);
    const Map& x = input(node);
    Map out;
    for (int c = 0; c < node.shape.channels; ++c) {
      for (int row = 0; row < node.shape.height; ++row) {
        for (int column = 0; column < node.shape.width; ++column) {
          int best = -100000;
          std::int64_t sum = 0;
          int count = 0;
          visit_window(node, in, row, column, [&](bool inside, bool padding, int y, int at) {
            if (inside) {
              const int code = x[offset_in(in, c, y, at)];
              best = std::max(best, code);
              sum += code;
              ++count;
            } else if (padding && node.attributes.count_padding) {
              ++count;
            }
          });
          if (node.op == Op::kMaxPool) {
            out.push_back(static_cast<std::int16_t>(best));
          } else if (with.outputs.empty()) {
            answer.push_back(sum);
          } else {
            const float from = network_.format_of(node.inputs[0]).scale;
            const CodeFormat& to = network_.format_of(static_cast<int>(index));
            out.push_back(rescaled(sum, Rescale::of(double{from} / count / to.scale), to.range));
          }
        }
      }
    }
    return out;
  }

  Map computed(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    Map out = without_relu(index);
    if (node.attributes.relu) {
      for (std::int16_t& code : out) code = std::max<std::int16_t>(code, 0);
    }
    return out;
  }

  Map without_relu(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    const Attributes& a = node.attributes;
    const QuantisedNode& with = network_.nodes[index];
    if (node.op == Op::kConv || node.op == Op::kLinear) return layer(index);
    const Map& x = input(node);
    const Shape& in = network_.graph.shape_of(node.inputs[0]);
    const Shape& to = node.shape;
    const auto at = [&](int c, int y, int column) { return x[offset_in(in, c, y, column)]; };
    Map out;
    const auto each_pixel = [&](auto value) {
      for (int c = 0; c < to.channels; ++c) {
        for (int y = 0; y < to.height; ++y) {
          for (int column = 0; column < to.width; ++column) out.push_back(value(c, y, column));
        }
      }
    };
    switch (node.op) {
      case Op::kRelu:
        each_pixel([&](int c, int y, int i) { return std::max<std::int16_t>(at(c, y, i), 0); });
        break;
      case Op::kClip: {
        const CodeFormat& format = network_.format_of(static_cast<int>(index));
        const auto bound = [&](double value, int infinite) {
          return std::isinf(value) ? infinite
                                   : code_of(static_cast<float>(value), format.scale, format.range);
        };
        each_pixel([&](int c, int y, int i) {
          return bounded(at(c, y, i), bound(a.low, format.range.low),
                         bound(clip_high(a, static_cast<std::size_t>(c)), format.range.high));
        });
        break;
      }
      case Op::kMaxPool:
      case Op::kAveragePool:
        return pooled(index);
      case Op::kFlatten:
        return x;
      case Op::kPadChannels:
        each_pixel([&](int c, int y, int i) -> std::int16_t {
          const int from = c - a.before;
          return from < 0 || from >= in.channels ? std::int16_t{0} : at(from, y, i);
        });
        break;
      case Op::kSlice:
        each_pixel([&](int c, int y, int i) {
          const auto first = [&a](int axis) { return a.begin.empty() ? 0 : a.begin[axis]; };
          return at(first(0) + c, first(1) + y * a.step_h, first(2) + i * a.step_w);
        });
        break;
      case Op::kUpsample:
        each_pixel([&](int c, int y, int i) { return at(c, y / a.step_h, i / a.step_w); });
        break;
      case Op::kPad:
        each_pixel([&](int c, int y, int i) {
          const auto mirrored = [&a](int at, int extent) {
            if (a.border == BorderMode::kEdge) return std::clamp(at, 0, extent - 1);
            return at < 0 ? -at : at >= extent ? 2 * extent - 2 - at : at;
          };
          y -= a.pad_top;
          i -= a.pad_left;
          const bool inside = y >= 0 && i >= 0 && y < in.height && i < in.width;
          if (!inside && a.border == BorderMode::kValue) return std::int16_t{0};
          return at(c, mirrored(y, in.height), mirrored(i, in.width));
        });
        break;
      case Op::kRearrange: {
        // Where every value goes, and not where it comes from.
        out.assign(x.size(), 0);
        if (a.view.empty()) return x;
        for (std::size_t from = 0; from < x.size(); ++from) {
          std::vector<std::size_t> place(a.view.size());
          std::size_t left = from;
          for (std::size_t axis = a.view.size(); axis-- > 0;) {
            place[axis] = left % static_cast<std::size_t>(a.view[axis]);
            left /= static_cast<std::size_t>(a.view[axis]);
          }
          std::size_t to_place = 0;
          for (const int axis : a.order) {
            to_place = to_place * static_cast<std::size_t>(a.view[static_cast<std::size_t>(axis)]) +
                       place[static_cast<std::size_t>(axis)];
          }
          out[to_place] = x[from];
        }
        break;
      }
      case Op::kAdd:
      case Op::kNormalise:
      case Op::kBatchNorm: {
        const CodeRange& range = network_.format_of(static_cast<int>(index)).range;
        const std::size_t area = x.size() / static_cast<std::size_t>(to.channels);
        for (std::size_t k = 0; k < x.size(); ++k) {
          const ScaledSum& sum = with.sums.size() == 1 ? with.sums[0] : with.sums[k / area];
          auto total = static_cast<long double>(sum.offset);
          for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            total += static_cast<long double>(sum.factors[i]) * input(node, i)[k];
          }
          out.push_back(bounded(rounded(total, sum.shift), range.low, range.high));
        }
        break;
      }
      case Op::kConcat:
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
          for (const std::int16_t code : input(node, i)) {
            out.push_back(
                rescaled(code, with.outputs[i], network_.format_of(static_cast<int>(index)).range));
          }
        }
        break;
      default:
        break;
    }
    return out;
  }

  const QuantisedNetwork& network_;
  Map image_;
  std::vector<Map> maps_;
};

}  // namespace bittern
