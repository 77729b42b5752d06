#include "host/analysis/campaign_analysis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "host/analysis/campaign_verdict_text.h"
#include "host/base/error.h"

namespace bittern {
namespace {

constexpr const char* kPreferredReference = "sensitivity";
constexpr const char* kSecondReference = "random";

/// The cells of a problem and a method, by seed.
std::vector<const AnalysedCell*> cells_of(const AnalysedCampaigns& campaigns,
                                          const std::string& problem, const std::string& method) {
  std::vector<const AnalysedCell*> out;
  for (const std::uint64_t seed : campaigns.seeds(problem, method)) {
    out.push_back(campaigns.find(problem, method, seed));
  }
  return out;
}

/// What each of the cells has; nothing when one of them does not have it.
template <typename Get>
std::optional<MeanInterval> mean_if_all(const std::vector<const AnalysedCell*>& cells, Get get) {
  std::vector<double> values;
  for (const AnalysedCell* cell : cells) {
    const std::optional<double> value = get(*cell);
    if (!value || !std::isfinite(*value)) return std::nullopt;
    values.push_back(*value);
  }
  return mean_interval(values);
}

std::optional<int> shared_budget(const std::vector<const AnalysedCell*>& cells) {
  for (const AnalysedCell* cell : cells) {
    if (cell->result.evaluations_allowed() != cells.front()->result.evaluations_allowed())
      return std::nullopt;
  }
  return cells.front()->result.evaluations_allowed();
}

double used_share(const AnalysedCell& cell) {
  double most = 0.0;
  for (const ConstraintOutcome& c : cell.result.constraints) {
    if (c.limit > 0) most = std::max(most, c.achieved / c.limit);
  }
  return most;
}

std::optional<double> last_best(const AnalysedCell& cell) {
  const std::vector<double> curve = cell.best_so_far();
  if (curve.empty() || !std::isfinite(curve.back())) return std::nullopt;
  return curve.back();
}

std::optional<double> against_uniform(const AnalysedCell& cell, Judge judge) {
  const PolicyOutcome* uniform = cell.result.best_uniform();
  if (uniform == nullptr) return std::nullopt;
  if (judge == Judge::kChoice) {
    if (!uniform->choice_accuracy) return std::nullopt;
    return score(cell, judge) - *uniform->choice_accuracy;
  }
  // As the search saw it: only before a final fine-tune both numbers are of one kind.
  return score(cell, judge) - uniform->validation_accuracy;
}

MethodRow method_row(const AnalysedCampaigns& campaigns, const std::string& problem,
                     const std::string& method, Judge judge) {
  const std::vector<const AnalysedCell*> cells = cells_of(campaigns, problem, method);
  MethodRow row;
  row.problem = problem;
  row.method = method;
  row.reinforcement = cells.front()->result.reinforcement;
  row.exhaustive = cells.front()->result.exhaustive;
  row.seeds = cells.size();
  row.budget = shared_budget(cells);
  std::vector<double> evaluations;
  std::vector<double> scores;
  std::vector<double> used;
  for (const AnalysedCell* cell : cells) {
    evaluations.push_back(cell->result.evaluations_made());
    scores.push_back(score(*cell, judge));
    used.push_back(used_share(*cell));
  }
  row.evaluations = mean_interval(evaluations);
  row.score = mean_interval(scores);
  row.used = mean_interval(used);
  row.test = mean_if_all(cells, [](const AnalysedCell& c) { return c.result.best.test_accuracy; });
  row.regret = mean_if_all(cells, [&](const AnalysedCell& c) -> std::optional<double> {
    const auto known = best_known(campaigns, problem, c.result.seed);
    const auto own = last_best(c);
    if (!known || !known->optimum || !own) return std::nullopt;
    return known->accuracy - *own;
  });
  row.against_uniform =
      mean_if_all(cells, [judge](const AnalysedCell& c) { return against_uniform(c, judge); });
  return row;
}

/// Scores of a method by seed, averaged over the problems; only seeds that all problems have.
std::map<std::uint64_t, double> scores_by_seed(const AnalysedCampaigns& campaigns,
                                               const std::vector<std::string>& problems,
                                               const std::string& method, Judge judge) {
  std::map<std::uint64_t, double> out;
  for (const std::uint64_t seed : campaigns.seeds(problems.front(), method)) {
    double sum = 0.0;
    bool all = true;
    for (const std::string& problem : problems) {
      const AnalysedCell* cell = campaigns.find(problem, method, seed);
      all = all && cell != nullptr;
      if (cell != nullptr) sum += score(*cell, judge);
    }
    if (all) out[seed] = sum / static_cast<double>(problems.size());
  }
  return out;
}

std::string name_of(const std::vector<std::string>& problems) {
  return problems.size() == 1 ? problems.front() : fmt::format("all {} problems", problems.size());
}

/// Nothing where the two share no seed.
std::optional<PairRow> pair_row(const AnalysedCampaigns& campaigns,
                                const std::vector<std::string>& problems, const std::string& method,
                                const std::string& against, Judge judge) {
  const auto own = scores_by_seed(campaigns, problems, method, judge);
  const auto other = scores_by_seed(campaigns, problems, against, judge);
  PairRow row;
  row.problem = name_of(problems);
  row.method = method;
  row.against = against;
  std::vector<double> differences;
  std::set<int> budgets;
  for (const auto& [seed, value] : own) {
    const auto at = other.find(seed);
    if (at == other.end()) continue;
    differences.push_back(value - at->second);
    for (const std::string& problem : problems) {
      for (const std::string& name : {method, against}) {
        const CampaignResult& result = campaigns.find(problem, name, seed)->result;
        budgets.insert(result.evaluations_allowed());
        if (name == method) row.reinforcement = result.reinforcement;
      }
    }
  }
  if (differences.empty()) return std::nullopt;
  row.difference = mean_interval(differences);
  if (budgets.size() == 1) row.budget = *budgets.begin();
  return row;
}

std::string reference_of(const AnalysedCampaigns& campaigns, const std::string& wanted) {
  const std::vector<std::string> methods = campaigns.methods();
  const auto has = [&methods](const std::string& name) {
    return std::find(methods.begin(), methods.end(), name) != methods.end();
  };
  if (!wanted.empty()) {
    if (!has(wanted)) {
      fail_usage("--against: there is no cell of method '{}'; there are {}", wanted,
                 fmt::join(methods, ", "));
    }
    return wanted;
  }
  for (const char* name : {kPreferredReference, kSecondReference}) {
    if (has(name)) return name;
  }
  return {};
}

std::vector<AdditiveRow> additive_rows(const AnalysedCampaigns& campaigns) {
  std::vector<AdditiveRow> rows;
  std::vector<std::pair<std::vector<Policy>, std::vector<double>>> seen;
  for (const AnalysedCell& cell : campaigns.cells) {
    std::size_t at = 0;
    while (at < rows.size() &&
           (rows[at].network != cell.result.network || rows[at].seed != cell.result.seed)) {
      ++at;
    }
    if (at == rows.size()) {
      rows.push_back({cell.result.network, cell.result.seed, {}});
      seen.emplace_back();
    }
    for (const Episode& episode : cell.episodes) {
      seen[at].first.push_back(episode.policy);
      seen[at].second.push_back(episode.accuracy);
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].fit = additive_fit(seen[i].first, seen[i].second);
  }
  return rows;
}

std::vector<QualityRow> quality_rows(const AnalysedCampaigns& campaigns) {
  std::vector<QualityRow> rows;
  for (const std::string& problem : campaigns.problems()) {
    for (const std::string& method : campaigns.methods()) {
      const std::vector<const AnalysedCell*> cells = cells_of(campaigns, problem, method);
      if (cells.empty()) continue;
      for (const double below : quality_levels()) {
        QualityRow row{problem, method, below, 0, 0, std::nullopt};
        std::vector<double> needed;
        for (const AnalysedCell* cell : cells) {
          const auto known = best_known(campaigns, problem, cell->result.seed);
          if (!known) continue;
          ++row.seeds;
          const std::vector<double> curve = cell->best_so_far();
          const auto at = std::find_if(curve.begin(), curve.end(), [&](double best) {
            return best >= known->accuracy - below - 1e-9;
          });
          row.reached += at != curve.end() ? 1 : 0;
          needed.push_back(at == curve.end() ? std::numeric_limits<double>::infinity()
                                             : static_cast<double>(at - curve.begin() + 1));
        }
        if (needed.empty()) continue;
        if (const double middle = median(needed); std::isfinite(middle)) row.median = middle;
        rows.push_back(row);
      }
    }
  }
  return rows;
}

/// The sentence of these problems together.
std::string verdict_of(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis,
                       const std::vector<std::string>& problems) {
  VerdictFacts facts;
  facts.problem = name_of(problems);
  facts.problems = problems.size();
  facts.judge = analysis.judge;
  facts.reference = analysis.reference;
  facts.stand_in = analysis.stand_in;
  for (const std::string& method : campaigns.methods()) {
    const auto scores = scores_by_seed(campaigns, problems, method, analysis.judge);
    if (scores.empty()) continue;
    std::vector<double> values;
    std::vector<double> evaluations;
    bool exhaustive = false;
    bool reinforcement = false;
    for (const auto& [seed, value] : scores) {
      values.push_back(value);
      double made = 0.0;
      for (const std::string& problem : problems) {
        const CampaignResult& result = campaigns.find(problem, method, seed)->result;
        made += result.evaluations_made() / static_cast<double>(problems.size());
        exhaustive = result.exhaustive;
        reinforcement = result.reinforcement;
      }
      evaluations.push_back(made);
    }
    // An exhaustive search is the truth that methods are held against, not one of them.
    if (exhaustive) continue;
    facts.methods.push_back({method, mean_interval(values), mean_interval(evaluations).mean});
    if (!reinforcement) continue;
    facts.learners.push_back(method);
    if (analysis.reference.empty() || analysis.reference == method) continue;
    if (const auto pair =
            pair_row(campaigns, problems, method, analysis.reference, analysis.judge)) {
      facts.pairs.push_back(*pair);
    }
  }
  return verdict_text(facts);
}

}  // namespace

std::string PairRow::verdict() const {
  if (difference.all_zero()) return "equal in all seeds";
  if (!difference.known()) {
    return difference.n < 2 ? "too few seeds to say" : "one and the same in all seeds";
  }
  if (difference.above_zero()) return "better";
  if (difference.below_zero()) return "worse";
  return "no difference is shown";
}

std::vector<double> quality_levels() { return {5.0, 2.0, 1.0, 0.5, 0.0}; }

std::optional<BestKnown> best_known(const AnalysedCampaigns& campaigns, const std::string& problem,
                                    std::uint64_t seed) {
  std::optional<BestKnown> best;
  for (const AnalysedCell& cell : campaigns.cells) {
    if (cell.result.seed != seed || cell.problem() != problem) continue;
    const auto own = last_best(cell);
    if (!own) continue;
    if (cell.result.exhaustive && cell.result.exhausted) return BestKnown{*own, true};
    if (!best || *own > best->accuracy) best = BestKnown{*own, false};
  }
  return best;
}

CampaignAnalysis analyse(const AnalysedCampaigns& campaigns, const std::string& against) {
  CampaignAnalysis out;
  out.judge = judge_of(campaigns.cells);
  out.reference = reference_of(campaigns, against);
  out.stand_in = against.empty() && out.reference == kSecondReference;
  const std::vector<std::string> problems = campaigns.problems();
  const std::vector<std::string> methods = campaigns.methods();
  for (const std::string& problem : problems) {
    for (const std::string& method : methods) {
      if (campaigns.seeds(problem, method).empty()) continue;
      out.methods.push_back(method_row(campaigns, problem, method, out.judge));
    }
  }
  std::vector<std::vector<std::string>> slices;
  if (problems.size() > 1) slices.push_back(problems);
  for (const std::string& problem : problems) slices.push_back({problem});
  for (const std::vector<std::string>& slice : slices) {
    for (const std::string& method : methods) {
      if (out.reference.empty() || method == out.reference) continue;
      if (const auto row = pair_row(campaigns, slice, method, out.reference, out.judge)) {
        out.pairs.push_back(*row);
      }
    }
  }
  out.additive = additive_rows(campaigns);
  out.quality = quality_rows(campaigns);
  for (const std::vector<std::string>& slice : slices) {
    out.verdicts.push_back(verdict_of(campaigns, out, slice));
  }
  return out;
}

}  // namespace bittern
