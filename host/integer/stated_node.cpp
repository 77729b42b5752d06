#include "host/integer/stated_node.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bittern {

double Reading::value(double integer) const {
  return std::clamp(gain * integer + offset, low, high);
}

bool Reading::straight() const { return std::isinf(low) && std::isinf(high); }

Reading Reading::scaled(double factor, double shift) const {
  Reading out{gain * factor, offset * factor + shift};
  // 0 times infinity is no number: what does not depend on the integer needs no bounds.
  if (factor == 0.0) return out;
  out.low = low * factor + shift;
  out.high = high * factor + shift;
  if (factor < 0.0) std::swap(out.low, out.high);
  return out;
}

Reading Reading::clamped(double least, double greatest) const {
  Reading out = *this;
  out.low = std::clamp(low, least, greatest);
  out.high = std::clamp(high, least, greatest);
  return out;
}

std::int64_t Steps::operator()(std::int64_t x) const {
  const std::int64_t y = falling ? -x : x;
  return first + step * (std::upper_bound(at.begin(), at.end(), y) - at.begin());
}

Steps Steps::of(const Reading& reading, const Quantiser& quantiser, std::size_t channel,
                std::int64_t low, std::int64_t high) {
  Steps steps;
  steps.falling = reading.gain < 0.0;
  steps.step = quantiser.bipolar ? 2 : 1;
  const std::int64_t sign = steps.falling ? -1 : 1;
  const auto code = [&](std::int64_t y) {
    const double value = reading.value(static_cast<double>(sign * y));
    return static_cast<int>(quantiser.code(static_cast<float>(value), channel) -
                            quantiser.zero_of(channel));
  };
  if (steps.falling) {
    std::swap(low, high);
    low = -low;
    high = -high;
  }
  steps.first = code(low);
  const int last = code(high);
  std::int64_t from = low;
  for (int next = steps.first + steps.step; next <= last; next += steps.step) {
    // The least y with that code: below `from` all codes are smaller.
    std::int64_t below = from;
    std::int64_t reached = high;
    while (below < reached) {
      const std::int64_t middle = below + (reached - below) / 2;
      code(middle) >= next ? reached = middle : below = middle + 1;
    }
    steps.at.push_back(reached);
    from = reached;
  }
  return steps;
}

std::int64_t FixedPoint::operator()(std::int64_t x) const {
  return std::clamp(gain * x + offset, low, high);
}

FixedPoint FixedPoint::of(const Reading& reading, double unit) {
  FixedPoint out;
  out.gain = std::llround(reading.gain / unit);
  out.offset = std::llround(reading.offset / unit);
  if (std::isfinite(reading.low)) out.low = std::llround(reading.low / unit);
  if (std::isfinite(reading.high)) out.high = std::llround(reading.high / unit);
  return out;
}

}  // namespace bittern
