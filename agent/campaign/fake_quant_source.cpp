#include "agent/campaign/fake_quant_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "agent/campaign/doubts.h"
#include "agent/campaign/loaded_data.h"
#include "agent/campaign/settings.h"
#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/checkpoint.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/phase.h"
#include "host/campaign/run_directory.h"
#include "host/network/io/network_weights.h"
#include "host/network/io/safetensors.h"
#include "host/search/bit_space.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

class FakeQuantSource : public AccuracySource, public FinalRound {
 public:
  FakeQuantSource(const FakeQuantSettings& settings, const Campaign& campaign,
                  const Network& network, const RunOptions& options,
                  std::shared_ptr<DataKeeper> keeper)
      : settings_(settings),
        quant_(evaluator_options(settings, campaign)),
        campaign_(campaign),
        network_(network),
        options_(options),
        keeper_(std::move(keeper)),
        data_options_(data_options(campaign, network, options.data_folder)) {
    check_trainable(network);
    outline_ = outline_data(data_options_);
    check_data_fits(network, data_options_.name, outline_);
    const int searched = outline_.validation - campaign.data.choice_images;
    if (settings.screen_images >= searched && settings.screen_images > 0) {
      fail_usage(
          "evaluator.screen_images: {} of the {} validation images that the search sees: "
          "expected fewer",
          settings.screen_images, searched);
    }
    if (!campaign.model.checkpoint.empty()) {
      checkpoint_ = read_checkpoint(network, campaign.model.checkpoint);
    } else if (has_weights(network)) {
      checkpoint_ = network_weights(network);
      check_checkpoint(network, *checkpoint_, "weights of " + network.name);
    }
  }

  void check_space(const BitSpace& space) const override {
    if (quant_.trained_ranges && quant_.float_activations) {
      fail_usage(
          "evaluator: activations: pact trains the ranges of activations, but search.fixed: float "
          "leaves them in floating point; leave one of the two out");
    }
    if (quant_.integers && (quant_.float_weights || quant_.float_activations)) {
      fail_usage(
          "evaluator: kind: integer needs codes of weights and of activations, but search.fixed: "
          "float leaves one of them in floating point: take kind: fake-quant, or search.fixed: 8");
    }
    check_weights(space);
    for (std::size_t i = 0; i < network_.layers.size() && !quant_.float_activations; ++i) {
      if (!network_.layers[i].signed_input) continue;
      for (const BitPair& pair : space.pairs(i)) {
        if (pair.activation > 1) continue;
        fail_usage(
            "search: layer {}: its inputs can be negative, and one bit has no quantiser for them; "
            "give it wider activations under `bits`, or begin with min_bits: 2",
            network_.layers[i].name);
      }
    }
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> doubts;
    if (settings_.weights == "kmeans") {
      doubts.push_back(
          "weights are in codebooks, which no core computes with: latency and energy in this run "
          "are "
          "those of linear weights of the same widths");
    }
    const auto fewer = [&](const char* key, int wanted) {
      if (wanted > outline_.train) {
        doubts.push_back(fmt::format("{} is {}, but there are {} training images: those are used",
                                     key, wanted, outline_.train));
      }
    };
    fewer("evaluator.calibration_images", settings_.calibration_images);
    fewer("evaluator.finetune_images", settings_.finetune_images);
    return doubts;
  }

