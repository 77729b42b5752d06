#include "agent/evaluator/fake_quant_evaluator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "agent/evaluator/layer_scores.h"
#include "agent/nn/engine.h"
#include "agent/nn/folding.h"
#include "agent/nn/input_scaling.h"
#include "agent/nn/processor.h"
#include "agent/nn/sgd.h"
#include "agent/quant/codebook.h"
#include "agent/quant/quantiser.h"
#include "agent/quant/trained_ranges.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/stop.h"
#include "host/evaluator/accuracy_cache.h"

namespace bittern {
namespace {

Accuracy accuracy_of(const Score& score) { return {score.accuracy(), score.loss()}; }

/// The same with the answers to single images.
Accuracy with_answers(const Score& score) {
  return {score.accuracy(), score.loss(), Answers(score.answers), score.top5()};
}

std::string policy_text(const Policy& policy) {
  std::string text;
  for (const BitPair& bits : policy) text += fmt::format("{}/{} ", bits.weight, bits.activation);
  return text;
}

std::string optimiser_text(const OptimiserOptions& optimiser) {
  return fmt::format("{} {} {} {} {}", static_cast<int>(optimiser.kind), optimiser.learning_rate,
                     optimiser.momentum, optimiser.weight_decay, optimiser.cosine);
}

std::string fine_tune_text(const FineTuneOptions& options) {
  if (options.epochs == 0) return "none";
  return fmt::format("{} epochs {} batches of {} {}", options.epochs, options.max_batches,
                     options.batch, optimiser_text(options.optimiser));
}

std::uint64_t seed_from(const std::string& text) {
  return std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16);
}

/// What evaluations are made of besides the policy.
std::string make_fingerprint(const Network& network, const std::string& weights_hash,
                             const std::string& data_hash, const FakeQuantOptions& options,
                             bool on_gpu) {
  Sha256 hash;
  hash.update_field("fake-quant-2");
  for (const Layer& layer : network.layers) {
    hash.update_field(layer.name).update_field(layer.key());
    hash.update_field(layer.signed_input ? "signed" : "unsigned");
  }
  hash.update_field(graph_key(network.graph));
  hash.update_field(weights_hash).update_field(data_hash);
  hash.update_field(threshold_method_name(options.weights.method));
  hash.update_field(options.weights.per_channel ? "per channel" : "per tensor");
  hash.update_field(threshold_method_name(options.activations));
  hash.update_field(std::to_string(options.calibration_images));
  if (options.weights.kind != WeightKind::kLinear) {
    hash.update_field(std::string("weights ") + weight_kind_name(options.weights.kind));
  }
  if (options.float_weights) hash.update_field("float weights");
  if (options.float_activations) hash.update_field("float activations");
  if (options.trained_ranges) hash.update_field("trained ranges");
  hash.update_field(fine_tune_text(options.fine_tune));
  // Without a fine-tune no random number is drawn.
  hash.update_field(options.fine_tune.epochs == 0 ? "" : std::to_string(options.seed));
  hash.update_field(on_gpu ? "gpu" : "cpu");
  return hash.hex();
}

}  // namespace

class FakeQuantEvaluator::Impl {
 public:
  Impl(const Network& network, const TensorFile& checkpoint, const DataSplits& data,
       const FakeQuantOptions& options)
      : Impl(network, folded(network, checkpoint, "checkpoint of " + network.name), data, options) {
  }

  Impl(const Network& network, const FoldedNetwork& folded, const DataSplits& data,
       const FakeQuantOptions& options)
      : options_(options),
        engine_(folded.network, options.threads, options.device),
        weights_(engine_.to_device(
            engine_.model().read_weights(folded.weights, "checkpoint of " + network.name))),
        train_(TensorData::from(data.train, engine_.device())),
        validation_(TensorData::from(data.validation, engine_.device())),
        test_(TensorData::from(data.test, engine_.device())),
        fingerprint_(make_fingerprint(network,
                                      content_hash(engine_.model().write_weights(weights_)),
                                      data.hash, options, engine_.device().is_cuda())),
        cache_(options.cache, processor_text(engine_.device().is_cuda())) {
    for (const Dataset* part : {&data.train, &data.validation, &data.test}) {
      check_data_fits(network, *part);
    }
    if (options.calibration_images < 1) {
      fail_usage("calibration with {} images: expected 1 or more", options.calibration_images);
    }
    if (options.float_weights && options.float_activations) {
      fail_usage("weights and activations in floating point: nothing is left to quantise");
    }
    if (options.float_activations && options.trained_ranges) {
      fail_usage("activations in floating point have no range that could be trained (PACT)");
    }
    if (data.train.size() == 0) {
      fail_usage(
          "data set {}: there are no training images to calibrate with; take some of its images "
          "(--train-images, data.train_images)",
          data.train.name);
    }
    if (data.choice.size() > 0) choice_ = TensorData::from(data.choice, engine_.device());
    calibrate();
  }

