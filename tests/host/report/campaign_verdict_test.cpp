#include "host/report/campaign_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/report/campaign_report.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kImages = 1000;

/// The images from `first_wrong` on, so many of them, are answered wrongly.
Answers wrong(std::size_t first_wrong, std::size_t how_many) {
  std::vector<bool> correct(kImages, true);
  for (std::size_t i = first_wrong; i < first_wrong + how_many; ++i) correct[i] = false;
  return Answers(correct);
}

PolicyOutcome outcome(const std::string& label, int bits, double latency, double validation,
                      std::size_t first_wrong, std::size_t how_many) {
  PolicyOutcome out;
  out.label = label;
  out.layers = {{"fc", {bits, bits}, 1000, latency, 1e-6, "rtl"}};
  out.latency_s = latency;
  out.energy_j = 2e-6;
  out.size_bytes = 1024;
  out.validation_accuracy = validation;
  out.test_answers = wrong(first_wrong, how_many);
  out.test_accuracy = 100.0 - 0.1 * static_cast<double>(how_many);
  return out;
}

/// Limit of 0.5 ms. Found is wrong on 30 images; uniform 2 on 34, 28 of them the same; uniform 3
/// takes 4 % more than the limit and is wrong on 10 of found's.
CampaignResult sample() {
  CampaignResult r;
  r.campaign = "sample";
  r.network = "lenet";
  r.variant = "bismo_edge";
  r.search = "haq";
  r.episodes = 40;
  r.policies_tried = 31;
  r.finalists = 3;
  r.validation_images = 500;
  r.test_images = kImages;
  r.baseline_validation = 99;
  r.reference.latency_s = 1e-3;
  r.constraints = {{"latency", "s", 1e-3, 0.5e-3, 0.45e-3}};
  r.best = outcome("found", 4, 0.45e-3, 98.5, 0, 30);
  r.uniform = {outcome("uniform 2", 2, 0.4e-3, 98, 2, 34),
               outcome("uniform 3", 3, 0.52e-3, 99, 0, 10),
               outcome("uniform 8", 8, 1e-3, 99.5, 0, 2)};
  return r;
}

std::string verdict(const CampaignResult& result) {
  std::string out;
  for (const std::string& line : campaign_verdict(result)) out += line + "\n";
  return out;
}

TEST(CampaignVerdict, ShowsNoDifferenceWhereTheIntervalHoldsZero) {
  // 8 images against 2... of found and uniform 2: found alone is right on 6, uniform 2 on 2.
  const std::string text = verdict(sample());
  EXPECT_THAT(text,
              HasSubstr("best uniform policy within the limits (by validation): uniform 2\n"));
  EXPECT_THAT(text, AllOf(HasSubstr("found minus uniform 2: +0.40 points (95 % interval -0.2"),
                          HasSubstr("paired over 1000 images) on the test set: no difference is "
                                    "shown")));
}

TEST(CampaignVerdict, SaysBetterOrWorseWhereTheIntervalLeavesZeroOut) {
  CampaignResult result = sample();
  result.uniform[0].test_answers = wrong(0, 60);
  EXPECT_THAT(verdict(result), HasSubstr("on the test set: found is better"));
  result.uniform[0].test_answers = wrong(0, 10);
  EXPECT_THAT(verdict(result), HasSubstr("on the test set: found is worse"));
}

TEST(CampaignVerdict, NamesAUniformPolicyThatCostsLittleMoreAndIsClearlyBetter) {
  CampaignResult result = sample();
  ASSERT_NE(clearly_better_uniform(result), nullptr);
  EXPECT_EQ(clearly_better_uniform(result)->label, "uniform 3") << "8 costs twice the limit";
  EXPECT_THAT(verdict(result),
              HasSubstr("uniform 3 costs 1.156 times the latency of the found policy (4.0 % above "
                        "the limit on latency) and is clearly better on the test set: 99.00 "
                        "against 97.00 %, +2.00 points (95 % interval +1."));
  // Not when it may be chance, nor when another limit is far exceeded.
  result.uniform[1].test_answers = wrong(0, 28);
  EXPECT_EQ(clearly_better_uniform(result), nullptr);
  EXPECT_THAT(verdict(result), Not(HasSubstr("clearly better")));
  result = sample();
  result.constraints.push_back({"model_size", "bytes", 4096, 2048, 1024});
  result.uniform[1].size_bytes = 3000;
  EXPECT_EQ(clearly_better_uniform(result), nullptr);
  result.uniform[1].size_bytes = 2500;
  EXPECT_THAT(verdict(result), HasSubstr("2.441 times its model_size (4.0 % above the limit on "
                                         "latency, 22.1 % above the limit on model_size)"));
}

TEST(CampaignVerdict, SaysAmongHowManyPoliciesWasChosen) {
  EXPECT_THAT(
      verdict(sample()),
      HasSubstr("found is the best by validation of 31 policies tried in 40 episodes (3 with "
                "the final fine-tune); that flatters its validation accuracy"));
}

TEST(CampaignVerdict, ClaimsNothingWithoutAnswersToSingleImages) {
  CampaignResult result = sample();
  result.best.test_answers = {};
  EXPECT_THAT(verdict(result),
              AllOf(HasSubstr("+0.40 points on the test set, without an interval"),
                    HasSubstr("no difference is shown"), Not(HasSubstr("clearly better"))));
  result.best.test_accuracy.reset();
  EXPECT_THAT(verdict(result),
              AllOf(HasSubstr("+0.50 points on the validation set"), HasSubstr("stopped before")));
  result.constraints[0].limit = 0.1e-3;
  EXPECT_THAT(verdict(result), HasSubstr("no uniform policy is within the limits"));
}

TEST(CampaignSummary, HasStandardErrorsTheVerdictAndWhatIsDoubtful) {
  CampaignResult result = sample();
  result.warnings = {"nothing was learned"};
  result.uniform_note = "no row for uniform 5: it runs wider bits instead";
  const std::string text = campaign_summary_text(result);
  EXPECT_THAT(text, HasSubstr("97.00 +-0.54"));
  EXPECT_THAT(text, HasSubstr(verdict(result)));
  EXPECT_THAT(text, HasSubstr("warning: nothing was learned"));
  EXPECT_THAT(text, HasSubstr(result.uniform_note));
}

TEST(CampaignSummary, ShowsTheBitsThatRanWhereTheHardwareRounds) {
  CampaignResult result = sample();
  EXPECT_THAT(campaign_summary_text(result), Not(HasSubstr(">")));
  result.best.layers[0].bits = {3, 8};
  result.best.layers[0].ran = BitPair{4, 8};
  EXPECT_THAT(campaign_summary_text(result), HasSubstr("   3>4      8 "));
  EXPECT_THAT(campaign_report_html(result, {}), HasSubstr("<td>3&gt;4</td>"));
}

TEST(CampaignSummary, NamesTheReferenceThatRatiosMean) {
  CampaignResult result = sample();
  result.reference.bits = "6/6";
  EXPECT_THAT(campaign_summary_text(result),
              AllOf(HasSubstr("of 6/6"), HasSubstr("(0.4500 of 6/6, limit 0.5000)"),
                    Not(HasSubstr("8/8"))));
  EXPECT_THAT(campaign_report_html(result, {}), HasSubstr("latency / 6/6 bits"));
}

}  // namespace
}  // namespace bittern
