#include "host/report/campaign_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "host/campaign/notes.h"
#include "host/report/chart.h"
#include "host/report/page.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr const char* kFoundColor = "#c2410c";
constexpr const char* kUniformColor = "#2563eb";
constexpr const char* kEpisodeColor = "#94a3b8";
constexpr const char* kSecondColor = "#0f766e";

double field(const json& line, const char* key) {
  const auto it = line.find(key);
  return it != line.end() && it->is_number() ? it->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} %", *value) : "-";
}

/// Value of `key` in the object `part` of an episode line, not a number when it is not there.
double field(const json& line, const char* part, const std::string& key) {
  const auto it = line.find(part);
  return it != line.end() && it->is_object() ? field(*it, key.c_str())
                                             : std::numeric_limits<double>::quiet_NaN();
}

std::string reward_chart(const std::vector<json>& episodes) {
  Series each{"each episode", kEpisodeColor, Mark::kPoints, {}, {}, {}, {}};
  Series best{"best so far", kFoundColor, Mark::kLine, {}, {}, {}, {}};
  double top = -std::numeric_limits<double>::infinity();
  for (const auto& line : episodes) {
    const double reward = field(line, "reward");
    if (!std::isfinite(reward)) continue;
    top = std::max(top, reward);
    each.x.push_back(field(line, "episode"));
    each.y.push_back(reward);
    best.x.push_back(field(line, "episode"));
    best.y.push_back(top);
  }
  return Chart{"Reward", "episode", "reward", {each, best}, {}}.svg();
}

std::string cost_chart(const CampaignResult& result, const std::vector<json>& episodes) {
  if (result.constraints.empty()) return "";
  const auto& constraint = result.constraints.front();
  Series ratio{constraint.resource + " after the constraint wall",
               kSecondColor,
               Mark::kPoints,
               {},
               {},
               {},
               {}};
  for (const auto& line : episodes) {
    ratio.x.push_back(field(line, "episode"));
    ratio.y.push_back(field(line, "ratio", constraint.resource));
  }
  const Guide limit{fmt::format("limit {:.3f}", constraint.limit / constraint.reference),
                    constraint.limit / constraint.reference, false};
  return Chart{"Cost", "episode", constraint.resource + " / that of 8/8 bits", {ratio}, {limit}}
      .svg();
}

std::string bits_chart(const PolicyOutcome& best) {
  BarChart chart{"Bits of the found policy",
                 "bits",
                 {},
                 {{"weights", kUniformColor, {}}, {"activations", kFoundColor, {}}},
                 8.0};
  for (const auto& layer : best.layers) {
    chart.categories.push_back(layer.name);
    chart.series[0].values.push_back(layer.bits.weight);
    chart.series[1].values.push_back(layer.bits.activation);
  }
  return chart.svg();
}

std::string share_chart(const PolicyOutcome& best) {
  BarChart chart{"Latency of the found policy by layer",
                 "% of all cycles",
                 {},
                 {{"cycles", kSecondColor, {}}},
                 0.0};
  const double all = static_cast<double>(std::max<std::uint64_t>(best.cycles(), 1));
  for (const auto& layer : best.layers) {
    chart.categories.push_back(layer.name);
    chart.series[0].values.push_back(100.0 * static_cast<double>(layer.cycles) / all);
  }
  return chart.svg();
}

std::string pareto_chart(const CampaignResult& result, const std::vector<json>& episodes) {
  const bool test = result.best.test_accuracy.has_value();
  const auto score = [test](const PolicyOutcome& o) {
    return test ? o.test_accuracy.value_or(NAN) : o.validation_accuracy;
  };
  Series uniform{"uniform bits", kUniformColor, Mark::kPoints, {}, {}, {}, {}};
  Series line{"", kUniformColor, Mark::kLine, {}, {}, {}, {}};
  for (const auto& outcome : result.uniform) {
    uniform.x.push_back(outcome.latency_s * 1e3);
    uniform.y.push_back(score(outcome));
    uniform.point_labels.push_back(
        outcome.layers.empty() ? "" : fmt::format("{}", outcome.layers.front().bits.weight));
    uniform.tooltips.push_back(fmt::format("{}: {:.4f} ms, {:.2f} %", outcome.label,
                                           outcome.latency_s * 1e3, score(outcome)));
  }
  line.x = uniform.x;
  line.y = uniform.y;
  Series found{
      "found", kFoundColor, Mark::kStar, {result.best.latency_s * 1e3}, {score(result.best)},
      {},      {}};
  found.tooltips.push_back(
      fmt::format("found: {:.4f} ms, {:.2f} %", result.best.latency_s * 1e3, score(result.best)));
  Chart chart{fmt::format("Accuracy ({}) against latency",
                          test ? "test, after the final fine-tune" : "validation"),
              "latency (ms)",
              "accuracy (%)",
              {line, uniform, found},
              {}};
  if (!test) {
    // Episodes were scored on the validation split: they belong in the chart only when the other
    // points were, too.
    Series explored{"episodes", kEpisodeColor, Mark::kPoints, {}, {}, {}, {}};
    for (const auto& episode : episodes) {
      explored.x.push_back(field(episode, "cost", "latency_s") * 1e3);
      explored.y.push_back(field(episode, "accuracy"));
    }
    chart.series.insert(chart.series.begin(), explored);
  }
  for (const auto& constraint : result.constraints) {
    if (constraint.resource == "latency")
      chart.guides.push_back({"limit", constraint.limit * 1e3, true});
  }
  return chart.svg();
}

