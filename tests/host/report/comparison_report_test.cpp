#include "host/report/comparison_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/cores/cores.h"
#include "host/network/network.h"
#include "host/report/roofline_chart.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ComparisonVariant shipped(const std::string& name) {
  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
  return {variant, load_energy_table(std::string(BITTERN_SOURCE_DIR) + "/configs/energy/" +
                                     variant.energy + ".yaml")};
}

/// LeNet in the closed form.
Comparison sample(const std::vector<NamedPolicy>& policies,
                  const std::vector<ComparisonVariant>& variants) {
  LayerSource source;
  source.model = LayerModel::kClosed;
  Network network = load_network(std::string(BITTERN_SOURCE_DIR) + "/configs/networks/lenet.yaml");
  network.layers[0].name = "conv<1>";
  return compare(network, {0, 1, 2, 3}, policies, variants, source);
}

TEST(ComparisonReport, ShowsEveryVariantAndFetchesNothing) {
  const std::string html = comparison_report_html(
      sample({{"p&q", Policy(4, {4, 4})}}, {shipped("bismo_tiny"), shipped("bismo_edge")}));
  EXPECT_THAT(html, AllOf(HasSubstr("Roofline of bismo_tiny"), HasSubstr("Roofline of bismo_edge"),
                          HasSubstr("Cycles of bismo_edge"), HasSubstr("all model"),
                          HasSubstr("p&amp;q"), HasSubstr("conv&lt;1&gt;")));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("http")),
                          Not(HasSubstr("conv<1>")), Not(HasSubstr("nan"))));
  EXPECT_THAT(html, Not(HasSubstr("Policies on other machines")));
  EXPECT_THAT(html, Not(HasSubstr("Bits asked for"))) << "one pair for all layers needs no bars";
}

TEST(ComparisonReport, ColoursThePenaltyOfForeignPolicies) {
  const std::string html = comparison_report_html(
      sample({{"bismo_tiny", Policy(4, {2, 2})}, {"slow", {{8, 8}, {8, 8}, {8, 8}, {7, 8}}}},
             {shipped("bismo_tiny")}));
  EXPECT_THAT(html, AllOf(HasSubstr("Policies on other machines"), HasSubstr("(its own)"),
                          HasSubstr("background:rgba(234,88,12,"), HasSubstr("Bits asked for")));
}

TEST(RooflineChart, HasARoofForEveryPeakAndAPointForEveryLayer) {
  const Comparison c =
      sample({{"mixed", {{8, 8}, {4, 4}, {2, 8}, {8, 8}}}}, {shipped("bismo_edge")});
  const std::string svg = roofline_chart(c.variants[0].policies[0], c.variants[0].variant);
  // 4 x 4 and 2 x 8 bits have the same peak, and so one roof.
  EXPECT_THAT(svg, AllOf(HasSubstr(">8/8 bits<"), HasSubstr(">4/4, 2/8 bits<")));
  for (const char* name : {"conv&lt;1&gt;", "conv2", "fc1", "fc2"}) {
    EXPECT_THAT(svg, HasSubstr(std::string("<title>") + name + ": "));
  }
  EXPECT_THAT(svg, AllOf(HasSubstr("one port (1.60 GB/s)"), HasSubstr("all ports (12.8 GB/s)")));
}

}  // namespace
}  // namespace bittern
