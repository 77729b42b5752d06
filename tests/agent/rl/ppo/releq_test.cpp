#include "agent/rl/ppo/releq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <utility>

#include "agent/rl/methods.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/search/checkpoint.h"
#include "host/search/driver.h"
#include "host/search/methods.h"
#include "tests/agent/rl/ppo/grids.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/one_by_one.h"
#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::SyntheticProblem;
namespace fs = std::filesystem;

/// What a campaign would set.
struct Options : SearchOptions, ReleqOptions {};

SearchResult search(const Options& options, const SearchContext& context) {
  return run_search(context, options, configure_releq(options));
}

/// Small networks, and a space so small that policies come again: what is tested is the search
/// around them.
Options quick() {
  Options options;
  options.bits.mode = BitMode::kWeights;
  options.bits.weight_bits = {2, 4, 8};
  options.bits.pin_first_last = false;
  options.agent.hidden = 12;
  options.agent.policy = {10};
  options.agent.value = {8};
  options.agent.adam.rate = 0.01;
  options.episodes_per_update = 3;
  return options;
}

class ReleqSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(::testing::TempDir()) /
            (std::string("releq_search_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove(path_);
  }
  void TearDown() override { fs::remove(path_); }

  SearchContext context(int budget) {
    SearchContext context;
    context.network = &problem_.cost().network();
    context.cost = &problem_.cost();
    context.evaluator = &problem_.evaluator();
    context.seed = 234;
    context.budget = budget;
    context.on_episode = [this](const json& line) {
      json fixed = line;
      fixed.erase("time");
      lines_.push_back(fixed);
    };
    return context;
  }

  std::string error_of(const Options& options, const SearchContext& context) {
    return message_of([&] { search(options, context); });
  }

  /// The checkpoints of searches that end after each episode, within a batch, too.
  std::vector<std::string> checkpoints_of(const Options& options, int budget) {
    std::vector<std::string> result;
    for (int done = 1; done <= budget; ++done) {
      SearchContext recording = context(done);
      recording.checkpoint = path_;
      search(options, recording);
      result.push_back(read_file(path_));
    }
    return result;
  }

  SyntheticProblem problem_;
  fs::path path_;
  std::vector<json> lines_;
};

void expect_same(const SearchResult& a, const SearchResult& b) {
  ASSERT_EQ(a.ranked.size(), b.ranked.size());
  for (std::size_t i = 0; i < a.ranked.size(); ++i) {
    EXPECT_EQ(a.ranked[i].policy, b.ranked[i].policy);
    EXPECT_EQ(a.ranked[i].reward, b.ranked[i].reward);
    EXPECT_EQ(a.ranked[i].episode, b.ranked[i].episode);
  }
}

TEST_F(ReleqSearch, WalksToUniformBitsFirstWhereItIsTold) {
  for (const BitActions actions : {BitActions::kAbsolute, BitActions::kRelative}) {
    Options options = quick();
    options.environment.actions = actions;
    options.uniform_first = true;
    lines_.clear();
    search(options, context(5));
    const std::vector<int> widths = {8, 4, 2};
    for (std::size_t i = 0; i < widths.size(); ++i) {
      for (const json& pair : lines_[i]["policy"]) EXPECT_EQ(pair[0], widths[i]);
    }
    EXPECT_TRUE(lines_[1]["update"].is_null());
    EXPECT_EQ(lines_[2]["update"]["count"], 1);  // learnt from three walks, as from its own
    options.uniform_first = false;
    lines_.clear();
    search(options, context(1));
    std::set<json> first;
    for (const json& pair : lines_[0]["policy"]) first.insert(pair[0]);
    EXPECT_GT(first.size(), 1u);
  }
}

