#include <fmt/format.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/evaluator/integer_score.h"
#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/evaluate_options.h"
#include "apps/bittern/quantised_command.h"
#include "host/base/phase.h"
#include "host/base/processors.h"
#include "host/base/table.h"
#include "host/evaluator/answers.h"
#include "host/network/network.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

/// The accuracies of one part of the data, in floating point first; each is compared with the one
/// before it, image by image.
class Rows {
 public:
  Rows(Table& table, const char* part) : table_(table), part_(part) {}

  void add(const char* what, const Accuracy& accuracy, std::optional<double> agreement = {}) {
    const std::size_t images = accuracy.answers.images();
    std::vector<Table::Cell> row = {std::string(what),
                                    std::string(part_),
                                    static_cast<std::int64_t>(images),
                                    accuracy.top1,
                                    accuracy_standard_error(accuracy.top1, images),
                                    accuracy.top5,
                                    accuracy_standard_error(accuracy.top5, images),
                                    accuracy.loss};
    if (before_) {
      const PairedDifference difference = paired_difference(accuracy.answers, *before_);
      row.insert(row.end(), {difference.points, difference.low, difference.high});
    } else {
      row.insert(row.end(), 3, Table::Cell{});
    }
    row.push_back(agreement ? Table::Cell{*agreement} : Table::Cell{});
    table_.row(row);
    before_ = accuracy.answers;
  }

 private:
  Table& table_;
  const char* part_;
  std::optional<Answers> before_;
};

/// Columns of the answer; those of comparisons are shown where integers are compared.
Table score_table(bool integers) {
  Table table;
  table.text_column("network").text_column("part").integer_column("images");
  table.real_column("top1", "%", 2).real_column("top1_error", "points", 2);
  table.real_column("top5", "%", 2).real_column("top5_error", "points", 2);
  table.real_column("loss", "", 4);
  // To the row above, with its 95 % interval; the share of images that both answer alike.
  table.real_column("change", "points", 2);
  if (!integers) table.detail();
  table.real_column("change_low", "points", 2).detail();
  table.real_column("change_high", "points", 2).detail();
  table.real_column("agreement", "%", 2);
  if (!integers) table.detail();
  return table;
}

/// What one run of the command works with.
struct Task {
  const EvaluateArguments& arguments;
  const Network& network;
  const TensorFile& weights;
  const DataOptions& data;
  std::shared_ptr<Phases> phases;
};

DataSplits read(const Task& task) {
  const Phase phase(task.phases, "reading " + task.data.name);
  return load_data(task.data);
}

Accuracy accuracy_of(const Score& score) {
  return {score.accuracy(), score.loss(), Answers(score.answers), score.top5()};
}

/// The network as it is, without quantisers of ours: full precision, or with the quantisers that it
/// states. Needs no images to calibrate with, and the test set is what says how good it is.
void evaluate_as_it_is(const Task& task, const char* name, Table& table) {
  Dataset test;
  {
    const Phase phase(task.phases, "reading " + task.data.name);
    test = load_test_data(task.data);
  }
  const bool integers = task.arguments.evaluator == "integer";
  Phase phase(task.phases, fmt::format("testing {} on {} images", task.network.name, test.size()),
              {static_cast<std::uint64_t>(test.size()) * (integers ? 2 : 1), "images"});
  const auto advance = [&phase](int images) { phase.advance(static_cast<std::uint64_t>(images)); };
  const TensorDevice device = tensor_device_of(task.arguments.device);
  const Score score =
      score_checkpoint(task.network, task.weights, test, task.arguments.threads, device, advance);
  Rows rows(table, "test");
  rows.add(name, accuracy_of(score));
  if (!integers) return;
  const Score in_integers = stated_integer_score(task.network, task.weights, test,
                                                 task.arguments.threads, device, advance);
  rows.add("integer", accuracy_of(in_integers), agreement(score, in_integers));
}

FakeQuantOptions options_of(const EvaluateArguments& arguments) {
  FakeQuantOptions options;
  options.threads = arguments.threads;
  options.device = tensor_device_of(arguments.device);
  options.seed = arguments.seed;
  set_quantisers(arguments.quantisers, options);
  options.trained_ranges = arguments.activations == "pact";
  options.integers = arguments.evaluator == "integer";
  return options;
}

void evaluate_policy(const Task& task, Table& table) {
  const EvaluateArguments& arguments = task.arguments;
  const Policy policy = policy_of(arguments.bits, task.network);
  const DataSplits splits = read(task);
  FakeQuantEvaluator evaluator(task.network, task.weights, splits, options_of(arguments));
  FineTuneOptions tune;
  tune.epochs = arguments.finetune_epochs;
  tune.optimiser.learning_rate = arguments.finetune_rate;
  tune.optimiser.rate_name = "--finetune-rate";
  tune.optimiser.cosine = true;
  Phase phase(task.phases, "evaluating " + task.network.name,
              {static_cast<std::uint64_t>(tune.epochs) * splits.train.size(), "images"});
  const FinalNetwork found =
      evaluator.finish(policy, tune, [&phase](const TrainProgress& progress) {
        phase.advance(static_cast<std::uint64_t>(progress.images));
      });
  const auto add_part = [&](const char* part, const Accuracy& full, const Accuracy& at_bits,
                            const std::optional<Accuracy>& fake_quant,
                            const std::optional<Accuracy>& equalised, double agreement) {
    Rows rows(table, part);
    rows.add("full precision", full);
    if (equalised) rows.add("equalised", *equalised);
    if (fake_quant) rows.add("fake-quant", *fake_quant);
    fake_quant ? rows.add("integer", at_bits, agreement) : rows.add("policy", at_bits);
  };
  const bool validation = splits.validation.size() > 0;
  if (validation) {
    add_part("validation", evaluator.baseline(), found.validation, found.fake_quant_validation,
             found.equalised_validation, found.validation_agreement);
  }
  // Where there are no validation images the test images are all there is.
  if (arguments.test || !validation) {
    add_part("test", evaluator.test_baseline(), found.test, found.fake_quant_test,
             found.equalised_test, found.test_agreement);
  }
}

void evaluate(const EvaluateArguments& arguments, const CLI::App& command) {
  worker_count(arguments.threads, "--threads");
  const Network network = load_network(arguments.network);
  const bool stated = has_quantisers(network.graph);
  if (stated && arguments.bits.any()) {
    fail_usage(
        "network {} states its own quantisers: it is evaluated as it is, without --policy, "
        "--wbits and --abits",
        network.name);
  }
  if (arguments.quantisers.equalise && !arguments.bits.any()) {
    fail_usage(
        "--equalise is for weights that are quantised here: give --policy, or --wbits and "
        "--abits{}",
        stated ? ", which a network with quantisers of its own does not take" : "");
  }
  if (!stated && !arguments.bits.any() && arguments.evaluator == "integer") {
    fail_usage(
        "--evaluator integer computes at bits, and network {} states none; give --policy, or "
        "--wbits and --abits",
        network.name);
  }
  const TensorFile weights = weights_of(arguments.checkpoint, network);
  const DataOptions data = data_options(arguments.images, network);
  check_data_fits(network, data.name, outline_data(data));
  const Task task{arguments, network, weights, data, make_phases(command)};
  Table table = score_table(arguments.evaluator == "integer");
  if (arguments.bits.any()) {
    evaluate_policy(task, table);
  } else {
    evaluate_as_it_is(task, stated ? "as stated" : "full precision", table);
  }
  std::cout << arguments.table.render(table, command);
}

}  // namespace

void add_evaluate(CLI::App& app) { add_evaluate_command(app, evaluate); }

}  // namespace bittern
