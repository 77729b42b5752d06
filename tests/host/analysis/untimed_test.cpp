#include "host/analysis/untimed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/cores/cores.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Untimed, NamesWhatTheNetworkHasAndTheVariantDoesNotDo) {
  Variant variant = load_variant("bismo_tiny");
  variant.lowering.erase("requantise");
  EXPECT_THAT(untimed_parts(load_network("lenet"), variant),
              ElementsAre("pooling", StartsWith("biases, ReLU and requantising"),
                          StartsWith("the host's laying out of windows (im2col)")));
  EXPECT_THAT(untimed_note(untimed_parts(load_network("resnet20"), variant)),
              AllOf(StartsWith("Not timed: "),
                    HasSubstr("normalising of the image; pooling; additions and concatenations")));
  variant.lowering["requantise"] = 1;
  EXPECT_THAT(untimed_parts(load_network("lenet"), variant),
              ElementsAre("pooling", "biases", StartsWith("the host's laying out")));
}

TEST(Untimed, LinearLayersHaveNoWindows) {
  Network network = load_network("lenet");
  network.layers.erase(network.layers.begin(), network.layers.begin() + 2);
  network.graph = {};
  EXPECT_THAT(
      untimed_note(untimed_parts(network, load_variant("bismo_tiny"))),
      AllOf(HasSubstr("packing of operands"), Not(HasSubstr("im2col")), Not(HasSubstr("pooling"))));
}

TEST(Overflow, LayersWhoseSumsLeave32BitsAreNamed) {
  LayerReport fine;
  fine.name = "conv1";
  fine.sum_bits = 32;
  EXPECT_EQ(overflow_note({fine, fine}), "");
  LayerReport wide = fine;
  wide.name = "user";
  wide.run_bits = {8, 8};
  wide.sum_bits = 34;
  EXPECT_THAT(overflow_note({fine, wide}),
              AllOf(HasSubstr("user (8/8 bits: 34)"), Not(HasSubstr("conv1"))));
  EXPECT_THAT(overflow_note(std::vector<LayerReport>(20, wide)), HasSubstr("and 12 more layers"));
}

TEST(Totals, SaturateNowhereButFail) {
  LayerReport huge;
  huge.macs = std::int64_t{1} << 62;
  EXPECT_EQ(total_report({huge}).macs, huge.macs);
  EXPECT_THROW(total_report({huge, huge}), Error);
  LayerReport slow;
  slow.cycles = std::uint64_t{1} << 63;
  EXPECT_THROW(total_report({slow, slow}), Error);
}

TEST(Totals, ALayerCalledTotalIsNotTheSum) {
  LayerReport layer;
  layer.name = "total";
  EXPECT_EQ(total_report({layer}).name, "sum: total");
  layer.name = "conv";
  EXPECT_EQ(total_report({layer}).name, "total");
}

}  // namespace
}  // namespace bittern
