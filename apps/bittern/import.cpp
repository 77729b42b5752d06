#include "host/network/io/onnx/import.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/table_options.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/network/io/network_weights.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

struct Options {
  std::string model;
  std::string out;
  std::string policy_out;
  bool ops = false;
  OnnxOptions onnx;
  TableOptions table;
};

/// What files may have, and what becomes of it.
void list_ops(const Options& options, const CLI::App& command) {
  Table table;
  table.text_column("operation").text_column("what becomes of it");
  for (const OnnxOpInfo& op : supported_onnx_ops()) {
    table.row({(op.domain.empty() ? "" : op.domain + "::") + op.name, op.text});
  }
  std::cout << options.table.render(table, command);
}

Table table_of(const Network& network) {
  const bool stated = has_quantisers(network.graph);
  const auto quantisation = layer_quantisation(network.graph);
  const std::vector<int> nodes = layer_nodes(network.graph);
  Table table;
  table.text_column("layer").text_column("kind").text_column("input").text_column("output");
  table.integer_column("weights").integer_column("macs");
  table.integer_column("wbits").integer_column("abits");
  table.text_column("where").detail();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    std::vector<Table::Cell> row = {
        layer.name,
        layer_kind_name(layer.kind),
        fmt::format("{}x{}x{}", layer.in_channels, layer.in_height, layer.in_width),
        fmt::format("{}x{}x{}", layer.out_channels, layer.out_height(), layer.out_width()),
        layer.weights(),
        layer.macs()};
    for (int side = 0; side < 2; ++side) {
      if (stated && quantisation[i]) {
        const Quantiser& q = side == 0 ? quantisation[i]->weight : quantisation[i]->input;
        row.push_back(std::int64_t{q.bits});
      } else {
        row.push_back({});
      }
    }
    row.push_back(network.graph.nodes[static_cast<std::size_t>(nodes[i])].where);
    table.row(row);
  }
  return table;
}

void import_model(const Options& options, const CLI::App& command) {
  options.table.format();
  if (options.ops) return list_ops(options, command);
  if (options.model.empty()) fail_usage("which model? bittern import MODEL.onnx --out net.yaml");
  if (std::filesystem::path(options.model).extension() != ".onnx") {
    fail_usage("{}: expected a file ending in .onnx", options.model);
  }
  if (options.onnx.mean.size() != options.onnx.deviation.size()) {
    fail_usage("--mean and --deviation: expected one number of each for every channel");
  }
  for (const std::string& out : {options.out, options.policy_out}) {
    if (!out.empty()) check_output_file(out);
  }
  Network network = import_onnx(options.model, options.onnx);
  for (const std::string& note : network.notes) spdlog::warn("{}", note);
  const Policy policy = options.policy_out.empty() ? Policy() : stated_policy(network.graph);
  if (!options.out.empty()) network = save_network(options.out, network);
  if (!options.policy_out.empty()) save_policy(options.policy_out, network, policy);
  std::cout << options.table.render(table_of(network), command);
  if (!options.out.empty()) {
    std::cerr << fmt::format(
        "{}: {} layers, {} weights, {} multiply-accumulates; its weights are "
        "in {}\n",
        options.out, network.layers.size(), network.weights(), network.macs(),
        network.weights_file.string());
  }
}

}  // namespace

void add_import(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "import", "Turn a model file (ONNX, QONNX) into a network file with its weights");
  text_of(command->add_option("model", options->model, "An .onnx file"), kFile);
  text_of(command->add_option("--out", options->out,
                              "Network file to write (.yaml); its weights go beside it, as "
                              ".safetensors. Without it the layers are shown only"),
          kFile);
  text_of(command->add_option("--policy-out", options->policy_out,
                              "Write the bits that a quantised model states as a policy (.json)"),
          kFile);
  text_of(command->add_option("--input", options->onnx.input, "Which input takes the images"),
          "NAME");
  text_of(command->add_option("--output", options->onnx.output,
                              "Which tensor is the answer; default: the first output"),
          "NAME");
  command
      ->add_option("--mean", options->onnx.mean,
                   "Normalisation that the model expects to be done already: image (0 to 1) minus "
                   "mean, one for each channel")
      ->delimiter(',');
  command->add_option("--deviation", options->onnx.deviation, "The divisors of it")->delimiter(',');
  command->add_flag("--input-signed", options->onnx.signed_input,
                    "Images have negative values (without normalisation in the model)");
  command->add_flag("--ops", options->ops, "List the operations that files may have");
  options->table.add_to(*command, true);
  command->footer(
      example("bittern import model.onnx --out net.yaml\n"
              "bittern import resnet18.onnx --out net.yaml --mean 0.485,0.456,0.406 --deviation "
              "0.229,0.224,0.225\n"
              "bittern import --ops"));
  command->callback([options, command] { import_model(*options, *command); });
}

}  // namespace bittern
