#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "host/analysis/campaign_data.h"
#include "host/base/file.h"
#include "host/base/json_text.h"

namespace bittern {

/// A line of episodes.jsonl of a network with two layers.
inline nlohmann::json sample_line(int episode, double accuracy, int bits = 4,
                                  bool meets_limits = true) {
  nlohmann::json line = {
      {"episode", episode},
      {"policy", {{bits, bits}, {8, bits}}},
      {"accuracy", accuracy},
      {"reward", (accuracy - 95.0) / 10},
      {"cost",
       {{"latency_s", bits * 1e-3}, {"energy_j", bits * 2e-6}, {"weight_bytes", bits * 100.0}}},
      {"ratio", {{"latency", bits / 8.0}, {"energy", bits / 8.0}, {"model_size", bits / 8.0}}},
      {"time", {{"evaluate", 0.5}, {"wall", 0.25}}}};
  if (!meets_limits) line["meets_limits"] = false;
  return line;
}

/// A cell whose choice accuracy is `score`, and whose search saw these accuracies.
inline AnalysedCell sample_cell(const std::string& method, std::uint64_t seed, double score,
                                const std::vector<double>& accuracies, int budget = 4,
                                double limit = 0.5) {
  AnalysedCell cell;
  cell.folder = fmt::format("{}-{}-{}", method, limit, seed);
  CampaignResult& r = cell.result;
  r.campaign = "sample";
  r.network = "lenet";
  r.dataset = "synthetic";
  r.variant = "bismo_edge";
  r.search = method;
  r.reinforcement = method == "haq";
  r.exhaustive = r.exhausted = method == "exhaustive";
  r.cost_kind = "rtl";
  r.seed = seed;
  r.budget = budget;
  r.baseline_validation = 95.0;
  r.finalists = 1;
  r.constraints.push_back({"latency", "s", 8e-3, limit * 8e-3, limit * 8e-3 * 0.9});
  r.best.label = "found";
  r.best.choice_accuracy = score;
  r.best.validation_accuracy = score + 1;
  r.best.test_accuracy = score - 1;
  r.best.latency_s = limit * 8e-3 * 0.9;
  r.best.layers = {{"conv1", {4, 4}, 100, 2e-3, 1e-6, "rtl", {}, "shape a", 2000.0, 100.0, 1e9},
                   {"fc<2>", {8, 4}, 200, 2e-3, 1e-6, "rtl", {}, "shape b", 400.0, 200.0, 1e9}};
  PolicyOutcome uniform = r.best;
  uniform.label = "uniform 8";
  uniform.choice_accuracy = score + 0.5;
  for (LayerOutcome& layer : uniform.layers) layer.bits = {8, 8};
  r.uniform = {uniform};
  r.timing = {{"total_s", 1.0}};
  for (std::size_t i = 0; i < accuracies.size(); ++i) {
    cell.lines.push_back(sample_line(static_cast<int>(i), accuracies[i]));
    cell.episodes.push_back(read_episode(cell.lines.back(), "sample"));
  }
  r.episodes = static_cast<int>(accuracies.size());
  if (!accuracies.empty()) r.search_accuracy = cell.best_so_far().back();
  return cell;
}

/// Writes the cell as bittern run does.
inline void write_cell(const std::filesystem::path& folder, const AnalysedCell& cell) {
  write_file(folder / "result.json", json_text(to_json(cell.result), 2) + "\n");
  std::string lines;
  for (const auto& line : cell.lines) lines += json_text(line) + "\n";
  write_file(folder / "episodes.jsonl", lines);
}

}  // namespace bittern
