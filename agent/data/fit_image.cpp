#include "agent/data/fit_image.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Weights are whole numbers of so many bits behind the point, so that sums have one order-free
/// value.
constexpr int kBits = 16;
constexpr std::int32_t kOne = 1 << kBits;

/// The pixels of a line that one scaled pixel is made of.
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;
};

/// For each pixel `begin` .. `begin + count - 1` of a line that is scaled from `from` to `to`.
std::vector<Taps> taps_of(int from, int to, int begin, int count) {
  const double scale = static_cast<double>(from) / to;
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (int i = begin; i < begin + count; ++i) {
    const double middle = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(middle - reach)));
    const int last = std::min(from, static_cast<int>(std::ceil(middle + reach)));
    std::vector<double> shares;
    double sum = 0.0;
    for (int x = first; x < last; ++x) {
      shares.push_back(std::max(0.0, 1.0 - std::abs(x + 0.5 - middle) / reach));
      sum += shares.back();
    }
    Taps taps;
    taps.first = first;
    std::int32_t left = kOne;
    std::size_t greatest = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
      taps.weights.push_back(static_cast<std::int32_t>(std::lround(shares[k] / sum * kOne)));
      left -= taps.weights.back();
      if (shares[k] > shares[greatest]) greatest = k;
    }
    // So that a plain area keeps its value.
    taps.weights[greatest] += left;
    all.push_back(std::move(taps));
  }
  return all;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp((sum + kOne / 2) >> kBits, 0, 255));
}

}  // namespace

void fit_image(const Pixels& image, const ImageFit& fit, MutableBytes planes,
               const std::string& name) {
  int height = image.height;
  int width = image.width;
  const auto scaled = [](int side, double scale) {
    return std::max(1, static_cast<int>(std::lround(side * scale)));
  };
  if (fit.resize > 0) {
    const double scale = static_cast<double>(fit.resize) / std::min(height, width);
    height = scaled(height, scale);
    width = scaled(width, scale);
  } else if (height != fit.height || width != fit.width) {
    const double scale =
        std::max(static_cast<double>(fit.height) / height, static_cast<double>(fit.width) / width);
    height = std::max(fit.height, scaled(height, scale));
    width = std::max(fit.width, scaled(width, scale));
  }
  if (height < fit.height || width < fit.width) {
    fail(
        "{}: scaled to {}x{} pixels it is smaller than the {}x{} that are cut out; raise resize "
        "({})",
        name, height, width, fit.height, fit.width, fit.resize);
  }
  const std::vector<Taps> columns = taps_of(image.width, width, (width - fit.width) / 2, fit.width);
  const std::vector<Taps> rows =
      taps_of(image.height, height, (height - fit.height) / 2, fit.height);
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto out_width = static_cast<std::size_t>(fit.width);
  const auto out_height = static_cast<std::size_t>(fit.height);
  // Along the rows that are needed, then along the columns.
  const int top = rows.front().first;
  const int bottom = rows.back().first + static_cast<int>(rows.back().weights.size());
  std::vector<std::uint8_t> lines(static_cast<std::size_t>(bottom - top) * out_width * channels);
  for (int y = top; y < bottom; ++y) {
    const std::uint8_t* const line = image.data.data() + static_cast<std::size_t>(y) *
                                                             static_cast<std::size_t>(image.width) *
                                                             channels;
    std::uint8_t* out = lines.data() + static_cast<std::size_t>(y - top) * out_width * channels;
    for (const Taps& taps : columns) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::uint8_t* pixel = line + static_cast<std::size_t>(taps.first) * channels + c;
        std::int32_t sum = 0;
        for (const std::int32_t weight : taps.weights) {
          sum += weight * *pixel;
          pixel += channels;
        }
        *out++ = rounded(sum);
      }
    }
  }
  for (std::size_t y = 0; y < out_height; ++y) {
    const Taps& taps = rows[y];
    for (std::size_t x = 0; x < out_width; ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t first = static_cast<std::size_t>(taps.first - top);
        const std::uint8_t* pixel = lines.data() + (first * out_width + x) * channels + c;
        std::int32_t sum = 0;
        for (const std::int32_t weight : taps.weights) {
          sum += weight * *pixel;
          pixel += out_width * channels;
        }
        planes[(c * out_height + y) * out_width + x] = rounded(sum);
      }
    }
  }
}

}  // namespace bittern
