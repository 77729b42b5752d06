#include "host/search/wall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/fakes.h"

namespace bittern {
namespace {

using testing::FunctionCost;
using ::testing::HasSubstr;
using ::testing::Not;

Constraint ratio(double limit, Resource resource = Resource::kLatency) {
  return {resource, true, limit};
}

/// What the wall vectors give: the policy started at all 8 bits, and means over the layers that are
/// not pinned.
struct Outcome {
  WallResult wall;
  double mean_weight = 0.0;
  double mean_activation = 0.0;
};

Outcome run_wall(FunctionCost& cost, const Constraint& constraint, WallOptions options) {
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  const Wall wall(table, space, {constraint}, options);
  Outcome outcome{wall.apply(space.highest())};
  for (std::size_t layer = 1; layer + 1 < space.layers(); ++layer) {
    outcome.mean_weight += outcome.wall.policy[layer].weight;
    outcome.mean_activation += outcome.wall.policy[layer].activation;
  }
  outcome.mean_weight /= static_cast<double>(space.layers() - 2);
  outcome.mean_activation /= static_cast<double>(space.layers() - 2);
  return outcome;
}

FunctionCost roofline() {
  const Network network = testing::mobilenet_v2();
  return {network, [network](std::size_t layer, BitPair bits) {
            return testing::roofline_cycles(network.layers[layer], bits);
          }};
}

TEST(MobileNetRoofline, HasTheKnownTotals) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  ASSERT_EQ(space.layers(), 53u);
  const CostTable table(cost, space);
  EXPECT_EQ(table.reference().latency_s, 38903872.0);
  EXPECT_EQ(table.at(0, {8, 8}).latency_s, 1605632.0);
  EXPECT_EQ(table.at(52, {8, 8}).latency_s, 40000.0);
  const double middle[] = {6556288, 10305600, 14595584, 19504960, 24918528, 30836288, 37258240};
  for (int bits = 2; bits <= 8; ++bits) {
    const Policy policy = space.snap(Policy(53, BitPair{bits, bits}));
    EXPECT_EQ(table.total(policy).latency_s - 1605632 - 40000, middle[bits - 2]) << bits;
  }
}

struct Vector {
  double ratio;
  int steps;
  double cycles;
  double mean_weight;
  double mean_activation;
};

TEST(HaqWall, GivesTheKnownVectors) {
  FunctionCost cost = roofline();
  for (const Vector& vector :
       {Vector{0.8, 145, 31113792, 6.59, 6.57}, Vector{0.6, 293, 23242304, 5.14, 5.118},
        Vector{0.5, 377, 19339584, 4.31, 4.29}, Vector{0.4, 443, 15553152, 3.67, 3.65}}) {
    const Outcome outcome = run_wall(cost, ratio(vector.ratio), {WallMode::kHaq});
    EXPECT_EQ(outcome.wall.steps, vector.steps) << vector.ratio;
    EXPECT_EQ(outcome.wall.totals[0], vector.cycles) << vector.ratio;
    EXPECT_NEAR(outcome.mean_weight, vector.mean_weight, 0.005) << vector.ratio;
    EXPECT_NEAR(outcome.mean_activation, vector.mean_activation, 0.005) << vector.ratio;
    EXPECT_FALSE(outcome.wall.reserve);
  }
}

/// The bits at ratio 0.6, on the closed form and on HAQ's table alike.
Policy vector_at_six_tenths() {
  Policy policy(53, BitPair{5, 5});
  policy[0] = policy[52] = {8, 8};
  for (int layer = 1; layer <= 6; ++layer) policy[layer] = {6, 6};
  policy[7] = {6, 5};
  return policy;
}

TEST(HaqWall, GivesTheKnownBitsAtSixTenths) {
  FunctionCost cost = roofline();
  EXPECT_EQ(run_wall(cost, ratio(0.6), {WallMode::kHaq}).wall.policy, vector_at_six_tenths());
}

TEST(MustPayWall, GivesTheKnownVectors) {
  FunctionCost cost = roofline();
  for (const Vector& vector :
       {Vector{0.8, 115, 31113792, 7.18, 6.57}, Vector{0.6, 229, 23242304, 6.39, 5.118},
        Vector{0.5, 296, 19339584, 5.90, 4.29}, Vector{0.4, 338, 15553152, 5.57, 3.80}}) {
    const Outcome outcome = run_wall(cost, ratio(vector.ratio), {WallMode::kMustPay, 0.01});
    EXPECT_EQ(outcome.wall.steps, vector.steps) << vector.ratio;
    EXPECT_EQ(outcome.wall.totals[0], vector.cycles) << vector.ratio;
    EXPECT_NEAR(outcome.mean_weight, vector.mean_weight, 0.005) << vector.ratio;
    EXPECT_NEAR(outcome.mean_activation, vector.mean_activation, 0.005) << vector.ratio;
  }
}

TEST(BestRatioWall, MeetsTheLimitsWithoutGivingBitsAwayForNothing) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  for (const double limit : {0.8, 0.6, 0.5, 0.4}) {
    const Wall wall(table, space, {ratio(limit)}, {WallMode::kBestRatio});
    const WallResult result = wall.apply(space.highest());
    EXPECT_LE(result.totals[0], limit * 38903872.0);
    // Each bit that was taken last saved something: giving any single bit back costs.
    for (std::size_t layer = 1; layer + 1 < 53; ++layer) {
      const BitPair bits = result.policy[layer];
      if (bits.weight < 8 && bits.activation == 8) {
        EXPECT_GT(table.at(layer, {bits.weight + 1, bits.activation}).latency_s,
                  table.at(layer, bits).latency_s);
      }
    }
  }
}

