#include "agent/rl/ddpg/haq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>

#include "agent/rl/ddpg/replay.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/search/checkpoint.h"
#include "host/search/driver.h"
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
struct Options : SearchOptions, HaqOptions {};

SearchResult search(const Options& options, const SearchContext& context) {
  return run_search(context, options, configure_haq(options));
}

/// Small networks and a short warm-up: what is tested is the search around them.
Options quick() {
  Options options;
  options.bits.pin_first_last = false;
  options.agent.hidden1 = 24;
  options.agent.hidden2 = 16;
  options.warmup_episodes = 8;
  options.replay_episodes = 10;  // the ring wraps within a test
  return options;
}

class Search : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(::testing::TempDir()) /
            (std::string("haq_search_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove(path_);
  }
  void TearDown() override { fs::remove(path_); }

  SearchContext context(int budget) {
    SearchContext context;
    context.network = &problem_.cost().network();
    context.cost = &problem_.cost();
    context.evaluator = &problem_.evaluator();
    context.constraints = {{Resource::kLatency, true, 0.5}};
    context.seed = 234;
    context.budget = budget;
    context.on_episode = [this](const json& line) {
      json fixed = line;
      EXPECT_TRUE(fixed.contains("time"));
      fixed.erase("time");
      lines_.push_back(fixed);
    };
    return context;
  }

  std::string error_of(const Options& options, const SearchContext& context) {
    return message_of([&] { search(options, context); });
  }

  SyntheticProblem problem_;
  fs::path path_;
  std::vector<json> lines_;
};

void expect_same(const SearchResult& a, const SearchResult& b) {
  EXPECT_EQ(a.episodes, b.episodes);
  ASSERT_EQ(a.ranked.size(), b.ranked.size());
  for (std::size_t i = 0; i < a.ranked.size(); ++i) {
    EXPECT_EQ(a.ranked[i].policy, b.ranked[i].policy);
    EXPECT_EQ(a.ranked[i].reward, b.ranked[i].reward);
    EXPECT_EQ(a.ranked[i].cost.latency_s, b.ranked[i].cost.latency_s);
    EXPECT_EQ(a.ranked[i].episode, b.ranked[i].episode);
  }
}

/// Bits that a line says were asked for, where they are the same everywhere; 0 otherwise.
int uniform_bits(const json& line) {
  const int bits = line["asked"][0][0];
  for (const json& pair : line["asked"]) {
    if (pair[0] != bits || pair[1] != bits) return 0;
  }
  return bits;
}

/// Policies that ran, each once.
std::set<json> policies_of(const std::vector<json>& lines) {
  std::set<json> policies;
  for (const json& line : lines) policies.insert(line["policy"]);
  return policies;
}

TEST_F(Search, AsksForNothingTwiceAsLongAsThereIsSomethingNew) {
  Options options = quick();
  options.bits.mode = BitMode::kTied;
  options.bits.weight_bits = options.bits.activation_bits = {2, 8};
  SearchContext searched = context(40);  // of 64 policies
  searched.constraints.clear();
  search(options, searched);
  EXPECT_EQ(policies_of(lines_).size(), 40u);
  EXPECT_TRUE(std::any_of(lines_.begin(), lines_.end(),
                          [](const json& line) { return line["redrawn"] > 0; }));
  lines_.clear();
  searched.budget = 70;  // more than there are: known ones are asked for again
  search(options, searched);
  EXPECT_EQ(lines_.size(), 70u);
  lines_.clear();
  options.redraw = 0;
  search(options, searched);
  EXPECT_LT(policies_of(lines_).size(), 40u);
  for (const json& line : lines_) EXPECT_EQ(line["redrawn"], 0);
}

TEST_F(Search, WarmsUpWithUniformBitsFirst) {
  search(quick(), context(9));
  for (int episode = 0; episode < 7; ++episode) {
    EXPECT_EQ(uniform_bits(lines_[static_cast<std::size_t>(episode)]), 8 - episode);
  }
  EXPECT_EQ(uniform_bits(lines_[7]), 0);  // the eighth of the warm-up is drawn
}