std::string policies_table(const CampaignResult& result) {
  std::vector<std::vector<page::Cell>> rows;
  const auto row = [&rows](const PolicyOutcome& o, const char* style) {
    std::vector<page::Cell> cells;
    for (const std::string& text :
         {o.label, fmt::format("{:.2f} / {:.2f}", o.mean_weight_bits(), o.mean_activation_bits()),
          fmt::format("{:.4f}", o.latency_s * 1e3),
          fmt::format("{:.4f} – {:.4f}", o.energy_j * 1e3, o.energy_high_j * 1e3),
          fmt::format("{:.1f}", o.size_bytes / 1024),
          fmt::format("{:.2f} %", o.validation_accuracy), percent(o.test_accuracy)}) {
      cells.emplace_back(text, style);
    }
    rows.push_back(std::move(cells));
  };
  row(result.best, "font-weight:600");
  for (const auto& outcome : result.uniform) row(outcome, "");
  rows.push_back({"full precision", "32 / 32", "-", "-", "-",
                  fmt::format("{:.2f} %", result.baseline_validation),
                  percent(result.baseline_test)});
  return page::table({"policy", "mean w / a bits", "latency (ms)", "energy (mJ)", "model (KiB)",
                      "validation", "test"},
                     rows);
}

std::string layers_table(const PolicyOutcome& best) {
  std::vector<std::vector<page::Cell>> rows;
  for (const auto& layer : best.layers) {
    rows.push_back({layer.name, fmt::format("{}", layer.bits.weight),
                    fmt::format("{}", layer.bits.activation), fmt::format("{}", layer.cycles),
                    fmt::format("{:.4f}", layer.latency_s * 1e3),
                    fmt::format("{:.5f}", layer.energy_j * 1e3), layer.origin});
  }
  return page::table({"layer", "weight bits", "activation bits", "cycles", "latency (ms)",
                      "energy (mJ)", "origin"},
                     rows);
}

/// "all latencies: rtl" or the counts when they differ.
std::string origins(const CampaignResult& result) {
  std::map<std::string, int> count;
  const auto add = [&count](const PolicyOutcome& outcome) {
    for (const auto& layer : outcome.layers) ++count[layer.origin];
  };
  add(result.best);
  for (const auto& outcome : result.uniform) add(outcome);
  std::string out;
  for (const auto& [origin, n] : count)
    out += fmt::format("{}{} x {}", out.empty() ? "" : ", ", n, origin);
  return count.size() == 1 ? "all " + count.begin()->first : out;
}

/// Found policy against the best uniform one within the limits, in one sentence.
std::string comparison(const CampaignResult& result) {
  const PolicyOutcome* uniform = result.best_uniform();
  if (uniform == nullptr) return "no uniform policy is within the limits";
  const bool test = result.best.test_accuracy && uniform->test_accuracy;
  const auto accuracy = [test](const PolicyOutcome& o) {
    return test ? *o.test_accuracy : o.validation_accuracy;
  };
  return fmt::format(
      "best uniform policy within the limits (by validation): {}; the found one has {:+.2f} points "
      "on the {} set",
      uniform->label, accuracy(result.best) - accuracy(*uniform), test ? "test" : "validation");
}

}  // namespace

