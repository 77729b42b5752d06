#include "agent/quant/threshold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kMaxBits = 8;
constexpr int kMaxBins = 2048;
constexpr int kCandidates = 128;
constexpr double kPercentileBelow = 0.999;

struct MethodName {
  ThresholdMethod method;
  const char* name;
};
constexpr std::array<MethodName, 5> kMethods{{{ThresholdMethod::kMax, "max"},
                                              {ThresholdMethod::kKl, "kl"},
                                              {ThresholdMethod::kMse, "mse"},
                                              {ThresholdMethod::kPercentile, "percentile"},
                                              {ThresholdMethod::kHaq, "haq"}}};

/// Magnitudes counted in equal bins over [0, max]. Zeros are left out: every quantiser gives them
/// exactly, and behind a ReLU they would hide the rest.
struct Histogram {
  double bin_width = 0;
  std::vector<double> counts;

  double centre(std::size_t bin) const { return (static_cast<double>(bin) + 0.5) * bin_width; }
};

/// Square-root rule, as HAQ's, within limits that keep the search fast and its steps fine.
int bin_count(std::size_t values) {
  return std::clamp(static_cast<int>(std::sqrt(static_cast<double>(values))), 64, kMaxBins);
}

Histogram count(Span<const float> values, float max, bool positive_only) {
  Histogram histogram;
  histogram.counts.resize(static_cast<std::size_t>(bin_count(values.size())));
  histogram.bin_width = static_cast<double>(max) / static_cast<double>(histogram.counts.size());
  const auto last = static_cast<std::ptrdiff_t>(histogram.counts.size()) - 1;
  const auto per_unit = static_cast<float>(1.0 / histogram.bin_width);
  for (const float value : values) {
    if (value == 0 || (positive_only && value < 0)) continue;
    const auto bin = static_cast<std::ptrdiff_t>(std::abs(value) * per_unit);
    ++histogram.counts[static_cast<std::size_t>(std::min(bin, last))];
  }
  return histogram;
}

/// Mean squared error of the histogram's values under a threshold, times their number.
double squared_error(const Histogram& histogram, double threshold, int high) {
  const double scale = threshold / high;
  double error = 0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    const double value = histogram.centre(bin);
    const double quantised = scale * std::min<double>(high, std::floor(value / scale + 0.5));
    error += histogram.counts[bin] * (value - quantised) * (value - quantised);
  }
  return error;
}

/// KL divergence (nats) of the clipped distribution P of the first `bins` bins, which takes the
/// mass beyond them into its last bin, from its quantised image Q: Q spreads what is rounded to one
/// code evenly over those bins of the code that are not empty. The bins end where rounding to the
/// last code ends, half a step above the threshold: with few codes it matters that the last one is
/// not cut in half.
double divergence(const Histogram& histogram, std::size_t bins, int high) {
  double total = 0;
  double beyond = 0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    total += histogram.counts[bin];
    if (bin >= bins) beyond += histogram.counts[bin];
  }
  const double within = total - beyond;
  if (within <= 0) return std::numeric_limits<double>::infinity();
  const double scale = static_cast<double>(bins) / (high + 0.5);
  const auto code_of = [&](std::size_t bin) {
    return static_cast<int>(std::lround((static_cast<double>(bin) + 0.5) / scale));
  };
  double result = 0;
  for (std::size_t first = 0; first < bins;) {
    const int code = code_of(first);
    std::size_t end = first;
    double mass = 0;
    int filled = 0;
    for (; end < bins && code_of(end) == code; ++end) {
      mass += histogram.counts[end];
      filled += histogram.counts[end] > 0 ? 1 : 0;
    }
    for (std::size_t bin = first; bin < end; ++bin) {
      const double p = (histogram.counts[bin] + (bin + 1 == bins ? beyond : 0.0)) / total;
      if (p <= 0) continue;
      // An empty last bin that takes clipped mass has no image: charge it as half a count.
      const double spread = histogram.counts[bin] > 0 ? mass / filled : 0.5;
      result += p * std::log(p * within / spread);
    }
    first = end;
  }
  return result;
}

