#include "host/report/cells_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host/report/analysis_tables.h"
#include "host/report/campaign_charts.h"
#include "host/report/cells_charts.h"
#include "host/report/episode_charts.h"
#include "tests/host/analysis/sample_cells.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

AnalysedCampaigns campaigns() {
  AnalysedCampaigns out;
  for (const double limit : {0.25, 0.5}) {
    for (const int seed : {1, 2}) {
      out.cells.push_back(sample_cell("haq", seed, 90 + seed, {80, 85, 86}, 3, limit));
      out.cells.push_back(sample_cell("random", seed, 90, {81, 82, 83}, 3, limit));
    }
  }
  for (AnalysedCell& cell : out.cells) {
    cell.result.uniform[0].search_accuracy = 84;
    cell.result.campaign = "a <b>";
    cell.result.campaign_file = "name: <script>alert(1)</script>\n";
    cell.result.provenance = {{"bittern", "1.0 (abc)"}, {"settings", cell.folder.string()}};
  }
  return out;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(CellsReport, HasSentencesTablesChartsFileAndOrigins) {
  const AnalysedCampaigns all = campaigns();
  const CampaignAnalysis analysis = analyse(all);
  const std::string html = cells_report_html(all, analysis, "");
  EXPECT_THAT(html, HasSubstr("all 2 problems: haq reached"));
  for (const char* text :
       {"<h2>Methods</h2>", "<h2>Paired differences</h2>", "Frontier of all policies seen",
        "Best accuracy so far", "Evaluations to a quality", "op / byte",
        "<h2>Accuracy against the limit</h2>", "<h2>All cells</h2>", "<h2>What was run</h2>",
        "1.0 (abc)", "(1 of 8 cells)", "haq-0.25-1/report.html"}) {
    EXPECT_THAT(html, HasSubstr(text));
  }
}

TEST(CellsReport, IsOneFileWithoutScriptsAndEscapesAllText) {
  const AnalysedCampaigns all = campaigns();
  const std::string html = cells_report_html(all, analyse(all), "");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_THAT(html, Not(HasSubstr("a <b>")));
  EXPECT_THAT(html, Not(HasSubstr("fc<2>")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(CellsReport, HasNoSectionsWithoutContent) {
  AnalysedCampaigns one;
  one.cells = {sample_cell("random", 1, 90, {})};
  const std::string html = cells_report_html(one, analyse(one), "");
  EXPECT_THAT(html, Not(HasSubstr("Paired differences")));
  EXPECT_THAT(html, Not(HasSubstr("Accuracy against the limit")));
  EXPECT_THAT(html, Not(HasSubstr("on the other machines")));
  EXPECT_THAT(html, HasSubstr("no data")) << "a search without its lines has no curves";
}

TEST(FrontierChart, ShowsEveryPolicyUniformBitsAndWhatWasFound) {
  const std::string svg = frontier_chart(campaigns(), campaigns().cells[0].problem());
  EXPECT_EQ(count(svg, "r=\"2.2\""), 12u) << "three policies of two methods and two seeds";
  EXPECT_THAT(svg, HasSubstr("uniform bits"));
  EXPECT_EQ(count(svg, "found by "), 4u);
}

TEST(BestCurvesChart, HasABandOfOneDeviation) {
  AnalysedCampaigns two;
  two.cells = {sample_cell("haq", 1, 90, {80, 90}), sample_cell("haq", 2, 90, {84, 86})};
  EXPECT_EQ(count(best_curves_chart(two, two.cells[0].problem()), "fill-opacity=\"0.14\""), 1u);
}

TEST(BitsAndIntensity, StandAboveEachOtherWhereBytesAreKnown) {
  PolicyOutcome policy = sample_cell("haq", 1, 90, {}).result.best;
  EXPECT_EQ(count(bits_and_intensity_chart(policy, "t"), "<svg"), 2u);
  EXPECT_THAT(bits_and_intensity_chart(policy, "t"), HasSubstr("conv1 : 20<"));
  policy.layers[1].bytes = 0;
  EXPECT_EQ(count(bits_and_intensity_chart(policy, "t"), "<svg"), 1u);
}

TEST(RooflineBeforeAfter, NeedsBandwidthAndTheReference) {
  CampaignResult result = sample_cell("haq", 1, 90, {}).result;
  EXPECT_EQ(roofline_before_after(result), "") << "no bandwidth";
  result.bandwidth = {1e9, 4e9};
  const std::string svg = roofline_before_after(result);
  EXPECT_THAT(svg, HasSubstr("conv1 at 8/8: 20 operations per byte, 1e+06 operations per second"));
  EXPECT_THAT(svg, HasSubstr("conv1 at 4/4"));
  result.uniform.clear();
  EXPECT_EQ(roofline_before_after(result), "");
}

TEST(LayerCostChart, HasTheReferenceBesideTheFoundPolicy) {
  const CampaignResult result = sample_cell("haq", 1, 90, {}).result;
  EXPECT_EQ(count(layer_cost_chart(result, "latency"), "<rect"), 4u);
  EXPECT_THAT(layer_cost_chart(result, "energy"), HasSubstr("Energy by layer"));
}

json line_with_probabilities(int episode, double p) {
  json line = sample_line(episode, 90);
  line["probabilities"] =
      json::array({{{"layer", "conv1"}, {"kind", "w"}, {"bits", {2, 4}}, {"p", {p, 1 - p}}}});
  line["entropy"] = 0.5;
  line["moving"] = {{"accuracy", 0.9}, {"quantization", 0.4}, {"reward", 1.2}};
  line["update"] = {{"kl", 0.01}, {"clip_share", 0.1}, {"value_loss", 0.3}, {"policy_loss", 0.2}};
  return line;
}

std::string all_figures(const std::vector<json>& lines) {
  std::string out;
  for (const page::Figure& figure : method_figures(lines)) out += figure.svg;
  return out;
}

TEST(MethodFigures, ShowHowProbabilitiesEvolve) {
  json without = line_with_probabilities(1, 0.5);
  without["probabilities"] = nullptr;
  without["moving"] = nullptr;
  const std::string svg =
      all_figures({line_with_probabilities(0, 0.5), without, line_with_probabilities(2, 0.9)});
  for (const char* text : {"Probabilities of bits: conv1, weights", "2 bits", "4 bits",
                           "KL divergence", "Entropy of the policy", "state of quantisation",
                           "Moving average: reward", "Updates: losses"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
}

TEST(MethodFigures, AreNoneForMethodsThatWriteNoSuchKeys) {
  EXPECT_TRUE(method_figures({sample_line(0, 90)}).empty());
}

TEST(MethodFigures, SurviveLinesOfAnyForm) {
  std::vector<json> lines;
  for (const char* text :
       {R"({"probabilities": 7, "update": [], "moving": "x"})",
        R"({"probabilities": [1, {}, {"layer": {}, "bits": [1], "p": []}]})",
        R"({"probabilities": [{"layer": "a", "kind": 3, "bits": ["x", 2], "p": [1, null]}]})", "[]",
        "null"}) {
    lines.push_back(json::parse(text));
  }
  EXPECT_THAT(all_figures(lines), Not(HasSubstr("nan")));
  EXPECT_THAT(episode_accuracy_chart(lines), HasSubstr("no data"));
  EXPECT_THAT(episode_frontier_chart(lines), HasSubstr("no data"));
  EXPECT_THAT(episode_best_bits_chart(lines), HasSubstr("no data"));
  EXPECT_THAT(episode_ratio_chart(lines), HasSubstr("no data"));
}

TEST(EpisodeCharts, StayBoundedForLongSearches) {
  std::vector<json> lines;
  for (int i = 0; i < 20000; ++i) lines.push_back(sample_line(i, 50 + (i * 7919 % 1000) / 25.0));
  EXPECT_LT(count(reward_chart(lines), "<circle"), 3000u);
  EXPECT_LT(count(episode_frontier_chart(lines), "<circle"), 3000u);
}

TEST(AnalysisTables, HaveEveryNumberWithItsInterval) {
  const AnalysedCampaigns all = campaigns();
  const json out = analysis_json(all, analyse(all));
  EXPECT_EQ(out.at("format"), "bittern-analysis-1");
  EXPECT_EQ(out.at("cells").size(), 8u);
  const json& row = out.at("tables").at("pairs").at("rows").at(0);
  EXPECT_EQ(row.at("method"), "haq");
  EXPECT_DOUBLE_EQ(row.at("difference").get<double>(), 1.5);
  // Deviation sqrt(0.5), t(1) = 12.7062, over sqrt(2).
  EXPECT_NEAR(row.at("difference_low").get<double>(), 1.5 - 6.3531, 1e-3);
  EXPECT_EQ(out.at("tables").at("methods").at("rows").size(), 4u);
  EXPECT_EQ(episodes_table(all).rows(), 24u);
  EXPECT_EQ(curves_table(all).rows(), 12u);
}

}  // namespace
}  // namespace bittern
