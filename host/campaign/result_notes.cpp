#include "host/campaign/result_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>

#include "host/analysis/untimed.h"
#include "host/cores/core.h"
#include "host/integer/sum_range.h"
#include "host/result/notes.h"

namespace bittern {
namespace {

/// "fc1 (34 bits)": over all policies of the result, the most bits that a layer's sums need.
std::vector<std::string> wide_sums(const Network& network, const Core& core,
                                   const CampaignResult& result) {
  std::vector<int> most(network.layers.size(), 0);
  const auto count = [&](const PolicyOutcome& outcome) {
    for (std::size_t i = 0; i < std::min(most.size(), outcome.layers.size()); ++i) {
      const Layer& layer = network.layers[i];
      const Precision precision{core.supported(outcome.layers[i].bits), /*weight_signed=*/true,
                                layer.signed_input};
      most[i] = std::max(most[i], sum_range(layer, precision).bits());
    }
  };
  count(result.best);
  for (const PolicyOutcome& outcome : result.uniform) count(outcome);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < most.size(); ++i) {
    if (most[i] <= kSumBits) continue;
    names.push_back(fmt::format("{} ({} bits)", network.layers[i].name, most[i]));
  }
  return names;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> result_notes(const CampaignHardware& hardware,
                                                              const Network& network,
                                                              const CampaignResult& result) {
  // What a table of other hardware leaves out, and how wide its sums are, only its maker knows.
  if (!hardware.variant) return {{kNotTimed, "whatever the table leaves out"}};
  std::vector<std::pair<std::string, std::string>> notes;
  notes.emplace_back(kNotTimed,
                     fmt::format("{}", fmt::join(untimed_parts(network, *hardware.variant), "; ")));
  const std::vector<std::string> wide = wide_sums(network, *hardware.core, result);
  if (!wide.empty()) {
    notes.emplace_back(kWideSums, fmt::format("{}; they would wrap around", fmt::join(wide, ", ")));
  }
  return notes;
}

}  // namespace bittern
