#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/base/error.h"
#include "host/report/campaign_report.h"
#include "host/report/chart.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

PolicyOutcome outcome(const std::string& label, int bits, double latency, double accuracy) {
  PolicyOutcome out;
  out.label = label;
  for (const char* name : {"conv1", "fc<2>"}) {
    out.layers.push_back({name, {bits, bits - 1}, 1000, latency / 2, 1e-6, "rtl"});
  }
  out.latency_s = latency;
  out.energy_j = 2e-6;
  out.energy_high_j = 3e-6;
  out.size_bytes = 1024;
  out.validation_accuracy = accuracy;
  out.test_accuracy = accuracy - 1;
  return out;
}

CampaignResult sample_result() {
  CampaignResult r;
  r.campaign = "sample & co";
  r.network = "lenet";
  r.dataset = "synthetic";
  r.variant = "bismo_edge";
  r.search = "haq";
  r.cost_kind = "rtl";
  r.seed = 7;
  r.episodes = r.budget = 3;
  r.baseline_validation = 99;
  r.baseline_test = 98;
  r.constraints.push_back({"latency", "s", 1e-3, 0.5e-3, 0.45e-3});
  r.best = outcome("found", 5, 0.45e-3, 98.5);
  r.uniform = {outcome("uniform 4", 4, 0.4e-3, 97), outcome("uniform 5", 5, 0.44e-3, 98),
               outcome("uniform 8", 8, 1e-3, 99)};
  r.provenance = {{"rtl hash", "abc"}};
  r.timing = {{"total_s", 1.5}};
  return r;
}

TEST(AxisTicks, AreRoundAndCoverTheRange) {
  EXPECT_THAT(axis_ticks(0, 10, 5), ::testing::ElementsAre(0, 2, 4, 6, 8, 10));
  for (double tick : axis_ticks(0.13, 0.47, 5)) {
    EXPECT_GE(tick, 0.13 - 1e-12);
    EXPECT_LE(tick, 0.47 + 1e-12);
  }
  EXPECT_EQ(axis_ticks(3, 3, 5).size(), 1u);
}

TEST(Chart, LeavesOutPointsThatAreNotFinite) {
  Chart chart{
      "t", "x", "y", {{"s", "#000", Mark::kPoints, {1, 2, NAN}, {1, INFINITY, 3}, {}, {}}}, {}};
  const std::string svg = chart.svg();
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, HasSubstr("<circle"));
}

TEST(Chart, SaysSoWhenThereIsNoData) { EXPECT_THAT(Chart{}.svg(), HasSubstr("no data")); }

TEST(BarChart, DrawsOneBarPerValue) {
  BarChart chart{"bits", "bits", {"a", "b"}, {{"w", "red", {2, 3}}, {"a", "blue", {4, 5}}}, 8};
  const std::string svg = chart.svg();
  std::size_t bars = 0;
  for (std::size_t at = svg.find("</rect>"); at != std::string::npos;
       at = svg.find("</rect>", at + 1))
    ++bars;
  EXPECT_EQ(bars, 4u);
}

TEST(CampaignReport, EscapesNamesAndFetchesNothing) {
  const std::string html = campaign_report_html(
      sample_result(), {{{"episode", 0}, {"reward", -0.1}, {"cost", {{"latency_s", 4e-4}}}}});
  EXPECT_THAT(html, HasSubstr("sample &amp; co"));
  EXPECT_THAT(html, HasSubstr("fc&lt;2&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("fc<2>")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_THAT(html, HasSubstr("all rtl"));
}

TEST(CampaignReport, NamesEveryOriginWhenTheyDiffer) {
  CampaignResult result = sample_result();
  result.uniform[0].layers[0].origin = "model";
  EXPECT_THAT(campaign_summary_text(result), HasSubstr("1 x model, 7 x rtl"));
}

TEST(CampaignSummary, SaysWhetherTheConstraintIsMet) {
  CampaignResult result = sample_result();
  EXPECT_THAT(campaign_summary_text(result), HasSubstr(": met"));
  result.constraints[0].achieved = 0.51e-3;
  EXPECT_THAT(campaign_summary_text(result), HasSubstr("NOT MET"));
}

TEST(CampaignResult, FindsTheBestUniformPolicyThatIsNotSlower) {
  CampaignResult result = sample_result();
  ASSERT_NE(result.best_uniform_within_latency(), nullptr);
  EXPECT_EQ(result.best_uniform_within_latency()->label, "uniform 5");
  result.best.latency_s = 0.1e-3;
  EXPECT_EQ(result.best_uniform_within_latency(), nullptr);
}

TEST(CampaignResult, SurvivesJson) {
  const CampaignResult result = sample_result();
  const CampaignResult again = campaign_result_from_json(to_json(result));
  EXPECT_EQ(to_json(again), to_json(result));
  EXPECT_EQ(again.best.policy(), result.best.policy());
}

TEST(CampaignResult, RefusesDamagedJson) {
  nlohmann::json json = to_json(sample_result());
  json.erase("best");
  EXPECT_THROW(campaign_result_from_json(json), Error);
  json = to_json(sample_result());
  json["format"] = "bittern-result-9";
  EXPECT_THROW(campaign_result_from_json(json), Error);
}

}  // namespace
}  // namespace bittern
