#include "host/analysis/additive_fit.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "host/base/cholesky.h"
#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::size_t kFewest = 20;
constexpr std::size_t kFolds = 5;
/// Beyond them the fit takes long and says nothing more.
constexpr std::size_t kMostPolicies = 5000;
constexpr std::size_t kMostTerms = 800;

/// Terms of the sum that each policy has; the first one is the constant.
struct Design {
  std::vector<std::vector<std::size_t>> terms;  ///< [policy]
  std::size_t width = 1;
};

Design design_of(const std::vector<Policy>& policies) {
  Design design;
  std::map<std::tuple<std::size_t, int, int>, std::size_t> known;  // layer, operand, bits
  for (const Policy& policy : policies) {
    std::vector<std::size_t> own = {0};
    for (std::size_t layer = 0; layer < policy.size(); ++layer) {
      const int bits[] = {policy[layer].weight, policy[layer].activation};
      for (const int operand : {0, 1}) {
        const auto [at, is_new] =
            known.emplace(std::tuple(layer, operand, bits[operand]), design.width);
        if (is_new) ++design.width;
        own.push_back(at->second);
      }
    }
    design.terms.push_back(std::move(own));
  }
  return design;
}

/// Weights of the terms, from all policies but those of one fold.
std::vector<double> fit(const Design& design, const std::vector<double>& values,
                        std::size_t without) {
  const std::size_t n = design.width;
  std::vector<double> a(n * n, 0.0);
  std::vector<double> b(n, 0.0);
  for (std::size_t p = 0; p < design.terms.size(); ++p) {
    if (p % kFolds == without) continue;
    for (const std::size_t i : design.terms[p]) {
      b[i] += values[p];
      for (const std::size_t j : design.terms[p]) a[i * n + j] += 1.0;
    }
  }
  double trace = 0.0;
  for (std::size_t i = 0; i < n; ++i) trace += a[i * n + i];
  for (std::size_t i = 0; i < n; ++i) a[i * n + i] += 1e-6 * trace / static_cast<double>(n);
  return solve_cholesky(a, std::move(b), 1e-300);
}

}  // namespace

AdditiveFit additive_fit(const std::vector<Policy>& policies,
                         const std::vector<double>& accuracies) {
  if (policies.size() != accuracies.size()) {
    fail("additive model: {} policies with {} accuracies", policies.size(), accuracies.size());
  }
  // In an order of their own: it must not matter who found them.
  std::map<std::vector<std::pair<int, int>>, std::pair<double, int>> unique;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    if (policies[i].size() != policies.front().size()) {
      fail("additive model: policies of {} and of {} layers are of different networks",
           policies.front().size(), policies[i].size());
    }
    std::vector<std::pair<int, int>> key;
    for (const BitPair& bits : policies[i]) key.emplace_back(bits.weight, bits.activation);
    auto& [sum, count] = unique[key];
    sum += accuracies[i];
    ++count;
  }
  AdditiveFit out;
  out.policies = unique.size();
  if (unique.size() < kFewest) {
    out.note = fmt::format("{} different policies, {} are needed", unique.size(), kFewest);
    return out;
  }
  // Every n-th of too many.
  const std::size_t every = (unique.size() + kMostPolicies - 1) / kMostPolicies;
  std::vector<Policy> kept;
  std::vector<double> values;
  std::size_t at = 0;
  for (const auto& [key, sum] : unique) {
    if (at++ % every != 0) continue;
    Policy policy;
    for (const auto& [weight, activation] : key) policy.push_back({weight, activation});
    kept.push_back(std::move(policy));
    values.push_back(sum.first / sum.second);
  }
  const Design design = design_of(kept);
  if (design.width > kMostTerms) {
    out.note = fmt::format("{} terms, at most {} are fitted", design.width, kMostTerms);
    return out;
  }
  std::vector<double> predicted(values.size(), 0.0);
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    const std::vector<double> weights = fit(design, values, fold);
    for (std::size_t p = fold; p < values.size(); p += kFolds) {
      for (const std::size_t i : design.terms[p]) predicted[p] += weights[i];
    }
  }
  out.ranks = rank_correlation(predicted, values);
  return out;
}

}  // namespace bittern
