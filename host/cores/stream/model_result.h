#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bittern {

/// Closed-form prediction of what the RTL will count.
struct ModelResult {
  std::uint64_t cycles = 0;
  /// Events of the register map by name, those of single ports as "read_port_beats[0]".
  std::vector<std::pair<std::string, std::uint64_t>> events;
};

}  // namespace bittern
