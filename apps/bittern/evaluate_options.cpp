#include "apps/bittern/evaluate_options.h"

#include <memory>
#include <utility>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/error.h"

namespace bittern {
namespace {

void check(const EvaluateArguments& a) {
  if (a.bits.any()) {
    a.bits.check();
  } else if (a.finetune_epochs > 0) {
    fail_usage("--finetune trains a quantised network; give --policy, or --wbits and --abits");
  }
  a.quantisers.check();
  if (a.evaluator == "integer" && a.quantisers.weights == "kmeans") {
    fail_usage(
        "--evaluator integer: weights in codebooks (--weights kmeans) have no codes that integers "
        "could multiply");
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
      "Accuracy of a network in full precision, and at given bits: simulated or in integers");
  text_of(command->add_option("--network", a.network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->capture_default_str();
  text_of(command->add_option("--checkpoint", a.checkpoint,
                              "Full-precision weights (safetensors), as bittern train writes them "
                              "or under the names that the network's file states; default: those "
                              "that the network came with"),
          kFile);
  a.bits.add_to(*command);
  a.images.add_to(*command);
  one_of(command->add_option("--evaluator", a.evaluator,
                             "fake-quant: simulated quantisation; integer: beside it in integers, "
                             "as hardware computes"),
         {"fake-quant", "integer"})
      ->capture_default_str();
  a.quantisers.add_to(*command, {"linear", "wrpn", "dorefa", "kmeans"});
  one_of(command->add_option("--activations", a.activations,
                             "pact: the fine-tune trains the thresholds of activations"),
         {"linear", "pact"})
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
              "bittern evaluate --network model.onnx --dataset mnist --wbits 4 --abits 4\n"
              "bittern evaluate --network quantised.onnx --dataset mnist --evaluator integer\n"
              "bittern evaluate --checkpoint lenet.safetensors --wbits 8 --abits 8 "
              "--evaluator integer --test\n"
              "bittern evaluate --checkpoint model.safetensors --policy policy.json --finetune 1"));
  command->callback([arguments, command, action = std::move(action)] {
    check(*arguments);
    action(*arguments, *command);
  });
}

}  // namespace bittern
