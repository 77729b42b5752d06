#include <fmt/format.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/checkpoint.h"
#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/evaluate_options.h"
#include "host/base/phase.h"
#include "host/base/processors.h"
#include "host/base/table.h"
#include "host/evaluator/answers.h"
#include "host/network/network.h"

namespace bittern {
namespace {

void add_row(Table& table, const char* what, const char* part, const Accuracy& accuracy) {
  const std::size_t images = accuracy.answers.images();
  table.row({std::string(what), std::string(part), static_cast<std::int64_t>(images), accuracy.top1,
             accuracy_standard_error(accuracy.top1, images), accuracy.top5,
             accuracy_standard_error(accuracy.top5, images), accuracy.loss});
}

DataOptions data_of(const EvaluateArguments& arguments, const Network& network) {
  DataOptions data;
  data.name = arguments.dataset;
  data.folder = arguments.data;
  data.train_images = arguments.train_images;
  data.validation_images = arguments.validation_images;
  data.resize = arguments.resize;
  set_image_size(data, network);
  return data;
}

Table empty_table() {
  Table table;
  table.text_column("network").text_column("part").integer_column("images");
  table.real_column("top1", "%", 2).real_column("top1_error", "points", 2);
  table.real_column("top5", "%", 2).real_column("top5_error", "points", 2);
  table.real_column("loss", "", 4);
  return table;
}

/// Full precision alone, which needs no images to calibrate with: the test set is what says how
/// good a finished network is.
void evaluate_float(const EvaluateArguments& arguments, const Network& network,
                    const TensorFile& checkpoint, const DataOptions& data, Table& table,
                    const std::shared_ptr<Phases>& phases) {
  Dataset test;
  {
    const Phase phase(phases, "reading " + data.name);
    test = load_test_data(data);
  }
  Phase phase(phases, fmt::format("testing {} on {} images", network.name, test.size()),
              {static_cast<std::uint64_t>(test.size()), "images"});
  const Score score = score_checkpoint(
      network, checkpoint, test, arguments.threads, tensor_device_of(arguments.device),
      [&phase](int images) { phase.advance(static_cast<std::uint64_t>(images)); });
  add_row(table, "full precision", "test",
          {score.accuracy(), score.loss(), Answers(score.answers), score.top5()});
}

void evaluate_policy(const EvaluateArguments& arguments, const Network& network,
                     const TensorFile& checkpoint, const DataOptions& data, Table& table,
                     const std::shared_ptr<Phases>& phases) {
  const Policy policy =
      arguments.policy.empty()
          ? uniform_policy(network, {arguments.weight_bits, arguments.activation_bits})
          : load_policy(arguments.policy, network);
  DataSplits splits;
  {
    const Phase phase(phases, "reading " + data.name);
    splits = load_data(data);
  }
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
  const bool validation = splits.validation.size() > 0;
  if (validation) {
    add_row(table, "full precision", "validation", evaluator.baseline());
    add_row(table, "policy", "validation", found.validation);
  }
  // Where there are no validation images the test images are all there is.
  if (arguments.test || !validation) {
    add_row(table, "full precision", "test", evaluator.test_baseline());
    add_row(table, "policy", "test", found.test);
  }
}

void evaluate(const EvaluateArguments& arguments, const CLI::App& command) {
  worker_count(arguments.threads, "--threads");
  const auto phases = make_phases(command);
  const Network network = load_network(arguments.network);
  const TensorFile checkpoint = read_checkpoint(network, arguments.checkpoint);
  const DataOptions data = data_of(arguments, network);
  check_data_fits(network, data.name, outline_data(data));
  Table table = empty_table();
  const bool bits = !arguments.policy.empty() || arguments.weight_bits > 0;
  (bits ? evaluate_policy : evaluate_float)(arguments, network, checkpoint, data, table, phases);
  std::cout << arguments.table.render(table, command);
}

}  // namespace

void add_evaluate(CLI::App& app) { add_evaluate_command(app, evaluate); }

}  // namespace bittern
