#include "host/search/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "host/search/checkpoint.h"
#include "host/search/methods.h"
#include "host/search/ranking.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// Proposes uniform policies of 2, 3, ... 8, 2, ... bits, `batch` at once, and remembers what it
/// was told.
class Counting : public Method {
 public:
  Counting(std::size_t layers, int batch, bool takes_part, std::vector<int>* told)
      : layers_(layers), batch_(batch), takes_part_(takes_part), told_(told) {}
  int batch() const override { return batch_; }
  bool takes_part() const override { return takes_part_; }
  std::vector<Proposal> ask(int n) override {
    std::vector<Proposal> proposals;
    for (int i = 0; i < n; ++i) {
      const int bits = 2 + (next_ + i) % 7;
      proposals.push_back({Policy(layers_, BitPair{bits, bits}), /*wall=*/false});
    }
    return proposals;
  }
  std::vector<json> tell(const std::vector<Outcome>& outcomes) override {
    std::vector<json> notes;
    for (const Outcome& outcome : outcomes) {
      told_->push_back(outcome.episode);
      ++next_;
      notes.push_back({{"note", outcome.policy.front().weight}});
    }
    return notes;
  }
  void save(Checkpoint& checkpoint) const override { checkpoint.state["next"] = next_; }
  void load(const Checkpoint& checkpoint) override {
    next_ = checkpoint.state.at("next").get<int>();
  }

 private:
  std::size_t layers_;
  int batch_;
  bool takes_part_;
  std::vector<int>* told_;
  int next_ = 0;
};

class DriverTest : public ::testing::Test {
 protected:
  DriverTest() { options_.bits.pin_first_last = false; }

  SearchContext context(int budget) {
    SearchContext context;
    context.network = &problem_.cost().network();
    context.cost = &problem_.cost();
    context.evaluator = &problem_.evaluator();
    context.constraints = {{Resource::kLatency, true, 0.5}};
    context.seed = 1;
    context.budget = budget;
    context.on_resume = [this](int first, const json&) { lines_.resize(first); };
    context.on_episode = [this](const json& line) {
      lines_.push_back(line);
      lines_.back().erase("time");
    };
    return context;
  }
  ConfiguredMethod counting(int batch, bool takes_part = false) {
    ConfiguredMethod method;
    method.name = "counting";
    method.make = [this, batch, takes_part](const MethodContext& c) -> std::unique_ptr<Method> {
      return std::make_unique<Counting>(c.network.layers.size(), batch, takes_part, &told_);
    };
    return method;
  }
  static ConfiguredMethod named(const std::string& name, const std::string& yaml = "{}") {
    const MethodKind* kind = nullptr;
    static const std::vector<MethodKind> methods = host_methods();
    kind = find_method(methods, name);
    return kind->configure(YamlMap(YamlNode::parse(yaml, "test.yaml"), kind->keys));
  }
  std::string error_of(const SearchContext& context, const ConfiguredMethod& method) {
    return message_of([&] { run_search(context, options_, method); });
  }

  /// What the search behind lines_ and a checkpoint has learnt.
  Experience experience(const std::string& method, const std::filesystem::path& checkpoint) const {
    Experience learnt;
    learnt.source = "first";
    learnt.method = method;
    learnt.checkpoint = read_checkpoint(checkpoint);
    learnt.digest = "digest of it";
    std::set<json> seen;
    for (const json& line : lines_) {
      if (!seen.insert(line.at("policy")).second) continue;
      learnt.scores.push_back(
          {policy_from_json(line.at("policy")), {line.at("accuracy").get<double>(), 0.0}});
    }
    return learnt;
  }
  /// Policies of the lines with this stage.
  std::set<json> of_stage(const std::string& stage) const {
    std::set<json> found;
    for (const json& line : lines_) {
      if (line.at("stage") == stage) found.insert(line.at("policy"));
    }
    return found;
  }

  testing::SyntheticProblem problem_;
  SearchOptions options_;
  TemporaryFolder folder_;
  std::vector<json> lines_;
  std::vector<int> told_;
};

