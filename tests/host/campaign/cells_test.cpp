#include "host/campaign/cells.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/campaign/runner.h"
#include "host/search/methods.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// Accuracies from a table: campaigns without images, and without LibTorch. LeNet with weights of
/// 2, 4 or 8 bits; the first two layers matter most.
class CellsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    std::string table = "b0,b1,b2,b3,accuracy\n";
    for (const int a : {2, 4, 8}) {
      for (const int b : {2, 4, 8}) {
        for (const int c : {2, 4, 8}) {
          for (const int d : {2, 4, 8}) {
            table += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c) + "," +
                     std::to_string(d) + "," + std::to_string(60 + 2 * a + b + 0.5 * c + 0.25 * d) +
                     "\n";
          }
        }
      }
    }
    write_file(folder_ / "accuracies.csv", table);
    write_file(folder_ / "campaign.yaml", R"(name: tables
network: lenet
variant: bismo_tiny
cost: model
seed: [1, 2]
constraints:
  - {resource: latency, ratio: [0.4, 0.7]}
evaluator: {kind: table, table: accuracies.csv, full_precision: 95}
search:
  method: [random, exhaustive]
  mode: w
  min_bits: 2
  bits:
    - {layers: "*", weights: [2, 4, 8]}
  pin_first_last: false
  episodes: 12
  exhaustive: {episodes: 100}
)");
  }
  std::vector<Campaign> cells() const {
    return load_cells((folder_ / "campaign.yaml").string(), {}, &kinds_);
  }
  RunOptions options(bool resume = false) const {
    RunOptions out;
    out.out = folder_ / "out";
    out.resume = resume;
    return out;
  }
  static nlohmann::json without_times(const fs::path& file) {
    nlohmann::json json = nlohmann::json::parse(read_file(file));
    json.erase("timing");
    return json;
  }

  const CampaignKinds kinds_ = {host_methods(), host_evaluators()};
  TemporaryFolder folder_;
};

TEST_F(CellsTest, AreWorkedThroughIntoOneTableWithTheRegret) {
  const CellsResult found = run_cells(cells(), options());
  EXPECT_THAT(found.verdicts, Contains(HasSubstr("all 2 problems: random reached")));
  const std::vector<CellResult>& results = found.cells;
  ASSERT_EQ(results.size(), 8u);
  const auto json = nlohmann::json::parse(read_file(folder_ / "out" / "cells.json"));
  ASSERT_EQ(json.at("rows").size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto& row = json.at("rows")[i];
    SCOPED_TRACE(row.dump());
    EXPECT_EQ(row.at("met"), "yes");
    EXPECT_TRUE(row.at("test").is_null());
    EXPECT_GE(row.at("regret").get<double>(), 0.0);
    if (row.at("method") == "exhaustive") {
      EXPECT_EQ(row.at("regret"), 0.0);
      EXPECT_TRUE(results[i].result.exhausted);
    }
    EXPECT_TRUE(fs::exists(folder_ / "out" / cells()[i].cell / "result.json"));
  }
  // Two methods, two limits: a mean over the seeds of each.
  EXPECT_EQ(json.at("totals").size(), 4u);
  EXPECT_THAT(read_file(folder_ / "out" / "cells.txt"), HasSubstr("2 seeds"));
  const std::string page = read_file(folder_ / "out" / "report.html");
  EXPECT_THAT(page, HasSubstr("all 2 problems: random reached"));
  EXPECT_THAT(page, HasSubstr("./exhaustive_latency-0.4_seed-1/report.html"));
  EXPECT_THAT(page, HasSubstr("name: tables")) << "the campaign file";
}

TEST_F(CellsTest, TellAnalysesWhatLayersDoAndMove) {
  const CampaignResult result = run_cells(cells(), options()).cells.at(0).result;
  EXPECT_FALSE(result.reinforcement);
  EXPECT_GT(result.bandwidth.all_bytes_per_s, result.bandwidth.port_bytes_per_s);
  for (const LayerOutcome& layer : result.best.layers) {
    EXPECT_FALSE(layer.shape.empty());
    EXPECT_GT(layer.bytes, 0.0);
    EXPECT_GT(layer.operations, 0.0);
    EXPECT_LE(layer.operations / layer.latency_s, layer.peak_ops_per_s) << layer.name;
  }
  // LeNet's conv1 of this tree: 20 filters of 5 x 5 at 24 x 24 places, a multiplication and an
  // addition each, one image.
  EXPECT_DOUBLE_EQ(result.best.layers[0].operations, 2.0 * 20 * 25 * 24 * 24);
  for (const PolicyOutcome& uniform : result.uniform) EXPECT_TRUE(uniform.search_accuracy);
}

TEST_F(CellsTest, AreResumedToTheSameResults) {
  run_cells(cells(), options());
  const std::string cell = cells()[2].cell;
  const auto before = without_times(folder_ / "out" / cell / "result.json");
  EXPECT_THROW(run_cells(cells(), options()), Error);
  fs::remove_all(folder_ / "out" / cell);
  run_cells(cells(), options(true));
  EXPECT_EQ(without_times(folder_ / "out" / cell / "result.json"), before);
}