TEST_F(ReleqSearch, WritesOneCompleteLineAnEpisode) {
  search(quick(), context(30));
  ASSERT_EQ(lines_.size(), 30u);
  for (int episode = 0; episode < 30; ++episode) {
    const json& line = lines_[episode];
    EXPECT_EQ(line["agent_episode"], episode);
    EXPECT_EQ(line["agent_step"], 5);
    Policy policy;
    double cycles = 0.0;
    double reference = 0.0;
    for (const json& pair : line["policy"]) {
      policy.push_back({pair[0], pair[1]});
      cycles += problem_.latency(policy.size() - 1, policy.back());
      reference += problem_.latency(policy.size() - 1, {8, 8});
    }
    // Without a wall.
    EXPECT_EQ(line["asked"], line["policy"]);
    const double accuracy = problem_.accuracy(policy) / SyntheticProblem::kBaseline;
    EXPECT_DOUBLE_EQ(line["state_accuracy"], accuracy);
    EXPECT_DOUBLE_EQ(line["state_quantization"], cycles / reference);
    EXPECT_DOUBLE_EQ(line["releq_reward"],
                     releq_reward(ReleqReward(), accuracy, cycles / reference));
    double mean = 0.0;
    const int first = std::max(0, episode - 19);
    for (int i = first; i <= episode; ++i) {
      mean += lines_[i]["releq_reward"].get<double>() / (episode - first + 1);
    }
    EXPECT_NEAR(line["moving"]["reward"], mean, 1e-12);
    ASSERT_EQ(line["probabilities"].size(), 6u);
    double entropy = 0.0;
    for (std::size_t i = 0; i < 6; ++i) {
      const json& decision = line["probabilities"][i];
      EXPECT_EQ(decision["layer"], i);
      EXPECT_EQ(decision["kind"], "w");
      EXPECT_EQ(decision["bits"], (json{2, 4, 8}));
      double sum = 0.0;
      for (const double p : decision["p"]) {
        sum += p;
        if (p > 0.0) entropy -= p * std::log(p) / 6;
      }
      EXPECT_NEAR(sum, 1.0, 2e-4);
    }
    EXPECT_NEAR(line["entropy"], entropy, 1e-2);
    const int updates = (episode + 1) / 3;
    EXPECT_EQ(line["update"].is_null(), updates == 0);
    if (updates == 0) continue;
    EXPECT_EQ(line["update"]["count"], updates);
    for (const char* key :
         {"policy_loss", "value_loss", "entropy", "kl", "clip_share", "gradient"}) {
      EXPECT_TRUE(std::isfinite(line["update"][key].get<double>())) << key;
    }
    EXPECT_GT(line["update"]["kl"], 0.0);
  }
}

TEST_F(ReleqSearch, GivesTheSameTrajectoryForOneSeedAndAnotherForAnother) {
  const SearchResult first = search(quick(), context(24));
  const std::vector<json> lines = std::exchange(lines_, {});
  expect_same(search(quick(), context(24)), first);
  EXPECT_EQ(lines_, lines);
  lines_.clear();
  SearchContext other = context(24);
  other.seed = 235;
  search(quick(), other);
  EXPECT_NE(lines_, lines);
}

/// Ended after every single episode, in the middle of walks and of batches, too: the lines after
/// that are those of an uninterrupted run.
TEST_F(ReleqSearch, ResumesFromEveryEpisodeAsIfNothingHadHappened) {
  constexpr int kBudget = 26;
  for (const ScoreAt evaluate : {ScoreAt::kEnd, ScoreAt::kStep}) {
    for (const int redraw : {0, 10}) {
      Options options = quick();
      options.evaluate = evaluate;
      options.redraw = redraw;
      options.uniform_first = redraw > 0;
      options.revisit = redraw > 0 ? 0.7 : 0.0;
      lines_.clear();
      const SearchResult whole = search(options, context(kBudget));
      const std::vector<json> lines = lines_;
      const std::vector<std::string> checkpoints = checkpoints_of(options, kBudget);
      ASSERT_EQ(checkpoints.size(), static_cast<std::size_t>(kBudget));
      options.checkpoint_every = 1000;  // only the end: the disk is slow
      for (int done = 1; done <= kBudget; ++done) {
        write_file(path_, checkpoints[done - 1]);
        lines_.clear();
        SearchContext resumed = context(kBudget);
        resumed.checkpoint = path_;
        resumed.resume = true;
        expect_same(search(options, resumed), whole);
        EXPECT_EQ(lines_, std::vector<json>(lines.begin() + done, lines.end()))
            << done << " " << score_at_name(evaluate) << " " << redraw;
        EXPECT_EQ(read_file(path_), checkpoints.back()) << done;
      }
    }
  }
}

