#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/report/campaign_report.h"
#include "host/report/chart.h"
#include "host/result/notes.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Numbers that follow `before`, in their order; with `element`, once in each of these.
std::vector<double> numbers_after(const std::string& svg, const std::string& before,
                                  const std::string& element = "") {
  std::vector<double> found;
  const std::string& step = element.empty() ? before : element;
  for (std::size_t at = svg.find(step); at != std::string::npos; at = svg.find(step, at + 1)) {
    const std::size_t number = svg.find(before, at);
    if (number != std::string::npos) found.push_back(std::stod(svg.substr(number + before.size())));
  }
  return found;
}

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

TEST(Chart, AStepKeepsItsValueUntilTheNextPoint) {
  const Series step{"", "#000", Mark::kStep, {0, 10, 20}, {1, 3, 3}, {}, {}};
  const std::string svg = Chart{"t", "x", "y", {step}, {}}.svg();
  const std::regex points(
      "points=\"([-0-9.]+),([-0-9.]+) ([-0-9.]+),([-0-9.]+) "
      "([-0-9.]+),([-0-9.]+) ");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, points)) << svg;
  EXPECT_EQ(found[4], found[2]) << "level until the second point";
  EXPECT_EQ(found[3], found[5]) << "and straight up there";
}

TEST(Chart, ErrorBarsReachAsFarAsTheErrors) {
  Series series{"", "#000", Mark::kPoints, {0, 1}, {10, 20}, {}, {}};
  series.errors = {5, 0};
  const std::string svg = Chart{"t", "x", "y", {series}, {}}.svg();
  const std::vector<double> centre = numbers_after(svg, "cy=\"");
  const std::regex bar("<path d=\"M[-0-9.]+ ([-0-9.]+)V([-0-9.]+)M");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, bar)) << svg;
  // Ten units lie between the points, five on each side of the first one.
  const double ten = centre.at(0) - centre.at(1);
  EXPECT_NEAR(std::stod(found[1]) - std::stod(found[2]), ten, 0.3);
  EXPECT_EQ(count(svg, "<path"), 1u) << "no bar where there is no error";
}

TEST(Chart, LegendsShowTheMarksThatAreDrawn) {
  const auto legend_of = [](Mark mark) {
    const std::string svg =
        Chart{"t", "x", "y", {{"name", "#123", mark, {1}, {1}, {}, {}}}, {}}.svg();
    return svg.substr(svg.rfind("#123", svg.find(">name<")) - 200);
  };
  EXPECT_THAT(legend_of(Mark::kStar), HasSubstr("<polygon"));
  EXPECT_THAT(legend_of(Mark::kStep), HasSubstr("<line"));
  EXPECT_THAT(legend_of(Mark::kRings), HasSubstr("fill=\"none\" stroke=\"#123\""));
  const BarChart bars{"t", "y", {"a"}, {{"one", "red", {3}}}};
  EXPECT_THAT(bars.svg(), HasSubstr("h9v9h-9z\" fill=\"red\""));
}

TEST(LogTicks, ArePowersOfTenOrFillTheGapsBetweenThem) {
  const auto wide = log_ticks(0.5, 2e6, 7);
  EXPECT_THAT(wide, ::testing::ElementsAre(1, 10, 100, 1e3, 1e4, 1e5, 1e6));
  EXPECT_LE(log_ticks(1, 1e30, 5).size(), 8u);
  EXPECT_THAT(log_ticks(15, 300, 5), ::testing::ElementsAre(20, 50, 100, 200));
}

TEST(Chart, LogarithmicAxesLeaveOutWhatIsNotPositive) {
  Chart chart{
      "t", "x", "y", {{"s", "#000", Mark::kPoints, {0, -1, 1, 1e3}, {5, 5, 0, 2e9}, {}, {}}}, {}};
  chart.log_x = chart.log_y = true;
  const std::string svg = chart.svg();
  EXPECT_EQ(count(svg, "<circle cx"), 1u + 1u) << "one point and the legend";
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, HasSubstr("2 G"));
}

TEST(Chart, EqualDecadesAreEquallyWideOnALogarithmicAxis) {
  Chart chart{"t", "x", "y", {{"", "#000", Mark::kPoints, {1, 10, 100}, {1, 2, 3}, {}, {}}}, {}};
  chart.log_x = true;
  const std::vector<double> at = numbers_after(chart.svg(), "<circle cx=\"");
  ASSERT_EQ(at.size(), 3u);
  EXPECT_NEAR(at[1] - at[0], at[2] - at[1], 0.11);
}

