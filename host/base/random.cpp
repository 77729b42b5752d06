#include "host/base/random.h"

#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "host/base/error.h"

namespace bittern {
namespace {

std::uint64_t split_mix(std::uint64_t& x) {
  x += 0x9e3779b97f4a7c15ull;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

std::uint64_t rotate(std::uint64_t x, int n) { return (x << n) | (x >> (64 - n)); }

}  // namespace

Rng::Rng(std::uint64_t seed) {
  for (auto& word : state_) word = split_mix(seed);
}

std::uint64_t Rng::next() {
  const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate(state_[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::int64_t Rng::integer(std::int64_t low, std::int64_t high) {
  const std::uint64_t range =
      static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (range == 0) return static_cast<std::int64_t>(next());
  // Rejection keeps every value equally likely.
  const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % range + 1) % range;
  std::uint64_t draw = next();
  while (draw > limit) draw = next();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw % range);
}

double Rng::normal() {
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(kTwoPi * uniform());
}

Rng Rng::split(std::uint64_t stream) const {
  std::uint64_t mix = state_[0] ^ rotate(state_[3], 17) ^ (stream * 0xd1342543de82ef95ull + 1);
  return Rng(split_mix(mix));
}

std::string Rng::save() const {
  return fmt::format("{:016x} {:016x} {:016x} {:016x}", state_[0], state_[1], state_[2], state_[3]);
}

Rng Rng::restore(const std::string& state) {
  Rng rng;
  std::istringstream in(state);
  in >> std::hex;
  bool any = false;
  for (auto& word : rng.state_) {
    if (!(in >> word))
      fail("random generator state: expected four hexadecimal words, got \"{}\"", state);
    any |= word != 0;
  }
  if (std::string rest; in >> rest) {
    fail("random generator state: more than four words in \"{}\"", state);
  }
  if (!any) fail("random generator state: all zero is not a state");
  return rng;
}

}  // namespace bittern
