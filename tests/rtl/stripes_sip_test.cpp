// The serial inner-product unit alone, as the array drives it: every pair of operands of a small
// unit, random bricks for the sizes of the variants, against integer arithmetic.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "Vsip_16.h"
#include "Vsip_2.h"
#include "Vsip_32.h"
#include "Vsip_both.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

/// An operand of all lanes.
struct Operand {
  unsigned bits = 1;
  bool is_signed = false;
  std::vector<std::int32_t> lanes;
};

/// What the unit is given for one step; the control comes to it two and three cycles later.
struct Step {
  std::uint64_t serial = 0;  ///< bit l: lane l
  bool first = false;
  bool shift = false;
  bool negate = false;
  bool brick = false;
  bool clear = false;
  bool cascade = false;
  std::uint32_t before = 0;               ///< the sum of the unit before, added with `cascade`
  std::optional<std::uint32_t> expected;  ///< the sum after this step, where a tile ends
};

/// Gives steps to a unit and compares the sums that come out. Planes is the number of bits of the
/// parallel operand that the unit has.
template <typename Dut, unsigned kLanes, unsigned kPlanes>
class Driver {
 public:
  Driver() { dut_->valid_i = 0; }

  /// One cycle with a step, or a pause; `par` is the operand that is not serial, or one plane of
  /// it.
  void cycle(const std::optional<Step>& step, const Operand& par, std::mt19937& rng) {
    stages_.push_front(step);
    if (stages_.size() > 5) stages_.pop_back();
    unsigned valid = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(stages_.size(), 4); ++i) {
      valid |= static_cast<unsigned>(stages_[i].has_value()) << i;
    }
    dut_->valid_i = valid;
    const Step none{};
    const Step& at_brick = stages_.size() > 2 && stages_[2] ? *stages_[2] : none;
    const Step& at_sum = stages_.size() > 3 && stages_[3] ? *stages_[3] : none;
    dut_->first_i = at_brick.first;
    dut_->shift_i = at_brick.shift;
    dut_->negate_i = at_brick.negate;
    dut_->brick_i = at_sum.brick;
    dut_->clear_i = at_sum.clear;
    // The sum of another unit is added a cycle after the brick.
    const Step& behind = stages_.size() > 4 && stages_[4] ? *stages_[4] : none;
    dut_->cascade_i = behind.cascade;
    dut_->cascade_acc_i = behind.cascade ? behind.before : rng();
    // Nothing that comes in a pause may leave a trace.
    set_bits(dut_->serial_i, 0, kLanes, step ? step->serial : rng());
    dut_->par_signed_i = step ? par.is_signed : rng() % 2;
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<std::uint32_t>(step ? par.lanes[lane] : rng());
      for (unsigned b = 0; b < kPlanes; ++b) {
        set_bits(dut_->par_i, b * kLanes + lane, 1, (value >> b) & 1);
      }
    }
    dut_.tick();
    const Step& complete = behind.cascade ? behind : at_sum;
    if (complete.expected && complete.cascade == behind.cascade) {
      ASSERT_EQ(dut_->acc_o, *complete.expected);
      ++compared_;
    }
  }
  /// Lets everything come out.
  void drain(const Operand& par, std::mt19937& rng) {
    for (int i = 0; i < 5; ++i) cycle(std::nullopt, par, rng);
  }
  std::uint64_t compared() const { return compared_; }

 private:
  Clocked<Dut> dut_;
  std::deque<std::optional<Step>> stages_;
  std::uint64_t compared_ = 0;
};

std::uint64_t plane(const Operand& operand, unsigned bit) {
  std::uint64_t out = 0;
  for (std::size_t lane = 0; lane < operand.lanes.size(); ++lane) {
    out |= static_cast<std::uint64_t>((static_cast<std::uint32_t>(operand.lanes[lane]) >> bit) & 1)
           << lane;
  }
  return out;
}

