// Small shared blocks: queue, token counter, memory, burst cutter.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "Vbuffer_flat.h"
#include "Vbuffer_struct.h"
#include "Vburst.h"
#include "Vfifo.h"
#include "Vram_flat.h"
#include "Vram_struct.h"
#include "Vtoken.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

TEST(FifoTest, RandomTrafficKeepsOrderAndFlags) {
  constexpr std::size_t kDepth = 8;
  std::mt19937_64 rng(1);
  Clocked<Vfifo> dut;
  dut->clear_i = dut->push_i = dut->pop_i = 0;
  dut.reset();
  std::deque<std::uint64_t> model;
  unsigned full = 0;
  unsigned empty = 0;
  for (int i = 0; i < 20000; ++i) {
    const unsigned bias = i / 500 % 2 ? 80 : 30;  // fills up, drains
    const std::uint64_t data = rng() & 0x1ffffffffull;
    dut->push_i = rng() % 100 < bias;
    dut->pop_i = rng() % 100 < 100 - bias;
    dut->clear_i = rng() % 200 == 0;
    dut->data_i = data;
    dut.settle();
    ASSERT_EQ(dut->ready_o, model.size() < kDepth);
    ASSERT_EQ(dut->valid_o, !model.empty());
    if (!model.empty()) ASSERT_EQ(dut->data_o, model.front());
    full += model.size() == kDepth;
    empty += model.empty();
    const bool push = dut->push_i && model.size() < kDepth;
    const bool pop = dut->pop_i && !model.empty();
    if (push) model.push_back(data);
    if (pop) model.pop_front();
    if (dut->clear_i) model.clear();
    dut.tick();
  }
  EXPECT_GT(full, 100u);
  EXPECT_GT(empty, 100u);
}

TEST(TokenTest, CountsUpDownAndStaysAtItsLimit) {
  constexpr int kMax = 7;
  std::mt19937 rng(2);
  Clocked<Vtoken> dut;
  dut->clear_i = dut->give_i = dut->take_i = 0;
  dut.reset();
  int model = 0;
  int saturated = 0;
  for (int i = 0; i < 20000; ++i) {
    const unsigned bias = i / 300 % 2 ? 70 : 30;
    dut->give_i = rng() % 100 < bias;
    dut->take_i = model > 0 && rng() % 100 < 100 - bias;
    dut->clear_i = rng() % 500 == 0;
    dut.settle();
    ASSERT_EQ(dut->avail_o, model > 0) << "cycle " << i;
    const int next = model + dut->give_i - dut->take_i;
    saturated += next > kMax;
    model = dut->clear_i ? 0 : std::min(next, kMax);
    dut.tick();
  }
  EXPECT_GT(saturated, 10);
}

template <typename Dut>
void check_ram() {
  std::mt19937 rng(3);
  Clocked<Dut> dut;
  constexpr unsigned kGroups = 4;
  std::vector<std::uint64_t> model(16 * kGroups);
  std::vector<std::uint64_t> out(kGroups);
  for (unsigned i = 0; i < 5000; ++i) {
    // Every word is written once before it is read, so that nothing depends on power-up contents.
    const bool filling = i < model.size();
    dut->wr_en_i = filling || rng() % 2;
    dut->wr_addr_i = filling ? i / kGroups : rng() % 16;
    dut->wr_group_i = filling ? i % kGroups : rng() % kGroups;
    dut->wr_data_i = rng();
    dut->rd_en_i = !filling && rng() % 3 != 0;
    dut->rd_addr_i = rng() % 16;
    dut.settle();
    if (dut->rd_en_i) {
      for (unsigned g = 0; g < kGroups; ++g) out[g] = model[dut->rd_addr_i * kGroups + g];
    }
    if (dut->wr_en_i) model[dut->wr_addr_i * kGroups + dut->wr_group_i] = dut->wr_data_i;
    dut.tick();
    if (filling) continue;
    for (unsigned g = 0; g < kGroups; ++g) {
      if (i > model.size() + 20)
        ASSERT_EQ(get_bits(dut->rd_data_o, 32 * g, 32), out[g]) << "cycle " << i;
    }
  }
}

TEST(RamTest, FlatFormReadsWhatWasWritten) { check_ram<Vram_flat>(); }
TEST(RamTest, StructuralFormReadsWhatWasWritten) { check_ram<Vram_struct>(); }

// Lanes are written at once, each at its own place, while words are read.
template <typename Dut>
void check_buffer() {
  std::mt19937 rng(4);
  Clocked<Dut> dut;
  constexpr unsigned kBanks = 4;
  constexpr unsigned kLanes = 2;
  constexpr unsigned kDepth = 16;
  // [lane][row][bank]
  std::uint32_t model[kLanes][kDepth][kBanks] = {};
  std::vector<std::uint32_t> out(kLanes * kBanks);
  bool read = false;
  for (unsigned i = 0; i < 5000; ++i) {
    // Every word is written once before it is read.
    const bool filling = i < kDepth * kBanks;
    dut->wr_en_i = filling ? 3 : rng() % 4;
    dut->wr_addr_i = 0;
    dut->wr_bank_i = 0;
    dut->wr_data_i = 0;
    dut->rd_en_i = !filling && rng() % 3 != 0;
    dut->rd_addr_i = rng() % kDepth;
    if (dut->rd_en_i) {
      read = true;
      for (unsigned k = 0; k < out.size(); ++k) {
        out[k] = model[k / kBanks][dut->rd_addr_i][k % kBanks];
      }
    }
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const unsigned row = filling ? i / kBanks : rng() % kDepth;
      const unsigned bank = filling ? i % kBanks : rng() % kBanks;
      const std::uint32_t value = rng();
      dut->wr_addr_i |= row << (16 * lane);
      dut->wr_bank_i |= bank << (3 * lane);
      dut->wr_data_i |= static_cast<std::uint64_t>(value) << (32 * lane);
      if ((dut->wr_en_i >> lane) & 1) model[lane][row][bank] = value;
    }
    dut.tick();
    for (unsigned k = 0; read && k < out.size(); ++k) {
      ASSERT_EQ(get_bits(dut->rd_data_o, 32 * k, 32), out[k]) << "cycle " << i;
    }
  }
}

