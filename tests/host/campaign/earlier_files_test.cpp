// tests/data/version_1 was written by the program as it was when its formats got their numbers.
// What people have on their disks looks so, and has to stay readable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/campaign/accuracy_source.h"
#include "host/campaign/runner.h"
#include "host/cost/lut.h"
#include "host/network/network.h"
#include "host/search/methods.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class EarlierFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    fs::copy(BITTERN_SOURCE_DIR "/tests/data/version_1", folder_ / "files",
             fs::copy_options::recursive);
  }
  fs::path file(const char* name) const { return folder_ / "files" / name; }
  CampaignResult run(const fs::path& out, bool resume, const char* episodes) const {
    const CampaignKinds kinds = {host_methods(), host_evaluators()};
    const Campaign campaign = load_campaign(file("campaign.yaml").string(),
                                            {std::string("search.episodes=") + episodes}, &kinds);
    RunOptions options;
    options.out = out;
    options.resume = resume;
    return run_campaign(campaign, options);
  }
  static std::vector<json> lines(const fs::path& out) {
    std::vector<json> found;
    std::istringstream text(read_file(out / "episodes.jsonl"));
    for (std::string line; std::getline(text, line);) {
      found.push_back(json::parse(line));
      found.back().erase("time");
      // Came later.
      found.back().erase("evaluations");
    }
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(EarlierFiles, NetworkPolicyTableAndResultAreRead) {
  const Network network = load_network(file("small.yaml").string());
  ASSERT_EQ(network.layers.size(), 3u);
  const Policy policy = load_policy(file("policy.json"), network);
  EXPECT_EQ(policy[1], (BitPair{8, 8}));
  EXPECT_EQ(load_lut(file("costs.csv")).size(), 3u * 7u);
  const CampaignResult result = campaign_result_from_json(
      json::parse(read_file(folder_ / "files" / "run_directory" / "result.json")));
  EXPECT_EQ(result.campaign, "tables");
  EXPECT_EQ(result.episodes, 6);
  EXPECT_EQ(result.best.policy(), policy);
}

TEST_F(EarlierFiles, ARunDirectoryGoesOnAsIfItHadNeverStopped) {
  const std::vector<json> before = lines(file("run_directory"));
  ASSERT_EQ(before.size(), 6u);
  const CampaignResult resumed = run(file("run_directory"), true, "12");
  const CampaignResult fresh = run(folder_ / "fresh", false, "12");
  EXPECT_EQ(resumed.best.policy(), fresh.best.policy());
  const std::vector<json> after = lines(file("run_directory"));
  EXPECT_EQ(after, lines(folder_ / "fresh"));
  EXPECT_EQ(std::vector<json>(after.begin(), after.begin() + 6), before);
}

}  // namespace
}  // namespace bittern
