// The execute stage of Stripes alone: order of addresses and control against nested loops, tokens,
// slots, staggered columns, no bubbles; for each operand serial.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "Vstripes_exec0.h"
#include "Vstripes_exec1.h"
#include "Vstripes_exec2.h"
#include "host/cores/stripes/stripes_isa.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

using stripes_isa::Exec;

/// One step of the array.
struct Step {
  unsigned lhs = 0, rhs = 0;
  bool read_lhs = false, read_rhs = false;
  bool load = false, first = false, shift = false, negate = false, brick = false, clear = false;
  bool last = false, accumulate = false, emit = false;
  bool par_signed = false;
  unsigned msb = 0, columns = 0, cascade = 0;
  bool takes_slot = false, tile_end = false, free_lhs = false, free_rhs = false;
};

/// Steps of an instruction, in order: tiles (RHS inner), bricks, and the pairs of bit planes of a
/// brick over anti-diagonals. Planes count from the most significant, as they lie in a buffer.
void expand(const Exec& in, unsigned serial, std::deque<Step>& out) {
  const int lhs_planes = serial != 1 ? static_cast<int>(in.lhs_bits) + 1 : 1;
  const int rhs_planes = serial != 0 ? static_cast<int>(in.rhs_bits) + 1 : 1;
  const int rhs_words = serial != 0 ? rhs_planes : static_cast<int>(in.columns) + 1;
  for (unsigned lt = 0; lt <= in.lhs_tiles; ++lt) {
    for (unsigned rt = 0; rt <= in.rhs_tiles; ++rt) {
      for (unsigned k = 0; k <= in.bricks; ++k) {
        const auto lhs_at =
            static_cast<unsigned>(in.lhs_base + lt * in.lhs_stride) + k * lhs_planes;
        const auto rhs_at = static_cast<unsigned>(in.rhs_base + rt * in.rhs_stride) + k * rhs_words;
        int number = 0;
        for (int diagonal = 0; diagonal <= lhs_planes + rhs_planes - 2; ++diagonal) {
          bool slice_first = true;
          for (int r = 0; r < rhs_planes; ++r) {
            const int l = diagonal - r;
            if (l < 0 || l >= lhs_planes) continue;
            Step step;
            step.first = number == 0;
            step.lhs = (lhs_at + l) % (1u << 17);
            step.rhs = (rhs_at + (serial != 0 ? r : number)) % (1u << 16);
            step.read_lhs = serial != 1 || step.first;
            step.read_rhs = serial != 0 || number <= static_cast<int>(in.columns);
            step.load = serial == 2 || step.first;
            step.shift = slice_first && !step.first;
            step.negate = (serial != 1 && l == 0 && in.lhs_signed) !=
                          (serial != 0 && r == 0 && in.rhs_signed);
            step.brick = diagonal == lhs_planes + rhs_planes - 2;
            step.clear = k == 0;
            step.last = k == in.bricks;
            step.accumulate = in.accumulate != 0;
            step.emit = in.emit != 0;
            step.par_signed = (serial == 0 && in.rhs_signed) || (serial == 1 && in.lhs_signed);
            step.msb = static_cast<unsigned>(serial == 0   ? in.rhs_bits
                                             : serial == 1 ? in.lhs_bits
                                                           : 0);
            step.columns = static_cast<unsigned>(in.columns);
            step.cascade = static_cast<unsigned>(in.cascade);
            step.takes_slot = step.first && step.last;
            step.tile_end = step.brick && step.last;
            out.push_back(step);
            slice_first = false;
            ++number;
          }
        }
      }
    }
  }
  out.back().free_lhs = in.free_lhs != 0;
  out.back().free_rhs = in.free_rhs != 0;
}

struct SerialLhs {
  using Dut = Vstripes_exec0;
  static constexpr unsigned kSerial = 0;
};
struct SerialRhs {
  using Dut = Vstripes_exec1;
  static constexpr unsigned kSerial = 1;
};
struct SerialBoth {
  using Dut = Vstripes_exec2;
  static constexpr unsigned kSerial = 2;
};

