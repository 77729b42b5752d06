#include "host/search/bit_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/search/fakes.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<int> kTwoToEight = {2, 3, 4, 5, 6, 7, 8};

TEST(ActionToBits, FollowsEquationThreeAwayFromItsHalfPoints) {
  Rng rng(1);
  for (int low = 1; low <= 2; ++low) {
    std::vector<int> choices;
    for (int b = low; b <= 8; ++b) choices.push_back(b);
    for (int i = 0; i < 2000; ++i) {
      const double action = rng.uniform();
      const double exact = (8 - low + 1) * action + low - 0.5;
      if (std::abs(exact - std::floor(exact) - 0.5) < 1e-9) continue;
      EXPECT_EQ(bits_of_action(action, choices), static_cast<int>(std::lround(exact)))
          << "action " << action << ", lowest " << low;
    }
  }
}

TEST(ActionToBits, IsTotalAtTheEnds) {
  EXPECT_EQ(bits_of_action(0.0, kTwoToEight), 2);
  EXPECT_EQ(bits_of_action(1.0, kTwoToEight), 8);
  EXPECT_EQ(bits_of_action(-0.5, kTwoToEight), 2);
  EXPECT_EQ(bits_of_action(1.5, kTwoToEight), 8);
  EXPECT_EQ(bits_of_action(0.0, {1, 2, 3, 4, 5, 6, 7, 8}), 1);
  EXPECT_EQ(bits_of_action(1.0, {1, 2, 3, 4, 5, 6, 7, 8}), 8);
  EXPECT_EQ(bits_of_action(0.3, {5}), 5);
}

TEST(ActionToBits, HasBinsOfEqualWidth) {
  for (int bin = 0; bin < 7; ++bin) {
    EXPECT_EQ(bits_of_action((bin + 0.001) / 7.0, kTwoToEight), bin + 2);
    EXPECT_EQ(bits_of_action((bin + 0.999) / 7.0, kTwoToEight), bin + 2);
  }
}

TEST(ActionToBits, SnapsToTheAllowedWidthsTiesDown) {
  const std::vector<int> fusion = {2, 4, 8};
  // Bins 2..8 in order: 3 is as near to 2 as to 4, 6 as near to 4 as to 8.
  const std::vector<int> expected = {2, 2, 4, 4, 4, 8, 8};
  for (int bin = 0; bin < 7; ++bin) {
    EXPECT_EQ(bits_of_action((bin + 0.5) / 7.0, fusion), expected[bin]) << "bin " << bin;
  }
}

TEST(ActionToBits, IsInvertedByActionOfBits) {
  for (const auto& choices : {kTwoToEight, std::vector<int>{2, 4, 8}, std::vector<int>{1, 5, 16}}) {
    for (const int bits : choices) {
      EXPECT_EQ(bits_of_action(action_of_bits(bits, choices), choices), bits);
    }
  }
}

TEST(BitSpace, PinsTheFirstAndLastLayer) {
  const BitSpace space({}, testing::lenet());
  EXPECT_TRUE(space.pinned(0));
  EXPECT_FALSE(space.pinned(1));
  EXPECT_TRUE(space.pinned(3));
  EXPECT_THAT(space.pairs(0), ElementsAre(BitPair{8, 8}));
  EXPECT_EQ(space.pairs(1).size(), 49u);
  EXPECT_EQ(space.snap(Policy(4, BitPair{3, 5})), (Policy{{8, 8}, {3, 5}, {3, 5}, {8, 8}}));
  EXPECT_EQ(space.lowest(), (Policy{{8, 8}, {2, 2}, {2, 2}, {8, 8}}));
}

TEST(BitSpace, LeavesEveryLayerFreeWithoutPins) {
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, testing::lenet());
  for (std::size_t layer = 0; layer < 4; ++layer) EXPECT_FALSE(space.pinned(layer));
  EXPECT_EQ(space.highest(), Policy(4, BitPair{8, 8}));
}

TEST(BitSpace, FixesTheKindThatIsNotSearched) {
  BitOptions options;
  options.mode = BitMode::kWeights;
  options.fixed = {8, 6};
  const BitSpace weights(options, testing::lenet());
  EXPECT_EQ(weights.snap(Policy(4, BitPair{3, 3}))[1], (BitPair{3, 6}));
  EXPECT_EQ(weights.pairs(1).size(), 7u);
  options.mode = BitMode::kActivations;
  EXPECT_EQ(BitSpace(options, testing::lenet()).snap(Policy(4, BitPair{3, 3}))[1], (BitPair{8, 3}));
}

TEST(BitSpace, TiesWeightsAndActivationsOverTheCommonWidths) {
  BitOptions options;
  options.mode = BitMode::kTied;
  options.weight_bits = {8, 2, 4};
  options.activation_bits = {4, 5, 6, 7, 8};
  const BitSpace space(options, testing::lenet());
  EXPECT_THAT(space.pairs(1), ElementsAre(BitPair{4, 4}, BitPair{8, 8}));
  EXPECT_EQ(space.snap(Policy(4, BitPair{2, 8}))[2], (BitPair{4, 4}));
}

TEST(BitSpace, RefusesWhatLeavesNothingToSearch) {
  const auto message = [](BitOptions options, const Network& network) -> std::string {
    try {
      BitSpace space(options, network);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "no error";
  };
  BitOptions options;
  options.weight_bits.clear();
  EXPECT_THAT(message(options, testing::lenet()), HasSubstr("weight_bits: no width is allowed"));
  options = {};
  options.activation_bits = {0, 4};
  EXPECT_THAT(message(options, testing::lenet()), HasSubstr("activation_bits: 0 bits"));
  options = {};
  options.mode = BitMode::kTied;
  options.weight_bits = {2};
  options.activation_bits = {4};
  EXPECT_THAT(message(options, testing::lenet()), HasSubstr("no width is in both"));
  Network two = testing::lenet();
  two.layers.resize(2);
  EXPECT_THAT(message({}, two), HasSubstr("pin_first_last: false"));
  two.layers.clear();
  EXPECT_THAT(message({}, two), HasSubstr("no layers"));
}

TEST(BitSpace, RefusesAPolicyOfTheWrongLength) {
  const BitSpace space({}, testing::lenet());
  EXPECT_THROW(space.snap(Policy(3)), Error);
}

TEST(BitMode, NamesAreReadBack) {
  for (const BitMode mode :
       {BitMode::kBoth, BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    EXPECT_EQ(parse_bit_mode(bit_mode_name(mode)), mode);
  }
  EXPECT_THROW(parse_bit_mode("both"), Error);
}

}  // namespace
}  // namespace bittern
