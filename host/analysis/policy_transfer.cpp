#include "host/analysis/policy_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "host/cost/lut.h"

namespace bittern {
namespace {

/// What layers cost on a machine, by shape and bits.
class MachineCosts {
 public:
  void add(const AnalysedCell& cell) {
    const auto path = cell.folder / "lut.csv";
    if (!std::filesystem::exists(path)) return;
    for (const LutRow& row : load_lut(path)) {
      rows_[row.shape].emplace(std::pair(row.bits.weight, row.bits.activation), row.latency_s);
    }
  }

  /// Latency of a layer; `rounded` is set where wider bits stand for those that are not there.
  std::optional<double> latency(const std::string& shape, BitPair bits, bool& rounded) const {
    const auto at = rows_.find(shape);
    if (at == rows_.end()) return std::nullopt;
    // In the order of the pairs: the least weight bits first, then the least activation bits.
    for (const auto& [pair, latency_s] : at->second) {
      if (pair.first < bits.weight || pair.second < bits.activation) continue;
      rounded = rounded || pair != std::pair(bits.weight, bits.activation);
      return latency_s;
    }
    return std::nullopt;
  }

 private:
  std::map<std::string, std::map<std::pair<int, int>, double>> rows_;
};

/// Latency of the policy that one cell found, on a machine.
std::optional<double> latency_on(const AnalysedCell& cell, const MachineCosts& machine,
                                 std::string& note) {
  double sum = 0.0;
  bool rounded = false;
  for (const LayerOutcome& layer : cell.result.best.layers) {
    if (layer.shape.empty()) {
      note = "result.json of an earlier version has no shapes of layers";
      return std::nullopt;
    }
    const auto latency = machine.latency(layer.shape, layer.bits, rounded);
    if (!latency) {
      note = fmt::format("its lut.csv has no {}/{} bits of {}, nor wider ones", layer.bits.weight,
                         layer.bits.activation, layer.name);
      return std::nullopt;
    }
    sum += *latency;
  }
  if (rounded) note = "bits that the machine's lut.csv lacks cost what the next wider ones cost";
  return sum;
}

}  // namespace

std::vector<TransferRow> policy_transfer(const AnalysedCampaigns& campaigns) {
  using Group = std::tuple<std::string, std::string, std::string>;  // network, limits, method
  std::vector<Group> groups;
  std::map<Group, std::vector<std::string>> machines;
  std::map<std::pair<std::string, std::string>, MachineCosts> costs;  // network, variant
  std::map<std::pair<Group, std::string>, std::map<std::uint64_t, const AnalysedCell*>> found;
  for (const AnalysedCell& cell : campaigns.cells) {
    const CampaignResult& result = cell.result;
    const Group group(result.network, cell.limits(), result.search);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    std::vector<std::string>& on = machines[group];
    if (std::find(on.begin(), on.end(), result.variant) == on.end()) on.push_back(result.variant);
    found[{group, result.variant}][result.seed] = &cell;
  }
  for (const AnalysedCell& cell : campaigns.cells) {
    const Group group(cell.result.network, cell.limits(), cell.result.search);
    if (machines[group].size() < 2) continue;
    costs[{cell.result.network, cell.result.variant}].add(cell);
  }
  std::vector<TransferRow> rows;
  for (const Group& group : groups) {
    const auto& [network, limits, method] = group;
    if (machines[group].size() < 2) continue;
    for (const std::string& made_for : machines[group]) {
      for (const std::string& run_on : machines[group]) {
        TransferRow row{network, limits, method, made_for, run_on, 0, {}, {}, {}};
        const MachineCosts& machine = costs[{network, run_on}];
        double latency = 0.0;
        double penalty = 0.0;
        bool all = true;
        for (const auto& [seed, cell] : found[{group, made_for}]) {
          const auto& own = found[{group, run_on}];
          const auto rival = own.find(seed);
          if (rival == own.end()) continue;
          ++row.seeds;
          std::string ignored;
          const auto here = latency_on(*cell, machine, row.note);
          const auto there = latency_on(*rival->second, machine, ignored);
          all = all && here && there && *there > 0.0;
          if (!all) continue;
          latency += *here;
          penalty += *here / *there;
        }
        if (all && row.seeds > 0) {
          row.latency_s = latency / static_cast<double>(row.seeds);
          row.penalty = penalty / static_cast<double>(row.seeds);
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

}  // namespace bittern
