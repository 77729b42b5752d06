#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/cores/core.h"

namespace bittern {

/// Cycles of a run by Core::cycle_split(), and behind them, under `rest`, what they leave: below
/// zero when events overlap, which they may not. Throws Error when one of them was not counted.
std::vector<std::pair<std::string, std::int64_t>> split_cycles(
    const Core& core, const std::map<std::string, std::uint64_t>& events, std::uint64_t cycles,
    const std::string& rest);

}  // namespace bittern