TEST(Chart, LabelsDoNotCoverEachOther) {
  Series crowd{"", "#000", Mark::kPoints, {}, {}, {}, {}};
  for (int i = 0; i < 120; ++i) {
    crowd.x.push_back(i % 10);
    crowd.y.push_back(i % 7);
    crowd.point_labels.push_back("layer" + std::to_string(100 + i));
  }
  const std::string svg = Chart{"t", "x", "y", {crowd}, {}}.svg();
  const std::regex label(
      "x=\"([0-9.]+)\" y=\"([0-9.]+)\" class=\"tick\"( text-anchor=\"end\")?>layer");
  std::vector<std::pair<double, double>> placed;  // left end, baseline
  const double width = 8 * 6.0;
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), label); at != std::sregex_iterator();
       ++at) {
    placed.emplace_back(std::stod((*at)[1]) - ((*at)[3].matched ? width : 0.0),
                        std::stod((*at)[2]));
  }
  EXPECT_GT(placed.size(), 40u);
  EXPECT_LT(placed.size(), 120u) << "points that coincide cannot all have readable labels";
  for (std::size_t i = 0; i < placed.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_FALSE(std::abs(placed[i].first - placed[j].first) < width &&
                   std::abs(placed[i].second - placed[j].second) < 10)
          << i << " " << j;
    }
  }
}

TEST(Chart, LabelsKeepOffLinesWhereThereIsRoom) {
  // The line goes through the point, and so through a label beside it.
  const Series line{"", "#000", Mark::kLine, {0, 10}, {5, 5}, {}, {}};
  const Series point{"", "#000", Mark::kPoints, {5}, {5}, {"name"}, {}};
  const Series corners{"", "#000", Mark::kPoints, {0, 10}, {0, 10}, {}, {}};
  const std::string svg = Chart{"t", "x", "y", {corners, line, point}, {}}.svg();
  const std::regex label("y=\"([0-9.]+)\" class=\"tick\"[^>]*>name<");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, label));
  const double line_y = numbers_after(svg, "cy=\"").back();
  const double baseline = std::stod(found[1]);
  EXPECT_TRUE(baseline + 2 < line_y || baseline - 9 > line_y) << baseline << " " << line_y;
}

TEST(Chart, LegendsThatAreTooLongGoOnBelow) {
  Chart chart{"t", "x", "y", {}, {}};
  for (int i = 0; i < 12; ++i) {
    chart.series.push_back(
        {"a series with a long name", "#000", Mark::kPoints, {1.0 * i}, {2}, {}, {}});
  }
  const std::string svg = chart.svg();
  EXPECT_EQ(count(svg, ">a series with a long name<"), 12u);
  const std::vector<double> size = numbers_after(svg, "viewBox=\"0 0 640 ");
  const std::vector<double> heights = numbers_after(svg, "cy=\"");
  EXPECT_LT(*std::max_element(heights.begin(), heights.end()), size.at(0));
}

TEST(BarChart, StackedBarsStandOnEachOther) {
  BarChart chart{"t", "y", {"a"}, {{"one", "red", {30}}, {"two", "blue", {70}}}, 100};
  chart.stacked = true;
  const std::string svg = chart.svg();
  const auto top = numbers_after(svg, "y=\"", "<rect");
  const auto height = numbers_after(svg, "height=\"", "<rect");
  ASSERT_EQ(top.size(), 2u);
  EXPECT_NEAR(top[0], top[1] + height[1], 0.11);
  EXPECT_NEAR(height[0] / height[1], 30.0 / 70.0, 0.01);
}

TEST(BarChart, LogarithmicBarsShowEvenTheSmallestAndLeaveOutZero) {
  BarChart chart{"t", "y", {"a", "b", "c"}, {{"one", "red", {1e-3, 1e3, 0}}}};
  chart.log_y = true;
  const auto height = numbers_after(chart.svg(), "height=\"", "<rect");
  ASSERT_EQ(height.size(), 2u);
  EXPECT_GT(height[0], 3.0);
  EXPECT_GT(height[1], height[0]);
}

TEST(BarChart, NamesThatDoNotFitAreSlanted) {
  BarChart chart{"t", "y", {}, {{"one", "red", {}}}};
  for (int i = 0; i < 30; ++i) {
    chart.categories.push_back("features." + std::to_string(i));
    chart.series[0].values.push_back(i);
  }
  EXPECT_EQ(count(chart.svg(), "rotate(-45)"), 30u);
}

