#include "host/integer/threshold.h"

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
// Below the least normal number scales would lose precision; such tensors are zero in effect.
constexpr float kLeastMax = 1e-30f;

struct MethodName {
  ThresholdMethod method;
  const char* name;
};
constexpr std::array<MethodName, 5> kMethods{{{ThresholdMethod::kMax, "max"},
                                              {ThresholdMethod::kKl, "kl"},
                                              {ThresholdMethod::kMse, "mse"},
                                              {ThresholdMethod::kPercentile, "percentile"},
                                              {ThresholdMethod::kHaq, "haq"}}};

/// Square-root rule, as HAQ's, within limits that keep the search fast and its steps fine.
int bin_count(std::size_t values) {
  return std::clamp(static_cast<int>(std::sqrt(static_cast<double>(values))), 64, kMaxBins);
}

}  // namespace

CodeRange weight_range(int bits) {
  if (bits == 1) return {-1, 1, /*odd=*/true};
  if (bits < 1 || bits > kMaxBits) {
    fail_usage("weights of {} bits: expected 1..{}", bits, kMaxBits);
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

const char* weight_kind_name(WeightKind kind) {
  switch (kind) {
    case WeightKind::kLinear:
      return "linear";
    case WeightKind::kWrpn:
      return "wrpn";
    case WeightKind::kDorefa:
      return "dorefa";
    case WeightKind::kKmeans:
      return "kmeans";
  }
  return "unknown";
}

WeightKind weight_kind_of(const std::string& name) {
  for (const WeightKind kind :
       {WeightKind::kLinear, WeightKind::kWrpn, WeightKind::kDorefa, WeightKind::kKmeans}) {
    if (name == weight_kind_name(kind)) return kind;
  }
  fail_usage("weights \"{}\": expected linear, wrpn, dorefa or kmeans", name);
}

ThresholdMethod threshold_method_of(const std::string& name) {
  std::string known;
  for (const MethodName& method : kMethods) {
    if (name == method.name) return method.method;
    known += (known.empty() ? "" : ", ") + std::string(method.name);
  }
  fail_usage("threshold method '{}' is not known; there are: {}", name, known);
}

Magnitudes::Magnitudes(Span<const float> values, bool positive_only)
    : positive_only_(positive_only) {
  measure(values);
  count(values);
}

void Magnitudes::measure(Span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) fail("a value to be quantised is {}; the network diverged?", value);
    const float magnitude = positive_only_ ? std::max(value, 0.0f) : std::abs(value);
    max_ = std::max(max_, magnitude);
    sum_ += magnitude;
  }
  values_ += values.size();
}

void Magnitudes::count(Span<const float> values) {
  if (values_ == 0) fail("no values to find a quantiser's threshold from");
  if (max_ < kLeastMax) return;
  if (counts_.empty()) {
    counts_.resize(static_cast<std::size_t>(bin_count(values_)));
    bin_width_ = static_cast<double>(max_) / static_cast<double>(counts_.size());
  }
  const auto last = static_cast<std::ptrdiff_t>(counts_.size()) - 1;
  const auto per_unit = static_cast<float>(1.0 / bin_width_);
  for (const float value : values) {
    if (value == 0 || (positive_only_ && value < 0)) continue;
    const auto bin = static_cast<std::ptrdiff_t>(std::abs(value) * per_unit);
    ++counts_[static_cast<std::size_t>(std::min(bin, last))];
  }
}

double Magnitudes::centre(std::size_t bin) const {
  return (static_cast<double>(bin) + 0.5) * bin_width_;
}

/// Mean squared error of the histogram's values under a threshold, times their number.
double Magnitudes::squared_error(double threshold, int high) const {
  const double scale = threshold / high;
  double error = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    const double value = centre(bin);
    const double quantised = scale * std::min<double>(high, std::floor(value / scale + 0.5));
    error += counts_[bin] * (value - quantised) * (value - quantised);
  }
  return error;
}

/// KL divergence (nats) of the clipped distribution P of the first `bins` bins, which takes the
/// mass beyond them into its last bin, from its quantised image Q: Q spreads what is rounded to one
/// code evenly over those bins of the code that are not empty. The bins end where rounding to the
/// last code ends, half a step above the threshold: with few codes it matters that the last one is
/// not cut in half.
double Magnitudes::divergence(std::size_t bins, int high) const {
  double total = 0;
  double beyond = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    total += counts_[bin];
    if (bin >= bins) beyond += counts_[bin];
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
      mass += counts_[end];
      filled += counts_[end] > 0 ? 1 : 0;
    }
    for (std::size_t bin = first; bin < end; ++bin) {
      const double p = (counts_[bin] + (bin + 1 == bins ? beyond : 0.0)) / total;
      if (p <= 0) continue;
      // An empty last bin that takes clipped mass has no image: charge it as half a count.
      const double spread = counts_[bin] > 0 ? mass / filled : 0.5;
      result += p * std::log(p * within / spread);
    }
    first = end;
  }
  return result;
}

/// Threshold with the least `error(bins)`: candidates are numbers of histogram bins, from coarse
/// steps to all bins. Ties go to the larger threshold.
template <typename ErrorOf>
double Magnitudes::best_threshold(std::size_t least, ErrorOf error) const {
  const std::size_t all = counts_.size();
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
  return static_cast<double>(best) * bin_width_;
}

double Magnitudes::percentile() const {
  double total = 0;
  for (const double bin : counts_) total += bin;
  double below = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    below += counts_[bin];
    if (below >= kPercentileBelow * total) {
      return static_cast<double>(bin + 1) * bin_width_;
    }
  }
  return static_cast<double>(counts_.size()) * bin_width_;
}

float Magnitudes::threshold(CodeRange range, int bits, ThresholdMethod method) const {
  if (max_ < kLeastMax) return 1.0f;
  if (range.high == 1 && range.odd)
    return std::max(static_cast<float>(sum_ / static_cast<double>(values_)), kLeastMax);
  if (method == ThresholdMethod::kHaq) {
    method = bits >= 5 ? ThresholdMethod::kMax : ThresholdMethod::kKl;
  }
  if (method == ThresholdMethod::kMax) return max_;
  const auto chosen = [&]() -> double {
    if (method == ThresholdMethod::kKl) {
      // Fewer bins than two a code could not tell the codes apart.
      const double best = best_threshold(2 * static_cast<std::size_t>(range.high) + 1,
                                         [&](auto bins) { return divergence(bins, range.high); });
      return best * (range.high / (range.high + 0.5));
    }
    if (method == ThresholdMethod::kMse) {
      return best_threshold(1, [&](auto bins) {
        return squared_error(static_cast<double>(bins) * bin_width_, range.high);
      });
    }
    return percentile();
  };
  return std::min(max_, static_cast<float>(chosen()));
}

float find_threshold(Span<const float> values, CodeRange range, int bits, ThresholdMethod method) {
  return Magnitudes(values, range.low >= 0).threshold(range, bits, method);
}

}  // namespace bittern
