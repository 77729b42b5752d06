// Timing of the memory ports against the sentences in port_memory.h, with random bursts and stalls.
#include "sim/port_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <vector>

#include "host/base/error.h"

namespace bittern::sim {
namespace {

// Bit numbers of sim_memory_pkg.sv.
constexpr std::uint32_t kReady = 1, kValid = 2, kLast = 4, kBvalid = 4, kError = 16, kActive = 32,
                        kNew = 64;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

struct Case {
  MemoryTiming timing;
  std::uint32_t beat_bytes;
};

// The cycle from which the rate allows the next beat, from the cycles in which beats went: in a run
// of beats, each of which went in the first cycle allowed, beat i after the first is allowed from
// ceil(i * beat / rate) cycles behind it on.
class Allowed {
 public:
  explicit Allowed(const Case& c)
      : beat_(c.beat_bytes), rate_(std::min(c.beat_bytes, c.timing.bytes_per_cycle)) {}
  std::uint64_t from() const {
    return beats_ == 0 ? 0 : first_ + (beats_ * beat_ + rate_ - 1) / rate_;
  }
  void went(std::uint64_t cycle) {
    if (beats_ == 0 || cycle != from()) {
      first_ = cycle;
      beats_ = 0;
    }
    ++beats_;
  }

 private:
  std::uint64_t beat_;
  std::uint64_t rate_;
  std::uint64_t first_ = 0;
  std::uint64_t beats_ = 0;
};

Case random_case(Random& random) {
  Case c;
  c.timing.size_bytes = 1 << 16;
  c.timing.latency = 1 + random.below(20);
  c.beat_bytes = random.below(2) ? 32 : 8;
  // Whole numbers of cycles a beat, more than a beat a cycle, and fractions.
  const std::uint32_t kind = random.below(3);
  c.timing.bytes_per_cycle = kind == 0   ? c.beat_bytes >> random.below(3)
                             : kind == 1 ? 1 + random.below(c.beat_bytes)
                                         : 1 + random.below(2 * c.beat_bytes);
  c.timing.outstanding = 1 + random.below(5);
  return c;
}

void fill(Storage& storage) {
  for (std::uint64_t i = 0; i < storage.size(); ++i) {
    storage.data()[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  }
}

TEST(ReadPort, FollowsItsTimingRulesForRandomBurstsAndStalls) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const Case c = random_case(random);
    Allowed allowed(c);
    Storage storage(c.timing.size_bytes);
    fill(storage);
    ReadPort port(storage, c.timing, c.beat_bytes);
    const std::uint32_t request_rate = 1 + random.below(8);
    const std::uint32_t stall_rate = 1 + random.below(4);

    // What the port shows in this cycle, and what the rules say about the next beat.
    bool arready = true, rvalid = false, rlast = false, active = false;
    std::vector<std::uint8_t> data(c.beat_bytes);
    struct Beat {
      std::uint64_t not_before;  // t + L for the first beat of a burst, else 0
      std::uint64_t address;
      bool last;
    };
    std::deque<Beat> beats;  // beats.front() is the one that is valid or comes next
    std::uint64_t became_valid = 0, transferred = 0;
    bool any = false;
    std::uint32_t in_flight = 0;
    for (std::uint64_t cycle = 0; cycle < 3000; ++cycle) {
      // Expected outputs of this cycle.
      bool expect_valid = false;
      if (!beats.empty()) {
        std::uint64_t from = beats.front().not_before;
        if (any) {
          from = std::max({from, allowed.from(), transferred + 1});
        }
        expect_valid = cycle >= from;
        if (expect_valid && cycle == from) {
          became_valid = cycle;
        }
      }
      ASSERT_EQ(rvalid, expect_valid) << "seed " << seed << " cycle " << cycle;
      ASSERT_EQ(arready, in_flight < c.timing.outstanding) << "seed " << seed << " cycle " << cycle;
      const bool arvalid = random.below(request_rate) == 0;
      const bool rready = random.below(stall_rate) == 0;
      const std::uint32_t length = random.below(8);
      const std::uint32_t address = random.below(200) * c.beat_bytes;
      const std::uint32_t flags = (arvalid && arready ? 1 : 0) | (rvalid && rready ? 2 : 0);
      if (flags & 2) {
        ASSERT_EQ(rlast, beats.front().last);
        ASSERT_EQ(std::memcmp(data.data(), storage.data() + beats.front().address, c.beat_bytes),
                  0);
        any = true;
        allowed.went(became_valid);
        transferred = cycle;
        in_flight -= beats.front().last ? 1 : 0;
        beats.pop_front();
      }
      if (flags & 1) {
        for (std::uint32_t b = 0; b <= length; ++b) {
          beats.push_back(
              {b == 0 ? cycle + c.timing.latency : 0, address + b * c.beat_bytes, b == length});
        }
        ++in_flight;
      }
      if (active || arvalid) {  // as sim_axi_read_port.sv does
        const std::uint32_t status = port.tick(flags, address, length, data.data());
        arready = status & kReady;
        rvalid = status & kValid;
        rlast = status & kLast;
        active = status & kActive;
      }
    }
  }
}

TEST(ReadPort, SixBytesACycleGiveThreeBeatsOfEightInFourCycles) {
  MemoryTiming timing;
  timing.size_bytes = 4096;
  timing.latency = 5;
  timing.bytes_per_cycle = 6;
  Storage storage(timing.size_bytes);
  ReadPort port(storage, timing, 8);
  std::uint64_t data = 0;
  std::vector<int> cycles;
  std::uint32_t status = port.tick(1, 0, 8, &data);  // address accepted in cycle 0
  for (int cycle = 1; cycle <= 20; ++cycle) {
    if (status & kValid) cycles.push_back(cycle);
    status = port.tick(status & kValid ? 2 : 0, 0, 0, &data);
  }
  EXPECT_EQ(cycles, (std::vector<int>{5, 7, 8, 9, 11, 12, 13, 15, 16}));
}

TEST(WritePort, FollowsItsTimingRulesForRandomBurstsAndStalls) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed + 1000);
    const Case c = random_case(random);
    Allowed allowed(c);
    Storage storage(c.timing.size_bytes);
    std::vector<std::uint8_t> expected(c.timing.size_bytes);
    WritePort port(storage, c.timing, c.beat_bytes);
    const std::uint32_t request_rate = 1 + random.below(8);
    const std::uint32_t stall_rate = 1 + random.below(4);

    bool awready = true, wready = false, bvalid = false, active = false;
    struct Burst {
      std::uint64_t address;
      std::uint32_t beats;
      std::uint64_t accepted;
    };
    std::deque<Burst> bursts;             // data not complete
    std::deque<std::uint64_t> responses;  // earliest cycle of each
    std::uint64_t last_response = 0;
    bool any_response = false;
    std::uint32_t in_flight = 0;
    for (std::uint64_t cycle = 0; cycle < 3000; ++cycle) {
      const bool expect_wready =
          !bursts.empty() && cycle > bursts.front().accepted && cycle >= allowed.from();
      ASSERT_EQ(wready, expect_wready) << "seed " << seed << " cycle " << cycle;
      ASSERT_EQ(awready, in_flight < c.timing.outstanding) << "seed " << seed << " cycle " << cycle;
      const bool expect_bvalid = !responses.empty() && cycle >= responses.front() &&
                                 (!any_response || cycle > last_response);
      ASSERT_EQ(bvalid, expect_bvalid) << "seed " << seed << " cycle " << cycle;

      const bool awvalid = random.below(request_rate) == 0;
      const bool wvalid = random.below(stall_rate) == 0;
      const bool bready = random.below(2) == 0;
      const std::uint32_t length = random.below(8);
      const std::uint32_t address = random.below(200) * c.beat_bytes;
      const std::uint32_t strobes = random.below(2)
                                        ? 0xffffffffu >> (32 - c.beat_bytes)
                                        : random.below(1u << (c.beat_bytes % 32 ? 8 : 30));
      std::vector<std::uint8_t> data(c.beat_bytes);
      for (std::uint8_t& byte : data) {
        byte = static_cast<std::uint8_t>(random.below(256));
      }
      const std::uint32_t flags =
          (awvalid && awready ? 1 : 0) | (wvalid && wready ? 2 : 0) | (bvalid && bready ? 4 : 0);
      if (flags & 2) {
        Burst& burst = bursts.front();
        for (std::uint32_t i = 0; i < c.beat_bytes; ++i) {
          if ((strobes >> i) & 1) {
            expected[burst.address + i] = data[i];
          }
        }
        burst.address += c.beat_bytes;
        allowed.went(cycle);
        if (--burst.beats == 0) {
          responses.push_back(cycle + c.timing.latency);
          bursts.pop_front();
        }
      }
      if (flags & 4) {
        any_response = true;
        last_response = cycle;
        responses.pop_front();
        --in_flight;
      }
      if (flags & 1) {
        bursts.push_back({address, length + 1, cycle});
        ++in_flight;
      }
      if (active || awvalid) {
        const std::uint32_t status = port.tick(flags, address, length, data.data(), strobes);
        awready = status & kReady;
        wready = status & kValid;
        bvalid = status & kBvalid;
        active = status & kActive;
      }
    }
    EXPECT_EQ(std::memcmp(storage.data(), expected.data(), expected.size()), 0) << "seed " << seed;
  }
}