TEST_F(DriverTest, PoliciesThatAPartOfTheImagesRejectedAreEpisodesAndNoResults) {
  SearchContext whole = context(7);
  whole.constraints.clear();
  const SearchResult all = run_search(whole, options_, counting(1));
  std::vector<double> accuracies;
  for (const json& line : lines_) accuracies.push_back(line["accuracy"]);
  std::sort(accuracies.begin(), accuracies.end());
  lines_.clear();
  // Every policy but the two best is rejected.
  problem_.evaluator().screen_below = accuracies[5];
  const SearchResult screened = run_search(whole, options_, counting(1));
  EXPECT_EQ(screened.evaluations, all.evaluations) << "a rejected policy counts";
  EXPECT_EQ(screened.ranked.size(), 2u);
  EXPECT_EQ(screened.ranked.front().policy, all.ranked.front().policy);
  int rejected = 0;
  for (const json& line : lines_) {
    const bool is_rejected = line.contains("screened_images");
    rejected += is_rejected ? 1 : 0;
    EXPECT_EQ(is_rejected, line["accuracy"] < accuracies[5]);
  }
  EXPECT_EQ(rejected, 5);
}

TEST_F(DriverTest, RewardIsATenthOfAPointAndPenalisesTheFloor) {
  EXPECT_DOUBLE_EQ(policy_reward(98.0, 99.0, {}), -0.1);
  EXPECT_DOUBLE_EQ(policy_reward(99.5, 99.0, {}), 0.05);
  RewardOptions options;
  options.accuracy_floor = 98.5;
  EXPECT_DOUBLE_EQ(policy_reward(98.0, 99.0, options), -1.1);
  EXPECT_DOUBLE_EQ(policy_reward(98.5, 99.0, options), -0.05);
}