template <typename Build>
class StripesExecTest : public ::testing::Test {
 protected:
  StripesExecTest() {
    dut_->clear_i = dut_->halt_i = dut_->valid_i = dut_->slot_release_i = dut_->array_busy_i = 0;
    dut_->lhs_filled_i = dut_->rhs_filled_i = 0;
    dut_.reset();
  }
  /// The queue word is the instruction without its opcode.
  void offer(const Exec& in) {
    dut_->valid_i = 1;
    const stripes_isa::Word word = in.encode();
    set_bits(dut_->data_i, 0, 60, word[0] >> 4);
    set_bits(dut_->data_i, 60, 64, word[1]);
  }
  static Exec draw(std::mt19937& rng) {
    Exec in;
    in.wait_lhs = rng() % 2;
    in.wait_rhs = rng() % 2;
    in.free_lhs = rng() % 2;
    in.free_rhs = rng() % 2;
    in.lhs_signed = rng() % 2;
    in.rhs_signed = rng() % 2;
    in.emit = rng() % 4 != 0;
    in.accumulate = rng() % 4 == 0;
    const unsigned most = rng() % 2 ? 16 : 3;
    in.lhs_bits = rng() % most;
    in.rhs_bits = rng() % most;
    in.lhs_tiles = rng() % 3;
    in.rhs_tiles = rng() % 3;
    in.lhs_base = rng() % (rng() % 4 ? 1000 : 1 << 17);
    in.rhs_base = rng() % (rng() % 4 ? 1000 : 1 << 16);
    in.bricks = rng() % (rng() % 2 ? 1 : 5);
    in.lhs_stride = rng() % (rng() % 4 ? 1000 : 1 << 17);
    in.rhs_stride = rng() % (rng() % 4 ? 1000 : 1 << 16);
    if (Build::kSerial == 0 && rng() % 2) in.columns = rng() % (in.lhs_bits + 1);
    in.cascade = in.columns > 0 && rng() % 2;
    return in;
  }
  Clocked<typename Build::Dut> dut_;
};

using Builds = ::testing::Types<SerialLhs, SerialRhs, SerialBoth>;
TYPED_TEST_SUITE(StripesExecTest, Builds);

