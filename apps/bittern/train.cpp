#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "agent/data/dataset.h"
#include "agent/nn/safetensors.h"
#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/train_doubts.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/processors.h"
#include "host/base/progress.h"
#include "host/base/table.h"
#include "host/network/network.h"

namespace bittern {
namespace {

struct Arguments {
  std::string network = "lenet";
  std::filesystem::path out;
  std::string format = "table";
  std::string optimiser = "sgd";
  std::string device = "auto";
  DataOptions data;
  TrainOptions train;
};

TrainResult train_with_meter(const Network& network, const DataSplits& splits,
                             const Arguments& arguments, ProgressMode mode) {
  const std::int64_t images = std::int64_t{arguments.train.epochs} * splits.train.size();
  ProgressOptions options;
  options.mode = mode;
  Progress meter("image", static_cast<std::uint64_t>(images), options);
  return train_network(network, splits, arguments.train, [&](const TrainProgress& progress) {
    meter.advance(static_cast<std::uint64_t>(progress.images));
    std::string note = fmt::format("epoch {}/{}, loss {:.3f}, {:.2f} %", progress.epoch + 1,
                                   progress.epochs, progress.loss, progress.accuracy);
    if (progress.epoch_done) {
      note += fmt::format(", validation {:.2f} %", progress.validation.accuracy());
      // Kept after every epoch: a training that is killed leaves its last whole epoch.
      if (!is_stream(arguments.out)) write_safetensors(arguments.out, *progress.checkpoint);
    }
    meter.note(note);
  });
}

void add_row(Table& table, const std::string& part, const Score& score) {
  table.row({part, score.images, score.accuracy(), score.loss()});
}

void train(const Arguments& arguments, ProgressMode mode) {
  const OutputFormat format = parse_output_format(arguments.format);
  check_output_file(arguments.out);
  worker_count(arguments.train.threads, "--threads");
  const Network network = load_network(arguments.network);
  check_trainable(network);
  check_data_fits(network, arguments.data.name, outline_data(arguments.data));
  const DataSplits splits = load_data(arguments.data);
  warn_of_data(splits);
  const TrainResult result = train_with_meter(network, splits, arguments, mode);
  const Score test = score_checkpoint(network, result.checkpoint, splits.test,
                                      arguments.train.threads, arguments.train.device);
  if (is_stream(arguments.out)) write_safetensors(arguments.out, result.checkpoint);
  Table table;
  table.text_column("part").integer_column("images").real_column("accuracy", "%", 2);
  table.real_column("loss", "", 4);
  add_row(table, "train", result.train);
  add_row(table, "validation", result.validation);
  add_row(table, "test", test);
  (is_standard_output(arguments.out) ? std::cerr : std::cout) << table.render(format);
  check_learnt(arguments.out, arguments.train, result, splits.validation);
  std::cerr << fmt::format("{}: {} on {}, {} epochs in {:.1f} s\n", arguments.out.string(),
                           network.name, splits.train.name, arguments.train.epochs, result.seconds);
}

}  // namespace

void add_train(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("train", "Train a network in full precision and store its weights");
  command->add_option("--network", arguments->network, "Name in configs/networks, or a .yaml file")
      ->capture_default_str();
  command->add_option("--dataset", arguments->data.name, "mnist or synthetic")
      ->capture_default_str();
  command
      ->add_option("--out", arguments->out,
                   "File for the weights (safetensors); -: standard output")
      ->required();
  command->add_option("--data", arguments->data.folder,
                      "Folder of the data set; default: $BITTERN_DATA, ./data, ../shared/data");
  command->add_option("--epochs", arguments->train.epochs, "Passes over the training images")
      ->capture_default_str();
  command->add_option("--batch", arguments->train.batch, "Images for one step")
      ->capture_default_str();
  command->add_option("--lr", arguments->train.optimiser.learning_rate, "Learning rate")
      ->capture_default_str();
  command->add_option("--optimiser", arguments->optimiser, "sgd or adam")->capture_default_str();
  command->add_option("--seed", arguments->train.seed, "Of the first weights and the image order")
      ->capture_default_str();
  command->add_option("--train-images", arguments->data.train_images, "0: all, 8000 for synthetic")
      ->capture_default_str();
  command
      ->add_option("--validation-images", arguments->data.validation_images,
                   "Cut from the training set; 0: 5000 for mnist, 1000 for synthetic")
      ->capture_default_str();
  command
      ->add_option("--threads", arguments->train.threads,
                   "0: one a core; the result does not depend on it")
      ->capture_default_str();
  command->add_option("--device", arguments->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--format", arguments->format, "table, csv or json")->capture_default_str();
  command->footer(
      example("bittern train --dataset synthetic --out lenet.safetensors\n"
              "bittern train --network lenet --dataset mnist --epochs 8 --out l.st"));
  command->callback([arguments, command] {
    arguments->train.optimiser.rate_name = "--lr";
    arguments->train.optimiser.kind = optimiser_of(arguments->optimiser);
    arguments->train.device = tensor_device_of(arguments->device);
    train(*arguments, progress_mode(*command));
  });
}

}  // namespace bittern
