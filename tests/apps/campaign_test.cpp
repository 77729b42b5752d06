#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "host/base/file.h"
#include "host/base/random.h"
#include "tests/apps/cli.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// `bittern run` as a child process that can be killed.
class RunningCampaign {
 public:
  RunningCampaign(const fs::path& campaign, const fs::path& out, const fs::path& store,
                  const fs::path& log) {
    const std::string program = std::string(BITTERN_BINARY_DIR) + "/bin/bittern";
    const std::vector<std::string> words = {program,      "run",     campaign.string(), "--out",
                                            out.string(), "--store", store.string(),    "--resume",
                                            "--workers",  "1"};
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      // Freopen keeps the test's own output clean; the log tells what happened when a test fails.
      if (::freopen(log.c_str(), "a", stdout) != nullptr &&
          ::freopen(log.c_str(), "a", stderr) != nullptr) {
        ::execv(program.c_str(), arguments.data());
      }
      ::_exit(127);
    }
  }
  ~RunningCampaign() {
    if (!status_) kill();
  }

  bool ended() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_.has_value();
  }
  /// Exit status; waits for the end.
  int wait() {
    int status = 0;
    if (!status_) {
      ::waitpid(pid_, &status, 0);
      status_ = status;
    }
    return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -WTERMSIG(*status_);
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }
  /// Ctrl-C.
  void interrupt() { ::kill(pid_, SIGINT); }
  /// Processes that it started and that still run: the simulated devices.
  std::vector<pid_t> children() const {
    std::vector<pid_t> out;
    for (const auto& task :
         fs::directory_iterator(fs::path("/proc") / std::to_string(pid_) / "task")) {
      std::ifstream in(task.path() / "children");
      for (pid_t child; in >> child;) out.push_back(child);
    }
    return out;
  }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

class CampaignCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"bittern-agent", "bittern-device-bismo_tiny"}) {
      if (!fs::exists(fs::path(BITTERN_BINARY_DIR) / "bin" / program)) {
        GTEST_SKIP() << program << " is not part of this build";
      }
    }
    write_file(file("campaign.yaml"), R"(name: killed
network: lenet
variant: bismo_tiny
data: {dataset: synthetic, train_images: 400, validation_images: 100, test_images: 100}
model: {epochs: 1}
evaluator: {calibration_images: 32}
constraints:
  - {resource: latency, ratio: 0.3}
search: {episodes: 12, warmup: 4, min_bits: 3, max_bits: 5, hidden: [32, 32], pin_first_last: false}
final: {epochs: 1}
)");
  }

  fs::path file(const std::string& name) const { return folder_.path() / name; }
  RunningCampaign start(const std::string& out, const std::string& store) const {
    return RunningCampaign{file("campaign.yaml"), file(out), file(store), file("log")};
  }
  /// Everything that must not depend on how often a run was interrupted.
  std::string outcome(const std::string& out) const {
    json result = json::parse(read_file(file(out) / "result.json"));
    result.erase("timing");
    std::string text =
        result.dump(1) + read_file(file(out) / "policy.json") + read_file(file(out) / "lut.csv");
    std::istringstream episodes(read_file(file(out) / "episodes.jsonl"));
    for (std::string line; std::getline(episodes, line);) {
      json episode = json::parse(line);
      episode.erase("time");
      text += episode.dump() + "\n";
    }
    return text;
  }

  TemporaryFolder folder_{"bittern-campaign"};
};

TEST_F(CampaignCommand, KilledAgainAndAgainItEndsWithTheResultOfAnUninterruptedRun) {
  ASSERT_EQ(start("whole", "store1.db").wait(), 0) << read_file(file("log"));
  Rng rng(20261121);
  int kills = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    RunningCampaign run = start("parts", "store2.db");
    // Later and later, so that the run gets to its end however slow the machine is.
    const auto delay = std::chrono::milliseconds(rng.integer(50, 300) * (attempt + 1));
    const auto until = std::chrono::steady_clock::now() + delay;
    while (!run.ended() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (run.ended()) {
      ASSERT_EQ(run.wait(), 0) << read_file(file("log"));
      break;
    }
    run.kill();
    ++kills;
  }
  EXPECT_GT(kills, 0);
  EXPECT_EQ(outcome("parts"), outcome("whole")) << "after " << kills << " kills";
}