TEST_F(Search, UniformBitsComeFirstHoweverShortTheWarmUp) {
  Options options = quick();
  options.warmup_episodes = 3;
  search(options, context(8));
  EXPECT_EQ(uniform_bits(lines_[6]), 2);
  EXPECT_FALSE(lines_[3]["warmup"]);
  EXPECT_TRUE(lines_[3]["sigma"].is_null());
  EXPECT_FALSE(lines_[3]["critic_loss"].is_null());  // the agent learns from them
  EXPECT_FALSE(lines_[7]["sigma"].is_null());
}

TEST_F(Search, WarmsUpWithDrawnBitsAloneWhereItIsTold) {
  Options options = quick();
  options.uniform_first = false;
  search(options, context(8));
  for (const json& line : lines_) EXPECT_EQ(uniform_bits(line), 0);
}

TEST_F(Search, WritesOneCompleteLineAnEpisode) {
  const SearchResult result = search(quick(), context(20));
  ASSERT_EQ(lines_.size(), 20u);
  EXPECT_EQ(result.episodes, 20);
  EXPECT_FALSE(result.stopped);
  double best = -1e9;
  for (int episode = 0; episode < 20; ++episode) {
    const json& line = lines_[episode];
    EXPECT_EQ(line["episode"], episode);
    EXPECT_EQ(line["warmup"], episode < 8);
    EXPECT_EQ(line["sigma"].is_null(), episode < 8);
    EXPECT_EQ(line["critic_loss"].is_null(), episode < 8);
    if (episode >= 8) {
      EXPECT_DOUBLE_EQ(line["sigma"], std::max(0.1, 0.25 * std::pow(0.995, episode - 8)));
    }
    Policy policy;
    for (const auto& pair : line["policy"]) policy.push_back({pair[0], pair[1]});
    EXPECT_LE(line["ratio"]["latency"].get<double>(), 0.5);
    EXPECT_TRUE(line["ratio"]["energy"].is_null());
    EXPECT_DOUBLE_EQ(line["accuracy"], problem_.accuracy(policy));
    EXPECT_DOUBLE_EQ(line["reward"], 0.1 * (problem_.accuracy(policy) - 92.0));
    best = std::max(best, line["reward"].get<double>());
    EXPECT_EQ(line["best_reward"], best);
    double cycles = 0.0;
    for (std::size_t layer = 0; layer < policy.size(); ++layer) {
      cycles += problem_.latency(layer, policy[layer]);
    }
    EXPECT_EQ(line["cost"]["cycles"], cycles);
    EXPECT_EQ(line["cost"]["origin"], "table");
    EXPECT_EQ(line["asked"].size(), policy.size());
  }
  EXPECT_EQ(result.ranked.front().reward, best);
}

TEST_F(Search, RanksEachPolicyOnceBestFirst) {
  Options options = quick();
  options.keep_best = 7;
  options.bits.weight_bits = options.bits.activation_bits = {2, 4};
  const SearchResult result = search(options, context(60));
  EXPECT_LE(result.ranked.size(), 7u);
  std::set<std::vector<int>> seen;
  for (std::size_t i = 0; i < result.ranked.size(); ++i) {
    std::vector<int> flat;
    for (const BitPair& bits : result.ranked[i].policy) {
      flat.push_back(bits.weight);
      flat.push_back(bits.activation);
    }
    EXPECT_TRUE(seen.insert(flat).second);
    if (i > 0) {
      EXPECT_LE(result.ranked[i].reward, result.ranked[i - 1].reward);
    }
  }
}

TEST_F(Search, RanksPoliciesBelowTheFloorLast) {
  Options options = quick();
  options.reward.accuracy_floor = 88.0;
  options.keep_best = 1000;
  const SearchResult result = search(options, context(40));
  bool below = false;
  int above = 0;
  for (const Candidate& candidate : result.ranked) {
    EXPECT_EQ(candidate.meets_floor, candidate.accuracy.top1 >= 88.0);
    below = below || !candidate.meets_floor;
    above += candidate.meets_floor;
    EXPECT_EQ(candidate.meets_floor, !below);
  }
  EXPECT_TRUE(below);
  EXPECT_GT(above, 0);
}