/// Every mode, random costs (monotone or not), random starts and allowed widths: the limit holds,
/// the pins stay, and the totals are those of the policy.
TEST(Wall, MeetsEveryReachableLimitOnRandomCosts) {
  Rng rng(7);
  Network network = testing::lenet();
  network.layers.insert(network.layers.end(), network.layers.begin(), network.layers.end());
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> noise(8 * 81);
    for (double& value : noise) value = rng.uniform();
    const double disorder = trial % 3;  // 0: monotone
    FunctionCost cost(
        network,
        [&](std::size_t layer, BitPair bits) {
          return bits.weight * bits.activation +
                 disorder * 20.0 * noise[layer * 81 + bits.weight * 9 + bits.activation];
        },
        [&](std::size_t layer, BitPair bits) { return 1.0 + layer + bits.activation; });
    BitOptions bits;
    bits.mode = static_cast<BitMode>(rng.integer(0, 3));
    bits.pin_first_last = trial % 2 == 0;
    if (trial % 5 == 0) bits.weight_bits = bits.activation_bits = {2, 4, 8};
    const BitSpace space(bits, network);
    const CostTable table(cost, space);
    // A limit between what can be reached and 8/8.
    const Wall free(table, space, {ratio(1e6)}, {});
    const double share = rng.uniform();
    Constraint limit{
        Resource::kLatency, false,
        free.least()[0] + share * std::max(0.0, free.references()[0] - free.least()[0])};
    WallOptions options;
    options.mode = static_cast<WallMode>(rng.integer(0, 2));
    const Wall wall(table, space, {limit}, options);
    Policy asked(network.layers.size());
    for (BitPair& pair : asked) {
      pair = {static_cast<int>(rng.integer(1, 8)), static_cast<int>(rng.integer(1, 8))};
    }
    const WallResult result = wall.apply(asked);
    ASSERT_LE(result.totals[0], limit.limit * (1 + 1e-12)) << "trial " << trial;
    EXPECT_DOUBLE_EQ(result.totals[0], table.total(result.policy).latency_s);
    EXPECT_EQ(space.snap(result.policy), result.policy);
    EXPECT_TRUE(wall.meets(result.policy));
    EXPECT_FALSE(result.reserve);
    if (disorder == 0) {
      const Policy start = space.snap(asked);
      for (std::size_t layer = 0; layer < start.size(); ++layer) {
        EXPECT_LE(result.policy[layer].weight, start[layer].weight);
        EXPECT_LE(result.policy[layer].activation, start[layer].activation);
      }
    }
  }
}