  Accuracy evaluate(const Policy& policy) {
    check(policy);
    const std::string key = key_of(policy);
    if (const std::optional<Accuracy> known = cache_.find(key)) return *known;
    return keep(policy, compute(engine_, policy));
  }

  int at_once() const { return engine_.device().is_cuda() ? 1 : engine_.threads(); }

  /// Each of the policies that are not known gets threads of its own: an evaluation of small
  /// batches has not enough in it for many threads.
  std::vector<Accuracy> evaluate_all(const std::vector<Policy>& policies) {
    std::vector<Policy> wanted;
    std::set<std::string> keys;
    for (const Policy& policy : policies) {
      check(policy);
      const std::string key = key_of(policy);
      if (!cache_.find(key) && keys.insert(key).second) wanted.push_back(policy);
    }
    const int lanes = std::min(at_once(), static_cast<int>(wanted.size()));
    if (lanes > 1) {
      for (const Policy& policy : wanted) {
        // Makes the quantisers, which the lanes only look up.
        weight_view(policy);
        input_hook(policy);
      }
      std::vector<Accuracy> found(wanted.size());
      WorkerPool(lanes).run(static_cast<int>(wanted.size()), [&](int i) {
        Engine engine(engine_.model().network(), engine_.threads() / lanes, options_.device);
        const auto at = static_cast<std::size_t>(i);
        found[at] = compute(engine, wanted[at]);
      });
      for (std::size_t i = 0; i < wanted.size(); ++i) keep(wanted[i], found[i]);
    }
    std::vector<Accuracy> accuracies;
    for (const Policy& policy : policies) accuracies.push_back(evaluate(policy));
    return accuracies;
  }

  /// None with codebooks: the scores are of linear quantisers.
  GradientScores* scores(ScoreKind kind) {
    if (codebooks()) return nullptr;
    auto found = scores_.find(kind);
    if (found == scores_.end()) {
      const auto compute = [this, kind] {
        return layer_scores(kind, engine_, weights_, calibration_images(),
                            quantisers(options_.float_weights, &Impl::weight_quantiser_of,
                                       [this](std::size_t, int bits) { check_weight_bits(bits); }),
                            quantisers(options_.float_activations, &Impl::activation_quantiser_of,
                                       [this](std::size_t layer, int bits) {
                                         activation_range(bits, layers()[layer].signed_input);
                                       }),
                            options_.seed);
      };
      found = scores_.emplace(kind, LazyScores(compute, validation_.size())).first;
    }
    return &found->second;
  }

  Accuracy baseline() {
    if (!baseline_) baseline_ = with_answers(engine_.score(weights_, {}, validation_));
    return *baseline_;
  }

  /// Summed in one order, whatever the number of threads: searches look at these numbers.
  std::vector<double> weight_deviations() const {
    std::vector<double> result;
    for (std::size_t layer = 0; layer < layers().size(); ++layer) {
      const torch::Tensor weight = weights_[slot(layer)].weight.detach().cpu().contiguous();
      const float* begin = weight.data_ptr<float>();
      const float* end = begin + weight.numel();
      const auto count = static_cast<double>(weight.numel());
      double mean = 0.0;
      for (const float* w = begin; w != end; ++w) mean += *w / count;
      double square = 0.0;
      for (const float* w = begin; w != end; ++w) square += (*w - mean) * (*w - mean) / count;
      result.push_back(std::sqrt(square));
    }
    return result;
  }

  Accuracy test_baseline() { return with_answers(engine_.score(weights_, {}, test_)); }

  std::optional<Accuracy> choice(const Policy& policy) {
    if (!choice_) return std::nullopt;
    check(policy);
    return accuracy_of(score(engine_, prepared(engine_, policy), policy, *choice_));
  }

