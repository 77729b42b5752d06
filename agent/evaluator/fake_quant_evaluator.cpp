#include "agent/evaluator/fake_quant_evaluator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "agent/evaluator/fine_tune.h"
#include "agent/evaluator/integer_score.h"
#include "agent/evaluator/layer_scores.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/evaluator/quantised_checkpoint.h"
#include "agent/nn/checkpoint.h"
#include "agent/nn/engine.h"
#include "agent/nn/folding.h"
#include "agent/nn/input_scaling.h"
#include "agent/nn/processor.h"
#include "agent/nn/sgd.h"
#include "agent/quant/quantiser.h"
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

FakeQuantOptions without_screen(FakeQuantOptions options) {
  options.screen = ScreenOptions();
  return options;
}

/// Places at which policies may turn off from one another: each takes memory for a map of all
/// images.
constexpr int kPrefixCuts = 4;

}  // namespace

class FakeQuantEvaluator::Impl {
  /// What evaluations start from.
  struct Start {
    FoldedNetwork original;  ///< what the checkpoint has, batch norms folded
    FoldedNetwork used;      ///< the same or, where options say so, equalised
    bool equalised_here = false;
  };

 public:
  Impl(const Network& network, const TensorFile& checkpoint, const DataSplits& data,
       const FakeQuantOptions& options)
      : Impl(network, checkpoint, start_of(network, checkpoint, data, options), data, options) {}

  Impl(const Network& network, const TensorFile& checkpoint, const Start& start,
       const DataSplits& data, const FakeQuantOptions& options)
      : options_(options),
        unfolded_(network.graph),
        engine_(start.used.network, options.threads, options.device),
        weights_(
            engine_.to_device(engine_.model().read_weights(start.used.weights, where(network)))),
        own_(start.equalised_here ? nullptr
                                  : stated_scales(engine_.model(), checkpoint, options.weights.kind,
                                                  where(network))),
        train_(TensorData::from(data.train, engine_.device())),
        validation_(TensorData::from(data.validation, engine_.device())),
        test_(TensorData::from(data.test, engine_.device())),
        prefixes_(options.prefix_bytes),
        fingerprint_(evaluation_fingerprint(network, weights_key(), data.hash, options,
                                            engine_.device().is_cuda())),
        whole_fingerprint_(evaluation_fingerprint(network, weights_key(), data.hash,
                                                  without_screen(options),
                                                  engine_.device().is_cuda())),
        cache_(options.cache, processor_text(engine_.device().is_cuda())),
        quantisers_(engine_, weights_, quantiser_options(options)) {
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
    if (options.integers && (options.float_weights || options.float_activations)) {
      fail_usage("integers need codes of weights and of activations: quantise both");
    }
    if (options.integers && quantisers_.codebooks()) {
      fail_usage("integers need codes: weights in codebooks (k-means) have none");
    }
    if (options.equalise) original_ = start.original;
    if (data.choice.size() > 0) choice_ = TensorData::from(data.choice, engine_.device());
    quantisers_.calibrate(calibration_images());
    tuner_.emplace(unfolded_, engine_, weights_, quantisers_, train_, re_estimation_images(), own_,
                   options);
    make_screen();
    const bool same_weights = options.fine_tune.epochs == 0 && !options.re_estimate;
    if (same_weights && options.prefix_bytes > 0) {
      // A score holds on to the values of all its cuts until it is done.
      const std::size_t most = options.prefix_bytes / kPrefixCuts;
      for (const PrefixCut& cut : prefix_cuts(engine_.model().graph(), kPrefixCuts)) {
        if (cut.bytes * static_cast<std::size_t>(validation_.size()) <= most) cuts_.push_back(cut);
      }
    }
  }

  Accuracy evaluate(const Policy& policy) {
    quantisers_.check(policy);
    if (const std::optional<Accuracy> known = cache_.find(key_of(policy))) return *known;
    return keep(policy, compute(engine_, policy));
  }

  Accuracy evaluate_whole(const Policy& policy) {
    quantisers_.check(policy);
    if (const std::optional<Accuracy> known = cache_.find(whole_key_of(policy))) return *known;
    ++computed_;
    Accuracy accuracy = accuracy_of(score(engine_, prepared(engine_, policy), policy, validation_));
    cache_.insert(whole_key_of(policy), accuracy, policy);
    return accuracy;
  }

  int at_once() const { return engine_.device().is_cuda() ? 1 : engine_.threads(); }