/// Steps of a brick with one serial operand: most significant bit first.
std::vector<Step> brick_steps(const Operand& serial, bool clear) {
  std::vector<Step> steps;
  for (unsigned b = serial.bits; b-- > 0;) {
    Step step;
    step.serial = plane(serial, b);
    step.first = b + 1 == serial.bits;
    step.shift = !step.first;
    step.negate = step.first && serial.is_signed;
    step.brick = b == 0;
    step.clear = clear;
    steps.push_back(step);
  }
  return steps;
}

std::uint32_t dot(const Operand& a, const Operand& b) {
  std::uint32_t sum = 0;
  for (std::size_t lane = 0; lane < a.lanes.size(); ++lane) {
    sum += static_cast<std::uint32_t>(a.lanes[lane]) * static_cast<std::uint32_t>(b.lanes[lane]);
  }
  return sum;
}

std::int32_t value_of(unsigned pattern, unsigned bits, bool is_signed) {
  const auto value = static_cast<std::int32_t>(pattern);
  return is_signed && (pattern >> (bits - 1)) != 0 ? value - (1 << bits) : value;
}

/// Values of a random kind: uniform, with many at the ends of the range.
Operand draw(unsigned bits, bool is_signed, unsigned lanes, std::mt19937& rng) {
  Operand out{bits, is_signed, {}};
  const unsigned ends = rng() % 3;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    unsigned pattern = rng() % (1u << bits);
    if (ends != 0 && (ends == 1 || rng() % 2 == 0))
      pattern = is_signed ? 1u << (bits - 1) : (1u << bits) - 1;
    out.lanes.push_back(value_of(pattern, bits, is_signed));
  }
  return out;
}

TEST(StripesSipTest, EveryPairOfOperandsOfTwoLanes) {
  Driver<Vsip_2, 2, 4> sip;
  std::mt19937 rng(1);
  std::uint64_t wanted = 0;
  for (unsigned kind = 0; kind < 64 && !::testing::Test::HasFatalFailure(); ++kind) {
    Operand serial{kind % 4 + 1, (kind & 16) != 0, {0, 0}};
    Operand par{kind / 4 % 4 + 1, (kind & 32) != 0, {0, 0}};
    const unsigned serial_values = 1u << serial.bits;
    const unsigned par_values = 1u << par.bits;
    for (unsigned s = 0; s < serial_values * serial_values; ++s) {
      serial.lanes = {value_of(s % serial_values, serial.bits, serial.is_signed),
                      value_of(s / serial_values, serial.bits, serial.is_signed)};
      std::vector<Step> steps = brick_steps(serial, true);
      for (unsigned p = 0; p < par_values * par_values; ++p, ++wanted) {
        par.lanes = {value_of(p % par_values, par.bits, par.is_signed),
                     value_of(p / par_values, par.bits, par.is_signed)};
        steps.back().expected = dot(serial, par);
        for (const Step& step : steps) sip.cycle(step, par, rng);
        ASSERT_FALSE(::testing::Test::HasFatalFailure())
            << serial.bits << (serial.is_signed ? "s" : "u") << " x " << par.bits
            << (par.is_signed ? "s" : "u") << ", at most a few before " << serial.lanes[0] << " "
            << serial.lanes[1] << " x " << par.lanes[0] << " " << par.lanes[1];
      }
    }
    sip.drain(par, rng);
  }
  EXPECT_EQ(sip.compared(), wanted);
}

