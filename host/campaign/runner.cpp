#include "host/campaign/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "host/analysis/roofline.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json_text.h"
#include "host/base/log.h"
#include "host/base/stop.h"
#include "host/base/stopwatch.h"
#include "host/base/version.h"
#include "host/campaign/baselines.h"
#include "host/campaign/costs.h"
#include "host/campaign/hardware.h"
#include "host/campaign/preflight.h"
#include "host/campaign/provenance.h"
#include "host/campaign/result_notes.h"
#include "host/campaign/run_directory.h"
#include "host/campaign/search_settings.h"
#include "host/cost/lut.h"
#include "host/report/campaign_report.h"
#include "host/run/measurer.h"
#include "host/search/driver.h"

namespace bittern {
namespace {

using nlohmann::json;

/// One run: the parts in order, each leaving what the next one needs.
class Run {
 public:
  Run(const Campaign& campaign, const RunOptions& options)
      : campaign_(campaign),
        options_(options),
        ready_(preflight(campaign, options, /*may_make_store=*/true)),
        network_(ready_.network()),
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
    warn(accuracies_.load());
    measure_costs();
    result_.timing["costs_s"] = watch_.lap();
    prepare_accuracies();
    result_.timing["training_s"] = watch_.lap();
    search();
    result_.timing["search_s"] = watch_.lap();
    if (final_ != nullptr && !result_.stopped) finish();
    result_.timing["final_s"] = watch_.lap();
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

  void prepare_accuracies() {
    warn(accuracies_.prepare(directory_));
    final_ = accuracies_.final_round();
    if (final_ != nullptr && !options_.shared.empty()) {
      directory_.share_finished(options_.shared / ("final-" + final_->key().substr(0, 16)));
    }
    const Accuracy baseline = accuracies_.evaluator().baseline();
    result_.baseline_validation = baseline.top1;
    result_.baseline_validation_answers = baseline.answers;
  }

  void search() {
    std::atomic<bool> stop{false};
    SearchContext context;
    context.network = &network_;
    context.cost = cost_.get();
    context.evaluator = &accuracies_.evaluator();
    context.constraints = search_constraints(campaign_);
    context.seed = campaign_.seed;
    context.budget = campaign_.search.episodes;
    context.evaluations = campaign_.search.evaluations;
    context.checkpoint = directory_.state("search.checkpoint");
    context.resume = options_.resume;
    if (ready_.start) context.start = &*ready_.start;
    context.stop = &stop;
    const bool counted = context.evaluations > 0;
    const int units = counted ? context.evaluations : context.budget;
    const char* unit = counted ? "evaluations" : "episodes";
    Phase phase(options_.phases, fmt::format("searching, {} {}", units, unit),
                {static_cast<std::uint64_t>(units), unit});
    std::uint64_t done = 0;
    EpisodeLog& lines = directory_.episodes();
    context.lines_state = [&lines] { return lines.state(); };
    context.on_resume = [&](int episode, const json& state) {
      lines.restore(episode, state);
      if (counted && episode > 0) {
        done = static_cast<std::uint64_t>(lines.lines().back().value("evaluations", 0.0));
      } else {
        done = static_cast<std::uint64_t>(episode);
      }
      phase.done_before(done);
      spdlog::info("search goes on at episode {}", episode);
    };
    context.on_episode = [&](const json& line) {
      lines.append(line);
      const std::uint64_t now =
          counted ? static_cast<std::uint64_t>(line.value("evaluations", 0.0)) : done + 1;
      phase.advance(now - done);
      done = now;
      // Null as long as no policy within the limits was scored.
      const json& best = line.at("best_reward");
      phase.note(best.is_null() ? "none within the limits yet"
                                : fmt::format("best reward {:.4f}", best.get<double>()));
      stop = stop_requested();
    };
    const SearchResult found = run_search(context, ready_.search, campaign_.method);
    if (found.ranked.empty() && found.stopped) throw Stopped();
    const std::vector<json> all = lines.lines();
    const auto rejected = std::count_if(
        all.begin(), all.end(), [](const json& line) { return line.contains("screened_images"); });
    if (rejected > 0) {
      spdlog::info("{} of {} episodes were rejected by a part of the images", rejected,
                   found.episodes);
    }
    if (found.ranked.empty() && rejected > 0) {
      fail(
          "search: {} of {} episodes were rejected by a part of the images, and the others broke a "
          "limit: raise evaluator.screen_points, the limits or the episodes",
          rejected, found.episodes);
    }
    if (found.ranked.empty()) {
      fail(
          "search: {} scored no policy within the limits in {} episodes: raise the limits or "
          "search.episodes, take another method, or have the constraint wall bring policies within "
          "them (releq: wall_actions: true)",
          campaign_.method.name, found.episodes);
    }
    result_.stopped = found.stopped;
    result_.episodes = found.episodes;
    result_.evaluations = found.evaluations;
    objective_ = found.objective;
    result_.start = start_text(found);
    if (!result_.start.empty()) spdlog::info("{}", result_.start);
    const SearchTime& time = found.time;
    result_.timing["search"] = {{"evaluate_s", time.evaluate},
                                {"method_s", time.act + time.learn},
                                {"wall_s", time.wall},
                                {"rest_s", time.rest()}};
    if (counted && found.episodes >= context.budget && found.evaluations + 1.0 <= units) {
      warn(
          {fmt::format("{} asked for known policies so often that {} episodes gave {:g} of {} "
                       "evaluations",
                       campaign_.method.name, found.episodes, found.evaluations, units)});
    }
    result_.exhausted = found.exhausted;
    if (campaign_.method.exhaustive && !found.exhausted) {
      warn(
          {fmt::format("{} episodes were not enough for all policies of the search space: what was "
                       "found need not be the best of them; raise search.episodes",
                       found.episodes)});
    }
    warn(accuracies_.search_doubts(all));
    result_.search_accuracy = found.ranked.front().accuracy.top1;
    result_.best = outcome("found", found.ranked.front().policy);
    for (std::size_t i = 1;
         i < found.ranked.size() && i < static_cast<std::size_t>(campaign_.final.candidates); ++i) {
      runners_up_.push_back(outcome("found", found.ranked[i].policy));
    }
    result_.uniform_note = ready_.baselines.note;
    std::string unknown;
    for (const BaselineRow& row : ready_.baselines.rows) {
      if (accuracies_.evaluator().knows(row.policy)) {
        (row.given ? result_.given : result_.uniform).push_back(outcome(row.label, row.policy));
      } else {
        unknown += (unknown.empty() ? "" : ", ") + row.label;
      }
    }
    if (unknown.empty()) return;
    result_.uniform_note += (result_.uniform_note.empty() ? "no row for " : "; nor for ") +
                            unknown + ": the table has no accuracy of them";
  }

