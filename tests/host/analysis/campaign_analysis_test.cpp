#include "host/analysis/campaign_analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "host/analysis/campaign_curves.h"
#include "host/analysis/policy_transfer.h"
#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "host/cost/lut.h"
#include "tests/host/analysis/sample_cells.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kProblem = "lenet on bismo_edge, latency 0.5 of 8/8";

/// haq is 1, 2 and 3 points above sensitivity, in three seeds.
AnalysedCampaigns three_seeds() {
  AnalysedCampaigns out;
  for (const int seed : {1, 2, 3}) {
    out.cells.push_back(sample_cell("haq", seed, 90.0 + seed, {80, 85, 84, 90}));
    out.cells.push_back(sample_cell("sensitivity", seed, 90.0, {88, 88, 89, 89}));
  }
  return out;
}

const MethodRow& row_of(const CampaignAnalysis& analysis, const std::string& method) {
  return *std::find_if(analysis.methods.begin(), analysis.methods.end(),
                       [&](const MethodRow& row) { return row.method == method; });
}

TEST(BestSoFar, IsCountedInEvaluations) {
  AnalysedCell cell;
  const auto episode = [&cell](double evaluations, double accuracy) {
    Episode one;
    one.evaluations = evaluations;
    one.accuracy = accuracy;
    cell.episodes.push_back(one);
  };
  episode(1.0, 80);
  episode(1.0, 80);  // a policy that was known
  episode(3.5, 90);  // and 1.5 evaluations' worth of gradients
  episode(4.5, 85);
  EXPECT_EQ(cell.best_so_far(), (std::vector<double>{80, 80, 80, 90, 90}));
}

TEST(CampaignAnalysis, PairsTheSeedsOfTwoMethods) {
  const CampaignAnalysis analysis = analyse(three_seeds());
  EXPECT_EQ(analysis.judge, Judge::kChoice);
  EXPECT_EQ(analysis.reference, "sensitivity");
  ASSERT_EQ(analysis.pairs.size(), 1u);
  const PairRow& pair = analysis.pairs.front();
  EXPECT_EQ(pair.method, "haq");
  EXPECT_DOUBLE_EQ(pair.difference.mean, 2.0);
  // Deviation 1, t(2) = 4.302653, over sqrt(3).
  EXPECT_NEAR(pair.difference.low, 2 - 2.484138, 1e-5);
  EXPECT_EQ(pair.budget, 4);
  EXPECT_EQ(pair.verdict(), "no difference is shown");
}

TEST(CampaignAnalysis, SaysThatRlDidNotBeatTheReferenceWhereTheIntervalHoldsZero) {
  const std::string verdict = analyse(three_seeds()).verdicts.at(0);
  EXPECT_THAT(verdict, HasSubstr("haq reached 92.00 % (choice images"));
  EXPECT_THAT(verdict, HasSubstr("with 4 evaluations"));
  EXPECT_THAT(verdict, HasSubstr("RL (haq) did not beat sensitivity + knapsack at an equal budget "
                                 "of 4 evaluations (difference +2.00 points, 95 % interval -0.48 "
                                 "to +4.48, 3 paired seeds: no difference is shown)"));
}

TEST(CampaignAnalysis, SaysThatRlBeatTheReferenceWhereTheIntervalIsAboveZero) {
  AnalysedCampaigns campaigns = three_seeds();
  for (AnalysedCell& cell : campaigns.cells) {
    if (cell.result.search == "haq") *cell.result.best.choice_accuracy += 5.0;
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.pairs.at(0).verdict(), "better");
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("RL (haq) did beat sensitivity + knapsack"));
  EXPECT_THAT(analysis.verdicts.at(0), Not(HasSubstr("did not")));
}

TEST(CampaignAnalysis, ClaimsNothingFromOneSeed) {
  AnalysedCampaigns campaigns;
  campaigns.cells = {sample_cell("haq", 1, 95, {90}), sample_cell("sensitivity", 1, 90, {89})};
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.pairs.at(0).verdict(), "too few seeds to say");
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("cannot be said from one paired seed"));
  EXPECT_THAT(analysis.verdicts.at(0), Not(HasSubstr("did beat")));
}

TEST(CampaignAnalysis, SaysWhenBudgetsDiffer) {
  AnalysedCampaigns campaigns = three_seeds();
  campaigns.cells.front().result.budget = 100;
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_FALSE(analysis.pairs.at(0).budget);
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("at unequal budgets"));
}

TEST(CampaignAnalysis, FallsBackToRandomAndSaysSo) {
  AnalysedCampaigns campaigns;
  for (const int seed : {1, 2}) {
    campaigns.cells.push_back(sample_cell("haq", seed, 92.0, {90}));
    campaigns.cells.push_back(sample_cell("random", seed, 91.0, {90}));
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.reference, "random");
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("no cell of sensitivity + knapsack"));
  EXPECT_THAT(analyse(campaigns, "random").verdicts.at(0),
              Not(HasSubstr("no cell of sensitivity + knapsack")));
}

