#include "apps/bittern/train_options.h"

#include <memory>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/data_folder.h"

namespace bittern {
namespace {

constexpr int kMostEpochs = 100000;
constexpr int kMostImages = 10000000;
constexpr double kMostLearningRate = 100.0;
constexpr int kMostThreads = 256;

}  // namespace

void add_train_command(CLI::App& app,
                       std::function<void(const TrainArguments&, const CLI::App&)> action) {
  auto arguments = std::make_shared<TrainArguments>();
  TrainArguments& a = *arguments;
  CLI::App* command =
      app.add_subcommand("train", "Train a network in full precision and store its weights");
  text_of(command->add_option("--network", a.network,
                              "Name in configs/networks, or a .yaml or .onnx file"),
          kNetwork)
      ->capture_default_str();
  one_of(command->add_option("--dataset", a.dataset, "Images to train on"), dataset_names())
      ->capture_default_str();
  text_of(command->add_option("--out", a.out,
                              "File for the weights (safetensors); -: standard output. Without it "
                              "they are not kept"),
          kFile);
  text_of(command->add_option("--data", a.data,
                              "Folder of the data set; default: $BITTERN_DATA, ./data, "
                              "../shared/data"),
          kFolder);
  whole_number(command->add_option("--epochs", a.epochs, "Passes over the training images"), 1,
               kMostEpochs)
      ->capture_default_str();
  whole_number(command->add_option("--batch", a.batch, "Images for one step"), 1, 65536)
      ->capture_default_str();
  real_number(command->add_option("--lr", a.learning_rate, "Learning rate"), 0.0, kMostLearningRate,
              true)
      ->capture_default_str();
  one_of(command->add_option("--optimiser", a.optimiser, "Rule for the steps"), {"sgd", "adam"})
      ->capture_default_str();
  whole_number(command->add_option("--seed", a.seed, "Of the first weights and the image order"), 0,
               INT64_MAX)
      ->capture_default_str();
  whole_number(command->add_option("--train-images", a.train_images, "0: all, 8000 for synthetic"),
               0, kMostImages)
      ->capture_default_str();
  whole_number(command->add_option("--validation-images", a.validation_images,
                                   "Cut from the training set; 0: 5000, 1000 for synthetic"),
               0, kMostImages)
      ->capture_default_str();
  whole_number(command->add_option("--threads", a.threads,
                                   "0: one a core; the result does not depend on it"),
               0, kMostThreads)
      ->capture_default_str();
  one_of(command->add_option("--device", a.device, "Where tensors are computed"),
         {"auto", "cpu", "cuda"})
      ->capture_default_str();
  a.table.add_to(*command);
  command->footer(
      example("bittern train --dataset synthetic --out lenet.safetensors\n"
              "bittern train --network lenet --dataset mnist --epochs 8 --out l.st"));
  command->callback([arguments, command, action = std::move(action)] {
    arguments->table.format();
    action(*arguments, *command);
  });
}

}  // namespace bittern
