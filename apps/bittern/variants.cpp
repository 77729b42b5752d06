#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/table_options.h"
#include "host/base/file.h"
#include "host/cores/cores.h"
#include "host/variant/variant.h"

namespace bittern {
namespace {

struct Options {
  std::string variant;
  TableOptions table;
};

bool is_built(const Variant& variant) {
  std::error_code code;
  return std::filesystem::exists(executable_folder() / ("bittern-device-" + variant.name), code);
}

void list(const Options& options, const CLI::App& command) {
  Table table;
  table.text_column("variant")
      .text_column("core")
      .real_column("clock", "MHz", 0)
      .integer_column("batch")
      .text_column("device")
      .mark("not built", Style::kWarning)
      .text_column("description");
  for (const std::string& name : variant_names()) {
    const Variant variant = load_variant(name);
    table.row({variant.name, variant.core, variant.clock_mhz, std::int64_t{variant.batch},
               is_built(variant) ? "built" : "not built", variant.description});
  }
  std::cout << options.table.render(table, command);
}

void show(const Options& options, const CLI::App& command) {
  const Variant variant = load_variant(options.variant);
  Table table;
  table.text_column("setting").text_column("value");
  const auto row = [&table](const std::string& setting, const std::string& value) {
    table.row({setting, value});
  };
  row("name", variant.name);
  row("description", variant.description);
  row("core", variant.core);
  row("clock_mhz", fmt::format("{}", variant.clock_mhz));
  row("batch", std::to_string(variant.batch));
  for (const auto& [name, value] : variant.rtl) row("rtl." + name, std::to_string(value));
  row("memory.size_mib", std::to_string(variant.memory.size_bytes >> 20));
  row("memory.latency_cycles", std::to_string(variant.memory.latency_cycles));
  row("memory.bytes_per_cycle", std::to_string(variant.memory.bytes_per_cycle));
  row("memory.outstanding", std::to_string(variant.memory.outstanding));
  for (const auto& [name, value] : variant.lowering) row("lowering." + name, std::to_string(value));
  row("energy", variant.energy);
  row("axi_checks", variant.axi_checks ? "true" : "false");
  if (!variant.synthesis.family.empty()) {
    row("synthesis.family", variant.synthesis.family);
    row("synthesis.part", variant.synthesis.part);
    for (const auto& [name, value] : variant.synthesis.budget) {
      row("synthesis.budget." + name, std::to_string(value));
    }
  }
  row("device", is_built(variant) ? "built" : "not built");
  row("file", variant.file.string());
  std::cout << options.table.render(table, command);
}

}  // namespace

void add_variants(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("variants", "List the variants of the accelerators, or show one");
  text_of(
      command->add_option("variant", options->variant,
                          "Name in configs/variants, or a file ending in .yaml; none: list all"),
      kVariant);
  options->table.add_to(*command);
  command->footer(example("bittern variants\nbittern variants bismo_edge"));
  command->callback([options, command] {
    options->table.format();
    options->variant.empty() ? list(*options, *command) : show(*options, *command);
  });
}

}  // namespace bittern