TEST_F(CellsTest, ThoseThatWereNotPickedKeepTheirPlaceInTheTables) {
  const std::vector<Campaign> all = cells();
  const auto run_picked = [&](const char* pattern, bool resume) {
    const std::vector<Campaign> picked = picked_cells(all, {pattern}, "--only");
    return run_cells(all, options(resume), &picked).cells.size();
  };
  EXPECT_EQ(run_picked("random*seed-1", false), 2u);
  EXPECT_EQ(run_picked("exhaustive*seed-1", false), 4u);
  const std::string part = read_file(folder_ / "out" / "cells.csv");
  EXPECT_THAT(part, AllOf(HasSubstr("random"), HasSubstr("exhaustive")));
  // One cell again: what is written over all is what was there.
  EXPECT_EQ(run_picked("random_latency-0.4_seed-1", true), 4u);
  EXPECT_EQ(read_file(folder_ / "out" / "cells.csv"), part);
  EXPECT_THAT(read_file(folder_ / "out" / "report.html"),
              HasSubstr("exhaustive_latency-0.7_seed-1"));
  // Results that are damaged, or of other settings, are left out.
  write_file(folder_ / "out" / all[0].cell / "result.json", "{");
  EXPECT_EQ(run_picked("exhaustive*seed-1", true), 3u);
  const std::vector<Campaign> other =
      load_cells((folder_ / "campaign.yaml").string(), {"evaluator.full_precision=96"}, &kinds_);
  const std::vector<Campaign> picked = picked_cells(other, {"random*seed-2"}, "--only");
  EXPECT_EQ(run_cells(other, options(), &picked).cells.size(), 2u);
}

TEST_F(CellsTest, ArePickedByPatterns) {
  EXPECT_EQ(picked_cells(cells(), {}, "--only").size(), 8u);
  EXPECT_EQ(picked_cells(cells(), {"random*"}, "--only").size(), 4u);
  EXPECT_EQ(picked_cells(cells(), {"random*", "*seed-1"}, "--only").size(), 6u);
  try {
    picked_cells(cells(), {"haq*"}, "--only");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("random_latency-0.4_seed-1"));
  }
}

TEST_F(CellsTest, AreThoseThatTheFilePicks) {
  const std::string file = (folder_ / "campaign.yaml").string();
  const std::vector<Campaign> some =
      load_cells(file, {"only=[\"random*seed-1\", \"exhaustive_latency-0.7_*\"]"}, &kinds_);
  ASSERT_EQ(some.size(), 4u);
  EXPECT_EQ(some[0].cell, "random_latency-0.4_seed-1");
  EXPECT_EQ(some[3].cell, "exhaustive_latency-0.7_seed-2");
  EXPECT_THAT(message_of([&] { load_cells(file, {"only=haq*"}, &kinds_); }),
              AllOf(HasSubstr("only"), HasSubstr("haq*: no cell is called so")));
  EXPECT_THAT(message_of([&] {
                load_cells(file,
                           {"only=x", "seed=1", "search.method=random", "constraints[0].ratio=0.4"},
                           &kinds_);
              }),
              HasSubstr("but one cell"));
}

TEST_F(CellsTest, StartFromTheCellsOfAnotherRun) {
  const std::string file = (folder_ / "campaign.yaml").string();
  run_cells(cells(), options());
  RunOptions second;
  second.out = folder_ / "second";
  const std::vector<std::string> settings = {
      "search.method=[local, sensitivity]", "constraints[0].ratio=0.5",
      "search.start=" + (folder_ / "out" / "random_latency-0.7_seed-{seed}").string()};
  const std::vector<CellResult> results =
      run_cells(load_cells(file, settings, &kinds_), second).cells;
  ASSERT_EQ(results.size(), 4u);
  for (const CellResult& cell : results) {
    EXPECT_THAT(
        cell.result.start,
        AllOf(HasSubstr(fmt::format("random_latency-0.7_seed-{}: 8 policies", cell.campaign.seed)),
              HasSubstr("evaluations saved")));
    const auto text = read_file(second.out / cell.campaign.cell / "summary.txt");
    EXPECT_THAT(text, HasSubstr("started from"));
  }
  // Damage is noticed, and said before anything is done.
  const auto lines = folder_ / "out" / "random_latency-0.7_seed-1" / "episodes.jsonl";
  std::string changed = read_file(lines);
  changed.replace(changed.find("\"accuracy\":") + 11, 1, "1");
  write_file(lines, changed);
  RunOptions third;
  third.out = folder_ / "third";
  EXPECT_THAT(message_of([&] { run_cells(load_cells(file, settings, &kinds_), third); }),
              HasSubstr("lines were changed"));
  EXPECT_FALSE(fs::exists(third.out / "local_seed-1"));
}

TEST_F(CellsTest, SayWhatTheyCannotStartFrom) {
  const std::string file = (folder_ / "campaign.yaml").string();
  const auto error_with = [&](const std::string& method, const std::string& start) {
    RunOptions run;
    run.out = folder_ / "none";
    return message_of([&] {
      run_cells(load_cells(file, {"search.method=" + method, "search.start=" + start}, &kinds_),
                run);
    });
  };
  EXPECT_THAT(error_with("local", "nowhere"), HasSubstr("nowhere holds no search"));
  run_cells(cells(), options());
  const std::string cell = (folder_ / "out" / "random_latency-0.7_seed-1").string();
  EXPECT_THAT(error_with("annealing", cell), HasSubstr("annealing learns nothing"));
}

TEST_F(CellsTest, AnExhaustiveSearchThatDoesNotGetThroughSaysSo) {
  const std::vector<Campaign> all =
      load_cells((folder_ / "campaign.yaml").string(),
                 {"search.exhaustive.episodes=5", "seed=1", "search.method=exhaustive"}, &kinds_);
  const std::vector<CellResult> results = run_cells(all, options()).cells;
  EXPECT_THAT(results[0].result.warnings, ::testing::Contains(HasSubstr("5 episodes were not")));
  EXPECT_FALSE(results[0].result.exhausted);
}

TEST_F(CellsTest, AnEvaluatorThatIsNotInTheBuildIsNamed) {
  try {
    load_cells((folder_ / "campaign.yaml").string(), {"evaluator.kind=fake-quant"}, &kinds_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("kind fake-quant is not part of this build"));
  }
}

}  // namespace
}  // namespace bittern
