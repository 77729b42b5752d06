#include <algorithm>
#include <iostream>
#include <memory>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/layer_options.h"
#include "apps/bittern/table_options.h"
#include "host/analysis/untimed.h"
#include "host/base/json.h"
#include "host/cores/cores.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

struct Options {
  std::string network;
  std::string variant;
  UniformBits uniform;
  std::string policy;
  LayerArguments layers;
  BatchArgument batch;
  TableOptions table;
  SourceArguments source;
};

/// The bits that were asked for, or those that a quantised model states itself.
Policy policy_of(const Options& options, const Network& network) {
  if (!options.policy.empty()) return load_policy(options.policy, network);
  if (!options.uniform.given() && has_quantisers(network.graph)) {
    return stated_policy(network.graph, kMostBits);
  }
  return uniform_policy(network, options.uniform.bits());
}

std::vector<LayerPoint> points_of(const Options& options, const Network& network) {
  if (!options.policy.empty() && options.uniform.given()) {
    fail_usage("give either --policy or --wbits and --abits");
  }
  const Policy policy = policy_of(options, network);
  std::vector<LayerPoint> points;
  for (const std::size_t i : options.layers.indices(network)) {
    points.push_back({&network.layers[i], policy[i]});
  }
  return points;
}

Table table_of(const std::vector<LayerReport>& layers) {
  const LayerReport total = total_report(layers);
  Table table;
  table.text_column("layer").integer_column("wbits").integer_column("abits");
  // The bits that ran, where the core has others than were asked for.
  const bool rounded = std::any_of(layers.begin(), layers.end(), [](const LayerReport& layer) {
    return layer.run_bits != layer.bits;
  });
  for (const char* name : {"wbits_run", "abits_run"}) {
    table.integer_column(name);
    if (!rounded) table.detail();
  }
  table.integer_column("cycles").real_column("latency_us", "", 1).integer_column("macs");
  table.detail().real_column("macs_per_cycle", "", 1).detail();
  table.real_column("utilisation_pct", "", 1);
  for (const auto& [heading, cycles] : total.split) {
    table.real_column(heading + "_pct", "", 1).detail();
  }
  table.integer_column("bytes_read").detail().integer_column("bytes_written").detail();
  table.real_column("energy_uj", "", 2).real_column("energy_high_uj", "", 2).spare();
  table.text_column("origin").integer_column("sum_bits").detail();
  table.text_column("schedule").detail().text_column("key").detail();
  table.text_column("remote").detail();

  const auto cells = [&](const LayerReport& r) {
    std::vector<Table::Cell> row = {r.name};
    const auto add_bits = [&row](BitPair bits) {
      for (const int width : {bits.weight, bits.activation}) {
        row.push_back(width > 0 ? Table::Cell{std::int64_t{width}} : Table::Cell{});
      }
    };
    add_bits(r.bits);
    add_bits(r.run_bits);
    row.push_back(static_cast<std::int64_t>(r.cycles));
    row.push_back(r.latency_s * 1e6);
    row.push_back(r.macs);
    row.push_back(r.macs_per_cycle());
    row.push_back(100.0 * r.utilisation());
    for (std::size_t i = 0; i < r.split.size(); ++i) row.push_back(100.0 * r.share(i));
    row.push_back(static_cast<std::int64_t>(r.bytes_read));
    row.push_back(static_cast<std::int64_t>(r.bytes_written));
    row.push_back(r.energy_j * 1e6);
    row.push_back(r.energy_high_j * 1e6);
    row.push_back(origin_name(r.origin));
    row.push_back(std::int64_t{r.sum_bits});
    for (const std::string& text : {r.schedule, r.key, r.remote}) {
      row.push_back(text.empty() ? Table::Cell{} : Table::Cell{text});
    }
    return row;
  };
  for (const LayerReport& layer : layers) table.row(cells(layer));
  table.total(cells(total));
  return table;
}

