#include "apps/bittern/export_options.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/error.h"
#include "host/export/export.h"

namespace bittern {
namespace {

std::string format_help() {
  std::string text = "What is written:";
  for (const ExportFormat& format : export_formats()) {
    text += fmt::format(" {}: {};", format.name, format.text);
  }
  text.pop_back();
  return text;
}

/// What can be known before anything is read.
void check(const ExportArguments& arguments) {
  const ExportFormat& format = export_format(arguments.format);
  if (format.needs.cycles) {
    if (arguments.variant.empty()) {
      fail_usage("--format {} is a table of costs: name the hardware with --variant", format.name);
    }
    if (arguments.bits.any() || !arguments.checkpoint.empty()) {
      fail_usage(
          "--format {} has every pair of bits and no weights: leave out --policy, --wbits, "
          "--abits and --checkpoint",
          format.name);
    }
    return;
  }
  arguments.quantisers.check();
}

}  // namespace

void add_export_command(CLI::App& app,
                        std::function<void(const ExportArguments&, const CLI::App&)> action) {
  auto arguments = std::make_shared<ExportArguments>();
  ExportArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "export", "A quantised network, its costs or its vectors in files that others read");
  text_of(command->add_option("--network", a.network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->required();
  text_of(command->add_option("--checkpoint", a.checkpoint,
                              "Full-precision weights (safetensors); without: those that the "
                              "network came with"),
          kFile);
  a.bits.add_to(*command);
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) names.emplace_back(format.name);
  one_of(command->add_option("--format", a.format, format_help()), names)->required();
  text_of(command->add_option("--out", a.out,
                              "File, or folder of packed and golden; otherwise called after the "
                              "network, in the current folder"),
          kFile);
  text_of(command->add_option("--variant", a.variant,
                              "Adds cycles and energy on this hardware: name in configs/variants, "
                              "or a .yaml file"),
          kVariant);
  a.batch.add_to(*command);
  whole_number(
      command->add_option("--images", a.images, "Test images that golden vectors are made of"), 1,
      10000)
      ->capture_default_str();
  a.data.add_to(*command);
  a.quantisers.add_to(*command, {"linear", "wrpn", "dorefa"});
  a.source.add_to(*command);
  command->footer(
      example("bittern export --network net.yaml --wbits 4 --abits 4 --format qcdq --out net.onnx\n"
              "bittern export --network lenet --checkpoint lenet.safetensors --policy policy.json "
              "--format json --variant bismo_edge"));
  command->callback([arguments, command, action = std::move(action)] {
    check(*arguments);
    action(*arguments, *command);
  });
}

}  // namespace bittern
