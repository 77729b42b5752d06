#include "apps/bittern/recipe.h"

#include "host/base/data_sets.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"

namespace bittern {

void apply_recipe(const std::string& name_or_path, const CLI::App& command, TrainArguments& into) {
  const YamlMap map(
      YamlNode::load(zoo_file("recipes", name_or_path)),
      {"name", "description", "network", "dataset", "epochs", "batch", "optimiser", "learning_rate",
       "momentum", "weight_decay", "schedule", "flip", "crop", "keep", "init"});
  // The command line comes before the recipe.
  const auto open = [&](const char* key, const char* option) {
    return map.has(key) && command.get_option(option)->count() == 0;
  };
  if (open("network", "--network")) into.network = zoo_reference("networks", map.at("network"));
  if (open("dataset", "--dataset")) into.dataset = map.choice("dataset", dataset_names());
  const auto whole = [&](const char* key, const char* option, int low, int high, int& value) {
    if (open(key, option)) value = static_cast<int>(map.integer(key, low, high));
  };
  const auto real = [&](const char* key, const char* option, double high, double& value) {
    if (open(key, option)) value = map.real(key, 0.0, high);
  };
  whole("epochs", "--epochs", 1, kMostEpochs, into.epochs);
  whole("batch", "--batch", 1, kMostBatch, into.batch);
  whole("crop", "--crop", 0, kMostCrop, into.crop);
  real("learning_rate", "--lr", kMostLearningRate, into.learning_rate);
  real("momentum", "--momentum", 1.0, into.momentum);
  real("weight_decay", "--weight-decay", 1.0, into.weight_decay);
  if (open("optimiser", "--optimiser")) into.optimiser = map.choice("optimiser", {"sgd", "adam"});
  if (open("schedule", "--schedule")) {
    into.schedule = map.choice("schedule", {"cosine", "constant"});
  }
  if (open("flip", "--flip")) into.flip = map.boolean("flip");
  if (open("init", "--init")) into.init = map.choice("init", {"default", "he"});
  if (open("keep", "--keep")) into.keep = map.choice("keep", {"last", "best"});
}

}  // namespace bittern