TEST_F(Search, GivesTheSameTrajectoryForOneSeedAndAnotherForAnother) {
  const SearchResult first = search(quick(), context(16));
  const std::vector<json> lines = std::exchange(lines_, {});
  expect_same(search(quick(), context(16)), first);
  EXPECT_EQ(lines_, lines);
  lines_.clear();
  SearchContext other = context(16);
  other.seed = 235;
  search(quick(), other);
  EXPECT_NE(lines_, lines);
}

/// Killed after every single episode: the lines after that are those of an uninterrupted run.
TEST_F(Search, ResumesFromEveryEpisodeAsIfNothingHadHappened) {
  constexpr int kBudget = 24;
  const SearchResult whole = search(quick(), context(kBudget));
  const std::vector<json> lines = std::exchange(lines_, {});

  // The checkpoints of searches that end after each episode, within the batch of the warm-up, too.
  std::vector<std::string> checkpoints;
  for (int done = 1; done <= kBudget; ++done) {
    SearchContext recording = context(done);
    recording.checkpoint = path_;
    search(quick(), recording);
    checkpoints.push_back(read_file(path_));
  }

  for (int done = 1; done <= kBudget; ++done) {
    write_file(path_, checkpoints[done - 1]);
    lines_.clear();
    SearchContext resumed = context(kBudget);
    resumed.checkpoint = path_;
    resumed.resume = true;
    int first = -1;
    resumed.on_resume = [&first](int episode, const nlohmann::json&) { first = episode; };
    expect_same(search(quick(), resumed), whole);
    EXPECT_EQ(first, done);
    EXPECT_EQ(lines_, std::vector<json>(lines.begin() + done, lines.end())) << done;
    // The end is on the disk, too, and is the same to the last bit.
    EXPECT_EQ(read_file(path_), checkpoints.back());
  }
}

TEST_F(Search, ResumesFromAnOlderCheckpointWhenTheyAreRare) {
  Options options = quick();
  options.checkpoint_every = 3;  // after the warm-up of 8, and after 11
  const SearchResult whole = search(options, context(19));
  const std::vector<json> lines = std::exchange(lines_, {});
  SearchContext broken = context(19);
  broken.checkpoint = path_;
  testing::FunctionEvaluator failing(SyntheticProblem::kBaseline, [&](const Policy& policy) {
    if (failing.asked == 14) fail("the evaluator broke");
    return problem_.accuracy(policy);
  });
  broken.evaluator = &failing;
  EXPECT_THAT(error_of(options, broken), HasSubstr("the evaluator broke"));
  ASSERT_EQ(lines_.size(), 13u);
  EXPECT_EQ(lines_, std::vector<json>(lines.begin(), lines.begin() + 13));
  lines_.clear();
  SearchContext resumed = context(19);
  resumed.checkpoint = path_;
  resumed.resume = true;
  int first = -1;
  resumed.on_resume = [&first](int episode, const nlohmann::json&) { first = episode; };
  expect_same(search(options, resumed), whole);
  EXPECT_EQ(first, 11);
  EXPECT_EQ(lines_, std::vector<json>(lines.begin() + 11, lines.end()));
}

TEST_F(Search, SurvivesAKillInTheMiddle) {
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
  EXPECT_EQ(lines_, std::vector<json>(lines.begin() + 11, lines.end()));
}

TEST_F(Search, WarmsUpAtOnceWithWhatItWouldAskForOneByOne) {
  Options options = quick();
  options.bits.weight_bits = options.bits.activation_bits = {2, 8};
  for (const int warmup : {0, 3, 21}) {
    for (const int redraw : {0, 10}) {
      options.warmup_episodes = warmup;
      options.redraw = redraw;
      lines_.clear();
      const SearchResult expected =
          run_search(context(30), options, testing::one_by_one(configure_haq(options)));
      const std::vector<json> lines = std::exchange(lines_, {});
      expect_same(search(options, context(30)), expected);
      EXPECT_EQ(lines_, lines) << warmup << " " << redraw;
    }
  }
}

