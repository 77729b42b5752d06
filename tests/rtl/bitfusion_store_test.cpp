// Output buffer and store stage: words in every order against a model, tiles of every length under
// back-pressure, and their timing.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>

#include "Vobuf.h"
#include "Vstore.h"
#include "Vstore_narrow.h"
#include "tests/rtl/axi_memory.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/result_region.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {
namespace {

// Shape of the models in CMakeLists.txt: words of two beats on each of two ports, of sums.
constexpr unsigned kM = 8;
constexpr unsigned kPorts = 2;
constexpr unsigned kBeats = 2;
constexpr unsigned kHalf = 16;
constexpr unsigned kAddrWidth = 4;

using Values = std::vector<std::uint32_t>;

// Bits of port p of a word: the 32-bit value that stands at place i of its slice.
std::uint32_t slice_value(const Values& word, unsigned p, unsigned i) {
  return word[(i / 2 * kPorts + p) * 2 + i % 2];
}

TEST(BitfusionObuf, WordsAreWrittenAddedAndForwarded) {
  Clocked<Vobuf> dut;
  dut.reset();
  std::mt19937 rng(1);
  std::array<std::vector<Values>, 2> halves;
  for (auto& half : halves) half.assign(kHalf, Values(kM));
  unsigned half = 0;
  for (int tile = 0; tile < 200; ++tile) {
    const unsigned words = 1 + rng() % (tile % 2 ? 3 : kHalf);
    const unsigned passes = 1 + rng() % 3;
    for (unsigned pass = 0; pass < passes; ++pass) {
      for (unsigned w = 0; w < words; ++w) {
        while (tile % 3 == 0 && rng() % 3 == 0) {  // a gap
          dut->valid_i = 0;
          dut.tick();
        }
        Values values;
        for (unsigned m = 0; m < kM; ++m) values.push_back(static_cast<std::uint32_t>(rng()));
        const bool add = pass > 0;
        const bool close = pass + 1 == passes && w + 1 == words;
        dut->valid_i = 1;
        dut->tag_i = static_cast<CData>((w == 0 ? 1 : 0) | (add ? 2 : 0) | (close ? 4 : 0));
        for (unsigned m = 0; m < kM; ++m) {
          set_bits(dut->word_i, 32 * m, 32, values[m]);
          std::uint32_t& out = halves[half][w][m];
          out = (add ? out : 0) + values[m];
        }
        dut.settle();
        ASSERT_EQ(dut->emit_o, close);
        ASSERT_EQ(dut->accumulate_o, add);
        dut.tick();
      }
    }
    dut->valid_i = 0;
    dut.tick();
    // Both ports read the closed half, in different order.
    for (unsigned w = 0; w < words; ++w) {
      dut->rd_en_i = 3;
      dut->rd_half_i = half ? 3 : 0;
      const std::array<unsigned, kPorts> address = {w, words - 1 - w};
      for (unsigned p = 0; p < kPorts; ++p) {
        set_bits(dut->rd_addr_i, kAddrWidth * p, kAddrWidth, address[p]);
      }
      dut.settle();
      dut.tick();
      const auto& data = half ? dut->rd_data1_o : dut->rd_data0_o;
      for (unsigned p = 0; p < kPorts; ++p) {
        for (unsigned i = 0; i < kM / kPorts; ++i) {
          ASSERT_EQ(get_bits(data, 32 * (p * kM / kPorts + i), 32),
                    slice_value(halves[half][address[p]], p, i))
              << "tile " << tile << " word " << address[p];
        }
      }
    }
    dut->rd_en_i = 0;
    half ^= 1;
  }
}

struct Sums {
  using Dut = Vstore;
  static constexpr unsigned kM = bittern::rtl_test::kM;
  static constexpr int kMinBits = 32;
};
struct Narrow {  // eight beats a word of sums, one of 4-bit results
  using Dut = Vstore_narrow;
  static constexpr unsigned kM = 32;
  static constexpr int kMinBits = 4;
};

struct Job {
  unsigned tiles, words;
  std::uint32_t base, stride;
  ResultFields fields;
};

// The store stage over an output buffer in C++.
template <typename Build>
class StoreStageTest : public ::testing::Test {
 protected:
  static constexpr unsigned kM = Build::kM;

