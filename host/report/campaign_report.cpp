#include "host/report/campaign_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "host/report/chart.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr const char* kFoundColor = "#c2410c";
constexpr const char* kUniformColor = "#2563eb";
constexpr const char* kEpisodeColor = "#94a3b8";
constexpr const char* kSecondColor = "#0f766e";

constexpr const char* kStyle = R"css(
:root{--ink:#1e293b;--muted:#64748b;--line:#e2e8f0;--page:#f8fafc;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--muted:#94a3b8;--line:#334155;--page:#0f172a;--card:#1e293b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0}
main{max-width:1320px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:28px 0 8px}p.sub{color:var(--muted);margin:4px 0 16px}
.tiles{display:flex;flex-wrap:wrap;gap:12px}.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 16px;min-width:150px}
.tile b{display:block;font-size:21px}.tile span{color:var(--muted);font-size:13px}
.ok{color:#15803d}.bad{color:#dc2626}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(480px,1fr));gap:12px}
.charts>div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px}
svg.chart{width:100%;height:auto;display:block}
svg text{fill:var(--ink);font-family:system-ui,sans-serif}svg .title{font-size:14px;font-weight:600}
svg .tick{font-size:11px;fill:var(--muted)}svg .axis{font-size:12px;fill:var(--muted)}
svg .grid{stroke:var(--line)}svg .guide{stroke:#dc2626;stroke-dasharray:5 4}
table{border-collapse:collapse;background:var(--card);border:1px solid var(--line);font-size:14px}
th,td{padding:5px 12px;border-bottom:1px solid var(--line);text-align:right}th:first-child,td:first-child{text-align:left}
th{color:var(--muted);font-weight:600}tr.found td{font-weight:600}
.scroll{overflow-x:auto}
)css";

double field(const json& line, const char* key) {
  const auto it = line.find(key);
  return it != line.end() && it->is_number() ? it->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} %", *value) : "-";
}

std::string tile(const std::string& value, const std::string& label, const char* css = "") {
  return fmt::format("<div class=\"tile\"><b class=\"{}\">{}</b><span>{}</span></div>", css,
                     escape_html(value), escape_html(label));
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
  std::string out =
      "<div class=\"scroll\"><table><tr><th>policy</th><th>mean w / a bits</th><th>latency "
      "(ms)</th><th>energy (mJ)</th>"
      "<th>model (KiB)</th><th>validation</th><th>test</th></tr>";
  const auto row = [&out](const PolicyOutcome& o, bool found) {
    out += fmt::format(
        "<tr{}><td>{}</td><td>{:.2f} / {:.2f}</td><td>{:.4f}</td><td>{:.4f} – "
        "{:.4f}</td><td>{:.1f}</td><td>{:.2f} %</td><td>{}</td></tr>",
        found ? " class=\"found\"" : "", escape_html(o.label), o.mean_weight_bits(),
        o.mean_activation_bits(), o.latency_s * 1e3, o.energy_j * 1e3, o.energy_high_j * 1e3,
        o.size_bytes / 1024, o.validation_accuracy, percent(o.test_accuracy));
  };
  row(result.best, true);
  for (const auto& outcome : result.uniform) row(outcome, false);
  return out +
         fmt::format(
             "<tr><td>full precision</td><td>32 / 32</td><td>-</td><td>-</td><td>-</td><td>{:.2f} "
             "%</td><td>{}</td></tr></table></div>",
             result.baseline_validation, percent(result.baseline_test));
}

std::string layers_table(const PolicyOutcome& best) {
  std::string out =
      "<div class=\"scroll\"><table><tr><th>layer</th><th>weight bits</th><th>activation "
      "bits</th><th>cycles</th>"
      "<th>latency (ms)</th><th>energy (mJ)</th><th>origin</th></tr>";
  for (const auto& layer : best.layers) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4f}</td><td>{:.5f}</td><td>{}</"
        "td></tr>",
        escape_html(layer.name), layer.bits.weight, layer.bits.activation, layer.cycles,
        layer.latency_s * 1e3, layer.energy_j * 1e3, escape_html(layer.origin));
  }
  return out + "</table></div>";
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

}  // namespace

std::string campaign_report_html(const CampaignResult& result, const std::vector<json>& episodes) {
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0} - "
      "Bittern</title><style>{1}</style></head><body><main><h1>{0}</h1>"
      "<p class=\"sub\">{2} on {3}, {4} data, search {5}, seed {6}, {7} of {8} episodes{9}. Origin "
      "of latencies: {10}.</p>",
      escape_html(result.campaign), kStyle, escape_html(result.network),
      escape_html(result.variant), escape_html(result.dataset), escape_html(result.search),
      result.seed, result.episodes, result.budget, result.stopped ? " (stopped early)" : "",
      escape_html(origins(result)));

  out += "<div class=\"tiles\">";
  for (const auto& c : result.constraints) {
    out += tile(
        fmt::format("{:.3f}", c.reference > 0 ? c.achieved / c.reference : 0.0),
        fmt::format("{} / 8/8 bits, limit {:.3f}: {}", c.resource,
                    c.reference > 0 ? c.limit / c.reference : 0.0, c.met() ? "met" : "not met"),
        c.met() ? "ok" : "bad");
  }
  out += tile(fmt::format("{:.4f} ms", result.best.latency_s * 1e3), "latency of a batch");
  const bool test = result.best.test_accuracy.has_value();
  out += tile(
      fmt::format("{:.2f} %", test ? *result.best.test_accuracy : result.best.validation_accuracy),
      test ? "test accuracy" : "validation accuracy");
  out += tile(
      test ? percent(result.baseline_test) : fmt::format("{:.2f} %", result.baseline_validation),
      "full precision");
  out += tile(fmt::format("{:.2f} / {:.2f}", result.best.mean_weight_bits(),
                          result.best.mean_activation_bits()),
              "mean weight / activation bits");
  out += "</div><h2>Curves</h2><div class=\"charts\">";
  for (const auto& svg :
       {reward_chart(episodes), cost_chart(result, episodes), bits_chart(result.best),
        pareto_chart(result, episodes), share_chart(result.best)}) {
    if (!svg.empty()) out += "<div>" + svg + "</div>";
  }
  out += "</div><h2>Policies side by side</h2>" + policies_table(result) +
         "<h2>The found policy</h2>" + layers_table(result.best) +
         "<h2>Where the numbers come from</h2><div class=\"scroll\"><table>";
  for (const auto& [key, value] : result.provenance) {
    out += fmt::format("<tr><td>{}</td><td style=\"text-align:left\">{}</td></tr>",
                       escape_html(key), escape_html(value));
  }
  return out + "</table></div></main></body></html>\n";
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
  return out + fmt::format("origin of latencies: {}\n", origins(result));
}

}  // namespace bittern
