// The nested-loop walker alone: the steps of random nests against a model in C++, tokens, halves,
// ranges, and its timing.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <random>

#include "Vwalker.h"
#include "tests/rtl/bitfusion_model.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

namespace isa = bitfusion_isa;

// Depths of the model in CMakeLists.txt.
constexpr unsigned kIbufDepth = 128;
constexpr unsigned kWbufDepth = 64;
constexpr unsigned kObufDepth = 64;

// Words of the execute queue, as bitfusion_dispatch makes them.
struct QueueWord {
  std::uint64_t kind = 0;
  std::uint64_t flags = 0;
  std::uint64_t iterations = 0;
  std::uint64_t lhs = 0;
  std::uint64_t rhs = 0;
};

QueueWord queued(const isa::Setup& s) {
  return {0,
          s.lhs_mode | s.rhs_mode << 2 | s.lhs_signed << 4 | s.rhs_signed << 5 | s.lhs_wide << 6 |
              s.rhs_wide << 7,
          0, 0, 0};
}
QueueWord queued(const isa::Loop& loop) {
  return {1, loop.level, loop.iterations, loop.lhs_jump, loop.rhs_jump};
}
QueueWord queued(const isa::Compute& c) {
  return {2,
          c.wait_lhs | c.wait_rhs << 1 | c.free_lhs << 2 | c.free_rhs << 3 | c.accumulate << 4 |
              c.emit << 5,
          0, c.lhs_base, c.rhs_base};
}

// What a step must show at the array.
struct Expected {
  BitfusionStep step;
  isa::Setup setup;
  unsigned tag = 0;
};

class WalkerTest : public ::testing::Test {
 protected:
  WalkerTest() {
    dut_->lhs_filled_i = dut_->rhs_filled_i = 1;
    dut_.reset();
  }

  // Offers the head of the queue; true when it is taken in this cycle.
  bool offer(bool valid) {
    dut_->valid_i = valid && !queue_.empty();
    if (dut_->valid_i) {
      const QueueWord& word = queue_.front();
      set_bits(dut_->data_i, 0, 2, word.kind);
      set_bits(dut_->data_i, 2, 8, word.flags);
      set_bits(dut_->data_i, 10, 16, word.iterations);
      set_bits(dut_->data_i, 26, 20, word.lhs);
      set_bits(dut_->data_i, 46, 20, word.rhs);
    }
    dut_.settle();
    if (!dut_->pop_o) return false;
    queue_.pop_front();
    return true;
  }

  // Runs until everything was taken and walked; the cycles of the steps, of which `observe` sees
  // each when it is at the array.
  template <typename Observe>
  std::vector<unsigned> run(Observe observe, const std::function<bool(unsigned)>& offered) {
    std::vector<unsigned> steps;
    for (unsigned cycle = 0; cycle < 100000; ++cycle) {
      const bool taken = offer(offered(cycle));
      if (dut_->run_o) steps.push_back(cycle);
      if (dut_->rd_en_o) addresses_.push_back({dut_->lhs_addr_o, dut_->rhs_addr_o});
      if (dut_->valid_o) observe();
      const bool done = queue_.empty() && !taken && !dut_->busy_o;
      dut_.tick();
      if (done) return steps;
    }
    ADD_FAILURE() << "the walker did not end";
    return steps;
  }

  isa::Compute compute(bool emit = true) const {
    isa::Compute compute;
    compute.emit = emit;
    return compute;
  }
  void loop(unsigned level, unsigned iterations, int lhs_jump, int rhs_jump) {
    isa::Loop loop;
    loop.level = level;
    loop.iterations = iterations - 1;
    loop.lhs_jump = static_cast<std::uint64_t>(lhs_jump) & 0xfffff;
    loop.rhs_jump = static_cast<std::uint64_t>(rhs_jump) & 0xfffff;
    queue_.push_back(queued(loop));
  }
  void setup8() {
    isa::Setup setup;
    setup.lhs_mode = setup.rhs_mode = 2;
    queue_.push_back(queued(setup));
  }

  Clocked<Vwalker> dut_;
  std::deque<QueueWord> queue_;
  std::vector<std::pair<unsigned, unsigned>> addresses_;
};