TEST_F(ReleqSearch, StartsFromTheAgentOfAnotherSearchAndKnowsNoPolicyYet) {
  SearchContext first = context(40);
  first.checkpoint = path_;
  search(quick(), first);
  Experience learnt;
  learnt.source = "first";
  learnt.method = "releq";
  learnt.checkpoint = read_checkpoint(path_);
  learnt.digest = "digest of it";
  const std::vector<float> parameters = learnt.checkpoint.arrays.at("ppo.parameters");
  fs::remove(path_);
  lines_.clear();
  SearchContext second = context(1);
  second.start = &learnt;
  second.checkpoint = path_;
  const SearchResult result = search(quick(), second);
  ASSERT_TRUE(result.start);
  EXPECT_EQ(result.start->saved, 0);
  const Checkpoint after = read_checkpoint(path_);
  EXPECT_EQ(after.arrays.at("ppo.parameters"), parameters) << "no update yet";
  EXPECT_LE(after.state.at("releq").at("memory").size(), 1u);
}

TEST_F(ReleqSearch, SurvivesAKillInTheMiddle) {
  // The child runs this test from its start again, in a process of its own.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  SearchContext killed = context(18);
  killed.checkpoint = path_;
  killed.on_episode = [](const json& line) {
    if (line["episode"] == 11) std::raise(SIGKILL);
  };
  EXPECT_EXIT(search(quick(), killed), ::testing::KilledBySignal(SIGKILL), "");
  ASSERT_TRUE(fs::exists(path_));
  const SearchResult whole = search(quick(), context(18));
  const std::vector<json> lines = std::exchange(lines_, {});
  SearchContext resumed = context(18);
  resumed.checkpoint = path_;
  resumed.resume = true;
  expect_same(search(quick(), resumed), whole);
  // Walks are scored three at a time: the first nine were on the disk.
  EXPECT_EQ(lines_, std::vector<json>(lines.begin() + 9, lines.end()));
}

TEST_F(ReleqSearch, AsksAtOnceForWhatItWouldAskForOneByOne) {
  Options options = quick();
  options.uniform_first = true;
  for (const int at_once : {1, 3, 20}) {  // more than eight are never asked for
    for (const int redraw : {0, 10}) {
      options.episodes_per_update = at_once;
      options.redraw = redraw;
      options.revisit = redraw > 0 ? 0.7 : 0.0;
      lines_.clear();
      const SearchResult expected =
          run_search(context(50), options, testing::one_by_one(configure_releq(options)));
      const std::vector<json> lines = std::exchange(lines_, {});
      expect_same(search(options, context(50)), expected);
      EXPECT_EQ(lines_, lines) << at_once << " " << redraw;
    }
  }
}

TEST_F(ReleqSearch, ContinuesWhenTheBudgetGrows) {
  SearchContext first = context(10);
  first.checkpoint = path_;
  search(quick(), first);
  SearchContext more = context(17);
  more.checkpoint = path_;
  more.resume = true;
  const SearchResult result = search(quick(), more);
  const std::vector<json> lines = std::exchange(lines_, {});
  expect_same(search(quick(), context(17)), result);
  EXPECT_EQ(lines_, lines);
}

TEST_F(ReleqSearch, AsksForNoPolicyTwice) {
  Options options = quick();
  options.bits.weight_bits = {2, 8};
  options.redraw = 1000;
  std::set<std::string> seen;
  for (const double revisit : {0.0, 0.5, 1.0}) {
    options.revisit = revisit;
    lines_.clear();
    search(options, context(60));
    seen.clear();
    int redrawn = 0;
    for (const json& line : lines_) {
      EXPECT_TRUE(seen.insert(line["policy"].dump()).second) << line["episode"];
      redrawn += line["redrawn"].get<int>();
    }
    EXPECT_EQ(seen.size(), 60u) << "of 64 in all";
    EXPECT_GT(redrawn, 20);
  }
  // With 0 it asks for what it likes.
  lines_.clear();
  seen.clear();
  options.redraw = 0;
  search(options, context(60));
  for (const json& line : lines_) {
    seen.insert(line["policy"].dump());
    EXPECT_EQ(line["redrawn"], 0);
  }
  EXPECT_LT(seen.size(), 50u);
}