  /// A sentence on what the search started from, and what that saved; empty: from nothing.
  static std::string start_text(const SearchResult& found) {
    if (!found.start) return "";
    const StartNote& start = *found.start;
    const int episode = found.ranked.front().episode;
    return fmt::format(
        "started from {}: {} policies scored there, {} of them in this search's space, {} within "
        "its "
        "limits; {} evaluations saved{}",
        start.source, start.policies, start.in_space, start.within_limits, start.saved,
        episode < 0 ? "; the best policy was scored there" : "");
  }

  /// Costs of a policy, and its accuracy as the search saw it.
  PolicyOutcome outcome(const std::string& label, const Policy& policy) {
    PolicyOutcome out;
    out.label = label;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      const Layer& layer = network_.layers[i];
      const LayerCost cost = cost_->layer_cost(i, policy[i]);
      const LutRow& row = cost_->row(i, policy[i]);
      const BitPair ran = hardware_.runs(policy[i]);
      const double peak = hardware_.variant
                              ? kOperationsPerMac * hardware_.core->peak_macs_per_cycle(ran) *
                                    hardware_.variant->clock_mhz * 1e6
                              : 0.0;
      out.layers.push_back(
          {layer.name, policy[i], cost.cycles, cost.latency_s, cost.energy_j,
           origin_name(cost.origin), ran == policy[i] ? std::nullopt : std::optional(ran),
           row.shape,
           kOperationsPerMac * static_cast<double>(layer.macs()) * static_cast<double>(row.batch),
           static_cast<double>(row.bytes_read) + static_cast<double>(row.bytes_written), peak});
    }
    const LayerCost sum = policy_cost(*cost_, policy);
    out.latency_s = sum.latency_s;
    out.energy_j = sum.energy_j;
    out.energy_high_j = sum.energy_high_j;
    out.size_bytes = sum.weight_bytes;
    out.validation_accuracy = accuracies_.evaluator().evaluate_whole(policy).top1;
    out.search_accuracy = out.validation_accuracy;
    return out;
  }

  /// Fine-tunes the best policies of the search and the uniform ones alike, keeps the found one
  /// whose validation accuracy is highest then, and touches the test set.
  void finish() {
    const Accuracy baseline = test_baseline();
    result_.baseline_test = baseline.top1;
    result_.baseline_test_answers = baseline.answers;
    result_.finalists = static_cast<int>(1 + runners_up_.size());
    const auto images = final_->images_each();
    const std::size_t policies =
        1 + runners_up_.size() + result_.uniform.size() + result_.given.size();
    Phase phase(options_.phases,
                fmt::format("fine-tuning {} policies, {} epochs", policies, final_->epochs()),
                {images * policies, "images"});
    finish(result_.best, phase);
    for (PolicyOutcome& candidate : runners_up_) {
      finish(candidate, phase);
      // Chosen by validation alone: the test set has no say in what is found.
      if (!replaces(candidate, result_.best)) continue;
      result_.best = candidate;
    }
    for (PolicyOutcome& uniform : result_.uniform) finish(uniform, phase);
    for (PolicyOutcome& given : result_.given) finish(given, phase);
    warn(final_->doubts(final_steps_));
    write_file(directory_.file("best.safetensors"),
               read_file(directory_.finished_weights(result_.best.policy())));
  }

  /// Of the full-precision network; computed once for all cells that share it.
  Accuracy test_baseline() {
    if (const auto known = directory_.full_precision()) return *known;
    Accuracy computed = final_->test_baseline();
    directory_.keep_full_precision(computed);
    return computed;
  }