TEST_F(WalkerTest, RandomNestsAreWalkedAsTheModelSays) {
  std::mt19937 rng(1);
  for (int round = 0; round < 60; ++round) {
    BitfusionNest nest;
    std::deque<Expected> expected;
    std::vector<std::pair<unsigned, unsigned>> addresses;
    addresses_.clear();
    for (int c = 0; c < 6; ++c) {
      nest = {};
      nest.setup.lhs_mode = rng() % 3;
      nest.setup.rhs_mode = rng() % 3;
      nest.setup.lhs_signed = rng() % 2;
      nest.setup.rhs_signed = rng() % 2;
      nest.setup.lhs_wide = nest.setup.lhs_mode == 2 && rng() % 2;
      nest.setup.rhs_wide = nest.setup.rhs_mode == 2 && rng() % 2;
      queue_.push_back(queued(nest.setup));
      for (unsigned l = 0; l < 8; ++l) {
        if (rng() % 2) continue;
        isa::Loop& loop = nest.loops[l];
        loop.level = l;
        loop.iterations = rng() % (l < 4 ? 4 : 3);
        // Addresses wrap in 20 bits; beyond the buffers they raise range_o, which is not looked at
        // here.
        loop.lhs_jump = rng() % (1u << 20);
        loop.rhs_jump = rng() % (1u << 20);
        queue_.push_back(queued(loop));
      }
      isa::Compute compute;
      compute.lhs_base = rng() % (1u << 20);
      compute.rhs_base = rng() % (1u << 20);
      compute.accumulate = c > 0 && rng() % 2;
      compute.emit = c == 5;
      queue_.push_back(queued(compute));
      const auto steps = walk(nest, static_cast<std::uint32_t>(compute.lhs_base),
                              static_cast<std::uint32_t>(compute.rhs_base));
      bool first_word = true;
      for (const BitfusionStep& step : steps) {
        const bool end = &step == &steps.back();
        const unsigned tag = (compute.emit && end ? 4u : 0u) | (compute.accumulate ? 2u : 0u) |
                             (first_word ? 1u : 0u);
        expected.push_back({step, nest.setup, tag});
        addresses.push_back({step.lhs & 0x3ffff, step.rhs & 0x3ffff});
        if (step.last) first_word = false;
      }
    }
    const bool gaps = round % 2 == 1;
    const auto steps = run(
        [&] {
          ASSERT_FALSE(expected.empty());
          const Expected& want = expected.front();
          ASSERT_EQ(dut_->first_o, want.step.first);
          ASSERT_EQ(dut_->last_o, want.step.last);
          ASSERT_EQ(dut_->lhs_mode_o, want.setup.lhs_mode);
          ASSERT_EQ(dut_->rhs_mode_o, want.setup.rhs_mode);
          ASSERT_EQ(dut_->lhs_signed_o,
                    want.setup.lhs_signed && (!want.setup.lhs_wide || want.step.lhs_high));
          ASSERT_EQ(dut_->rhs_signed_o,
                    want.setup.rhs_signed && (!want.setup.rhs_wide || want.step.rhs_high));
          ASSERT_EQ(dut_->shift_o, want.step.lhs_high + want.step.rhs_high);
          ASSERT_EQ(dut_->tag_o, want.tag);
          expected.pop_front();
        },
        [&](unsigned) { return !gaps || rng() % 3 != 0; });
    EXPECT_TRUE(expected.empty());
    EXPECT_EQ(addresses_, addresses);
    EXPECT_EQ(steps.size(), addresses.size());
    // The half that the tile was in, for the next round.
    dut_->half_release_i = 1;
    dut_.settle();
    dut_.tick();
    dut_->half_release_i = 0;
    if (HasFatalFailure()) return;
  }
}

TEST_F(WalkerTest, StepsFollowWithoutGapsAcrossLoopsAndInstructions) {
  setup8();                                  // taken in cycle 0
  loop(0, 3, 1, 1);                          // 1
  loop(4, 2, -2, 0);                         // 2
  queue_.push_back(queued(compute()));       // 3: steps 4 to 9
  loop(0, 2, 1, 1);                          // taken while it runs
  queue_.push_back(queued(compute(false)));  // 9: steps 10 to 13
  const auto steps = run([] {}, [](unsigned) { return true; });
  std::vector<unsigned> want;
  for (unsigned cycle = 4; cycle <= 13; ++cycle) want.push_back(cycle);
  EXPECT_EQ(steps, want);
  EXPECT_EQ(addresses_[2], std::make_pair(2u, 2u));
  EXPECT_EQ(addresses_[3], std::make_pair(0u, 2u));
}