  Accuracy test_accuracy(const Policy& policy) {
    check(policy);
    return accuracy_of(score(engine_, prepared(engine_, policy), policy, test_));
  }

  FinalNetwork finish(const Policy& policy, const FineTuneOptions& fine_tune,
                      const std::function<void(const TrainProgress&)>& on_progress) {
    check(policy);
    Tuned tuned{copy_of(weights_), {}};
    if (fine_tune.epochs > 0) tune_with_progress(tuned, policy, fine_tune, on_progress);
    FinalNetwork result;
    result.validation = with_answers(score(engine_, tuned, policy, validation_));
    if (choice_) result.choice = accuracy_of(score(engine_, tuned, policy, *choice_));
    result.test = with_answers(score(engine_, tuned, policy, test_));
    if (options_.float_weights || options_.float_activations) {
      result.test_quantised = with_answers(
          engine_.score(quantised_weights(policy)(tuned.master), quantised_inputs(policy), test_));
    }
    result.checkpoint = make_checkpoint(tuned, policy, result);
    return result;
  }

  const std::string& fingerprint() const { return fingerprint_; }
  int computed() const { return computed_; }
  std::set<std::string> processors() const {
    std::set<std::string> all = cache_.processors();
    all.insert(processor_text(engine_.device().is_cuda()));
    return all;
  }

 private:
  const std::vector<Layer>& layers() const { return engine_.model().network().layers; }
  /// Place of a layer's tensors.
  std::size_t slot(std::size_t layer) const { return engine_.model().slot_of_layer(layer); }

  /// What a fine-tune leaves behind.
  struct Tuned {
    Weights master;
    std::vector<float> thresholds;  ///< of activations, where they were trained; else empty
  };

  std::string key_of(const Policy& policy) const {
    return sha256_hex(fingerprint_ + " " + policy_text(policy));
  }

  Accuracy keep(const Policy& policy, const Accuracy& accuracy) {
    ++computed_;
    cache_.insert(key_of(policy), accuracy, policy);
    return accuracy;
  }

  Accuracy compute(Engine& engine, const Policy& policy) {
    return accuracy_of(score(engine, prepared(engine, policy), policy, validation_));
  }

  bool codebooks() const { return options_.weights.kind == WeightKind::kKmeans; }

  void check_weight_bits(int bits) const {
    weight_range(bits);
    if (options_.weights.kind == WeightKind::kWrpn && bits < 2) {
      fail_usage("weights of {} bits: WRPN's expected 2..8", bits);
    }
  }

  void check(const Policy& policy) const {
    if (policy.size() != layers().size()) {
      fail_usage("a policy of {} layers for network {}, which has {}", policy.size(),
                 engine_.model().network().name, layers().size());
    }
    for (std::size_t i = 0; i < policy.size(); ++i) {
      try {
        if (!options_.float_weights) check_weight_bits(policy[i].weight);
        if (!options_.float_activations) {
          activation_range(policy[i].activation, layers()[i].signed_input);
        }
      } catch (const Error& error) {
        fail_usage("layer {}: {}", layers()[i].name, error.what());
      }
    }
  }

  TensorData calibration_images() const {
    const std::int64_t count = std::min<std::int64_t>(options_.calibration_images, train_.size());
    return train_.slice(0, count);
  }

  /// All quantisers of an operand, made beforehand: they are asked for by several threads at once.
  /// `check` throws where there is none of a width.
  template <typename Check>
  QuantiserOf quantisers(bool is_float,
                         const LinearQuantiser& (Impl::*quantiser_of)(std::size_t, int),
                         Check check) {
    std::vector<std::vector<const LinearQuantiser*>> all(layers().size());
    for (std::size_t layer = 0; layer < all.size(); ++layer) {
      for (int bits = 0; bits < LayerScores::kWidths; ++bits) {
        all[layer].push_back(nullptr);
        if (is_float) continue;
        try {
          check(layer, bits);
        } catch (const Error&) {
          continue;
        }
        all[layer].back() = &(this->*quantiser_of)(layer, bits);
      }
    }
    return [all = std::move(all)](std::size_t layer, int bits) {
      return all[layer][static_cast<std::size_t>(bits)];
    };
  }