TEST_F(Search, StopsWithinTheWarmUpAndGoesOnThere) {
  const SearchResult whole = search(quick(), context(15));
  const std::vector<json> lines = std::exchange(lines_, {});
  std::atomic<bool> stop{false};
  testing::FunctionEvaluator stopping(SyntheticProblem::kBaseline, [&](const Policy& policy) {
    if (stopping.asked == 5) stop = true;
    return problem_.accuracy(policy);
  });
  SearchContext stopped = context(15);
  stopped.evaluator = &stopping;
  stopped.checkpoint = path_;
  stopped.stop = &stop;
  EXPECT_EQ(search(quick(), stopped).episodes, 5);
  stop = false;
  SearchContext resumed = stopped;
  resumed.resume = true;
  expect_same(search(quick(), resumed), whole);
  EXPECT_EQ(lines_, lines);
}

TEST_F(Search, EndsAfterTheEpisodeInWhichItIsStopped) {
  const SearchResult whole = search(quick(), context(15));
  const std::vector<json> lines = std::exchange(lines_, {});
  std::atomic<bool> stop{false};
  Options options = quick();
  options.checkpoint_every = 100;
  SearchContext stopped = context(15);
  stopped.checkpoint = path_;
  stopped.stop = &stop;
  const auto record = stopped.on_episode;
  stopped.on_episode = [&](const json& line) {
    record(line);
    if (line["episode"] == 9) stop = true;
  };
  const SearchResult partial = search(options, stopped);
  EXPECT_TRUE(partial.stopped);
  EXPECT_EQ(partial.episodes, 10);
  EXPECT_EQ(lines_.size(), 10u);
  stop = false;
  SearchContext resumed = stopped;
  resumed.resume = true;
  expect_same(search(options, resumed), whole);
  EXPECT_EQ(lines_, lines);
}

TEST_F(Search, GoesOnWhenTheBudgetGrows) {
  SearchContext first = context(10);
  first.checkpoint = path_;
  search(quick(), first);
  SearchContext more = context(14);
  more.checkpoint = path_;
  more.resume = true;
  const SearchResult result = search(quick(), more);
  const std::vector<json> lines = std::exchange(lines_, {});
  expect_same(search(quick(), context(14)), result);
  EXPECT_EQ(lines_, lines);
}

TEST_F(Search, StartsAnewWhenThereIsNothingToResume) {
  SearchContext resumed = context(3);
  resumed.checkpoint = path_;
  resumed.resume = true;
  bool called = false;
  resumed.on_resume = [&called](int, const nlohmann::json&) { called = true; };
  EXPECT_EQ(search(quick(), resumed).episodes, 3);
  EXPECT_FALSE(called);
}