  /// Each of the policies that are not known gets threads of its own: an evaluation of small
  /// batches has not enough in it for many threads.
  std::vector<Accuracy> evaluate_all(const std::vector<Policy>& policies) {
    std::vector<Policy> wanted;
    std::set<std::string> keys;
    for (const Policy& policy : policies) {
      quantisers_.check(policy);
      const std::string key = key_of(policy);
      if (!cache_.find(key) && keys.insert(key).second) wanted.push_back(policy);
    }
    const int lanes = std::min(at_once(), static_cast<int>(wanted.size()));
    if (lanes > 1) {
      for (const Policy& policy : wanted) {
        // Makes the quantisers, which the lanes only look up.
        quantisers_.weight_view(policy, Adjustments());
        quantisers_.hooks(policy, Adjustments());
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
    if (quantisers_.codebooks()) return nullptr;
    auto found = scores_.find(kind);
    if (found == scores_.end()) {
      const auto compute = [this, kind] {
        return layer_scores(kind, engine_, weights_, calibration_images(),
                            quantisers_.all_weights(), quantisers_.all_activations(),
                            options_.seed);
      };
      found = scores_.emplace(kind, LazyScores(compute, validation_.size())).first;
    }
    return &found->second;
  }

  Accuracy baseline() {
    if (!baseline_) baseline_ = original_accuracy(validation_);
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

  Accuracy test_baseline() { return original_accuracy(test_); }

  std::optional<Accuracy> choice(const Policy& policy) {
    if (!choice_) return std::nullopt;
    quantisers_.check(policy);
    const std::string key = sha256_hex(
        fmt::format("{} choice {} {}", whole_fingerprint_, choice_->size(), policy_text(policy)));
    if (const std::optional<Accuracy> known = cache_.find(key)) return *known;
    ++computed_;
    const Accuracy accuracy =
        accuracy_of(score(engine_, prepared(engine_, policy), policy, *choice_));
    cache_.insert(key, accuracy, policy);
    return accuracy;
  }

  Accuracy test_accuracy(const Policy& policy) {
    quantisers_.check(policy);
    return accuracy_of(score(engine_, prepared(engine_, policy), policy, test_));
  }

  FinalNetwork finish(const Policy& policy, const FineTuneOptions& fine_tune,
                      const std::function<void(const TrainProgress&)>& on_progress) {
    quantisers_.check(policy);
    TunedNetwork tuned = tuner_->untuned(policy, fine_tune.epochs > 0);
    if (fine_tune.epochs > 0) tune_with_progress(tuned, policy, fine_tune, on_progress);
    FinalNetwork result;
    const Score validation = score(engine_, tuned, policy, validation_);
    const Score test = score(engine_, tuned, policy, test_);
    result.validation = with_answers(validation);
    if (choice_) result.choice = accuracy_of(score(engine_, tuned, policy, *choice_));
    result.test = with_answers(test);
    if (options_.equalise) {
      result.equalised_validation = with_answers(engine_.score(weights_, {}, validation_));
      result.equalised_test = with_answers(engine_.score(weights_, {}, test_));
    }
    NetworkQuantisers both = quantisers_.complete(tuned.master);
    if (options_.float_weights || options_.float_activations) {
      result.test_quantised =
          with_answers(engine_.score(both.weight_view(policy, tuned.adjustments)(tuned.master),
                                     both.hooks(policy, tuned.adjustments), test_));
    }
    if (options_.integers) {
      const Score on_validation = fake_quant_score(engine_, tuned, policy, validation_);
      const Score on_test = fake_quant_score(engine_, tuned, policy, test_);
      result.fake_quant_validation = with_answers(on_validation);
      result.fake_quant_test = with_answers(on_test);
      result.validation_agreement = agreement(on_validation, validation);
      result.test_agreement = agreement(on_test, test);
    }
    result.checkpoint =
        quantised_checkpoint(engine_.model(), unfolded_, both, tuned, policy, options_);
    result.checkpoint.metadata["validation_accuracy"] =
        fmt::format("{:.4f}", result.validation.top1);
    result.checkpoint.metadata["test_accuracy"] = fmt::format("{:.4f}", result.test.top1);
    result.checkpoint.metadata["evaluator"] = fingerprint_;
    return result;
  }

  QuantisedNetwork integers(const Policy& policy) {
    const TunedNetwork tuned = prepared(engine_, policy);
    return quantisers_.integers(tuned.master, policy, tuned.adjustments);
  }

  const std::string& fingerprint() const { return fingerprint_; }
  int computed() const { return computed_; }
  std::set<std::string> processors() const {
    std::set<std::string> all = cache_.processors();
    all.insert(processor_text(engine_.device().is_cuda()));
    return all;
  }

  bool states(const Policy& policy) const { return tuner_->owns(policy); }

 private:
  static std::string where(const Network& network) { return "checkpoint of " + network.name; }

  static Start start_of(const Network& network, const TensorFile& checkpoint,
                        const DataSplits& data, const FakeQuantOptions& options) {
    Start start;
    start.original =
        folded(with_stated_bounds(network, checkpoint, where(network)), checkpoint, where(network));
    // A file of weights that were evened out already is not evened out once more.
    start.equalised_here = options.equalise && checkpoint.metadata.count("equalised") == 0;
    start.used = start.equalised_here ? equalised(start.original, first_images(data.train, options))
                                      : start.original;
    return start;
  }

  std::string weights_key() const {
    return content_hash(engine_.model().write_weights(weights_)) + scales_key(own_.get());
  }

  const std::vector<Layer>& layers() const { return engine_.model().network().layers; }
  /// Place of a layer's tensors.
  std::size_t slot(std::size_t layer) const { return engine_.model().slot_of_layer(layer); }

  /// Of the answer to evaluate().
  std::string key_of(const Policy& policy) const {
    return sha256_hex(fingerprint_ + " " + policy_text(policy));
  }
  /// Of the accuracy on all images, which does not depend on how policies are screened.
  std::string whole_key_of(const Policy& policy) const {
    return sha256_hex(whole_fingerprint_ + " " + policy_text(policy));
  }

  Accuracy keep(const Policy& policy, const Accuracy& accuracy) {
    ++computed_;
    cache_.insert(key_of(policy), accuracy, policy);
    if (accuracy.screened_images == 0) cache_.insert(whole_key_of(policy), accuracy, policy);
    return accuracy;
  }

  Accuracy compute(Engine& engine, const Policy& policy) {
    const TunedNetwork tuned = prepared(engine, policy);
    if (!screen_) return accuracy_of(score(engine, tuned, policy, validation_));
    Score sum = score(engine, tuned, policy, screen_->first);
    if (sum.accuracy() < screen_->least) {
      Accuracy rejected = accuracy_of(sum);
      rejected.screened_images = sum.images;
      return rejected;
    }
    sum += score(engine, tuned, policy, screen_->rest);
    return accuracy_of(sum);
  }

  /// Parts of the validation images, and what policies have to reach on the first.
  struct Screen {
    TensorData first;
    TensorData rest;
    double least = 0.0;
  };

  void make_screen() {
    const std::int64_t images = options_.screen.images;
    if (images == 0) return;
    if (images < 0 || images >= validation_.size()) {
      fail_usage("evaluator: policies are screened on {} of {} validation images: expected fewer",
                 images, validation_.size());
    }
    if (!(options_.screen.points > 0) || options_.screen.points > 100) {
      fail_usage(
          "evaluator: policies are rejected {} points below full precision: expected above "
          "0, at most 100",
          options_.screen.points);
    }
    screen_ = Screen{validation_.slice(0, images),
                     validation_.slice(images, validation_.size() - images)};
    screen_->least =
        engine_.score(weights_, {}, screen_->first).accuracy() - options_.screen.points;
  }

  /// The images that searches ask about, by name; empty for others.
  std::string name_of(const TensorData& data) const {
    if (data.labels.is_same(validation_.labels)) return "all";
    if (screen_ && data.labels.is_same(screen_->first.labels)) return "first";
    if (screen_ && data.labels.is_same(screen_->rest.labels)) return "rest";
    return "";
  }

  /// What a score of a policy may take from others that begin alike.
  SharedPrefixes prefixes_of(const Policy& policy, const std::string& images) {
    SharedPrefixes shared{&prefixes_, {}};
    for (const PrefixCut& cut : cuts_) {
      const Policy before(policy.begin(), policy.begin() + static_cast<std::ptrdiff_t>(cut.layers));
      shared.cuts.emplace_back(cut.node, images + " " + policy_text(before));
    }
    return shared;
  }

  /// In full precision, of the network before it was equalised.
  Accuracy original_accuracy(const TensorData& data) {
    if (!original_) return with_answers(engine_.score(weights_, {}, data));
    Engine engine(original_->network, options_.threads, options_.device);
    const Weights weights = engine.to_device(engine.model().read_weights(
        original_->weights, "checkpoint of " + original_->network.name));
    return with_answers(engine.score(weights, {}, data));
  }

  static QuantiserOptions quantiser_options(const FakeQuantOptions& options) {
    QuantiserOptions out;
    out.weights = options.weights;
    out.activations = options.activations;
    out.float_weights = options.float_weights;
    out.float_activations = options.float_activations;
    return out;
  }

  /// The images that calibrate, before there is an engine.
  static TensorData first_images(const Dataset& train, const FakeQuantOptions& options) {
    const TensorData all = TensorData::from(train, torch::kCPU);
    return all.slice(0, std::min<std::int64_t>(options.calibration_images, all.size()));
  }

  TensorData calibration_images() const {
    const std::int64_t count = std::min<std::int64_t>(options_.calibration_images, train_.size());
    return train_.slice(0, count);
  }

  void tune_with_progress(TunedNetwork& tuned, const Policy& policy,
                          const FineTuneOptions& fine_tune,
                          const std::function<void(const TrainProgress&)>& on_progress) {
    const int per_epoch = batches_per_epoch(train_.size(), fine_tune.batch);
    Score running;
    tuner_->tune(engine_, tuned, policy, fine_tune, [&](int epoch, int batch, const Score& score) {
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
  TunedNetwork prepared(Engine& engine, const Policy& policy) {
    const bool as_it_is = options_.fine_tune.epochs == 0 && !options_.re_estimate;
    if (as_it_is && !tuner_->owns(policy)) return {weights_, {}, true};
    TunedNetwork tuned = tuner_->untuned(policy, options_.fine_tune.epochs > 0);
    if (options_.fine_tune.epochs > 0) tuner_->tune(engine, tuned, policy, options_.fine_tune, {});
    return tuned;
  }

  /// Of the calibration images, so many are enough for means and deviations.
  torch::Tensor re_estimation_images() const {
    constexpr std::int64_t kMost = 128;
    const torch::Tensor images = calibration_images().images;
    return images.narrow(0, 0, std::min(kMost, images.size(0)));
  }

  /// By the arithmetic that the options ask for.
  Score score(Engine& engine, const TunedNetwork& tuned, const Policy& policy,
              const TensorData& data) {
    if (!options_.integers) return fake_quant_score(engine, tuned, policy, data);
    return integer_score(quantisers_.integers(tuned.master, policy, tuned.adjustments), data,
                         engine);
  }

  Score fake_quant_score(Engine& engine, const TunedNetwork& tuned, const Policy& policy,
                         const TensorData& data) {
    const Weights weights = quantisers_.weight_view(policy, tuned.adjustments)(tuned.master);
    const Hooks hooks = quantisers_.hooks(policy, tuned.adjustments);
    const std::string images = name_of(data);
    if (images.empty() || cuts_.empty() || !tuned.original)
      return engine.score(weights, hooks, data);
    return engine.score(weights, hooks, data, prefixes_of(policy, images));
  }

  const FakeQuantOptions options_;
  const Graph unfolded_;  ///< of the network as it was given
  Engine engine_;
  Weights weights_;
  std::shared_ptr<const PolicyScales> own_;  ///< of the checkpoint; null: it has none
  TensorData train_;
  TensorData validation_;
  TensorData test_;
  std::optional<TensorData> choice_;
  std::optional<Screen> screen_;
  PrefixCache prefixes_;
  std::vector<PrefixCut> cuts_;            ///< none where nothing is shared
  std::optional<FoldedNetwork> original_;  ///< before it was equalised, where it was
  std::string fingerprint_;
  std::string whole_fingerprint_;
  AccuracyCache cache_;
  std::optional<Accuracy> baseline_;
  NetworkQuantisers quantisers_;
  std::optional<FineTuner> tuner_;  ///< always there when this is made
  std::map<ScoreKind, LazyScores> scores_;
  int computed_ = 0;
};

FakeQuantEvaluator::FakeQuantEvaluator(const Network& network, const TensorFile& checkpoint,
                                       const DataSplits& data, const FakeQuantOptions& options)
    : impl_(std::make_unique<Impl>(network, checkpoint, data, options)) {}

FakeQuantEvaluator::~FakeQuantEvaluator() = default;

Accuracy FakeQuantEvaluator::evaluate(const Policy& policy) { return impl_->evaluate(policy); }

Accuracy FakeQuantEvaluator::evaluate_whole(const Policy& policy) {
  return impl_->evaluate_whole(policy);
}

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

QuantisedNetwork FakeQuantEvaluator::integers(const Policy& policy) {
  return impl_->integers(policy);
}

bool FakeQuantEvaluator::states(const Policy& policy) const { return impl_->states(policy); }

int FakeQuantEvaluator::computed() const { return impl_->computed(); }

std::set<std::string> FakeQuantEvaluator::processors() const { return impl_->processors(); }

}  // namespace bittern
