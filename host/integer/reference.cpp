#include "host/integer/reference.h"

#include <algorithm>
#include <vector>

#include "host/base/error.h"
#include "host/base/vector_clones.h"

namespace bittern {
namespace {

/// Elements that the inner loop takes at once; rows of the window matrix are padded with zeros to a
/// multiple of it.
constexpr std::size_t kBlock = 16;

/// Dot products of `rows` windows with one filter, wrapping like the 32-bit accumulators of the
/// hardware.
BITTERN_VECTOR_CLONES void filter_windows(const std::int16_t* windows, std::size_t rows,
                                          std::size_t length, const std::int16_t* filter,
                                          std::int32_t* outputs) {
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int16_t* window = windows + row * length;
    std::uint32_t sums[kBlock] = {};
    for (std::size_t k = 0; k < length; k += kBlock) {
      for (std::size_t e = 0; e < kBlock; ++e) {
        sums[e] += static_cast<std::uint32_t>(static_cast<std::int32_t>(window[k + e]) *
                                              static_cast<std::int32_t>(filter[k + e]));
      }
    }
    std::uint32_t sum = 0;
    for (std::size_t e = 0; e < kBlock; ++e) sum += sums[e];
    outputs[row] = static_cast<std::int32_t>(sum);
  }
}

void check_sizes(const Layer& layer, int batch, const LayerData& data) {
  const auto inputs = static_cast<std::size_t>(layer.inputs()) * batch;
  if (data.activations.size() != inputs) {
    fail("layer {}: {} activations, expected {} for a batch of {}", layer.name,
         data.activations.size(), inputs, batch);
  }
  if (data.weights.size() != static_cast<std::size_t>(layer.weights())) {
    fail("layer {}: {} weights, expected {}", layer.name, data.weights.size(), layer.weights());
  }
}

/// Products are linear: what wide unsigned values have above their patterns is added by a layer of
/// the carries alone.
std::vector<std::int32_t> wide_outputs(const Layer& layer, int batch, LayerData data) {
  const bool activations = data.wide_unsigned_activations;
  (activations ? data.wide_unsigned_activations : data.wide_unsigned_weights) = false;
  std::vector<std::int32_t> outputs = reference_outputs(layer, batch, data);
  for (std::int16_t& value : activations ? data.activations : data.weights) {
    value = value < 0 ? 1 : 0;
  }
  const std::vector<std::int32_t> carries = reference_outputs(layer, batch, data);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(outputs[i]) +
                                           (static_cast<std::uint32_t>(carries[i]) << 16));
  }
  return outputs;
}

}  // namespace

std::vector<std::int32_t> reference_outputs(const Layer& layer, int batch, const LayerData& data) {
  layer.validate();
  check_sizes(layer, batch, data);
  if (data.wide_unsigned_activations || data.wide_unsigned_weights) {
    return wide_outputs(layer, batch, data);
  }
  const int height = layer.out_height();
  const int width = layer.out_width();
  const int group_inputs = layer.in_channels / layer.groups;
  const int group_outputs = layer.out_channels / layer.groups;
  const std::size_t k = static_cast<std::size_t>(group_inputs) * layer.kernel_h * layer.kernel_w;
  const std::size_t length = (k + kBlock - 1) / kBlock * kBlock;
  const std::size_t area = static_cast<std::size_t>(height) * width;
  std::vector<std::int32_t> outputs(static_cast<std::size_t>(batch) * layer.out_channels * area);

  // Filters padded like the windows; where nothing is to be padded, the weights themselves.
  std::vector<std::int16_t> padded;
  if (k != length) {
    padded.resize(static_cast<std::size_t>(layer.out_channels) * length);
    for (int o = 0; o < layer.out_channels; ++o) {
      std::copy_n(data.weights.begin() + o * k, k, padded.begin() + o * length);
    }
  }
  const std::int16_t* filters = k != length ? padded.data() : data.weights.data();
  // As many output rows at once as stay in the cache together with a filter.
  const int rows_at_once = std::max<int>(
      1,
      std::min<std::size_t>(height, (64u << 10) / (2 * length * static_cast<std::size_t>(width))));
  std::vector<std::int16_t> windows(static_cast<std::size_t>(rows_at_once) * width * length);

  for (int b = 0; b < batch; ++b) {
    for (int g = 0; g < layer.groups; ++g) {
      for (int y0 = 0; y0 < height; y0 += rows_at_once) {
        const int rows = std::min(rows_at_once, height - y0);
        // Windows of these output rows, in the order of the filters: channel, row, column.
        for (int y = y0; y < y0 + rows; ++y) {
          for (int x = 0; x < width; ++x) {
            std::int16_t* window =
                windows.data() + (static_cast<std::size_t>(y - y0) * width + x) * length;
            const int left = x * layer.stride_w - layer.pad_left;
            for (int c = 0; c < group_inputs; ++c) {
              const std::int16_t* image =
                  data.activations.data() +
                  (static_cast<std::size_t>(b) * layer.in_channels + g * group_inputs + c) *
                      layer.in_height * layer.in_width;
              for (int i = 0; i < layer.kernel_h; ++i, window += layer.kernel_w) {
                const int in_y = y * layer.stride_h + i * layer.dilation_h - layer.pad_top;
                const bool inside = in_y >= 0 && in_y < layer.in_height;
                const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(in_y) * layer.in_width;
                for (int j = 0; j < layer.kernel_w; ++j) {
                  const int in_x = left + j * layer.dilation_w;
                  const bool there = inside && in_x >= 0 && in_x < layer.in_width;
                  window[j] = there ? image[row + in_x] : std::int16_t{0};
                }
              }
            }
          }
        }
        for (int o = g * group_outputs; o < (g + 1) * group_outputs; ++o) {
          filter_windows(
              windows.data(), static_cast<std::size_t>(rows) * width, length, filters + o * length,
              outputs.data() + (static_cast<std::size_t>(b) * layer.out_channels + o) * area +
                  static_cast<std::size_t>(y0) * width);
        }
      }
    }
  }
  return outputs;
}

}  // namespace bittern