TEST_F(Search, StartsFromAnAgentOfAnotherSearchWithoutAWarmUp) {
  SearchContext first = context(30);
  first.checkpoint = path_;
  search(quick(), first);
  Experience learnt;
  learnt.source = "first";
  learnt.method = "haq";
  learnt.checkpoint = read_checkpoint(path_);
  learnt.digest = "digest of it";
  fs::remove(path_);
  lines_.clear();
  SearchContext second = context(12);
  second.constraints = {{Resource::kLatency, true, 0.35}};
  second.start = &learnt;
  const SearchResult whole = search(quick(), second);
  ASSERT_TRUE(whole.start);
  EXPECT_EQ(whole.start->saved, 8) << "episodes of warm-up";
  const std::vector<json> lines = std::exchange(lines_, {});
  for (const json& line : lines) EXPECT_EQ(line["warmup"], false);
  // Behind the uniform bits the agent acts at once.
  const auto agent = std::find_if(lines.begin(), lines.end(),
                                  [](const json& line) { return !line["sigma"].is_null(); });
  ASSERT_NE(agent, lines.end());
  EXPECT_LT(agent - lines.begin(), 8);
  // The networks are the other's: the same seed without them asks for something else.
  Options cold = quick();
  cold.warmup_episodes = 0;
  SearchContext alone = context(12);
  alone.constraints = second.constraints;
  search(cold, alone);
  EXPECT_NE(lines_[static_cast<std::size_t>(agent - lines.begin())]["asked"], (*agent)["asked"]);

  // Killed and resumed, it goes on as one that started.
  lines_.clear();
  std::atomic<bool> stop{false};
  SearchContext stopped = second;
  stopped.checkpoint = path_;
  stopped.stop = &stop;
  stopped.on_episode = [&](const json&) { stop = true; };
  search(quick(), stopped);
  SearchContext resumed = second;
  resumed.checkpoint = path_;
  resumed.resume = true;
  expect_same(search(quick(), resumed), whole);
  EXPECT_EQ(lines_, std::vector<json>(lines.begin() + 1, lines.end()));

  Options wider = quick();
  wider.agent.hidden1 = 32;
  EXPECT_THAT(error_of(wider, second), HasSubstr("its method had other settings"));
  learnt.method = "random";
  EXPECT_THAT(error_of(quick(), second), HasSubstr("first was searched by random"));
}

TEST_F(Search, ReturnsToTheBestPolicyOfAnotherSearchThatIsWithinItsLimits) {
  Options options = quick();
  options.uniform_first = false;
  SearchContext first = context(30);
  first.checkpoint = path_;
  search(options, first);
  Experience learnt;
  learnt.source = "first";
  learnt.method = "haq";
  learnt.checkpoint = read_checkpoint(path_);
  learnt.digest = "digest of it";
  json best;
  for (const json& line : lines_) {
    Policy policy;
    for (const json& pair : line["policy"]) policy.push_back({pair[0], pair[1]});
    learnt.scores.push_back({policy, {line["accuracy"].get<double>(), 0.0}});
    if (line["ratio"]["latency"] > 0.4) continue;
    if (best.is_null() || line["reward"] > best["reward"]) best = line;
  }
  ASSERT_FALSE(best.is_null());
  fs::remove(path_);
  lines_.clear();
  options.noise = options.noise_floor = 0.0;
  options.redraw = 0;
  options.candidates = 1;
  SearchContext second = context(1);
  second.constraints = {{Resource::kLatency, true, 0.4}};
  second.start = &learnt;
  const auto asked = [&](double share) {
    Options returning = options;
    returning.revisit = share;
    search(returning, second);
    return lines_.back()["asked"];
  };
  EXPECT_EQ(asked(1.0), best["policy"]);
  EXPECT_NE(asked(0.0), best["policy"]);
}

TEST_F(Search, RefusesACheckpointOfAnotherSearch) {
  SearchContext made = context(10);
  made.checkpoint = path_;
  search(quick(), made);
  const auto message = [&](const std::function<void(Options&, SearchContext&)>& change) {
    Options options = quick();
    SearchContext resumed = context(12);
    resumed.checkpoint = path_;
    resumed.resume = true;
    change(options, resumed);
    std::string text = error_of(options, resumed);
    problem_.cost().name = "function cost";
    problem_.evaluator().name = "function evaluator";
    return text;
  };
  EXPECT_THAT(message([](Options&, SearchContext& c) { c.seed = 5; }),
              HasSubstr("seed is 234 there and 5 here"));
  EXPECT_THAT(message([](Options& o, SearchContext&) { o.agent.batch = 32; }),
              HasSubstr("options.batch is 64 there and 32 here"));
  EXPECT_THAT(message([](Options& o, SearchContext&) { o.store = StoredAction::kPreWall; }),
              HasSubstr("options.store"));
  EXPECT_THAT(message([](Options&, SearchContext& c) { c.constraints[0].limit = 0.6; }),
              HasSubstr("constraints is"));
  EXPECT_THAT(message([&](Options&, SearchContext&) { problem_.cost().name = "other"; }),
              HasSubstr("cost_model is \"function cost\" there and \"other\" here"));
  EXPECT_THAT(message([&](Options&, SearchContext&) { problem_.evaluator().name = "other"; }),
              HasSubstr("evaluator is"));
  Network changed = SyntheticProblem::network();
  changed.layers[2].out_channels = 48;
  EXPECT_THAT(message([&](Options&, SearchContext& c) { c.network = &changed; }),
              HasSubstr("network.layers"));
  // What does not change the trajectory may change.
  Options options = quick();
  options.checkpoint_every = 3;
  SearchContext resumed = context(12);
  resumed.checkpoint = path_;
  resumed.resume = true;
  EXPECT_NO_THROW(search(options, resumed));
}

