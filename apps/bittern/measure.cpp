#include <charconv>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/device_options.h"
#include "host/base/table.h"
#include "host/base/yaml.h"
#include "host/measure/layer_report.h"

namespace bittern {
namespace {

struct Options {
  std::string network;
  std::string variant;
  int weight_bits = 0;
  int activation_bits = 0;
  std::string policy;
  std::vector<std::string> layers;
  bool model = false;
  std::string format = "table";
  std::string store;
  bool no_store = false;
  DeviceArguments device;
};

/// A layer that was asked for, and the bits for it.
using Point = std::pair<const Layer*, BitPair>;

std::size_t layer_index(const Network& network, const std::string& word) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].name == word) return i;
    names.push_back(network.layers[i].name);
  }
  std::size_t index = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), index);
  if (code == std::errc() && end == word.data() + word.size() && index < network.layers.size()) {
    return index;
  }
  fail_usage("--layers: network {} has no layer '{}'{} (or an index from 0 to {})", network.name,
             word, suggestion(word, names), network.layers.size() - 1);
}

std::vector<Point> points_of(const Options& options, const Network& network) {
  Policy policy;
  if (!options.policy.empty()) {
    if (options.weight_bits != 0 || options.activation_bits != 0) {
      fail_usage("give either --policy or --wbits and --abits");
    }
    policy = load_policy(options.policy, network);
  } else {
    if (options.weight_bits == 0 || options.activation_bits == 0) {
      fail_usage("which bits? Give --wbits and --abits, or --policy");
    }
    policy = uniform_policy(network, {options.weight_bits, options.activation_bits});
  }
  std::vector<Point> points;
  if (options.layers.empty()) {
    for (std::size_t i = 0; i < policy.size(); ++i) {
      points.emplace_back(&network.layers[i], policy[i]);
    }
  }
  for (const std::string& word : options.layers) {
    const std::size_t i = layer_index(network, word);
    points.emplace_back(&network.layers[i], policy[i]);
  }
  return points;
}

/// Where the answer comes from, beside its numbers.
struct Source {
  std::string rtl_hash;
  std::string store;
  std::size_t simulated = 0;
  std::size_t recalled = 0;
};

std::vector<Measurement> measure_points(const Options& options, const CLI::App& command,
                                        const Variant& variant, const Core& core,
                                        const std::vector<Point>& points, Source& source) {
  std::vector<LayerJob> jobs;
  for (const auto& [layer, bits] : points) {
    jobs.push_back(network_job(core, variant, *layer, bits));
  }
  if (options.model) {
    std::vector<Measurement> measured;
    for (const PlannedLayer& planned : plan_layers(core, jobs, default_workers())) {
      measured.push_back(model_measurement(planned, variant));
    }
    return measured;
  }
  MeasurerOptions how = options.device.measurer(command);
  how.store = options.store;
  how.use_store = !options.no_store;
  Measurer measurer(variant, std::move(how));
  std::vector<Measurement> measured = measurer.measure(jobs);
  source.rtl_hash = measurer.identity().rtl_hash;
  source.store = measurer.store_path().string();
  source.simulated = measurer.simulated();
  source.recalled = measurer.recalled();
  return measured;
}

Table table_of(const std::vector<LayerReport>& layers, bool for_people) {
  const LayerReport total = total_report(layers);
  Table table;
  table.text_column("layer").integer_column("wbits").integer_column("abits");
  table.integer_column("cycles").real_column("latency_us", "", 1).integer_column("macs");
  table.real_column("macs_per_cycle", "", 1).real_column("utilisation_pct", "", 1);
  for (const auto& [heading, cycles] : total.split) table.real_column(heading + "_pct", "", 1);
  table.integer_column("bytes_read").integer_column("bytes_written");
  table.real_column("energy_uj", "", 2).real_column("energy_high_uj", "", 2).text_column("origin");
  if (!for_people) table.text_column("schedule").text_column("key");

  const auto cells = [&](const LayerReport& r) {
    std::vector<Table::Cell> row = {r.name,
                                    {},
                                    {},
                                    static_cast<std::int64_t>(r.cycles),
                                    r.latency_s * 1e6,
                                    r.macs,
                                    r.macs_per_cycle(),
                                    100.0 * r.utilisation()};
    if (r.bits.weight > 0) {
      row[1] = std::int64_t{r.bits.weight};
      row[2] = std::int64_t{r.bits.activation};
    }
    for (std::size_t i = 0; i < r.split.size(); ++i) row.push_back(100.0 * r.share(i));
    row.push_back(static_cast<std::int64_t>(r.bytes_read));
    row.push_back(static_cast<std::int64_t>(r.bytes_written));
    row.push_back(r.energy_j * 1e6);
    row.push_back(r.energy_high_j * 1e6);
    row.push_back(origin_name(r.origin));
    if (!for_people) {
      for (const std::string& text : {r.schedule, r.key}) {
        row.push_back(text.empty() ? Table::Cell{} : Table::Cell{text});
      }
    }
    return row;
  };
  for (const LayerReport& layer : layers) table.row(cells(layer));
  table.total(cells(total));
  return table;
}

