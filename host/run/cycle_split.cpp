#include "host/run/cycle_split.h"

#include "host/base/error.h"

namespace bittern {

std::vector<std::pair<std::string, std::int64_t>> split_cycles(
    const Core& core, const std::map<std::string, std::uint64_t>& events, std::uint64_t cycles,
    const std::string& rest) {
  std::vector<std::pair<std::string, std::int64_t>> split;
  auto left = static_cast<std::int64_t>(cycles);
  for (const auto& [heading, event] : core.cycle_split()) {
    const auto found = events.find(event);
    if (found == events.end()) fail("event '{}' was not counted", event);
    split.emplace_back(heading, static_cast<std::int64_t>(found->second));
    left -= static_cast<std::int64_t>(found->second);
  }
  split.emplace_back(rest, left);
  return split;
}

}  // namespace bittern
