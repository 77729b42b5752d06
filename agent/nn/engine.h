#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/nn/model.h"
#include "agent/nn/prefix_cache.h"
#include "agent/nn/score.h"
#include "agent/nn/tensor_data.h"
#include "agent/nn/worker_pool.h"
#include "agent/torch.h"

namespace bittern {

/// Runs a model forward and backward over batches, on several threads (CPU) or on a GPU. On the CPU
/// every batch is cut into pieces of fixed size whose results are added up in order: the result
/// does not depend on the number of threads.
class Engine {
 public:
  /// Throws Error when `device` is kCuda and there is none.
  Engine(const Network& network, int threads, TensorDevice device);

  /// Counts correct answers and sums the loss over `data`; Score::answers has every image. Begins
  /// at the last cut of `prefixes` whose values are known, and leaves those of the cuts behind it
  /// in their cache. `on_images` (may be empty) is called by any thread when so many more are done.
  Score score(const Weights& weights, const Hooks& hooks, const TensorData& data,
              const SharedPrefixes& prefixes = {},
              const std::function<void(int images)>& on_images = {});

  /// Gradient of the mean cross entropy of a batch with respect to `at`, added up over the batch's
  /// pieces into `gradients` (overwritten; same shapes). Batch norms use the statistics of the
  /// whole batch, which `gradients` has as their mean and (unbiased) variance. Returns the score.
  Score gradients(const Weights& at, const Hooks& hooks, const TensorData& batch,
                  Weights& gradients);

  /// Calls `body` with each piece of `size` images (the last may be smaller) and its number, on all
  /// threads at once.
  void for_pieces(const TensorData& data, std::int64_t size,
                  const std::function<void(int index, const TensorData& piece)>& body);

  /// Threads that decode images ahead of a training: the engine's, or all processors beside a GPU.
  int decoding_threads() const;

  const Model& model() const { return model_; }
  torch::Device device() const { return device_; }
  /// That work is shared out to; 1 on a GPU.
  int threads() const { return pool_.threads(); }
  /// Copies weights to the engine's device.
  Weights to_device(const Weights& weights) const;

 private:
  Model model_;
  torch::Device device_;
  WorkerPool pool_;
};

}  // namespace bittern
