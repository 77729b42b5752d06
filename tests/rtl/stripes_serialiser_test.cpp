// The serialiser alone, both forms: random bricks with gaps of their own in every lane.
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "Vserialiser_flat.h"
#include "Vserialiser_flat16.h"
#include "Vserialiser_struct.h"
#include "Vserialiser_struct16.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

constexpr unsigned kAddrWidth = 17;
constexpr unsigned kBankWidth = 8;

struct Flat {  // as in CMakeLists.txt
  using Dut = Vserialiser_flat;
  static constexpr unsigned kLanes = 2, kPortWidth = 32, kWords = 3, kMaxBits = 8;
};
struct Structural : Flat {
  using Dut = Vserialiser_struct;
};
struct Flat16 {
  using Dut = Vserialiser_flat16;
  static constexpr unsigned kLanes = 1, kPortWidth = 64, kWords = 1, kMaxBits = 16;
};
struct Structural16 : Flat16 {
  using Dut = Vserialiser_struct16;
};

struct Beat {
  unsigned address = 0;
  std::uint64_t data = 0;
};
struct Plane {
  std::uint64_t cycle = 0;
  unsigned address = 0;
  unsigned bank = 0;
  std::uint64_t data = 0;
};

// What one lane gets and must write, for bricks at random addresses.
struct Stream {
  std::vector<Beat> beats;
  std::vector<Plane> planes;  // cycle: index of the beat that completes the group

  template <typename Build>
  static Stream draw(unsigned bits, unsigned bricks, std::mt19937_64& rng) {
    Stream out;
    for (unsigned brick = 0; brick < bricks; ++brick) {
      const unsigned base = rng() % 100000;
      for (unsigned word = 0; word < Build::kWords; ++word) {
        // Elements as they stand in memory: one behind the other, `bits` bits each.
        std::vector<bool> memory;
        std::vector<std::uint64_t> planes(bits);
        for (unsigned e = 0; e < Build::kPortWidth; ++e) {
          const std::uint64_t value = rng() % (1u << bits);
          for (unsigned b = 0; b < bits; ++b) {
            memory.push_back(value >> b & 1);
            planes[bits - 1 - b] |= (value >> b & 1) << e;
          }
        }
        for (unsigned j = 0; j < bits; ++j) {
          Beat beat;
          // The fetch stage counts an address for so many words.
          beat.address = base + (word * bits + j) / Build::kWords;
          for (unsigned i = 0; i < Build::kPortWidth; ++i) {
            beat.data |= std::uint64_t{memory[j * Build::kPortWidth + i]} << i;
          }
          out.beats.push_back(beat);
        }
        for (unsigned k = 0; k < bits; ++k) {
          out.planes.push_back({out.beats.size() - 1, base + k, word, planes[k]});
        }
      }
    }
    return out;
  }
};

template <typename Build>
class SerialiserTest : public ::testing::Test {
 protected:
  SerialiserTest() {
    dut_->clear_i = dut_->bits_i = dut_->filled_i = 0;
    dut_->wr_en_i = 0;
    dut_.reset();
  }