TEST_F(CampaignCommand, ADeviceThatIsKilledIsReplacedAndNothingIsLost) {
  ASSERT_EQ(start("whole", "store1.db").wait(), 0) << read_file(file("log"));
  RunningCampaign run = start("wounded", "store2.db");
  std::vector<pid_t> devices;
  while (!run.ended() && (devices = run.children()).empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_FALSE(devices.empty()) << "no device was started: " << read_file(file("log"));
  // Not in its first moments: it shall die at work.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (pid_t device : devices) ::kill(device, SIGKILL);
  EXPECT_EQ(run.wait(), 0) << read_file(file("log"));
  EXPECT_EQ(outcome("wounded"), outcome("whole"));
}

TEST_F(CampaignCommand, CtrlCStopsCleanlyAndSaysHowToContinue) {
  RunningCampaign run = start("stopped", "store1.db");
  while (!run.ended() && !fs::exists(file("stopped") / "episodes.jsonl")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  run.interrupt();
  EXPECT_EQ(run.wait(), 1);
  EXPECT_THAT(read_file(file("log")), ::testing::HasSubstr("--resume"));
  EXPECT_EQ(start("stopped", "store1.db").wait(), 0) << read_file(file("log"));
}

TEST_F(CampaignCommand, RunsOnTheSmallestVariantOfEveryCore) {
  int cores = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(BITTERN_BINARY_DIR) / "bin")) {
    const std::string prefix = "bittern-device-";
    const std::string name = entry.path().filename().string();
    if (name.rfind(prefix, 0) != 0 || name.size() < 5 || name.substr(name.size() - 5) != "_tiny") {
      continue;
    }
    const std::string variant = name.substr(prefix.size());
    SCOPED_TRACE(variant);
    ++cores;
    std::string campaign = read_file(file("campaign.yaml"));
    campaign.replace(campaign.find("bismo_tiny"), std::string("bismo_tiny").size(), variant);
    campaign.replace(campaign.find("min_bits: 3"), 11, "min_bits: 2");
    campaign.replace(campaign.find("max_bits: 5"), 11, "max_bits: 4");
    campaign.replace(campaign.find("ratio: 0.3"), 10, "ratio: 0.6");
    write_file(file(variant + ".yaml"), campaign);
    const CliResult run =
        run_bittern("run " + file(variant + ".yaml").string() + " --out " + file(variant).string() +
                    " --store " + file("cores.db").string());
    ASSERT_EQ(run.status, 0) << run.err;
    const json result = json::parse(read_file(file(variant) / "result.json"));
    for (const auto& layer : result.at("best").at("layers")) EXPECT_EQ(layer.at("origin"), "rtl");
    EXPECT_THAT(read_file(file(variant) / "summary.txt"), ::testing::HasSubstr(": met"));
    // The found policy goes into the other commands, and costs there what it cost here.
    const CliResult measured = run_bittern(
        "measure --network lenet --format json --variant " + variant + " --policy " +
        (file(variant) / "policy.json").string() + " --store " + file("cores.db").string());
    const json again = json::parse(measured.out);
    EXPECT_EQ(again.at("simulated"), 0);
    EXPECT_NEAR(again.at("layers").at("total").at("latency_us"),
                result.at("best").at("latency_s").get<double>() * 1e6, 1e-6);
  }
  EXPECT_GT(cores, 0);
}

TEST_F(CampaignCommand, ASecondRunInOneDirectoryNeedsResume) {
  const CliResult first = run_bittern("run " + file("campaign.yaml").string() + " --out " +
                                      file("x").string() + " --store " + file("s.db").string());
  EXPECT_EQ(first.status, 0) << first.err;
  const CliResult again =
      run_bittern("run " + file("campaign.yaml").string() + " --out " + file("x").string());
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, ::testing::HasSubstr("--resume"));
}

TEST_F(CampaignCommand, AnUnknownKeyIsAnErrorWithLineAndNearestKey) {
  write_file(file("bad.yaml"), read_file(file("campaign.yaml")) + "serch: {}\n");
  const CliResult result = run_bittern("run " + file("bad.yaml").string());
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, ::testing::AllOf(::testing::HasSubstr("bad.yaml:11"),
                                           ::testing::HasSubstr("'search'")));
}

/// Campaigns on the closed form, through the command line: no device is needed.
class CampaignFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(BITTERN_BINARY_DIR) / "bin" / "bittern-agent")) {
      GTEST_SKIP() << "bittern-agent is not part of this build";
    }
    write_file(file("sub/c.yaml"), R"(name: small
network: net.yaml
variant: bismo_tiny
cost: model
data: {dataset: synthetic, train_images: 600, validation_images: 100, test_images: 100}
model: {epochs: 2}
evaluator: {calibration_images: 32}
constraints:
  - {resource: latency, ratio: 0.6}
search: {episodes: 3, warmup: 1, hidden: [16, 16], pin_first_last: false}
final: {epochs: 0, candidates: 1}
)");
    write_file(file("sub/net.yaml"), R"(name: net
input: [1, 28, 28]
layers:
  - conv: {name: a, out: 4, kernel: 5, stride: 4}
  - conv: {name: b, out: 8, kernel: 3}
  - linear: {name: c, out: 10, relu: false}
)");
  }
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  CliResult run(const std::string& arguments) const {
    return run_bittern("run " + arguments + " --store " + file("store.db").string());
  }

  TemporaryFolder folder_{"bittern-campaign"};
};