/// Every event of every layer, and their sums.
nlohmann::json counters_json(const std::vector<LayerReport>& layers) {
  nlohmann::json counters = {{"layers", nlohmann::json::array()},
                             {"total", total_report(layers).events}};
  for (const LayerReport& layer : layers) counters["layers"].push_back(layer.events);
  return counters;
}

void print(const Options& options, const Network& network, const Variant& variant,
           const EnergyTable& energy, const MeasuredLayers& measured, const CLI::App& command) {
  const OutputFormat format = options.table.format();
  const Table table = table_of(measured.layers);
  if (format == OutputFormat::kCsv) {
    std::cout << options.table.render(table, command);
    return;
  }
  if (format == OutputFormat::kJson) {
    const nlohmann::json out = {{"format", "bittern-measure-1"},
                                {"network", network.name},
                                {"variant", variant.name},
                                {"batch", variant.batch},
                                {"clock_mhz", variant.clock_mhz},
                                {"origin", origin_name(total_report(measured.layers).origin)},
                                {"rtl_hash", measured.rtl_hash},
                                {"store", measured.store},
                                {"simulated", measured.simulated},
                                {"from_store", measured.recalled},
                                {"not_timed", untimed_parts(network, variant)},
                                {"energy_table", energy.name},
                                {"layers", table.json()},
                                {"counters", counters_json(measured.layers)},
                                {"dram_anchors", dram_anchors_json(energy)}};
    std::cout << printed_json(out) << "\n";
    return;
  }
  std::cout << fmt::format("{} on {}: batch {}, {} MHz\n\n", network.name, variant.name,
                           variant.batch, variant.clock_mhz)
            << options.table.render(table, command) << "\n";
  switch (options.source.what()) {
    case LayerModel::kClosed:
      std::cout << "Cycles: closed form, nothing was simulated.\n";
      break;
    case LayerModel::kPublished:
      std::cout << "Cycles: model of the architecture's authors, nothing was simulated.\n";
      break;
    case LayerModel::kRtl:
      std::cout << fmt::format("Cycles: RTL {}, {} simulated now, {} from the store{}.\n",
                               measured.rtl_hash.substr(0, 16), measured.simulated,
                               measured.recalled,
                               measured.store.empty() ? "" : " " + measured.store);
      break;
  }
  std::cout << remote_note(measured.layers) << energy_note(energy)
            << untimed_note(untimed_parts(network, variant)) << overflow_note(measured.layers);
}

void measure(const Options& options, const CLI::App& command) {
  options.table.format();
  const Network network = load_network(options.network);
  const Variant variant = options.batch.applied(load_variant(options.variant));
  const std::vector<LayerPoint> points = points_of(options, network);
  const EnergyTable energy = load_energy_table(variant.energy);
  if (options.table.columns_chosen()) {
    // One layer without simulation has the same columns: a slip is said before the work.
    LayerSource quick;
    quick.model = options.source.what();
    if (quick.model == LayerModel::kRtl) quick.model = LayerModel::kClosed;
    options.table.check_columns(
        table_of(measure_layers(variant, energy, {points.front()}, quick).layers));
  }
  print(options, network, variant, energy,
        measure_layers(variant, energy, points, options.source.source(command)), command);
}

}  // namespace

void add_measure(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "measure", "Cycles, latency, utilisation, stalls, bytes and energy of a network's layers");
  text_of(command->add_option("--network", options->network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->required();
  text_of(command->add_option("--variant", options->variant,
                              "Name in configs/variants, or a .yaml file"),
          kVariant)
      ->required();
  options->uniform.add_to(*command);
  text_of(command->add_option("--policy", options->policy, "Bits of each layer: a policy.json"),
          kFile);
  options->layers.add_to(*command);
  options->batch.add_to(*command);
  options->table.add_to(*command, true);
  options->source.add_to(*command);
  command->footer(
      example("bittern measure --network lenet --variant bismo_edge --wbits 4 --abits 4\n"
              "bittern measure --network lenet --variant bismo_cloud --policy policy.json "
              "--layers conv1,fc2 --format json"));
  command->callback([options, command] { measure(*options, *command); });
}

}  // namespace bittern