  /// Keeps histograms of the layers' inputs of the calibration images; thresholds are found in them
  /// when first needed.
  void calibrate() {
    samples_.resize(layers().size());
    const torch::NoGradGuard no_gradient;
    engine_.model().forward(calibration_images().images, weights_,
                            [this](std::size_t layer, const torch::Tensor& input) {
                              samples_[layer] =
                                  magnitudes_of(input.cpu(), layers()[layer].signed_input);
                              return input;
                            });
  }

  const LinearQuantiser& weight_quantiser_of(std::size_t layer, int bits) {
    const auto key = std::pair(layer, bits);
    auto found = weight_quantisers_.find(key);
    if (found == weight_quantisers_.end()) {
      const LinearQuantiser quantiser =
          weight_quantiser(weights_[slot(layer)].weight.cpu(), bits, options_.weights);
      found = weight_quantisers_.emplace(key, quantiser.to(engine_.device())).first;
    }
    return found->second;
  }

  const CodebookQuantiser& codebook_of(std::size_t layer, int bits) {
    const auto key = std::pair(layer, bits);
    auto found = codebooks_.find(key);
    if (found == codebooks_.end()) {
      const CodebookQuantiser quantiser(weights_[slot(layer)].weight.cpu(), bits);
      found = codebooks_.emplace(key, quantiser.to(engine_.device())).first;
    }
    return found->second;
  }

  const LinearQuantiser& activation_quantiser_of(std::size_t layer, int bits) {
    const auto key = std::pair(layer, bits);
    auto found = activation_quantisers_.find(key);
    if (found == activation_quantisers_.end()) {
      found = activation_quantisers_
                  .emplace(key,
                           activation_quantiser(*samples_[layer], bits,
                                                layers()[layer].signed_input, options_.activations))
                  .first;
    }
    return found->second;
  }

  /// Master weights as the network computes with them.
  WeightView weight_view(const Policy& policy) {
    if (options_.float_weights) return [](const Weights& master) { return master; };
    return quantised_weights(policy);
  }

  InputHook input_hook(const Policy& policy) {
    return options_.float_activations ? InputHook() : quantised_inputs(policy);
  }