TEST(CampaignAnalysis, NamesTheMethodsWhereTheReferenceIsNone) {
  EXPECT_THAT(message_of([] { analyse(three_seeds(), "magic"); }),
              HasSubstr("no cell of method 'magic'; there are haq, sensitivity"));
}

TEST(CampaignAnalysis, AveragesOverProblemsSeedBySeed) {
  AnalysedCampaigns campaigns = three_seeds();
  for (const int seed : {1, 2, 3}) {
    campaigns.cells.push_back(sample_cell("haq", seed, 80, {80}, 4, 0.25));
    campaigns.cells.push_back(sample_cell("sensitivity", seed, 82.0 + seed * seed, {80}, 4, 0.25));
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  ASSERT_EQ(analysis.verdicts.size(), 3u);
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("all 2 problems: "));
  const PairRow& pair = analysis.pairs.front();
  EXPECT_EQ(pair.problem, "all 2 problems");
  // (1, 2, 3) and (-3, -6, -11) average to -1, -2 and -4 in the three seeds.
  EXPECT_NEAR(pair.difference.mean, -7.0 / 3, 1e-12);
  EXPECT_NEAR(pair.difference.deviation, std::sqrt(7.0 / 3), 1e-12);
}

TEST(CampaignAnalysis, SaysThatRlIsWorse) {
  AnalysedCampaigns campaigns = three_seeds();
  for (AnalysedCell& cell : campaigns.cells) {
    if (cell.result.search == "haq") *cell.result.best.choice_accuracy -= 20.0;
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.pairs.at(0).verdict(), "worse");
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("did not beat"));
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("it is worse"));
}

TEST(CampaignAnalysis, ClaimsNothingFromSeedsThatAllGaveTheSameDifference) {
  AnalysedCampaigns campaigns;
  for (const int seed : {1, 2}) {
    campaigns.cells.push_back(sample_cell("haq", seed, 92.0, {90}));
    campaigns.cells.push_back(sample_cell("random", seed, 91.0, {90}));
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.pairs.at(0).verdict(), "one and the same in all seeds");
  EXPECT_THAT(analysis.verdicts.at(0),
              HasSubstr("cannot be said from 2 paired seeds with one and the same difference"));
}

TEST(CampaignAnalysis, SaysWhereBothReachedTheSame) {
  AnalysedCampaigns campaigns;
  for (const int seed : {1, 2, 3}) {
    campaigns.cells.push_back(sample_cell("haq", seed, 91.0 + seed, {90}));
    campaigns.cells.push_back(sample_cell("sensitivity", seed, 91.0 + seed, {90}));
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  EXPECT_EQ(analysis.pairs.at(0).verdict(), "equal in all seeds");
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr("RL (haq) did not beat sensitivity + knapsack"));
  EXPECT_THAT(analysis.verdicts.at(0), HasSubstr(": both reached the same in all 3 paired seeds"));
}

TEST(CampaignAnalysis, MeasuresRegretFromTheTrueOptimum) {
  AnalysedCampaigns campaigns = three_seeds();
  for (const int seed : {1, 2, 3}) {
    campaigns.cells.push_back(sample_cell("exhaustive", seed, 91, {70, 92.5, 60}));
  }
  const CampaignAnalysis analysis = analyse(campaigns);
  ASSERT_TRUE(row_of(analysis, "haq").regret);
  EXPECT_DOUBLE_EQ(row_of(analysis, "haq").regret->mean, 2.5);
  EXPECT_DOUBLE_EQ(row_of(analysis, "exhaustive").regret->mean, 0.0);
  EXPECT_THAT(analysis.verdicts.at(0), Not(HasSubstr("exhaustive reached")));
}

TEST(CampaignAnalysis, KnowsNoRegretWithoutAnExhaustiveSearchThatEnded) {
  AnalysedCampaigns campaigns = three_seeds();
  campaigns.cells.push_back(sample_cell("exhaustive", 1, 91, {92.5}));
  campaigns.cells.back().result.exhausted = false;
  EXPECT_FALSE(row_of(analyse(campaigns), "haq").regret);
}

TEST(CampaignAnalysis, ComparesWithTheBestUniformPolicy) {
  ASSERT_TRUE(row_of(analyse(three_seeds()), "haq").against_uniform);
  EXPECT_DOUBLE_EQ(row_of(analyse(three_seeds()), "haq").against_uniform->mean, -0.5);
}

