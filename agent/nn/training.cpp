#include "agent/nn/training.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/nn/checkpoint.h"
#include "agent/nn/engine.h"
#include "agent/nn/input_scaling.h"
#include "agent/nn/processor.h"
#include "agent/nn/sgd.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/base/stop.h"
#include "host/base/stopwatch.h"
#include "host/base/version.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

/// Text of the options that decide the result.
std::string options_text(const TrainOptions& options) {
  const OptimiserOptions& optimiser = options.optimiser;
  std::string text = fmt::format("{} lr {} momentum {} decay {} {} epochs {} batch {} seed {}",
                                 optimiser.kind == OptimiserKind::kSgd ? "sgd" : "adam",
                                 optimiser.learning_rate, optimiser.momentum,
                                 optimiser.weight_decay, optimiser.cosine ? "cosine" : "constant",
                                 options.epochs, options.batch, options.seed);
  // Where they do nothing they are left out: keys of earlier trainings hold.
  if (options.augment.flip) text += " flip";
  if (options.augment.crop > 0) text += fmt::format(" crop {}", options.augment.crop);
  if (options.keep_best) text += " best";
  if (options.first_weights == FirstWeights::kHe) text += " init he";
  return text;
}

TensorFile make_checkpoint(const Model& model, const Weights& weights, const DataSplits& splits,
                           const TrainOptions& options, int epochs_done, const Score& validation) {
  TensorFile file = model.write_weights(weights);
  file.metadata = {{"format", "bittern-checkpoint-1"},
                   {"network", model.network().name},
                   {"dataset", splits.train.name},
                   {"data_hash", splits.hash},
                   {"input", input_text(model.network().graph)},
                   {"training", options_text(options)},
                   {"seed", std::to_string(options.seed)},
                   {"epochs_done", std::to_string(epochs_done)},
                   {"validation_accuracy", fmt::format("{:.4f}", validation.accuracy())},
                   {"bittern", version()},
                   {"processor", processor_text()}};
  return file;
}

// The state of a training: a file with the weights as they are (now.*), those that would be given
// (best.*), what the optimiser keeps, and the rest as metadata.

constexpr const char* kNow = "now.";
constexpr const char* kBest = "best.";

void add_with_prefix(const std::string& prefix, const TensorFile& from, TensorFile& to) {
  for (const auto& [name, tensor] : from.tensors) to.tensors[prefix + name] = tensor;
  for (const auto& [key, value] : from.metadata) to.metadata[prefix + key] = value;
}

TensorFile with_prefix(const std::string& prefix, const TensorFile& from) {
  TensorFile found;
  for (const auto& [name, tensor] : from.tensors) {
    if (name.compare(0, prefix.size(), prefix) == 0) {
      found.tensors[name.substr(prefix.size())] = tensor;
    }
  }
  for (const auto& [key, value] : from.metadata) {
    if (key.compare(0, prefix.size(), prefix) == 0) {
      found.metadata[key.substr(prefix.size())] = value;
    }
  }
  return found;
}

TensorFile state_of(const Model& model, const Weights& weights, const LoopState& loop,
                    const TrainResult& result, const std::string& key) {
  TensorFile state;
  add_with_prefix(kNow, model.write_weights(weights), state);
  add_with_prefix(kBest, result.checkpoint, state);
  StoredTensor optimiser;
  optimiser.type = TensorType::kU8;
  optimiser.shape = {static_cast<std::int64_t>(loop.optimiser.size())};
  optimiser.data.assign(loop.optimiser.begin(), loop.optimiser.end());
  state.tensors["optimiser"] = std::move(optimiser);
  const nlohmann::json numbers = {{"epochs", loop.epochs},
                                  {"order", loop.order},
                                  {"augment", loop.augment},
                                  {"epoch", result.epoch},
                                  {"images", result.validation.images},
                                  {"correct", result.validation.correct},
                                  {"correct_in_five", result.validation.correct_in_five},
                                  {"loss_sum", result.validation.loss_sum}};
  state.metadata["format"] = "bittern-training-1";
  state.metadata["key"] = key;
  state.metadata["state"] = numbers.dump();
  return state;
}

