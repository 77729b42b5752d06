#include "agent/campaign/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "agent/campaign/baselines.h"
#include "agent/campaign/costs.h"
#include "agent/campaign/doubts.h"
#include "agent/campaign/hardware.h"
#include "agent/campaign/preflight.h"
#include "agent/campaign/provenance.h"
#include "agent/campaign/result_notes.h"
#include "agent/campaign/run_directory.h"
#include "agent/campaign/settings.h"
#include "agent/data/dataset.h"
#include "agent/data/quality.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/training.h"
#include "agent/rl/ddpg/haq_search.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json_text.h"
#include "host/base/log.h"
#include "host/base/stop.h"
#include "host/base/version.h"
#include "host/cost/lut.h"
#include "host/report/campaign_report.h"
#include "host/run/measurer.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Seconds that the parts of a run took, for the `timing` object.
class Stopwatch {
 public:
  void lap(const char* name) {
    const auto now = std::chrono::steady_clock::now();
    seconds_[name] = std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  const json& seconds() const { return seconds_; }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  json seconds_ = json::object();
};

/// One run: the parts in order, each leaving what the next one needs.
class Run {
 public:
  Run(const Campaign& campaign, const RunOptions& options)
      : campaign_(campaign),
        options_(options),
        ready_(preflight(campaign, options, /*may_make_store=*/true)),
        network_(ready_.network),
        hardware_(ready_.hardware),
        space_(ready_.search.bits, network_),
        directory_(options.out, campaign_key(campaign), options.resume),
        log_(directory_.file("run.log")) {
    spdlog::info("bittern {} ({}, {}), process {} in {}", version(), source_revision(),
                 build_description(), ::getpid(), std::filesystem::current_path().string());
    spdlog::info("command line: {}", options.command_line);
    spdlog::info("campaign {} ({}): {} on {}, seed {}, {} workers", campaign.name,
                 campaign.file.string(), network_.name, hardware_.name, campaign.seed,
                 options.workers);
  }

  CampaignResult go() {
    warn(ready_.warnings);
    load_splits();
    warn(data_warnings(splits_));
    measure_costs();
    watch_.lap("costs_s");
    prepare_network();
    watch_.lap("training_s");
    search();
    watch_.lap("search_s");
    if (!result_.stopped) finish();
    watch_.lap("final_s");
    write_files();
    return result_;
  }

 private:
  /// Said at once, and kept in the results.
  void warn(const std::vector<std::string>& doubts) {
    for (const std::string& doubt : doubts) {
      spdlog::warn("{}", doubt);
      result_.warnings.push_back(doubt);
    }
  }

  void load_splits() {
    const Phase phase(options_.phases, "reading " + campaign_.data.dataset);
    splits_ = load_data(ready_.data);
  }

  /// Every cost that the search can ask for, and those of the policies it is compared with.
  void measure_costs() {
    measurer_ = std::move(ready_.costs.measurer);
    cost_ = std::move(ready_.costs.model);
    cost_->prefetch(cost_points(space_, ready_.baselines));
    if (!measurer_) return;
    identity_ = measurer_->identity();
    spdlog::info("costs: {} layers simulated, {} from the store {}, RTL {}, {}",
                 measurer_->simulated(), measurer_->recalled(), measurer_->store_path().string(),
                 identity_->rtl_hash, tools_text(*identity_));
  }

  void prepare_network() {
    FakeQuantOptions quant = evaluator_options(campaign_);
    quant.threads = static_cast<int>(options_.workers);
    quant.device = options_.device;
    quant.cache = directory_.state("accuracies.jsonl");

    const TensorFile weights = full_precision();
    write_safetensors(directory_.file("model.safetensors"), weights);
    model_hash_ = content_hash(weights);
    const Phase phase(options_.phases, "calibrating " + network_.name);
    evaluator_ = std::make_unique<FakeQuantEvaluator>(network_, weights, splits_, quant);
    const Accuracy baseline = evaluator_->baseline();
    result_.baseline_validation = baseline.top1;
    result_.baseline_validation_answers = baseline.answers;
    warn(baseline_doubts(campaign_, baseline, splits_.validation));
    const std::set<std::string> processors = evaluator_->processors();
    if (processors.size() > 1) {
      warn({fmt::format(
          "accuracies of this run were computed on {} different processors or versions "
          "of LibTorch (listed below): they can differ by some images where nothing "
          "else does",
          processors.size())});
    }
    warn(evaluation_doubts(campaign_, baseline,
                           evaluator_->evaluate(uniform_policy(network_, {8, 8})),
                           splits_.validation));
  }

