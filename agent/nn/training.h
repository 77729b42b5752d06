#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "agent/data/dataset.h"
#include "agent/nn/first_weights.h"
#include "agent/nn/score.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// Rules for the steps of gradient descent.
enum class OptimiserKind { kSgd, kAdam };

/// The optimiser called "sgd" or "adam"; throws Error for other names.
OptimiserKind optimiser_of(const std::string& name);

/// An optimiser with its settings.
struct OptimiserOptions {
  OptimiserKind kind = OptimiserKind::kSgd;
  double learning_rate = 0.1;
  double momentum = 0.9;  ///< SGD only
  double weight_decay = 5e-4;
  bool cosine = true;  ///< learning rate falls to 0 along half a cosine; else constant
  std::string rate_name = "the learning rate";  ///< key or option that sets it, for messages
};

/// How training images are changed each time they are seen; drawn from the training's seed.
struct AugmentOptions {
  bool flip = false;  ///< every other image is mirrored, left to right
  /// Pixels of black that are put around an image before a piece of its size is cut out anywhere.
  int crop = 0;
};

/// How a network is trained in full precision.
struct TrainOptions {
  OptimiserOptions optimiser;
  int epochs = 6;
  int batch = 64;
  AugmentOptions augment;
  /// Whether the weights of the epoch with the best validation accuracy are given, the first of
  /// them where several are; else those of the last epoch.
  bool keep_best = false;
  FirstWeights first_weights = FirstWeights::kDefault;
  std::uint64_t seed = 1;  ///< of the first weights, the order of the images and their changes
  int threads = 0;         ///< 0: one for each core; results do not depend on it
  TensorDevice device = TensorDevice::kAuto;
  /// Called after every epoch with all that a training goes on from, unless it is empty.
  std::function<void(const TensorFile& state)> on_state = {};
  /// Such a state, of a training with the same data and options; null: from the beginning.
  const TensorFile* resume = nullptr;
};

/// State of a running training, for progress meters.
struct TrainProgress {
  int epoch = 0;            ///< running epoch, from 0
  int epochs = 0;           ///< in all
  std::int64_t images = 0;  ///< trained on in the batch just done
  double loss = 0.0;        ///< running mean over the epoch (nats)
  double accuracy = 0.0;    ///< running mean over the epoch, percent of the training images
  bool epoch_done = false;  ///< the epoch has just ended
  Score validation;         ///< when epoch_done
  /// When epoch_done: the weights that would be given if this were the end, with metadata.
  const TensorFile* checkpoint = nullptr;
};

/// A trained network.
struct TrainResult {
  TensorFile checkpoint;  ///< <layer>.weight and <layer>.bias, metadata
  Score train;            ///< of the whole training set, by these weights
  Score validation;
  int epoch = 0;  ///< whose weights they are, from 1
  double seconds = 0.0;
};

/// Trains a network on splits.train. `on_progress` (may be empty) is called after every batch and
/// after every epoch. The same options give the same weights, whatever the number of threads (on
/// one kind of machine), and so does a training that was interrupted and goes on. Throws Stopped
/// when a stop is requested, Error when the network cannot be trained, its shapes do not fit the
/// images, training diverges, or the state to go on from is of another training.
TrainResult train_network(const Network& network, const DataSplits& splits,
                          const TrainOptions& options,
                          const std::function<void(const TrainProgress&)>& on_progress);

/// Epochs that are over in such a state; 0 where it does not say.
int epochs_done(const TensorFile& state);

/// Content key of what train_network() would compute: network, data, options (not the threads).
std::string training_key(const Network& network, const DataSplits& splits,
                         const TrainOptions& options);

/// Weights trained with these arguments: from `folder`/<network>-<dataset>-<key>.safetensors when
/// they were trained before, else trained now and stored there. Throws as train_network() and
/// read_safetensors() do.
TensorFile train_or_load(const Network& network, const DataSplits& splits,
                         const TrainOptions& options, const std::filesystem::path& folder,
                         const std::function<void(const TrainProgress&)>& on_progress);

/// Scores full-precision weights on a data set. Throws Error when they do not fit the network.
/// `on_images` (may be empty) is called by any thread when so many more are done.
Score score_checkpoint(const Network& network, const TensorFile& checkpoint, const Dataset& data,
                       int threads, TensorDevice device,
                       const std::function<void(int images)>& on_images = {});

/// Images of any size are brought to that which the network takes.
void set_image_size(DataOptions& options, const Network& network);

/// Throws Error naming both when `data`'s images and classes are not what the network takes and
/// gives.
void check_data_fits(const Network& network, const Dataset& data);
/// The same before the images are there; `name` is that of the data set.
void check_data_fits(const Network& network, const std::string& name, const DataOutline& data);

/// Throws Error naming the layers when the network is not one that can be trained.
void check_trainable(const Network& network);

/// Weights as a training starts with, from a seed.
TensorFile random_checkpoint(const Network& network, std::uint64_t seed);

/// Throws Error naming the tensor when weights do not fit the network or are no finite numbers.
/// `where` (a path) starts the message.
void check_checkpoint(const Network& network, const TensorFile& checkpoint,
                      const std::string& where);

}  // namespace bittern
