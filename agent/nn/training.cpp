#include "agent/nn/training.h"

#include "agent/nn/engine.h"
#include "agent/nn/processor.h"
#include "agent/nn/sgd.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/stop.h"
#include "host/base/stopwatch.h"
#include "host/base/version.h"

namespace bittern {
namespace {

/// Text of the options that decide the result.
std::string options_text(const TrainOptions& options) {
  const OptimiserOptions& optimiser = options.optimiser;
  return fmt::format("{} lr {} momentum {} decay {} {} epochs {} batch {} seed {}",
                     optimiser.kind == OptimiserKind::kSgd ? "sgd" : "adam",
                     optimiser.learning_rate, optimiser.momentum, optimiser.weight_decay,
                     optimiser.cosine ? "cosine" : "constant", options.epochs, options.batch,
                     options.seed);
}

TensorFile make_checkpoint(const Model& model, const Weights& weights, const DataSplits& splits,
                           const TrainOptions& options, int epochs_done, const Score& validation) {
  TensorFile file = model.write_weights(weights);
  file.metadata = {{"format", "bittern-checkpoint-1"},
                   {"network", model.network().name},
                   {"dataset", splits.train.name},
                   {"data_hash", splits.hash},
                   {"input", "pixel / 255"},
                   {"training", options_text(options)},
                   {"seed", std::to_string(options.seed)},
                   {"epochs_done", std::to_string(epochs_done)},
                   {"validation_accuracy", fmt::format("{:.4f}", validation.accuracy())},
                   {"bittern", version()},
                   {"processor", processor_text()}};
  return file;
}

}  // namespace

OptimiserKind optimiser_of(const std::string& name) {
  if (name == "sgd") return OptimiserKind::kSgd;
  if (name == "adam") return OptimiserKind::kAdam;
  fail_usage("optimiser '{}' is not known; expected sgd or adam", name);
}

void check_data_fits(const Network& network, const std::string& name, const DataOutline& data) {
  const Shape& input = network.graph.input;
  const int classes = network.graph.shape_of(network.graph.output).channels;
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

void check_trainable(const Network& network) { require_trainable(network); }

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
  Weights weights = engine.to_device(engine.model().random_weights(Rng(options.seed).split(0)));

  LoopOptions loop;
  loop.optimiser = options.optimiser;
  loop.epochs = options.epochs;
  loop.batch = options.batch;
  loop.seed = Rng(options.seed).split(1).next();
  const int per_epoch = batches_per_epoch(train.size(), options.batch);
  TrainResult result;
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
      result.validation = engine.score(weights, {}, validation);
      result.checkpoint =
          make_checkpoint(engine.model(), weights, splits, options, epoch + 1, result.validation);
      progress.epoch_done = true;
      progress.validation = result.validation;
      progress.checkpoint = &result.checkpoint;
    }
    if (on_progress) on_progress(progress);
    return true;
  };
  train_loop(engine, weights, train, loop, {}, {}, on_batch);
  result.train = engine.score(weights, {}, train);
  result.seconds = watch.seconds();
  return result;
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
                       int threads, TensorDevice device) {
  Engine engine(network, threads, device);
  check_data_fits(network, data);
  const Weights weights =
      engine.to_device(engine.model().read_weights(checkpoint, "checkpoint of " + network.name));
  return engine.score(weights, {}, TensorData::from(data, engine.device()));
}

}  // namespace bittern
