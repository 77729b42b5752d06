#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "apps/bittern/process.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/result/result.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

/// scripts/repeat_campaign.sh with a `bittern` that hands out results written here.
class RepeatCampaign : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_.path() / "build" / "bin");
    const fs::path program = folder_.path() / "build" / "bin" / "bittern";
    // Called as: run CAMPAIGN --seed N --out DIR --resume [more...]
    write_file(program, R"(#!/bin/sh
echo "$@" >> ")" + path("calls") +
                            R"("
[ "$1" = run ] && [ "$3" = --seed ] && [ "$5" = --out ] && [ "$7" = --resume ] || exit 2
[ -f ")" + path("results") + R"(/$4.json" ] || { echo "no such seed" >&2; exit 3; }
mkdir -p "$6" && cp ")" + path("results") +
                            R"(/$4.json" "$6/result.json"
)");
    fs::permissions(program, fs::perms::owner_all);
    fs::create_directories(folder_.path() / "results");
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static PolicyOutcome outcome(const std::string& label, double latency_s, double validation,
                               double test) {
    PolicyOutcome out;
    out.label = label;
    out.layers = {{"fc", {4, 5}, 100, latency_s, 1.0, "rtl"}};
    out.latency_s = latency_s;
    out.validation_accuracy = validation;
    out.test_accuracy = test;
    return out;
  }

  /// What the campaign gives with `seed`: the found policy, uniform 2 and 4 within the limit of
  /// 0.5, uniform 8 over it. Accuracies are (validation, test).
  void give(std::uint64_t seed, std::pair<double, double> found, std::pair<double, double> uniform2,
            std::pair<double, double> uniform4) const {
    CampaignResult result;
    result.campaign = "some";
    result.seed = seed;
    result.baseline_validation = 99.0;
    result.baseline_test = 99.5;
    result.reference.latency_s = 1.0;
    result.constraints = {{"latency", "s", 1.0, 0.5, 0.45}};
    result.best = outcome("found", 0.45, found.first, found.second);
    result.uniform = {outcome("uniform 2", 0.2, uniform2.first, uniform2.second),
                      outcome("uniform 4", 0.5, uniform4.first, uniform4.second),
                      outcome("uniform 8", 1.0, 99.9, 99.9)};
    write_file(path("results/" + std::to_string(seed) + ".json"), to_json(result).dump());
  }

  /// Exit status; what was printed is in files out and err.
  int repeat(const std::string& arguments) const {
    const std::string line = "BITTERN_BUILD=" + path("build") + " " + BITTERN_SOURCE_DIR +
                             "/scripts/repeat_campaign.sh " + arguments + " >" + path("out") +
                             " 2>" + path("err");
    return run_tool({"/bin/sh", "-c", line}).status;
  }
  std::string read(const std::string& name) const { return read_file(folder_.path() / name); }

  TemporaryFolder folder_{"bittern-repeat"};
};

const json& row(const json& table, const std::string& policy) {
  for (const json& candidate : table.at("policies")) {
    if (candidate.at("policy") == policy) return candidate;
  }
  throw std::runtime_error("no row " + policy + " in " + table.dump(1));
}

TEST_F(RepeatCampaign, AveragesDifferencesWithinEachSeed) {
  // Against the best uniform policy by validation, uniform 4 with seeds 1 and 2 and uniform 2 with
  // seed 3: differences on the test set of 1, 2 and 3 points.
  give(1, {98.0, 98.0}, {90.0, 99.0}, {95.0, 97.0});
  give(2, {98.0, 96.0}, {90.0, 90.0}, {95.0, 94.0});
  give(3, {98.0, 97.0}, {96.0, 94.0}, {95.0, 99.0});
  ASSERT_EQ(repeat("some.yaml 1 2 3 --out " + path("runs")), 0) << read("err");
  EXPECT_EQ(read("runs/repeated.txt"), read("out"));
  const json table = json::parse(read("runs/repeated.json"));
  EXPECT_EQ(table.at("seeds"), json({1, 2, 3}));
  const json& against = row(table, "best uniform").at("found_minus_this_test");
  EXPECT_NEAR(against.at("mean").get<double>(), 2.0, 1e-9);
  EXPECT_NEAR(against.at("standard_error").get<double>(), 1.0 / std::sqrt(3.0), 1e-9);
  // Student's t with two degrees of freedom.
  EXPECT_NEAR(against.at("half_interval_95").get<double>(), 4.303 / std::sqrt(3.0), 1e-9);
  EXPECT_NEAR(row(table, "found").at("test").at("mean").get<double>(), 97.0, 1e-9);
  EXPECT_NEAR(row(table, "uniform 2").at("found_minus_this_test").at("mean").get<double>(),
              (-1.0 + 6.0 + 3.0) / 3.0, 1e-9);
  EXPECT_NEAR(row(table, "uniform 4").at("latency_of_8_8").at("mean").get<double>(), 0.5, 1e-9);
  // 2 - 2.484 is below 0.
  EXPECT_THAT(read("out"), HasSubstr("+2.000 (-0.484 .. +4.484) points on the test set: no "
                                     "difference shown"));
}

TEST_F(RepeatCampaign, SaysBetterOrWorseOnlyWhenTheIntervalLeavesZeroOut) {
  for (const int seed : {1, 2, 3}) give(seed, {98, 98.0 + 0.01 * seed}, {90, 90}, {95, 97});
  ASSERT_EQ(repeat("some.yaml 1 2 3 --out " + path("a")), 0) << read("err");
  EXPECT_THAT(read("out"), HasSubstr("points on the test set: better"));
  for (const int seed : {1, 2, 3}) give(seed, {98, 96.0 + 0.01 * seed}, {90, 90}, {95, 97});
  ASSERT_EQ(repeat("some.yaml 1 2 3 --out " + path("b")), 0) << read("err");
  EXPECT_THAT(read("out"), HasSubstr("points on the test set: worse"));
  ASSERT_EQ(repeat("some.yaml 1 --out " + path("c")), 0) << read("err");
  EXPECT_THAT(read("out"), HasSubstr("one run decides nothing"));
}

TEST_F(RepeatCampaign, HandsOptionsOnAndStopsAtARunThatFails) {
  give(5, {98, 98}, {90, 90}, {95, 97});
  EXPECT_NE(repeat("some.yaml 5 6 7 --out " + path("runs") + " -- --workers 1"), 0);
  EXPECT_EQ(read("calls"), "run some.yaml --seed 5 --out " + path("runs/seed-5") +
                               " --resume --workers 1\nrun some.yaml --seed 6 --out " +
                               path("runs/seed-6") + " --resume --workers 1\n");
  EXPECT_THAT(read("err"), HasSubstr("seed 6 ended with status 3"));
  EXPECT_FALSE(fs::exists(path("runs/repeated.txt")));
  EXPECT_NE(repeat("some.yaml 5 5 --out " + path("runs")), 0);
  EXPECT_THAT(read("err"), HasSubstr("twice"));
  EXPECT_NE(repeat("some.yaml"), 0);
  EXPECT_THAT(read("err"), HasSubstr("usage"));
}

}  // namespace
}  // namespace bittern