TEST(BufferTest, FlatFormReadsWhatWasWritten) { check_buffer<Vbuffer_flat>(); }
TEST(BufferTest, StructuralFormReadsWhatWasWritten) { check_buffer<Vbuffer_struct>(); }

class BurstTest : public ::testing::Test {
 protected:
  static constexpr unsigned kMaxBeats = 16;
  static constexpr unsigned kBeatBytes = 8;
  static constexpr unsigned kOutstanding = 4;
  struct Burst {
    std::uint32_t address;
    unsigned beats;
  };

  BurstTest() {
    dut_->clear_i = dut_->stop_i = dut_->job_valid_i = dut_->ready_i = dut_->done_i = 0;
    dut_.reset();
  }
  // What a run of beats must be cut into.
  static void cut(std::uint32_t address, unsigned beats, std::deque<Burst>& out) {
    while (beats > 0) {
      const unsigned room = kMaxBeats - address / kBeatBytes % kMaxBeats;
      const unsigned n = std::min(room, beats);
      out.push_back({address, n});
      address += n * kBeatBytes;
      beats -= n;
    }
  }
  Clocked<Vburst> dut_;
};

TEST_F(BurstTest, RandomJobsAreCutAtBoundariesWithinTheOutstandingLimit) {
  std::mt19937 rng(4);
  std::deque<Burst> expected;
  unsigned open = 0;      // loaded and not done
  unsigned accepted = 0;  // on the channel and not done
  unsigned at_limit = 0;
  unsigned seen = 0;
  for (int i = 0; i < 30000; ++i) {
    dut_->job_valid_i = rng() % 2;
    dut_->job_addr_i = (rng() % 4096) * 8;
    dut_->job_beats_i = 1 + rng() % (rng() % 2 ? 8 : 100);
    dut_->ready_i = rng() % 3 != 0;
    dut_->done_i = accepted > 0 && rng() % (i / 1000 % 2 ? 2 : 12) == 0;
    dut_.settle();
    if (dut_->job_valid_i && dut_->job_ready_o) cut(dut_->job_addr_i, dut_->job_beats_i, expected);
    if (dut_->valid_o && dut_->ready_i) {
      ASSERT_FALSE(expected.empty());
      ASSERT_EQ(dut_->addr_o, expected.front().address) << "cycle " << i;
      ASSERT_EQ(dut_->len_o + 1u, expected.front().beats) << "cycle " << i;
      expected.pop_front();
      ++accepted;
      ++seen;
    }
    ASSERT_EQ(dut_->outstanding_o, open > 0);
    open += dut_->burst_o;
    open -= dut_->done_i;
    accepted -= dut_->done_i;
    ASSERT_LE(open, kOutstanding);
    at_limit += open == kOutstanding;
    dut_.tick();
  }
  EXPECT_GT(seen, 1000u);
  EXPECT_GT(at_limit, 100u);
}

TEST_F(BurstTest, OneBurstACycleAcrossJobs) {
  dut_->ready_i = 1;
  dut_->job_valid_i = 1;
  dut_->job_addr_i = 0;
  dut_->job_beats_i = 2 * kMaxBeats;
  unsigned bursts = 0;
  for (int cycle = 0; cycle < 102; ++cycle) {
    dut_->done_i = cycle >= 2;  // each is done in the cycle in which it is accepted
    dut_.settle();
    EXPECT_EQ(dut_->valid_o, cycle >= 2) << "cycle " << cycle;  // job, load, valid
    bursts += dut_->valid_o;
    dut_.tick();
  }
  EXPECT_EQ(bursts, 100u);
}

TEST_F(BurstTest, StopKeepsAValidRequestAndStartsNoOther) {
  dut_->job_valid_i = 1;
  dut_->job_addr_i = 64;
  dut_->job_beats_i = 100;
  dut_.tick();
  dut_->job_valid_i = 0;
  dut_.tick();
  dut_->stop_i = 1;
  for (int i = 0; i < 5; ++i) {
    dut_.settle();
    EXPECT_EQ(dut_->valid_o, 1);
    EXPECT_EQ(dut_->addr_o, 64u);
    dut_.tick();
  }
  dut_->ready_i = 1;
  dut_.tick();
  for (int i = 0; i < 5; ++i) {
    dut_.settle();
    EXPECT_EQ(dut_->valid_o, 0);
    EXPECT_EQ(dut_->outstanding_o, 1);
    dut_.tick();
  }
  dut_->done_i = 1;
  dut_.tick();
  dut_->done_i = 0;
  dut_.settle();
  EXPECT_EQ(dut_->outstanding_o, 0);
  EXPECT_EQ(dut_->active_o, 0);
}

}  // namespace
}  // namespace bittern::rtl_test