TEST(Wall, LeavesAPolicyWithinTheLimitAloneButForThePins) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  for (const WallMode mode : {WallMode::kHaq, WallMode::kMustPay, WallMode::kBestRatio}) {
    const Wall wall(table, space, {ratio(0.6)}, {mode});
    const WallResult result = wall.apply(Policy(53, BitPair{4, 3}));
    EXPECT_EQ(result.steps, 0);
    EXPECT_EQ(result.policy[0], (BitPair{8, 8}));
    EXPECT_EQ(result.policy[20], (BitPair{4, 3}));
  }
}

TEST(Wall, TakesALimitThatIsMetExactlyAsMet) {
  FunctionCost cost(testing::lenet(), [](std::size_t, BitPair bits) { return 0.1 * bits.weight; });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  const Wall wall(table, space, {ratio(0.5)}, {WallMode::kHaq});
  const Policy four(4, BitPair{4, 8});
  EXPECT_EQ(wall.apply(four).policy, four);
}

TEST(Wall, HoldsSeveralConstraintsAtOnce) {
  const Network network = testing::lenet();
  FunctionCost cost(
      network, [](std::size_t, BitPair bits) { return 1.0 * bits.weight * bits.activation; },
      [](std::size_t layer, BitPair bits) { return (layer + 1.0) * bits.activation; });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, network);
  const CostTable table(cost, space);
  for (const WallMode mode : {WallMode::kHaq, WallMode::kMustPay, WallMode::kBestRatio}) {
    const Wall wall(table, space,
                    {ratio(0.7), ratio(0.6, Resource::kEnergy), ratio(0.3, Resource::kModelSize)},
                    {mode});
    const WallResult result = wall.apply(space.highest());
    const LayerCost total = table.total(result.policy);
    EXPECT_LE(total.latency_s, 0.7 * table.reference().latency_s);
    EXPECT_LE(total.energy_j, 0.6 * table.reference().energy_j);
    EXPECT_LE(total.weight_bytes, 0.3 * table.reference().weight_bytes);
    EXPECT_FALSE(result.reserve);
  }
}

TEST(Wall, OnlyTakesWhatTheExceededConstraintNeeds) {
  // Model size does not depend on activations, so that they keep their bits under must_pay.
  FunctionCost cost(testing::lenet(), [](std::size_t, BitPair) { return 1.0; });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  const Wall wall(table, space, {ratio(0.5, Resource::kModelSize)}, {});
  for (const BitPair& bits : wall.apply(space.highest()).policy) EXPECT_EQ(bits.activation, 8);
}

TEST(Wall, JumpsOverWidthsThatCostMore) {
  // As on BitFusion: 8 and 7 cost the same, 6 more, 4 half.
  const double cost_of[] = {0, 0, 2, 3, 4, 9, 9, 8, 8};
  FunctionCost cost(testing::lenet(), [&](std::size_t, BitPair bits) {
    return cost_of[bits.weight] + cost_of[bits.activation];
  });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  for (const WallMode mode : {WallMode::kHaq, WallMode::kMustPay, WallMode::kBestRatio}) {
    const Wall wall(table, space, {ratio(0.5)}, {mode});
    const WallResult result = wall.apply(space.highest());
    EXPECT_LE(result.totals[0], 32.0);
    for (const BitPair& bits : result.policy) {
      EXPECT_NE(bits.weight, 6);
      EXPECT_NE(bits.activation, 6);
    }
  }
}

TEST(Wall, GivesBitsBackWhereThatIsTheOnlyWay) {
  // Two bits cost more than four: from all 2, the limit is reached upwards only.
  FunctionCost cost(testing::lenet(), [](std::size_t, BitPair bits) {
    return bits.weight == 4 ? 1.0 : (bits.weight == 2 ? 6.0 : 8.0);
  });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  const Wall wall(table, space, {ratio(0.2)}, {});
  const WallResult result = wall.apply(space.lowest());
  for (const BitPair& bits : result.policy) EXPECT_EQ(bits, (BitPair{4, 2}));
}