TEST(ReadPort, BeatsBeyondTheMemoryAnswerWithErrorsAndZero) {
  MemoryTiming timing;
  timing.size_bytes = 64;
  timing.latency = 1;
  Storage storage(64);
  std::memset(storage.data(), 0xff, 64);
  ReadPort port(storage, timing, 8);
  std::uint64_t data = 1;
  EXPECT_EQ(port.tick(1, 56, 1, &data) & (kValid | kError | kNew), kValid | kNew);
  EXPECT_EQ(data, ~std::uint64_t{0});
  EXPECT_EQ(port.tick(2, 0, 0, &data) & (kValid | kError | kLast), kValid | kError | kLast);
  EXPECT_EQ(data, 0);
}

TEST(WritePort, OneBeatBeyondTheMemoryMakesTheResponseAnError) {
  MemoryTiming timing;
  timing.size_bytes = 64;
  timing.latency = 1;
  Storage storage(64);
  WritePort port(storage, timing, 8);
  const std::uint64_t data = 0x0102030405060708;
  port.tick(1, 56, 1, &data, 0xff);
  port.tick(2, 0, 0, &data, 0xff);
  EXPECT_EQ(port.tick(2, 0, 0, &data, 0xff) & (kBvalid | kError), kBvalid | kError);
  EXPECT_EQ(std::memcmp(storage.data() + 56, &data, 8), 0);
}

TEST(PortMemory, RefusesTimingThatMakesNoSense) {
  MemoryTiming good;
  good.size_bytes = 4096;
  EXPECT_NO_THROW(PortMemory(good, 1, 1, 8));
  for (int i = 0; i < 6; ++i) {
    MemoryTiming bad = good;
    if (i == 0) bad.size_bytes = 0;
    if (i == 1) bad.size_bytes = (std::uint64_t{1} << 32) + 1;
    if (i == 2) bad.latency = 0;
    if (i == 3) bad.bytes_per_cycle = 0;
    if (i == 4) bad.outstanding = 0;
    if (i == 5) bad.outstanding = 65;
    EXPECT_THROW(PortMemory(bad, 1, 1, 8), Error) << i;
  }
}

}  // namespace
}  // namespace bittern::sim
