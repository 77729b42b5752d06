#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace bittern {

/// Random generator xoshiro256** (Blackman and Vigna 2018) seeded through SplitMix64. The standard
/// library's distributions differ between implementations, so the few that are needed are written
/// out here: the same seed gives the same draws everywhere. Copyable; its state can be saved and
/// restored for resuming.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);
  /// 64 random bits.
  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [low, high], both included. Requires low <= high.
  std::int64_t integer(std::int64_t low, std::int64_t high);
  /// Standard normal (Box-Muller; uses two draws each time, keeps none).
  double normal();
  /// A generator for an independent stream, named by `stream`.
  Rng split(std::uint64_t stream) const;
  /// State as four hexadecimal words.
  std::string save() const;
  /// Restores what save() returned; throws Error when `state` is not of that form.
  static Rng restore(const std::string& state);

 private:
  Rng() = default;
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace bittern