  std::vector<NamedText> outline() const override {
    std::vector<NamedText> lines;
    lines.emplace_back(
        "data", fmt::format("{}{}: {} training, {} validation, {} test images", data_options_.name,
                            outline_.folder.empty() ? "" : " in " + outline_.folder, outline_.train,
                            outline_.validation, outline_.test));
    lines.emplace_back(
        "training",
        checkpoint_
            ? "none: " + (campaign_.model.checkpoint.empty() ? "weights of " + network_.name
                                                             : campaign_.model.checkpoint)
            : fmt::format("{} epochs of {} images", campaign_.model.epochs, outline_.train));
    const int tuned = std::min(settings_.finetune_images, outline_.train);
    lines.emplace_back(
        "accuracies",
        fmt::format(
            "{} validation images each, {}", outline_.validation,
            tuned == 0 ? "no fine-tune" : fmt::format("after a fine-tune of {} images", tuned)));
    if (settings_.screen_images > 0) {
      lines.emplace_back("screen",
                         fmt::format("policies {:g} points below full precision on the first {} "
                                     "validation images are rejected by these",
                                     settings_.screen_points, settings_.screen_images));
    }
    if (campaign_.data.choice_images > 0) {
      lines.emplace_back("choice",
                         fmt::format("among the best, on {} of the validation images that "
                                     "the search does not see",
                                     campaign_.data.choice_images));
    }
    lines.emplace_back(
        "final", fmt::format("{} epochs for each of the best {} and the policies they are compared "
                             "with",
                             campaign_.final.epochs,
                             std::min(campaign_.final.candidates, campaign_.search.episodes)));
    return lines;
  }

  std::vector<std::string> load() override {
    data_ = keeper_->load(data_options_, campaign_.data.choice_images, options_.phases);
    return data_->warnings;
  }

  std::vector<std::string> prepare(RunDirectory& directory) override {
    FakeQuantOptions quant = quant_;
    quant.threads = static_cast<int>(options_.workers);
    quant.device = tensor_device_of(options_.device);
    quant.cache = kept(directory, "accuracies.jsonl");
    const TensorFile weights = full_precision(directory);
    write_safetensors(directory.file("model.safetensors"), weights);
    model_hash_ = content_hash(weights);
    const Phase phase(options_.phases, "calibrating " + network_.name);
    evaluator_ = std::make_unique<FakeQuantEvaluator>(network_, weights, splits(), quant);

    const Accuracy baseline = evaluator_->baseline();
    std::vector<std::string> doubts = baseline_doubts(campaign_, baseline, splits().validation);
    const std::set<std::string> processors = evaluator_->processors();
    if (processors.size() > 1) {
      doubts.push_back(
          fmt::format("accuracies of this run were computed on {} different processors or versions "
                      "of LibTorch (listed below): they can differ by some images where nothing "
                      "else does",
                      processors.size()));
    }
    for (std::string& doubt : evaluation_doubts(
             settings_, baseline, evaluator_->evaluate(uniform_policy(network_, {8, 8})),
             splits().validation)) {
      doubts.push_back(std::move(doubt));
    }
    return doubts;
  }

  Evaluator& evaluator() override { return *evaluator_; }

  ImageCounts images() const override {
    return {splits().train.name, static_cast<std::size_t>(splits().validation.size()),
            static_cast<std::size_t>(splits().test.size())};
  }

  std::vector<std::string> search_doubts(const std::vector<nlohmann::json>& episodes) override {
    return bittern::search_doubts(settings_, episodes, splits().validation);
  }

  FinalRound* final_round() override { return this; }

  std::vector<NamedText> facts() const override {
    std::string computed_on;
    for (const std::string& processor : evaluator_->processors()) {
      computed_on += (computed_on.empty() ? "" : "; ") + processor;
    }
    return {
        {"data", fmt::format("{}: {} train, {} validation, {} test images ({})",
                             splits().train.name, splits().train.size(), splits().validation.size(),
                             splits().test.size(), splits().hash.substr(0, 16))},
        {"full-precision weights", model_hash_},
        {"accuracy", fmt::format("{} of {}{}, {} bits between layers, biases in units of the sums",
                                 quant_.integers ? "integers" : "fake quantisation",
                                 quant_.float_weights       ? "activations (weights stay in float)"
                                 : quant_.float_activations ? "weights (activations stay in float)"
                                                            : "weights and activations",
                                 settings_.weights == "kmeans" ? ", weights in codebooks (k-means)"
                                 : settings_.weights == "wrpn" ? ", weights in WRPN's steps"
                                 : settings_.weights == "dorefa" ? ", weights in DoReFa's steps"
                                                                 : "",
                                 kStoredBits)},
        {"processor", computed_on}};
  }

