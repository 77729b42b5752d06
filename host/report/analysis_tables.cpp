#include "host/report/analysis_tables.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "host/analysis/campaign_curves.h"

namespace bittern {
namespace {

using Cells = std::vector<Table::Cell>;

Table::Cell mean_cell(const std::optional<MeanInterval>& m) {
  return m ? Table::Cell(m->mean) : Table::Cell();
}

/// Mean, and the two ends of its interval where they are known.
void add_interval(Cells& cells, const std::optional<MeanInterval>& m) {
  cells.push_back(mean_cell(m));
  const bool known = m && m->known();
  cells.push_back(known ? Table::Cell(m->low) : Table::Cell());
  cells.push_back(known ? Table::Cell(m->high) : Table::Cell());
}

Table::Cell deviation_cell(const MeanInterval& m) {
  return m.n >= 2 ? Table::Cell(m.deviation) : Table::Cell();
}

Table::Cell budget_cell(const std::optional<int>& budget) {
  return budget ? Table::Cell(std::int64_t{*budget}) : Table::Cell();
}

void interval_columns(Table& table, const std::string& name, const std::string& unit,
                      bool short_view = true) {
  table.real_column(name, unit, 2);
  for (const char* end : {"_low", "_high"}) {
    table.real_column(name + end, unit, 2);
    if (!short_view) table.detail();
  }
}

std::int64_t whole(std::size_t n) { return static_cast<std::int64_t>(n); }

}  // namespace

Table methods_table(const CampaignAnalysis& analysis) {
  Table table;
  table.text_column("problem").text_column("method").text_column("kind").detail();
  table.integer_column("seeds").integer_column("budget").detail();
  table.real_column("evaluations", "", 0).real_column("used", "of limit", 3);
  interval_columns(table, "score", "%");
  table.real_column("score_deviation", "points", 2).detail();
  interval_columns(table, "test", "%", false);
  interval_columns(table, "regret", "points", false);
  interval_columns(table, "against_uniform", "points", false);
  for (const MethodRow& row : analysis.methods) {
    Cells cells = {row.problem,
                   row.method,
                   std::string(row.reinforcement ? "RL"
                               : row.exhaustive  ? "exhaustive"
                                                 : "other"),
                   whole(row.seeds),
                   budget_cell(row.budget),
                   row.evaluations.mean,
                   row.used.mean};
    add_interval(cells, row.score);
    cells.push_back(deviation_cell(row.score));
    add_interval(cells, row.test);
    add_interval(cells, row.regret);
    add_interval(cells, row.against_uniform);
    table.row(std::move(cells));
  }
  return table;
}

Table pairs_table(const CampaignAnalysis& analysis) {
  Table table;
  table.text_column("problem").text_column("method").text_column("against");
  table.integer_column("seeds").integer_column("budget");
  interval_columns(table, "difference", "points");
  table.real_column("difference_deviation", "points", 2).detail();
  table.text_column("verdict");
  for (const PairRow& row : analysis.pairs) {
    Cells cells = {row.problem, row.method, row.against, whole(row.difference.n),
                   budget_cell(row.budget)};
    add_interval(cells, row.difference);
    cells.push_back(deviation_cell(row.difference));
    cells.emplace_back(row.verdict());
    table.row(std::move(cells));
  }
  return table;
}

Table additive_table(const CampaignAnalysis& analysis) {
  Table table;
  table.text_column("network").integer_column("seed").integer_column("policies");
  table.real_column("rank_correlation", "", 3);
  table.real_column("rank_correlation_low", "", 3).real_column("rank_correlation_high", "", 3);
  table.text_column("note").spare();
  for (const AdditiveRow& row : analysis.additive) {
    Cells cells = {row.network, static_cast<std::int64_t>(row.seed), whole(row.fit.policies)};
    const bool known = row.fit.note.empty();
    for (const double value : {row.fit.ranks.rho, row.fit.ranks.low, row.fit.ranks.high}) {
      cells.push_back(known ? Table::Cell(value) : Table::Cell());
    }
    cells.emplace_back(known ? Table::Cell() : Table::Cell(row.fit.note));
    table.row(std::move(cells));
  }
  return table;
}

Table quality_table(const CampaignAnalysis& analysis) {
  Table table;
  table.text_column("problem").text_column("method").real_column("within", "points", 1);
  table.integer_column("seeds").integer_column("reached").real_column("evaluations", "median", 1);
  for (const QualityRow& row : analysis.quality) {
    table.row({row.problem, row.method, row.below, whole(row.seeds), whole(row.reached),
               row.median ? Table::Cell(*row.median) : Table::Cell()});
  }
  return table;
}

Table curves_table(const AnalysedCampaigns& campaigns) {
  Table table;
  table.text_column("problem").text_column("method").integer_column("evaluation");
  table.integer_column("seeds").real_column("best", "%", 2);
  table.real_column("deviation", "points", 2).real_column("below_best_known", "points", 2);
  for (const MethodCurve& curve : method_curves(campaigns)) {
    for (const CurvePoint& point : curve.points) {
      table.row({curve.problem, curve.method, std::int64_t{point.evaluation}, whole(point.best.n),
                 point.best.mean, deviation_cell(point.best),
                 point.below.n > 0 ? Table::Cell(point.below.mean) : Table::Cell()});
    }
  }
  return table;
}

Table transfer_table(const std::vector<TransferRow>& rows) {
  Table table;
  table.text_column("network").text_column("limits").text_column("method");
  table.text_column("made_for").text_column("run_on").integer_column("seeds");
  table.real_column("latency", "s", 7).real_column("times_its_own", "", 3);
  table.text_column("note").spare();
  for (const TransferRow& row : rows) {
    table.row({row.network, row.limits, row.method, row.made_for, row.run_on, whole(row.seeds),
               row.latency_s ? Table::Cell(*row.latency_s) : Table::Cell(),
               row.penalty ? Table::Cell(*row.penalty) : Table::Cell(),
               row.note.empty() ? Table::Cell() : Table::Cell(row.note)});
  }
  return table;
}

Table episodes_table(const AnalysedCampaigns& campaigns) {
  Table table;
  table.text_column("cell").text_column("problem").text_column("method").integer_column("seed");
  table.integer_column("episode").real_column("accuracy", "%", 2).real_column("reward", "", 4);
  table.real_column("latency", "s", 9).real_column("energy", "J", 9);
  table.real_column("size", "bytes", 0).text_column("meets_limits").text_column("policy");
  for (const AnalysedCell& cell : campaigns.cells) {
    const std::string name = cell.folder.filename().string();
    for (const Episode& e : cell.episodes) {
      std::string policy;
      for (const BitPair& bits : e.policy) {
        policy += fmt::format("{}{}/{}", policy.empty() ? "" : " ", bits.weight, bits.activation);
      }
      table.row({name, cell.problem(), cell.result.search,
                 static_cast<std::int64_t>(cell.result.seed), std::int64_t{e.number}, e.accuracy,
                 e.reward, e.latency_s, e.energy_j, e.weight_bytes,
                 std::string(e.meets_limits ? "yes" : "no"), policy});
    }
  }
  return table;
}

std::vector<NamedTable> analysis_tables(const AnalysedCampaigns& campaigns,
                                        const CampaignAnalysis& analysis) {
  std::vector<NamedTable> out;
  const auto add = [&out](const char* name, std::string title, std::string note, Table table) {
    if (table.rows() > 0) {
      out.push_back({name, std::move(title), std::move(note), std::move(table)});
    }
  };
  add("methods", "Methods",
      fmt::format("score: {}. Means over seeds with 95 % intervals (Student's t); regret: points "
                  "below the true optimum, as searches see accuracies, where an exhaustive search "
                  "knows it",
                  judge_name(analysis.judge)),
      methods_table(analysis));
  add("pairs", "Paired differences",
      "scores of the same seeds, one less the other, with 95 % intervals (Student's t). An "
      "interval that holds 0 shows no difference; of twenty intervals one leaves it out by chance",
      pairs_table(analysis));
  add("additive", "How far accuracies are sums over layers",
      "rank correlation (Spearman) of an additive model's predictions with the accuracies of "
      "policies that it was not fitted to, over everything that all methods tried; approximate "
      "95 % intervals",
      additive_table(analysis));
  add("quality", "Evaluations to a quality",
      "evaluations until the best accuracy so far is within so many points of the best known one "
      "of the same problem and seed; median over seeds, - where half of them did not get there",
      quality_table(analysis));
  add("transfer", "Policies on the other machines",
      "latency of the policy that was found for one machine on another, and as a multiple of the "
      "policy found for that one",
      transfer_table(policy_transfer(campaigns)));
  add("curves", "Best accuracy so far",
      "as the search sees it, mean and standard deviation over seeds", curves_table(campaigns));
  return out;
}

nlohmann::json analysis_json(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis) {
  nlohmann::json tables = nlohmann::json::object();
  for (const NamedTable& named : analysis_tables(campaigns, analysis)) {
    tables[named.name] = named.table.json();
    tables[named.name]["note"] = named.note;
  }
  nlohmann::json cells = nlohmann::json::array();
  for (const AnalysedCell& cell : campaigns.cells) {
    cells.push_back({{"folder", cell.folder.string()},
                     {"problem", cell.problem()},
                     {"method", cell.result.search},
                     {"seed", cell.result.seed}});
  }
  return {{"format", "bittern-analysis-1"},
          {"verdicts", analysis.verdicts},
          {"judged_by", judge_name(analysis.judge)},
          {"against", analysis.reference},
          {"cells", cells},
          {"tables", tables},
          {"notes", campaigns.notes}};
}

}  // namespace bittern
