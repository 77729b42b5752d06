#include "host/analysis/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <optional>

#include "host/base/error.h"
#include "host/base/ranks.h"

namespace bittern {
namespace {

double mean_of(const std::vector<double>& values) {
  return values.empty() ? 0.0
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

}  // namespace

MeanInterval mean_interval(const std::vector<double>& values) {
  MeanInterval out;
  out.n = values.size();
  out.mean = mean_of(values);
  if (out.n < 2) return out;
  double squares = 0.0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  const auto n = static_cast<double>(out.n);
  out.deviation = std::sqrt(squares / (n - 1));
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  out.low = out.mean - t * out.deviation / std::sqrt(n);
  out.high = out.mean + t * out.deviation / std::sqrt(n);
  return out;
}

double median(std::vector<double> values) {
  if (values.empty()) fail("the median of no values");
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  if (values.size() % 2 == 1) return values[half];
  // Of two equal infinite values the difference is not a number.
  return values[half - 1] == values[half] ? values[half] : (values[half - 1] + values[half]) / 2;
}

RankCorrelation rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  RankCorrelation out;
  out.n = a.size();
  const std::optional<double> rho = spearman(a, b);
  if (!rho) return out;
  out.rho = *rho;
  if (out.n < 4) return out;
  // At 1 the transform is infinite; so close to it that nothing printed differs.
  const double z = std::atanh(std::clamp(out.rho, -1.0 + 1e-12, 1.0 - 1e-12));
  const double error =
      1.959964 * std::sqrt((1 + out.rho * out.rho / 2) / (static_cast<double>(out.n) - 3));
  out.low = std::tanh(z - error);
  out.high = std::tanh(z + error);
  return out;
}

}  // namespace bittern
