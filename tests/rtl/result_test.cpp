// The result stage alone, 4 x 4 tiles over two ports, against a memory with random back-pressure.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "Vresult.h"
#include "tests/rtl/axi_memory.h"
#include "tests/rtl/clocked.h"

namespace bittern::rtl_test {
namespace {

constexpr unsigned kUnits = 16;
constexpr unsigned kPorts = 2;
constexpr unsigned kBytes = 8;
constexpr unsigned kBurst = 8;
constexpr unsigned kTileBytes = kUnits * 4 / kPorts;  // of a port
constexpr unsigned kBeats = kTileBytes / kBytes;

using Tile = std::vector<std::uint32_t>;

struct Instruction {
  unsigned tiles = 1;
  std::uint32_t dram = 0, stride = 0;
};

class ResultTest : public ::testing::Test {
 protected:
  ResultTest() {
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
  void offer(const Instruction& in) {
    set_bits(dut_->data_i, 0, 24, in.tiles);
    set_bits(dut_->data_i, 24, 32, in.dram);
    set_bits(dut_->data_i, 56, 32, in.stride);
  }
  static Tile draw(std::mt19937& rng) {
    Tile tile(kUnits);
    for (auto& v : tile) v = rng();
    return tile;
  }
  void store(const Tile& tile, bool accumulate, bool emit) {
    dut_->store_i = 1;
    dut_->accumulate_i = accumulate;
    dut_->emit_i = emit;
    for (unsigned k = 0; k < kUnits; ++k) set_bits(dut_->acc_i, 32 * k, 32, tile[k]);
  }
  // Word k of a tile in the layout of docs/rtl.md.
  static std::uint32_t load(const std::vector<std::uint8_t>& memory, const Instruction& in,
                            unsigned tile, unsigned k) {
    const unsigned beat = 4 * k / kBytes;
    const std::size_t address = in.dram + beat % kPorts * in.stride + tile * kTileBytes +
                                beat / kPorts * kBytes + 4 * k % kBytes;
    std::uint32_t word = 0;
    for (unsigned b = 0; b < 4; ++b) word |= std::uint32_t{memory[address + b]} << (8 * b);
    return word;
  }
  Clocked<Vresult> dut_;
};

TEST_F(ResultTest, RandomTilesArriveInOrderUnderBackPressure) {
  std::mt19937 rng(1);
  for (unsigned stall : {0u, 25u, 60u}) {
    MemoryConfig config = ResultTest::config();
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
      in.dram = place;
      in.stride = (in.tiles * kTileBytes + 63) / 64 * 64 + rng() % 2 * 64;
      place += kPorts * in.stride;
      queue.push_back(in);
      expected.push_back({in, {}});
      for (unsigned t = 0; t < in.tiles; ++t) {
        tiles.push_back(draw(rng));
        expected.back().second.push_back(tiles.back());
      }
    }
    unsigned slots = 0;
    std::size_t next = 0;
    Tile first_part;
    for (int cycle = 0; dut_->busy_o || next < tiles.size() || !queue.empty(); ++cycle) {
      ASSERT_LT(cycle, 200000);
      dut_->valid_i = !queue.empty() && rng() % 2;
      if (!queue.empty()) offer(queue.front());
      // A third of the tiles comes in two parts that add up.
      dut_->store_i = dut_->emit_i = 0;
      if (next < tiles.size() && rng() % 5 == 0) {
        if (!first_part.empty()) {
          Tile rest(kUnits);
          for (unsigned k = 0; k < kUnits; ++k) rest[k] = tiles[next][k] - first_part[k];
          store(rest, true, true);
          first_part.clear();
          ++next;
        } else if (slots < 2) {
          ++slots;
          if (rng() % 3 == 0) {
            first_part = draw(rng);
            store(first_part, false, false);
          } else {
            store(tiles[next++], false, true);
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
        for (unsigned k = 0; k < kUnits; ++k)
          ASSERT_EQ(load(memory.data(), in, t, k), wanted[t][k]);
      }
    }
  }
}

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
    offer({1, 0, 64});
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
    offer({10, 0, 0x1000});
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