std::string campaign_report_html(const CampaignResult& result, const std::vector<json>& episodes) {
  const std::string subtitle = fmt::format(
      "{} on {}, {} data, search {}, seed {}, {} of {} episodes{}. Origin of latencies: {}.",
      result.network, result.variant, result.dataset, result.search, result.seed, result.episodes,
      result.budget, result.stopped ? " (stopped early)" : "", origins(result));
  std::vector<std::string> tiles;
  for (const auto& c : result.constraints) {
    tiles.push_back(page::tile(
        fmt::format("{:.3f}", c.reference > 0 ? c.achieved / c.reference : 0.0),
        fmt::format("{} / 8/8 bits, limit {:.3f}: {}", c.resource,
                    c.reference > 0 ? c.limit / c.reference : 0.0, c.met() ? "met" : "not met"),
        c.met() ? "ok" : "bad"));
  }
  tiles.push_back(
      page::tile(fmt::format("{:.4f} ms", result.best.latency_s * 1e3), "latency of a batch"));
  const bool test = result.best.test_accuracy.has_value();
  tiles.push_back(page::tile(
      fmt::format("{:.2f} %", test ? *result.best.test_accuracy : result.best.validation_accuracy),
      test ? "test accuracy" : "validation accuracy"));
  tiles.push_back(page::tile(
      test ? percent(result.baseline_test) : fmt::format("{:.2f} %", result.baseline_validation),
      "full precision"));
  tiles.push_back(page::tile(fmt::format("{:.2f} / {:.2f}", result.best.mean_weight_bits(),
                                         result.best.mean_activation_bits()),
                             "mean weight / activation bits"));
  return page::document(
      result.campaign, subtitle,
      page::tiles(tiles) + "<h2>Curves</h2>" +
          page::charts({reward_chart(episodes), cost_chart(result, episodes),
                        bits_chart(result.best), pareto_chart(result, episodes),
                        share_chart(result.best)}) +
          "<h2>Policies side by side</h2>" + policies_table(result) +
          "<p class=\"sub\">Found against uniform bits: " + escape_html(comparison(result)) +
          ".</p>" + "<h2>The found policy</h2>" + layers_table(result.best) +
          "<h2>Where the numbers come from</h2>" + page::facts(result.provenance));
}

std::string campaign_summary_text(const CampaignResult& result) {
  std::string out = fmt::format("{}: {} on {}, {}, {} episodes, seed {}{}\n\n", result.campaign,
                                result.network, result.variant, result.search, result.episodes,
                                result.seed, result.stopped ? " (stopped early: best so far)" : "");
  out += fmt::format("{:<20} {:>6} {:>6} {:>12} {:>12} {:>12}  {}\n", "layer", "w bits", "a bits",
                     "cycles", "latency ms", "energy mJ", "origin");
  for (const auto& layer : result.best.layers) {
    out += fmt::format("{:<20} {:>6} {:>6} {:>12} {:>12.4f} {:>12.5f}  {}\n", layer.name,
                       layer.bits.weight, layer.bits.activation, layer.cycles,
                       layer.latency_s * 1e3, layer.energy_j * 1e3, layer.origin);
  }
  out += fmt::format("\n{:<20} {:>10} {:>10} {:>12} {:>17} {:>12} {:>10}\n", "policy", "latency ms",
                     "of 8/8", "energy mJ", "(other DRAM) mJ", "validation %", "test %");
  const auto row = [&out, &result](const PolicyOutcome& o) {
    double reference = 0.0;
    for (const auto& u : result.uniform) {
      if (u.label == "uniform 8") reference = u.latency_s;
    }
    out += fmt::format("{:<20} {:>10.4f} {:>10} {:>12.4f} {:>17.4f} {:>12.2f} {:>10}\n", o.label,
                       o.latency_s * 1e3,
                       reference > 0 ? fmt::format("{:.3f}", o.latency_s / reference) : "-",
                       o.energy_j * 1e3, o.energy_high_j * 1e3, o.validation_accuracy,
                       o.test_accuracy ? fmt::format("{:.2f}", *o.test_accuracy) : "-");
  };
  row(result.best);
  for (const auto& outcome : result.uniform) row(outcome);
  out += fmt::format("{:<20} {:>10} {:>10} {:>12} {:>17} {:>12.2f} {:>10}\n", "full precision", "-",
                     "-", "-", "-", result.baseline_validation,
                     result.baseline_test ? fmt::format("{:.2f}", *result.baseline_test) : "-");
  out += "\n";
  for (const auto& c : result.constraints) {
    out += fmt::format(
        "constraint {}: {:.6g} {} of at most {:.6g} {} ({:.4f} of 8/8, limit {:.4f}): {}\n",
        c.resource, c.achieved, c.unit, c.limit, c.unit, c.achieved / c.reference,
        c.limit / c.reference, c.met() ? "met" : "NOT MET");
  }
  return out + fmt::format("{}\norigin of latencies: {}\n", comparison(result), origins(result)) +
         notes_text(result);
}

}  // namespace bittern
