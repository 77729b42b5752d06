#include "host/campaign/baselines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kNarrowest = 2;
constexpr int kWidest = 8;
constexpr BitPair kReference{8, 8};
constexpr BitPair kMixed{6, 4};

std::string bits_text(BitPair bits) { return fmt::format("{}/{}", bits.weight, bits.activation); }

std::string label_of(BitPair bits, BitMode searched, bool floats) {
  if (floats && searched == BitMode::kWeights) return fmt::format("w{}/float", bits.weight);
  if (floats) return fmt::format("float/a{}", bits.activation);
  return bits.weight == bits.activation ? fmt::format("uniform {}", bits.weight)
                                        : fmt::format("w{}/a{}", bits.weight, bits.activation);
}

}  // namespace

Baselines baseline_policies(const BitSpace& space, const CampaignHardware& hardware,
                            const CostModel& costs, const Network& network,
                            const std::vector<std::string>& files, bool floats) {
  const BitOptions& options = space.options();
  Baselines out;
  std::vector<std::string> rounded;
  std::vector<std::string> unknown;
  const auto add = [&](BitPair bits, std::string label) {
    Policy policy(space.layers(), bits);
    for (std::size_t layer = 0; layer < space.layers(); ++layer) {
      if (space.pinned(layer)) policy[layer] = options.pinned;
    }
    if (!knows_policy(costs, policy)) {
      unknown.push_back(label);
      return;
    }
    if (options.pin_first_last && !(bits == options.pinned)) {
      label += ", ends " + bits_text(options.pinned);
    }
    out.rows.push_back({std::move(label), std::move(policy)});
  };
  std::vector<BitPair> wanted;
  for (int b = kNarrowest; b <= kWidest; ++b) {
    wanted.push_back({space.mode() == BitMode::kActivations ? options.fixed.weight : b,
                      space.mode() == BitMode::kWeights ? options.fixed.activation : b});
  }
  if (std::find(wanted.begin(), wanted.end(), kReference) == wanted.end()) {
    wanted.push_back(kReference);
  }
  if (space.mode() == BitMode::kBoth || space.tied()) wanted.push_back(kMixed);
  for (const BitPair bits : wanted) {
    const std::string label = label_of(bits, space.mode(), floats);
    if (hardware.runs(bits) == bits) {
      add(bits, label);
    } else {
      rounded.push_back(label);
    }
  }
  if (!rounded.empty()) {
    out.note = fmt::format("no row for {}: {} runs wider bits instead", fmt::join(rounded, ", "),
                           hardware.name);
  }
  if (!unknown.empty()) {
    out.note += fmt::format("{}no row for {}: the table lacks them", out.note.empty() ? "" : "; ",
                            fmt::join(unknown, ", "));
  }
  for (const std::string& file : files) {
    const Policy policy = load_policy(file, network);
    if (!knows_policy(costs, policy)) fail_usage("{}: the table has no costs for it", file);
    out.rows.push_back({std::filesystem::path(file).stem().string(), policy, /*given=*/true});
  }
  return out;
}

}  // namespace bittern