  /// Quantises master weights; biases stay float.
  WeightView quantised_weights(const Policy& policy) {
    if (codebooks()) return weights_in_codebooks(policy);
    std::vector<const LinearQuantiser*> quantisers;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      quantisers.push_back(&weight_quantiser_of(i, policy[i].weight));
    }
    return [this, quantisers](const Weights& master) {
      Weights view = master;
      for (std::size_t i = 0; i < quantisers.size(); ++i) {
        view[slot(i)].weight = quantisers[i]->fake_quantise(master[slot(i)].weight);
      }
      return view;
    };
  }

  WeightView weights_in_codebooks(const Policy& policy) {
    std::vector<const CodebookQuantiser*> quantisers;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      quantisers.push_back(&codebook_of(i, policy[i].weight));
    }
    return [this, quantisers](const Weights& master) {
      Weights view = master;
      for (std::size_t i = 0; i < quantisers.size(); ++i) {
        view[slot(i)].weight = quantisers[i]->fake_quantise(master[slot(i)].weight);
      }
      return view;
    };
  }

  InputHook quantised_inputs(const Policy& policy) {
    std::vector<const LinearQuantiser*> quantisers;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      quantisers.push_back(&activation_quantiser_of(i, policy[i].activation));
    }
    return [quantisers](std::size_t layer, const torch::Tensor& input) {
      const bool gradient = input.requires_grad() && at::GradMode::is_enabled();
      return gradient ? quantisers[layer]->fake_quantise_with_gradient(input)
                      : quantisers[layer]->fake_quantise(input);
    };
  }

  static Weights copy_of(const Weights& weights) {
    Weights copies = weights;
    for (NodeWeights& node : copies) {
      for (torch::Tensor* tensor : {&node.weight, &node.bias, &node.mean, &node.variance}) {
        if (tensor->defined()) *tensor = tensor->clone();
      }
    }
    return copies;
  }

  void tune(Engine& engine, Tuned& tuned, const Policy& policy, const FineTuneOptions& fine_tune,
            const BatchCallback& on_batch) {
    LoopOptions loop;
    loop.optimiser = fine_tune.optimiser;
    loop.epochs = fine_tune.epochs;
    loop.max_batches = fine_tune.max_batches;
    loop.batch = fine_tune.batch;
    loop.seed = seed_from(fmt::format("fine-tune {} {}", options_.seed, policy_text(policy)));
    if (options_.trained_ranges) {
      tune_with_ranges(engine, tuned, policy, loop, on_batch);
    } else {
      train_loop(engine, tuned.master, train_, loop, weight_view(policy), input_hook(policy),
                 on_batch);
    }
  }

  /// The same with thresholds that move with the weights, at their learning rate.
  void tune_with_ranges(Engine& engine, Tuned& tuned, const Policy& policy, const LoopOptions& loop,
                        const BatchCallback& on_batch) {
    std::vector<CodeRange> codes;
    std::vector<float> thresholds;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      codes.push_back(activation_range(policy[i].activation, layers()[i].signed_input));
      const LinearQuantiser& start = activation_quantiser_of(i, policy[i].activation);
      thresholds.push_back(start.scales().front() * static_cast<float>(codes.back().high));
    }
    TrainedRanges ranges(std::move(codes), std::move(thresholds));
    const int per_epoch = batches_per_epoch(train_.size(), loop.batch);
    int total = loop.epochs * per_epoch;
    if (loop.max_batches > 0) total = std::min(total, loop.max_batches);
    train_loop(
        engine, tuned.master, train_, loop, weight_view(policy),
        [&ranges](std::size_t layer, const torch::Tensor& input) {
          return ranges.quantise(layer, input);
        },
        [&](int epoch, int batch, const Score& score) {
          const int step = epoch * per_epoch + batch;
          ranges.step(learning_rate(loop.optimiser, step, total), loop.optimiser.momentum,
                      loop.optimiser.weight_decay);
          tuned.thresholds = ranges.thresholds();
          return !on_batch || on_batch(epoch, batch, score);
        });
  }

  void tune_with_progress(Tuned& tuned, const Policy& policy, const FineTuneOptions& fine_tune,
                          const std::function<void(const TrainProgress&)>& on_progress) {
    const int per_epoch = batches_per_epoch(train_.size(), fine_tune.batch);
    Score running;
    tune(engine_, tuned, policy, fine_tune, [&](int epoch, int batch, const Score& score) {
      throw_if_stopped();
      if (batch == 0) running = Score();
      running += score;
      TrainProgress progress;
      progress.epoch = epoch;
      progress.epochs = fine_tune.epochs;
      progress.images = score.images;
      progress.loss = running.loss();
      progress.accuracy = running.accuracy();
      progress.epoch_done = batch + 1 == per_epoch;
      if (progress.epoch_done)
        progress.validation = this->score(engine_, tuned, policy, validation_);
      if (on_progress) on_progress(progress);
      return true;
    });
  }

  /// Float weights that evaluations of a policy quantise: the checkpoint's, after the short
  /// fine-tune when there is one.
  Tuned prepared(Engine& engine, const Policy& policy) {
    if (options_.fine_tune.epochs == 0) return {weights_, {}};
    Tuned tuned{copy_of(weights_), {}};
    tune(engine, tuned, policy, options_.fine_tune, {});
    return tuned;
  }

  Score score(Engine& engine, const Tuned& tuned, const Policy& policy, const TensorData& data) {
    return engine.score(weight_view(policy)(tuned.master),
                        tuned.thresholds.empty() ? input_hook(policy) : trained_hook(tuned, policy),
                        data);
  }

  /// The activations' quantiser after a fine-tune.
  LinearQuantiser trained_quantiser(const Tuned& tuned, const Policy& policy, std::size_t layer) {
    if (tuned.thresholds.empty()) return activation_quantiser_of(layer, policy[layer].activation);
    return {activation_range(policy[layer].activation, layers()[layer].signed_input),
            tuned.thresholds[layer]};
  }

  InputHook trained_hook(const Tuned& tuned, const Policy& policy) {
    std::vector<LinearQuantiser> quantisers;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      quantisers.push_back(trained_quantiser(tuned, policy, i));
    }
    return [quantisers](std::size_t layer, const torch::Tensor& input) {
      return quantisers[layer].fake_quantise(input);
    };
  }

  void store_weights(TensorFile& file, std::size_t layer, int bits, const torch::Tensor& weight) {
    const std::string& name = layers()[layer].name;
    if (codebooks()) {
      const CodebookQuantiser& quantiser = codebook_of(layer, bits);
      file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes());
      file.tensors[name + ".weight_codebook"] = store_tensor(quantiser.codebook(weight));
      return;
    }
    const LinearQuantiser& quantiser = weight_quantiser_of(layer, bits);
    file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes(weight));
    file.tensors[name + ".weight_scale"] = StoredTensor::from_floats(
        {static_cast<std::int64_t>(quantiser.scales().size())}, quantiser.scales());
  }

  TensorFile make_checkpoint(const Tuned& tuned, const Policy& policy, const FinalNetwork& result) {
    const Weights& master = tuned.master;
    TensorFile file = engine_.model().write_weights(master);
    nlohmann::json bits = nlohmann::json::object();
    for (std::size_t i = 0; i < policy.size(); ++i) {
      const std::string& name = layers()[i].name;
      const auto scales = [](const std::vector<float>& values) {
        return StoredTensor::from_floats({static_cast<std::int64_t>(values.size())}, values);
      };
      if (!options_.float_weights) {
        store_weights(file, i, policy[i].weight, master[slot(i)].weight);
        bits[name]["weight_bits"] = policy[i].weight;
      }
      if (!options_.float_activations) {
        const LinearQuantiser activation = trained_quantiser(tuned, policy, i);
        file.tensors[name + ".activation_scale"] = scales(activation.scales());
        bits[name]["activation_bits"] = policy[i].activation;
      }
    }
    file.metadata = {{"format", "bittern-quantised-1"},
                     {"network", engine_.model().network().name},
                     {"policy", bits.dump()},
                     {"input", input_text(engine_.model().network().graph)},
                     {"validation_accuracy", fmt::format("{:.4f}", result.validation.top1)},
                     {"test_accuracy", fmt::format("{:.4f}", result.test.top1)},
                     {"evaluator", fingerprint_}};
    return file;
  }

  const FakeQuantOptions options_;
  Engine engine_;
  Weights weights_;
  TensorData train_;
  TensorData validation_;
  TensorData test_;
  std::optional<TensorData> choice_;
  std::string fingerprint_;
  AccuracyCache cache_;
  std::optional<Accuracy> baseline_;
  std::vector<std::optional<Magnitudes>> samples_;
  std::map<std::pair<std::size_t, int>, LinearQuantiser> weight_quantisers_;
  std::map<std::pair<std::size_t, int>, CodebookQuantiser> codebooks_;
  std::map<std::pair<std::size_t, int>, LinearQuantiser> activation_quantisers_;
  std::map<ScoreKind, LazyScores> scores_;
  int computed_ = 0;
};

