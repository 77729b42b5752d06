#include "host/search/baselines/additive_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "host/base/cholesky.h"
#include "host/base/error.h"
#include "host/base/ranks.h"

namespace bittern {
namespace {

/// How much of what is learned of a width holds for the width one bit away.
constexpr double kPerBit = 0.7;
/// How far a loss may be from its prior: this share of it, and this share of the mean loss.
constexpr double kOwnShare = 0.6;
constexpr double kMeanShare = 0.25;
/// Deviation of a measurement from the model, in points: at the best choice, and per point that a
/// choice loses more than the best.
constexpr double kNoise = 0.05;
constexpr double kNoisePerPoint = 0.35;
constexpr double kLeastPivot = 1e-12;

/// kPerBit to the power of a distance in bits, of which widths have at most 16.
double per_bits(int distance) {
  static const auto kPowers = [] {
    std::array<double, 17> powers{};
    powers[0] = 1.0;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = kPerBit * powers[i - 1];
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(std::abs(distance))];
}

}  // namespace

AdditiveModel::AdditiveModel(const ChoiceSpace& space, OptionLosses prior, double base)
    : space_(space), prior_(std::move(prior)), prior_base_(base), losses_(prior_), base_(base) {
  bool good = prior_.size() == space.slots();
  for (std::size_t slot = 0; good && slot < space.slots(); ++slot) {
    good = prior_[slot].size() == space.options(slot).size();
    for (const double loss : prior_[slot]) {
      if (std::isfinite(loss)) continue;
      fail("search: the loss of an option of layer {} is {}; expected a finite number",
           space.layers(slot).front(), loss);
    }
  }
  if (!good) fail("search: losses of {} slots for a space of {}", prior_.size(), space.slots());
}

/// What is not known of an option: a part for each operand, of which both get the whole where only
/// one of them is searched.
void AdditiveModel::spread(double scale) {
  double mean = 0.0;
  double count = 0.0;
  for (const std::vector<double>& slot : prior_) {
    // Without the least option, whose losses are of another kind and would drown all others.
    for (std::size_t option = 1; option < slot.size(); ++option) {
      mean += std::abs(slot[option]);
      count += 1.0;
    }
  }
  mean = scale * mean / std::max(1.0, count);
  weight_spread_.assign(space_.slots(), {});
  activation_spread_.assign(space_.slots(), {});
  for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
    const std::vector<BitPair>& options = space_.options(slot);
    const BitPair top = options.back();
    for (std::size_t option = 0; option < options.size(); ++option) {
      const BitPair bits = options[option];
      const double own = kOwnShare * scale * std::abs(prior_[slot][option]);
      // Towards the most bits nothing is lost: less can be wrong there.
      const auto part = [&](int width, int most) {
        return own + kMeanShare * mean * std::min(1.0, 0.25 + 0.25 * (most - width));
      };
      weight_spread_[slot].push_back(part(bits.weight, top.weight));
      activation_spread_[slot].push_back(part(bits.activation, top.activation));
    }
  }
  offset_spread_ = 0.5 * mean + kNoise;
}

double AdditiveModel::covariance(std::size_t slot, int a, int b) const {
  const std::vector<BitPair>& options = space_.options(slot);
  const auto i = static_cast<std::size_t>(a);
  const auto j = static_cast<std::size_t>(b);
  const double weight = per_bits(options[i].weight - options[j].weight);
  const double activation = per_bits(options[i].activation - options[j].activation);
  const double w = weight_spread_[slot][i] * weight_spread_[slot][j] * weight;
  const double x = activation_spread_[slot][i] * activation_spread_[slot][j] * activation;
  // What both operands do together is learned pair by pair.
  const double joint = 0.2 * std::sqrt(w * x) * weight * activation;
  return 0.4 * (w + x) + joint;
}

double AdditiveModel::covariance(const Choice& a, const Choice& b) const {
  double sum = offset_spread_ * offset_spread_;
  for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
    sum += covariance(slot, a[slot], b[slot]);
  }
  return sum;
}

void AdditiveModel::fit(const std::vector<Measured>& measured, bool scaled) {
  losses_ = prior_;
  base_ = prior_base_;
  std::vector<std::size_t> order(measured.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return measured[a].accuracy > measured[b].accuracy;
  });
  order.resize(std::min(order.size(), kMost));
  if (order.empty()) return;

  const auto prior_loss = [this](const Choice& choice) {
    double loss = 0.0;
    for (std::size_t slot = 0; slot < choice.size(); ++slot) {
      loss += prior_[slot][static_cast<std::size_t>(choice[slot])];
    }
    return loss;
  };
  double best = 0.0;
  for (const Measured& m : measured) {
    if (m.meets_limits) best = std::max(best, m.accuracy);
  }
  std::vector<double> noise;
  for (const std::size_t i : order) {
    const double behind = std::abs(best - measured[i].accuracy);
    noise.push_back(kNoise + kNoisePerPoint * behind);
  }
  double scale = 1.0;
  if (scaled) {
    double both = 0.0;
    double square = 0.0;
    for (std::size_t n = 0; n < order.size(); ++n) {
      const Measured& m = measured[order[n]];
      const double expected = prior_loss(m.choice);
      const double weight = 1.0 / (noise[n] * noise[n]);
      both += weight * expected * std::max(0.0, prior_base_ - m.accuracy);
      square += weight * expected * expected;
    }
    if (square > 0.0 && both > 0.0) scale = both / square;
  }
  spread(scale);

  const std::size_t n = order.size();
  std::vector<double> matrix(n * n);
  std::vector<double> right(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Measured& a = measured[order[i]];
    for (std::size_t j = 0; j <= i; ++j) {
      matrix[i * n + j] = matrix[j * n + i] = covariance(a.choice, measured[order[j]].choice);
    }
    matrix[i * n + i] += noise[i] * noise[i];
    right[i] = (prior_base_ - a.accuracy) - scale * prior_loss(a.choice);
  }
  const std::vector<double> weights = solve_cholesky(matrix, std::move(right), kLeastPivot);
  for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
    std::vector<double> per_option(losses_[slot].size(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      per_option[static_cast<std::size_t>(measured[order[i]].choice[slot])] += weights[i];
    }
    for (std::size_t option = 0; option < losses_[slot].size(); ++option) {
      double learned = 0.0;
      for (std::size_t other = 0; other < per_option.size(); ++other) {
        if (per_option[other] == 0.0) continue;
        learned +=
            per_option[other] * covariance(slot, static_cast<int>(option), static_cast<int>(other));
      }
      losses_[slot][option] = scale * prior_[slot][option] + learned;
    }
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  base_ = prior_base_ - offset_spread_ * offset_spread_ * sum;
}

double AdditiveModel::predict(const Choice& choice) const {
  double accuracy = base_;
  for (std::size_t slot = 0; slot < choice.size(); ++slot) {
    accuracy -= losses_[slot][static_cast<std::size_t>(choice[slot])];
  }
  return accuracy;
}

double rank_correlation(const AdditiveModel& model, const std::vector<Measured>& measured) {
  if (measured.size() < 3) return 0.0;
  std::vector<double> expected;
  std::vector<double> found;
  for (const Measured& m : measured) {
    expected.push_back(model.predict(m.choice));
    found.push_back(m.accuracy);
  }
  return spearman(expected, found).value_or(0.0);
}

}  // namespace bittern
