// The result stage alone against a memory with random back-pressure: tiles of sums over two ports,
// and builds that requantise.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "Vresult.h"
#include "Vresult_8.h"
#include "Vresult_narrow.h"
#include "tests/rtl/axi_memory.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/result_region.h"

namespace bittern::rtl_test {
namespace {

using Tile = std::vector<std::uint32_t>;

struct Instruction {
  unsigned tiles = 1;
  std::uint32_t dram = 0, stride = 0;
  ResultFields fields;
};

/// Parameters of the builds in CMakeLists.txt.
struct Sums {
  using Dut = Vresult;
  static constexpr unsigned kUnits = 16, kPorts = 2, kBytes = 8, kBurst = 8;
  static constexpr int kMinBits = 32;
};
struct Bytes8 {  // a narrow tile is one beat
  using Dut = Vresult_8;
  static constexpr unsigned kUnits = 16, kPorts = 2, kBytes = 8, kBurst = 8;
  static constexpr int kMinBits = 8;
};
struct Narrow {
  using Dut = Vresult_narrow;
  static constexpr unsigned kUnits = 64, kPorts = 1, kBytes = 8, kBurst = 4;
  static constexpr int kMinBits = 2;
};

template <typename Build>
class ResultStageTest : public ::testing::Test {
 protected:
  static constexpr unsigned kUnits = Build::kUnits;
  static constexpr unsigned kPorts = Build::kPorts;
  static constexpr unsigned kBytes = Build::kBytes;
  static constexpr unsigned kBurst = Build::kBurst;
  static constexpr unsigned kBeats = kUnits * 4 / kPorts / kBytes;  // of a tile of sums

