#include "host/report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "host/base/table.h"
#include "host/report/chart.h"
#include "host/report/page.h"
#include "host/report/roofline_chart.h"

namespace bittern {
namespace {

using page::Cell;

/// Bars of variants that are further apart than this get a logarithmic axis: on a linear one the
/// faster variant would have no visible bars.
constexpr double kLinearSpread = 20.0;

std::string bits_text(BitPair bits) { return fmt::format("{}/{}", bits.weight, bits.activation); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::vector<std::string> variant_names(const Comparison& c) {
  std::vector<std::string> names;
  for (const ComparedVariant& on : c.variants) names.push_back(on.variant.name);
  return names;
}

std::vector<std::string> layer_names(const Comparison& c) {
  std::vector<std::string> names;
  for (const std::size_t layer : c.layers) names.push_back(c.network.layers[layer].name);
  return names;
}

/// Every origin that occurs, the best first.
std::string origins(const Comparison& c) {
  std::vector<Origin> seen;
  for (const ComparedVariant& on : c.variants) {
    for (const ComparedPolicy& policy : on.policies) {
      for (const LayerReport& layer : policy.layers) {
        if (std::find(seen.begin(), seen.end(), layer.origin) == seen.end()) {
          seen.push_back(layer.origin);
        }
      }
    }
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::string> names;
  for (const Origin origin : seen) names.emplace_back(origin_name(origin));
  return names.size() == 1 ? "all " + names.front() : joined(names);
}

/// A unit in which a set of values reads well.
struct Scale {
  double factor = 1.0;
  std::string unit;
};

Scale scale_for(double largest, const std::string& unit) {
  if (largest >= 1.0) return {1.0, unit};
  if (largest >= 1e-3) return {1e3, "m" + unit};
  if (largest >= 1e-6) return {1e6, "u" + unit};
  return {1e9, "n" + unit};
}

/// Whether bars for all layers need the width of a page.
bool is_wide(const Comparison& c) { return c.layers.size() * c.variants.size() > 30; }

using Value = std::function<double(const ComparedVariant&, const LayerReport&)>;

/// Bars of all variants side by side, a group for every layer.
std::string layer_bars(const Comparison& c, std::size_t policy, const std::string& title,
                       const std::string& unit, const Value& value) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const ComparedVariant& on : c.variants) {
    double largest = 0.0;
    for (const LayerReport& layer : on.policies[policy].layers) {
      largest = std::max(largest, value(on, layer));
    }
    low = std::min(low, largest);
    high = std::max(high, largest);
  }
  const bool percent = unit == "%";
  const Scale scale = percent ? Scale{100.0, unit} : scale_for(high, unit);
  BarChart chart;
  chart.title = title;
  chart.categories = layer_names(c);
  chart.wide = is_wide(c);
  chart.log_y = !percent && high > kLinearSpread * low;
  chart.y_label = scale.unit + (chart.log_y ? " (logarithmic)" : "");
  for (std::size_t v = 0; v < c.variants.size(); ++v) {
    BarChart::Bars bars{c.variants[v].variant.name, page::color(v), {}};
    for (const LayerReport& layer : c.variants[v].policies[policy].layers) {
      bars.values.push_back(scale.factor * value(c.variants[v], layer));
    }
    chart.series.push_back(std::move(bars));
  }
  return chart.svg();
}

/// Where the cycles of a policy on a variant went, stacked to 100 % for every layer.
std::string split_bars(const Comparison& c, const ComparedVariant& on, std::size_t policy) {
  const ComparedPolicy& compared = on.policies[policy];
  BarChart chart;
  chart.title = "Cycles of " + on.variant.name;
  chart.y_label = "% of the layer's cycles";
  chart.categories = layer_names(c);
  chart.stacked = true;
  chart.y_max = 100.0;
  for (std::size_t part = 0; part < compared.total.split.size(); ++part) {
    const std::string& heading = compared.total.split[part].first;
    BarChart::Bars bars{heading, heading == "other" ? "#94a3b8" : page::color(part), {}};
    for (const LayerReport& layer : compared.layers)
      bars.values.push_back(100.0 * layer.share(part));
    chart.series.push_back(std::move(bars));
  }
  return chart.svg();
}

std::string policy_bars(const Comparison& c, std::size_t policy) {
  BarChart chart;
  chart.title = "Bits asked for";
  chart.y_label = "bits";
  chart.categories = layer_names(c);
  chart.y_max = 8.0;
  chart.wide = is_wide(c);
  chart.series = {{"weights", page::color(0), {}}, {"activations", page::color(1), {}}};
  for (const std::size_t layer : c.layers) {
    const BitPair bits = c.policies[policy].policy[layer];
    chart.y_max = std::max<double>(chart.y_max, std::max(bits.weight, bits.activation));
    chart.series[0].values.push_back(bits.weight);
    chart.series[1].values.push_back(bits.activation);
  }
  return chart.svg();
}

bool is_uniform(const Comparison& c, std::size_t policy) {
  const Policy& bits = c.policies[policy].policy;
  return std::all_of(c.layers.begin(), c.layers.end(),
                     [&](std::size_t layer) { return bits[layer] == bits[c.layers.front()]; });
}

/// Cells that all tables of costs have: latency, energy twice, EDP, utilisation, roofline, origin.
const std::vector<std::string> kCostHeadings = {
    "latency",    "energy",   "energy (other DRAM)", "EDP",      "utilisation", "op/byte",
    "attainable", "achieved", "of attainable",       "bound by", "origin"};

void add_cost_cells(std::vector<Cell>& cells, const ComparedVariant& on, const LayerReport& report,
                    const RooflinePoint& point) {
  const Cost cost = image_cost(report, on.variant.batch);
  cells.emplace_back(si(cost.latency_s, "s"));
  cells.emplace_back(si(cost.energy_j, "J"));
  cells.emplace_back(si(cost.energy_high_j, "J"));
  cells.emplace_back(si(cost.edp(), "Js"));
  cells.emplace_back(fmt::format("{:.1f} %", 100.0 * report.utilisation()));
  cells.emplace_back(fmt::format("{:.2f}", point.intensity()));
  cells.emplace_back(si(point.attainable, "op/s"));
  cells.emplace_back(si(point.achieved, "op/s"));
  cells.emplace_back(fmt::format("{:.0f} %", 100.0 * point.reached()));
  cells.emplace_back(bound_name(point.bound));
  cells.emplace_back(origin_name(report.origin));
}

std::string totals_table(const Comparison& c) {
  std::vector<std::string> heading = {"policy", "variant"};
  heading.insert(heading.end(), kCostHeadings.begin(), kCostHeadings.end());
  std::vector<std::vector<Cell>> rows;
  for (std::size_t p = 0; p < c.policies.size(); ++p) {
    for (const ComparedVariant& on : c.variants) {
      std::vector<Cell> cells = {c.policies[p].name, on.variant.name};
      add_cost_cells(cells, on, on.policies[p].total, on.policies[p].total_roofline);
      rows.push_back(std::move(cells));
    }
  }
  return page::table(heading, rows);
}

std::string layers_table(const Comparison& c, std::size_t policy) {
  std::vector<std::string> heading = {"layer", "variant", "bits run"};
  heading.insert(heading.end(), kCostHeadings.begin(), kCostHeadings.end());
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    for (const ComparedVariant& on : c.variants) {
      const LayerReport& report = on.policies[policy].layers[i];
      std::string bits = bits_text(report.run_bits);
      if (report.run_bits != report.bits) bits += " for " + bits_text(report.bits);
      std::vector<Cell> cells = {&on == &c.variants.front() ? report.name : "", on.variant.name,
                                 bits};
      add_cost_cells(cells, on, report, on.policies[policy].roofline[i]);
      rows.push_back(std::move(cells));
    }
  }
  return page::table(heading, rows);
}

/// Background of a cell of the transfer matrix: the redder the slower than the variant's own
/// policy, the greener the faster. See-through, so that text stays readable on light and dark.
std::string heat(double penalty) {
  const double depth = std::min(std::abs(std::log2(penalty)), 1.0);
  return fmt::format("background:rgba({},{:.2f})", penalty >= 1.0 ? "234,88,12" : "13,148,136",
                     0.7 * depth);
}

std::string transfer_heat_map(const Comparison& c) {
  std::vector<std::string> heading = {"policy \\ on"};
  for (const std::string& name : variant_names(c)) heading.push_back(name);
  const auto matrix = transfer_matrix(c);
  std::vector<std::vector<Cell>> rows;
  for (std::size_t p = 0; p < matrix.size(); ++p) {
    std::vector<Cell> cells = {c.policies[p].name};
    for (std::size_t v = 0; v < matrix[p].size(); ++v) {
      const Transfer& cell = matrix[p][v];
      std::string text = si(cell.latency_s, "s");
      if (!cell.penalty) {
        cells.emplace_back(text);
        continue;
      }
      const bool own = c.policies[p].name == c.variants[v].variant.name;
      text += own ? " (its own)" : fmt::format(" ({:.3f}x)", *cell.penalty);
      cells.emplace_back(text, own ? "font-weight:600" : heat(*cell.penalty));
    }
    rows.push_back(std::move(cells));
  }
  return "<h2>Policies on other machines</h2><p class=\"sub\">Latency of every policy (rows) on "
         "every variant (columns); in brackets how much longer it takes than the policy made for "
         "that variant (the one named like it).</p>" +
         page::table(heading, rows);
}

std::string policy_section(const Comparison& c, std::size_t policy) {
  std::vector<std::string> bars;
  if (!is_uniform(c, policy)) bars.push_back(policy_bars(c, policy));
  bars.push_back(layer_bars(c, policy, "Latency for one image", "s",
                            [](const ComparedVariant& on, const LayerReport& layer) {
                              return image_cost(layer, on.variant.batch).latency_s;
                            }));
  bars.push_back(layer_bars(c, policy, "Energy for one image (first number for device memory)", "J",
                            [](const ComparedVariant& on, const LayerReport& layer) {
                              return image_cost(layer, on.variant.batch).energy_j;
                            }));
  bars.push_back(layer_bars(
      c, policy, "Utilisation: share of the array's peak at these bits", "%",
      [](const ComparedVariant&, const LayerReport& layer) { return layer.utilisation(); }));
  std::vector<std::string> each;
  for (const ComparedVariant& on : c.variants) {
    each.push_back(roofline_chart(on.policies[policy], on.variant));
    each.push_back(split_bars(c, on, policy));
  }
  return "<h2>Policy " + escape_html(c.policies[policy].name) + "</h2>" +
         page::charts(bars, is_wide(c)) + page::charts(each) +
         "<details><summary>All layers as a table" + "</summary>" + layers_table(c, policy) +
         "</details>";
}

std::string sources(const Comparison& c) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const ComparedVariant& on : c.variants) {
    const MemoryBandwidth bandwidth = memory_bandwidth(on.variant);
    std::string text = fmt::format(
        "core {}, batch {}, {} MHz; {} a data port, {} all that read, {} all that write; energy "
        "table {} with device memory at "
        "{} {} ({}) or {} {} ({})",
        on.variant.core, on.variant.batch, on.variant.clock_mhz, si(bandwidth.port, "B/s"),
        si(bandwidth.read, "B/s"), si(bandwidth.write, "B/s"), on.energy.name,
        on.energy.dram[0].number.value, on.energy.dram[0].number.unit, on.energy.dram[0].name,
        on.energy.dram[1].number.value, on.energy.dram[1].number.unit, on.energy.dram[1].name);
    if (!on.rtl_hash.empty()) text += "; RTL " + on.rtl_hash.substr(0, 16);
    lines.emplace_back(on.variant.name, text);
  }
  lines.emplace_back("costs",
                     "for one image: those of the variant's batch divided by its images; with a "
                     "batch above 1 no image is ready earlier than its batch");
  lines.emplace_back("EDP", "energy (first number for device memory) times latency of one image");
  lines.emplace_back("roofline",
                     "an operation is a multiplication or an addition; bytes are those that the "
                     "layer moved between device memory and chip; attainable is the smaller of the "
                     "array's peak at the bits run and what the data port with the most bytes to "
                     "move allows");
  return "<h2>Where the numbers come from</h2>" + page::facts(lines);
}

}  // namespace

