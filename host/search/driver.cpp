#include "host/search/driver.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json_text.h"
#include "host/base/stopwatch.h"
#include "host/search/checkpoint.h"
#include "host/search/cost_table.h"
#include "host/search/ranking.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

using nlohmann::json;

std::string network_hash(const Network& network) {
  Sha256 hash;
  for (const Layer& layer : network.layers) hash.update_field(layer.name).update_field(layer.key());
  return hash.hex();
}

json constraints_json(const std::vector<Constraint>& constraints) {
  json result = json::array();
  for (const Constraint& constraint : constraints) {
    result.push_back({{"resource", resource_name(constraint.resource)},
                      {constraint.is_ratio ? "ratio" : "limit", constraint.limit}});
  }
  return result;
}

const SearchContext& checked(const SearchContext& context) {
  if (context.network == nullptr || context.cost == nullptr || context.evaluator == nullptr) {
    fail("search: network, cost model and evaluator are all needed");
  }
  if (context.budget < 1) fail_usage("search: {} episodes; expected at least 1", context.budget);
  return context;
}

const SearchOptions& checked(const SearchOptions& options) {
  validate(options);
  return options;
}

/// One search from its start, or from a checkpoint, to its end.
class Driver {
 public:
  Driver(const SearchContext& context, const SearchOptions& options,
         const ConfiguredMethod& configured)
      : context_(checked(context)),
        options_(checked(options)),
        space_(options.bits, *context.network),
        table_(*context.cost, space_),
        wall_(table_, space_, context.constraints, options.wall),
        baseline_accuracy_(context.evaluator->baseline().top1),
        ranking_(static_cast<std::size_t>(options.keep_best),
                 context.constraints.empty() ? Resource::kLatency
                                             : context.constraints.front().resource) {
    if (!std::isfinite(baseline_accuracy_)) {
      fail("evaluator: the full-precision accuracy is {}", baseline_accuracy_);
    }
    const auto scores = [evaluator = context.evaluator](ScoreKind kind) -> GradientScores& {
      GradientScores* found = evaluator->scores(kind);
      if (found == nullptr) {
        fail(
            "search: evaluator {} has no {} scores, because it has no gradients; take an evaluator "
            "that trains networks, or another method",
            evaluator->fingerprint(), score_kind_name(kind));
      }
      return *found;
    };
    if (options_.reward.goal == Goal::kCost && context_.constraints.empty()) {
      fail_usage(
          "search: goal: cost needs a constraint for each resource that is to be saved (ratio: 1 "
          "where there is no limit)");
    }
    method_ =
        configured.make({*context.network, space_, table_, wall_, baseline_accuracy_, context.seed,
                         context.evaluations > 0 ? context.evaluations : context.budget, scores,
                         context.evaluator->weight_deviations(), options_.reward});
    if (context.start != nullptr) check_start(configured, *context.start);
    json all = to_json(options);
    all.update(configured.fingerprint);
    fingerprint_ = {
        {"method", configured.name},
        {"version", configured.version},
        {"network", {{"name", context.network->name}, {"layers", network_hash(*context.network)}}},
        {"cost_model", context.cost->fingerprint()},
        {"evaluator", context.evaluator->fingerprint()},
        {"constraints", constraints_json(context.constraints)},
        {"seed", context.seed},
        {"options", std::move(all)}};
    if (configured.uses_budget) {
      fingerprint_["budget"] = context.evaluations > 0 ? context.evaluations : context.budget;
    }
    if (context.start != nullptr) fingerprint_["start"] = context.start->digest;
  }

