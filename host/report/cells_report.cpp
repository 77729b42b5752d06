#include "host/report/cells_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "host/analysis/campaign_verdict_text.h"
#include "host/analysis/policy_transfer.h"
#include "host/report/campaign_charts.h"
#include "host/report/campaign_verdict.h"
#include "host/report/cells_charts.h"
#include "host/report/chart.h"
#include "host/report/page.h"

namespace bittern {
namespace {

using page::Cell;

/// "88.33 (81.49 to 95.17)"; "-" for nothing.
std::string interval_text(const std::optional<MeanInterval>& m, bool sign = false) {
  if (!m || m->n == 0) return "-";
  std::string text = sign ? fmt::format("{:+.2f}", m->mean) : fmt::format("{:.2f}", m->mean);
  if (!m->known()) return text + (m->n >= 2 ? " (equal in all seeds)" : "");
  return text + (sign ? fmt::format(" ({:+.2f} to {:+.2f})", m->low, m->high)
                      : fmt::format(" ({:.2f} to {:.2f})", m->low, m->high));
}

/// The name of a problem, in the first of the rows that have it. It is long: it may take two lines.
Cell problem_cell(const std::string& problem, const std::string& before) {
  return {problem == before ? "" : problem, "white-space:normal;min-width:14em"};
}

std::string methods_html(const CampaignAnalysis& analysis) {
  std::vector<std::vector<Cell>> rows;
  std::string before;
  for (const MethodRow& row : analysis.methods) {
    rows.push_back({problem_cell(row.problem, before), method_title(row.method),
                    fmt::format("{}", row.seeds), fmt::format("{:.0f}", row.evaluations.mean),
                    fmt::format("{:.3f}", row.used.mean), interval_text(row.score),
                    interval_text(row.test), interval_text(row.regret),
                    interval_text(row.against_uniform, true)});
    before = row.problem;
  }
  return page::table({"problem", "method", "seeds", "evaluations", "of limit", "score (%)",
                      "test (%)", "regret (points)", "minus best uniform (points)"},
                     rows, 2) +
         page::note(fmt::format(
             "Score: {}. Means over seeds; in brackets 95 % intervals (Student's t). Regret: "
             "points below the true optimum, as searches see accuracies, where an exhaustive "
             "search knows it. Intervals of methods overlap more than their differences do: seeds "
             "are shared, see the paired differences.",
             judge_name(analysis.judge)));
}

std::string pairs_html(const CampaignAnalysis& analysis) {
  if (analysis.pairs.empty()) return "";
  std::vector<std::vector<Cell>> rows;
  std::string before;
  for (const PairRow& row : analysis.pairs) {
    rows.push_back({problem_cell(row.problem, before), method_title(row.method),
                    method_title(row.against), fmt::format("{}", row.difference.n),
                    row.budget ? fmt::format("{}", *row.budget) : "unequal",
                    Cell(interval_text(row.difference, true)), row.verdict()});
    before = row.problem;
  }
  return "<h2>Paired differences</h2>" +
         page::table({"problem", "method", "less", "paired seeds", "budget", "difference (points)",
                      "it is"},
                     rows, 3) +
         page::note(
             "Scores of the same seeds, one less the other. An interval that holds 0 shows no "
             "difference; of twenty intervals one leaves it out by chance. Where all seeds gave "
             "the same "
             "difference there is no interval: accuracies come in steps of one image.");
}

std::string problem_html(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis,
                         const std::string& problem) {
  std::vector<page::Figure> figures = {
      {frontier_chart(campaigns, problem),
       "Every policy that any method scored, of all seeds. The line joins those that no other one "
       "beats in both; stars are what the methods found. Uniform bits as the search sees them, "
       "mean "
       "over seeds."},
      {best_curves_chart(campaigns, problem),
       "Policies within the limits only. Mean over seeds; the band is one standard deviation to "
       "either side."},
      {below_best_chart(campaigns, problem),
       "The same as points below the best accuracy that is known of this problem and seed: the "
       "true "
       "optimum where an exhaustive search ended, else the best that any method found."}};
  std::vector<page::Figure> winners;
  for (const std::string& method : campaigns.methods()) {
    const AnalysedCell* cell = winner(campaigns, problem, method, analysis.judge);
    if (cell == nullptr) continue;
    winners.push_back({bits_and_intensity_chart(cell->result.best, "Bits: " + method_title(method),
                                                /*narrow=*/true),
                       fmt::format("Seed {}, {:.2f} % ({}), {:.4f} ms.", cell->result.seed,
                                   score(*cell, analysis.judge), judge_name(analysis.judge),
                                   cell->result.best.latency_s * 1e3)});
  }
  return "<h2>" + escape_html(problem) + "</h2>" + page::figures(figures) +
         page::note(
             "The best seed of each method. Below the bits: operations per byte that the "
             "layer moves between device memory and chip, where the result knows them.") +
         page::figures(winners, /*small=*/true);
}

std::string limits_html(const AnalysedCampaigns& campaigns, Judge judge) {
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  std::vector<page::Figure> figures;
  for (const AnalysedCell& cell : campaigns.cells) {
    const CampaignResult& r = cell.result;
    if (r.constraints.size() != 1) continue;
    const std::string& resource = r.constraints.front().resource;
    if (!seen.emplace(r.network, r.variant, resource).second) continue;
    figures.push_back(
        {limits_chart(campaigns, r.network, r.variant, resource, judge),
         fmt::format("Accuracy: {}. Mean over seeds; bars are 95 % intervals. Uniform bits stand "
                     "at what they cost, methods at their limits.",
                     judge_name(judge))});
  }
  const bool any = std::any_of(figures.begin(), figures.end(),
                               [](const page::Figure& figure) { return !figure.svg.empty(); });
  return any ? "<h2>Accuracy against the limit</h2>" + page::figures(figures) : "";
}

/// Colour of a cell by how much longer a policy takes than the one made for the machine.
std::string heat(double penalty) {
  const double share = std::clamp((penalty - 1.0) / 1.0, 0.0, 1.0);
  return fmt::format("background:rgba(234,88,12,{:.2f})", 0.6 * share);
}

std::string transfer_html(const AnalysedCampaigns& campaigns) {
  const std::vector<TransferRow> all = policy_transfer(campaigns);
  std::string out;
  std::set<std::string> all_notes;
  std::size_t at = 0;
  while (at < all.size()) {
    // The rows of one matrix follow each other.
    std::size_t end = at;
    std::vector<std::string> heading = {"found for"};
    std::vector<std::vector<Cell>> rows;
    std::set<std::string> notes;
    for (; end < all.size() && all[end].network == all[at].network &&
           all[end].limits == all[at].limits && all[end].method == all[at].method;
         ++end) {
      const TransferRow& row = all[end];
      if (rows.empty() || rows.back().front().text != row.made_for) rows.push_back({row.made_for});
      if (rows.size() == 1) heading.push_back("on " + row.run_on);
      if (row.latency_s && row.penalty) {
        rows.back().emplace_back(
            fmt::format("{:.4f} ms, x {:.2f}", *row.latency_s * 1e3, *row.penalty),
            heat(*row.penalty));
      } else {
        rows.back().emplace_back("-");
      }
      if (!row.note.empty()) notes.insert(row.run_on + ": " + row.note);
    }
    out += page::note(fmt::format("{}, {}, {}, mean over {} seeds", all[at].network, all[at].limits,
                                  method_title(all[at].method), all[at].seeds)) +
           page::table(heading, rows);
    all_notes.insert(notes.begin(), notes.end());
    at = end;
  }
  if (out.empty()) return "";
  for (const std::string& note : all_notes) out += page::note(note + ".");
  return "<h2>Policies on the other machines</h2>" +
         page::note(
             "Latency of the policy that was found for the machine of the row on that of the "
             "column, and how many times that is of the policy found for the column's "
             "machine, from the campaigns' own tables of costs.") +
         out;
}

std::string additive_html(const CampaignAnalysis& analysis) {
  std::vector<std::vector<Cell>> rows;
  for (const AdditiveRow& row : analysis.additive) {
    const RankCorrelation& r = row.fit.ranks;
    rows.push_back({row.network, fmt::format("{}", row.seed), fmt::format("{}", row.fit.policies),
                    row.fit.note.empty()
                        ? fmt::format("{:.3f} ({:.3f} to {:.3f})", r.rho, r.low, r.high)
                        : "- (" + row.fit.note + ")"});
  }
  return "<h2>Are accuracies sums over layers?</h2>" +
         page::table({"network", "seed", "policies", "rank correlation"}, rows) +
         page::note(
             "Spearman's correlation of an additive model's predictions with the accuracies of "
             "policies that it was not fitted to, over everything that all methods tried. Near 1, "
             "methods that look at layers one at a time have what they need.");
}

/// Percent encoding of a path for a link.
std::string link_path(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.generic_string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '/';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string cells_html(const AnalysedCampaigns& campaigns, const std::filesystem::path& folder,
                       Judge judge) {
  std::vector<std::vector<Cell>> rows;
  for (const AnalysedCell& cell : campaigns.cells) {
    const CampaignResult& r = cell.result;
    const bool met = std::all_of(r.constraints.begin(), r.constraints.end(),
                                 [](const ConstraintOutcome& c) { return c.met(); });
    Cell name(cell.folder.filename().string());
    std::error_code code;
    const auto path = std::filesystem::relative(cell.folder / "report.html", folder, code);
    if (!code && !path.empty()) name.link = "./" + link_path(path);
    rows.push_back(
        {name, cell.problem(), method_title(r.search), fmt::format("{}", r.seed),
         fmt::format("{}", r.episodes), met ? "yes" : "no",
         fmt::format("{:.2f}", score(cell, judge)),
         r.best.test_accuracy ? accuracy_text(*r.best.test_accuracy, r.test_images) : "-",
         fmt::format("{:.4f}", r.best.latency_s * 1e3),
         fmt::format("{:.4f}", r.best.energy_j * 1e3), campaign_origins(r)});
  }
  return "<h2>All cells</h2>" +
         page::table({"cell", "problem", "method", "seed", "evaluations", "limits met", "score (%)",
                      "test (%)", "latency (ms)", "energy (mJ)", "origin of latencies"},
                     rows, 3);
}

/// Facts that all cells share once; of others every text with how many cells have it.
std::string provenance_html(const AnalysedCampaigns& campaigns) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::pair<std::string, std::size_t>>> texts;
  for (const AnalysedCell& cell : campaigns.cells) {
    for (const auto& [name, text] : cell.result.provenance) {
      if (texts.find(name) == texts.end()) names.push_back(name);
      auto& seen = texts[name];
      const auto at = std::find_if(seen.begin(), seen.end(),
                                   [&t = text](const auto& one) { return one.first == t; });
      if (at == seen.end()) {
        seen.emplace_back(text, 1);
      } else {
        ++at->second;
      }
    }
  }
  std::vector<std::pair<std::string, std::string>> facts;
  for (const std::string& name : names) {
    const auto& seen = texts[name];
    // What differs in every cell (the hash of its settings) is in its own page.
    constexpr std::size_t kMostTexts = 4;
    for (std::size_t i = 0; i < std::min(seen.size(), kMostTexts); ++i) {
      facts.emplace_back(name, seen[i].second == campaigns.cells.size()
                                   ? seen[i].first
                                   : fmt::format("{} ({} of {} cells)", seen[i].first,
                                                 seen[i].second, campaigns.cells.size()));
    }
    if (seen.size() > kMostTexts) {
      facts.emplace_back(
          name, fmt::format("and {} more, see the pages of the cells", seen.size() - kMostTexts));
    }
  }
  return "<h2>Where the numbers come from</h2>" + page::facts(facts);
}

std::string files_html(const AnalysedCampaigns& campaigns) {
  std::string out;
  std::set<std::string> seen;
  for (const AnalysedCell& cell : campaigns.cells) {
    const std::string& text = cell.result.campaign_file;
    if (!text.empty() && seen.insert(text).second) out += page::verbatim(text);
  }
  return out.empty() ? "" : "<h2>What was run</h2>" + out;
}

std::string subtitle_of(const AnalysedCampaigns& campaigns) {
  std::set<std::uint64_t> seeds;
  for (const AnalysedCell& cell : campaigns.cells) seeds.insert(cell.result.seed);
  return fmt::format("{} cells: {} problems, methods {}, seeds {}", campaigns.cells.size(),
                     campaigns.problems().size(), fmt::join(campaigns.methods(), ", "),
                     fmt::join(seeds, ", "));
}

std::string title_of(const AnalysedCampaigns& campaigns) {
  std::vector<std::string> names;
  for (const AnalysedCell& cell : campaigns.cells) {
    if (std::find(names.begin(), names.end(), cell.result.campaign) == names.end()) {
      names.push_back(cell.result.campaign);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string cells_report_html(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis,
                              const std::filesystem::path& folder) {
  std::map<std::string, std::size_t> warnings;
  for (const AnalysedCell& cell : campaigns.cells) {
    for (const std::string& text : cell.result.warnings) ++warnings[text];
  }
  std::vector<std::string> doubts;
  for (const auto& [text, count] : warnings) {
    constexpr std::size_t kMost = 8;
    if (doubts.size() == kMost) {
      doubts.push_back(
          fmt::format("{} more warnings, see the pages of the cells", warnings.size() - kMost));
      break;
    }
    doubts.push_back(fmt::format("{} ({} of {} cells)", text, count, campaigns.cells.size()));
  }
  std::string body = page::warnings(doubts) + "<h2>What it shows</h2>" +
                     page::list(analysis.verdicts) + "<h2>Methods</h2>" + methods_html(analysis) +
                     pairs_html(analysis);
  for (const std::string& problem : campaigns.problems()) {
    body += problem_html(campaigns, analysis, problem);
  }
  body += limits_html(campaigns, analysis.judge) + transfer_html(campaigns) +
          additive_html(analysis) + cells_html(campaigns, folder, analysis.judge);
  if (!campaigns.notes.empty()) {
    body += "<h2>What was left out</h2>" + page::list(campaigns.notes);
  }
  body += files_html(campaigns) + provenance_html(campaigns);
  return page::document(title_of(campaigns), subtitle_of(campaigns), body);
}

}  // namespace bittern
