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

/// Layers that have weights of one bit in some policy of the result.
std::vector<std::string> binary_layers(const Network& network, const CampaignResult& result) {
  std::vector<const PolicyOutcome*> outcomes = {&result.best};
  for (const PolicyOutcome& outcome : result.uniform) outcomes.push_back(&outcome);
  for (const PolicyOutcome& outcome : result.given) outcomes.push_back(&outcome);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const bool binary =
        std::any_of(outcomes.begin(), outcomes.end(), [i](const PolicyOutcome* outcome) {
          return i < outcome->layers.size() && outcome->layers[i].bits.weight == 1;
        });
    if (binary) names.push_back(network.layers[i].name);
  }
  return names;
}

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
  for (const PolicyOutcome& outcome : result.given) count(outcome);
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
  std::vector<std::string> untimed = untimed_parts(network, *hardware.variant);
  const std::vector<std::string> binary = binary_layers(network, result);
  if (!binary.empty()) {
    untimed.push_back(
        fmt::format("the sums of activations that weights of -1 and +1 need besides ({})",
                    fmt::join(binary, ", ")));
  }
  notes.emplace_back(kNotTimed, fmt::format("{}", fmt::join(untimed, "; ")));
  const std::vector<std::string> wide = wide_sums(network, *hardware.core, result);
  if (!wide.empty()) {
    notes.emplace_back(kWideSums, fmt::format("{}; they would wrap around", fmt::join(wide, ", ")));
  }
  return notes;
}

}  // namespace bittern