  TensorFile full_precision() {
    if (ready_.checkpoint) return *ready_.checkpoint;
    TrainOptions train = train_options(campaign_);
    train.threads = static_cast<int>(options_.workers);
    train.device = options_.device;
    Phase phase(options_.phases, fmt::format("training {}, {} epochs", network_.name, train.epochs),
                {static_cast<std::uint64_t>(train.epochs) * splits_.train.size(), "images"});
    return train_or_load(
        network_, splits_, train, directory_.state("trained"), [&phase](const TrainProgress& p) {
          phase.advance(static_cast<std::uint64_t>(p.images));
          phase.note(fmt::format("epoch {}/{}, loss {:.3f}", p.epoch + 1, p.epochs, p.loss));
        });
  }

  void search() {
    std::atomic<bool> stop{false};
    SearchContext context;
    context.network = &network_;
    context.cost = cost_.get();
    context.evaluator = evaluator_.get();
    context.constraints = search_constraints(campaign_);
    context.seed = campaign_.seed;
    context.budget = campaign_.search.episodes;
    context.checkpoint = directory_.state("search.checkpoint");
    context.resume = options_.resume;
    context.stop = &stop;
    Phase phase(options_.phases, fmt::format("searching, {} episodes", context.budget),
                {static_cast<std::uint64_t>(context.budget), "episodes"});
    EpisodeLog& lines = directory_.episodes();
    context.lines_state = [&lines] { return lines.state(); };
    context.on_resume = [&](int episode, const json& state) {
      lines.restore(episode, state);
      phase.done_before(static_cast<std::uint64_t>(episode));
      spdlog::info("search goes on at episode {}", episode);
    };
    context.on_episode = [&](const json& line) {
      lines.append(line);
      phase.advance();
      phase.note(fmt::format("best reward {:.4f}", line.value("best_reward", 0.0)));
      stop = stop_requested();
    };
    const SearchResult found = HaqSearch(ready_.search).run(context);
    if (found.ranked.empty()) throw Stopped();
    result_.stopped = found.stopped;
    result_.episodes = found.episodes;
    warn(search_doubts(campaign_, lines.lines(), splits_.validation));
    result_.best = outcome("found", found.ranked.front().policy);
    for (std::size_t i = 1;
         i < found.ranked.size() && i < static_cast<std::size_t>(campaign_.final.candidates); ++i) {
      runners_up_.push_back(outcome("found", found.ranked[i].policy));
    }
    for (const Baseline& row : ready_.baselines.rows) {
      result_.uniform.push_back(outcome(row.label, row.policy));
    }
    result_.uniform_note = ready_.baselines.note;
  }

  /// Costs of a policy, and its accuracy as the search saw it.
  PolicyOutcome outcome(const std::string& label, const Policy& policy) {
    PolicyOutcome out;
    out.label = label;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      const LayerCost cost = cost_->layer_cost(i, policy[i]);
      const BitPair ran = hardware_.runs(policy[i]);
      out.layers.push_back({network_.layers[i].name, policy[i], cost.cycles, cost.latency_s,
                            cost.energy_j, origin_name(cost.origin),
                            ran == policy[i] ? std::nullopt : std::optional(ran)});
    }
    const LayerCost sum = policy_cost(*cost_, policy);
    out.latency_s = sum.latency_s;
    out.energy_j = sum.energy_j;
    out.energy_high_j = sum.energy_high_j;
    out.size_bytes = sum.weight_bytes;
    out.validation_accuracy = evaluator_->evaluate(policy).top1;
    return out;
  }

  /// Fine-tunes the best policies of the search and the uniform ones alike, keeps the found one
  /// whose validation accuracy is highest then, and touches the test set.
  void finish() {
    const Accuracy baseline = evaluator_->test_baseline();
    result_.baseline_test = baseline.top1;
    result_.baseline_test_answers = baseline.answers;
    result_.finalists = static_cast<int>(1 + runners_up_.size());
    const auto images = static_cast<std::uint64_t>(campaign_.final.epochs) * splits_.train.size();
    const std::size_t policies = 1 + runners_up_.size() + result_.uniform.size();
    Phase phase(options_.phases,
                fmt::format("fine-tuning {} policies, {} epochs", policies, campaign_.final.epochs),
                {images * policies, "images"});
    TensorFile best_network = finish(result_.best, phase);
    for (PolicyOutcome& candidate : runners_up_) {
      TensorFile network = finish(candidate, phase);
      // Chosen by validation alone: the test set has no say in what is found.
      if (candidate.validation_accuracy <= result_.best.validation_accuracy) continue;
      result_.best = candidate;
      best_network = std::move(network);
    }
    for (PolicyOutcome& uniform : result_.uniform) finish(uniform, phase);
    warn(final_doubts(campaign_, final_steps_, splits_.validation));
    write_safetensors(directory_.file("best.safetensors"), best_network);
  }