  SearchResult run() {
    const Stopwatch all;
    if (context_.resume && !context_.checkpoint.empty() &&
        std::filesystem::exists(context_.checkpoint)) {
      const json lines = load();
      if (context_.on_resume) context_.on_resume(episode_, lines);
    } else if (context_.start != nullptr) {
      start_from(*context_.start);
    }
    SearchResult result;
    int saved = episode_;
    bool told = true;
    while (within_budget(episode_, seen_.size()) && !result.stopped) {
      if (stop_requested()) {
        result.stopped = true;
        break;
      }
      watch_ = Stopwatch();
      const int wanted = method_->batch();
      if (wanted < 1) fail("method: it wants batches of {} proposals", wanted);
      const std::vector<Proposal> proposals = method_->ask(wanted);
      if (proposals.size() > static_cast<std::size_t>(wanted)) {
        fail("method: {} proposals where {} were asked for", proposals.size(), wanted);
      }
      if (proposals.empty()) {
        result.exhausted = true;
        break;
      }
      // What ask() spent may have been the rest.
      if (!within_budget(episode_, seen_.size())) {
        told = false;
        break;
      }
      told = run_batch(proposals, result);
      if (!told) break;
      if (episode_ - saved >= options_.checkpoint_every) {
        save();
        saved = episode_;
      }
    }
    // Of a batch that was cut the method knows nothing: the last checkpoint is what counts.
    if (told && saved != episode_) save();
    // The last episode of the budget may have been the last policy, too. What was kept is not
    // touched by one more question.
    if (told && !result.stopped && !result.exhausted) {
      result.exhausted = method_->ask(method_->batch()).empty();
    }
    watch_.lap();
    result.ranked = chosen();
    time_.evaluate += watch_.lap();
    result.episodes = episode_;
    result.evaluations = static_cast<double>(seen_.size()) + method_->spent();
    result.start = start_;
    result.time = time_;
    result.time.all = all.seconds();
    return result;
  }

  /// SearchResult::objective. The floor has been looked at: it is the search's images' to judge.
  double objective(const Policy& policy, double accuracy) const {
    Outcome outcome;
    outcome.asked = outcome.policy = policy;
    outcome.accuracy.top1 = accuracy;
    outcome.cost = table_.total(policy);
    RewardOptions without_floor = options_.reward;
    without_floor.accuracy_floor = std::nullopt;
    outcome.reward = policy_reward(accuracy, baseline_accuracy_, without_floor);
    return method_->objective(outcome);
  }

 private:
  /// Whether the budget has room for episode `episode` after the ones before it, the policies in
  /// them and what the method spent otherwise. The next policy may be a new one.
  bool within_budget(int episode, std::size_t policies) const {
    if (context_.evaluations > 0 &&
        static_cast<double>(policies) + method_->spent() + 1.0 > context_.evaluations) {
      return false;
    }
    return episode + method_->spent() + 1.0 <= context_.budget;
  }
  bool stop_requested() const { return context_.stop != nullptr && context_.stop->load(); }

  /// A policy on its way from a proposal to a line.
  struct Scored {
    Outcome outcome;
    double evaluations = 0.0;  ///< so far, with this one
    double wall_seconds = 0.0;
    double evaluate_seconds = 0.0;
  };