/// Where the agent has nothing new, it goes to the best policy that it had when it last learnt, but
/// for a few decisions.
TEST_F(ReleqSearch, ReturnsToItsBestPolicyWhereItHasNothingNew) {
  Options options = quick();
  options.bits.weight_bits = {2, 4, 6, 8};
  options.episodes_per_update = 1;
  options.revisit = 1.0;
  search(options, context(150));
  double best = -1e9;
  json policy;
  int returned = 0;
  int changes = 0;
  for (const json& line : lines_) {
    EXPECT_EQ(line["revisits"], line["redrawn"] > 0);
    if (line["revisits"]) {
      ++returned;
      for (std::size_t i = 0; i < policy.size(); ++i) changes += line["policy"][i] != policy[i];
    }
    if (line["releq_reward"] <= best) continue;
    best = line["releq_reward"];
    policy = line["policy"];
  }
  ASSERT_GT(returned, 15);
  EXPECT_GE(changes, returned);
  EXPECT_LT(changes, 3 * returned);
  lines_.clear();
  options.revisit = 0.0;
  search(options, context(150));
  for (const json& line : lines_) EXPECT_EQ(line["revisits"], false);
}

/// A space that is used up: the search goes on, and asks again.
TEST_F(ReleqSearch, AsksAgainWhereNothingIsNew) {
  Options options = quick();
  options.bits.weight_bits = {2, 8};
  options.redraw = 5;
  for (const ScoreAt evaluate : {ScoreAt::kEnd, ScoreAt::kStep}) {
    options.evaluate = evaluate;
    lines_.clear();
    search(options, context(150));
    ASSERT_EQ(lines_.size(), 150u);
    EXPECT_EQ(lines_.back()["redrawn"], 5);
  }
}

TEST_F(ReleqSearch, ScoresAfterEveryDecisionWhenAskedTo) {
  Options options = quick();
  options.evaluate = ScoreAt::kStep;
  options.redraw = 0;
  search(options, context(40));
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const json& line = lines_[i];
    const std::size_t step = i % 6;
    EXPECT_EQ(line["agent_episode"], i / 6);
    EXPECT_EQ(line["agent_step"], step);
    // What is not decided about yet has most bits, what was decided stays.
    for (std::size_t layer = step + 1; layer < 6; ++layer) EXPECT_EQ(line["policy"][layer][0], 8);
    for (std::size_t layer = 0; layer < step; ++layer) {
      EXPECT_EQ(line["policy"][layer], lines_[i - 1]["policy"][layer]);
    }
    EXPECT_EQ(line["probabilities"].is_null(), step != 5);
    EXPECT_EQ(line["moving"].is_null(), i < 5);
  }
}

/// A walk of six decisions costs less than six episodes where its first policies are known.
TEST_F(ReleqSearch, KnowsAgainWhatItScoredInTheMiddleOfAWalk) {
  Options options = quick();
  options.evaluate = ScoreAt::kStep;
  options.redraw = 20;
  search(options, context(60));
  std::set<std::string> seen;
  for (const json& line : lines_) {
    EXPECT_TRUE(seen.insert(line["policy"].dump()).second) << line["episode"];
  }
  EXPECT_GT(lines_.back()["agent_episode"], 10) << "no walk was cheaper than six policies";
}