TEST_F(CampaignFiles, CheckSaysWhatWouldBeDoneAndDoesNothing) {
  const CliResult result =
      run(file("sub/c.yaml").string() + " --check --out " + file("out").string());
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::AllOf(::testing::HasSubstr("net, 3 layers"),
                                           ::testing::HasSubstr("latency at most"),
                                           ::testing::HasSubstr("3 episodes")));
  EXPECT_FALSE(fs::exists(file("out")));
  EXPECT_FALSE(fs::exists(file("store.db")));
}

TEST_F(CampaignFiles, CheckEndsWithTheStatusOfWhatItFinds) {
  const std::string check = file("sub/c.yaml").string() + " --check --out " + file("out").string();
  const CliResult infeasible = run(check + " --set constraints[0].ratio=0.001");
  EXPECT_EQ(infeasible.status, 1);
  EXPECT_THAT(infeasible.err, ::testing::HasSubstr("cannot be met"));
  const CliResult wrong = run(check + " --set search.episdes=4");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, ::testing::AllOf(::testing::HasSubstr("--set search.episdes"),
                                          ::testing::HasSubstr("'episodes'")));
}

TEST_F(CampaignFiles, SettingsOverrideTheFileAndTheBudgetMayBeRaised) {
  const std::string base = file("sub/c.yaml").string() + " --out " + file("out").string();
  const CliResult first = run(base + " --set search.episodes=2");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(json::parse(read_file(file("out/result.json"))).at("episodes"), 2);
  const CliResult other = run(base + " --resume --set seed=5");
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, ::testing::HasSubstr("seed: 5, before 234"));
  const CliResult raised = run(base + " --resume --set search.episodes=5");
  ASSERT_EQ(raised.status, 0) << raised.err;
  EXPECT_EQ(json::parse(read_file(file("out/result.json"))).at("episodes"), 5);
  const CliResult whole = run(file("sub/c.yaml").string() + " --out " + file("whole").string() +
                              " --set search.episodes=5");
  ASSERT_EQ(whole.status, 0) << whole.err;
  json a = json::parse(read_file(file("out/result.json")));
  json b = json::parse(read_file(file("whole/result.json")));
  a.erase("timing");
  b.erase("timing");
  EXPECT_EQ(a, b);
}

TEST_F(CampaignFiles, NamesThatLeadElsewhereAreRefusedWithFileAndLine) {
  for (const char* name : {"../../escape", "\".\""}) {
    std::string text = read_file(file("sub/c.yaml"));
    write_file(file("sub/bad.yaml"), text.replace(0, 11, "name: " + std::string(name)));
    const CliResult result = run(file("sub/bad.yaml").string());
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, ::testing::HasSubstr("bad.yaml:1: name: "));
  }
}

TEST_F(CampaignFiles, ResultsThatMeanNothingAreNoSuccess) {
  const std::string base = file("sub/c.yaml").string() + " --out ";
  const CliResult training = run(base + file("a").string() + " --set model.learning_rate=100");
  EXPECT_EQ(training.status, 1);
  EXPECT_THAT(training.err, ::testing::HasSubstr("model.learning_rate"));
  const CliResult tuning =
      run(base + file("b").string() +
          " --set evaluator.finetune_images=512 --set evaluator.finetune_rate=50");
  EXPECT_EQ(tuning.status, 1);
  EXPECT_THAT(tuning.err, ::testing::HasSubstr("evaluator.finetune_rate"));
  const CliResult train =
      run_bittern("train --dataset synthetic --train-images 600 --epochs 1 --lr 100 --out " +
                  file("w.safetensors").string());
  EXPECT_EQ(train.status, 1);
  EXPECT_THAT(train.err, ::testing::HasSubstr("--lr"));
}

/// ReLeQ scores policies as they are chosen: those beyond a limit teach it, but are no result.
TEST_F(CampaignCommand, WithoutTheWallPoliciesBeyondALimitAreNoResult) {
  write_file(file("releq.yaml"), R"(name: releq
network: lenet
variant: bismo_tiny
cost: model
data: {dataset: synthetic, train_images: 300, validation_images: 100, test_images: 100}
model: {epochs: 1}
evaluator: {calibration_images: 32}
constraints:
  - {resource: model_size, ratio: 0.25}
search: {method: releq, episodes: 3, mode: w, min_bits: 2, max_bits: 8, pin_first_last: false}
final: {candidates: 1, epochs: 0}
)");
  const std::string run = "run " + file("releq.yaml").string() + " --out ";
  // A quarter is two bits in every layer: one policy of 2401.
  const CliResult none = run_bittern(run + file("none").string());
  EXPECT_EQ(none.status, 1) << none.out;
  EXPECT_THAT(none.err, ::testing::HasSubstr("scored no policy within the limits in 3 episodes"));
  const CliResult wall =
      run_bittern(run + file("wall").string() + " --set search.wall_actions=true");
  EXPECT_EQ(wall.status, 0) << wall.err;
  std::istringstream lines(read_file(file("wall") / "episodes.jsonl"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(json::parse(line)["ratio"]["model_size"].get<double>(), 0.25);
  }
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace bittern
