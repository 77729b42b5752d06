#include "host/integer/layer_kernel.h"

#include <algorithm>
#include <cstring>

#include "host/base/vector_clones.h"

namespace bittern {
namespace {

/// Values that a vector instruction multiplies at once; windows are padded to whole blocks.
constexpr std::size_t kBlock = 16;
/// Filters and windows of one step: their sums stay in registers.
constexpr std::size_t kFilters = 4;
constexpr std::size_t kWindows = 2;
/// Grouped layers with windows shorter than this have next to nothing to gather.
constexpr std::size_t kLeastGathered = 32;
/// Bytes of windows that are gathered at once: they stay in the cache while all filters pass.
constexpr std::size_t kGatheredBytes = 32u << 10;

/// sums[f * area + w] = filters[f] . windows[w] for all filters and `count` windows.
BITTERN_VECTOR_CLONES void multiply(const std::int16_t* windows, std::size_t count,
                                    const std::int16_t* filters, std::size_t filter_count,
                                    std::size_t length, std::int32_t* sums, std::size_t area) {
  std::size_t f = 0;
  for (; f + kFilters <= filter_count; f += kFilters) {
    const std::int16_t* f0 = filters + f * length;
    const std::int16_t* f1 = f0 + length;
    const std::int16_t* f2 = f1 + length;
    const std::int16_t* f3 = f2 + length;
    std::int32_t* out = sums + f * area;
    std::size_t w = 0;
    for (; w + kWindows <= count; w += kWindows) {
      const std::int16_t* a = windows + w * length;
      const std::int16_t* b = a + length;
      std::int32_t a0 = 0;
      std::int32_t a1 = 0;
      std::int32_t a2 = 0;
      std::int32_t a3 = 0;
      std::int32_t b0 = 0;
      std::int32_t b1 = 0;
      std::int32_t b2 = 0;
      std::int32_t b3 = 0;
      for (std::size_t k = 0; k < length; ++k) {
        a0 += a[k] * f0[k];
        a1 += a[k] * f1[k];
        a2 += a[k] * f2[k];
        a3 += a[k] * f3[k];
        b0 += b[k] * f0[k];
        b1 += b[k] * f1[k];
        b2 += b[k] * f2[k];
        b3 += b[k] * f3[k];
      }
      out[w] = a0;
      out[area + w] = a1;
      out[2 * area + w] = a2;
      out[3 * area + w] = a3;
      out[w + 1] = b0;
      out[area + w + 1] = b1;
      out[2 * area + w + 1] = b2;
      out[3 * area + w + 1] = b3;
    }
    for (; w < count; ++w) {
      const std::int16_t* a = windows + w * length;
      std::int32_t a0 = 0;
      std::int32_t a1 = 0;
      std::int32_t a2 = 0;
      std::int32_t a3 = 0;
      for (std::size_t k = 0; k < length; ++k) {
        a0 += a[k] * f0[k];
        a1 += a[k] * f1[k];
        a2 += a[k] * f2[k];
        a3 += a[k] * f3[k];
      }
      out[w] = a0;
      out[area + w] = a1;
      out[2 * area + w] = a2;
      out[3 * area + w] = a3;
    }
  }
  for (; f < filter_count; ++f) {
    const std::int16_t* f0 = filters + f * length;
    for (std::size_t w = 0; w < count; ++w) {
      const std::int16_t* a = windows + w * length;
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < length; ++k) sum += a[k] * f0[k];
      sums[f * area + w] = sum;
    }
  }
}

/// sums[x] += weight * row[x * stride].
BITTERN_VECTOR_CLONES void add_row(const std::int16_t* row, std::size_t count, std::size_t stride,
                                   std::int32_t weight, std::int32_t* sums) {
  if (stride == 1) {
    for (std::size_t x = 0; x < count; ++x) sums[x] += weight * row[x];
  } else {
    for (std::size_t x = 0; x < count; ++x) sums[x] += weight * row[x * stride];
  }
}

}  // namespace

LayerKernel::LayerKernel(const Layer& layer, const std::vector<std::int16_t>& weights)
    : layer_(layer),
      group_inputs_(layer.in_channels / layer.groups),
      group_outputs_(layer.out_channels / layer.groups),
      padded_width_(layer.in_width + layer.pad_left + layer.pad_right),
      padded_height_(layer.in_height + layer.pad_top + layer.pad_bottom) {
  const auto k = static_cast<std::size_t>(layer.reduction());
  direct_ = layer.groups > 1 && k < kLeastGathered;
  if (direct_) {
    filters_ = weights;
    return;
  }
  length_ = (k + kBlock - 1) / kBlock * kBlock;
  filters_.assign(static_cast<std::size_t>(layer.out_channels) * length_, 0);
  const auto taps = static_cast<std::size_t>(layer.kernel_h) * layer.kernel_w;
  const auto inputs = static_cast<std::size_t>(group_inputs_);
  for (std::size_t o = 0; o < static_cast<std::size_t>(layer.out_channels); ++o) {
    for (std::size_t c = 0; c < inputs; ++c) {
      for (std::size_t t = 0; t < taps; ++t) {
        filters_[o * length_ + t * inputs + c] = weights[o * k + c * taps + t];
      }
    }
  }
}

void LayerKernel::sums(Span<const std::int16_t> input, Span<std::int32_t> sums) const {
  direct_ ? direct(input, sums) : gathered(input, sums);
}

