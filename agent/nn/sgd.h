#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "agent/nn/engine.h"
#include "agent/nn/training.h"

namespace bittern {

/// What a training loop goes on from besides its weights.
struct LoopState {
  int epochs = 0;         ///< that are over
  std::string order;      ///< state of the generator of the image order
  std::string augment;    ///< and of that of the changes to images
  std::string optimiser;  ///< as LibTorch stores it
};

/// How a training loop goes over its data.
struct LoopOptions {
  OptimiserOptions optimiser;
  int epochs = 1;
  int max_batches = 0;  ///< ends after that many batches; 0: no limit
  int batch = 64;
  std::uint64_t seed = 0;  ///< of the order of the images
  AugmentOptions augment;
  /// Where an interrupted loop goes on; null: from the beginning. The master weights are those that
  /// it had there.
  const LoopState* resume = nullptr;
  /// Called when an epoch is over and the batch callback has gone on, with what the loop goes on
  /// from; may be empty.
  std::function<void(const LoopState&)> on_epoch = {};
};

/// The weights with which gradients are taken, for given master weights: the quantised ones. The
/// gradient is applied to the master weights unchanged (straight-through estimator without
/// clipping, so that no weight is ever stuck).
using WeightView = std::function<Weights(const Weights& master)>;

/// Called after every batch with its score, numbers from 0; returning false ends the loop.
using BatchCallback = std::function<bool(int epoch, int batch, const Score& score)>;

/// Batches that one epoch has; the last, incomplete one is dropped unless it is the only one.
/// Throws Error when `batch` is below 1.
int batches_per_epoch(std::int64_t images, int batch);

/// Learning rate of a step of so many: falling as a cosine where the options say so.
double learning_rate(const OptimiserOptions& options, int step, int total);

/// Trains `master` in place on `data`. The same arguments give the same result, whatever the number
/// of threads. Returns false when the callback ended it. Throws Error when the loss is not finite.
bool train_loop(Engine& engine, Weights& master, const TensorData& data, const LoopOptions& options,
                const WeightView& view, const Hooks& hooks, const BatchCallback& on_batch);

}  // namespace bittern
