#include "apps/bittern/compare_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "apps/bittern/layer_options.h"
#include "host/analysis/untimed.h"
#include "host/base/text.h"

namespace bittern {
namespace {

using Cell = Table::Cell;
using nlohmann::json;

/// A row of the comparison: a layer or sum of a policy on a variant.
struct Row {
  const NamedPolicy& policy;
  const ComparedVariant& on;
  const LayerReport& report;
  const RooflinePoint& roofline;
  bool is_total;
};

/// Calls `visit` for all layers of a policy, the variants of a layer one after the other.
void each_layer(const Comparison& c, std::size_t policy, const std::function<void(Row)>& visit) {
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    for (const ComparedVariant& on : c.variants) {
      const ComparedPolicy& p = on.policies[policy];
      visit({c.policies[policy], on, p.layers[i], p.roofline[i], false});
    }
  }
}

void each_total(const Comparison& c, std::size_t policy, const std::function<void(Row)>& visit) {
  for (const ComparedVariant& on : c.variants) {
    const ComparedPolicy& p = on.policies[policy];
    visit({c.policies[policy], on, p.total, p.total_roofline, true});
  }
}

std::string bits_text(BitPair bits) { return fmt::format("{}/{}", bits.weight, bits.activation); }

/// "run 97.1, wait_lhs 2.0, other 0.9": the parts that show in one decimal.
std::string split_text(const LayerReport& report) {
  std::string text;
  for (std::size_t i = 0; i < report.split.size(); ++i) {
    const double percent = 100.0 * report.share(i);
    if (percent < 0.05) continue;
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", report.split[i].first, percent);
  }
  return text;
}

std::string origin_of(const ComparedVariant& on) {
  Origin worst = on.policies.front().total.origin;
  for (const ComparedPolicy& policy : on.policies) worst = std::max(worst, policy.total.origin);
  return origin_name(worst);
}

Table variants_table(const Comparison& c) {
  Table table;
  table.text_column("variant").text_column("core").integer_column("batch");
  table.real_column("clock_mhz", "", 0).real_column("port_gb_s", "", 1);
  table.real_column("read_gb_s", "", 1)
      .detail()
      .real_column("write_gb_s", "", 1)
      .detail()
      .text_column("energy_table")
      .text_column("origin");
  table.text_column("rtl").detail().integer_column("simulated").spare();
  table.integer_column("from_store").spare();
  for (const ComparedVariant& on : c.variants) {
    const MemoryBandwidth bandwidth = memory_bandwidth(on.variant);
    const bool devices = !on.rtl_hash.empty();
    table.row({on.variant.name, on.variant.core, std::int64_t{on.variant.batch},
               on.variant.clock_mhz, bandwidth.port / 1e9, bandwidth.read / 1e9,
               bandwidth.write / 1e9, on.energy.name, origin_of(on),
               devices ? Cell{on.rtl_hash.substr(0, 16)} : Cell{},
               devices ? Cell{static_cast<std::int64_t>(on.simulated)} : Cell{},
               devices ? Cell{static_cast<std::int64_t>(on.recalled)} : Cell{}});
  }
  return table;
}

/// For people EDP has a prefix: it differs by ten powers of ten between layers and networks.
void add_cost_columns(Table& table, bool for_people) {
  table.real_column("latency_us", "", 1).real_column("energy_uj", "", 2);
  table.real_column("energy_high_uj", "", 2).spare();
  if (for_people) {
    table.text_column("edp").spare().text_column("edp_high").detail();
  } else {
    table.real_column("edp_pj_s").real_column("edp_high_pj_s");
  }
  table.real_column("utilisation_pct", "", 1);
}

void add_cost_cells(std::vector<Cell>& cells, const Row& row, bool for_people) {
  const Cost cost = image_cost(row.report, row.on.variant.batch);
  cells.emplace_back(cost.latency_s * 1e6);
  cells.emplace_back(cost.energy_j * 1e6);
  cells.emplace_back(cost.energy_high_j * 1e6);
  for (const double edp : {cost.edp(), cost.edp_high()}) {
    cells.push_back(for_people ? Cell{si(edp, "Js")} : Cell{edp * 1e12});
  }
  cells.emplace_back(100.0 * row.report.utilisation());
}

void add_roofline_columns(Table& table) {
  table.real_column("ops_per_byte", "", 2).real_column("peak_gops", "", 1).detail();
  table.real_column("memory_gops", "", 1).detail().real_column("attainable_gops", "", 1);
  table.real_column("achieved_gops", "", 1).real_column("reached_pct", "", 1).text_column("bound");
}

void add_roofline_cells(std::vector<Cell>& cells, const RooflinePoint& point) {
  for (const double value :
       {point.intensity(), point.peak / 1e9, point.memory_limit / 1e9, point.attainable / 1e9,
        point.achieved / 1e9, 100.0 * point.reached()}) {
    cells.emplace_back(value);
  }
  cells.emplace_back(bound_name(point.bound));
}

Table totals_table(const Comparison& c) {
  Table table;
  table.text_column("policy").text_column("variant");
  add_cost_columns(table, true);
  table.text_column("cycles_pct").detail().text_column("origin");
  for (std::size_t p = 0; p < c.policies.size(); ++p) {
    each_total(c, p, [&](const Row& row) {
      std::vector<Cell> cells = {row.policy.name, row.on.variant.name};
      add_cost_cells(cells, row, true);
      cells.emplace_back(split_text(row.report));
      cells.emplace_back(origin_name(row.report.origin));
      table.row(std::move(cells));
    });
  }
  return table;
}

/// Layers of a policy for people: name and bits only in the first line of a layer.
Table layers_table(const Comparison& c, std::size_t policy) {
  Table table;
  table.text_column("layer").text_column("w/a").text_column("variant").text_column("runs");
  add_cost_columns(table, true);
  table.text_column("cycles_pct").detail().text_column("origin");
  each_layer(c, policy, [&](const Row& row) {
    const bool first = &row.on == &c.variants.front();
    std::vector<Cell> cells = {first ? row.report.name : "",
                               first ? bits_text(row.report.bits) : "", row.on.variant.name,
                               bits_text(row.report.run_bits)};
    add_cost_cells(cells, row, true);
    cells.emplace_back(split_text(row.report));
    cells.emplace_back(origin_name(row.report.origin));
    table.row(std::move(cells));
  });
  return table;
}

Table roofline_table(const Comparison& c, std::size_t policy) {
  Table table;
  table.text_column("layer").text_column("variant");
  add_roofline_columns(table);
  const auto add = [&](const Row& row) {
    const bool first = &row.on == &c.variants.front();
    std::vector<Cell> cells = {first ? row.report.name : "", row.on.variant.name};
    add_roofline_cells(cells, row.roofline);
    table.row(std::move(cells));
  };
  each_layer(c, policy, add);
  each_total(c, policy, add);
  return table;
}

Table transfer_table(const Comparison& c) {
  Table table;
  table.text_column("policy \\ us on");
  for (const ComparedVariant& on : c.variants) table.text_column(on.variant.name);
  const auto matrix = transfer_matrix(c);
  for (std::size_t p = 0; p < matrix.size(); ++p) {
    std::vector<Cell> cells = {c.policies[p].name};
    for (const Transfer& cell : matrix[p]) {
      cells.emplace_back(cell.penalty
                             ? fmt::format("{:.1f} ({:.3f}x)", cell.latency_s * 1e6, *cell.penalty)
                             : fmt::format("{:.1f}", cell.latency_s * 1e6));
    }
    table.row(std::move(cells));
  }
  return table;
}

/// What is not timed: once, or for each variant where they differ.
std::string untimed_notes(const Comparison& c) {
  std::string all;
  std::string first;
  bool same = true;
  for (const ComparedVariant& on : c.variants) {
    const std::string note = untimed_note(untimed_parts(c.network, on.variant));
    if (first.empty()) first = note;
    same = same && note == first;
    all += on.variant.name + ": " + note;
  }
  return same ? first : all;
}

std::string overflow_notes(const Comparison& c) {
  std::string text;
  for (const ComparedVariant& on : c.variants) {
    for (std::size_t p = 0; p < c.policies.size(); ++p) {
      const std::string note = overflow_note(on.policies[p].layers);
      if (!note.empty()) text += on.variant.name + ", " + c.policies[p].name + ": " + note;
    }
  }
  return text;
}

/// Notes below the tables.
std::string notes(const Comparison& c) {
  std::string text =
      "Latency, energy and EDP are for one image: those of a batch divided by its images";
  bool batches = false;
  for (const ComparedVariant& on : c.variants) batches = batches || on.variant.batch > 1;
  text += batches ? "; with a batch above 1\nno image is ready earlier than its batch.\n" : ".\n";
  for (const ComparedVariant& on : c.variants) {
    for (const ComparedPolicy& policy : on.policies) {
      const std::string note = remote_note(policy.layers);
      if (!note.empty() && text.find(note) == std::string::npos)
        text += on.variant.name + ": " + note;
    }
  }
  std::vector<std::string> seen;
  for (const ComparedVariant& on : c.variants) {
    if (std::find(seen.begin(), seen.end(), on.energy.name) != seen.end()) continue;
    seen.push_back(on.energy.name);
    text += energy_note(on.energy);
  }
  return text + untimed_notes(c) + overflow_notes(c) +
         "Roofline: 2 operations a multiply-accumulate; bytes as moved between device memory and "
         "chip.\n";
}

}  // namespace

