#pragma once

#include <cstdint>
#include <string>

namespace bittern {

/// How far something is.
struct Meter {
  std::uint64_t total = 0;  ///< of what is counted; 0: unknown (no percentage, no time left)
  std::string unit;         ///< of what is counted, in the plural: "layers"
  std::uint64_t done = 0;
  std::uint64_t before = 0;  ///< part of `done` that an earlier process did: not in the rate
  std::string note = {};     ///< shown behind the figures, for example the best reward so far
};

/// "simulating  12.1 M/88.2 M cycles  13 %  924 k cycles/s  ETA 1:22  note" after `elapsed_s`, in
/// at most `columns` columns (0: no limit): what comes last is left out first.
std::string meter_text(const std::string& label, const Meter& meter, double elapsed_s,
                       std::size_t columns);

/// A number for people: "9999", "12.1 k", "88.2 M".
std::string count_text(std::uint64_t count);

/// A rate with its unit: "2.61 k episodes/s"; "3.1 episodes/min" and "4.5 episodes/h" where a
/// second is too short.
std::string rate_text(double per_second, const std::string& unit);

/// Seconds as "0:07", "12:30", "3:05:00".
std::string clock_text(double seconds);

}  // namespace bittern
