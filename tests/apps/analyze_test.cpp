#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/apps/cli.h"
#include "tests/host/analysis/sample_cells.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Analyze : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const int seed : {1, 2}) {
      write_cell(folder_ / ("haq" + std::to_string(seed)),
                 sample_cell("haq", seed, 91 + 0.01 * seed, {80, 90, 85, 86}));
      write_cell(folder_ / ("random" + std::to_string(seed)),
                 sample_cell("random", seed, 90, {80, 81, 82, 83}));
    }
  }
  std::string out() const { return folder_.path().string(); }
  TemporaryFolder folder_;
};

TEST_F(Analyze, PrintsTheSentenceAndTheTables) {
  const CliResult result = run_bittern("analyze " + out());
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("lenet on bismo_edge, latency 0.5 of 8/8: haq reached 91.0"));
  EXPECT_THAT(result.out,
              HasSubstr("RL (haq) did beat random at an equal budget of 4 evaluations"));
  EXPECT_THAT(result.out, HasSubstr("Paired differences"));
}

TEST_F(Analyze, GivesJsonAndCsv) {
  const CliResult json = run_bittern("analyze --format json " + out());
  EXPECT_EQ(nlohmann::json::parse(json.out).at("against"), "random");
  const CliResult csv = run_bittern("analyze --format csv --table episodes " + out());
  EXPECT_THAT(csv.out, StartsWith("cell,problem,method,seed,episode,"));
  EXPECT_THAT(csv.out, HasSubstr("4/4 8/4"));
}

TEST_F(Analyze, WritesThePageAndEventFiles) {
  const std::string page = (folder_ / "page" / "all.html").string();
  const std::string logs = (folder_ / "logs").string();
  const CliResult result =
      run_bittern("analyze " + out() + " --report " + page + " --tensorboard " + logs);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(read_file(page), HasSubstr("../haq1/report.html"));
  EXPECT_THAT(read_file(logs + "/haq2/events.out.tfevents.0.bittern"), HasSubstr("brain.Event:2"));
  EXPECT_THAT(run_bittern("analyze " + out() + " --report - ").out, StartsWith("<!doctype html>"));
}

TEST_F(Analyze, EndsWithAStatusThatSaysWhatWasWrong) {
  EXPECT_EQ(run_bittern("analyze").status, 2);
  EXPECT_EQ(run_bittern("analyze /nowhere").status, 2);
  EXPECT_EQ(run_bittern("analyze --against magic " + out()).status, 2);
  EXPECT_EQ(run_bittern("analyze --table magic " + out()).status, 2);
  write_file(folder_ / "haq1" / "result.json", "{");
  const CliResult damaged = run_bittern("analyze " + out());
  EXPECT_EQ(damaged.status, 1);
  EXPECT_THAT(damaged.err, HasSubstr("haq1/result.json"));
}

TEST_F(Analyze, WatchServesUntilItIsStopped) {
  const std::string program = std::string(BITTERN_BINARY_DIR) + "/bin/bittern";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(program.c_str(), program.c_str(), "watch", out().c_str(), "--port", "0", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string line;
  for (char c = 0; line.find('\n') == std::string::npos && ::read(ends[0], &c, 1) == 1;) line += c;
  ::close(ends[0]);
  EXPECT_THAT(line, StartsWith("http://127.0.0.1:"));
  ::kill(pid, SIGINT);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Watch, RefusesWhatIsNoDirectory) {
  const CliResult result = run_bittern("watch /nowhere");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("is no directory"));
  EXPECT_EQ(run_bittern("watch --port 70000 /tmp").status, 2);
}

}  // namespace
}  // namespace bittern