  ResultStageTest() {
    dut_->clear_i = dut_->halt_i = dut_->valid_i = dut_->store_i = 0;
    dut_->accumulate_i = dut_->emit_i = 0;
    dut_->m_wr_bvalid_i = 0;
    dut_.reset();
  }
  static MemoryConfig config() {
    MemoryConfig memory;
    memory.write_ports = kPorts;
    memory.port_bytes = kBytes;
    memory.max_burst_beats = kBurst;
    return memory;
  }
  static ResultRegion region(const Instruction& in) {
    return {kUnits, kPorts, kBytes, in.dram, in.stride, in.fields};
  }
  void offer(const Instruction& in) {
    set_bits(dut_->data_i, 0, 24, in.tiles);
    set_bits(dut_->data_i, 24, 32, in.dram);
    set_bits(dut_->data_i, 56, 32, in.stride);
    set_bits(dut_->data_i, 88, 2, in.fields.width());
    set_bits(dut_->data_i, 90, 1, in.fields.is_signed);
    set_bits(dut_->data_i, 91, 5, in.fields.shift);
  }
  /// Sums of all magnitudes, and the corners.
  static Tile draw(std::mt19937& rng) {
    Tile tile(kUnits);
    for (auto& v : tile) {
      v = static_cast<std::uint32_t>(static_cast<std::int32_t>(rng()) >> rng() % 31);
      const std::uint32_t corners[] = {0x80000000u, 0x7fffffffu, 0xffffffffu, 0};
      if (rng() % 8 == 0) v = corners[rng() % 4];
    }
    return tile;
  }
  void store(const Tile& tile, bool accumulate, bool emit) {
    dut_->store_i = 1;
    dut_->accumulate_i = accumulate;
    dut_->emit_i = emit;
    for (unsigned k = 0; k < kUnits; ++k) set_bits(dut_->acc_i, 32 * k, 32, tile[k]);
  }
  Clocked<typename Build::Dut> dut_;
};

using Builds = ::testing::Types<Sums, Bytes8, Narrow>;
TYPED_TEST_SUITE(ResultStageTest, Builds);

TYPED_TEST(ResultStageTest, RandomTilesArriveInOrderUnderBackPressure) {
  constexpr unsigned kUnits = TypeParam::kUnits;
  constexpr unsigned kPorts = TypeParam::kPorts;
  auto& dut_ = this->dut_;
  std::mt19937 rng(1);
  for (unsigned stall : {0u, 25u, 60u}) {
    MemoryConfig config = this->config();
    config.stall_percent = stall;
    config.latency = 1 + rng() % 30;
    config.outstanding = 1 + rng() % 8;
    AxiMemory memory(config, 1 << 18, 7);
    std::deque<Instruction> queue;
    std::vector<std::pair<Instruction, std::vector<Tile>>> expected;
    std::vector<Tile> tiles;
    std::uint32_t place = 0;
    for (int i = 0; i < 60; ++i) {
      Instruction in;
      in.tiles = 1 + rng() % 5;
      in.fields = ResultFields::draw(rng, TypeParam::kMinBits);
      in.dram = place;
      in.stride = (in.tiles * this->region(in).tile_bytes() + 63) / 64 * 64 + rng() % 2 * 64;
      place += kPorts * in.stride;
      queue.push_back(in);
      expected.push_back({in, {}});
      for (unsigned t = 0; t < in.tiles; ++t) {
        tiles.push_back(this->draw(rng));
        expected.back().second.push_back(tiles.back());
      }
    }
    unsigned slots = 0;
    std::size_t next = 0;
    Tile first_part;
    for (int cycle = 0; dut_->busy_o || next < tiles.size() || !queue.empty(); ++cycle) {
      ASSERT_LT(cycle, 200000);
      dut_->valid_i = !queue.empty() && rng() % 2;
      if (!queue.empty()) this->offer(queue.front());
      // A third of the tiles comes in two parts that add up.
      dut_->store_i = dut_->emit_i = 0;
      if (next < tiles.size() && rng() % 5 == 0) {
        if (!first_part.empty()) {
          Tile rest(kUnits);
          for (unsigned k = 0; k < kUnits; ++k) rest[k] = tiles[next][k] - first_part[k];
          this->store(rest, true, true);
          first_part.clear();
          ++next;
        } else if (slots < 2) {
          ++slots;
          if (rng() % 3 == 0) {
            first_part = this->draw(rng);
            this->store(first_part, false, false);
          } else {
            this->store(tiles[next++], false, true);
          }
        }
      }
      memory.drive_writes(*dut_);
      dut_.settle();
      ASSERT_LE(dut_->run_o + dut_->wait_memory_o + dut_->wait_token_o, 1);
      if (dut_->slot_release_o) {
        ASSERT_GT(slots, 0u);
        --slots;
      }
      if (dut_->pop_o) queue.pop_front();
      memory.sample_writes(*dut_);
      dut_.tick();
    }
    dut_->store_i = dut_->valid_i = 0;
    EXPECT_TRUE(memory.idle());
    EXPECT_EQ(memory.violation(), "");
    for (const auto& [in, wanted] : expected) {
      for (unsigned t = 0; t < in.tiles; ++t) {
        for (unsigned k = 0; k < kUnits; ++k) {
          ASSERT_EQ(this->region(in).read(memory.data(), t, k),
                    in.fields.of(static_cast<std::int32_t>(wanted[t][k])))
              << "sum " << wanted[t][k] << " to " << in.fields.bits << " bits, shift "
              << in.fields.shift;
        }
      }
    }
  }
}

using ResultTest = ResultStageTest<Sums>;

TEST_F(ResultTest, WaitingTilesFollowWithoutAGap) {
  AxiMemory memory(config(), 1 << 16, 8);
  std::mt19937 rng(2);
  Instruction in;
  in.tiles = 40;
  in.stride = 0x2000;
  unsigned slots = 0;
  unsigned stored = 0;
  unsigned beats = 0;
  int first = -1;
  int last = -1;
  for (int cycle = 0; cycle < 400; ++cycle) {
    dut_->valid_i = cycle == 0;
    offer(in);
    dut_->store_i = dut_->emit_i = 0;
    if (slots < 2 && stored < in.tiles) {
      store(draw(rng), false, true);
      ++slots;
      ++stored;
    }
    memory.drive_writes(*dut_);
    dut_.settle();
    if (dut_->slot_release_o) --slots;
    if (dut_->m_wr_wvalid_o == 3 && dut_->m_wr_wready_i == 3) {
      if (first < 0) first = cycle;
      last = cycle;
      ++beats;
    }
    memory.sample_writes(*dut_);
    dut_.tick();
  }
  EXPECT_EQ(beats, in.tiles * kBeats);
  EXPECT_EQ(last - first + 1, static_cast<int>(beats));
  EXPECT_EQ(dut_->busy_o, 0);
}

TEST_F(ResultTest, LatenciesAreThoseOfTheHeader) {
  MemoryConfig config = ResultTest::config();
  AxiMemory memory(config, 1 << 16, 8);
  std::mt19937 rng(3);
  int awvalid = -1;
  int wvalid = -1;
  int release = -1;
  int last_beat = -1;
  int idle = -1;
  for (int cycle = 0; cycle < 100; ++cycle) {
    dut_->valid_i = cycle == 0;
    offer({1, 0, 64, {}});
    dut_->store_i = dut_->emit_i = 0;
    if (cycle == 10) store(draw(rng), false, true);
    memory.drive_writes(*dut_);
    dut_.settle();
    if (dut_->m_wr_awvalid_o && awvalid < 0) awvalid = cycle;
    if (dut_->m_wr_wvalid_o && wvalid < 0) wvalid = cycle;
    if (dut_->m_wr_wvalid_o) last_beat = cycle;
    if (dut_->slot_release_o) release = cycle;
    if (cycle > 0 && !dut_->busy_o && idle < 0) idle = cycle;
    memory.sample_writes(*dut_);
    dut_.tick();
  }
  EXPECT_EQ(awvalid, 10 + 3);
  EXPECT_EQ(wvalid, 10 + 4);
  EXPECT_EQ(last_beat, wvalid + static_cast<int>(kBeats) - 1);
  EXPECT_EQ(release, last_beat - 1);
  EXPECT_EQ(idle, last_beat + static_cast<int>(config.latency) + 1);  // after the response
}

TEST_F(ResultTest, HaltFinishesTheBurstThatIsOpen) {
  AxiMemory memory(config(), 1 << 16, 8);
  std::mt19937 rng(4);
  unsigned beats = 0;
  for (int cycle = 0; cycle < 100; ++cycle) {
    dut_->valid_i = cycle == 0;
    offer({10, 0, 0x1000, {}});
    dut_->store_i = dut_->emit_i = 0;
    if (cycle == 5 || cycle == 6) store(draw(rng), false, true);
    dut_->halt_i = cycle >= 8;  // the first tile has its address out
    memory.drive_writes(*dut_);
    dut_.settle();
    beats += (dut_->m_wr_wvalid_o & dut_->m_wr_wready_i) != 0;
    memory.sample_writes(*dut_);
    dut_.tick();
  }
  EXPECT_EQ(beats, kBeats);
  EXPECT_TRUE(memory.idle());
  EXPECT_EQ(memory.violation(), "");
  EXPECT_EQ(dut_->busy_o, 0);
}

}  // namespace
}  // namespace bittern::rtl_test
