// The execute stage alone: order of addresses and control, tokens, slots, no bubbles.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "Vexec.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

// Queue word of bismo_dispatch.
struct Instruction {
  bool wait_lhs = false, wait_rhs = false, free_lhs = false, free_rhs = false;
  bool lhs_signed = false, rhs_signed = false, accumulate = false, emit = true;
  unsigned lhs_bits = 1, rhs_bits = 1, lhs_tiles = 1, rhs_tiles = 1;
  unsigned lhs_base = 0, rhs_base = 0, k_words = 1, lhs_stride = 0, rhs_stride = 0;

  unsigned words() const { return lhs_tiles * rhs_tiles * lhs_bits * rhs_bits * k_words; }
};

// One word of the array.
struct Step {
  unsigned lhs, rhs;
  bool clear, shift, negate, last, accumulate, emit, instruction_end;
};

void expand(const Instruction& in, std::deque<Step>& out) {
  for (unsigned lt = 0; lt < in.lhs_tiles; ++lt) {
    for (unsigned rt = 0; rt < in.rhs_tiles; ++rt) {
      bool tile_first = true;
      for (int sum = static_cast<int>(in.lhs_bits + in.rhs_bits) - 2; sum >= 0; --sum) {
        bool slice_first = true;
        for (int l = 0; l < static_cast<int>(in.lhs_bits); ++l) {
          const int r = sum - l;
          if (r < 0 || r >= static_cast<int>(in.rhs_bits)) continue;
          for (unsigned k = 0; k < in.k_words; ++k) {
            Step step{};
            step.lhs = in.lhs_base + lt * in.lhs_stride + l * in.k_words + k;
            step.rhs = in.rhs_base + rt * in.rhs_stride + r * in.k_words + k;
            step.clear = tile_first;
            step.shift = slice_first && !tile_first;
            step.negate = (l + 1u == in.lhs_bits && in.lhs_signed) !=
                          (r + 1u == in.rhs_bits && in.rhs_signed);
            step.last = sum == 0 && k + 1 == in.k_words;
            step.accumulate = in.accumulate;
            step.emit = in.emit;
            out.push_back(step);
            tile_first = slice_first = false;
          }
        }
      }
    }
  }
  out.back().instruction_end = true;
}

class ExecTest : public ::testing::Test {
 protected:
  ExecTest() {
    dut_->clear_i = dut_->halt_i = dut_->valid_i = dut_->slot_release_i = 0;
    dut_->lhs_filled_i = dut_->rhs_filled_i = 0;
    dut_.reset();
  }
  void offer(const Instruction& in) {
    dut_->valid_i = 1;
    auto& data = dut_->data_i;
    const bool flags[] = {in.wait_lhs,   in.wait_rhs,   in.free_lhs,   in.free_rhs,
                          in.lhs_signed, in.rhs_signed, in.accumulate, in.emit};
    for (unsigned i = 0; i < 8; ++i) set_bits(data, i, 1, flags[i]);
    set_bits(data, 8, 3, in.lhs_bits - 1);
    set_bits(data, 11, 3, in.rhs_bits - 1);
    set_bits(data, 14, 14, in.lhs_tiles - 1);
    set_bits(data, 28, 14, in.rhs_tiles - 1);
    set_bits(data, 42, 16, in.lhs_base + (in.lhs_bits - 1) * in.k_words);
    set_bits(data, 58, 16, in.rhs_base + (in.rhs_bits - 1) * in.k_words);
    set_bits(data, 74, 16, in.k_words);
    set_bits(data, 90, 16, in.lhs_stride);
    set_bits(data, 106, 16, in.rhs_stride);
  }
  static Instruction draw(std::mt19937& rng) {
    Instruction in;
    in.wait_lhs = rng() % 2;
    in.wait_rhs = rng() % 2;
    in.free_lhs = rng() % 2;
    in.free_rhs = rng() % 2;
    in.lhs_signed = rng() % 2;
    in.rhs_signed = rng() % 2;
    in.emit = rng() % 4 != 0;
    in.accumulate = rng() % 4 == 0;
    in.lhs_bits = 1 + rng() % 8;
    in.rhs_bits = 1 + rng() % 8;
    in.lhs_tiles = 1 + rng() % 3;
    in.rhs_tiles = 1 + rng() % 3;
    in.lhs_base = rng() % 1000;
    in.rhs_base = rng() % 1000;
    in.k_words = 1 + rng() % (rng() % 2 ? 1 : 5);
    in.lhs_stride = rng() % 1000;
    in.rhs_stride = rng() % 1000;
    return in;
  }
  Clocked<Vexec> dut_;
};

