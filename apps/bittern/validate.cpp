#include "host/run/validate.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/device_options.h"
#include "apps/bittern/table_options.h"
#include "host/base/json.h"
#include "host/cores/cores.h"
#include "host/run/random_jobs.h"

namespace bittern {
namespace {

struct Options {
  std::string variant;
  std::string network;
  int random = -1;
  std::uint64_t seed = 1;
  double max_cycle_error = 0.5;
  std::string trace_folder = ".";
  bool all = false;
  bool sums = false;
  TableOptions table;
  DeviceChoice device;
};

std::string bits_text(const Precision& p) {
  return fmt::format("w{}{} a{}{}", p.bits.weight, p.weight_signed ? "s" : "u", p.bits.activation,
                     p.activation_signed ? "s" : "u");
}

std::string verdict(const ValidatedLayer& layer) {
  if (layer.fault) return "fault";
  return layer.difference ? "different" : "equal";
}

Table table_of(const Validation& validation, bool all) {
  Table table;
  table.text_column("layer").text_column("shape").text_column("bits");
  table.integer_column("batch").detail();
  table.integer_column("rtl_cycles").integer_column("model_cycles").spare();
  table.real_column("cycle_error_pct", "", 4).text_column("outputs");
  table.mark("fault", Style::kBad).mark("different", Style::kBad);
  for (const ValidatedLayer& layer : validation.layers) {
    if (!all && !layer.failed() && layer.cycles == layer.predicted) continue;
    table.row({layer.job.layer.name, layer.job.layer.key(), bits_text(layer.job.precision),
               std::int64_t{layer.job.batch}, static_cast<std::int64_t>(layer.cycles),
               static_cast<std::int64_t>(layer.predicted), layer.cycle_error_percent(),
               verdict(layer)});
  }
  return table;
}

std::string failure_text(const ValidatedLayer& layer) {
  const std::string where =
      fmt::format("{} ({}, {}, batch {}, schedule {})", layer.job.layer.name, layer.job.layer.key(),
                  bits_text(layer.job.precision), layer.job.batch, layer.schedule);
  if (layer.fault) return where + ": " + *layer.fault;
  const Difference& d = *layer.difference;
  return fmt::format("{}: output {} {}: expected {}, got {}; {} outputs differ", where, d.index,
                     output_position(layer.job.layer, d.index), d.expected, d.got, d.count);
}

nlohmann::json published_json(const PublishedComparison& p) {
  nlohmann::json split = nlohmann::json::object();
  for (const auto& [heading, cycles] : p.split) split[heading] = cycles;
  return {{"layers", p.layers}, {"equal_work", p.equal_work}, {"compute", p.compute},
          {"stalls", p.stalls}, {"rtl_cycles", p.cycles},     {"rtl_array_drain", p.drain},
          {"rtl_split", split}};
}

nlohmann::json json_of(const Options& options, const Validation& v, const DeviceIdentity& identity,
                       bool passed) {
  nlohmann::json out = {{"format", "bittern-validate-1"},
                        {"variant", options.variant},
                        {"network", options.network},
                        {"random", options.random},
                        {"seed", options.seed},
                        {"requantised", v.requantised},
                        {"rtl_hash", identity.rtl_hash},
                        {"passed", passed},
                        {"layers", v.layers.size()},
                        {"different", v.failed},
                        {"cycles_exact", v.exact},
                        {"max_cycle_error_pct", v.max_cycle_error_percent},
                        {"mean_cycle_error_pct", v.mean_cycle_error_percent},
                        {"results", table_of(v, true).json()}};
  if (v.published.layers > 0) out["published"] = published_json(v.published);
  out["worst_layer"] = v.worst ? nlohmann::json(v.layers[*v.worst].job.layer.name) : nullptr;
  if (v.first_failed) {
    const ValidatedLayer& layer = v.layers[*v.first_failed];
    nlohmann::json& first = out["first_difference"];
    first = {{"layer", layer.job.layer.name},
             {"shape", layer.job.layer.key()},
             {"bits", bits_text(layer.job.precision)},
             {"schedule", layer.schedule},
             {"message", failure_text(layer)}};
    if (layer.difference) {
      first["index"] = layer.difference->index;
      first["expected"] = layer.difference->expected;
      first["got"] = layer.difference->got;
      first["count"] = layer.difference->count;
    }
    if (v.trace.path.empty()) {
      out["trace_problem"] = v.trace.problem;
    } else {
      out["trace"] = {{"path", v.trace.path},
                      {"first_cycle", v.trace.first_cycle},
                      {"last_cycle", v.trace.last_cycle}};
    }
  }
  return out;
}

std::string published_text(const Validation& v) {
  const PublishedComparison& p = v.published;
  std::string text = fmt::format(
      "published model, tilings as run: the array works for as many cycles as it says in {} of {} "
      "layers\n",
      p.equal_work, p.layers);
  if (p.first_unequal) {
    const ValidatedLayer& layer = v.layers[*p.first_unequal];
    text +=
        fmt::format("first that differs: {} ({}, {}, batch {}, schedule {}): RTL {}, model {}\n",
                    layer.job.layer.name, layer.job.layer.key(), bits_text(layer.job.precision),
                    layer.job.batch, layer.schedule, layer.work, layer.published->compute);
  }
  text += fmt::format("  it says {} cycles: run {}, stalls {}\n", p.compute + p.stalls, p.compute,
                      p.stalls);
  text += fmt::format("  the RTL takes {}:", p.cycles);
  for (const auto& [heading, cycles] : p.split) text += fmt::format(" {} {},", heading, cycles);
  text.pop_back();
  return text + fmt::format("; {} without work while the array drains\n", p.drain);
}

void print_text(const Options& options, const Validation& v, const DeviceIdentity& identity,
                const CLI::App& command) {
  const Table table = table_of(v, options.all);
  const TableView view = options.table.view(command);
  if (table.rows() > 0) std::cout << table.render(OutputFormat::kTable, view) << "\n";
  std::cout << fmt::format(
      "{}, RTL {}: {} layers, {} with outputs that differ from the reference\n", identity.variant,
      identity.rtl_hash.substr(0, 16), v.layers.size(), v.failed);
  if (v.requantised > 0) {
    std::cout << fmt::format(
        "results of {} layers requantised to 8, 4 or 2 bits, as the variant has them; --sums for "
        "32-bit sums\n",
        v.requantised);
  }
  std::cout << fmt::format(
      "closed form against RTL cycles: {} of {} exact, maximum error {:.4f} %{}, mean {:.4f} %\n",
      v.exact, v.layers.size(), v.max_cycle_error_percent,
      v.worst ? fmt::format(" ({})", v.layers[*v.worst].job.layer.name) : "",
      v.mean_cycle_error_percent);
  if (v.published.layers > 0) std::cout << published_text(v);
  if (!v.first_failed) return;
  std::cout << styled("first difference:", Style::kBad, view.colour) << " "
            << failure_text(v.layers[*v.first_failed]) << "\n";
  if (v.trace.path.empty()) {
    std::cout << "no trace: " << v.trace.problem << "\n";
  } else {
    std::cout << fmt::format("trace of cycles {} to {}: {}\n", v.trace.first_cycle,
                             v.trace.last_cycle, v.trace.path);
  }
}

void run(Options options, const CLI::App& command) {
  const OutputFormat format = options.table.format();
  options.table.check_columns(table_of({}, true));
  Variant variant = load_variant(options.variant);
  if (options.sums) variant.lowering.erase("requantise");
  if (!std::filesystem::is_directory(options.trace_folder)) {
    fail_usage("--trace-folder {}: no such folder", options.trace_folder);
  }
  if (options.random < 0) options.random = options.network.empty() ? 20 : 0;
  MeasurerOptions how = options.device.measurer(command);
  how.use_store = false;
  Measurer measurer(variant, how);
  std::vector<LayerJob> jobs;
  if (!options.network.empty()) {
    jobs = network_jobs(measurer.core(), variant, load_network(options.network));
  }
  for (LayerJob& job : random_jobs(measurer.core(), variant,
                                   static_cast<std::size_t>(options.random), options.seed)) {
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) fail_usage("nothing to validate: give --network, or --random of at least 1");

  const Validation v =
      validate(measurer.core(), measurer.pool(), jobs, options.trace_folder, how.runner);
  const bool close = v.max_cycle_error_percent <= options.max_cycle_error;
  const bool same_work = v.published.equal_work == v.published.layers;
  const bool passed = v.failed == 0 && close && same_work;
  switch (format) {
    case OutputFormat::kTable:
      print_text(options, v, measurer.identity(), command);
      break;
    case OutputFormat::kCsv:
      std::cout << options.table.render(table_of(v, true), command);
      break;
    case OutputFormat::kJson:
      std::cout << printed_json(json_of(options, v, measurer.identity(), passed)) << "\n";
      break;
  }
  if (!close) {
    std::cerr << fmt::format("bittern: the closed form is off by {:.4f} %, more than {} %\n",
                             v.max_cycle_error_percent, options.max_cycle_error);
  }
  if (!same_work) {
    std::cerr
        << "bittern: the array does not work for as many cycles as the published model says\n";
  }
  if (!passed) throw CLI::RuntimeError(static_cast<int>(ExitStatus::kFailed));
}

}  // namespace

void add_validate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "validate", "Compare the RTL with the integer reference and with the closed form");
  text_of(command->add_option("--variant", options->variant,
                              "Name in configs/variants, or a .yaml file"),
          kVariant)
      ->required();
  text_of(command->add_option(
              "--network", options->network,
              "Name in configs/networks, or a .yaml or .onnx file: its layers at several "
              "bit pairs"),
          kNetwork);
  whole_number(command->add_option("--random", options->random,
                                   "Number of random layers (20 when there is no --network)"),
               0, 100000);
  whole_number(command->add_option("--seed", options->seed, "Of the random layers"), 0, INT64_MAX)
      ->capture_default_str();
  real_number(command->add_option("--max-cycle-error", options->max_cycle_error,
                                  "Percent by which the closed form may be off"),
              0.0, 100.0)
      ->capture_default_str();
  text_of(command->add_option("--trace-folder", options->trace_folder,
                              "Where the trace of a failing layer goes"),
          kFolder)
      ->capture_default_str();
  command->add_flag("--sums", options->sums,
                    "Results as 32-bit sums, of which no bit is lost, also where the variant "
                    "requantises them");
  command->add_flag("--all", options->all, "Show every layer, not only the inexact ones");
  options->table.add_to(*command);
  options->device.add_to(*command);
  command->footer(
      "Nothing is answered from the measurement store: every layer is simulated.\n"
      "Exit status 1: an output differs, a layer faults, or the closed form is off.\n" +
      example("bittern validate --variant bismo_edge --network lenet --random 200"));
  command->callback([options, command] { run(*options, *command); });
}

}  // namespace bittern