  Accuracy test_baseline() override { return evaluator_->test_baseline(); }
  std::string key() const override {
    const FinalSettings& f = campaign_.final;
    std::string text = fmt::format("final 2 {} {} {} {} {}", evaluator_->fingerprint(),
                                   campaign_.seed, f.epochs, f.learning_rate, f.batch);
    if (f.flip) text += " flip";
    if (f.crop > 0) text += fmt::format(" crop {}", f.crop);
    return sha256_hex(text);
  }
  int epochs() const override { return campaign_.final.epochs; }
  std::uint64_t images_each() const override {
    return static_cast<std::uint64_t>(campaign_.final.epochs) *
           static_cast<std::uint64_t>(splits().train.size());
  }

  FinalAccuracies finish(const Policy& policy, const std::filesystem::path& weights,
                         const std::function<void(std::uint64_t)>& advance) override {
    const FinalNetwork network = evaluator_->finish(
        policy, final_options(campaign_),
        [&advance](const TrainProgress& p) { advance(static_cast<std::uint64_t>(p.images)); });
    write_safetensors(weights, network.checkpoint);
    return {network.validation, network.test, network.choice, network.test_quantised};
  }

  void check(const std::filesystem::path& weights) const override {
    read_safetensors(weights, ExitStatus::kFailed);
  }

  std::vector<std::string> doubts(const std::vector<FinalStep>& steps) override {
    return final_doubts(campaign_, steps, splits().validation);
  }

 private:
  const DataSplits& splits() const { return data_->splits; }

  /// WRPN has no steps for one bit.
  void check_weights(const BitSpace& space) const {
    if (settings_.weights != "wrpn") return;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      for (const BitPair& pair : space.pairs(i)) {
        if (pair.weight > 1) continue;
        fail_usage(
            "search: layer {}: weights: wrpn has no quantiser of one bit; give it wider weights "
            "under "
            "`bits`, or begin with min_bits: 2",
            network_.layers[i].name);
      }
    }
  }

  std::filesystem::path kept(const RunDirectory& directory, const char* name) const {
    return options_.shared.empty() ? directory.state(name) : options_.shared / name;
  }

  TensorFile full_precision(const RunDirectory& directory) {
    if (checkpoint_) return *checkpoint_;
    TrainOptions train = train_options(campaign_);
    train.threads = static_cast<int>(options_.workers);
    train.device = tensor_device_of(options_.device);
    Phase phase(options_.phases, fmt::format("training {}, {} epochs", network_.name, train.epochs),
                {static_cast<std::uint64_t>(train.epochs) * splits().train.size(), "images"});
    return train_or_load(
        network_, splits(), train, kept(directory, "trained"), [&phase](const TrainProgress& p) {
          phase.advance(static_cast<std::uint64_t>(p.images));
          phase.note(fmt::format("epoch {}/{}, loss {:.3f}", p.epoch + 1, p.epochs, p.loss));
        });
  }

  const FakeQuantSettings settings_;
  const FakeQuantOptions quant_;
  const Campaign& campaign_;
  const Network& network_;
  const RunOptions& options_;
  std::shared_ptr<DataKeeper> keeper_;
  DataOptions data_options_;
  DataOutline outline_;
  std::optional<TensorFile> checkpoint_;
  std::shared_ptr<const LoadedData> data_;
  std::string model_hash_;
  std::unique_ptr<FakeQuantEvaluator> evaluator_;
};

}  // namespace

