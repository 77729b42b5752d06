// The dot-product unit and the dot-product array, flat and structural, against a model in C++ and
// against products.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "Vdpa_flat1.h"
#include "Vdpa_flat2.h"
#include "Vdpa_struct1.h"
#include "Vdpa_struct2.h"
#include "Vdpu1.h"
#include "Vdpu2.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/dpa_drive.h"
#include "tests/rtl/dpa_model.h"

namespace bittern::rtl_test {
namespace {

struct Flat2 {
  using Dut = Vdpa_flat2;
  static constexpr DpaShape kShape = kTwoStages;
};
struct Structural2 {
  using Dut = Vdpa_struct2;
  static constexpr DpaShape kShape = kTwoStages;
};
struct Flat1 {
  using Dut = Vdpa_flat1;
  static constexpr DpaShape kShape = kOneStage;
};
struct Structural1 {
  using Dut = Vdpa_struct1;
  static constexpr DpaShape kShape = kOneStage;
};

template <typename Build>
class DpaTest : public ::testing::Test {
 protected:
  static constexpr DpaShape kShape = Build::kShape;
  DpaTest() { dut_.reset(); }
  Clocked<typename Build::Dut> dut_;
};
using Builds = ::testing::Types<Flat1, Flat2, Structural1, Structural2>;
TYPED_TEST_SUITE(DpaTest, Builds);

TYPED_TEST(DpaTest, EveryCycleOfRandomStimuliMatchesTheModel) {
  std::mt19937 rng(1);
  DpaModel model(TestFixture::kShape);
  const auto inputs = random_inputs(TestFixture::kShape, 2000, rng);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    apply(*this->dut_, inputs[i]);
    this->dut_.tick();
    const DpaOutput want = model.step(inputs[i]);
    ASSERT_EQ(accumulators(*this->dut_, TestFixture::kShape), want.acc) << "cycle " << i;
    ASSERT_EQ(this->dut_->last_o, want.last) << "cycle " << i;
    if (want.last) ASSERT_EQ(this->dut_->tag_o, want.tag) << "cycle " << i;
  }
}

// Bit planes in anti-diagonal order, as bismo_exec sends them, give the integer product.
TYPED_TEST(DpaTest, BitPlanesOfAllPrecisionsGiveTheProduct) {
  constexpr DpaShape shape = TestFixture::kShape;
  std::mt19937 rng(2);
  for (int lhs_bits = 1; lhs_bits <= 8; ++lhs_bits) {
    for (int rhs_bits = 1; rhs_bits <= 8; ++rhs_bits) {
      const bool lhs_signed = rng() % 2;
      const bool rhs_signed = rng() % 2;
      std::vector<int> lhs(shape.dm * shape.dk);
      std::vector<int> rhs(shape.dn * shape.dk);
      for (int& v : lhs)
        v = static_cast<int>(rng() % (1u << lhs_bits)) - (lhs_signed ? 1 << (lhs_bits - 1) : 0);
      for (int& v : rhs)
        v = static_cast<int>(rng() % (1u << rhs_bits)) - (rhs_signed ? 1 << (rhs_bits - 1) : 0);
      // Values stand at the same place as their bits, lane major: [lane][row][bit].
      bool first = true;
      for (int sum = lhs_bits + rhs_bits - 2; sum >= 0; --sum) {
        bool slice_first = true;
        for (int l = std::max(0, sum - rhs_bits + 1); l <= std::min(sum, lhs_bits - 1); ++l) {
          const int r = sum - l;
          DpaInput in;
          in.valid = true;
          in.clear = first;
          in.shift = slice_first && !first;
          in.negate = (l == lhs_bits - 1 && lhs_signed) != (r == rhs_bits - 1 && rhs_signed);
          for (const int v : lhs) in.lhs.push_back((v >> l) & 1);
          for (const int v : rhs) in.rhs.push_back((v >> r) & 1);
          apply(*this->dut_, in);
          this->dut_.tick();
          first = slice_first = false;
        }
      }
      this->dut_->valid_i = 0;
      for (unsigned s = 0; s < shape.pop_stages; ++s) this->dut_.tick();
      const auto got = accumulators(*this->dut_, shape);
      const unsigned width = shape.dk / shape.lanes;
      for (unsigned m = 0; m < shape.dm; ++m) {
        for (unsigned n = 0; n < shape.dn; ++n) {
          int want = 0;
          for (unsigned k = 0; k < shape.dk; ++k) {
            const unsigned lane = k / width;
            want += lhs[(lane * shape.dm + m) * width + k % width] *
                    rhs[(lane * shape.dn + n) * width + k % width];
          }
          ASSERT_EQ(static_cast<int>(got[m * shape.dn + n]), want)
              << lhs_bits << (lhs_signed ? "s x " : "u x ") << rhs_bits << (rhs_signed ? "s" : "u");
        }
      }
    }
  }
}

TYPED_TEST(DpaTest, NothingMovesWithoutValid) {
  std::mt19937 rng(3);
  const auto inputs = random_inputs(TestFixture::kShape, 200, rng);
  apply(*this->dut_, inputs[0]);
  for (int i = 0; i < 5; ++i) this->dut_.tick();
  DpaInput idle = inputs[0];
  idle.valid = false;
  apply(*this->dut_, idle);
  for (int i = 0; i < 3; ++i) this->dut_.tick();
  const auto before = accumulators(*this->dut_, TestFixture::kShape);
  for (DpaInput in : inputs) {
    in.valid = false;
    apply(*this->dut_, in);
    this->dut_.tick();
    ASSERT_EQ(accumulators(*this->dut_, TestFixture::kShape), before);
    ASSERT_EQ(this->dut_->last_o, 0);
  }
  EXPECT_EQ(this->dut_->busy_o, 0);
}

// One unit alone, with its stages enabled from outside.
template <typename Dut>
void check_unit(unsigned dk, unsigned pop_stages) {
  Clocked<Dut> dut;
  std::mt19937 rng(4);
  const DpaShape shape{1, dk, 1, 1, pop_stages};
  DpaModel model(shape);
  const auto inputs = random_inputs(shape, 3000, rng);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    apply_unit(*dut, inputs, i, pop_stages);
    dut.tick();
    ASSERT_EQ(dut->acc_o, model.step(inputs[i]).acc[0]) << "cycle " << i;
  }
}

TEST(DpuTest, RandomStimuliMatchTheModelWithTwoStages) { check_unit<Vdpu2>(256, 2); }
// 200 bits are no multiple of the three pairs and six bits that the compressors take.
TEST(DpuTest, RandomStimuliMatchTheModelWithOneStage) { check_unit<Vdpu1>(200, 1); }

}  // namespace
}  // namespace bittern::rtl_test
