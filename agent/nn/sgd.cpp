#include "agent/nn/sgd.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <vector>

#include "agent/data/decoding_queue.h"
#include "agent/nn/augment.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

constexpr double kPi = 3.14159265358979323846;
/// Share of a batch in the running statistics of batch norm.
constexpr double kMomentum = 0.1;

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const OptimiserOptions& options,
                                                        std::vector<torch::Tensor> parameters) {
  if (options.kind == OptimiserKind::kAdam) {
    return std::make_unique<torch::optim::Adam>(
        std::move(parameters),
        torch::optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  }
  return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                             torch::optim::SGDOptions(options.learning_rate)
                                                 .momentum(options.momentum)
                                                 .weight_decay(options.weight_decay));
}

torch::Tensor shuffled(std::int64_t count, Rng& rng) {
  torch::Tensor order = torch::arange(count, torch::kInt64);
  auto* const values = order.data_ptr<std::int64_t>();
  for (std::int64_t i = count - 1; i > 0; --i) std::swap(values[i], values[rng.integer(0, i)]);
  return order;
}

std::string stored(const torch::optim::Optimizer& optimiser) {
  torch::serialize::OutputArchive archive;
  optimiser.save(archive);
  std::ostringstream text;
  archive.save_to(text);
  return text.str();
}

void restore(torch::optim::Optimizer& optimiser, const std::string& text) {
  torch::serialize::InputArchive archive;
  std::istringstream stream(text);
  archive.load_from(stream);
  optimiser.load(archive);
}

/// The batches of an epoch, in an order that is drawn when it begins. Images that are not in memory
/// are decoded ahead.
class Batches {
 public:
  Batches(Engine& engine, const TensorData& data, int batch)
      : engine_(engine), data_(data), batch_(std::min<std::int64_t>(batch, data.size())) {}

  void begin_epoch(Rng& rng) {
    order_ = shuffled(data_.size(), rng);
    queue_.reset();
    if (data_.source) {
      const auto* const values = order_.data_ptr<std::int64_t>();
      // The last, incomplete batch is dropped.
      const std::int64_t used = data_.size() / batch_ * batch_;
      queue_ =
          std::make_unique<DecodingQueue>(*data_.source, std::vector<int>(values, values + used),
                                          static_cast<int>(batch_), engine_.decoding_threads());
    }
    order_ = order_.to(engine_.device());
  }

  TensorData at(int number) {
    const torch::Tensor chosen = order_.narrow(0, std::int64_t{number} * batch_, batch_);
    return queue_ ? data_.select(chosen, queue_->next()) : data_.select(chosen);
  }

 private:
  Engine& engine_;
  const TensorData& data_;
  std::int64_t batch_;
  torch::Tensor order_;
  std::unique_ptr<DecodingQueue> queue_;
};

void check(const LoopOptions& options, const TensorData& data) {
  if (options.epochs < 0 || options.max_batches < 0) {
    fail_usage("training for {} epochs, at most {} batches: expected 0 or more of both",
               options.epochs, options.max_batches);
  }
  if (data.size() == 0) fail("no images to train on");
}

}  // namespace

int batches_per_epoch(std::int64_t images, int batch) {
  if (batch < 1) fail_usage("batches of {} images: expected 1 or more", batch);
  return static_cast<int>(std::max<std::int64_t>(1, images / batch));
}

double learning_rate(const OptimiserOptions& options, int step, int total) {
  if (!options.cosine) return options.learning_rate;
  return options.learning_rate * 0.5 * (1.0 + std::cos(kPi * step / static_cast<double>(total)));
}

bool train_loop(Engine& engine, Weights& master, const TensorData& data, const LoopOptions& options,
                const WeightView& view, const InputHook& hook, const BatchCallback& on_batch) {
  check(options, data);
  std::vector<torch::Tensor> parameters;
  for (NodeWeights& node : master) {
    for (const torch::Tensor& tensor : {node.weight, node.bias}) {
      if (tensor.defined()) parameters.push_back(tensor.detach());
    }
  }
  const std::unique_ptr<torch::optim::Optimizer> optimiser =
      make_optimiser(options.optimiser, parameters);
  const int per_epoch = batches_per_epoch(data.size(), options.batch);
  int total = options.epochs * per_epoch;
  if (options.max_batches > 0) total = std::min(total, options.max_batches);
  Rng rng(options.seed);
  // A stream of its own: the order of the images is the same with and without changes to them.
  Rng augment_rng = rng.split(1);
  int begin = 0;
  if (options.resume != nullptr) {
    rng = Rng::restore(options.resume->order);
    augment_rng = Rng::restore(options.resume->augment);
    restore(*optimiser, options.resume->optimiser);
    begin = options.resume->epochs * per_epoch;
  }
  Weights gradients(master.size());
  Batches batches(engine, data, options.batch);
  for (int step = begin; step < total; ++step) {
    const int number = step % per_epoch;
    if (number == 0) batches.begin_epoch(rng);
    TensorData batch = batches.at(number);
    batch.images = augmented(batch.images, options.augment, augment_rng);
    const Score score = engine.gradients(view ? view(master) : master, hook, batch, gradients);
    if (!std::isfinite(score.loss_sum)) {
      fail("training diverged: the loss is {} in batch {} of epoch {}; lower {} ({})",
           score.loss_sum, number + 1, step / per_epoch + 1, options.optimiser.rate_name,
           options.optimiser.learning_rate);
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < master.size(); ++i) {
      for (const torch::Tensor& tensor : {gradients[i].weight, gradients[i].bias}) {
        if (tensor.defined()) parameters[next++].mutable_grad() = tensor;
      }
      if (!master[i].mean.defined()) continue;
      // Running statistics, as PyTorch keeps them.
      master[i].mean.lerp_(gradients[i].mean, kMomentum);
      master[i].variance.lerp_(gradients[i].variance, kMomentum);
    }
    if (options.optimiser.cosine) {
      const double rate = learning_rate(options.optimiser, step, total);
      for (auto& group : optimiser->param_groups()) group.options().set_lr(rate);
    }
    optimiser->step();
    if (on_batch && !on_batch(step / per_epoch, number, score)) return false;
    if (options.on_epoch && number + 1 == per_epoch) {
      options.on_epoch({step / per_epoch + 1, rng.save(), augment_rng.save(), stored(*optimiser)});
    }
  }
  return true;
}

}  // namespace bittern
