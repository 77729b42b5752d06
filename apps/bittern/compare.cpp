#include <filesystem>
#include <iostream>
#include <memory>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/compare_tables.h"
#include "apps/bittern/layer_options.h"
#include "apps/bittern/table_options.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/cores/cores.h"
#include "host/device/device_process.h"
#include "host/report/comparison_report.h"

namespace bittern {
namespace {

struct Options {
  std::string network;
  std::vector<std::string> variants;
  std::vector<std::string> policies;
  UniformBits uniform;
  LayerArguments layers;
  BatchArgument batch;
  TableOptions table;
  std::string report;
  SourceArguments source;
};

/// "name=file" or "file". A file policy.json without a name is called like its folder: campaigns
/// write OUT/policy.json.
NamedPolicy named_policy(const std::string& word, const Network& network) {
  const std::size_t equals = word.find('=');
  const bool named = equals != std::string::npos && word.find('/') >= equals;
  const std::filesystem::path file = named ? word.substr(equals + 1) : word;
  std::string name = named ? word.substr(0, equals) : file.stem().string();
  if (!named && name == "policy" && file.has_parent_path()) {
    name = file.parent_path().filename().string();
  }
  if (name.empty() || file.empty()) {
    fail_usage("--policy {}: expected name=file or a file", word);
  }
  return {name, load_policy(file, network)};
}

std::vector<NamedPolicy> policies_of(const Options& options, const Network& network) {
  std::vector<NamedPolicy> policies;
  for (const std::string& word : options.policies) policies.push_back(named_policy(word, network));
  if (options.uniform.given() || policies.empty()) {
    const BitPair bits = options.uniform.bits();
    policies.push_back(
        {fmt::format("w{}a{}", bits.weight, bits.activation), uniform_policy(network, bits)});
  }
  return policies;
}

std::vector<ComparisonVariant> variants_of(const Options& options) {
  std::vector<ComparisonVariant> variants;
  for (const std::string& name : options.variants) {
    if (name.empty()) fail_usage("--variants: expected names with a comma between them");
    const Variant variant = options.batch.applied(load_variant(name));
    variants.push_back({variant, load_energy_table(variant.energy)});
  }
  if (variants.size() > 1 && !options.source.device.endpoints.empty()) {
    fail_usage("--device: a device is one variant, so it can be used with one of --variants only");
  }
  return variants;
}

/// Finds out before the first simulation whether the last variant could be simulated.
void check_devices(const std::vector<ComparisonVariant>& variants, const LayerSource& source) {
  if (source.model != LayerModel::kRtl || !source.measurer.endpoints.empty()) return;
  for (const ComparisonVariant& on : variants) {
    find_device_executable(on.variant.name, source.measurer.device.folder);
  }
}

void compare(const Options& options, const CLI::App& command) {
  const OutputFormat format = options.table.format();
  const bool reports = !options.report.empty();
  if (reports) check_output_file(options.report);
  const Network network = load_network(options.network);
  const std::vector<ComparisonVariant> variants = variants_of(options);
  const std::vector<NamedPolicy> policies = policies_of(options, network);
  const LayerSource source = options.source.source(command);
  check_devices(variants, source);
  if (options.table.columns_chosen()) {
    // One layer without simulation has the same columns: a slip is said before the work.
    LayerSource quick;
    quick.model = source.model == LayerModel::kRtl ? LayerModel::kClosed : source.model;
    options.table.check_columns(comparison_table(
        compare(network, {options.layers.indices(network).front()}, policies, variants, quick)));
  }
  const Comparison comparison =
      compare(network, options.layers.indices(network), policies, variants, source);
  if (reports) write_file(options.report, comparison_report_html(comparison));
  // The page has standard output for itself.
  std::ostream& out = reports && is_standard_output(options.report) ? std::cerr : std::cout;
  switch (format) {
    case OutputFormat::kTable:
      if (!options.table.columns_chosen()) {
        out << comparison_text(comparison, options.table.view(command));
        break;
      }
      [[fallthrough]];
    case OutputFormat::kCsv:
      out << options.table.render(comparison_table(comparison), command);
      break;
    case OutputFormat::kJson:
      out << printed_json(comparison_json(comparison)) << "\n";
      break;
  }
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "compare", "Policies on variants side by side: costs, transfer matrix, rooflines");
  text_of(command->add_option("--network", options->network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->required();
  text_of(command->add_option("--variants", options->variants,
                              "Names in configs/variants, or .yaml files; commas between"),
          "VARIANT,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required();
  text_of(command->add_option("--policy", options->policies,
                              "Bits of each layer: a policy.json, or name=policy.json (may be "
                              "repeated). One named like a variant was made for it: the transfer "
                              "matrix refers to it"),
          kFile)
      ->allow_extra_args(false);
  options->uniform.add_to(*command);
  options->layers.add_to(*command);
  options->batch.add_to(*command);
  options->table.add_to(*command, true);
  text_of(command->add_option("--report", options->report,
                              "Write an HTML report with charts here; -: to standard output, the "
                              "tables to stderr"),
          kFile);
  options->source.add_to(*command);
  command->footer(example(
      "bittern compare --network lenet --variants bismo_edge,bismo_cloud --wbits 4 --abits 8\n"
      "bittern compare --network lenet --variants bismo_edge,bismo_cloud "
      "--policy bismo_edge=out/edge/policy.json --policy bismo_cloud=out/cloud/policy.json "
      "--report compare.html"));
  command->callback([options, command] { compare(*options, *command); });
}

}  // namespace bittern