TEST_F(Search, RefusesADamagedCheckpoint) {
  SearchContext made = context(10);
  made.checkpoint = path_;
  search(quick(), made);
  const std::string whole = read_file(path_);
  SearchContext resumed = context(12);
  resumed.checkpoint = path_;
  resumed.resume = true;
  write_file(path_, std::string_view(whole).substr(0, whole.size() / 2));
  EXPECT_THAT(error_of(quick(), resumed), HasSubstr("damaged checkpoint"));
  write_file(path_, "garbage");
  EXPECT_THAT(error_of(quick(), resumed), HasSubstr("not a checkpoint"));
  // Well formed, but with contents that do not belong there.
  write_file(path_, whole);
  Checkpoint checkpoint = read_checkpoint(path_);
  checkpoint.arrays.erase("replay");
  write_checkpoint(path_, checkpoint);
  EXPECT_THAT(error_of(quick(), resumed), HasSubstr("replay memory is missing"));
  checkpoint.state.erase("best");
  write_checkpoint(path_, checkpoint);
  EXPECT_THAT(error_of(quick(), resumed), HasSubstr("damaged checkpoint"));
}

/// The replay memory as a search leaves it behind.
std::vector<Transition> memory_of(const fs::path& path, std::size_t capacity) {
  Replay replay(capacity);
  replay.load(read_checkpoint(path).arrays.at("replay"));
  std::vector<Transition> result;
  for (std::size_t i = 0; i < replay.size(); ++i) result.push_back(replay.at(i));
  return result;
}

TEST_F(Search, RemembersWhatWasRunOrWhatWasAskedFor) {
  for (const StoredAction stored : {StoredAction::kPostWall, StoredAction::kPreWall}) {
    lines_.clear();
    Options options = quick();
    options.store = stored;
    SearchContext searched = context(6);
    searched.checkpoint = path_;
    search(options, searched);
    const std::vector<Transition> memory = memory_of(path_, 10 * 12);
    ASSERT_EQ(memory.size(), 6u * 12u);
    int rewritten = 0;
    for (int episode = 0; episode < 6; ++episode) {
      const json& line = lines_[episode];
      const json& bits = line[stored == StoredAction::kPostWall ? "policy" : "asked"];
      for (int step = 0; step < 12; ++step) {
        const Transition& transition = memory[episode * 12 + step];
        const int decided = bits[step / 2][step % 2];
        rewritten += line["policy"][step / 2][step % 2] != line["asked"][step / 2][step % 2];
        EXPECT_EQ(bits_of_action(transition.action, {2, 3, 4, 5, 6, 7, 8}), decided);
        EXPECT_FLOAT_EQ(transition.reward, line["reward"].get<float>());
        EXPECT_EQ(transition.done, step == 11);
        if (step == 11) continue;
        EXPECT_FLOAT_EQ(transition.next[8], static_cast<float>(decided) / 8.0f);
        EXPECT_EQ(memory[episode * 12 + step + 1].state, transition.next);
      }
    }
    EXPECT_GT(rewritten, 0) << "the wall did nothing: the test shows nothing";
  }
}

