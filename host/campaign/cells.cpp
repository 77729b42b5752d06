#include "host/campaign/cells.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "host/analysis/campaign_analysis.h"
#include "host/analysis/campaign_data.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/stop.h"
#include "host/campaign/run_directory.h"
#include "host/campaign/runner.h"
#include "host/evaluator/answers.h"
#include "host/report/cells_report.h"

namespace bittern {
namespace {

std::string limits_text(const Campaign& campaign) {
  std::string text;
  for (const ConstraintSettings& c : campaign.constraints) {
    text += fmt::format("{}{} {:g}{}", text.empty() ? "" : ", ", c.resource, c.limit,
                        c.is_ratio ? "x" : "");
  }
  return text;
}

/// Everything that tells cells apart, but for the seed.
std::string without_seed(const Campaign& c) {
  return fmt::format("{}|{}|{}|{}", c.network, c.variant, c.method.name, limits_text(c));
}

/// Everything but the method: cells that have the same true optimum.
std::string problem_of(const Campaign& c) {
  return fmt::format("{}|{}|{}|{}", c.network, c.variant, limits_text(c), c.seed);
}

/// Numbers of one cell that are averaged over seeds.
struct Numbers {
  double ratio = 0.0;
  double validation = 0.0;
  std::optional<double> test;
  std::optional<double> against_uniform;  ///< points on the test set, else on validation
  std::optional<double> regret;
};

struct Mean {
  double mean = 0.0;
  std::optional<double> error;  ///< standard error
};

template <typename Get>
std::optional<Mean> mean_of(const std::vector<Numbers>& rows, Get get) {
  std::vector<double> values;
  for (const Numbers& row : rows) {
    if (const std::optional<double> value = get(row)) values.push_back(*value);
  }
  if (values.size() != rows.size()) return std::nullopt;
  Mean out;
  for (const double v : values) out.mean += v / static_cast<double>(values.size());
  if (values.size() < 2) return out;
  double squares = 0.0;
  for (const double v : values) squares += (v - out.mean) * (v - out.mean);
  const auto n = static_cast<double>(values.size());
  out.error = std::sqrt(squares / (n - 1) / n);
  return out;
}

Table::Cell cell_of(const std::optional<double>& value) {
  return value ? Table::Cell(*value) : Table::Cell();
}

std::optional<double> error_of(const std::optional<double>& percent, std::size_t images) {
  if (!percent || images == 0) return std::nullopt;
  return accuracy_standard_error(*percent, images);
}

/// Accuracies that the search saw of the true optimum, by problem.
std::map<std::string, double> optima(const std::vector<CellResult>& cells) {
  std::map<std::string, double> found;
  for (const auto& [campaign, result] : cells) {
    if (campaign.method.exhaustive && result.exhausted && result.search_accuracy) {
      found[problem_of(campaign)] = *result.search_accuracy;
    }
  }
  return found;
}

bool among(const std::vector<Campaign>& cells, const Campaign& cell) {
  return std::any_of(cells.begin(), cells.end(),
                     [&](const Campaign& other) { return other.cell == cell.cell; });
}

/// What an earlier run found for a cell; empty, with a warning where that needs one, when it is of
/// no use beside the others.
std::optional<CampaignResult> earlier_result(const Campaign& cell,
                                             const std::filesystem::path& folder) {
  try {
    std::optional<CampaignResult> result = RunDirectory::result(folder, campaign_key(cell));
    if (!result || !result->stopped) return result;
    spdlog::warn("{}: was stopped early; it is left out of the tables", folder.string());
  } catch (const Error& error) {
    spdlog::warn("{}; it is left out of the tables", error.what());
  }
  return std::nullopt;
}

}  // namespace

CellsResult run_cells(const std::vector<Campaign>& cells, const RunOptions& options,
                      const std::vector<Campaign>* picked) {
  CellsResult out;
  std::vector<CellResult>& results = out.cells;
  const std::size_t to_run = picked == nullptr ? cells.size() : picked->size();
  std::size_t run = 0;
  for (const Campaign& cell : cells) {
    RunOptions own = options;
    own.out = options.out / cell.cell;
    own.shared = options.out / "shared";
    if (picked != nullptr && !among(*picked, cell)) {
      if (auto known = earlier_result(cell, own.out)) results.push_back({cell, std::move(*known)});
      continue;
    }
    spdlog::info("cell {} of {}: {}", ++run, to_run, cell.cell);
    CampaignResult result = run_campaign(cell, own);
    const bool stopped = result.stopped;
    results.push_back({cell, std::move(result)});
    if (stopped) throw Stopped();
  }
  const Table table = cells_table(results);
  TableView all;
  all.columns = {"all"};
  write_file(options.out / "cells.txt", table.render(OutputFormat::kTable, all));
  write_file(options.out / "cells.csv", table.render(OutputFormat::kCsv));
  write_file(options.out / "cells.json", table.render(OutputFormat::kJson));
  std::vector<std::filesystem::path> folders;
  for (const CellResult& cell : results) folders.push_back(options.out / cell.campaign.cell);
  std::string page;
  try {
    const AnalysedCampaigns campaigns = read_campaigns(folders);
    const CampaignAnalysis analysis = analyse(campaigns);
    page = cells_report_html(campaigns, analysis, options.out);
    out.verdicts = analysis.verdicts;
  } catch (const Error& error) {
    // The results are there; what compares them does not decide whether the run went well.
    spdlog::warn("the page over all cells cannot be made: {}", error.what());
    return out;
  }
  write_file(options.out / "report.html", page);
  return out;
}

Table cells_table(const std::vector<CellResult>& cells) {
  Table table;
  table.text_column("network").text_column("variant").text_column("method").text_column("limits");
  table.text_column("seed").integer_column("episodes").detail();
  table.integer_column("policies").detail();
  table.text_column("met");
  table.real_column("latency", "s", 6).detail().real_column("energy", "J", 9).detail();
  table.real_column("used", "of limit", 3);
  // The short view has the accuracy that says most.
  const bool tested = std::any_of(cells.begin(), cells.end(), [](const CellResult& cell) {
    return cell.result.best.test_accuracy.has_value();
  });
  for (const auto& [part, detail] : {std::pair("validation", tested), std::pair("test", !tested)}) {
    table.real_column(part, "%", 2);
    if (detail) table.detail();
    table.real_column(std::string(part) + "_error", "points", 2);
    if (detail) table.detail();
  }
  table.real_column("against_uniform", "points", 2);
  table.real_column("against_uniform_low", "points", 2).detail();
  table.real_column("against_uniform_high", "points", 2).detail();
  const std::map<std::string, double> optimum = optima(cells);
  table.real_column("regret", "points", 2);
  if (optimum.empty()) table.detail();
  // Groups of seeds, in the order of their first cell.
  std::vector<std::pair<const Campaign*, std::vector<Numbers>>> groups;
  for (const auto& [campaign, result] : cells) {
    const PolicyOutcome& best = result.best;
    Numbers numbers;
    numbers.validation = best.validation_accuracy;
    numbers.test = best.test_accuracy;
    bool met = true;
    for (const ConstraintOutcome& c : result.constraints) {
      met = met && c.met();
      numbers.ratio = std::max(numbers.ratio, c.limit > 0 ? c.achieved / c.limit : 0.0);
    }
    std::optional<PairedDifference> difference;
    if (const PolicyOutcome* uniform = result.best_uniform()) {
      const bool test = !best.test_answers.empty() && !uniform->test_answers.empty();
      if (test) difference = paired_difference(best.test_answers, uniform->test_answers);
      numbers.against_uniform =
          test ? difference->points : best.validation_accuracy - uniform->validation_accuracy;
    }
    const auto known = optimum.find(problem_of(campaign));
    if (known != optimum.end() && result.search_accuracy) {
      numbers.regret = known->second - *result.search_accuracy;
    }
    table.row(
        {result.network, result.variant, result.search, limits_text(campaign),
         std::to_string(campaign.seed), std::int64_t{result.episodes},
         std::int64_t{result.policies_tried}, std::string(met ? "yes" : "no"), best.latency_s,
         best.energy_j, numbers.ratio, numbers.validation,
         cell_of(error_of(numbers.validation, result.validation_images)), cell_of(numbers.test),
         cell_of(error_of(numbers.test, result.test_images)), cell_of(numbers.against_uniform),
         difference ? Table::Cell(difference->low) : Table::Cell(),
         difference ? Table::Cell(difference->high) : Table::Cell(), cell_of(numbers.regret)});
    const auto group = std::find_if(groups.begin(), groups.end(), [&c = campaign](const auto& g) {
      return without_seed(*g.first) == without_seed(c);
    });
    if (group == groups.end()) {
      groups.push_back({&campaign, {numbers}});
    } else {
      group->second.push_back(numbers);
    }
  }
  for (const auto& [campaign, rows] : groups) {
    if (rows.size() < 2) continue;
    const auto ratio = mean_of(rows, [](const Numbers& n) { return std::optional(n.ratio); });
    const auto validation =
        mean_of(rows, [](const Numbers& n) { return std::optional(n.validation); });
    const auto test = mean_of(rows, [](const Numbers& n) { return n.test; });
    const auto against = mean_of(rows, [](const Numbers& n) { return n.against_uniform; });
    const auto regret = mean_of(rows, [](const Numbers& n) { return n.regret; });
    const auto mean = [](const std::optional<Mean>& m) {
      return m ? Table::Cell(m->mean) : Table::Cell();
    };
    const auto error = [](const std::optional<Mean>& m) {
      return m ? cell_of(m->error) : Table::Cell();
    };
    table.subtotal({std::string("mean"),
                    campaign->variant,
                    campaign->method.name,
                    limits_text(*campaign),
                    fmt::format("{} seeds", rows.size()),
                    {},
                    {},
                    {},
                    {},
                    {},
                    mean(ratio),
                    mean(validation),
                    error(validation),
                    mean(test),
                    error(test),
                    mean(against),
                    {},
                    {},
                    mean(regret)});
  }
  return table;
}

}  // namespace bittern
