#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/safetensors.h"
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

void evaluate(const EvaluateArguments& arguments, const CLI::App& command) {
  worker_count(arguments.threads, "--threads");
  const auto phases = make_phases(command);
  const Network network = load_network(arguments.network);
  const TensorFile checkpoint = read_safetensors(arguments.checkpoint);
  check_checkpoint(network, checkpoint, arguments.checkpoint);
  const Policy policy = policy_of(arguments.bits, network);
  const DataOptions data = data_options(arguments.images);
  check_data_fits(network, data.name, outline_data(data));
  const DataSplits splits = load_data(data);

  FakeQuantOptions options;
  options.threads = arguments.threads;
  options.device = tensor_device_of(arguments.device);
  options.seed = arguments.seed;
  set_quantisers(arguments.quantisers, options);
  options.trained_ranges = arguments.activations == "pact";
  options.integers = arguments.evaluator == "integer";
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
  Table table;
  table.text_column("network").text_column("part").integer_column("images");
  table.real_column("top1", "%", 2).real_column("top1_error", "points", 2);
  table.real_column("top5", "%", 2).real_column("top5_error", "points", 2);
  table.real_column("loss", "", 4);
  // To the row above, with its 95 % interval; the share of images that both answer alike.
  table.real_column("change", "points", 2);
  if (!options.integers) table.detail();
  table.real_column("change_low", "points", 2).detail();
  table.real_column("change_high", "points", 2).detail();
  table.real_column("agreement", "%", 2);
  if (!options.integers) table.detail();
  const auto add_part = [&](const char* part, const Accuracy& full, const Accuracy& policy,
                            const std::optional<Accuracy>& fake_quant, double agreement) {
    Rows rows(table, part);
    rows.add("full precision", full);
    if (fake_quant) rows.add("fake-quant", *fake_quant);
    fake_quant ? rows.add("integer", policy, agreement) : rows.add("policy", policy);
  };
  add_part("validation", evaluator.baseline(), found.validation, found.fake_quant_validation,
           found.validation_agreement);
  if (arguments.test) {
    add_part("test", evaluator.test_baseline(), found.test, found.fake_quant_test,
             found.test_agreement);
  }
  std::cout << arguments.table.render(table, command);
}

}  // namespace

void add_evaluate(CLI::App& app) { add_evaluate_command(app, evaluate); }

}  // namespace bittern