void LayerKernel::pad(Span<const std::int16_t> input, int group,
                      std::vector<std::int16_t>& map) const {
  const auto channels = static_cast<std::size_t>(group_inputs_);
  const auto area = static_cast<std::size_t>(layer_.in_height) * layer_.in_width;
  const std::int16_t* const planes =
      input.data() + static_cast<std::size_t>(group) * channels * area;
  for (int y = 0; y < layer_.in_height; ++y) {
    std::int16_t* const to =
        map.data() +
        (static_cast<std::size_t>(y + layer_.pad_top) * padded_width_ + layer_.pad_left) * channels;
    const std::int16_t* const from = planes + static_cast<std::size_t>(y) * layer_.in_width;
    for (std::size_t c = 0; c < channels; ++c) {
      for (int x = 0; x < layer_.in_width; ++x) {
        to[static_cast<std::size_t>(x) * channels + c] =
            from[c * area + static_cast<std::size_t>(x)];
      }
    }
  }
}

void LayerKernel::gathered(Span<const std::int16_t> input, Span<std::int32_t> sums) const {
  const int height = layer_.out_height();
  const int width = layer_.out_width();
  const auto area = static_cast<std::size_t>(height) * width;
  const auto channels = static_cast<std::size_t>(group_inputs_);
  const auto at_once = std::clamp<std::size_t>(kGatheredBytes / (2 * length_), kWindows, area);
  // The padding and what stands behind a window stay zero.
  std::vector<std::int16_t> map(static_cast<std::size_t>(padded_height_) * padded_width_ *
                                channels);
  std::vector<std::int16_t> windows(at_once * length_);
  // Neighbouring positions of the kernel lie side by side.
  const std::size_t run = layer_.dilation_w == 1 ? layer_.kernel_w * channels : channels;
  const int runs = layer_.dilation_w == 1 ? 1 : layer_.kernel_w;
  for (int g = 0; g < layer_.groups; ++g) {
    pad(input, g, map);
    const std::int16_t* const filters =
        filters_.data() + static_cast<std::size_t>(g) * group_outputs_ * length_;
    std::int32_t* const out = sums.data() + static_cast<std::size_t>(g) * group_outputs_ * area;
    for (std::size_t first = 0; first < area; first += at_once) {
      const std::size_t count = std::min(at_once, area - first);
      for (std::size_t w = 0; w < count; ++w) {
        const std::size_t y = (first + w) / static_cast<std::size_t>(width) *
                              static_cast<std::size_t>(layer_.stride_h);
        const std::size_t x = (first + w) % static_cast<std::size_t>(width) *
                              static_cast<std::size_t>(layer_.stride_w);
        std::int16_t* to = windows.data() + w * length_;
        for (int i = 0; i < layer_.kernel_h; ++i) {
          const std::int16_t* from =
              map.data() + ((y + static_cast<std::size_t>(i) * layer_.dilation_h) *
                                static_cast<std::size_t>(padded_width_) +
                            x) *
                               channels;
          for (int j = 0; j < runs; ++j, to += run) {
            std::memcpy(to, from + static_cast<std::size_t>(j) * layer_.dilation_w * channels,
                        run * sizeof(std::int16_t));
          }
        }
      }
      multiply(windows.data(), count, filters, static_cast<std::size_t>(group_outputs_), length_,
               out + first, area);
    }
  }
}

void LayerKernel::direct(Span<const std::int16_t> input, Span<std::int32_t> sums) const {
  const int height = layer_.out_height();
  const auto width = static_cast<std::size_t>(layer_.out_width());
  const auto in_area = static_cast<std::size_t>(layer_.in_height) * layer_.in_width;
  const auto padded_width = static_cast<std::size_t>(padded_width_);
  std::vector<std::int16_t> map(static_cast<std::size_t>(padded_height_) * padded_width);
  std::fill(sums.begin(), sums.end(), 0);
  const auto taps = static_cast<std::size_t>(layer_.kernel_h) * layer_.kernel_w;
  for (int channel = 0; channel < layer_.in_channels; ++channel) {
    for (int y = 0; y < layer_.in_height; ++y) {
      std::memcpy(map.data() + static_cast<std::size_t>(y + layer_.pad_top) * padded_width +
                      layer_.pad_left,
                  input.data() + static_cast<std::size_t>(channel) * in_area +
                      static_cast<std::size_t>(y) * layer_.in_width,
                  static_cast<std::size_t>(layer_.in_width) * sizeof(std::int16_t));
    }
    const int group = channel / group_inputs_;
    const int within = channel % group_inputs_;
    for (int o = group * group_outputs_; o < (group + 1) * group_outputs_; ++o) {
      const std::int16_t* const filter =
          filters_.data() + (static_cast<std::size_t>(o) * group_inputs_ + within) * taps;
      for (int y = 0; y < height; ++y) {
        std::int32_t* const out = sums.data() + (static_cast<std::size_t>(o) * height + y) * width;
        for (int i = 0; i < layer_.kernel_h; ++i) {
          const std::int16_t* const row =
              map.data() +
              static_cast<std::size_t>(y * layer_.stride_h + i * layer_.dilation_h) * padded_width;
          for (int j = 0; j < layer_.kernel_w; ++j) {
            add_row(row + static_cast<std::size_t>(j) * layer_.dilation_w, width,
                    static_cast<std::size_t>(layer_.stride_w),
                    filter[static_cast<std::size_t>(i) * layer_.kernel_w + j], out);
          }
        }
      }
    }
  }
}

}  // namespace bittern