/// Tiles of a few bricks with pauses, all precisions and signs.
template <typename Dut, unsigned kLanes, unsigned kPlanes>
void random_tiles(unsigned tiles) {
  Driver<Dut, kLanes, kPlanes> sip;
  std::mt19937 rng(2);
  Operand par;
  for (unsigned tile = 0; tile < tiles; ++tile) {
    const unsigned serial_bits = 1 + rng() % kPlanes;
    const unsigned par_bits = 1 + rng() % kPlanes;
    const bool serial_signed = rng() % 2;
    const bool par_signed = rng() % 2;
    const unsigned bricks = 1 + rng() % 4;
    std::uint32_t sum = 0;
    for (unsigned brick = 0; brick < bricks; ++brick) {
      const Operand serial = draw(serial_bits, serial_signed, kLanes, rng);
      par = draw(par_bits, par_signed, kLanes, rng);
      sum += dot(serial, par);
      std::vector<Step> steps = brick_steps(serial, brick == 0);
      if (brick + 1 == bricks) {
        steps.back().cascade = rng() % 2;
        steps.back().before = static_cast<std::uint32_t>(rng());
        if (steps.back().cascade) sum += steps.back().before;
        steps.back().expected = sum;
      }
      for (const Step& step : steps) {
        while (rng() % 4 == 0) sip.cycle(std::nullopt, par, rng);
        sip.cycle(step, par, rng);
        ASSERT_FALSE(::testing::Test::HasFatalFailure())
            << serial_bits << (serial_signed ? "s" : "u") << " x " << par_bits
            << (par_signed ? "s" : "u") << ", in or just before tile " << tile;
      }
      // No brick of the next tile may end in the cycle behind.
      if (steps.back().cascade) sip.cycle(std::nullopt, par, rng);
    }
  }
  sip.drain(par, rng);
  EXPECT_EQ(sip.compared(), tiles);
}

TEST(StripesSipTest, RandomTilesOfSixteenLanesAndSixteenBits) {
  random_tiles<Vsip_16, 16, 16>(2000);
}
TEST(StripesSipTest, RandomTilesOfThirtyTwoLanesAndEightBits) {
  random_tiles<Vsip_32, 32, 8>(2000);
}

TEST(StripesSipTest, BothOperandsSerialInAntiDiagonals) {
  Driver<Vsip_both, 4, 1> sip;
  std::mt19937 rng(3);
  Operand bits{1, false, {}};  // a plane of the other operand
  std::uint64_t wanted = 0;
  for (unsigned kind = 0; kind < 16 * 16 * 4; ++kind, ++wanted) {
    const unsigned l_bits = kind % 16 + 1;
    const unsigned r_bits = kind / 16 % 16 + 1;
    std::uint32_t sum = 0;
    for (const bool first_brick : {true, false}) {
      const Operand l = draw(l_bits, (kind & 256) != 0, 4, rng);
      const Operand r = draw(r_bits, (kind & 512) != 0, 4, rng);
      sum += dot(l, r);
      for (int diagonal = static_cast<int>(l_bits + r_bits) - 2; diagonal >= 0; --diagonal) {
        bool shift = diagonal != static_cast<int>(l_bits + r_bits) - 2;
        for (int i = 0; i < static_cast<int>(l_bits); ++i) {
          const int j = diagonal - i;
          if (j < 0 || j >= static_cast<int>(r_bits)) continue;
          Step step;
          step.serial = plane(l, i);
          step.first = diagonal == static_cast<int>(l_bits + r_bits) - 2;
          step.shift = shift;
          step.negate = (l.is_signed && i + 1 == static_cast<int>(l_bits)) !=
                        (r.is_signed && j + 1 == static_cast<int>(r_bits));
          step.brick = diagonal == 0;
          step.clear = first_brick;
          if (step.brick && !first_brick) step.expected = sum;
          bits.lanes.clear();
          for (const std::int32_t value : r.lanes) {
            bits.lanes.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(value) >> j));
          }
          shift = false;
          sip.cycle(step, bits, rng);
          ASSERT_FALSE(::testing::Test::HasFatalFailure()) << l_bits << " x " << r_bits;
        }
      }
    }
  }
  sip.drain(bits, rng);
  EXPECT_EQ(sip.compared(), wanted);
}

}  // namespace
}  // namespace bittern::rtl_test