std::string comparison_report_html(const Comparison& c) {
  std::vector<std::string> tiles;
  if (c.policies.size() == 1) {
    for (const ComparedVariant& on : c.variants) {
      const Cost cost = image_cost(on.policies.front().total, on.variant.batch);
      tiles.push_back(page::tile(si(cost.latency_s, "s"),
                                 fmt::format("{}, {}, batch {}", on.variant.name,
                                             si(cost.energy_j, "J"), on.variant.batch)));
    }
  }
  std::string body = page::tiles(tiles) + "<h2>In total</h2>" + totals_table(c);
  if (c.policies.size() > 1) body += transfer_heat_map(c);
  for (std::size_t p = 0; p < c.policies.size(); ++p) body += policy_section(c, p);
  std::vector<std::string> policies;
  for (const NamedPolicy& policy : c.policies) policies.push_back(policy.name);
  const std::string subtitle = fmt::format(
      "{}; {} {}; {}. Costs are for one image. Origin of cycles: {}.", joined(variant_names(c)),
      policies.size() == 1 ? "policy" : "policies", joined(policies),
      c.layers.size() == c.network.layers.size()
          ? "all layers"
          : fmt::format("{} of {} layers", c.layers.size(), c.network.layers.size()),
      origins(c));
  return page::document(c.network.name, subtitle, body + sources(c));
}

}  // namespace bittern