std::string comparison_text(const Comparison& c, const TableView& view) {
  std::string out =
      fmt::format("{}: {} on {}\n\n", c.network.name,
                  c.policies.size() == 1 ? "policy " + c.policies.front().name
                                         : fmt::format("{} policies", c.policies.size()),
                  c.variants.size() == 1 ? c.variants.front().variant.name
                                         : fmt::format("{} variants", c.variants.size()));
  const auto add = [&](const std::string& title, const Table& table) {
    out += styled(printable(title), Style::kHeading, view.colour) + "\n\n" +
           table.render(OutputFormat::kTable, view) + "\n";
  };
  add("variants", variants_table(c));
  add(c.layers.size() == c.network.layers.size()
          ? "all layers"
          : fmt::format("sum of the {} layers chosen", c.layers.size()),
      totals_table(c));
  if (c.policies.size() > 1) {
    add("transfer: policies (rows) on variants (columns), and the penalty against the policy made "
        "for the variant",
        transfer_table(c));
  }
  for (std::size_t p = 0; p < c.policies.size(); ++p) {
    add("layers, policy " + c.policies[p].name, layers_table(c, p));
    add("roofline, policy " + c.policies[p].name, roofline_table(c, p));
  }
  return out + notes(c);
}

Table comparison_table(const Comparison& c) {
  const std::vector<std::string> headings = c.split_headings();
  Table table;
  table.text_column("policy").text_column("layer").text_column("variant").integer_column("batch");
  table.integer_column("wbits").integer_column("abits");
  table.integer_column("wbits_run").integer_column("abits_run");
  table.integer_column("macs").integer_column("cycles");
  add_cost_columns(table, false);
  for (const std::string& heading : headings) table.real_column(heading + "_pct", "", 1);
  table.integer_column("bytes_read").integer_column("bytes_written");
  add_roofline_columns(table);
  table.text_column("origin").integer_column("sum_bits");
  table.text_column("schedule").text_column("key").text_column("remote");

  const auto add = [&](const Row& row) {
    const LayerReport& r = row.report;
    std::vector<Cell> cells = {row.policy.name, r.name, row.on.variant.name,
                               std::int64_t{row.on.variant.batch}};
    for (const int bits :
         {r.bits.weight, r.bits.activation, r.run_bits.weight, r.run_bits.activation}) {
      cells.push_back(row.is_total ? Cell{} : Cell{std::int64_t{bits}});
    }
    cells.emplace_back(r.macs);
    cells.emplace_back(static_cast<std::int64_t>(r.cycles));
    add_cost_cells(cells, row, false);
    for (const std::string& heading : headings) {
      Cell cell;
      for (std::size_t i = 0; i < r.split.size(); ++i) {
        if (r.split[i].first == heading) cell = 100.0 * r.share(i);
      }
      cells.push_back(cell);
    }
    cells.emplace_back(static_cast<std::int64_t>(r.bytes_read));
    cells.emplace_back(static_cast<std::int64_t>(r.bytes_written));
    add_roofline_cells(cells, row.roofline);
    cells.emplace_back(origin_name(r.origin));
    cells.emplace_back(std::int64_t{r.sum_bits});
    for (const std::string& text : {r.schedule, r.key, r.remote}) {
      cells.push_back(text.empty() ? Cell{} : Cell{text});
    }
    row.is_total ? table.subtotal(std::move(cells)) : table.row(std::move(cells));
  };
  for (std::size_t p = 0; p < c.policies.size(); ++p) {
    each_layer(c, p, add);
    each_total(c, p, add);
  }
  return table;
}