TEST_F(ReleqSearch, GivesWhatIsBelowTheFloorTheWorstReward) {
  Options options = quick();
  options.SearchOptions::reward.accuracy_floor = 85.0;
  search(options, context(30));
  int below = 0;
  for (const json& line : lines_) {
    const bool bad = line["accuracy"] < 85.0;
    below += bad;
    EXPECT_EQ(line["releq_reward"] == -1.0, bad);
  }
  EXPECT_GT(below, 0);
  EXPECT_LT(below, 30);
}

TEST_F(ReleqSearch, GoesBehindTheWallOnlyWhenAskedTo) {
  Options options = quick();
  SearchContext searched = context(25);
  searched.constraints = {{Resource::kLatency, true, 0.4}};
  search(options, searched);
  EXPECT_TRUE(std::any_of(lines_.begin(), lines_.end(),
                          [](const json& line) { return line.contains("meets_limits"); }));
  lines_.clear();
  options.wall_actions = true;
  search(options, searched);
  int rewritten = 0;
  for (const json& line : lines_) {
    EXPECT_LE(line["ratio"]["latency"].get<double>(), 0.4);
    rewritten += line["asked"] != line["policy"];
    // What ran is what is rewarded.
    EXPECT_DOUBLE_EQ(line["state_quantization"], line["ratio"]["latency"]);
  }
  EXPECT_GT(rewritten, 0);
}

TEST_F(ReleqSearch, IsRewardedForWhatTheSearchIsAfter) {
  Options options = quick();
  options.wall_actions = true;
  options.ReleqOptions::reward = reward_of("search");
  SearchContext searched = context(12);
  searched.constraints = {{Resource::kLatency, true, 0.4}};
  search(options, searched);
  for (const json& line : lines_) EXPECT_EQ(line["releq_reward"], line["state_accuracy"]);
  lines_.clear();
  options.SearchOptions::reward.goal = Goal::kCost;
  options.SearchOptions::reward.accuracy_floor = 85.0;
  search(options, searched);
  for (const json& line : lines_) EXPECT_EQ(line["releq_reward"], line["reward"]);
}

