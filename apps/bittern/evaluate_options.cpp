#include "apps/bittern/evaluate_options.h"

#include <memory>
#include <utility>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/data_sets.h"
#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kMostImages = 10000000;

void check(const EvaluateArguments& a) {
  const bool widths = a.weight_bits != 0 || a.activation_bits != 0;
  if ((!a.policy.empty() && widths) || (widths && (a.weight_bits == 0 || a.activation_bits == 0))) {
    fail_usage(
        "expected --policy FILE, or --wbits and --abits for every layer, or none of them for full "
        "precision alone");
  }
  if (a.policy.empty() && !widths && a.finetune_epochs > 0) {
    fail_usage("--finetune trains a quantised network; give --policy, or --wbits and --abits");
  }
  a.table.format();
}

}  // namespace

void add_evaluate_command(CLI::App& app,
                          std::function<void(const EvaluateArguments&, const CLI::App&)> action) {
  auto arguments = std::make_shared<EvaluateArguments>();
  EvaluateArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "evaluate",
      "Accuracy of a network in full precision, and at given bits by simulated quantisation");
  text_of(command->add_option("--network", a.network, "Name in configs/networks, or a .yaml file"),
          kNetwork)
      ->capture_default_str();
  text_of(command->add_option("--checkpoint", a.checkpoint,
                              "Full-precision weights (safetensors), as bittern train writes them "
                              "or under the names that the network's file states"),
          kFile)
      ->required();
  text_of(command->add_option("--policy", a.policy,
                              "Bits of every layer, as policy.json of a campaign has them"),
          kFile);
  whole_number(command->add_option("--wbits", a.weight_bits, "Weight bits of every layer"), 1, 8);
  whole_number(command->add_option("--abits", a.activation_bits, "Activation bits of every layer"),
               1, 8);
  one_of(command->add_option("--dataset", a.dataset, "Images"), dataset_names())
      ->capture_default_str();
  text_of(command->add_option("--data", a.data,
                              "Folder of the data set; default: $BITTERN_DATA, ./data, "
                              "../shared/data"),
          kFolder);
  whole_number(command->add_option("--resize", a.resize,
                                   "Of images of any size: pixels of the shorter side before the "
                                   "middle is cut out; 0: as the network's input just fits"),
               0, 65536)
      ->capture_default_str();
  whole_number(command->add_option("--train-images", a.train_images, "0: all, 8000 for synthetic"),
               0, kMostImages)
      ->capture_default_str();
  whole_number(command->add_option("--validation-images", a.validation_images,
                                   "Cut from the training set; 0: 5000, 1000 for synthetic"),
               0, kMostImages)
      ->capture_default_str();
  whole_number(command->add_option("--finetune", a.finetune_epochs,
                                   "Passes over the training images with quantised weights and "
                                   "activations, before the evaluation"),
               0, 10000)
      ->capture_default_str();
  real_number(command->add_option("--finetune-rate", a.finetune_rate, "Learning rate of those"),
              0.0, 100.0, true)
      ->capture_default_str();
  command->add_flag("--test", a.test,
                    "Score on the test set, too (without bits that is all that is done)");
  whole_number(command->add_option("--seed", a.seed, "Of the image order of the fine-tune"), 0,
               INT64_MAX)
      ->capture_default_str();
  whole_number(command->add_option("--threads", a.threads,
                                   "0: one a core; the result does not depend on it"),
               0, 256)
      ->capture_default_str();
  one_of(command->add_option("--device", a.device, "Where tensors are computed"),
         {"auto", "cpu", "cuda"})
      ->capture_default_str();
  a.table.add_to(*command);
  command->footer(
      example("bittern evaluate --checkpoint lenet.safetensors\n"
              "bittern evaluate --checkpoint lenet.safetensors --wbits 4 --abits 4\n"
              "bittern evaluate --checkpoint model.safetensors --policy policy.json --finetune 1"));
  command->callback([arguments, command, action = std::move(action)] {
    check(*arguments);
    action(*arguments, *command);
  });
}

}  // namespace bittern
