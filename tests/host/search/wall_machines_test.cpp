// The wall on what the machines really cost: closed forms of the smallest variant of every core,
// where more bits may cost the same (widths are rounded up) or less (another schedule fits the
// buffers).
#include <gtest/gtest.h>

#include "host/base/random.h"
#include "host/cores/cores.h"
#include "host/cost/cost_models.h"
#include "host/search/wall.h"

namespace bittern {
namespace {

class WallOnMachine : public ::testing::TestWithParam<const char*> {
 protected:
  WallOnMachine()
      : variant_(load_variant(config("variants", GetParam()))),
        cost_(load_network(config("networks", "lenet")), variant_,
              load_energy_table(config("energy", variant_.energy))) {
    options_.pin_first_last = false;
  }
  static std::string config(const std::string& kind, const std::string& name) {
    return std::string(BITTERN_SOURCE_DIR) + "/configs/" + kind + "/" + name + ".yaml";
  }

  const Variant variant_;
  ModelCostModel cost_;
  BitOptions options_;
};

TEST_P(WallOnMachine, EveryModeMeetsEveryLimitFromAnywhere) {
  const BitSpace space(options_, cost_.network());
  const CostTable table(cost_, space);
  const double full = table.reference().latency_s;
  const double least_share = table.total(space.lowest()).latency_s / full;
  Rng rng(20261127);
  for (const WallMode mode : {WallMode::kHaq, WallMode::kMustPay, WallMode::kBestRatio}) {
    for (const double part : {0.1, 0.4, 0.8}) {
      const double limit = least_share + part * (1.0 - least_share);
      const Wall wall(table, space,
                      {{Resource::kLatency, true, limit}, {Resource::kEnergy, true, 0.95}},
                      {mode, 0.01});
      for (int trial = 0; trial < 20; ++trial) {
        Policy asked = space.highest();
        if (trial > 0) {
          for (BitPair& bits : asked) {
            bits = {static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))};
          }
        }
        const WallResult result = wall.apply(asked);
        EXPECT_TRUE(wall.meets(result.policy));
        EXPECT_LE(table.total(result.policy).latency_s, limit * full * (1 + 1e-9))
            << wall_mode_name(mode) << " " << limit;
        EXPECT_FALSE(result.reserve) << "the two resources go hand in hand: there is a way down";
      }
    }
  }
}

// Taking bits that save nothing is what kMustPay is there to avoid: on a core that rounds widths it
// ends at the widths that run.
TEST_P(WallOnMachine, MustPayTakesNoBitsForNothing) {
  const BitSpace space(options_, cost_.network());
  const CostTable table(cost_, space);
  const auto core = make_core(variant_);
  const Wall wall(table, space, {{Resource::kLatency, true, 0.6}}, {WallMode::kMustPay, 0.01});
  const Policy policy = wall.apply(space.highest()).policy;
  for (std::size_t layer = 0; layer < policy.size(); ++layer) {
    const BitPair run = core->supported(policy[layer]);
    if (run == policy[layer]) continue;
    ADD_FAILURE() << cost_.network().layers[layer].name << ": " << policy[layer].weight << "/"
                  << policy[layer].activation << " bits run as " << run.weight << "/"
                  << run.activation;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, WallOnMachine,
                         ::testing::Values("bismo_tiny", "stripes_tiny", "bitfusion_tiny"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace bittern