TEST_F(Search, RemembersBothWhereTheWallRewroteSomething) {
  Options options = quick();
  options.store = StoredAction::kBoth;
  SearchContext searched = context(6);
  searched.checkpoint = path_;
  search(options, searched);
  const std::vector<Transition> memory = memory_of(path_, 2 * 10 * 12);
  std::size_t at = 0;
  int rewritten = 0;
  for (const json& line : lines_) {
    std::vector<json> walks = {line["policy"]};
    if (line["asked"] != line["policy"]) walks.push_back(line["asked"]);
    rewritten += static_cast<int>(walks.size()) - 1;
    for (const json& walk : walks) {
      for (int step = 0; step < 12; ++step, ++at) {
        ASSERT_LT(at, memory.size());
        EXPECT_EQ(bits_of_action(memory[at].action, {2, 3, 4, 5, 6, 7, 8}),
                  walk[step / 2][step % 2]);
        EXPECT_FLOAT_EQ(memory[at].reward, line["reward"].get<float>());
      }
    }
  }
  EXPECT_EQ(at, memory.size());
  EXPECT_GT(rewritten, 0) << "the wall did nothing: the test shows nothing";
}

TEST_F(Search, LearnsTheSameFromRanksWhateverTheRewardIsMultipliedBy) {
  const auto learning = [&](LearntReward learnt, double scale) {
    lines_.clear();
    Options options = quick();
    options.learnt = learnt;
    options.reward.scale = scale;
    search(options, context(20));
    std::vector<json> result;
    for (const json& line : lines_) result.push_back({line["asked"], line["critic_loss"]});
    return result;
  };
  // Powers of two, so that equal rewards stay equal.
  EXPECT_EQ(learning(LearntReward::kRank, 0.125), learning(LearntReward::kRank, 8.0));
  EXPECT_NE(learning(LearntReward::kReward, 0.125), learning(LearntReward::kReward, 8.0));
}

TEST_F(Search, ReturnsToTheBestPolicyAsOftenAsItIsTold) {
  Options options = quick();
  options.noise = options.noise_floor = 0.0;
  options.redraw = 0;
  options.candidates = 1;
  for (const double share : {0.0, 0.5, 1.0}) {
    options.revisit = share;
    lines_.clear();
    search(options, context(60));
    json best = lines_[0];
    int returned = 0;
    for (std::size_t i = 1; i < lines_.size(); ++i) {
      if (lines_[i]["revisits"].get<bool>()) {
        ++returned;
        EXPECT_EQ(lines_[i]["asked"], best["policy"]) << "without noise it is the best itself";
      }
      if (lines_[i]["reward"] > best["reward"]) best = lines_[i];
    }
    EXPECT_NEAR(returned, share * (60 - options.warmup_episodes), 12 * share * (1 - share) * 4)
        << share;
  }
}

TEST_F(Search, NeverExploresWithLessNoiseThanTheFloor) {
  Options options = quick();
  options.noise = 0.5;
  options.noise_decay = 0.5;
  options.noise_floor = 0.2;
  search(options, context(14));
  EXPECT_DOUBLE_EQ(lines_[8]["sigma"], 0.5);
  EXPECT_DOUBLE_EQ(lines_[9]["sigma"], 0.25);
  for (int episode = 10; episode < 14; ++episode) EXPECT_EQ(lines_[episode]["sigma"], 0.2);
}

TEST_F(Search, SavesCostAndKeepsTheAccuracyWhereThatIsTheGoal) {
  Options options = quick();
  options.reward.goal = Goal::kCost;
  options.reward.accuracy_floor = 88.0;
  SearchContext searched = context(60);
  searched.constraints = {{Resource::kLatency, true, 1.0}};
  const SearchResult result = search(options, searched);
  double cheapest = 1.0;
  for (const json& line : lines_) {
    EXPECT_EQ(line["wall_steps"], 0);
    EXPECT_EQ(line["asked"], line["policy"]);
    const double ratio = line["ratio"]["latency"];
    const double accuracy = line["accuracy"];
    EXPECT_NEAR(line["reward"], 1.0 - ratio - 0.2 * std::max(0.0, 88.0 - accuracy), 1e-12);
    if (accuracy >= 88.0) cheapest = std::min(cheapest, ratio);
  }
  ASSERT_LT(cheapest, 1.0);
  const Candidate& best = result.ranked.front();
  EXPECT_GE(best.accuracy.top1, 88.0);
  double reference = 0.0;
  for (std::size_t i = 0; i < 6; ++i) reference += problem_.latency(i, {8, 8});
  EXPECT_DOUBLE_EQ(best.cost.latency_s / reference, cheapest);
}

