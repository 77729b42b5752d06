#include <gtest/gtest.h>

#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/rl/ddpg/haq.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/search/driver.h"
#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

using nlohmann::json;
using testing::SyntheticProblem;

struct Killed : std::exception {};

/// One trajectory: what was asked for and what ran, two digits a layer, an episode a line.
struct Case {
  std::uint64_t seed = 1;
  BitMode mode = BitMode::kBoth;
  StoredAction store = StoredAction::kPostWall;
  WallMode wall = WallMode::kMustPay;
  bool pins = false;
  int killed_after = 0;  ///< 0: runs through
};

std::string digits(const json& policy) {
  std::string text;
  for (const json& pair : policy) {
    text += std::to_string(pair[0].get<int>()) + std::to_string(pair[1].get<int>());
  }
  return text;
}

std::vector<std::string> trajectory(const Case& c, const std::filesystem::path& checkpoint) {
  SyntheticProblem problem;
  SearchOptions search;
  search.bits.mode = c.mode;
  search.bits.pin_first_last = c.pins;
  search.wall.mode = c.wall;
  HaqOptions options = paper_haq();
  options.store = c.store;
  options.agent.hidden1 = 24;
  options.agent.hidden2 = 16;
  options.warmup_episodes = 6;
  options.replay_episodes = 10;
  std::vector<std::string> lines;
  int left = c.killed_after > 0 ? c.killed_after : 1000;
  SearchContext context;
  context.network = &problem.cost().network();
  context.cost = &problem.cost();
  context.evaluator = &problem.evaluator();
  context.constraints = {{Resource::kLatency, true, 0.5}};
  context.seed = c.seed;
  context.budget = 24;
  context.checkpoint = checkpoint;
  context.on_resume = [&](int first, const json&) { lines.resize(first); };
  context.on_episode = [&](const json& line) {
    lines.push_back(digits(line.at("asked")) + " " + digits(line.at("policy")));
    // The line of the episode is there, its checkpoint is not.
    if (--left == 0) throw Killed();
  };
  try {
    run_search(context, search, configure_haq(options));
  } catch (const Killed&) {
    if (!std::filesystem::exists(checkpoint)) lines.clear();
    context.resume = true;
    run_search(context, search, configure_haq(options));
  }
  return lines;
}

/// The trajectories of the first release of the search: whatever is changed around the agent, its
/// decisions stay. Bits are compared, which do not hang on the last digit of a product.
TEST(HaqTrajectory, IsWhatItAlwaysWas) {
  const std::filesystem::path file =
      std::filesystem::path(BITTERN_SOURCE_DIR) / "tests/agent/rl/ddpg/data/haq_trajectories.json";
  const std::vector<Case> cases = {
      {1},
      {2, BitMode::kBoth, StoredAction::kPreWall, WallMode::kHaq},
      {3, BitMode::kWeights},
      {4, BitMode::kTied, StoredAction::kPostWall, WallMode::kBestRatio},
      {5, BitMode::kBoth, StoredAction::kPostWall, WallMode::kMustPay, true},
      {6, BitMode::kActivations, StoredAction::kPreWall},
  };
  TemporaryFolder folder;
  const json golden = json::parse(read_file(file));
  ASSERT_EQ(golden.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const auto expected = golden[i].get<std::vector<std::string>>();
    ASSERT_EQ(expected.size(), 24u);
    EXPECT_EQ(trajectory(cases[i], ""), expected);
    {
      const int killed_after = 11;
      Case killed = cases[i];
      killed.killed_after = killed_after;
      const auto path = folder / (std::to_string(i));
      EXPECT_EQ(trajectory(killed, path), expected) << "killed after " << killed_after;
    }
  }
}

}  // namespace
}  // namespace bittern