  /// Scores a batch and tells the method. False when budget or stop cut it and nothing was told.
  bool run_batch(const std::vector<Proposal>& proposals, SearchResult& result) {
    std::vector<Outcome> outcomes;
    std::vector<json> lines;
    const double act = watch_.lap();
    time_.act += act;
    while (outcomes.size() < proposals.size()) {
      if (!outcomes.empty() && stop_requested()) {
        result.stopped = true;
        break;
      }
      std::vector<Scored> group = next_group(proposals, outcomes.size());
      if (group.empty()) break;
      evaluate(group);
      for (Scored& scored : group) {
        lines.push_back(judge(scored));
        outcomes.push_back(std::move(scored.outcome));
      }
    }
    const bool told = outcomes.size() == proposals.size() || method_->takes_part();
    std::vector<json> notes(outcomes.size(), json::object());
    watch_.lap();
    if (told) notes = method_->tell(outcomes);
    if (notes.size() != outcomes.size()) {
      fail("method: {} notes on {} outcomes", notes.size(), outcomes.size());
    }
    const double learn = watch_.lap();
    time_.learn += learn;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i]["time"]["act"] = i == 0 ? act : 0.0;
      lines[i]["time"]["learn"] = i + 1 == lines.size() ? learn : 0.0;
      lines[i].update(notes[i]);
      if (context_.on_episode) context_.on_episode(lines[i]);
    }
    episode_ += static_cast<int>(outcomes.size());
    return told;
  }

  /// The next proposals behind the wall: as many as are evaluated side by side, and fewer where
  /// batch or budget end.
  std::vector<Scored> next_group(const std::vector<Proposal>& proposals, std::size_t from) {
    const int at_once = std::max(1, context_.evaluator->at_once());
    const std::size_t end = std::min(proposals.size(), from + static_cast<std::size_t>(at_once));
    std::vector<Scored> group;
    for (std::size_t i = from; i < end; ++i) {
      const int episode = episode_ + static_cast<int>(i);
      if (!within_budget(episode, seen_.size())) break;
      group.push_back(behind_wall(proposals[i], episode));
      seen_.insert(policy_json(group.back().outcome.policy).dump());
      group.back().evaluations = static_cast<double>(seen_.size()) + method_->spent();
    }
    return group;
  }

  Scored behind_wall(const Proposal& proposal, int episode) {
    watch_.lap();
    Scored scored;
    Outcome& outcome = scored.outcome;
    outcome.episode = episode;
    outcome.asked = proposal.policy;
    if (proposal.wall && options_.reward.goal != Goal::kCost) {
      outcome.walled = wall_.apply(proposal.policy);
      outcome.policy = outcome.walled.policy;
    } else {
      outcome.policy = outcome.walled.policy = space_.snap(proposal.policy);
      outcome.meets_limits = wall_.meets(outcome.policy);
    }
    outcome.cost = table_.total(outcome.policy);
    scored.wall_seconds = watch_.lap();
    time_.wall += scored.wall_seconds;
    return scored;
  }

  void evaluate(std::vector<Scored>& group) {
    std::vector<Policy> policies;
    for (const Scored& scored : group) policies.push_back(scored.outcome.policy);
    watch_.lap();
    const std::vector<Accuracy> accuracies = context_.evaluator->evaluate_all(policies);
    const double seconds = watch_.lap();
    time_.evaluate += seconds;
    if (accuracies.size() != group.size()) {
      fail("evaluator: {} accuracies of {} policies", accuracies.size(), group.size());
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i].outcome.accuracy = accuracies[i];
      group[i].evaluate_seconds = seconds / static_cast<double>(group.size());
    }
  }

  /// Another search's scores with this one's costs and limits: what the method learns from, and
  /// results where they meet the limits.
  void start_from(const Experience& other) {
    const json& made = other.checkpoint.state.at("fingerprint");
    for (const char* field : {"network", "evaluator"}) {
      require_same_fingerprint(made.value(field, json()), fingerprint_.at(field), other.source);
    }
    start_ = StartNote{other.source, static_cast<int>(other.scores.size())};
    std::vector<Outcome> outcomes;
    for (const Experience::Score& score : other.scores) {
      if (score.policy.size() != space_.layers() || space_.snap(score.policy) != score.policy) {
        continue;
      }
      Outcome outcome;
      outcome.episode = -1;
      outcome.asked = outcome.policy = outcome.walled.policy = score.policy;
      outcome.accuracy = score.accuracy;
      outcome.cost = table_.total(outcome.policy);
      outcome.meets_limits = wall_.meets(outcome.policy);
      rate(outcome);
      ++start_->in_space;
      start_->within_limits += outcome.meets_limits ? 1 : 0;
      outcomes.push_back(std::move(outcome));
    }
    try {
      start_->saved = method_->learn_from(other, outcomes);
    } catch (const Error& error) {
      fail_usage(
          "search: start: what {} has learnt does not fit, because its method had other settings: "
          "{}",
          other.source, error.what());
    }
  }

  /// Reward and rank of a policy that has its accuracy and cost.
  void rate(Outcome& outcome) {
    const double top1 = outcome.accuracy.top1;
    if (!(top1 >= 0.0 && top1 <= 100.0)) {
      fail("evaluator: an accuracy of {} in episode {}; expected 0..100 percent", top1,
           outcome.episode);
    }
    outcome.reward = options_.reward.goal == Goal::kCost
                         ? cost_reward(top1, shares(outcome.cost), options_.reward)
                         : policy_reward(top1, baseline_accuracy_, options_.reward);
    outcome.meets_floor =
        !options_.reward.accuracy_floor || top1 >= *options_.reward.accuracy_floor;
    Candidate candidate;
    candidate.policy = outcome.policy;
    candidate.cost = outcome.cost;
    candidate.episode = outcome.episode;
    candidate.accuracy = outcome.accuracy;
    candidate.reward = method_->objective(outcome);
    candidate.meets_floor = outcome.meets_floor;
    // A policy that breaks a limit, or was not looked at on all images, may teach a method
    // something; a result it is not.
    if (outcome.meets_limits && outcome.accuracy.screened_images == 0) ranking_.add(candidate);
  }

  /// Rates a policy and writes its line.
  json judge(Scored& scored) {
    Outcome& outcome = scored.outcome;
    rate(outcome);
    json ratio;
    for (const Resource resource : {Resource::kLatency, Resource::kEnergy, Resource::kModelSize}) {
      const double reference = resource_value(table_.reference(), resource);
      ratio[resource_name(resource)] =
          reference > 0.0 ? json(resource_value(outcome.cost, resource) / reference)
                          : json(nullptr);
    }
    json line = {{"episode", outcome.episode},
                 {"evaluations", scored.evaluations},
                 {"asked", policy_json(outcome.asked)},
                 {"policy", policy_json(outcome.policy)},
                 {"wall_steps", outcome.walled.steps},
                 {"wall_reserve", outcome.walled.reserve},
                 {"accuracy", outcome.accuracy.top1},
                 {"loss", json_number(outcome.accuracy.loss)},
                 {"reward", outcome.reward},
                 {"best_reward",
                  ranking_.best().empty() ? json(nullptr) : json(ranking_.best().front().reward)},
                 {"cost", cost_json(outcome.cost)},
                 {"ratio", ratio},
                 {"time", {{"wall", scored.wall_seconds}, {"evaluate", scored.evaluate_seconds}}}};
    if (!outcome.meets_limits) line["meets_limits"] = false;
    if (outcome.accuracy.screened_images > 0) {
      line["screened_images"] = outcome.accuracy.screened_images;
    }
    return line;
  }

  /// What the resources of the constraints cost, as shares of the reference.
  std::vector<double> shares(const LayerCost& cost) const {
    std::vector<double> result;
    for (const Constraint& constraint : context_.constraints) {
      const double reference = resource_value(table_.reference(), constraint.resource);
      result.push_back(reference > 0.0 ? resource_value(cost, constraint.resource) / reference
                                       : 0.0);
    }
    return result;
  }

  /// The ranking, by the images that the search did not see where there are any.
  std::vector<Candidate> chosen() const {
    std::vector<Candidate> ranked = ranking_.best();
    for (Candidate& candidate : ranked) {
      candidate.choice = context_.evaluator->choice(candidate.policy);
      if (!candidate.choice) return ranking_.best();
    }
    if (options_.reward.goal == Goal::kCost) {
      // The cheapest first, as they are, of those that keep the accuracy on these images, too.
      std::stable_partition(ranked.begin(), ranked.end(), [this](const Candidate& candidate) {
        return candidate.meets_floor && candidate.choice->top1 >= *options_.reward.accuracy_floor;
      });
      return ranked;
    }
    std::stable_sort(ranked.begin(), ranked.end(), [this](const Candidate& a, const Candidate& b) {
      if (a.meets_floor != b.meets_floor) return a.meets_floor;
      return objective(a.policy, a.choice->top1) > objective(b.policy, b.choice->top1);
    });
    return ranked;
  }

  void save() const {
    if (context_.checkpoint.empty()) return;
    Checkpoint checkpoint;
    checkpoint.state = {{"fingerprint", fingerprint_},
                        {"episode", episode_},
                        {"best", ranking_.save()},
                        {"seen", seen_},
                        {"lines", context_.lines_state ? context_.lines_state() : json(nullptr)}};
    if (start_) {
      checkpoint.state["start"] = {start_->source, start_->policies, start_->in_space,
                                   start_->within_limits, start_->saved};
    }
    method_->save(checkpoint);
    write_checkpoint(context_.checkpoint, checkpoint);
  }

  /// Returns what the checkpoint knows of the lines.
  json load() {
    const Checkpoint checkpoint = read_checkpoint(context_.checkpoint);
    try {
      require_same_fingerprint(checkpoint.state.at("fingerprint"), fingerprint_,
                               context_.checkpoint);
      episode_ = checkpoint.state.at("episode").get<int>();
      ranking_.load(checkpoint.state.at("best"));
      // Searches that were begun before policies were counted go on without those they had seen.
      if (checkpoint.state.contains("seen")) checkpoint.state.at("seen").get_to(seen_);
      if (const auto start = checkpoint.state.find("start"); start != checkpoint.state.end()) {
        start_ =
            StartNote{start->at(0).get<std::string>(), start->at(1).get<int>(),
                      start->at(2).get<int>(), start->at(3).get<int>(), start->at(4).get<int>()};
      }
    } catch (const json::exception& error) {
      fail("{}: damaged checkpoint: {}", context_.checkpoint.string(), error.what());
    }
    try {
      method_->load(checkpoint);
    } catch (const json::exception& error) {
      fail("{}: damaged checkpoint: {}", context_.checkpoint.string(), error.what());
    }
    return checkpoint.state.value("lines", json(nullptr));
  }

  const SearchContext context_;
  const SearchOptions options_;
  BitSpace space_;
  CostTable table_;
  Wall wall_;
  double baseline_accuracy_;
  Ranking ranking_;
  std::unique_ptr<Method> method_;
  json fingerprint_;
  Stopwatch watch_;
  SearchTime time_;
  std::optional<StartNote> start_;
  std::set<std::string> seen_;  ///< policies that were scored
  int episode_ = 0;             ///< next one
};

}  // namespace

