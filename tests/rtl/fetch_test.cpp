// One fetch group alone, two lanes, against a memory with random back-pressure.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

#include "Vfetch.h"
#include "tests/rtl/axi_memory.h"
#include "tests/rtl/clocked.h"

namespace bittern::rtl_test {
namespace {

constexpr unsigned kLanes = 2;
constexpr unsigned kLhsBanks = 4;
constexpr unsigned kRhsBanks = 2;
constexpr unsigned kBankWidth = 2;
constexpr unsigned kBytes = 8;
constexpr unsigned kBurst = 16;
constexpr unsigned kInFlight = 8;

struct Instruction {
  bool rhs = false, wait_free = false, send_filled = false;
  unsigned base = 0, words = 1;
  std::uint32_t dram = 0, stride = 0;
};

class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    dut_->clear_i = dut_->halt_i = dut_->valid_i = dut_->lhs_free_i = dut_->rhs_free_i = 0;
    dut_->m_rd_rvalid_i = 0;
    dut_.reset();
  }
  static MemoryConfig config() {
    MemoryConfig memory;
    memory.read_ports = kLanes;
    memory.port_bytes = kBytes;
    memory.max_burst_beats = kBurst;
    return memory;
  }
  void offer(const Instruction& in) {
    auto& data = dut_->data_i;
    set_bits(data, 0, 1, in.rhs);
    set_bits(data, 1, 1, in.wait_free);
    set_bits(data, 2, 1, in.send_filled);
    set_bits(data, 3, 16, in.base);
    set_bits(data, 19, 24, in.words);
    set_bits(data, 43, 32, in.dram);
    set_bits(data, 75, 32, in.stride);
  }
  static Instruction draw(std::mt19937& rng) {
    Instruction in;
    in.rhs = rng() % 2;
    in.wait_free = rng() % 3 == 0;
    in.send_filled = rng() % 2;
    in.base = rng() % 1000;
    in.words = 1 + rng() % (rng() % 2 ? 6 : 90);
    in.dram = rng() % 256 * 64;
    in.stride = rng() % 64 * 64;
    return in;
  }
  // Applies the write ports of this cycle to the buffer model.
  void write_buffers() {
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const auto address = get_bits(dut_->wr_addr_o, 16 * lane, 16);
      const auto bank = get_bits(dut_->wr_bank_o, kBankWidth * lane, kBankWidth);
      const auto data = get_bits(dut_->wr_data_o, 64 * lane, 64);
      for (unsigned side = 0; side < 2; ++side) {
        if (get_bits(side ? dut_->wr_rhs_o : dut_->wr_lhs_o, lane, 1)) {
          buffers_[side].at((address * 4 + bank) * kLanes + lane) = data;
        }
      }
    }
  }
  // Compares the words of a finished instruction with memory.
  void check_words(const Instruction& in, const std::vector<std::uint8_t>& memory) {
    const unsigned banks = in.rhs ? kRhsBanks : kLhsBanks;
    for (unsigned w = 0; w < in.words; ++w) {
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        std::uint64_t want = 0;
        for (unsigned b = 0; b < 8; ++b) {
          want |= std::uint64_t{memory[in.dram + lane * in.stride + w * 8 + b]} << (8 * b);
        }
        const std::uint64_t got =
            buffers_[in.rhs][((in.base + w / banks) * 4 + w % banks) * kLanes + lane];
        ASSERT_EQ(got, want) << "word " << w << " lane " << lane;
      }
    }
  }
  std::array<std::vector<std::uint64_t>, 2> buffers_{std::vector<std::uint64_t>(2048 * 4 * kLanes),
                                                     std::vector<std::uint64_t>(2048 * 4 * kLanes)};
  Clocked<Vfetch> dut_;
};