  // Closes tiles as soon as a half is free; the cycles of what happens.
  struct Log {
    std::vector<std::uint64_t> emits, aw, w, releases;
    std::uint64_t idle = 0;
  };
  Log run(const std::vector<Job>& jobs, MemoryConfig config, std::uint32_t seed,
          bool slow_array = false) {
    dut_.reset();
    config.write_ports = kPorts;
    config.port_bytes = 8;
    config.max_burst_beats = 8;
    AxiMemory memory(config, 1 << 16, seed);
    std::mt19937 rng(seed);
    std::vector<std::uint8_t> expected(1 << 16);
    std::deque<Job> queue(jobs.begin(), jobs.end());
    unsigned tiles = 0;
    for (const Job& job : jobs) tiles += job.tiles;
    std::array<std::vector<Values>, 2> halves;
    for (auto& half : halves) half.assign(kHalf, Values(kM));
    unsigned used = 0;
    unsigned half = 0;
    std::size_t job = 0;
    unsigned of_job = 0;
    std::array<unsigned, kPorts> read_address{};
    Log log;
    for (std::uint64_t cycle = 0; cycle < 100000; ++cycle) {
      dut_->valid_i = !queue.empty();
      if (!queue.empty()) {
        const Job& head = queue.front();
        set_bits(dut_->data_i, 0, 24, head.tiles);
        set_bits(dut_->data_i, 24, 16, head.words);
        set_bits(dut_->data_i, 40, 32, head.base);
        set_bits(dut_->data_i, 72, 32, head.stride);
        set_bits(dut_->data_i, 104, 2, head.fields.width());
        set_bits(dut_->data_i, 106, 1, head.fields.is_signed);
        set_bits(dut_->data_i, 107, 5, head.fields.shift);
      }
      const bool emit = tiles > 0 && used < 2 && (!slow_array || rng() % 8 == 0);
      dut_->emit_i = emit;
      if (emit) {
        for (Values& word : halves[half]) {
          for (std::uint32_t& value : word) {
            value = static_cast<std::uint32_t>(static_cast<std::int32_t>(rng()) >> rng() % 31);
          }
        }
        const Job& of = jobs[job];
        for (unsigned w = 0; w < of.words; ++w) {
          for (unsigned p = 0; p < kPorts; ++p) {
            for (unsigned i = 0; i < kM / kPorts; ++i) {
              const auto sum = static_cast<std::int32_t>(slice_value(halves[half][w], p, i));
              const auto value = static_cast<std::uint32_t>(of.fields.of(sum));
              const unsigned bits = of.fields.bits;
              const std::size_t at = 8 * (of.base + p * of.stride) +
                                     ((of_job * of.words + w) * kM / kPorts + i) * bits;
              for (unsigned b = 0; b < bits; ++b) {
                expected.at((at + b) / 8) |=
                    static_cast<std::uint8_t>((value >> b & 1) << ((at + b) % 8));
              }
            }
          }
        }
        if (++of_job == of.tiles) {
          of_job = 0;
          ++job;
        }
        half ^= 1;
        ++used;
        --tiles;
        log.emits.push_back(cycle);
      }
      memory.drive_writes(*dut_);
      dut_.settle();
      const bool popped = dut_->pop_o;
      if (popped) queue.pop_front();
      if (dut_->half_release_o) {
        EXPECT_GT(used, 0u);
        --used;
        log.releases.push_back(cycle);
      }
      if (get_bits(dut_->m_wr_awvalid_o, 0, 1)) log.aw.push_back(cycle);
      if (get_bits(dut_->m_wr_wvalid_o, 0, 1)) log.w.push_back(cycle);
      memory.sample_writes(*dut_);
      // The memories of the output buffer: the data are there after the edge.
      const auto enable = dut_->rd_en_o;
      const auto halves_read = dut_->rd_half_o;
      for (unsigned p = 0; p < kPorts; ++p) {
        read_address[p] =
            static_cast<unsigned>(get_bits(dut_->rd_addr_o, kAddrWidth * p, kAddrWidth));
      }
      const bool done = queue.empty() && !popped && tiles == 0 && !dut_->busy_o;
      dut_.tick();
      for (unsigned p = 0; p < kPorts; ++p) {
        if (!get_bits(enable, p, 1)) continue;
        const bool upper = get_bits(halves_read, p, 1) != 0;
        auto& data = upper ? dut_->rd_data1_i : dut_->rd_data0_i;
        for (unsigned i = 0; i < kM / kPorts; ++i) {
          set_bits(data, 32 * (p * kM / kPorts + i), 32,
                   slice_value(halves[upper][read_address[p]], p, i));
        }
      }
      if (done) {
        log.idle = cycle;
        EXPECT_EQ(memory.violation(), "");
        EXPECT_TRUE(memory.data() == expected) << "seed " << seed;
        EXPECT_TRUE(memory.idle());
        return log;
      }
    }
    ADD_FAILURE() << "the store stage did not end";
    return log;
  }

  Clocked<typename Build::Dut> dut_;
};

using Builds = ::testing::Types<Sums, Narrow>;
TYPED_TEST_SUITE(StoreStageTest, Builds);

TYPED_TEST(StoreStageTest, RandomTilesUnderBackPressureArriveInMemory) {
  std::mt19937 rng(3);
  for (std::uint32_t i = 0; i < 60 && !this->HasFailure(); ++i) {
    std::vector<Job> jobs;
    std::uint32_t base = 0;
    for (unsigned j = 0; j < 4; ++j) {
      const unsigned tiles = 1 + rng() % 5;
      const unsigned words = 1 + rng() % kHalf;
      const ResultFields fields = ResultFields::draw(rng, TypeParam::kMinBits);
      const std::uint32_t stride =
          (tiles * words * TypeParam::kM * fields.bits / 8 / kPorts + 63) / 64 * 64 +
          64 * (rng() % 2);
      jobs.push_back({tiles, words, base, stride, fields});
      base += 2 * stride;
    }
    MemoryConfig memory;
    memory.stall_percent = i % 3 * 40;
    memory.latency = 1 + rng() % 30;
    memory.outstanding = 1 + rng() % 8;
    this->run(jobs, memory, i, i % 2 != 0);
  }
}

using StoreTest = StoreStageTest<Sums>;

TEST_F(StoreTest, LatenciesAreThoseOfTheHeader) {
  const Log log = run({{1, 3, 0, 1024, {}}}, {}, 1);
  // The STORE is loaded in cycle 0, the tile closed in cycle 0 and taken in 1.
  ASSERT_EQ(log.emits, std::vector<std::uint64_t>{0});
  EXPECT_EQ(log.aw, std::vector<std::uint64_t>{3});
  EXPECT_EQ(log.w, (std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(log.releases, std::vector<std::uint64_t>{9});
}

TEST_F(StoreTest, TilesFollowWithoutAGap) {
  const Log log = run({{6, 4, 0, 4096, {}}, {6, 4, 8192, 4096, {}}}, {}, 1);
  EXPECT_EQ(log.w.size(), 12u * 4 * kBeats);
  EXPECT_EQ(log.w.back() - log.w.front() + 1, log.w.size());
}

}  // namespace
}  // namespace bittern::rtl_test
