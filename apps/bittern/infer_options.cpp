#include "apps/bittern/infer_options.h"

#include <memory>
#include <utility>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"

namespace bittern {

void add_infer_command(CLI::App& app,
                       std::function<void(const InferArguments&, const CLI::App&)> action) {
  auto arguments = std::make_shared<InferArguments>();
  InferArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "infer", "Test images through a network with every layer computed by the RTL, bit for bit");
  text_of(command->add_option("--network", a.network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->capture_default_str();
  text_of(
      command->add_option("--checkpoint", a.checkpoint,
                          "Full-precision weights (safetensors); without: those that the network "
                          "came with, or random ones, whose accuracy means nothing"),
      kFile);
  a.bits.add_to(*command);
  text_of(command->add_option("--variant", a.variant, "Name in configs/variants, or a .yaml file"),
          kVariant)
      ->required();
  whole_number(command->add_option("--batch", a.batch,
                                   "Images that go through a layer at once, in place of the "
                                   "variant's batch"),
               1, 4096);
  whole_number(command->add_option("--images", a.images, "The first so many test images"), 1,
               10000000)
      ->capture_default_str();
  a.data.add_to(*command);
  a.quantisers.add_to(*command, {"linear", "wrpn", "dorefa"});
  a.device.add_to(*command);
  text_of(command->add_option("--store", a.store,
                              "Measurement store; otherwise $BITTERN_STORE or the one in the cache "
                              "folder"),
          kFile);
  command->add_flag("--no-store", a.no_store,
                    "Measure every layer with random tensors anew, keep nothing");
  text_of(command->add_option("--trace-folder", a.trace_folder,
                              "Where the trace of a first difference is written"),
          kFolder)
      ->capture_default_str();
  whole_number(command->add_option("--seed", a.seed, "Of random weights"), 0, INT64_MAX)
      ->capture_default_str();
  a.table.add_to(*command, true);
  command->footer(
      example("bittern infer --variant bismo_tiny --wbits 4 --abits 4 --images 2\n"
              "bittern infer --checkpoint lenet.safetensors --policy policy.json --variant "
              "stripes_edge --images 8 --workers 2"));
  command->callback([arguments, command, action = std::move(action)] {
    if (arguments->bits.any()) arguments->bits.check();
    arguments->quantisers.check();
    arguments->table.format();
    action(*arguments, *command);
  });
}

}  // namespace bittern