TEST(CampaignAnalysis, CountsEvaluationsToAQuality) {
  AnalysedCampaigns campaigns;
  campaigns.cells = {sample_cell("haq", 1, 90, {80, 89.5, 90}),
                     sample_cell("random", 1, 90, {80, 81, 88.4})};
  std::map<std::pair<std::string, double>, QualityRow> rows;
  for (const QualityRow& row : analyse(campaigns).quality) rows[{row.method, row.below}] = row;
  EXPECT_EQ((rows[{"haq", 0.0}].median), 3.0);
  EXPECT_EQ((rows[{"haq", 0.5}].median), 2.0);
  EXPECT_EQ((rows[{"random", 2.0}].median), 3.0);
  EXPECT_FALSE((rows[{"random", 1.0}].median));
  EXPECT_EQ((rows[{"random", 1.0}].reached), 0u);
}

TEST(CampaignAnalysis, JudgesByWhatAllCellsHave) {
  AnalysedCampaigns campaigns = three_seeds();
  campaigns.cells.back().result.best.choice_accuracy.reset();
  EXPECT_EQ(judge_of(campaigns.cells), Judge::kValidation);
  campaigns.cells.front().result.finalists = 0;
  EXPECT_EQ(judge_of(campaigns.cells), Judge::kSearch);
  EXPECT_DOUBLE_EQ(score(campaigns.cells.front(), Judge::kSearch), 90.0);
}

TEST(CampaignCurves, AreTheBestSoFarOverSeeds) {
  AnalysedCampaigns campaigns;
  campaigns.cells = {sample_cell("haq", 1, 90, {80, 90}), sample_cell("haq", 2, 90, {84, 82, 86})};
  const std::vector<MethodCurve> curves = method_curves(campaigns);
  ASSERT_EQ(curves.size(), 1u);
  std::vector<double> means;
  std::vector<double> below;
  for (const CurvePoint& point : curves[0].points) {
    means.push_back(point.best.mean);
    below.push_back(point.below.mean);
  }
  EXPECT_THAT(means, ElementsAre(82, 87, 88)) << "the first seed keeps its 90";
  EXPECT_THAT(below, ElementsAre(6, 1, 0));
  EXPECT_NEAR(curves[0].points[0].best.deviation, std::sqrt(8.0), 1e-12);
}

TEST(CampaignCurves, LeaveOutPoliciesBeyondTheLimits) {
  AnalysedCell cell = sample_cell("haq", 1, 90, {});
  cell.episodes = {read_episode(sample_line(0, 99, 8, false), "x"),
                   read_episode(sample_line(1, 70), "x")};
  const std::vector<double> best = cell.best_so_far();
  EXPECT_TRUE(std::isnan(best.at(0)));
  EXPECT_DOUBLE_EQ(best.at(1), 70.0);
}

TEST(CampaignCurves, AreThinnedButForTheirEnds) {
  AnalysedCampaigns campaigns;
  campaigns.cells = {sample_cell("haq", 1, 90, std::vector<double>(1000, 80.0))};
  const auto points = method_curves(campaigns, 10).at(0).points;
  EXPECT_LE(points.size(), 11u);
  EXPECT_EQ(points.front().evaluation, 1);
  EXPECT_EQ(points.back().evaluation, 1000);
}

class ReadCampaigns : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(ReadCampaigns, TakesOneCellOrMany) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80, 81}));
  write_cell(folder_ / "b", sample_cell("random", 1, 91, {82}));
  EXPECT_EQ(read_campaigns({folder_ / "a"}).cells.size(), 1u);
  const AnalysedCampaigns both = read_campaigns({folder_.path()});
  ASSERT_EQ(both.cells.size(), 2u);
  EXPECT_TRUE(both.cells[0].result.reinforcement);
  EXPECT_FALSE(both.cells[1].result.reinforcement);
  EXPECT_EQ(both.cells[0].episodes.size(), 2u);
  EXPECT_EQ(both.cells[0].problem(), kProblem);
  EXPECT_EQ(both.cells[0].result.best.layers[0].shape, "shape a");
  EXPECT_DOUBLE_EQ(both.cells[0].result.best.layers[0].intensity(), 20.0);
}

TEST_F(ReadCampaigns, RefusesWhatIsNoResult) {
  EXPECT_THAT(message_of([&] { read_campaigns({folder_ / "nowhere"}); }),
              HasSubstr("is no directory"));
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }),
              HasSubstr("holds no result.json"));
}

TEST_F(ReadCampaigns, NotesWhatIsNotFinishedOrWasStopped) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80}));
  write_cell(folder_ / "b", sample_cell("haq", 2, 90, {80}));
  fs::remove(folder_.path() / "b" / "result.json");
  AnalysedCell stopped = sample_cell("haq", 3, 90, {80});
  stopped.result.stopped = true;
  write_cell(folder_ / "c", stopped);
  const AnalysedCampaigns found = read_campaigns({folder_.path()});
  EXPECT_EQ(found.cells.size(), 1u);
  ASSERT_EQ(found.notes.size(), 2u);
  EXPECT_THAT(found.notes[0], HasSubstr("is not finished"));
  EXPECT_THAT(found.notes[1], HasSubstr("was stopped"));
}