TEST_F(WalkerTest, ComputeWaitsForItsTokensInOrderAndGivesFreeOnesWithItsLastStep) {
  isa::Compute both = compute();
  both.wait_lhs = both.wait_rhs = both.free_lhs = both.free_rhs = 1;
  setup8();
  loop(0, 4, 1, 1);
  queue_.push_back(queued(both));
  dut_->lhs_filled_i = dut_->rhs_filled_i = 0;
  for (unsigned cycle = 0; cycle < 20; ++cycle) {
    if (cycle == 5) dut_->lhs_filled_i = 1;
    if (cycle == 8) dut_->rhs_filled_i = 1;
    const bool popped = offer(true);
    EXPECT_EQ(popped, cycle < 2 || cycle == 8) << cycle;
    EXPECT_EQ(dut_->wait_lhs_o, cycle >= 2 && cycle < 5) << cycle;
    EXPECT_EQ(dut_->wait_rhs_o, cycle >= 5 && cycle < 8) << cycle;
    EXPECT_EQ(dut_->lhs_take_o, cycle == 8) << cycle;
    EXPECT_EQ(dut_->rhs_take_o, cycle == 8) << cycle;
    EXPECT_EQ(dut_->run_o, cycle >= 9 && cycle < 13) << cycle;
    EXPECT_EQ(dut_->lhs_free_o, cycle == 12) << cycle;
    EXPECT_EQ(dut_->rhs_free_o, cycle == 12) << cycle;
    EXPECT_EQ(dut_->valid_o, cycle >= 11 && cycle < 15) << cycle;
    dut_.tick();
  }
}

TEST_F(WalkerTest, ATileNeedsAFreeHalfUnlessItIsOpen) {
  for (const bool emit : {true, false, false, true, true}) queue_.push_back(queued(compute(emit)));
  // 0: half 0; 1: half 1, left open; 2 and 3: the same tile; 4: no half is free.
  std::vector<unsigned> taken;
  for (unsigned cycle = 0; cycle < 30; ++cycle) {
    dut_->half_release_i = cycle == 15;
    if (offer(true)) taken.push_back(cycle);
    EXPECT_EQ(dut_->wait_result_o, cycle > 4 && cycle < 16) << cycle;
    dut_.tick();
  }
  EXPECT_EQ(taken, (std::vector<unsigned>{0, 1, 2, 3, 16}));
}

TEST_F(WalkerTest, AddressesAndOutputsBeyondTheBuffersAreReported) {
  struct Case {
    unsigned lhs_mode, rhs_mode, lhs_base, rhs_base;
    unsigned outputs;
    bool bad;
  };
  const Case cases[] = {
      {2, 2, 4 * kIbufDepth - 1, 4 * kWbufDepth - 1, 1, false},
      {2, 2, 4 * kIbufDepth, 0, 1, true},
      {2, 2, 0, 4 * kWbufDepth, 1, true},
      {2, 2, 0xfffff, 0, 1, true},  // minus 1
      {2, 1, 2, 1, 1, false},       // two quarters of activations, one of weights
      {2, 1, 1, 0, 1, true},
      {1, 2, 0, 1, 1, true},
      {2, 0, 4, 3, 1, false},
      {2, 0, 2, 0, 1, true},
      {0, 2, 3, 2, 1, true},
      {0, 0, 4 * kIbufDepth - 4, 4 * kWbufDepth - 4, 1, false},
      {2, 2, 0, 0, kObufDepth / 2, false},
      {2, 2, 0, 0, kObufDepth / 2 + 1, true},
  };
  for (const Case& c : cases) {
    isa::Setup setup;
    setup.lhs_mode = c.lhs_mode;
    setup.rhs_mode = c.rhs_mode;
    queue_.push_back(queued(setup));
    loop(4, c.outputs, 0, 0);
    isa::Compute one = compute(false);
    one.lhs_base = c.lhs_base;
    one.rhs_base = c.rhs_base;
    queue_.push_back(queued(one));
    bool reported = false;
    for (unsigned cycle = 0; cycle < 3 + c.outputs; ++cycle) {
      offer(true);
      reported |= dut_->range_o;
      dut_.tick();
    }
    EXPECT_EQ(reported, c.bad) << c.lhs_mode << c.rhs_mode << " " << c.lhs_base << " " << c.rhs_base
                               << " " << c.outputs;
  }
}

TEST_F(WalkerTest, HaltStopsTheWalk) {
  setup8();
  loop(0, 1000, 0, 0);
  queue_.push_back(queued(compute()));
  for (unsigned cycle = 0; cycle < 10; ++cycle) {
    offer(true);
    dut_.tick();
  }
  dut_->halt_i = 1;
  offer(true);
  EXPECT_FALSE(dut_->run_o);
  for (unsigned cycle = 0; cycle < 3; ++cycle) dut_.tick();
  EXPECT_FALSE(dut_->busy_o);
}

}  // namespace
}  // namespace bittern::rtl_test
