#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/base/table.h"
#include "host/campaign/accuracy_source.h"
#include "host/campaign/campaign.h"
#include "host/campaign/run_options.h"
#include "host/result/result.h"

namespace bittern {

/// A cell and what came of it.
struct CellResult {
  Campaign campaign;
  CampaignResult result;
};

/// All cells of a campaign.
struct CellsResult {
  std::vector<CellResult> cells;
  std::vector<std::string> verdicts;  ///< who won, a sentence each (verdict_text())
};

/// Works through the cells of a campaign, one after the other, each in its folder of `options.out`;
/// `shared` there holds what they have in common. With `picked` only those cells; of the others the
/// results that are there already have their place in the tables. The table over the cells is
/// written to cells.txt, cells.csv and cells.json, the page over them to report.html. Stops,
/// throwing Stopped, after a cell that was stopped. Throws as run_campaign() does.
CellsResult run_cells(const std::vector<Campaign>& cells, const RunOptions& options,
                      const std::vector<Campaign>* picked = nullptr);

/// A row for each cell: what was found, with standard errors, the difference to the best uniform
/// policy with its 95 % interval, and the regret: by how many points of accuracy, as the search saw
/// it, the found policy is below the true optimum, where a cell that differs in nothing but the
/// method went through all policies. Below the rows of several seeds their mean and its standard
/// error.
Table cells_table(const std::vector<CellResult>& cells);

}  // namespace bittern