  /// Final fine-tune of one policy, taken from an earlier process when that got as far.
  TensorFile finish(PolicyOutcome& policy, Phase& phase) {
    const double before = policy.validation_accuracy;
    TensorFile network = tuned(policy, phase);
    final_steps_.push_back({policy.label, before, policy.validation_accuracy});
    return network;
  }

  TensorFile tuned(PolicyOutcome& policy, Phase& phase) {
    phase.note(policy.label);
    const auto weights = directory_.finished_weights(policy.policy());
    if (const auto known = directory_.finished(policy.policy())) {
      policy.validation_accuracy = known->validation_accuracy;
      policy.test_accuracy = known->test_accuracy;
      policy.validation_answers = known->validation_answers;
      policy.test_answers = known->test_answers;
      phase.done_before(static_cast<std::uint64_t>(campaign_.final.epochs) * splits_.train.size());
      return read_safetensors(weights, ExitStatus::kFailed);
    }
    FinalNetwork network = evaluator_->finish(
        policy.policy(), final_options(campaign_),
        [&phase](const TrainProgress& p) { phase.advance(static_cast<std::uint64_t>(p.images)); });
    policy.validation_accuracy = network.validation.top1;
    policy.test_accuracy = network.test.top1;
    policy.validation_answers = network.validation.answers;
    policy.test_answers = network.test.answers;
    // The weights first: an outcome on the disk means that its weights are there, too.
    write_safetensors(weights, network.checkpoint);
    directory_.keep_finished(policy);
    return std::move(network.checkpoint);
  }

  void describe() {
    result_.campaign = campaign_.name;
    result_.network = network_.name;
    result_.dataset = splits_.train.name;
    result_.variant = hardware_.name;
    result_.search = campaign_.search.method;
    result_.cost_kind = campaign_.cost;
    result_.seed = campaign_.seed;
    result_.budget = campaign_.search.episodes;
    result_.validation_images = static_cast<std::size_t>(splits_.validation.size());
    result_.test_images = static_cast<std::size_t>(splits_.test.size());
    const Policy reference_bits = reference_policy(*cost_, space_);
    const LayerCost reference = policy_cost(*cost_, reference_bits);
    result_.reference = {bittern::reference_bits(reference_bits, space_), reference.latency_s};
    const LayerCost found = policy_cost(*cost_, result_.best.policy());
    for (const auto& c : campaign_.constraints) {
      const Resource resource = parse_resource(c.resource);
      const double full = resource_value(reference, resource);
      result_.constraints.push_back({c.resource, resource_unit(resource), full,
                                     c.is_ratio ? c.limit * full : c.limit,
                                     resource_value(found, resource)});
    }
    result_.provenance =
        campaign_provenance(campaign_, hardware_, space_, identity_ ? &*identity_ : nullptr,
                            splits_, model_hash_, evaluator_->processors());
    for (auto& note : result_notes(hardware_, network_, result_)) {
      result_.provenance.push_back(std::move(note));
    }
  }

  void write_files() {
    const Phase phase(options_.phases, "writing results");
    describe();
    result_.timing = watch_.seconds();
    if (measurer_) {
      result_.timing["layers_simulated"] = measurer_->simulated();
      result_.timing["layers_from_store"] = measurer_->recalled();
    }
    const std::vector<json> episodes = directory_.episodes().lines();
    std::set<json> tried;
    for (const json& line : episodes) tried.insert(line.value("policy", json()));
    result_.policies_tried = static_cast<int>(tried.size());
    save_policy(directory_.file("policy.json"), network_, result_.best.policy());
    save_lut(directory_.file("lut.csv"), cost_->lut());
    write_file(directory_.file("report.html"),
               campaign_report_html(result_, episodes, {campaign_.text, options_.command_line}));
    write_file(directory_.file("summary.txt"), campaign_summary_text(result_));
    write_file(directory_.file("result.json"), json_text(to_json(result_), 2) + "\n");
  }

  const Campaign& campaign_;
  const RunOptions& options_;
  Preflight ready_;
  const Network& network_;
  const CampaignHardware& hardware_;
  const BitSpace space_;
  RunDirectory directory_;
  LogFile log_;
  std::shared_ptr<Measurer> measurer_;
  std::optional<DeviceIdentity> identity_;
  std::unique_ptr<RowCostModel> cost_;
  DataSplits splits_;
  std::string model_hash_;
  std::unique_ptr<FakeQuantEvaluator> evaluator_;
  std::vector<PolicyOutcome> runners_up_;  ///< next best policies of the search
  std::vector<FinalStep> final_steps_;
  CampaignResult result_;
  Stopwatch watch_;
};

}  // namespace

CampaignResult run_campaign(const Campaign& campaign, const RunOptions& options) {
  return Run(campaign, options).go();
}

}  // namespace bittern