TYPED_TEST(StripesExecTest, RandomInstructionsGiveTheReferenceSequence) {
  auto& dut = this->dut_;
  std::mt19937 rng(1);
  Exec next = this->draw(rng);
  bool have = false;
  std::deque<Step> expected;
  std::deque<Step> stages;  // what was issued one and two cycles ago
  std::deque<bool> issued(2, false);
  unsigned slots = 0;  // in use
  unsigned releasable = 0;
  bool open = false;
  unsigned array = 0;  // cycles for which the array is still busy
  unsigned columns = 0;
  unsigned cascade = 0;
  unsigned done = 0;
  unsigned blocked = 0;
  for (int cycle = 0; cycle < 400000 && done < 300; ++cycle) {
    if (!have) have = rng() % 3 != 0;
    if (have) this->offer(next);
    dut->valid_i = have;
    dut->lhs_filled_i = rng() % 2;
    dut->rhs_filled_i = rng() % 2;
    dut->slot_release_i = releasable > 0 && rng() % 40 == 0;
    dut->array_busy_i = array > 0;
    dut.settle();
    // One state at a time.
    ASSERT_LE(dut->run_o + dut->wait_lhs_o + dut->wait_rhs_o + dut->wait_result_o, 1);
    blocked += dut->wait_result_o;

    // What was issued a cycle ago reads now; what was issued two ago reaches the array.
    if (array > 0) --array;
    ASSERT_EQ(dut->valid_o, issued[1]);
    if (issued[1]) {
      const Step step = stages.front();
      stages.pop_front();
      ASSERT_EQ(dut->load_o, step.load);
      ASSERT_EQ(dut->first_o, step.first);
      ASSERT_EQ(dut->shift_o, step.shift);
      ASSERT_EQ(dut->negate_o, step.negate);
      ASSERT_EQ(dut->brick_o, step.brick);
      ASSERT_EQ(dut->clear_o, step.clear);
      ASSERT_EQ(dut->last_o, step.last);
      ASSERT_EQ(dut->accumulate_o, step.accumulate);
      ASSERT_EQ(dut->emit_o, step.emit);
      ASSERT_EQ(dut->signed_o, step.par_signed);
      ASSERT_EQ(dut->msb_o, step.msb);
      ASSERT_EQ(dut->columns_o, step.columns);
      ASSERT_EQ(dut->cascade_o, step.cascade);
      array = 5 + step.columns;
    }
    ASSERT_EQ(dut->lhs_rd_en_o, issued[0] && stages.back().read_lhs);
    ASSERT_EQ(dut->rhs_rd_en_o, issued[0] && stages.back().read_rhs);
    if (dut->lhs_rd_en_o) ASSERT_EQ(dut->lhs_addr_o, stages.back().lhs);
    if (dut->rhs_rd_en_o) ASSERT_EQ(dut->rhs_addr_o, stages.back().rhs);

    // What is issued now.
    issued.push_front(dut->run_o);
    issued.pop_back();
    if (dut->slot_release_i) {
      --releasable;
      --slots;
    }
    bool free_lhs = false;
    bool free_rhs = false;
    if (dut->run_o) {
      ASSERT_FALSE(expected.empty());
      const Step step = expected.front();
      expected.pop_front();
      stages.push_back(step);
      if (step.takes_slot && !open) {
        ++slots;
        // One that is released in this cycle can be taken in the next.
        ASSERT_LE(slots + dut->slot_release_i, 2u);
      }
      if (step.tile_end) {
        open = !step.emit;
        if (step.emit) ++releasable;
      }
      free_lhs = step.free_lhs;
      free_rhs = step.free_rhs;
    }
    ASSERT_EQ(dut->lhs_free_o, free_lhs);
    ASSERT_EQ(dut->rhs_free_o, free_rhs);

    // The next instruction, with its tokens, and when the array is empty if columns change.
    ASSERT_EQ(dut->lhs_take_o, dut->pop_o && next.wait_lhs);
    ASSERT_EQ(dut->rhs_take_o, dut->pop_o && next.wait_rhs);
    if (dut->pop_o) {
      ASSERT_TRUE(have);
      ASSERT_TRUE(expected.empty());
      ASSERT_TRUE(!next.wait_lhs || dut->lhs_filled_i);
      ASSERT_TRUE(!next.wait_rhs || dut->rhs_filled_i);
      if (next.columns != columns || next.cascade != cascade) {
        ASSERT_FALSE(dut->array_busy_i);
        ASSERT_TRUE(stages.empty());
      }
      columns = static_cast<unsigned>(next.columns);
      cascade = static_cast<unsigned>(next.cascade);
      expand(next, TypeParam::kSerial, expected);
      next = this->draw(rng);
      have = false;
      ++done;
    }
    dut.tick();
  }
  EXPECT_EQ(done, 300u);
  EXPECT_GT(blocked, 100u);
}

TYPED_TEST(StripesExecTest, NoBubbleBetweenInstructionsWithTokens) {
  auto& dut = this->dut_;
  std::mt19937 rng(2);
  dut->lhs_filled_i = dut->rhs_filled_i = 1;
  std::deque<Step> expected;
  const auto another = [&] {
    Exec next = this->draw(rng);
    next.emit = false;
    next.columns = next.cascade = 0;
    return next;
  };
  Exec next = another();
  bool started = false;
  for (unsigned taken = 0; taken < 100;) {
    this->offer(next);
    dut.settle();
    ASSERT_EQ(dut->run_o, started);
    if (dut->run_o) expected.pop_front();
    // Taken with the last step of the one before.
    ASSERT_EQ(dut->pop_o, expected.empty());
    if (dut->pop_o) {
      expand(next, TypeParam::kSerial, expected);
      next = another();
      ++taken;
      started = true;
    }
    dut.tick();
  }
}

TYPED_TEST(StripesExecTest, HaltDropsTheRunningInstruction) {
  auto& dut = this->dut_;
  Exec in;
  in.bricks = 1000;
  this->offer(in);
  dut.tick();
  dut->valid_i = 0;
  for (int i = 0; i < 5; ++i) dut.tick();
  dut.settle();
  EXPECT_EQ(dut->run_o, 1);
  dut->halt_i = 1;
  dut.settle();
  EXPECT_EQ(dut->run_o, 0);
  for (int i = 0; i < 4; ++i) dut.tick();
  EXPECT_EQ(dut->busy_o, 0);
}

}  // namespace
}  // namespace bittern::rtl_test