TEST_F(Search, ReturnsToNoPolicyBelowTheFloorWhileThereIsOneAbove) {
  Options options = quick();
  options.reward.goal = Goal::kCost;
  options.reward.accuracy_floor = 91.0;
  options.noise = options.noise_floor = 0.0;
  options.redraw = 0;
  options.candidates = 1;
  options.revisit = 1.0;
  SearchContext searched = context(30);
  searched.constraints = {{Resource::kLatency, true, 1.0}};
  search(options, searched);
  double most = -1e9;
  double most_above = -1e9;
  json best;
  for (const json& line : lines_) {
    if (line["revisits"].get<bool>()) {
      EXPECT_EQ(line["asked"], best) << line["episode"];
    }
    most = std::max(most, line["reward"].get<double>());
    if (line["accuracy"] < 91.0 || line["reward"] <= most_above) continue;
    most_above = line["reward"];
    best = line["policy"];
  }
  EXPECT_GT(most, most_above) << "below the floor is the highest reward";
}

TEST_F(Search, NeedsAnAccuracyAndAResourceToSaveCost) {
  Options options = quick();
  options.reward.goal = Goal::kCost;
  EXPECT_THAT(error_of(options, context(5)), HasSubstr("accuracy_floor"));
  options.reward.accuracy_floor = 90.0;
  SearchContext free = context(5);
  free.constraints.clear();
  EXPECT_THAT(error_of(options, free), HasSubstr("needs a constraint"));
  options.reward.accuracy_weight = 0.0;
  EXPECT_THAT(error_of(options, context(5)), HasSubstr("accuracy_weight is 0"));
  EXPECT_THROW(parse_goal("size"), Error);
}

TEST_F(Search, ExplainsWhatItCannotDo) {
  SearchContext impossible = context(5);
  impossible.constraints[0].limit = 0.01;
  EXPECT_THAT(error_of(quick(), impossible), HasSubstr("cannot be met"));
  SearchContext none = context(0);
  EXPECT_THAT(error_of(quick(), none), HasSubstr("0 episodes"));
  SearchContext empty;
  EXPECT_THAT(error_of(quick(), empty), HasSubstr("are all needed"));
  SearchContext broken = context(5);
  testing::FunctionEvaluator evaluator(92.0, [](const Policy&) { return std::nan(""); });
  broken.evaluator = &evaluator;
  EXPECT_THAT(error_of(quick(), broken), HasSubstr("an accuracy of nan in episode 0"));
  Options options = quick();
  options.noise_decay = 1.5;
  EXPECT_THAT(error_of(options, context(5)), HasSubstr("noise_decay is 1.5"));
  EXPECT_THROW(parse_stored_action("neither"), Error);
}

TEST_F(Search, RunsInEveryModeAndWithoutConstraints) {
  for (const BitMode mode :
       {BitMode::kBoth, BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    Options options = quick();
    options.bits.mode = mode;
    SearchContext searched = context(12);
    if (mode == BitMode::kWeights) searched.constraints.clear();
    const SearchResult result = search(options, searched);
    ASSERT_FALSE(result.ranked.empty());
    for (const BitPair& bits : result.ranked.front().policy) {
      if (mode == BitMode::kWeights) {
        EXPECT_EQ(bits.activation, 8);
      }
      if (mode == BitMode::kActivations) {
        EXPECT_EQ(bits.weight, 8);
      }
      if (mode == BitMode::kTied) {
        EXPECT_EQ(bits.weight, bits.activation);
      }
    }
  }
}

}  // namespace
}  // namespace bittern