TEST_F(FetchTest, RandomInstructionsFillTheBuffersAndTellWhen) {
  std::mt19937 rng(1);
  for (unsigned stall : {0u, 30u, 70u}) {
    MemoryConfig config = FetchTest::config();
    config.stall_percent = stall;
    AxiMemory memory(config, 1 << 16, 5);
    for (auto& byte : memory.data()) byte = static_cast<std::uint8_t>(rng());
    std::deque<Instruction> flying;  // those without send_filled are checked with the next token
    Instruction next = draw(rng);
    unsigned taken = 0;
    unsigned tokens = 0;
    unsigned ahead = 0;
    for (int cycle = 0; taken < 300 || !flying.empty(); ++cycle) {
      ASSERT_LT(cycle, 300000);
      if (taken == 300) next.send_filled = true;  // never offered
      dut_->valid_i = taken < 300;
      offer(next);
      dut_->lhs_free_i = rng() % 20 == 0;
      dut_->rhs_free_i = rng() % 20 == 0;
      memory.drive_reads(*dut_);
      dut_.settle();
      write_buffers();
      if (dut_->lhs_filled_o || dut_->rhs_filled_o) {
        ++tokens;
        bool rhs = false;
        // Instructions end in order: everything up to the one that sends is in the buffer. Later
        // ones may overwrite it, so only the newest is compared, whose words are the last written.
        while (!flying.empty() && !flying.front().send_filled) flying.pop_front();
        ASSERT_FALSE(flying.empty()) << "a token that no instruction sends";
        rhs = flying.front().rhs;
        check_words(flying.front(), memory.data());
        flying.pop_front();
        ASSERT_EQ(dut_->lhs_filled_o, !rhs);
        ASSERT_EQ(dut_->rhs_filled_o, rhs);
      }
      if (dut_->pop_o) {
        ASSERT_TRUE(!next.wait_free || (next.rhs ? dut_->rhs_free_i : dut_->lhs_free_i));
        ASSERT_EQ(dut_->rhs_take_o, next.wait_free && next.rhs);
        ASSERT_EQ(dut_->lhs_take_o, next.wait_free && !next.rhs);
        if (taken == 299) next.send_filled = true;
        offer(next);
        dut_.settle();
        flying.push_back(next);
        ahead = std::max(ahead, static_cast<unsigned>(flying.size()));
        next = draw(rng);
        // Instructions in flight write to different places, as a program with tokens has it.
        next.base = (taken % (kInFlight + 2)) * 100;
        ++taken;
      }
      memory.sample_reads(*dut_);
      dut_.tick();
    }
    EXPECT_GT(tokens, 100u);
    EXPECT_GT(ahead, 2u);  // requests run ahead of data
    EXPECT_EQ(memory.violation(), "");
    dut_->valid_i = 0;
    for (int i = 0; i < 3; ++i) dut_.tick();
    EXPECT_EQ(dut_->busy_o, 0);
  }
}

TEST_F(FetchTest, OneBeatACycleAcrossBurstsAndInstructions) {
  AxiMemory memory(config(), 1 << 16, 6);
  Instruction in;
  in.words = 32;  // two bursts
  in.send_filled = true;
  unsigned first = 0;
  unsigned last = 0;
  unsigned beats = 0;
  unsigned tokens = 0;
  for (unsigned cycle = 0; tokens < 50; ++cycle) {
    ASSERT_LT(cycle, 3000u);
    dut_->valid_i = 1;
    offer(in);
    memory.drive_reads(*dut_);
    dut_.settle();
    if (dut_->m_rd_rvalid_i == 3) {
      if (beats++ == 0) first = cycle;
      last = cycle;
    }
    tokens += dut_->lhs_filled_o;
    memory.sample_reads(*dut_);
    dut_.tick();
  }
  EXPECT_GE(beats, 50u * 32);
  EXPECT_EQ(last - first + 1, beats);
}

TEST_F(FetchTest, LatenciesAreThoseOfTheHeader) {
  MemoryConfig config = FetchTest::config();
  AxiMemory memory(config, 1 << 16, 6);
  Instruction in;
  in.words = 4;
  in.send_filled = true;
  in.wait_free = true;
  int given = -1;
  int arvalid = -1;
  int last_beat = -1;
  int filled = -1;
  int writes = 0;
  for (int cycle = 0; cycle < 60; ++cycle) {
    dut_->valid_i = given < 0;
    offer(in);
    dut_->lhs_free_i = cycle >= 10;
    memory.drive_reads(*dut_);
    dut_.settle();
    if (dut_->pop_o) given = cycle;
    if (dut_->m_rd_arvalid_o && arvalid < 0) arvalid = cycle;
    if (dut_->wr_lhs_o) {
      ++writes;
      EXPECT_EQ(cycle, last_beat + 1);
    }
    if (dut_->m_rd_rvalid_i) last_beat = cycle;
    if (dut_->lhs_filled_o) filled = cycle;
    memory.sample_reads(*dut_);
    dut_.tick();
  }
  EXPECT_EQ(given, 10);
  EXPECT_EQ(arvalid, given + 2);
  EXPECT_EQ(last_beat, arvalid + static_cast<int>(config.latency) + 3);
  EXPECT_EQ(filled, last_beat + 1);
  EXPECT_EQ(writes, 4);
}

TEST_F(FetchTest, HaltFinishesOpenBurstsAndWritesNothing) {
  AxiMemory memory(config(), 1 << 16, 6);
  Instruction in;
  in.words = 200;
  unsigned writes = 0;
  for (unsigned cycle = 0; cycle < 400; ++cycle) {
    dut_->valid_i = cycle < 5;
    dut_->halt_i = cycle >= 15;
    offer(in);
    memory.drive_reads(*dut_);
    dut_.settle();
    writes += dut_->wr_lhs_o != 0;
    memory.sample_reads(*dut_);
    dut_.tick();
  }
  EXPECT_EQ(writes, 0u);
  EXPECT_TRUE(memory.idle());
  EXPECT_EQ(dut_->busy_o, 0);
}

}  // namespace
}  // namespace bittern::rtl_test