LoopState restored(Engine& engine, const TensorFile& state, Weights& weights, TrainResult& result) {
  const std::string where = "state of the training";
  weights = engine.to_device(engine.model().read_weights(with_prefix(kNow, state), where));
  result.checkpoint = with_prefix(kBest, state);
  const StoredTensor& optimiser = state.at("optimiser", where);
  const auto text = state.metadata.find("state");
  if (text == state.metadata.end()) fail("{}: has no numbers; begin anew", where);
  const nlohmann::json numbers =
      parse_json(text->second, where, JsonOptions::own_file("begin the training anew"));
  LoopState loop;
  try {
    loop.epochs = numbers.at("epochs").get<int>();
    loop.order = numbers.at("order").get<std::string>();
    loop.augment = numbers.at("augment").get<std::string>();
    result.epoch = numbers.at("epoch").get<int>();
    result.validation.images = numbers.at("images").get<std::int64_t>();
    result.validation.correct = numbers.at("correct").get<std::int64_t>();
    result.validation.correct_in_five = numbers.at("correct_in_five").get<std::int64_t>();
    result.validation.loss_sum = numbers.at("loss_sum").get<double>();
  } catch (const nlohmann::json::exception& error) {
    fail("{}: {}; begin anew", where, error.what());
  }
  loop.optimiser.assign(optimiser.data.begin(), optimiser.data.end());
  return loop;
}

}  // namespace

OptimiserKind optimiser_of(const std::string& name) {
  if (name == "sgd") return OptimiserKind::kSgd;
  if (name == "adam") return OptimiserKind::kAdam;
  fail_usage("optimiser '{}' is not known; expected sgd or adam", name);
}

void set_image_size(DataOptions& options, const Network& network) {
  options.channels = network.graph.input.channels;
  options.height = network.graph.input.height;
  options.width = network.graph.input.width;
}

void check_data_fits(const Network& network, const std::string& name, const DataOutline& data) {
  const Shape& input = network.graph.input;
  const int classes = classes_of(network.graph);
  if (input != Shape{data.channels, data.height, data.width} || classes != data.classes) {
    fail_usage("network {} takes {}x{}x{} images of {} classes, but data set {} has {}x{}x{} of {}",
               network.name, input.channels, input.height, input.width, classes, name,
               data.channels, data.height, data.width, data.classes);
  }
}

void check_data_fits(const Network& network, const Dataset& data) {
  DataOutline outline;
  outline.channels = data.channels;
  outline.height = data.height;
  outline.width = data.width;
  outline.classes = data.classes;
  check_data_fits(network, data.name, outline);
}

void check_trainable(const Network& network) {
  require_trainable(network);
  if (!has_quantisers(network.graph)) return;
  fail_usage(
      "network {} states its own quantisers: nothing is left to train or to search; bittern "
      "evaluate and bittern measure take it as it is",
      network.name);
}

TensorFile random_checkpoint(const Network& network, std::uint64_t seed) {
  const Model model(network);
  return model.write_weights(model.random_weights(Rng(seed).split(0)));
}

void check_checkpoint(const Network& network, const TensorFile& checkpoint,
                      const std::string& where) {
  Model(network).read_weights(checkpoint, where);
}

