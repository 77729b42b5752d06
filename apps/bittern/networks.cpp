#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/table_options.h"
#include "host/base/text.h"
#include "host/network/layer_name.h"
#include "host/network/network.h"

namespace bittern {
namespace {

struct Options {
  std::string network;
  TableOptions table;
};

void list(const Options& options, const CLI::App& command) {
  Table table;
  table.text_column("network")
      .integer_column("layers")
      .integer_column("weights")
      .integer_column("macs")
      .text_column("description");
  for (const std::string& name : network_names()) {
    const Network network = load_network(name);
    table.row({network.name, static_cast<std::int64_t>(network.layers.size()), network.weights(),
               network.macs(), network.description});
  }
  std::cout << options.table.render(table, command);
}

std::string pair_text(int a, int b) { return fmt::format("{}x{}", a, b); }

/// "3x3", or "3x3 d2x2" with its dilation.
std::string kernel_text(const Layer& layer) {
  std::string kernel = pair_text(layer.kernel_h, layer.kernel_w);
  if (!layer.dilated()) return kernel;
  return kernel + " d" + pair_text(layer.dilation_h, layer.dilation_w);
}

void show(const Options& options, const CLI::App& command) {
  const Network network = load_network(options.network);
  Table table;
  table.text_column("layer").text_column("kind").text_column("input").text_column("output");
  table.text_column("kernel").text_column("stride").text_column("pad").spare();
  table.integer_column("groups").spare().text_column("signed_input").detail();
  table.integer_column("weights").integer_column("macs");
  for (const Layer& layer : network.layers) {
    const bool window = layer.kind != LayerKind::kLinear;
    table.row({layer.name, layer_kind_name(layer.kind),
               fmt::format("{}x{}x{}", layer.in_channels, layer.in_height, layer.in_width),
               fmt::format("{}x{}x{}", layer.out_channels, layer.out_height(), layer.out_width()),
               window ? kernel_text(layer) : "-",
               window ? pair_text(layer.stride_h, layer.stride_w) : "-",
               window ? fmt::format("{},{},{},{}", layer.pad_top, layer.pad_bottom, layer.pad_left,
                                    layer.pad_right)
                      : "-",
               std::int64_t{layer.groups}, layer.signed_input ? "yes" : "no", layer.weights(),
               layer.macs()});
  }
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) names.push_back(layer.name);
  table.total(
      {sum_row_name(names), {}, {}, {}, {}, {}, {}, {}, {}, network.weights(), network.macs()});
  if (options.table.format() == OutputFormat::kTable) {
    std::cout << network.name << ": " << printable_lines(network.description) << "\n\n";
  }
  std::cout << options.table.render(table, command);
}

}  // namespace

void add_networks(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("networks", "List the networks, or show one's layers");
  text_of(command->add_option(
              "network", options->network,
              "Name in configs/networks, or a file ending in .yaml or .onnx; none: list all"),
          kNetwork);
  options->table.add_to(*command, true);
  command->footer(example("bittern networks\nbittern networks lenet --format json"));
  command->callback([options, command] {
    options->table.format();
    options->network.empty() ? list(*options, *command) : show(*options, *command);
  });
}

}  // namespace bittern