TEST_F(ReleqSearch, RunsInEveryModeWithEveryAction) {
  for (const BitMode mode :
       {BitMode::kBoth, BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    for (const BitActions actions : {BitActions::kAbsolute, BitActions::kRelative}) {
      for (const bool lstm : {true, false}) {
        Options options = quick();
        options.bits.mode = mode;
        options.bits.activation_bits = {4, 8};
        if (mode == BitMode::kTied) options.bits.weight_bits = {4, 8};
        options.bits.pin_first_last = true;
        options.environment.actions = actions;
        options.agent.lstm = lstm;
        lines_.clear();
        search(options, context(12));
        ASSERT_EQ(lines_.size(), 12u);
        for (const json& line : lines_) {
          EXPECT_EQ(line["policy"][0], (json{8, 8}));
          EXPECT_EQ(line["policy"][5], (json{8, 8}));
          for (const json& pair : line["policy"]) {
            if (mode == BitMode::kWeights) {
              EXPECT_EQ(pair[1], 8);
            }
            if (mode == BitMode::kActivations) {
              EXPECT_EQ(pair[0], 8);
            }
            if (mode == BitMode::kTied) {
              EXPECT_EQ(pair[0], pair[1]);
            }
          }
        }
      }
    }
  }
}

/// The agent sees the deviations of the weights that an evaluator knows.
TEST_F(ReleqSearch, LooksAtTheWeightsOfTheEvaluator) {
  class WithWeights : public testing::FunctionEvaluator {
   public:
    using FunctionEvaluator::FunctionEvaluator;
    std::vector<double> weight_deviations() override { return deviations; }
    std::vector<double> deviations = {0.1, 0.5, 0.2, 0.2, 0.4, 0.3};
  };
  search(quick(), context(12));
  const std::vector<json> blind = std::exchange(lines_, {});
  WithWeights evaluator(SyntheticProblem::kBaseline,
                        [this](const Policy& policy) { return problem_.accuracy(policy); });
  SearchContext searched = context(12);
  searched.evaluator = &evaluator;
  search(quick(), searched);
  EXPECT_NE(lines_, blind);
  evaluator.deviations.pop_back();
  EXPECT_THAT(error_of(quick(), searched), HasSubstr("weights of 5 layers; the network has 6"));
}

TEST_F(ReleqSearch, RefusesACheckpointOfAnotherSearchOrADamagedOne) {
  Options step = quick();
  step.evaluate = ScoreAt::kStep;
  SearchContext made = context(9);
  made.checkpoint = path_;
  search(step, made);
  const Checkpoint whole = read_checkpoint(path_);
  ASSERT_EQ(whole.state.at("releq").at("walks").size(), 1u);
  SearchContext resumed = context(12);
  resumed.checkpoint = path_;
  resumed.resume = true;
  Options other = step;
  other.agent.clip = 0.3;
  EXPECT_THAT(error_of(other, resumed), HasSubstr("options.clip is"));
  const auto damaged = [&](const std::function<void(Checkpoint&)>& change) {
    Checkpoint checkpoint = whole;
    change(checkpoint);
    write_checkpoint(path_, checkpoint);
    return error_of(step, resumed);
  };
  EXPECT_THAT(damaged([](Checkpoint& c) { c.state.erase("releq"); }),
              HasSubstr("damaged checkpoint"));
  EXPECT_THAT(damaged([](Checkpoint& c) { c.arrays.erase("ppo.parameters"); }),
              HasSubstr("ppo.parameters"));
  EXPECT_THAT(damaged([](Checkpoint& c) { c.state["releq"]["memory"][0] = 5; }),
              HasSubstr("damaged checkpoint"));
  EXPECT_THAT(damaged([](Checkpoint& c) { c.state["releq"]["walks"][0]["step"] = 17; }),
              HasSubstr("does not fit the agent"));
  EXPECT_THAT(
      damaged([](Checkpoint& c) { c.state["releq"]["walks"][0]["hidden"] = json::array(); }),
      HasSubstr("does not fit the agent"));
  EXPECT_THAT(damaged([](Checkpoint& c) {
                json& walks = c.state["releq"]["walks"];
                walks.push_back(json(walks[0]));
              }),
              HasSubstr("does not fit the agent"));
  EXPECT_THAT(damaged([](Checkpoint& c) { c.state["releq"].erase("walks"); }),
              HasSubstr("begin the search anew"));
}

TEST_F(ReleqSearch, ExplainsWhatItCannotDo) {
  testing::FunctionEvaluator useless(0.0, [](const Policy&) { return 0.0; });
  SearchContext searched = context(3);
  searched.evaluator = &useless;
  EXPECT_THAT(error_of(quick(), searched), HasSubstr("full-precision accuracy is 0"));
  Options options = quick();
  options.environment.energy = true;
  EXPECT_THAT(error_of(options, context(3)), HasSubstr("costs nothing there"));
  options = quick();
  options.agent.clip = 0.0;
  EXPECT_THAT(error_of(options, context(3)), HasSubstr("clip is 0"));
}

TEST(ReleqMethod, IsOneOfTheMethodsWithItsKeys) {
  const std::vector<MethodKind> methods = all_methods();
  const MethodKind* kind = find_method(methods, "releq");
  ASSERT_NE(kind, nullptr);
  EXPECT_EQ(kind->keys, releq_keys());
  const ConfiguredMethod method = kind->configure(
      YamlMap(YamlNode::parse("{preset: paper, clip: 0.3}", "test.yaml"), kind->keys));
  EXPECT_EQ(method.name, "releq");
  EXPECT_EQ(method.key["clip"], 0.3);
  EXPECT_EQ(method.key["evaluate"], "step");
  EXPECT_FALSE(method.uses_budget);
}

TEST(ReleqMethod, DoubtsASearchWithoutAnUpdate) {
  ReleqOptions options;
  options.episodes_per_update = 8;
  const ConfiguredMethod method = configure_releq(options);
  EXPECT_TRUE(method.doubts(8).empty());
  ASSERT_EQ(method.doubts(7).size(), 1u);
  EXPECT_THAT(method.doubts(7).front(), HasSubstr("the agent learns nothing"));
}

}  // namespace
}  // namespace bittern