TEST_F(ExecTest, RandomInstructionsGiveTheReferenceSequence) {
  std::mt19937 rng(1);
  Instruction next = draw(rng);
  bool have = false;
  std::deque<Step> expected;
  std::deque<Step> read;  // address seen, control comes a cycle later
  unsigned slots = 0;     // in use
  bool open = false;
  unsigned releasable = 0;
  unsigned done = 0;
  unsigned blocked = 0;
  for (int cycle = 0; cycle < 200000 && done < 400; ++cycle) {
    if (!have) have = rng() % 3 != 0;
    if (have) offer(next);
    dut_->valid_i = have;
    dut_->lhs_filled_i = rng() % 2;
    dut_->rhs_filled_i = rng() % 2;
    dut_->slot_release_i = releasable > 0 && rng() % 40 == 0;
    dut_.settle();
    // One state at a time.
    ASSERT_LE(dut_->run_o + dut_->wait_lhs_o + dut_->wait_rhs_o + dut_->wait_result_o, 1);
    blocked += dut_->wait_result_o;
    if (dut_->slot_release_i) {
      --releasable;
      --slots;
    }
    // Tokens are taken with the instruction.
    ASSERT_EQ(dut_->lhs_take_o, dut_->pop_o && next.wait_lhs);
    ASSERT_EQ(dut_->rhs_take_o, dut_->pop_o && next.wait_rhs);
    if (dut_->pop_o) {
      ASSERT_TRUE(have);
      ASSERT_TRUE(!next.wait_lhs || dut_->lhs_filled_i);
      ASSERT_TRUE(!next.wait_rhs || dut_->rhs_filled_i);
    }
    const bool ends = dut_->lhs_free_o || dut_->rhs_free_o;
    if (ends) ASSERT_TRUE(dut_->run_o);
    if (dut_->pop_o) {
      expand(next, expected);
      next = draw(rng);
      have = false;
      ++done;
    }
    // Address register.
    if (dut_->rd_en_o) {
      ASSERT_FALSE(expected.empty());
      ASSERT_EQ(dut_->lhs_addr_o, expected.front().lhs % 65536);
      ASSERT_EQ(dut_->rhs_addr_o, expected.front().rhs % 65536);
      const Step step = expected.front();
      expected.pop_front();
      if (step.last) {
        if (!open) ++slots;
        ASSERT_LE(slots, 2u);
        open = !step.emit;
        if (step.emit) ++releasable;
      }
      read.push_back(step);
    }
    if (dut_->valid_o) {
      const Step step = read.front();
      ASSERT_EQ(read.size(), dut_->rd_en_o ? 2u : 1u);
      read.pop_front();
      ASSERT_EQ(dut_->clear_o, step.clear);
      ASSERT_EQ(dut_->shift_o, step.shift);
      ASSERT_EQ(dut_->negate_o, step.negate);
      ASSERT_EQ(dut_->last_o, step.last);
      ASSERT_EQ(dut_->accumulate_o, step.accumulate);
      ASSERT_EQ(dut_->emit_o, step.emit);
    }
    dut_.tick();
  }
  EXPECT_EQ(done, 400u);
  EXPECT_GT(blocked, 100u);
}

TEST_F(ExecTest, NoBubbleBetweenInstructionsWithTokens) {
  std::mt19937 rng(2);
  dut_->lhs_filled_i = dut_->rhs_filled_i = 1;
  unsigned words = 0;
  unsigned taken = 0;
  Instruction next = draw(rng);
  next.emit = false;
  bool started = false;
  while (taken < 100) {
    offer(next);
    dut_.settle();
    EXPECT_EQ(dut_->run_o, started);
    if (dut_->pop_o) {
      words += next.words();
      next = draw(rng);
      next.emit = false;
      ++taken;
      started = true;
    }
    words -= dut_->run_o;
    ASSERT_LT(words, 100000u);
    dut_.tick();
  }
}

TEST_F(ExecTest, FreeTokensComeWithTheLastAddress) {
  Instruction in;
  in.lhs_bits = 2;
  in.rhs_bits = 3;
  in.k_words = 4;
  in.lhs_tiles = 2;
  in.free_lhs = in.free_rhs = true;
  offer(in);
  dut_.settle();
  EXPECT_EQ(dut_->pop_o, 1);
  dut_.tick();
  dut_->valid_i = 0;
  for (unsigned word = 1; word <= in.words(); ++word) {
    dut_.settle();
    EXPECT_EQ(dut_->run_o, 1);
    EXPECT_EQ(dut_->lhs_free_o, word == in.words());
    EXPECT_EQ(dut_->rhs_free_o, word == in.words());
    dut_.tick();
  }
  dut_.settle();
  EXPECT_EQ(dut_->run_o, 0);
}

TEST_F(ExecTest, HaltDropsTheRunningInstruction) {
  Instruction in;
  in.k_words = 1000;
  offer(in);
  dut_.tick();
  dut_->valid_i = 0;
  for (int i = 0; i < 5; ++i) dut_.tick();
  dut_->halt_i = 1;
  dut_.settle();
  EXPECT_EQ(dut_->run_o, 0);
  for (int i = 0; i < 4; ++i) dut_.tick();
  EXPECT_EQ(dut_->busy_o, 0);
}

}  // namespace
}  // namespace bittern::rtl_test
