#include <cstdint>
#include <iostream>
#include <string>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/evaluate_options.h"
#include "host/base/phase.h"
#include "host/base/processors.h"
#include "host/base/table.h"
#include "host/evaluator/answers.h"
#include "host/network/io/network_weights.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

void add_row(Table& table, const char* what, const char* part, const Accuracy& accuracy) {
  const std::size_t images = accuracy.answers.images();
  table.row({std::string(what), std::string(part), static_cast<std::int64_t>(images), accuracy.top1,
             accuracy_standard_error(accuracy.top1, images), accuracy.top5,
             accuracy_standard_error(accuracy.top5, images), accuracy.loss});
}

Table score_table() {
  Table table;
  table.text_column("network").text_column("part").integer_column("images");
  table.real_column("top1", "%", 2).real_column("top1_error", "points", 2);
  table.real_column("top5", "%", 2).real_column("top5_error", "points", 2);
  table.real_column("loss", "", 4);
  return table;
}

/// Of the file that was named, or what the network came with.
TensorFile weights_of(const EvaluateArguments& arguments, const Network& network) {
  const bool given = !arguments.checkpoint.empty();
  TensorFile checkpoint = given ? read_safetensors(arguments.checkpoint) : network_weights(network);
  check_checkpoint(network, checkpoint,
                   given ? arguments.checkpoint : "weights of " + network.name);
  return checkpoint;
}

/// A network that states its quantisers computes just these: there is nothing to choose.
void evaluate_as_stated(const EvaluateArguments& arguments, const Network& network,
                        const TensorFile& checkpoint, const DataSplits& splits,
                        const CLI::App& command) {
  Table table = score_table();
  const auto add = [&](const char* part, const Dataset& images) {
    const Score score = score_checkpoint(network, checkpoint, images, arguments.threads,
                                         tensor_device_of(arguments.device));
    add_row(table, "as stated", part,
            {score.accuracy(), score.loss(), Answers(score.answers), score.top5()});
  };
  add("validation", splits.validation);
  if (arguments.test) add("test", splits.test);
  std::cout << arguments.table.render(table, command);
}

/// Throws Error unless bits were given where they are needed, and only there.
void check_bits(const EvaluateArguments& arguments, const Network& network) {
  const bool given = !arguments.policy.empty() || arguments.weight_bits != 0;
  if (!has_quantisers(network.graph)) {
    if (!given) fail_usage("expected --policy FILE, or --wbits and --abits for every layer");
    return;
  }
  if (given || arguments.finetune_epochs > 0) {
    fail_usage(
        "network {} states its own quantisers: it is evaluated as it is, without --policy, "
        "--wbits, --abits and --finetune",
        network.name);
  }
}

void evaluate(const EvaluateArguments& arguments, const CLI::App& command) {
  worker_count(arguments.threads, "--threads");
  const auto phases = make_phases(command);
  const Network network = load_network(arguments.network);
  check_bits(arguments, network);
  const TensorFile checkpoint = weights_of(arguments, network);
  DataOptions data;
  data.name = arguments.dataset;
  data.folder = arguments.data;
  data.train_images = arguments.train_images;
  data.validation_images = arguments.validation_images;
  check_data_fits(network, data.name, outline_data(data));
  const DataSplits splits = load_data(data);
  if (has_quantisers(network.graph)) {
    return evaluate_as_stated(arguments, network, checkpoint, splits, command);
  }
  const Policy policy =
      arguments.policy.empty()
          ? uniform_policy(network, {arguments.weight_bits, arguments.activation_bits})
          : load_policy(arguments.policy, network);

  FakeQuantOptions options;
  options.threads = arguments.threads;
  options.device = tensor_device_of(arguments.device);
  options.seed = arguments.seed;
  FakeQuantEvaluator evaluator(network, checkpoint, splits, options);
  FineTuneOptions tune;
  tune.epochs = arguments.finetune_epochs;
  tune.optimiser.learning_rate = arguments.finetune_rate;
  tune.optimiser.rate_name = "--finetune-rate";
  tune.optimiser.cosine = true;
  Phase phase(phases, "evaluating " + network.name,
              {static_cast<std::uint64_t>(tune.epochs) * splits.train.size(), "images"});
  const FinalNetwork found =
      evaluator.finish(policy, tune, [&phase](const TrainProgress& progress) {
        phase.advance(static_cast<std::uint64_t>(progress.images));
      });
  Table table = score_table();
  add_row(table, "full precision", "validation", evaluator.baseline());
  add_row(table, "policy", "validation", found.validation);
  if (arguments.test) {
    add_row(table, "full precision", "test", evaluator.test_baseline());
    add_row(table, "policy", "test", found.test);
  }
  std::cout << arguments.table.render(table, command);
}

}  // namespace

void add_evaluate(CLI::App& app) { add_evaluate_command(app, evaluate); }

}  // namespace bittern
