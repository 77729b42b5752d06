#include "host/network/quantiser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

/// The nearest whole number of 0 or more; `up` decides where two are as near.
double nearest_whole(double x, bool up) {
  const double below = std::floor(x);
  const double over = x - below;
  return over > 0.5 || (over == 0.5 && up) ? below + 1 : below;
}

}  // namespace

const std::vector<std::string>& rounding_names() {
  static const std::vector<std::string> kNames = {"half_even", "half_up", "half_down", "down",
                                                  "up",        "floor",   "ceil"};
  return kNames;
}

const char* rounding_name(Rounding rounding) {
  return rounding_names().at(static_cast<std::size_t>(rounding)).c_str();
}

Rounding rounding_of(const std::string& name) {
  const auto& names = rounding_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    fail_usage("rounding '{}', expected one of {}", name, fmt::join(names, ", "));
  }
  return static_cast<Rounding>(found - names.begin());
}

double rounded(double x, Rounding rounding) {
  switch (rounding) {
    case Rounding::kHalfEven:
      return std::copysign(nearest_whole(std::abs(x), std::fmod(std::floor(std::abs(x)), 2) != 0),
                           x);
    case Rounding::kHalfUp:
      return std::copysign(nearest_whole(std::abs(x), true), x);
    case Rounding::kHalfDown:
      return std::copysign(nearest_whole(std::abs(x), false), x);
    case Rounding::kDown:
      return std::trunc(x);
    case Rounding::kUp:
      return x < 0 ? std::floor(x) : std::ceil(x);
    case Rounding::kFloor:
      return std::floor(x);
    case Rounding::kCeil:
      return std::ceil(x);
  }
  fail("no such rounding");
}

double Quantiser::low() const {
  if (bipolar) return -1;
  if (!is_signed) return 0;
  return -std::ldexp(1.0, bits - 1) + (narrow ? 1 : 0);
}

double Quantiser::high() const {
  if (bipolar) return 1;
  if (is_signed) return std::ldexp(1.0, bits - 1) - 1;
  return std::ldexp(1.0, bits) - (narrow ? 2 : 1);
}

float Quantiser::code(float x, std::size_t channel) const {
  if (bipolar) return x >= 0 ? 1.0F : -1.0F;
  const float position = x / scale_of(channel);
  return static_cast<float>(std::clamp(
      rounded(static_cast<double>(position), rounding) + zero_of(channel), low(), high()));
}

std::string Quantiser::text() const {
  std::string text = fmt::format("b{} {}{}", bits,
                                 bipolar     ? "bipolar"
                                 : is_signed ? "signed"
                                             : "unsigned",
                                 narrow ? " narrow" : "");
  if (rounding != Rounding::kHalfEven) text += fmt::format(" {}", rounding_name(rounding));
  return text + fmt::format(" s{} z{}", fmt::join(scale, ","), fmt::join(zero_point, ","));
}

void Quantiser::validate(std::size_t channels) const {
  constexpr int kMost = 32;
  if (bits < 1 || bits > kMost) fail_usage("a quantiser of {} bits, expected 1 to {}", bits, kMost);
  if (bipolar && (bits != 1 || !is_signed || narrow)) {
    fail_usage("a bipolar quantiser has 1 bit, is signed, and not narrow");
  }
  if (!bipolar && low() >= high()) {
    fail_usage(
        "a quantiser with the codes {} to {}: expected two or more (one bit is unsigned or "
        "bipolar)",
        low(), high());
  }
  if (scale.size() != 1 && scale.size() != channels) {
    fail_usage("{} scales for {} channels, expected 1 or {}", scale.size(), channels, channels);
  }
  if (zero_point.size() != 1 && zero_point.size() != channels) {
    fail_usage("{} zero points for {} channels, expected 1 or {}", zero_point.size(), channels,
               channels);
  }
  for (const float s : scale) {
    if (!(s > 0) || !std::isfinite(s)) fail_usage("a scale is {}, expected a positive number", s);
  }
  for (const float z : zero_point) {
    if (!std::isfinite(z) || z != std::floor(z) || z < low() || z > high() || (bipolar && z != 0)) {
      fail_usage("a zero point is {}, expected a whole number from {} to {}", z,
                 bipolar ? 0 : low(), bipolar ? 0 : high());
    }
  }
}

bool Quantiser::operator==(const Quantiser& other) const { return text() == other.text(); }

}  // namespace bittern