TEST(MustPayWall, FallsBackToDecrementsThatPayLittle) {
  // Half a percent a bit: nothing pays one percent, yet the limit needs some.
  FunctionCost cost(testing::lenet(),
                    [](std::size_t, BitPair bits) { return 1000.0 + 5.0 * bits.weight; });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  const Wall wall(table, space, {ratio(0.98)}, {WallMode::kMustPay, 0.01});
  const WallResult result = wall.apply(space.highest());
  EXPECT_LE(result.totals[0], 0.98 * 4160.0);
  for (const BitPair& bits : result.policy) EXPECT_EQ(bits.activation, 8);
}

TEST(MustPayWall, CrossesAPlateauThatNeedsBothKindsOfBits) {
  FunctionCost cost(testing::lenet(), [](std::size_t, BitPair bits) {
    return static_cast<double>(std::max(bits.weight, bits.activation));
  });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  for (const WallMode mode : {WallMode::kMustPay, WallMode::kBestRatio}) {
    const Wall wall(table, space, {ratio(0.5)}, {mode});
    const WallResult result = wall.apply(space.highest());
    EXPECT_LE(result.totals[0], 16.0);
    for (const BitPair& bits : result.policy) EXPECT_EQ(bits.weight, bits.activation);
  }
}

TEST(Wall, TakesTheReserveWhenConstraintsThatAreNotMonotoneLeaveNoWay) {
  // Latency and energy pull in opposite directions around the asked policy; the only way out is
  // uphill for one of them.
  Network network = testing::lenet();
  network.layers.resize(1);
  FunctionCost cost(
      network,
      [](std::size_t, BitPair bits) {
        return bits.weight == 8 ? 10.0 : (bits.weight == 4 ? 5.0 : (bits.weight == 2 ? 7.0 : 20.0));
      },
      [](std::size_t, BitPair bits) { return bits.weight == 4 ? 12.0 : 1.0 * bits.weight; });
  BitOptions options;
  options.pin_first_last = false;
  options.mode = BitMode::kWeights;
  options.weight_bits = {2, 4, 8};
  const BitSpace space(options, network);
  const CostTable table(cost, space);
  const Wall wall(table, space, {{Resource::kLatency, false, 7.5}, {Resource::kEnergy, false, 9}},
                  {});
  EXPECT_EQ(wall.apply(space.highest()).policy[0].weight, 2);
  EXPECT_EQ(wall.apply({BitPair{4, 8}}).policy[0].weight, 2);
}

TEST(Wall, ExplainsALimitThatCannotBeReached) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  const std::string message = message_of([&] { Wall(table, space, {ratio(0.2)}, {}); });
  // Least: the middle at 2 bits and the pinned ends.
  EXPECT_THAT(message, HasSubstr("8.20192e+06 s (ratio 0.2108)"));
  EXPECT_THAT(message, HasSubstr("mobilenet_v2"));
  EXPECT_THAT(message, HasSubstr("conv0: 19.6 % at 8/8 bits (pinned)"));
  EXPECT_THAT(message, HasSubstr("pin_first_last: false"));
  BitOptions free;
  free.pin_first_last = false;
  const BitSpace unpinned(free, cost.network());
  const CostTable other(cost, unpinned);
  const std::string no_pins = message_of([&] { Wall(other, unpinned, {ratio(0.1)}, {}); });
  EXPECT_THAT(no_pins, Not(HasSubstr("pin_first_last")));
}

TEST(Wall, ExplainsConstraintsThatContradictEachOther) {
  FunctionCost cost(
      testing::lenet(), [](std::size_t, BitPair bits) { return 1.0 * bits.weight; },
      [](std::size_t, BitPair bits) { return 10.0 - bits.weight; });
  BitOptions options;
  options.pin_first_last = false;
  const BitSpace space(options, cost.network());
  const CostTable table(cost, space);
  const std::string message = message_of([&] {
    Wall(table, space, {{Resource::kLatency, false, 12}, {Resource::kEnergy, false, 10}}, {});
  });
  EXPECT_THAT(message, HasSubstr("meets all of them together"));
  EXPECT_THAT(message, HasSubstr("energy: limit 10 J, least on its own 8"));
}