TEST_F(DriverTest, TellsWholeBatchesInTheOrderOfAskAndNotesTheirLines) {
  run_search(context(6), options_, counting(3));
  EXPECT_THAT(told_, ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
  ASSERT_EQ(lines_.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(lines_[i].at("episode"), i);
    EXPECT_EQ(lines_[i].at("note"), 2 + i);
  }
}

TEST_F(DriverTest, ABatchThatTheBudgetCutsIsDoneAgainWithMoreBudget) {
  run_search(context(12), options_, counting(4));
  const std::vector<json> whole = std::exchange(lines_, {});
  told_.clear();
  SearchContext cut = context(6);
  cut.checkpoint = folder_ / "state";
  EXPECT_EQ(run_search(cut, options_, counting(4)).episodes, 6);
  EXPECT_THAT(told_, ::testing::ElementsAre(0, 1, 2, 3)) << "nothing of the batch that was cut";
  SearchContext more = context(12);
  more.checkpoint = cut.checkpoint;
  more.resume = true;
  run_search(more, options_, counting(4));
  EXPECT_EQ(lines_, whole);
}

TEST_F(DriverTest, AMethodThatTakesPartOfABatchGoesOnWhereTheBudgetCutIt) {
  run_search(context(12), options_, counting(4, true));
  const std::vector<json> whole = std::exchange(lines_, {});
  told_.clear();
  SearchContext cut = context(6);
  cut.checkpoint = folder_ / "state";
  EXPECT_EQ(run_search(cut, options_, counting(4, true)).episodes, 6);
  EXPECT_THAT(told_, ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
  SearchContext more = context(12);
  more.checkpoint = cut.checkpoint;
  more.resume = true;
  int first = 0;
  more.on_resume = [&first](int episode, const json&) { first = episode; };
  run_search(more, options_, counting(4, true));
  EXPECT_EQ(first, 6) << "nothing is done twice";
  EXPECT_EQ(lines_, whole);
}

TEST_F(DriverTest, ABudgetThatAMethodUsesIsPartOfItsFingerprint) {
  ConfiguredMethod method = counting(1);
  method.uses_budget = true;
  SearchContext first = context(4);
  first.checkpoint = folder_ / "state";
  run_search(first, options_, method);
  SearchContext more = context(6);
  more.checkpoint = first.checkpoint;
  more.resume = true;
  EXPECT_THAT(error_of(more, method), HasSubstr("budget is 4 there and 6 here"));
}

TEST_F(DriverTest, APolicyBeyondALimitIsTaughtButIsNoResult) {
  const SearchResult result = run_search(context(7), options_, counting(1));
  EXPECT_EQ(told_.size(), 7u);
  // 6/6 bits cost 36 of 64: beyond a half.
  EXPECT_FALSE(lines_[3].contains("meets_limits"));
  EXPECT_EQ(lines_[4].at("meets_limits"), false);
  for (const Candidate& candidate : result.ranked) EXPECT_LE(candidate.policy[0].weight, 5);
  EXPECT_EQ(result.ranked.size(), 4u);
}

TEST_F(DriverTest, EvaluationsAreDifferentPolicies) {
  // The method asks for seven policies, over and over.
  SearchContext c = context(30);
  c.evaluations = 5;
  const SearchResult five = run_search(c, options_, counting(2));
  EXPECT_EQ(five.episodes, 5);
  EXPECT_EQ(five.evaluations, 5.0);
  lines_.clear();
  c.evaluations = 100;
  const SearchResult all = run_search(c, options_, counting(2));
  EXPECT_EQ(all.episodes, 30);
  EXPECT_EQ(all.evaluations, 7.0);
  EXPECT_EQ(lines_[3].at("evaluations"), 4.0);
  EXPECT_EQ(lines_[29].at("evaluations"), 7.0);
}

TEST_F(DriverTest, EvaluationsAreCountedOnAcrossAResume) {
  TemporaryFolder folder;
  SearchContext c = context(4);
  c.checkpoint = folder / "state";
  c.evaluations = 6;
  run_search(c, options_, counting(1));
  c.resume = true;
  c.budget = 30;
  const SearchResult result = run_search(c, options_, counting(1));
  EXPECT_EQ(result.episodes, 6);
  EXPECT_EQ(lines_.back().at("evaluations"), 6.0);
}

TEST_F(DriverTest, AMethodMayRankByMoreThanAccuracy) {
  class Cheapest : public Counting {
   public:
    using Counting::Counting;
    double objective(const Outcome& outcome) const override {
      return -outcome.cost.latency_s + 1e-12 * outcome.accuracy.top1;
    }
  };
  ConfiguredMethod cheapest;
  cheapest.name = "cheapest";
  cheapest.make = [this](const MethodContext& m) -> std::unique_ptr<Method> {
    return std::make_unique<Cheapest>(m.space.layers(), 1, false, &told_);
  };
  SearchContext c = context(7);
  c.constraints.clear();
  const SearchResult result = run_search(c, options_, cheapest);
  EXPECT_EQ(result.ranked.front().policy.front(), (BitPair{2, 2}));
  EXPECT_GT(result.objective(result.ranked[0].policy, 50),
            result.objective(result.ranked[6].policy, 90));
  EXPECT_GT(result.objective(result.ranked[0].policy, 51),
            result.objective(result.ranked[0].policy, 50));
  const SearchResult by_accuracy = run_search(c, options_, counting(1));
  EXPECT_EQ(by_accuracy.ranked.front().policy.front(), (BitPair{8, 8}));
  EXPECT_GT(by_accuracy.objective(by_accuracy.ranked[6].policy, 90),
            by_accuracy.objective(by_accuracy.ranked[0].policy, 50));
}

TEST_F(DriverTest, ImagesThatTheSearchDidNotSeeDecideAmongTheBest) {
  class Choosing : public testing::FunctionEvaluator {
   public:
    using FunctionEvaluator::FunctionEvaluator;
    std::optional<Accuracy> choice(const Policy& policy) override {
      return Accuracy{policy[0].weight == 3 ? 90.0 : 80.0, 0.0};
    }
  };
  Choosing evaluator(92.0, [this](const Policy& policy) { return problem_.accuracy(policy); });
  SearchContext searched = context(7);
  searched.evaluator = &evaluator;
  const SearchResult result = run_search(searched, options_, counting(1));
  EXPECT_EQ(result.ranked.front().policy[0].weight, 3);
  EXPECT_EQ(result.ranked.front().choice->top1, 90.0);
  EXPECT_EQ(result.ranked[1].policy[0].weight, 5) << "equal there: as the search ranks them";
}

TEST_F(DriverTest, WhatAMethodSpendsBesideItsProposalsComesOutOfTheBudget) {
  class Spending : public Counting {
   public:
    using Counting::Counting;
    double spent() const override { return 2.5; }
  };
  ConfiguredMethod method = counting(1);
  method.make = [this](const MethodContext& c) -> std::unique_ptr<Method> {
    return std::make_unique<Spending>(c.network.layers.size(), 1, false, &told_);
  };
  EXPECT_EQ(run_search(context(6), options_, method).episodes, 3);
  EXPECT_EQ(run_search(context(2), options_, method).episodes, 0);
}

TEST_F(DriverTest, PoliciesThatAreScoredSideBySideGiveTheSameLinesWithinTheSameBudget) {
  class Wide : public testing::FunctionEvaluator {
   public:
    using FunctionEvaluator::FunctionEvaluator;
    int at_once() const override { return 3; }
    std::vector<Accuracy> evaluate_all(const std::vector<Policy>& policies) override {
      widest = std::max(widest, policies.size());
      return FunctionEvaluator::evaluate_all(policies);
    }
    std::size_t widest = 0;
  };
  Wide wide(92.0, [this](const Policy& policy) { return problem_.accuracy(policy); });
  for (const int budget : {5, 7, 16}) {
    const auto lines_with = [&](Evaluator* evaluator) {
      std::vector<json> lines;
      SearchContext c = context(1000);
      c.evaluations = budget;
      if (evaluator != nullptr) c.evaluator = evaluator;
      c.on_episode = [&lines](const json& line) {
        lines.push_back(line);
        lines.back().erase("time");
      };
      run_search(c, options_, counting(8));
      return lines;
    };
    EXPECT_EQ(lines_with(&wide), lines_with(nullptr)) << budget;
  }
  EXPECT_EQ(wide.widest, 3u);
}

TEST_F(DriverTest, RefusesAnEvaluatorThatAnswersForFewerPolicies) {
  class Silent : public testing::FunctionEvaluator {
   public:
    using FunctionEvaluator::FunctionEvaluator;
    std::vector<Accuracy> evaluate_all(const std::vector<Policy>&) override { return {}; }
  };
  Silent evaluator(92.0, [](const Policy&) { return 90.0; });
  SearchContext c = context(3);
  c.evaluator = &evaluator;
  EXPECT_THAT(error_of(c, counting(1)), HasSubstr("0 accuracies of 1 policies"));
}

TEST_F(DriverTest, AnEvaluatorWithoutScoresIsNamed) {
  ConfiguredMethod method = counting(1);
  method.make = [this](const MethodContext& c) -> std::unique_ptr<Method> {
    c.scores(ScoreKind::kHessian);
    return std::make_unique<Counting>(c.network.layers.size(), 1, false, &told_);
  };
  EXPECT_THAT(error_of(context(3), method),
              HasSubstr("evaluator function evaluator has no hessian scores"));
}

TEST_F(DriverTest, RefusesMethodsThatBreakTheContract) {
  class Broken : public Counting {
   public:
    using Counting::Counting;
    std::vector<json> tell(const std::vector<Outcome>&) override { return {}; }
  };
  ConfiguredMethod method = counting(1);
  method.make = [this](const MethodContext& c) -> std::unique_ptr<Method> {
    return std::make_unique<Broken>(c.network.layers.size(), 1, false, &told_);
  };
  EXPECT_THAT(error_of(context(3), method), HasSubstr("0 notes on 1 outcomes"));
  EXPECT_THAT(error_of(context(3), counting(0)), HasSubstr("batches of 0"));
}

TEST_F(DriverTest, RandomMeetsTheLimitsAndResumesAsIfNothingHadHappened) {
  run_search(context(30), options_, named("random"));
  const std::vector<json> whole = std::exchange(lines_, {});
  std::set<json> policies;
  for (const json& line : whole) {
    EXPECT_LE(line.at("ratio").at("latency").get<double>(), 0.5 + 1e-12);
    policies.insert(line.at("policy"));
  }
  EXPECT_GT(policies.size(), 25u);
  SearchContext part = context(11);
  part.checkpoint = folder_ / "state";
  run_search(part, options_, named("random"));
  SearchContext rest = context(30);
  rest.checkpoint = part.checkpoint;
  rest.resume = true;
  run_search(rest, options_, named("random"));
  EXPECT_EQ(lines_, whole);
  SearchContext other = context(30);
  other.seed = 2;
  lines_.clear();
  run_search(other, options_, named("random"));
  EXPECT_NE(lines_, whole);
}

/// Layers of three pairs each, against brute force over all 3^6 of them.
TEST_F(DriverTest, ExhaustiveFindsTheOptimumAndEveryPolicyWithinTheLimitsOnce) {
  options_.bits.mode = BitMode::kTied;
  options_.bits.weight_bits = options_.bits.activation_bits = {2, 4, 8};
  const BitSpace space(options_.bits, problem_.cost().network());
  const SearchResult result = run_search(context(1000), options_, named("exhaustive"));
  EXPECT_TRUE(result.exhausted);
  EXPECT_NEAR(result.ranked.front().accuracy.top1, problem_.best_accuracy(0.5, space), 1e-9);
  int within = 0;
  const int choices[] = {2, 4, 8};
  for (int i = 0; i < 729; ++i) {
    double cost = 0.0;
    double full = 0.0;
    for (int layer = 0, rest = i; layer < 6; ++layer, rest /= 3) {
      cost += problem_.latency(layer, {choices[rest % 3], choices[rest % 3]});
      full += problem_.latency(layer, {8, 8});
    }
    within += cost <= 0.5 * full ? 1 : 0;
  }
  EXPECT_EQ(result.episodes, within);
  EXPECT_TRUE(run_search(context(within), options_, named("exhaustive")).exhausted);
  EXPECT_FALSE(run_search(context(within - 1), options_, named("exhaustive")).exhausted);
  lines_.resize(static_cast<std::size_t>(within));
  std::set<json> seen;
  for (const json& line : lines_) EXPECT_TRUE(seen.insert(line.at("policy")).second);
}

TEST_F(DriverTest, ExhaustiveRefusesLargeSpaces) {
  EXPECT_THAT(error_of(context(5), named("exhaustive")), HasSubstr("13841287201 policies"));
  EXPECT_THAT(error_of(context(5), named("exhaustive", "{max_policies: 12}")),
              HasSubstr("at most 12"));
}

TEST_F(DriverTest, LayersThatShareTheirBitsAreOneInEveryMethod) {
  options_.bits.ties = {{"a", "c"}, {"d", "e"}};
  options_.bits.layers = {{"f", {3}, {2, 4}}};
  run_search(context(40), options_, named("random"));
  for (const json& line : lines_) {
    const json& policy = line.at("policy");
    EXPECT_EQ(policy[0], policy[2]);
    EXPECT_EQ(policy[3], policy[4]);
    EXPECT_EQ(policy[5][0], 3);
    EXPECT_THAT(policy[5][1].get<int>(), ::testing::AnyOf(2, 4));
    EXPECT_LE(line.at("ratio").at("latency").get<double>(), 0.5 + 1e-12);
  }
}

TEST_F(DriverTest, StartsFromWhatAnotherSearchHasScored) {
  // Sensitivity behind a loose limit, in a run of its own.
  SearchContext first = context(60);
  first.constraints = {{Resource::kLatency, true, 0.7}};
  first.checkpoint = folder_ / "first";
  run_search(first, options_, named("sensitivity"));
  Experience learnt = experience("sensitivity", folder_ / "first");
  const std::set<json> probes = of_stage("probe");
  ASSERT_GT(probes.size(), 5u);
  lines_.clear();

  // Behind a tighter one it measures no layer again, whatever the budget is.
  SearchContext second = context(60);
  const SearchResult cold = run_search(second, options_, named("sensitivity"));
  EXPECT_FALSE(cold.start);
  lines_.clear();
  second.start = &learnt;
  second.checkpoint = folder_ / "second";
  const SearchResult warm = run_search(second, options_, named("sensitivity"));
  ASSERT_TRUE(warm.start);
  EXPECT_EQ(warm.start->policies, static_cast<int>(learnt.scores.size()));
  EXPECT_EQ(warm.start->in_space, warm.start->policies);
  EXPECT_LT(warm.start->within_limits, warm.start->policies);
  EXPECT_EQ(warm.start->saved, static_cast<int>(probes.size()));
  EXPECT_TRUE(of_stage("probe").empty());
  EXPECT_GE(warm.ranked.front().reward, cold.ranked.front().reward);
  double reference = 0.0;
  for (std::size_t layer = 0; layer < 6; ++layer) reference += problem_.latency(layer, {8, 8});
  for (const Candidate& candidate : warm.ranked) {
    EXPECT_LE(candidate.cost.latency_s, 0.5 * reference * (1 + 1e-9));
  }

  // What it started from belongs to it.
  SearchContext resumed = second;
  resumed.resume = true;
  const SearchResult again = run_search(resumed, options_, named("sensitivity"));
  ASSERT_TRUE(again.start);
  EXPECT_EQ(again.start->saved, warm.start->saved);
  resumed.start = nullptr;
  EXPECT_THAT(error_of(resumed, named("sensitivity")), HasSubstr("start"));
  learnt.digest = "another";
  resumed.start = &learnt;
  EXPECT_THAT(error_of(resumed, named("sensitivity")), HasSubstr("start is"));
}

TEST_F(DriverTest, GoesOnFromAStartAsIfNothingHadHappened) {
  SearchContext first = context(30);
  first.checkpoint = folder_ / "first";
  run_search(first, options_, named("random"));
  const Experience learnt = experience("random", folder_ / "first");
  SearchContext whole = context(20);
  whole.start = &learnt;
  whole.constraints = {{Resource::kLatency, true, 0.4}};
  for (const char* method : {"sensitivity", "local"}) {
    lines_.clear();
    const SearchResult expected = run_search(whole, options_, named(method));
    const std::vector<json> lines = std::exchange(lines_, {});
    std::atomic<bool> stop{false};
    SearchContext stopped = whole;
    stopped.checkpoint = folder_ / method;
    stopped.stop = &stop;
    stopped.on_episode = [this, &stop](const json& line) {
      lines_.push_back(line);
      lines_.back().erase("time");
      stop = lines_.size() == 9;
    };
    run_search(stopped, options_, named(method));
    SearchContext resumed = whole;
    resumed.checkpoint = stopped.checkpoint;
    resumed.resume = true;
    const SearchResult result = run_search(resumed, options_, named(method));
    EXPECT_EQ(lines_, lines) << method;
    EXPECT_EQ(result.ranked.front().policy, expected.ranked.front().policy) << method;
  }
}

TEST_F(DriverTest, ABestPolicyOfTheStartIsAResultThatCostNothing) {
  SearchContext first = context(300);
  first.checkpoint = folder_ / "first";
  const SearchResult found = run_search(first, options_, named("random"));
  const Experience learnt = experience("random", folder_ / "first");
  SearchContext second = context(1);
  second.start = &learnt;
  const SearchResult result = run_search(second, options_, named("local"));
  EXPECT_EQ(result.evaluations, 1.0);
  EXPECT_GE(result.ranked.front().reward, found.ranked.front().reward);
  EXPECT_EQ(lines_.back().at("best_reward"), result.ranked.front().reward);
}

TEST_F(DriverTest, RefusesAStartThatDoesNotFit) {
  SearchContext first = context(8);
  first.checkpoint = folder_ / "first";
  run_search(first, options_, named("random"));
  Experience learnt = experience("random", folder_ / "first");
  SearchContext second = context(3);
  second.start = &learnt;
  EXPECT_THAT(error_of(second, named("annealing")), HasSubstr("annealing learns nothing"));
  learnt.checkpoint.state["fingerprint"]["evaluator"] = "another one";
  EXPECT_THAT(error_of(second, named("local")), HasSubstr("another one"));
  learnt.checkpoint.state["fingerprint"]["network"]["layers"] = "others";
  EXPECT_THAT(error_of(second, named("local")), HasSubstr("others"));
}

TEST_F(DriverTest, PoliciesThatThisSpaceDoesNotHaveAreLeftOutOfAStart) {
  SearchContext first = context(40);
  first.checkpoint = folder_ / "first";
  run_search(first, options_, named("random"));
  const Experience learnt = experience("random", folder_ / "first");
  options_.bits.weight_bits = {2, 4, 8};
  SearchContext second = context(5);
  second.start = &learnt;
  const SearchResult result = run_search(second, options_, named("local"));
  EXPECT_LT(result.start->in_space, result.start->policies);
  for (const Candidate& candidate : result.ranked) {
    for (const BitPair bits : candidate.policy) {
      EXPECT_THAT(bits.weight, ::testing::AnyOf(2, 4, 8));
    }
  }
}

}  // namespace
}  // namespace bittern
