#pragma once

#include <string>
#include <vector>

#include "host/base/span.h"

namespace bittern {

/// Integer codes that a quantiser may give, both ends included.
struct CodeRange {
  int low = 0;
  int high = 0;
  /// Only odd codes are given (steps of two around zero, which is none of them): binary weights are
  /// -1 and +1.
  bool odd = false;

  bool operator==(const CodeRange& other) const {
    return low == other.low && high == other.high && odd == other.odd;
  }
};

/// Codes of weights: symmetric, -2^(bits-1)+1 .. 2^(bits-1)-1 (2 bits: ternary). The most negative
/// two's complement code stays unused, so that weights have no bias to one side. One bit is binary,
/// -1 and +1 (XNOR-Net, Rastegari et al., 2016, section 3.1): hardware multiplies a bit b of 0 or
/// 1, and 2 b - 1 takes the sum of the activations besides. Throws Error unless bits is 1..8.
CodeRange weight_range(int bits);

/// Codes of activations: 0 .. 2^bits-1 unsigned (1..8 bits), as weights when signed (2..8 bits).
/// Throws Error for other widths.
CodeRange activation_range(int bits, bool is_signed);

/// How the clipping threshold of a quantiser is found.
enum class ThresholdMethod {
  kMax,         ///< the largest magnitude: nothing is clipped
  kKl,          ///< least Kullback-Leibler divergence between the values and the quantised values
  kMse,         ///< least mean squared error
  kPercentile,  ///< 99.9 % of the magnitudes above 0 are below it
  kHaq,         ///< kMax from 5 bits on, kKl below (HAQ, lib/utils/quantize_utils.py)
};

/// "max", "kl", "mse", "percentile", "haq".
const char* threshold_method_name(ThresholdMethod method);

/// The method of that name; throws Error listing the names.
ThresholdMethod threshold_method_of(const std::string& name);

/// What values quantised weights may have.
enum class WeightKind {
  kLinear,  ///< codes times a scale (weight_range())
  /// WRPN's mid-tread steps (Mishra et al. 2018; ReLeQ, equation 1): clipped to [-1, 1], then
  /// round(w * (2^(b-1) - 1)) / (2^(b-1) - 1), for 2..8 bits. Linear codes with a threshold of 1.
  kWrpn,
  /// DoReFa's (Zhou et al. 2016, equation 9): tanh(w) over its greatest magnitude, in 2^bits equal
  /// steps from -1 to 1: odd codes up to 2^bits - 1, none of them 0. One bit is binary, as linear.
  kDorefa,
  kKmeans,  ///< 2^bits values found by k-means (agent/quant/codebook.h)
};

/// "linear", "wrpn", "dorefa" or "kmeans".
const char* weight_kind_name(WeightKind kind);

/// Inverse of weight_kind_name(); throws Error listing the names.
WeightKind weight_kind_of(const std::string& name);

/// How weights are quantised.
struct WeightQuantisation {
  ThresholdMethod method = ThresholdMethod::kMse;
  bool per_channel = false;  ///< a scale for each output channel instead of one for the tensor
  /// With the other kinds the two above do not count.
  WeightKind kind = WeightKind::kLinear;
};

/// What clipping thresholds are found from: a histogram of the magnitudes of values, which may be
/// dropped afterwards. Zeros are left out: every quantiser gives them exactly, and behind a ReLU
/// they would hide the rest.
class Magnitudes {
 public:
  /// Of all values at once. `positive_only`: negative values do not count (of ranges that start at
  /// 0). Throws Error when there are no values, or one is not finite.
  Magnitudes(Span<const float> values, bool positive_only);

  /// Of values that come in parts: each part is shown to measure(), and then all of them again, in
  /// any order, to count(). The same as all at once.
  explicit Magnitudes(bool positive_only) : positive_only_(positive_only) {}
  /// Throws Error when one is not finite.
  void measure(Span<const float> values);
  /// Throws Error when nothing was measured.
  void count(Span<const float> values);

  /// Clipping threshold when the values are quantised linearly to `range` (scale = threshold /
  /// range.high): positive, at most the largest magnitude; 1 when all values are 0. `bits` is what
  /// kHaq decides by.
  /// For binary codes it is the mean magnitude, zeros counted, which has the least squared error,
  /// whatever the method.
  float threshold(CodeRange range, int bits, ThresholdMethod method) const;

 private:
  double centre(std::size_t bin) const;
  double squared_error(double threshold, int high) const;
  double divergence(std::size_t bins, int high) const;
  double percentile() const;
  template <typename ErrorOf>
  double best_threshold(std::size_t least, ErrorOf error) const;

  bool positive_only_ = false;
  std::size_t values_ = 0;  ///< how many were measured
  float max_ = 0;
  double sum_ = 0;  ///< magnitudes of all values
  double bin_width_ = 0;
  std::vector<double> counts_;  ///< of equal bins over [0, max_]
};

/// Magnitudes(values, range.low >= 0).threshold(range, bits, method).
float find_threshold(Span<const float> values, CodeRange range, int bits, ThresholdMethod method);

}  // namespace bittern