FakeQuantEvaluator::FakeQuantEvaluator(const Network& network, const TensorFile& checkpoint,
                                       const DataSplits& data, const FakeQuantOptions& options)
    : impl_(std::make_unique<Impl>(network, checkpoint, data, options)) {}

FakeQuantEvaluator::~FakeQuantEvaluator() = default;

Accuracy FakeQuantEvaluator::evaluate(const Policy& policy) { return impl_->evaluate(policy); }

int FakeQuantEvaluator::at_once() const { return impl_->at_once(); }

std::vector<Accuracy> FakeQuantEvaluator::evaluate_all(const std::vector<Policy>& policies) {
  return impl_->evaluate_all(policies);
}

Accuracy FakeQuantEvaluator::baseline() { return impl_->baseline(); }

std::string FakeQuantEvaluator::fingerprint() const { return impl_->fingerprint(); }

std::optional<Accuracy> FakeQuantEvaluator::choice(const Policy& policy) {
  return impl_->choice(policy);
}

GradientScores* FakeQuantEvaluator::scores(ScoreKind kind) { return impl_->scores(kind); }

std::vector<double> FakeQuantEvaluator::weight_deviations() { return impl_->weight_deviations(); }

Accuracy FakeQuantEvaluator::test_baseline() { return impl_->test_baseline(); }

Accuracy FakeQuantEvaluator::test_accuracy(const Policy& policy) {
  return impl_->test_accuracy(policy);
}

FinalNetwork FakeQuantEvaluator::finish(
    const Policy& policy, const FineTuneOptions& fine_tune,
    const std::function<void(const TrainProgress&)>& on_progress) {
  return impl_->finish(policy, fine_tune, on_progress);
}

int FakeQuantEvaluator::computed() const { return impl_->computed(); }

std::set<std::string> FakeQuantEvaluator::processors() const { return impl_->processors(); }

}  // namespace bittern