TEST(Wall, RefusesBadSettings) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  const auto message = [&](std::vector<Constraint> constraints, WallOptions options) {
    return message_of([&] { Wall(table, space, constraints, options); });
  };
  EXPECT_THAT(message({ratio(0.0)}, {}), HasSubstr("the limit is 0"));
  EXPECT_THAT(message({ratio(std::nan(""))}, {}), HasSubstr("the limit is nan"));
  EXPECT_THAT(message({ratio(0.5), ratio(0.6)}, {}), HasSubstr("given twice"));
  EXPECT_THAT(message({ratio(0.5)}, {WallMode::kMustPay, -0.1}), HasSubstr("epsilon is -0.1"));
  EXPECT_THAT(message({ratio(0.5, Resource::kEnergy)}, {}), HasSubstr("the 8/8 policy costs 0 J"));
  EXPECT_THROW(parse_wall_mode("harsh"), Error);
}

TEST(CostTable, AsksForEveryPointOnce) {
  FunctionCost cost = roofline();
  const BitSpace space({}, cost.network());
  const CostTable table(cost, space);
  EXPECT_EQ(cost.prefetched, 51u * 49u + 2u);
  EXPECT_EQ(cost.asked, cost.prefetched);
  EXPECT_THROW(table.at(1, {1, 8}), Error);
  EXPECT_THROW(table.at(53, {8, 8}), Error);
}

TEST(CostTable, RefusesCostsThatAreNotNumbers) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), -1.0}) {
    FunctionCost cost(testing::lenet(),
                      [bad](std::size_t layer, BitPair) { return layer == 2 ? bad : 1.0; });
    const BitSpace space({}, cost.network());
    EXPECT_THAT(message_of([&] { CostTable(cost, space); }),
                HasSubstr("layer fc1 at 2/2 bits: the latency is"));
  }
}

/// HAQ's published table (53 x 8 x 8 int64 cycles, index = bits - 1), when somebody has it.
class PublishedTable : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("BITTERN_HAQ_LUT");
    if (path == nullptr) {
      GTEST_SKIP() << "set BITTERN_HAQ_LUT to HAQ's "
                      "qmobilenetv2_imagenet100_batch16_latency_table.npy to run this";
    }
    const std::string content = read_file(path);
    constexpr std::size_t kValues = 53 * 8 * 8;
    ASSERT_GT(content.size(), kValues * 8);
    cycles_.resize(kValues);
    std::memcpy(cycles_.data(), content.data() + content.size() - kValues * 8, kValues * 8);
  }

  FunctionCost cost() const {
    return {testing::mobilenet_v2(), [this](std::size_t layer, BitPair bits) {
              return static_cast<double>(
                  cycles_[(layer * 8 + bits.weight - 1) * 8 + bits.activation - 1]);
            }};
  }

  std::vector<std::int64_t> cycles_;
};

TEST_F(PublishedTable, GivesTheKnownVectors) {
  FunctionCost model = cost();
  const int haq_steps[] = {143, 293, 375, 443};
  const double limits[] = {0.8, 0.6, 0.5, 0.4};
  for (int i = 0; i < 4; ++i) {
    const Outcome outcome = run_wall(model, ratio(limits[i]), {WallMode::kHaq});
    EXPECT_EQ(outcome.wall.steps, haq_steps[i]) << limits[i];
  }
  const Outcome outcome = run_wall(model, ratio(0.6), {WallMode::kHaq});
  EXPECT_EQ(outcome.wall.totals[0], 23657797.0);
  EXPECT_EQ(outcome.wall.policy, vector_at_six_tenths());
  const int one_percent[] = {244, 315, 370};
  const int three_percent[] = {230, 301, 356};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run_wall(model, ratio(limits[i + 1]), {WallMode::kMustPay, 0.01}).wall.steps,
              one_percent[i]);
    EXPECT_EQ(run_wall(model, ratio(limits[i + 1]), {WallMode::kMustPay, 0.03}).wall.steps,
              three_percent[i]);
  }
}

}  // namespace
}  // namespace bittern