  // Plays the streams, beats in `percent` of the cycles, and compares every write with its cycle.
  void play(unsigned bits, const std::vector<Stream>& lanes, unsigned percent,
            std::mt19937_64& rng) {
    dut_->bits_i = bits - 1;
    std::vector<std::size_t> next(lanes.size());
    std::vector<std::deque<Plane>> due(lanes.size());
    std::vector<std::size_t> planned(lanes.size());
    std::deque<std::uint64_t> tokens;
    bool left = true;
    for (std::uint64_t cycle = 0; left; ++cycle) {
      left = false;
      dut_->wr_en_i = 0;
      dut_->filled_i = 0;
      for (std::size_t l = 0; l < lanes.size(); ++l) {
        const Stream& lane = lanes[l];
        if (next[l] == lane.beats.size() || rng() % 100 >= percent) continue;
        const Beat& beat = lane.beats[next[l]];
        dut_->wr_en_i |= 1u << l;
        set_bits(dut_->wr_addr_i, kAddrWidth * l, kAddrWidth, beat.address);
        set_bits(dut_->wr_data_i, Build::kPortWidth * l, Build::kPortWidth, beat.data);
        unsigned k = 0;
        for (; planned[l] < lane.planes.size() && lane.planes[planned[l]].cycle == next[l];
             ++planned[l]) {
          Plane plane = lane.planes[planned[l]];
          plane.cycle = cycle + 1 + k++;
          due[l].push_back(plane);
        }
        ++next[l];
      }
      if (rng() % 4 == 0) {
        dut_->filled_i = 1;
        tokens.push_back(cycle + bits);
      }
      dut_.settle();
      const bool token = !tokens.empty() && tokens.front() == cycle;
      ASSERT_EQ(dut_->filled_o, token) << bits << " bits, cycle " << cycle;
      bool busy = !tokens.empty() && tokens.front() < cycle + bits;
      if (token) tokens.pop_front();
      for (std::size_t l = 0; l < lanes.size(); ++l) {
        const bool write = !due[l].empty() && due[l].front().cycle == cycle;
        ASSERT_EQ(dut_->wr_en_o >> l & 1, write) << bits << " bits, cycle " << cycle;
        busy = busy || write;
        if (write) {
          const Plane& plane = due[l].front();
          EXPECT_EQ(get_bits(dut_->wr_addr_o, kAddrWidth * l, kAddrWidth), plane.address);
          EXPECT_EQ(get_bits(dut_->wr_bank_o, kBankWidth * l, kBankWidth), plane.bank);
          EXPECT_EQ(get_bits(dut_->wr_data_o, Build::kPortWidth * l, Build::kPortWidth), plane.data)
              << bits << " bits, cycle " << cycle;
          due[l].pop_front();
        }
        left = left || next[l] != lanes[l].beats.size() || !due[l].empty();
      }
      ASSERT_EQ(dut_->busy_o, busy) << bits << " bits, cycle " << cycle;
      dut_.tick();
    }
    // Tokens that are still under way belong to this run.
    clear();
  }

  void clear() {
    dut_->wr_en_i = 0;
    dut_->filled_i = 0;
    dut_->clear_i = 1;
    dut_.settle();
    dut_.tick();
    dut_->clear_i = 0;
    dut_.settle();
    EXPECT_EQ(dut_->busy_o, 0);
  }

  std::vector<Stream> draw(unsigned bits, unsigned bricks, std::mt19937_64& rng) {
    std::vector<Stream> lanes;
    for (unsigned l = 0; l < Build::kLanes; ++l) {
      lanes.push_back(Stream::draw<Build>(bits, bricks, rng));
    }
    return lanes;
  }

  Clocked<typename Build::Dut> dut_;
};

using Builds = ::testing::Types<Flat, Structural, Flat16, Structural16>;
TYPED_TEST_SUITE(SerialiserTest, Builds);

TYPED_TEST(SerialiserTest, PlanesOfEveryWidthComeOutInOrderAndInTime) {
  std::mt19937_64 rng(1);
  for (unsigned bits = 1; bits <= TypeParam::kMaxBits && !this->HasFailure(); ++bits) {
    for (const unsigned percent : {100u, 60u, 15u}) {
      this->play(bits, this->draw(bits, 12, rng), percent, rng);
    }
  }
}

TYPED_TEST(SerialiserTest, ClearForgetsHalfABrick) {
  std::mt19937_64 rng(2);
  std::vector<Stream> half = this->draw(5, 1, rng);
  for (Stream& lane : half) {
    lane.beats.resize(3);
    lane.planes.clear();
  }
  this->play(5, half, 100, rng);  // ends with clear
  this->play(3, this->draw(3, 4, rng), 100, rng);
}

}  // namespace
}  // namespace bittern::rtl_test