void validate(const SearchOptions& options) {
  check_setting(options.keep_best >= 1 && options.keep_best <= 10000, "keep_best",
                options.keep_best, "1..10000");
  check_setting(options.checkpoint_every >= 1, "checkpoint_every", options.checkpoint_every,
                "at least 1");
  check_setting(std::isfinite(options.reward.scale) && options.reward.scale > 0, "reward scale",
                options.reward.scale, "above 0");
  check_setting(std::isfinite(options.reward.floor_penalty) && options.reward.floor_penalty >= 0,
                "floor_penalty", options.reward.floor_penalty, "at least 0");
  if (options.reward.accuracy_floor) {
    const double floor = *options.reward.accuracy_floor;
    check_setting(floor >= 0 && floor <= 100, "accuracy_floor", floor, "0..100 percent");
  }
  check_setting(std::isfinite(options.reward.accuracy_weight) && options.reward.accuracy_weight > 0,
                "accuracy_weight", options.reward.accuracy_weight, "above 0");
  if (options.reward.goal == Goal::kCost && !options.reward.accuracy_floor) {
    fail_usage(
        "search: goal: cost saves as much as an accuracy allows; say which under accuracy_floor "
        "(percent)");
  }
}

json to_json(const SearchOptions& options) {
  const auto& floor = options.reward.accuracy_floor;
  json out = {{"mode", bit_mode_name(options.bits.mode)},
              {"weight_bits", options.bits.weight_bits},
              {"activation_bits", options.bits.activation_bits},
              {"fixed", {options.bits.fixed.weight, options.bits.fixed.activation}},
              {"pin_first_last", options.bits.pin_first_last},
              {"pinned", {options.bits.pinned.weight, options.bits.pinned.activation}},
              {"wall", wall_mode_name(options.wall.mode)},
              {"wall_epsilon", options.wall.epsilon},
              {"reward_scale", options.reward.scale},
              {"accuracy_floor", floor ? json(*floor) : json(nullptr)},
              {"floor_penalty", options.reward.floor_penalty},
              {"keep_best", options.keep_best}};
  // Only where they say something: checkpoints of searches without them stay good.
  for (const LayerBits& entry : options.bits.layers) {
    out["layer_bits"].push_back({entry.layers, entry.weight_bits, entry.activation_bits});
  }
  if (options.reward.goal == Goal::kCost) {
    out["goal"] = goal_name(options.reward.goal);
    out["accuracy_weight"] = options.reward.accuracy_weight;
  }
  if (!options.bits.ties.empty()) out["ties"] = options.bits.ties;
  return out;
}

SearchResult run_search(const SearchContext& context, const SearchOptions& options,
                        const ConfiguredMethod& method) {
  const auto driver = std::make_shared<Driver>(context, options, method);
  SearchResult result = driver->run();
  result.objective = [driver](const Policy& policy, double accuracy) {
    return driver->objective(policy, accuracy);
  };
  return result;
}

}  // namespace bittern