TEST_F(ReadCampaigns, SaysWhenAllWereStopped) {
  AnalysedCell stopped = sample_cell("haq", 3, 90, {80});
  stopped.result.stopped = true;
  write_cell(folder_ / "c", stopped);
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }), HasSubstr("was stopped"));
}

TEST_F(ReadCampaigns, NamesDamagedFiles) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80}));
  write_file(folder_ / "a" / "result.json", "{\"format\": ");
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }), HasSubstr("a/result.json"));
  write_file(folder_ / "a" / "result.json", "{\"format\": \"bittern-result-1\"}");
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }), HasSubstr("campaign"));
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80}));
  write_file(folder_ / "a" / "episodes.jsonl", "{\"episode\": 0}\n");
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }),
              HasSubstr("episodes.jsonl:1: 'policy' is missing"));
}

TEST_F(ReadCampaigns, NotesEpisodesThatAreMissing) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80, 81}));
  write_file(folder_ / "a" / "episodes.jsonl", sample_line(0, 80).dump() + "\n");
  EXPECT_THAT(read_campaigns({folder_.path()}).notes.at(0), HasSubstr("has 1 lines"));
  fs::remove(folder_.path() / "a" / "episodes.jsonl");
  EXPECT_THAT(read_campaigns({folder_.path()}).notes.at(0), HasSubstr("no curves"));
}

TEST_F(ReadCampaigns, RefusesTheSameCellTwice) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80}));
  write_cell(folder_ / "b", sample_cell("haq", 1, 91, {80}));
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }), HasSubstr("both are"));
}

TEST_F(ReadCampaigns, RefusesToPairNetworksThatWereTrainedOtherwise) {
  write_cell(folder_ / "a", sample_cell("haq", 1, 90, {80}));
  AnalysedCell other = sample_cell("random", 1, 90, {80});
  other.result.baseline_validation = 94;
  write_cell(folder_ / "b", other);
  EXPECT_THAT(message_of([&] { read_campaigns({folder_.path()}); }),
              HasSubstr("cannot be compared"));
}

TEST_F(ReadCampaigns, TransfersPoliciesByTheTablesOfTheMachines) {
  const auto write = [&](const std::string& variant, BitPair bits, double scale) {
    AnalysedCell cell = sample_cell("haq", 1, 90, {80});
    cell.result.variant = variant;
    for (LayerOutcome& layer : cell.result.best.layers) layer.bits = bits;
    write_cell(folder_ / variant, cell);
    std::vector<LutRow> rows;
    for (const char* shape : {"shape a", "shape b"}) {
      for (const int width : {2, 8}) {
        LutRow row;
        row.variant = variant;
        row.layer = row.shape = shape;
        row.bits = {width, width};
        row.cycles = 1;
        row.latency_s = scale * width;
        row.energy_j = row.energy_high_j = 1e-6;
        row.schedule = "s";
        rows.push_back(row);
      }
    }
    save_lut(folder_.path() / variant / "lut.csv", rows);
  };
  write("one", {2, 2}, 1e-3);
  write("two", {8, 8}, 1e-2);
  const std::vector<TransferRow> rows = policy_transfer(read_campaigns({folder_.path()}));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1].made_for, "one");
  EXPECT_EQ(rows[1].run_on, "two");
  EXPECT_DOUBLE_EQ(rows[1].latency_s.value(), 2 * 2e-2);
  EXPECT_DOUBLE_EQ(rows[1].penalty.value(), 0.25);
  EXPECT_DOUBLE_EQ(rows[2].latency_s.value(), 2 * 8e-3);
  EXPECT_DOUBLE_EQ(rows[2].penalty.value(), 4.0);
  EXPECT_TRUE(rows[2].note.empty());
  // 4 bits are in neither table: they cost what 8 cost.
  write("one", {4, 4}, 1e-3);
  const TransferRow rounded = policy_transfer(read_campaigns({folder_.path()})).at(0);
  EXPECT_DOUBLE_EQ(rounded.latency_s.value(), 2 * 8e-3);
  EXPECT_THAT(rounded.note, HasSubstr("next wider"));
  write("one", {16, 2}, 1e-3);
  const TransferRow missing = policy_transfer(read_campaigns({folder_.path()})).at(0);
  EXPECT_FALSE(missing.latency_s);
  EXPECT_THAT(missing.note, HasSubstr("no 16/2 bits"));
}

}  // namespace
}  // namespace bittern