ConfiguredEvaluator configure_fake_quant(const FakeQuantSettings& settings,
                                         std::shared_ptr<DataKeeper> keeper) {
  ConfiguredEvaluator evaluator;
  evaluator.name = settings.integers ? "integer" : "fake-quant";
  evaluator.key = {{"weight_range", settings.weight_range},
                   {"activation_range", settings.activation_range},
                   {"per_channel", settings.per_channel},
                   {"calibration_images", settings.calibration_images},
                   {"finetune_images", settings.finetune_images},
                   {"finetune_rate", settings.finetune_rate},
                   {"batch", settings.batch}};
  // Keys that came later are there only where they say something: what was begun before goes on.
  if (settings.re_estimate) evaluator.key["re_estimate"] = true;
  if (settings.equalise) evaluator.key["equalise"] = true;
  if (settings.integers) evaluator.key["kind"] = "integer";
  if (settings.screen_images > 0) {
    evaluator.key["screen_images"] = settings.screen_images;
    evaluator.key["screen_points"] = settings.screen_points;
  }
  if (settings.weights != "linear") evaluator.key["weights"] = settings.weights;
  if (settings.activations != "linear") evaluator.key["activations"] = settings.activations;
  evaluator.codebooks = settings.weights == "kmeans";
  evaluator.make = [settings, keeper = std::move(keeper)](
                       const Campaign& campaign, const Network& network,
                       const RunOptions& options) -> std::unique_ptr<AccuracySource> {
    return std::make_unique<FakeQuantSource>(settings, campaign, network, options, keeper);
  };
  return evaluator;
}

namespace {

EvaluatorKind quantised_kind(bool integers) {
  EvaluatorKind kind;
  kind.name = integers ? "integer" : "fake-quant";
  kind.description = integers ? "integers on images, as hardware computes; trained with LibTorch"
                              : "simulated quantisation on images, with LibTorch";
  kind.keys = {"weights",      "activations",        "weight_range",    "activation_range",
               "per_channel",  "calibration_images", "finetune_images", "finetune_rate",
               "batch",        "re_estimate",        "equalise",        "screen_images",
               "screen_points"};
  kind.configure = [integers, keeper = std::make_shared<DataKeeper>()](const YamlMap& map) {
    constexpr int kMostImages = 10'000'000;
    const std::vector<std::string> ranges = {"max", "kl", "mse", "percentile", "haq"};
    FakeQuantSettings out;
    out.integers = integers;
    // Codebooks have no codes that integers could multiply.
    const std::vector<std::string> kinds =
        integers ? std::vector<std::string>{"linear", "wrpn", "dorefa"}
                 : std::vector<std::string>{"linear", "wrpn", "dorefa", "kmeans"};
    out.weights = map.choice("weights", kinds, out.weights);
    for (const char* key : {"weight_range", "per_channel"}) {
      if (out.weights != "linear" && map.has(key)) {
        map.at(key).fail("not used with weights: " + out.weights + "; leave it out");
      }
    }
    out.activations = map.choice("activations", {"linear", "pact"}, out.activations);
    out.weight_range = map.choice("weight_range", ranges, out.weight_range);
    out.activation_range = map.choice("activation_range", ranges, out.activation_range);
    out.per_channel = map.boolean("per_channel", out.per_channel);
    out.calibration_images =
        read_int(map, "calibration_images", 1, kMostImages, out.calibration_images);
    out.re_estimate = map.boolean("re_estimate", out.re_estimate);
    out.equalise = map.boolean("equalise", out.equalise);
    out.finetune_images = read_int(map, "finetune_images", 0, kMostImages, out.finetune_images);
    out.finetune_rate = map.real("finetune_rate", 1e-9, 100, out.finetune_rate);
    out.screen_images = read_int(map, "screen_images", 0, kMostImages, out.screen_images);
    if (map.has("screen_points") && !map.has("screen_images")) {
      map.at("screen_points").fail("nothing is screened without screen_images: give both");
    }
    out.screen_points = map.real("screen_points", 0.01, 100, out.screen_points);
    out.batch = read_int(map, "batch", 1, 65536, out.batch);
    return configure_fake_quant(out, keeper);
  };
  return kind;
}

}  // namespace

EvaluatorKind fake_quant_kind() { return quantised_kind(false); }

EvaluatorKind integer_kind() { return quantised_kind(true); }

std::vector<EvaluatorKind> all_evaluators() {
  std::vector<EvaluatorKind> evaluators = host_evaluators();
  evaluators.push_back(fake_quant_kind());
  evaluators.push_back(integer_kind());
  return evaluators;
}

}  // namespace bittern
