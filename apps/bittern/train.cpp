#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "agent/data/dataset.h"
#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/train_doubts.h"
#include "apps/bittern/train_options.h"
#include "host/base/file.h"
#include "host/base/processors.h"
#include "host/base/table.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

struct Task {
  DataOptions data;
  TrainOptions train;
};

Task task_of(const TrainArguments& arguments, const Network& network) {
  Task task;
  task.data.name = arguments.dataset;
  task.data.folder = arguments.data;
  task.data.resize = arguments.resize;
  set_image_size(task.data, network);
  task.data.train_images = arguments.train_images;
  task.data.validation_images = arguments.validation_images;
  task.train.optimiser.kind = optimiser_of(arguments.optimiser);
  task.train.optimiser.learning_rate = arguments.learning_rate;
  task.train.optimiser.rate_name = "--lr";
  task.train.optimiser.momentum = arguments.momentum;
  task.train.optimiser.weight_decay = arguments.weight_decay;
  task.train.optimiser.cosine = arguments.schedule == "cosine";
  task.train.augment = {arguments.flip, arguments.crop};
  if (arguments.init == "he") task.train.first_weights = FirstWeights::kHe;
  task.train.keep_best = arguments.keep == "best";
  task.train.epochs = arguments.epochs;
  task.train.batch = arguments.batch;
  task.train.seed = arguments.seed;
  task.train.threads = arguments.threads;
  task.train.device = tensor_device_of(arguments.device);
  return task;
}

TrainResult train_with_meter(const Network& network, const DataSplits& splits,
                             const TrainOptions& options, const std::string& out,
                             const std::shared_ptr<Phases>& phases) {
  const std::int64_t images = std::int64_t{options.epochs} * splits.train.size();
  Phase phase(phases, fmt::format("training {}, {} epochs", network.name, options.epochs),
              {static_cast<std::uint64_t>(images), "images"});
  if (options.resume != nullptr) {
    const int done = epochs_done(*options.resume);
    phase.done_before(static_cast<std::uint64_t>(done) * splits.train.size());
    spdlog::info("{}: going on after epoch {}", out, done);
  }
  return train_network(network, splits, options, [&](const TrainProgress& progress) {
    phase.advance(static_cast<std::uint64_t>(progress.images));
    std::string note = fmt::format("epoch {}/{}, loss {:.3f}, {:.2f} %", progress.epoch + 1,
                                   progress.epochs, progress.loss, progress.accuracy);
    if (progress.epoch_done) {
      note += fmt::format(", validation {:.2f} %", progress.validation.accuracy());
      spdlog::info("{}", note);
      // Kept after every epoch: a training that is killed leaves its last whole epoch.
      if (!out.empty() && !is_stream(out)) write_safetensors(out, *progress.checkpoint);
    }
    phase.note(note);
  });
}

/// Where the state of a training is kept; empty where its weights go to a stream or nowhere.
fs::path state_of(const std::string& out) {
  return out.empty() || is_stream(out) ? fs::path() : fs::path(out + ".state");
}

/// The state to go on from; empty where that is not asked for or there is none.
TensorFile read_state(const TrainArguments& arguments, const fs::path& file) {
  if (!arguments.resume || !fs::exists(file)) return {};
  return read_safetensors(file, ExitStatus::kFailed);
}

void add_row(Table& table, const std::string& part, const Score& score) {
  table.row({part, score.images, score.accuracy(), score.loss()});
}

DataSplits data_of(const Task& task, const std::shared_ptr<Phases>& phases) {
  const Phase phase(phases, "reading " + task.data.name);
  return load_data(task.data);
}

Score test_score(const Network& network, const TrainResult& result, const DataSplits& splits,
                 const Task& task, const std::shared_ptr<Phases>& phases) {
  const Phase phase(phases, fmt::format("testing on {} images", splits.test.size()));
  return score_checkpoint(network, result.checkpoint, splits.test, task.train.threads,
                          task.train.device);
}

void train(const TrainArguments& arguments, const CLI::App& command) {
  if (!arguments.out.empty()) check_output_file(arguments.out);
  worker_count(arguments.threads, "--threads");
  const auto phases = make_phases(command);
  const Network network = load_network(arguments.network);
  Task task = task_of(arguments, network);
  check_trainable(network);
  check_data_fits(network, task.data.name, outline_data(task.data));
  const DataSplits splits = data_of(task, phases);
  warn_of_data(splits);
  const fs::path state_file = state_of(arguments.out);
  const TensorFile state = read_state(arguments, state_file);
  if (!state.tensors.empty()) task.train.resume = &state;
  if (!state_file.empty()) {
    task.train.on_state = [&state_file](const TensorFile& now) {
      write_safetensors(state_file, now);
    };
  }
  const TrainResult result = train_with_meter(network, splits, task.train, arguments.out, phases);
  const Score test = test_score(network, result, splits, task, phases);
  if (!arguments.out.empty() && is_stream(arguments.out))
    write_safetensors(arguments.out, result.checkpoint);
  Table table;
  table.text_column("part").integer_column("images").real_column("accuracy", "%", 2);
  table.real_column("loss", "", 4);
  add_row(table, "train", result.train);
  add_row(table, "validation", result.validation);
  add_row(table, "test", test);
  (!arguments.out.empty() && is_standard_output(arguments.out) ? std::cerr : std::cout)
      << arguments.table.render(table, command);
  const std::string where = arguments.out.empty() ? network.name : arguments.out;
  check_learnt(where, task.train, result, splits.validation);
  // The training is over: there is nothing to go on with.
  if (!state_file.empty()) fs::remove(state_file);
  std::cerr << fmt::format(
      "{}: {} on {}, {} epochs in {:.1f} s{}{}\n", where, network.name, splits.train.name,
      arguments.epochs, result.seconds,
      task.train.keep_best ? fmt::format(", the weights are those of epoch {}", result.epoch) : "",
      arguments.out.empty() ? "; its weights are not kept, for want of --out" : "");
}

}  // namespace

void add_train(CLI::App& app) { add_train_command(app, train); }

}  // namespace bittern
