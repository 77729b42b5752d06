#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "host/network/graph.h"
#include "host/network/weights.h"

namespace bittern {

/// A feature map of one image, planes of rows.
struct NaiveMap {
  int channels = 1;
  int height = 1;
  int width = 1;
  std::vector<double> values;

  bool inside(int y, int x) const { return y >= 0 && x >= 0 && y < height && x < width; }
  double at(int c, int y, int x) const {
    return values[static_cast<std::size_t>((c * height + y) * width + x)];
  }
};

/// What a graph gives for one image, by loops straight from the definitions of its operations: no
/// tensor library, no passes, no shapes but those of the inputs.
class NaiveExecutor {
 public:
  NaiveExecutor(const Graph& graph, const NamedTensors& weights)
      : graph_(graph), weights_(weights) {}

  std::vector<double> answer(const NaiveMap& image) const {
    std::vector<NaiveMap> maps;
    for (const Node& node : graph_.nodes) {
      std::vector<const NaiveMap*> inputs;
      for (const int source : node.inputs) {
        inputs.push_back(source == kImage ? &image : &maps[static_cast<std::size_t>(source)]);
      }
      maps.push_back(compute(node, inputs));
    }
    return maps[static_cast<std::size_t>(graph_.output)].values;
  }

 private:
  double weight(const Node& node, const char* tensor, int index) const {
    return weights_.at(node.name + "." + tensor).values[static_cast<std::size_t>(index)];
  }

