#pragma once

#include <functional>
#include <vector>

namespace bittern::testing {

using Numbers = std::vector<double>;

/// Derivatives of f by central differences.
inline Numbers differences(const std::function<double(const Numbers&)>& f, Numbers p) {
  constexpr double kStep = 1e-6;
  Numbers result;
  for (double& value : p) {
    const double before = value;
    value = before + kStep;
    const double up = f(p);
    value = before - kStep;
    result.push_back((up - f(p)) / (2 * kStep));
    value = before;
  }
  return result;
}

}  // namespace bittern::testing