TrainResult train_network(const Network& network, const DataSplits& splits,
                          const TrainOptions& options,
                          const std::function<void(const TrainProgress&)>& on_progress) {
  const Stopwatch watch;
  if (options.epochs < 1) fail_usage("training for {} epochs: expected 1 or more", options.epochs);
  Engine engine(network, options.threads, options.device);
  check_data_fits(network, splits.train);
  const TensorData train = TensorData::from(splits.train, engine.device());
  const TensorData validation = TensorData::from(splits.validation, engine.device());
  Weights weights = engine.to_device(
      engine.model().random_weights(Rng(options.seed).split(0), options.first_weights));

  LoopOptions loop;
  loop.optimiser = options.optimiser;
  loop.epochs = options.epochs;
  loop.batch = options.batch;
  loop.seed = Rng(options.seed).split(1).next();
  loop.augment = options.augment;
  const int per_epoch = batches_per_epoch(train.size(), options.batch);
  TrainResult result;
  LoopState from;
  if (options.resume != nullptr) {
    if (options.resume->metadata.count("key") == 0 ||
        options.resume->metadata.at("key") != training_key(network, splits, options)) {
      fail_usage(
          "the training to go on with was begun with other data, another network or other options "
          "(or its state is damaged); give the same ones, or begin anew");
    }
    from = restored(engine, *options.resume, weights, result);
    loop.resume = &from;
  }
  if (options.on_state) {
    loop.on_epoch = [&](const LoopState& state) {
      options.on_state(
          state_of(engine.model(), weights, state, result, training_key(network, splits, options)));
    };
  }
  Score running;
  const auto on_batch = [&](int epoch, int batch, const Score& score) {
    throw_if_stopped();
    if (batch == 0) running = Score();
    running += score;
    TrainProgress progress;
    progress.epoch = epoch;
    progress.epochs = options.epochs;
    progress.images = score.images;
    progress.loss = running.loss();
    progress.accuracy = running.accuracy();
    if (batch + 1 == per_epoch) {
      progress.validation = engine.score(weights, {}, validation);
      if (!options.keep_best || epoch == 0 ||
          progress.validation.accuracy() > result.validation.accuracy()) {
        result.validation = progress.validation;
        result.epoch = epoch + 1;
        result.checkpoint =
            make_checkpoint(engine.model(), weights, splits, options, epoch + 1, result.validation);
      }
      progress.epoch_done = true;
      progress.checkpoint = &result.checkpoint;
    }
    if (on_progress) on_progress(progress);
    return true;
  };
  train_loop(engine, weights, train, loop, {}, {}, on_batch);
  const std::string where = "checkpoint of " + network.name;
  result.train = engine.score(
      engine.to_device(engine.model().read_weights(result.checkpoint, where)), {}, train);
  result.seconds = watch.seconds();
  return result;
}

int epochs_done(const TensorFile& state) {
  const auto text = state.metadata.find("state");
  if (text == state.metadata.end()) return 0;
  return parse_json(text->second, "state of the training").value("epochs", 0);
}

std::string training_key(const Network& network, const DataSplits& splits,
                         const TrainOptions& options) {
  Sha256 hash;
  hash.update_field("training-2").update_field(splits.hash).update_field(options_text(options));
  for (const Layer& layer : network.layers) {
    hash.update_field(layer.name).update_field(layer.key());
    // Decides whether the layer before ends in a ReLU.
    hash.update_field(layer.signed_input ? "signed" : "unsigned");
  }
  hash.update_field(graph_key(network.graph));
  return hash.hex();
}

TensorFile train_or_load(const Network& network, const DataSplits& splits,
                         const TrainOptions& options, const std::filesystem::path& folder,
                         const std::function<void(const TrainProgress&)>& on_progress) {
  const std::filesystem::path path =
      folder / fmt::format("{}-{}-{}.safetensors", network.name, splits.train.name,
                           training_key(network, splits, options).substr(0, 16));
  if (std::filesystem::exists(path)) return read_safetensors(path, ExitStatus::kFailed);
  TensorFile checkpoint = train_network(network, splits, options, on_progress).checkpoint;
  write_safetensors(path, checkpoint);
  return checkpoint;
}

Score score_checkpoint(const Network& network, const TensorFile& checkpoint, const Dataset& data,
                       int threads, TensorDevice device,
                       const std::function<void(int images)>& on_images) {
  const std::string where = "checkpoint of " + network.name;
  Engine engine(with_stated_bounds(network, checkpoint, where), threads, device);
  check_data_fits(network, data);
  const Weights weights = engine.to_device(engine.model().read_weights(checkpoint, where));
  return engine.score(weights, {}, TensorData::from(data, engine.device()), {}, on_images);
}

}  // namespace bittern