void print(const Options& options, const Network& network, const Variant& variant,
           const EnergyTable& energy, const std::vector<LayerReport>& layers,
           const Source& source) {
  const OutputFormat format = parse_output_format(options.format);
  const Table table = table_of(layers, format == OutputFormat::kTable);
  if (format == OutputFormat::kCsv) {
    std::cout << table.render(format);
    return;
  }
  if (format == OutputFormat::kJson) {
    nlohmann::json out = {
        {"format", "bittern-measure-1"},  {"network", network.name},
        {"variant", variant.name},        {"batch", variant.batch},
        {"clock_mhz", variant.clock_mhz}, {"origin", origin_name(total_report(layers).origin)},
        {"rtl_hash", source.rtl_hash},    {"store", source.store},
        {"simulated", source.simulated},  {"from_store", source.recalled},
        {"energy_table", energy.name},    {"layers", table.json()}};
    for (const DramAnchor& anchor : energy.dram) {
      out["dram_anchors"].push_back({{"name", anchor.name},
                                     {"value", anchor.number.value},
                                     {"unit", anchor.number.unit},
                                     {"source", anchor.number.source}});
    }
    std::cout << out.dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("{} on {}: batch {}, {} MHz\n\n", network.name, variant.name,
                           variant.batch, variant.clock_mhz)
            << table.render(format) << "\n";
  if (options.model) {
    std::cout << "Cycles: closed form, nothing was simulated.\n";
  } else {
    std::cout << fmt::format("Cycles: RTL {}, {} simulated now, {} from the store{}.\n",
                             source.rtl_hash.substr(0, 16), source.simulated, source.recalled,
                             source.store.empty() ? "" : " " + source.store);
  }
  std::cout << fmt::format(
      "Energy: table {}; device memory at {} {} ({}) for energy_uj, {} {} ({}) for "
      "energy_high_uj.\n",
      energy.name, energy.dram[0].number.value, energy.dram[0].number.unit, energy.dram[0].name,
      energy.dram[1].number.value, energy.dram[1].number.unit, energy.dram[1].name);
}

void measure(const Options& options, const CLI::App& command) {
  parse_output_format(options.format);
  const Network network = load_network(options.network);
  const Variant variant = load_variant(options.variant);
  const std::vector<Point> points = points_of(options, network);
  const EnergyTable energy = load_energy_table(variant.energy);
  const std::unique_ptr<Core> core = make_core(variant);
  Source source;
  const std::vector<Measurement> measured =
      measure_points(options, command, variant, *core, points, source);
  std::vector<LayerReport> reports;
  for (std::size_t i = 0; i < points.size(); ++i) {
    reports.push_back(
        report_layer(*points[i].first, points[i].second, measured[i], *core, variant, energy));
  }
  print(options, network, variant, energy, reports, source);
}

}  // namespace

void add_measure(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "measure", "Cycles, latency, utilisation, stalls, bytes and energy of a network's layers");
  command->add_option("--network", options->network, "Name in configs/networks, or a .yaml file")
      ->required();
  command->add_option("--variant", options->variant, "Name in configs/variants, or a .yaml file")
      ->required();
  command->add_option("--wbits", options->weight_bits, "Weight bits of every layer")
      ->check(CLI::Range(1, 8));
  command->add_option("--abits", options->activation_bits, "Activation bits of every layer")
      ->check(CLI::Range(1, 8));
  command->add_option("--policy", options->policy, "Bits of each layer: a policy.json");
  command
      ->add_option("--layers", options->layers,
                   "Only these: names or indices from 0, commas between")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--model", options->model, "Closed form instead of simulation");
  command->add_option("--format", options->format, "table, csv or json")->capture_default_str();
  command->add_option("--store", options->store,
                      "Measurement store; otherwise $BITTERN_STORE or the one in the cache folder");
  command->add_flag("--no-store", options->no_store, "Simulate everything, keep nothing");
  options->device.add_to(*command);
  command->footer(
      example("bittern measure --network lenet --variant bismo_edge --wbits 4 --abits 4\n"
              "bittern measure --network lenet --variant bismo_cloud --policy policy.json "
              "--layers conv1,fc2 --format json"));
  command->callback([options, command] { measure(*options, *command); });
}

}  // namespace bittern