/// Threshold with the least `error(bins)`: candidates are numbers of histogram bins, from coarse
/// steps to all bins. Ties go to the larger threshold.
template <typename ErrorOf>
double best_threshold(const Histogram& histogram, std::size_t least, ErrorOf error) {
  const std::size_t all = histogram.counts.size();
  const std::size_t step = std::max<std::size_t>(1, all / kCandidates);
  std::size_t best = all;
  double best_error = error(all);
  for (std::size_t bins = all; bins >= least + step;) {
    bins -= step;
    const double candidate = error(bins);
    if (candidate < best_error) {
      best_error = candidate;
      best = bins;
    }
  }
  return static_cast<double>(best) * histogram.bin_width;
}

double percentile(const Histogram& histogram) {
  double total = 0;
  for (const double bin : histogram.counts) total += bin;
  double below = 0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    below += histogram.counts[bin];
    if (below >= kPercentileBelow * total) {
      return static_cast<double>(bin + 1) * histogram.bin_width;
    }
  }
  return static_cast<double>(histogram.counts.size()) * histogram.bin_width;
}

}  // namespace

CodeRange weight_range(int bits) {
  if (bits < 2 || bits > kMaxBits) {
    fail_usage("weights of {} bits: expected 2..{}{}", bits, kMaxBits,
               bits == 1 ? " (one bit of two's complement is -1 or 0, which no symmetric weight "
                           "fits); set the search's least weight bits to 2"
                         : "");
  }
  const int high = (1 << (bits - 1)) - 1;
  return {-high, high};
}

CodeRange activation_range(int bits, bool is_signed) {
  const int least = is_signed ? 2 : 1;
  if (bits < least || bits > kMaxBits) {
    fail_usage("{} activations of {} bits: expected {}..{}", is_signed ? "signed" : "unsigned",
               bits, least, kMaxBits);
  }
  if (is_signed) return weight_range(bits);
  return {0, (1 << bits) - 1};
}

const char* threshold_method_name(ThresholdMethod method) {
  return kMethods.at(static_cast<std::size_t>(method)).name;
}

ThresholdMethod threshold_method_of(const std::string& name) {
  std::string known;
  for (const MethodName& method : kMethods) {
    if (name == method.name) return method.method;
    known += (known.empty() ? "" : ", ") + std::string(method.name);
  }
  fail_usage("threshold method '{}' is not known; there are: {}", name, known);
}

float find_threshold(Span<const float> values, CodeRange range, int bits, ThresholdMethod method) {
  if (values.empty()) fail("no values to find a quantiser's threshold from");
  const bool positive_only = range.low >= 0;
  float max = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) fail("a value to be quantised is {}; the network diverged?", value);
    max = std::max(max, positive_only ? value : std::abs(value));
  }
  // Below the least normal number scales would lose precision; such tensors are zero in effect.
  if (max < 1e-30f) return 1.0f;
  if (method == ThresholdMethod::kHaq) {
    method = bits >= 5 ? ThresholdMethod::kMax : ThresholdMethod::kKl;
  }
  if (method == ThresholdMethod::kMax) return max;
  const Histogram histogram = count(values, max, positive_only);
  double threshold = max;
  switch (method) {
    case ThresholdMethod::kKl:
      // Fewer bins than two a code could not tell the codes apart.
      threshold =
          best_threshold(histogram, 2 * static_cast<std::size_t>(range.high) + 1,
                         [&](auto bins) { return divergence(histogram, bins, range.high); });
      threshold *= range.high / (range.high + 0.5);
      break;
    case ThresholdMethod::kMse:
      threshold = best_threshold(histogram, 1, [&](auto bins) {
        return squared_error(histogram, static_cast<double>(bins) * histogram.bin_width,
                             range.high);
      });
      break;
    default:
      threshold = percentile(histogram);
  }
  return std::min(max, static_cast<float>(threshold));
}

}  // namespace bittern