json comparison_json(const Comparison& c) {
  json out = {{"format", "bittern-compare-1"}, {"network", c.network.name}};
  for (const std::size_t layer : c.layers) out["layers"].push_back(c.network.layers[layer].name);
  for (const ComparedVariant& on : c.variants) {
    const MemoryBandwidth bandwidth = memory_bandwidth(on.variant);
    out["variants"].push_back({{"name", on.variant.name},
                               {"core", on.variant.core},
                               {"batch", on.variant.batch},
                               {"clock_mhz", on.variant.clock_mhz},
                               {"port_bytes_per_s", bandwidth.port},
                               {"read_bytes_per_s", bandwidth.read},
                               {"write_bytes_per_s", bandwidth.write},
                               {"energy_table", on.energy.name},
                               {"dram_anchors", dram_anchors_json(on.energy)},
                               {"origin", origin_of(on)},
                               {"rtl_hash", on.rtl_hash},
                               {"store", on.store},
                               {"simulated", on.simulated},
                               {"from_store", on.recalled},
                               {"not_timed", untimed_parts(c.network, on.variant)}});
  }
  const auto matrix = transfer_matrix(c);
  for (std::size_t p = 0; p < c.policies.size(); ++p) {
    json policy = {{"name", c.policies[p].name}};
    for (const std::size_t layer : c.layers) {
      const BitPair bits = c.policies[p].policy[layer];
      policy["bits"].push_back({bits.weight, bits.activation});
    }
    out["policies"].push_back(policy);
    for (std::size_t v = 0; v < c.variants.size(); ++v) {
      const Transfer& cell = matrix[p][v];
      out["transfer"].push_back({{"policy", c.policies[p].name},
                                 {"variant", c.variants[v].variant.name},
                                 {"latency_us", cell.latency_s * 1e6},
                                 {"energy_uj", cell.energy_j * 1e6},
                                 {"penalty", cell.penalty ? json(*cell.penalty) : json()},
                                 {"origin", origin_name(cell.origin)}});
    }
  }
  out["results"] = comparison_table(c).json();
  return out;
}

}  // namespace bittern