  /// Final fine-tune of one policy, taken from an earlier process when that got as far.
  void finish(PolicyOutcome& policy, Phase& phase) {
    const double before = policy.validation_accuracy;
    tune(policy, phase);
    final_steps_.push_back({policy.label, before, policy.validation_accuracy});
  }

  /// Whether a finalist takes the place of one that the search ranks before it. With goal: cost,
  /// the search ranks by cost what keeps the accuracy: only where the other lost it is there a
  /// change.
  bool replaces(const PolicyOutcome& candidate, const PolicyOutcome& best) const {
    const SearchSettings& search = campaign_.search;
    if (search.goal == "cost") {
      return accuracy_of(best) < *search.accuracy_floor &&
             accuracy_of(candidate) > accuracy_of(best);
    }
    return decisive(candidate) > decisive(best);
  }

  /// On images that the search did not see, where there are any.
  static double accuracy_of(const PolicyOutcome& policy) {
    return policy.choice_accuracy.value_or(policy.validation_accuracy);
  }

  /// What decides among the finalists: what the method ranks by, with that accuracy.
  double decisive(const PolicyOutcome& policy) const {
    return objective_(policy.policy(), accuracy_of(policy));
  }

  void tune(PolicyOutcome& policy, Phase& phase) {
    phase.note(policy.label);
    const auto weights = directory_.finished_weights(policy.policy());
    if (const auto known = directory_.finished(policy.policy())) {
      policy.validation_accuracy = known->validation_accuracy;
      policy.test_accuracy = known->test_accuracy;
      policy.validation_answers = known->validation_answers;
      policy.test_answers = known->test_answers;
      phase.done_before(final_->images_each());
      policy.choice_accuracy = known->choice_accuracy;
      policy.quantised_test_accuracy = known->quantised_test_accuracy;
      final_->check(weights);
      return;
    }
    // The weights come first: an outcome on the disk means that its weights are there, too.
    const FinalAccuracies found = final_->finish(
        policy.policy(), weights, [&phase](std::uint64_t images) { phase.advance(images); });
    policy.validation_accuracy = found.validation.top1;
    policy.test_accuracy = found.test.top1;
    policy.validation_answers = found.validation.answers;
    policy.test_answers = found.test.answers;
    if (found.choice) policy.choice_accuracy = found.choice->top1;
    if (found.test_quantised) policy.quantised_test_accuracy = found.test_quantised->top1;
    directory_.keep_finished(policy);
  }

  void describe() {
    result_.campaign = campaign_.name;
    result_.campaign_file = campaign_.text;
    result_.network = network_.name;
    result_.dataset = accuracies_.images().dataset;
    result_.variant = hardware_.name;
    result_.search = campaign_.method.name;
    result_.reinforcement = campaign_.method.reinforcement;
    result_.exhaustive = campaign_.method.exhaustive;
    result_.cost_kind = campaign_.cost;
    if (!campaign_.search.fixed) {
      result_.float_operand = campaign_.search.mode == "a" ? "weights" : "activations";
    }
    result_.seed = campaign_.seed;
    result_.budget = campaign_.search.episodes;
    result_.evaluation_budget = campaign_.search.evaluations;
    result_.validation_images = accuracies_.images().validation;
    result_.test_images = accuracies_.images().test;
    const Policy reference_bits = reference_policy(*cost_, space_);
    const LayerCost reference = policy_cost(*cost_, reference_bits);
    if (hardware_.variant) {
      const MemoryBandwidth bandwidth = memory_bandwidth(*hardware_.variant);
      result_.bandwidth = {bandwidth.port, bandwidth.all()};
    }
    result_.reference = {bittern::reference_bits(reference_bits, space_), reference.latency_s};
    const LayerCost found = policy_cost(*cost_, result_.best.policy());
    for (const auto& c : campaign_.constraints) {
      const Resource resource = parse_resource(c.resource);
      const double full = resource_value(reference, resource);
      result_.constraints.push_back({c.resource, resource_unit(resource), full,
                                     c.is_ratio ? c.limit * full : c.limit,
                                     resource_value(found, resource)});
    }
    result_.provenance = campaign_provenance(
        campaign_, hardware_, space_, identity_ ? &*identity_ : nullptr, accuracies_.facts());
    for (auto& note : result_notes(hardware_, network_, result_)) {
      result_.provenance.push_back(std::move(note));
    }
  }

  void write_files() {
    const Phase phase(options_.phases, "writing results");
    describe();
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
  AccuracySource& accuracies_ = *ready_.accuracies;
  FinalRound* final_ = nullptr;            ///< of the source, once that is ready
  std::vector<PolicyOutcome> runners_up_;  ///< next best policies of the search
  std::vector<FinalStep> final_steps_;
  CampaignResult result_;
  std::function<double(const Policy&, double)> objective_;  ///< of the method
  Stopwatch watch_;
};

}  // namespace

CampaignResult run_campaign(const Campaign& campaign, const RunOptions& options) {
  return Run(campaign, options).go();
}

}  // namespace bittern
