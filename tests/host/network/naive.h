#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "host/network/clip.h"
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
    return values[(static_cast<std::size_t>(c) * static_cast<std::size_t>(height) +
                   static_cast<std::size_t>(y)) *
                      static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
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
  static int windows(int size, int before, int behind, int kernel, int dilation, int stride,
                     bool ceil) {
    kernel = (kernel - 1) * dilation + 1;
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
    return made(
        in.channels,
        windows(in.height, a.pad_top, a.pad_bottom, a.kernel_h, a.dilation_h, a.stride_h, a.ceil),
        windows(in.width, a.pad_left, a.pad_right, a.kernel_w, a.dilation_w, a.stride_w, a.ceil),
        [&](int c, int y, int x) {
          double best = -1e300;
          double sum = 0.0;
          int count = 0;
          for (int i = 0; i < a.kernel_h; ++i) {
            for (int j = 0; j < a.kernel_w; ++j) {
              const int from_y = y * a.stride_h + i * a.dilation_h - a.pad_top;
              const int from_x = x * a.stride_w + j * a.dilation_w - a.pad_left;
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

  /// The row or column that a border repeats; outside where it has a value of its own.
  static int source(int place, int size, BorderMode border) {
    if (border == BorderMode::kEdge) return std::clamp(place, 0, size - 1);
    if (border == BorderMode::kReflect && place < 0) return -place;
    if (border == BorderMode::kReflect && place >= size) return 2 * (size - 1) - place;
    return place;
  }

  static std::vector<double> rearranged(const Attributes& a, const std::vector<double>& values) {
    if (a.view.empty()) return values;
    std::vector<double> out;
    std::vector<std::size_t> place(a.view.size(), 0);  // along the output's axes
    for (std::size_t n = 0; n < values.size(); ++n) {
      std::vector<std::size_t> from(a.view.size());
      for (std::size_t i = 0; i < place.size(); ++i) {
        from[static_cast<std::size_t>(a.order[i])] = place[i];
      }
      std::size_t index = 0;
      for (std::size_t i = 0; i < from.size(); ++i) {
        index = index * static_cast<std::size_t>(a.view[i]) + from[i];
      }
      out.push_back(values[index]);
      for (std::size_t i = place.size(); i-- > 0;) {
        const int axis = a.order[i];
        if (++place[i] < static_cast<std::size_t>(a.view[static_cast<std::size_t>(axis)])) break;
        place[i] = 0;
      }
    }
    return out;
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
        return each(in, [&](int c, double value) {
          return std::clamp(value, a.low, clip_high(a, static_cast<std::size_t>(c)));
        });
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
      case Op::kSlice: {
        const std::vector<int> from = a.begin.empty() ? std::vector<int>{0, 0, 0} : a.begin;
        const std::vector<int> to =
            a.end.empty() ? std::vector<int>{in.channels, in.height, in.width} : a.end;
        return made(to[0] - from[0], (to[1] - from[1] + a.step_h - 1) / a.step_h,
                    (to[2] - from[2] + a.step_w - 1) / a.step_w, [&](int c, int y, int x) {
                      return in.at(c + from[0], y * a.step_h + from[1], x * a.step_w + from[2]);
                    });
      }
      case Op::kUpsample:
        return made(in.channels, in.height * a.step_h, in.width * a.step_w,
                    [&](int c, int y, int x) { return in.at(c, y / a.step_h, x / a.step_w); });
      case Op::kNormalise:
        return each(in, [&](int c, double value) {
          return (value - a.mean[static_cast<std::size_t>(c)]) /
                 a.deviation[static_cast<std::size_t>(c)];
        });
      case Op::kPad:
        return made(in.channels, in.height + a.pad_top + a.pad_bottom,
                    in.width + a.pad_left + a.pad_right, [&](int c, int y, int x) {
                      y = source(y - a.pad_top, in.height, a.border);
                      x = source(x - a.pad_left, in.width, a.border);
                      return in.inside(y, x) ? in.at(c, y, x) : a.value;
                    });
      case Op::kRearrange:
        return {a.shape[0], a.shape[1], a.shape[2], rearranged(a, in.values)};
      case Op::kQuantise:
        return each(in, [&](int c, double value) {
          return double{
              a.quantiser->quantise(static_cast<float>(value), static_cast<std::size_t>(c))};
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
