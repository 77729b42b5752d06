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

#include "agent/evaluator/integer_score.h"
#include "agent/evaluator/layer_scores.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/evaluator/norm_tuning.h"
#include "agent/nn/engine.h"
#include "agent/nn/folding.h"
#include "agent/nn/input_scaling.h"
#include "agent/nn/processor.h"
#include "agent/nn/sgd.h"
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
  hash.update_field("fake-quant-3");
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
  if (options.re_estimate) hash.update_field("re-estimated, with deviations");
  if (options.integers) hash.update_field("integers");
  if (options.screen.images > 0) {
    hash.update_field(fmt::format("screened {} {}", options.screen.images, options.screen.points));
  }
  if (options.equalise) hash.update_field("equalised");
  hash.update_field(fine_tune_text(options.fine_tune));
  if (options.fine_tune.epochs > 0 && (options.weights.per_channel || options.float_weights)) {
    hash.update_field("batch norms put back");
  }
  // Without a fine-tune no random number is drawn.
  hash.update_field(options.fine_tune.epochs == 0 ? "" : std::to_string(options.seed));
  hash.update_field(on_gpu ? "gpu" : "cpu");
  return hash.hex();
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
 public:
  Impl(const Network& network, const TensorFile& checkpoint, const DataSplits& data,
       const FakeQuantOptions& options)
      : Impl(network, folded(network, checkpoint, "checkpoint of " + network.name), data, options) {
  }

  Impl(const Network& network, const FoldedNetwork& original, const DataSplits& data,
       const FakeQuantOptions& options)
      : Impl(network, original,
             options.equalise ? equalised(original, first_images(data.train, options)) : original,
             data, options) {}

  Impl(const Network& network, const FoldedNetwork& original, const FoldedNetwork& folded,
       const DataSplits& data, const FakeQuantOptions& options)
      : options_(options),
        unfolded_(network.graph),
        engine_(folded.network, options.threads, options.device),
        weights_(engine_.to_device(
            engine_.model().read_weights(folded.weights, "checkpoint of " + network.name))),
        train_(TensorData::from(data.train, engine_.device())),
        validation_(TensorData::from(data.validation, engine_.device())),
        test_(TensorData::from(data.test, engine_.device())),
        prefixes_(options.prefix_bytes),
        fingerprint_(make_fingerprint(network,
                                      content_hash(engine_.model().write_weights(weights_)),
                                      data.hash, options, engine_.device().is_cuda())),
        whole_fingerprint_(
            make_fingerprint(network, content_hash(engine_.model().write_weights(weights_)),
                             data.hash, without_screen(options), engine_.device().is_cuda())),
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
    if (options.equalise) original_ = original;
    if (data.choice.size() > 0) choice_ = TensorData::from(data.choice, engine_.device());
    quantisers_.calibrate(calibration_images());
    normed_ = layers_with_norm(unfolded_, engine_.model().network());
    if (options.re_estimate || tunes_norms()) {
      outputs_ = quantisers_.output_statistics(re_estimation_images());
    }
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
    return accuracy_of(score(engine_, prepared(engine_, policy), policy, *choice_));
  }

  Accuracy test_accuracy(const Policy& policy) {
    quantisers_.check(policy);
    return accuracy_of(score(engine_, prepared(engine_, policy), policy, test_));
  }

  FinalNetwork finish(const Policy& policy, const FineTuneOptions& fine_tune,
                      const std::function<void(const TrainProgress&)>& on_progress) {
    quantisers_.check(policy);
    Tuned tuned = untuned(policy, fine_tune.epochs > 0);
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
    if (options_.float_weights || options_.float_activations) {
      NetworkQuantisers both = quantisers_.complete();
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
    result.checkpoint = make_checkpoint(tuned, policy, result);
    return result;
  }

  QuantisedNetwork integers(const Policy& policy) {
    const Tuned tuned = prepared(engine_, policy);
    return quantisers_.integers(tuned.master, policy, tuned.adjustments);
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
    Adjustments adjustments;
    /// Nothing was trained: what one policy gave in front of a layer, another gives, too.
    bool original = false;
  };

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
    const Tuned tuned = prepared(engine, policy);
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

  static Weights copy_of(const Weights& weights) {
    Weights copies = weights;
    for (NodeWeights& node : copies) {
      for (torch::Tensor* tensor : {&node.weight, &node.bias, &node.mean, &node.variance}) {
        if (tensor->defined()) *tensor = tensor->clone();
      }
    }
    return copies;
  }

  /// Whether fine-tunes put batch norms back: what they leave as scales of channels must have a
  /// place.
  bool tunes_norms() const {
    return (quantisers_.free_scales() || options_.float_weights) &&
           std::any_of(normed_.begin(), normed_.end(), [](bool norm) { return norm; });
  }

  /// Straight-through fine-tune of `tuned` (as untuned() gave it).
  void tune(Engine& engine, Tuned& tuned, const Policy& policy, const FineTuneOptions& fine_tune,
            const BatchCallback& on_batch) {
    LoopOptions loop;
    loop.optimiser = fine_tune.optimiser;
    loop.epochs = fine_tune.epochs;
    loop.max_batches = fine_tune.max_batches;
    loop.batch = fine_tune.batch;
    loop.augment = fine_tune.augment;
    loop.seed = seed_from(fmt::format("fine-tune {} {}", options_.seed, policy_text(policy)));
    const int per_epoch = batches_per_epoch(train_.size(), loop.batch);
    int total = loop.epochs * per_epoch;
    if (loop.max_batches > 0) total = std::min(total, loop.max_batches);

    // What is trained: thresholds with it or not, batch norms with it or not.
    std::optional<TrainedRanges> ranges;
    if (options_.trained_ranges) ranges = first_ranges(policy);
    std::optional<NormTuning> norms;
    Weights with_norms;
    Adjustments start = tuned.adjustments;
    std::vector<std::vector<float>> gains = all_gains(tuned);
    if (tunes_norms()) {
      norms.emplace(engine_, normed_, engine.threads());
      with_norms = norms->begin(tuned.master, outputs_, gains);
      if (quantisers_.free_scales()) start.gains = gains;
    }
    Hooks hooks = quantisers_.hooks(policy, start);
    WeightView view = quantisers_.weight_view(policy, start);
    if (ranges) {
      hooks = Hooks([&ranges](std::size_t layer,
                              const torch::Tensor& x) { return ranges->quantise(layer, x); },
                    quantisers_.store_hook());
      view = quantisers_.weight_view(policy, start, [&ranges](std::size_t layer) {
        return ranges->quantiser(layer).scales().front();
      });
    }
    if (norms) {
      hooks = Hooks(hooks.input, norms->stored(hooks.stored));
      view = norms->view(std::move(view));
    }
    const auto keep = [&] {
      if (ranges) tuned.adjustments.thresholds = ranges->thresholds();
      if (!norms) return;
      std::vector<std::vector<float>> grown = gains;
      norms->end(with_norms, tuned.master, grown);
      if (quantisers_.free_scales()) tuned.adjustments.gains = std::move(grown);
    };
    const bool ended =
        train_loop(norms ? norms->engine() : engine, norms ? with_norms : tuned.master, train_,
                   loop, view, hooks, [&](int epoch, int batch, const Score& score) {
                     const int step = epoch * per_epoch + batch;
                     if (ranges) {
                       ranges->step(learning_rate(loop.optimiser, step, total),
                                    loop.optimiser.momentum, loop.optimiser.weight_decay);
                     }
                     if (batch + 1 == per_epoch || step + 1 == total) keep();
                     return !on_batch || on_batch(epoch, batch, score);
                   });
    if (!ended) keep();
    if (norms && options_.re_estimate) {
      quantisers_.re_estimate(re_estimation_images(), norms->outputs(with_norms), policy,
                              tuned.master, tuned.adjustments);
    }
  }

  /// Thresholds of activations as they are calibrated, to be trained.
  TrainedRanges first_ranges(const Policy& policy) {
    std::vector<CodeRange> codes;
    std::vector<float> thresholds;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      codes.push_back(activation_range(policy[i].activation, layers()[i].signed_input));
      const LinearQuantiser& start = quantisers_.activation(i, policy[i].activation);
      thresholds.push_back(start.scales().front() * static_cast<float>(codes.back().high));
    }
    return {std::move(codes), std::move(thresholds)};
  }

  /// Adjustments::gains, written out.
  std::vector<std::vector<float>> all_gains(const Tuned& tuned) const {
    if (!tuned.adjustments.gains.empty()) return tuned.adjustments.gains;
    std::vector<std::vector<float>> gains;
    for (std::size_t layer = 0; layer < layers().size(); ++layer) {
      gains.emplace_back(static_cast<std::size_t>(weights_[slot(layer)].weight.size(0)), 1.0f);
    }
    return gains;
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
    if (options_.fine_tune.epochs == 0 && !options_.re_estimate) return {weights_, {}, true};
    Tuned tuned = untuned(policy, options_.fine_tune.epochs > 0);
    if (options_.fine_tune.epochs > 0) tune(engine, tuned, policy, options_.fine_tune, {});
    return tuned;
  }

  /// What a policy's network is before any fine-tune: training begins with one that works, and what
  /// it leaves needs no correction. Batch norms that are put back begin from known statistics.
  Tuned untuned(const Policy& policy, bool tunes) {
    Tuned tuned{copy_of(weights_), {}};
    if (options_.re_estimate || (tunes && tunes_norms())) {
      quantisers_.re_estimate(re_estimation_images(), outputs_, policy, tuned.master,
                              tuned.adjustments);
    }
    return tuned;
  }

  torch::Tensor re_estimation_images() const {
    constexpr std::int64_t kMost = 128;
    const torch::Tensor images = calibration_images().images;
    return images.narrow(0, 0, std::min(kMost, images.size(0)));
  }

  /// By the arithmetic that the options ask for.
  Score score(Engine& engine, const Tuned& tuned, const Policy& policy, const TensorData& data) {
    if (!options_.integers) return fake_quant_score(engine, tuned, policy, data);
    return integer_score(quantisers_.integers(tuned.master, policy, tuned.adjustments), data,
                         engine);
  }

  Score fake_quant_score(Engine& engine, const Tuned& tuned, const Policy& policy,
                         const TensorData& data) {
    const Weights weights = quantisers_.weight_view(policy, tuned.adjustments)(tuned.master);
    const Hooks hooks = quantisers_.hooks(policy, tuned.adjustments);
    const std::string images = name_of(data);
    if (images.empty() || cuts_.empty() || !tuned.original)
      return engine.score(weights, hooks, data);
    return engine.score(weights, hooks, data, prefixes_of(policy, images));
  }

  void store_weights(TensorFile& file, std::size_t layer, const Policy& policy,
                     const Adjustments& adjustments, const torch::Tensor& weight) {
    const std::string& name = layers()[layer].name;
    if (quantisers_.codebooks()) {
      const CodebookQuantiser& quantiser = quantisers_.codebook(layer, policy[layer].weight);
      file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes());
      file.tensors[name + ".weight_codebook"] = store_tensor(quantiser.codebook(weight));
      return;
    }
    const LinearQuantiser quantiser = quantisers_.weight(layer, policy, adjustments);
    file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes(quantisers_.bent(weight)));
    file.tensors[name + ".weight_scale"] = StoredTensor::from_floats(
        {static_cast<std::int64_t>(quantiser.scales().size())}, quantiser.scales());
  }

  /// Batch norms that were folded, as what is left of them: so the file is a checkpoint of the
  /// network as it was written, too.
  void add_norms(TensorFile& file) const {
    for (const Node& norm : unfolded_.nodes) {
      if (norm.op != Op::kBatchNorm || norm.inputs[0] == kImage) continue;
      const Node& layer = unfolded_.nodes[static_cast<std::size_t>(norm.inputs[0])];
      const auto bias = file.tensors.find(layer.name + ".bias");
      if (file.tensors.count(norm.name + ".weight") > 0 || bias == file.tensors.end()) continue;
      const auto channels = static_cast<std::size_t>(norm.shape.channels);
      const auto all = [channels](double value) {
        return StoredTensor::from_floats({static_cast<std::int64_t>(channels)},
                                         std::vector<float>(channels, static_cast<float>(value)));
      };
      file.tensors[norm.name + ".weight"] = all(1.0);
      file.tensors[norm.name + ".bias"] = layer.attributes.bias ? all(0.0) : bias->second;
      file.tensors[norm.name + ".running_mean"] = all(0.0);
      file.tensors[norm.name + ".running_var"] = all(1.0 - norm.attributes.epsilon);
    }
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
        store_weights(file, i, policy, tuned.adjustments, master[slot(i)].weight);
        bits[name]["weight_bits"] = policy[i].weight;
      }
      if (!options_.float_activations) {
        const LinearQuantiser activation = quantisers_.activation(i, policy, tuned.adjustments);
        file.tensors[name + ".activation_scale"] = scales(activation.scales());
        bits[name]["activation_bits"] = policy[i].activation;
      }
    }
    if (!options_.equalise) add_norms(file);
    file.metadata = {{"format", "bittern-quantised-1"},
                     {"network", engine_.model().network().name},
                     {"policy", bits.dump()},
                     {"input", input_text(engine_.model().network().graph)},
                     {"validation_accuracy", fmt::format("{:.4f}", result.validation.top1)},
                     {"test_accuracy", fmt::format("{:.4f}", result.test.top1)},
                     {"evaluator", fingerprint_}};
    // The bounds of a ReLU6 that were divided like its channels are not in the weights.
    if (options_.equalise) file.metadata["equalised"] = "weights and bounds of ReLU6";
    return file;
  }

  const FakeQuantOptions options_;
  const Graph unfolded_;  ///< of the network as it was given
  Engine engine_;
  Weights weights_;
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
  std::vector<bool> normed_;  ///< layers that a batch norm was folded into
  /// Of the layers in floating point, over re_estimation_images(); where they are needed.
  std::vector<ChannelStatistics> outputs_;
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

int FakeQuantEvaluator::computed() const { return impl_->computed(); }

std::set<std::string> FakeQuantEvaluator::processors() const { return impl_->processors(); }

}  // namespace bittern
