// The array: its fast and its structural form must be the same in every cycle, and right, for
// random steps of all modes with random gaps.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "Varray_flat22.h"
#include "Varray_flat24.h"
#include "Varray_flat42.h"
#include "Varray_struct22.h"
#include "Varray_struct24.h"
#include "Varray_struct42.h"
#include "tests/rtl/bitfusion_model.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

struct Step {
  bool valid = false;
  bool first = false;
  bool last = false;
  unsigned tag = 0;
  unsigned lhs_mode = 0;
  unsigned rhs_mode = 0;
  bool lhs_signed = false;
  bool rhs_signed = false;
  unsigned shift = 0;
  std::vector<std::uint32_t> lhs;  // operand of row n
  std::vector<std::uint32_t> rhs;  // of unit (n, m): [m * N + n]
};

template <typename Dut>
void apply(Dut& dut, const Step& step, unsigned n, unsigned m) {
  dut.valid_i = step.valid;
  dut.first_i = step.first;
  dut.last_i = step.last;
  dut.tag_i = step.tag;
  dut.lhs_mode_i = step.lhs_mode;
  dut.rhs_mode_i = step.rhs_mode;
  dut.lhs_signed_i = step.lhs_signed;
  dut.rhs_signed_i = step.rhs_signed;
  dut.shift_i = step.shift;
  for (unsigned b = 0; b < 4; ++b) {
    for (unsigned i = 0; i < n; ++i) {
      set_bits(dut.lhs_i, 8 * (b * n + i), 8, step.lhs[i] >> (8 * b) & 0xff);
    }
    for (unsigned i = 0; i < n * m; ++i) {
      set_bits(dut.rhs_i, 8 * (b * n * m + i), 8, step.rhs[i] >> (8 * b) & 0xff);
    }
  }
}

template <typename Flat, typename Structural>
void compare(unsigned n, unsigned m, std::uint32_t seed) {
  Clocked<Flat> flat;
  Clocked<Structural> structural;
  flat.reset();
  structural.reset();
  std::mt19937 rng(seed);
  struct Word {
    std::uint64_t cycle;
    unsigned tag;
    std::vector<std::uint32_t> values;
  };
  std::deque<Word> expected;
  std::vector<std::uint32_t> sums(m);
  bool open = false;  // an output has begun and not ended
  unsigned outputs = 0;
  for (std::uint64_t cycle = 0; cycle < 4000; ++cycle) {
    // Stretches without gaps, and with many.
    const unsigned gap_percent = cycle / 200 % 4 * 25;
    const unsigned last_percent = cycle / 800 % 2 ? 80 : 20;
    Step step;
    step.valid = rng() % 100 >= gap_percent;
    step.first = step.valid ? !open : rng() % 2 != 0;
    step.last = rng() % 100 < last_percent;
    step.tag = rng() % 8;
    step.lhs_mode = rng() % 3;
    step.rhs_mode = rng() % 3;
    step.lhs_signed = rng() % 2;
    step.rhs_signed = rng() % 2;
    step.shift = step.lhs_mode == 2 || step.rhs_mode == 2 ? rng() % 3 : 0;
    for (unsigned i = 0; i < n; ++i) step.lhs.push_back(static_cast<std::uint32_t>(rng()));
    for (unsigned i = 0; i < n * m; ++i) step.rhs.push_back(static_cast<std::uint32_t>(rng()));
    apply(*flat, step, n, m);
    apply(*structural, step, n, m);
    flat.settle();
    structural.settle();

    const bool want = !expected.empty() && expected.front().cycle == cycle;
    ASSERT_EQ(flat->valid_o, want) << "cycle " << cycle;
    ASSERT_EQ(structural->valid_o, want) << "cycle " << cycle;
    if (want) {
      ASSERT_EQ(flat->tag_o, expected.front().tag) << "cycle " << cycle;
      ASSERT_EQ(structural->tag_o, expected.front().tag) << "cycle " << cycle;
      for (unsigned col = 0; col < m; ++col) {
        ASSERT_EQ(get_bits(flat->word_o, 32 * col, 32), expected.front().values[col])
            << "cycle " << cycle << ", column " << col;
        ASSERT_EQ(get_bits(structural->word_o, 32 * col, 32), expected.front().values[col])
            << "cycle " << cycle << ", column " << col;
      }
      expected.pop_front();
    }

    if (step.valid) {
      for (unsigned col = 0; col < m; ++col) {
        if (step.first) sums[col] = 0;
        for (unsigned row = 0; row < n; ++row) {
          const std::int32_t sum =
              fusion_unit(step.lhs[row], step.rhs[col * n + row], mode_bits(step.lhs_mode),
                          mode_bits(step.rhs_mode), step.lhs_signed, step.rhs_signed);
          sums[col] += static_cast<std::uint32_t>(sum) << (8 * step.shift);
        }
      }
      open = !step.last;
      if (step.last) {
        expected.push_back({cycle + n + m + 2, step.tag, sums});
        ++outputs;
      }
    }
    flat.tick();
    structural.tick();
  }
  EXPECT_GT(outputs, 500u);
}

TEST(BitfusionArray, FormsAreTheSameWith2RowsAnd2Columns) {
  compare<Varray_flat22, Varray_struct22>(2, 2, 1);
}
TEST(BitfusionArray, FormsAreTheSameWith4RowsAnd2Columns) {
  compare<Varray_flat42, Varray_struct42>(4, 2, 2);
}
TEST(BitfusionArray, FormsAreTheSameWith2RowsAnd4Columns) {
  compare<Varray_flat24, Varray_struct24>(2, 4, 3);
}

}  // namespace
}  // namespace bittern::rtl_test