TEST(BarChart, DrawsOneBarPerValue) {
  BarChart chart{"bits", "bits", {"a", "b"}, {{"w", "red", {2, 3}}, {"a", "blue", {4, 5}}}, 8};
  const std::string svg = chart.svg();
  EXPECT_EQ(count(svg, "</rect>"), 4u);
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

TEST(CampaignReport, HasWhatWasRunAndSaysWhatIsDrawn) {
  CampaignResult result = sample_result();
  result.warnings = {"<odd>"};
  result.constraints.push_back({"model_size", "bytes", 4096, 2048, 1024});
  const std::vector<nlohmann::json> episodes = {
      {{"episode", 0}, {"reward", -0.1}, {"warmup", true}},
      {{"episode", 1}, {"reward", -0.2}, {"warmup", false}}};
  const std::string html = campaign_report_html(
      result, episodes, {"name: <sample>  # text of the file\n", "bittern run sample --seed 7"});
  EXPECT_THAT(html, HasSubstr("name: &lt;sample&gt;  # text of the file"));
  EXPECT_THAT(html, HasSubstr("bittern run sample --seed 7"));
  EXPECT_THAT(html, HasSubstr("&lt;odd&gt;"));
  EXPECT_THAT(html, HasSubstr("the first 1 episodes"));
  EXPECT_THAT(html, HasSubstr("constraint wall takes bits"));
  // Charts for every constraint, warm-up told apart in the legends.
  for (const char* title : {"wall: latency", "wall: model size", "Accuracy against latency",
                            "Accuracy against model size", ">episode, warm-up<"}) {
    EXPECT_THAT(html, HasSubstr(title));
  }
}

TEST(CampaignReport, NamesEveryOriginWhenTheyDiffer) {
  CampaignResult result = sample_result();
  result.uniform[0].layers[0].origin = "model";
  EXPECT_THAT(campaign_summary_text(result), HasSubstr("1 x model, 7 x rtl"));
}

TEST(CampaignSummary, SaysWhatIsNotTimedAndWhichSumsAreWide) {
  CampaignResult result = sample_result();
  EXPECT_THAT(campaign_summary_text(result), Not(HasSubstr("not timed")));
  result.provenance.emplace_back(kNotTimed, "pooling; biases");
  result.provenance.emplace_back(kWideSums, "fc1 (34 bits)");
  result.provenance.emplace_back("other", "nobody asks");
  EXPECT_THAT(campaign_summary_text(result),
              HasSubstr("\nnot timed: pooling; biases\nsums beyond 32 bits: fc1 (34 bits)\n"));
  EXPECT_THAT(campaign_summary_text(result), Not(HasSubstr("nobody")));
}

TEST(CampaignSummary, SaysWhetherTheConstraintIsMet) {
  CampaignResult result = sample_result();
  EXPECT_THAT(campaign_summary_text(result), HasSubstr(": met"));
  result.constraints[0].achieved = 0.51e-3;
  EXPECT_THAT(campaign_summary_text(result), HasSubstr("NOT MET"));
}

TEST(CampaignResult, TheBestUniformPolicyMeetsEveryLimit) {
  CampaignResult result = sample_result();
  result.uniform.push_back(outcome("uniform 9", 9, 0.51e-3, 99));
  ASSERT_NE(result.best_uniform(), nullptr);
  EXPECT_EQ(result.best_uniform()->label, "uniform 5") << "9 is over the limit";
  result.uniform[1].size_bytes = 4096;
  result.constraints.push_back({"model_size", "bytes", 4096, 2048, 1024});
  EXPECT_EQ(result.best_uniform()->label, "uniform 4");
  result.uniform[0].energy_j = 4e-6;
  result.constraints.push_back({"energy", "J", 8e-6, 3e-6, 2e-6});
  EXPECT_EQ(result.best_uniform(), nullptr);
}

TEST(CampaignResult, TheTestSetHasNoSayInWhichUniformPolicyIsBest) {
  CampaignResult result = sample_result();
  result.uniform[0].test_accuracy = 99.9;
  EXPECT_EQ(result.best_uniform()->label, "uniform 5");
  result.uniform[0].validation_accuracy = result.uniform[1].validation_accuracy;
  EXPECT_EQ(result.best_uniform()->label, "uniform 4") << "of two equal ones the faster";
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
