#include "apps/bittern/train_options.h"

#include <memory>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/recipe.h"
#include "host/base/data_sets.h"
#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

constexpr int kMostImages = 10000000;
constexpr int kMostThreads = 256;

void check(const TrainArguments& a) {
  if (a.resume && (a.out.empty() || is_stream(a.out))) {
    fail_usage("--resume goes on with FILE.state beside --out FILE: give --out");
  }
}

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
  text_of(command->add_option("--recipe", a.recipe,
                              "Settings out of configs/recipes (a name) or a .yaml file; options "
                              "come before them"),
          "RECIPE");
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
  whole_number(command->add_option("--batch", a.batch, "Images for one step"), 1, kMostBatch)
      ->capture_default_str();
  real_number(command->add_option("--lr", a.learning_rate, "Learning rate"), 0.0, kMostLearningRate,
              true)
      ->capture_default_str();
  one_of(command->add_option("--optimiser", a.optimiser, "Rule for the steps"), {"sgd", "adam"})
      ->capture_default_str();
  real_number(command->add_option("--momentum", a.momentum, "Of sgd"), 0.0, 1.0)
      ->capture_default_str();
  real_number(command->add_option("--weight-decay", a.weight_decay, "Pull of weights towards 0"),
              0.0, 1.0)
      ->capture_default_str();
  one_of(command->add_option("--schedule", a.schedule, "How the learning rate goes on"),
         {"cosine", "constant"})
      ->capture_default_str();
  one_of(command->add_option("--init", a.init,
                             "First weights: as PyTorch's layers start, or He's for deep networks "
                             "without batch norm"),
         {"default", "he"})
      ->capture_default_str();
  command->add_flag("--flip", a.flip, "Mirror every other training image, drawn anew each time");
  whole_number(command->add_option("--crop", a.crop,
                                   "Cut training images anywhere out of a black border of so many "
                                   "pixels around them"),
               0, kMostCrop)
      ->capture_default_str();
  one_of(command->add_option("--keep", a.keep,
                             "Weights of the last epoch, or of the one with the best validation "
                             "accuracy"),
         {"last", "best"})
      ->capture_default_str();
  command->add_flag("--resume", a.resume,
                    "Go on with what FILE.state has beside --out FILE (or begin)");
  whole_number(command->add_option("--seed", a.seed,
                                   "Of the first weights, the image order and changes to images"),
               0, INT64_MAX)
      ->capture_default_str();
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
              "bittern train --network lenet --dataset mnist --epochs 8 --out l.st\n"
              "bittern train --recipe resnet20_cifar10 --out resnet20.safetensors --resume"));
  command->callback([arguments, command, action = std::move(action)] {
    arguments->table.format();
    if (!arguments->recipe.empty()) apply_recipe(arguments->recipe, *command, *arguments);
    check(*arguments);
    action(*arguments, *command);
  });
}

}  // namespace bittern