  /// A map whose values `value_of(c, y, x)` gives.
  template <typename ValueOf>
  static NaiveMap made(int channels, int height, int width, ValueOf value_of) {
    NaiveMap map{channels, height, width, {}};
    for (int c = 0; c < channels; ++c) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) map.values.push_back(value_of(c, y, x));
      }
    }
    return map;
  }
  template <typename Function>
  static NaiveMap each(const NaiveMap& in, Function function) {
    return made(in.channels, in.height, in.width,
                [&](int c, int y, int x) { return function(c, in.at(c, y, x)); });
  }

  NaiveMap convolved(const Node& node, const NaiveMap& in) const {
    const Attributes& a = node.attributes;
    const auto extent = [](int size, int pads, int kernel, int dilation, int stride) {
      return (size + pads - dilation * (kernel - 1) - 1) / stride + 1;
    };
    const int each_in = in.channels / a.groups;
    const int each_out = a.out_channels / a.groups;
    return made(a.out_channels,
                extent(in.height, a.pad_top + a.pad_bottom, a.kernel_h, a.dilation_h, a.stride_h),
                extent(in.width, a.pad_left + a.pad_right, a.kernel_w, a.dilation_w, a.stride_w),
                [&](int o, int y, int x) {
                  double sum = a.bias ? weight(node, "bias", o) : 0.0;
                  for (int c = 0; c < each_in; ++c) {
                    for (int i = 0; i < a.kernel_h; ++i) {
                      for (int j = 0; j < a.kernel_w; ++j) {
                        const int from_y = y * a.stride_h + i * a.dilation_h - a.pad_top;
                        const int from_x = x * a.stride_w + j * a.dilation_w - a.pad_left;
                        if (!in.inside(from_y, from_x)) continue;
                        sum += in.at(o / each_out * each_in + c, from_y, from_x) *
                               weight(node, "weight",
                                      ((o * each_in + c) * a.kernel_h + i) * a.kernel_w + j);
                      }
                    }
                  }
                  return sum;
                });
  }

  /// Windows of one axis: while they lie within the padded map; with `ceil` also those that begin
  /// within the map or the padding before it.
  static int windows(int size, int before, int behind, int kernel, int stride, bool ceil) {
    int count = 0;
    for (int start = -before; start + kernel <= size + behind || (ceil && start < size);
         start += stride) {
      ++count;
      // One window may hang over, the next one only if the one before did not.
      if (start + kernel >= size + behind) break;
    }
    return count;
  }

  static NaiveMap pooled(const Node& node, const NaiveMap& in) {
    const Attributes& a = node.attributes;
    return made(in.channels,
                windows(in.height, a.pad_top, a.pad_bottom, a.kernel_h, a.stride_h, a.ceil),
                windows(in.width, a.pad_left, a.pad_right, a.kernel_w, a.stride_w, a.ceil),
                [&](int c, int y, int x) {
                  double best = -1e300;
                  double sum = 0.0;
                  int count = 0;
                  for (int i = 0; i < a.kernel_h; ++i) {
                    for (int j = 0; j < a.kernel_w; ++j) {
                      const int from_y = y * a.stride_h + i - a.pad_top;
                      const int from_x = x * a.stride_w + j - a.pad_left;
                      if (in.inside(from_y, from_x)) {
                        best = std::max(best, in.at(c, from_y, from_x));
                        sum += in.at(c, from_y, from_x);
                        ++count;
                      } else if (a.count_padding && from_y < in.height + a.pad_bottom &&
                                 from_x < in.width + a.pad_right) {
                        ++count;
                      }
                    }
                  }
                  return node.op == Op::kMaxPool ? best : sum / count;
                });
  }

  NaiveMap compute(const Node& node, const std::vector<const NaiveMap*>& inputs) const {
    const Attributes& a = node.attributes;
    const NaiveMap& in = *inputs[0];
    switch (node.op) {
      case Op::kConv:
        return convolved(node, in);
      case Op::kLinear:
        return made(a.out_channels, 1, 1, [&](int o, int, int) {
          double sum = a.bias ? weight(node, "bias", o) : 0.0;
          const int count = static_cast<int>(in.values.size());
          for (int i = 0; i < count; ++i) {
            sum += in.values[static_cast<std::size_t>(i)] * weight(node, "weight", o * count + i);
          }
          return sum;
        });
      case Op::kBatchNorm:
        return each(in, [&](int c, double value) {
          return (value - weight(node, "running_mean", c)) /
                     std::sqrt(weight(node, "running_var", c) + a.epsilon) *
                     weight(node, "weight", c) +
                 weight(node, "bias", c);
        });
      case Op::kRelu:
        return each(in, [](int, double value) { return std::max(value, 0.0); });
      case Op::kClip:
        return each(in, [&](int, double value) { return std::clamp(value, a.low, a.high); });
      case Op::kMaxPool:
      case Op::kAveragePool:
        return pooled(node, in);
      case Op::kAdd:
        return made(in.channels, in.height, in.width, [&](int c, int y, int x) {
          double sum = 0.0;
          for (const NaiveMap* map : inputs) sum += map->at(c, y, x);
          return sum;
        });
      case Op::kConcat: {
        NaiveMap all{0, in.height, in.width, {}};
        for (const NaiveMap* map : inputs) {
          all.channels += map->channels;
          all.values.insert(all.values.end(), map->values.begin(), map->values.end());
        }
        return all;
      }
      case Op::kFlatten:
        return {in.channels * in.height * in.width, 1, 1, in.values};
      case Op::kPadChannels:
        return made(a.before + in.channels + a.after, in.height, in.width,
                    [&](int c, int y, int x) {
                      const int from = c - a.before;
                      return from < 0 || from >= in.channels ? 0.0 : in.at(from, y, x);
                    });
      case Op::kSlice:
        return made(in.channels, (in.height + a.step_h - 1) / a.step_h,
                    (in.width + a.step_w - 1) / a.step_w,
                    [&](int c, int y, int x) { return in.at(c, y * a.step_h, x * a.step_w); });
      case Op::kUpsample:
        return made(in.channels, in.height * a.step_h, in.width * a.step_w,
                    [&](int c, int y, int x) { return in.at(c, y / a.step_h, x / a.step_w); });
      case Op::kNormalise:
        return each(in, [&](int c, double value) {
          return (value - a.mean[static_cast<std::size_t>(c)]) /
                 a.deviation[static_cast<std::size_t>(c)];
        });
      case Op::kGiven:
        break;  // nothing says what it is
    }
    return {};
  }

  const Graph& graph_;
  const NamedTensors& weights_;
};

}  // namespace bittern
