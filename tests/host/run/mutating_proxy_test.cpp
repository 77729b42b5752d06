// A line that garbles what a device answers: every run ends with an error or with the right
// measurement, and nothing else gets into a store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "host/base/random.h"
#include "host/cores/cores.h"
#include "host/protocol/frame.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using testing::fake_options;
using testing::FakeBismo;
using testing::FakeDevice;
using testing::small_network;
using testing::tiny_variant;

constexpr milliseconds kPatience{5000};

/// Stands between a client and a device, one client after another. Requests pass as they are; of
/// the answers some are altered.
class MutatingProxy {
 public:
  MutatingProxy(const Endpoint& device, const std::filesystem::path& socket, std::uint64_t seed)
      : device_(device),
        endpoint_{Endpoint::Kind::kUnix, socket.string(), "", 0},
        listener_(endpoint_),
        rng_(seed),
        thread_([this] { loop(); }) {}
  ~MutatingProxy() {
    stop_ = true;
    try {
      Connection::connect(endpoint_, kPatience);
    } catch (const Error&) {
      // The thread sees stop_ at its next client.
    }
    thread_.join();
  }
  const Endpoint& endpoint() const { return endpoint_; }
  int altered() const { return altered_; }

 private:
  void loop() {
    while (true) {
      Connection client = listener_.accept();
      if (stop_) return;
      try {
        Connection device = Connection::connect(device_, kPatience);
        while (pass_request(client, device) && pass_answer(device, client)) {
        }
      } catch (const Error&) {
        // One of the two has left.
      }
    }
  }

  struct Frame {
    FrameHeader header;
    std::vector<std::uint8_t> payload;
  };

  static bool receive(Connection& from, Frame& frame) {
    std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
    if (!from.receive(bytes, kPatience)) return false;
    frame.header = FrameHeader::decode(bytes);
    frame.payload.resize(frame.header.payload_length);
    return frame.payload.empty() || from.receive(MutableBytes(frame.payload), kPatience);
  }

  static bool pass_request(Connection& client, Connection& device) {
    Frame frame;
    if (!receive(client, frame)) return false;
    device.send(frame.header.encode(), frame.payload, kPatience);
    return true;
  }

  bool pass_answer(Connection& device, Connection& client) {
    Frame frame;
    do {
      if (!receive(device, frame)) return false;
      auto head = frame.header.encode();
      // A run has some ten answers: about half of all runs are garbled.
      if (rng_.integer(0, 15) == 0) alter(head, frame.payload);
      client.send(head, frame.payload, kPatience);
    } while (frame.header.type == MessageType::kProgress);
    return true;
  }

  void alter(std::array<std::uint8_t, kFrameHeaderBytes>& head,
             std::vector<std::uint8_t>& payload) {
    ++altered_;
    const auto any = [this](std::size_t size) {
      return static_cast<std::size_t>(rng_.integer(0, static_cast<std::int64_t>(size) - 1));
    };
    const std::int64_t kind = rng_.integer(0, 9);
    if (kind == 0 || payload.empty()) {
      head[any(head.size() - 4)] ^= static_cast<std::uint8_t>(1 << rng_.integer(0, 7));
    } else if (kind <= 3) {
      payload[any(payload.size())] ^= static_cast<std::uint8_t>(1 << rng_.integer(0, 7));
    } else if (kind <= 6 && payload.size() >= 8) {
      // A field of 64 bits: of a run's answer (behind the status and the list's head) mostly a
      // count.
      std::size_t at = any(payload.size() - 7);
      if (rng_.integer(0, 1) == 1) at = at < 21 ? 1 : 21 + (at - 21) / 8 * 8;
      std::uint64_t value = 0;
      at = std::min(at, payload.size() - 8);
      std::memcpy(&value, payload.data() + at, 8);
      const std::uint64_t others[] = {0, 1, ~std::uint64_t{0}, value + 1, value - 1, 2 * value};
      value = others[any(6)];
      std::memcpy(payload.data() + at, &value, 8);
    } else {
      for (std::size_t i = any(payload.size()), n = 0; i < payload.size() && n < 16; ++i, ++n) {
        payload[i] = static_cast<std::uint8_t>(rng_.integer(0, 255));
      }
    }
  }

  const Endpoint device_;
  const Endpoint endpoint_;
  Listener listener_;
  Rng rng_;
  std::atomic<bool> stop_{false};
  std::atomic<int> altered_{0};
  std::thread thread_;
};

/// Whether two measurements are the same but for where they were made.
bool same(const Measurement& a, const Measurement& b) {
  return a.key == b.key && a.cycles == b.cycles && a.events == b.events &&
         a.bytes_read == b.bytes_read && a.bytes_written == b.bytes_written &&
         a.origin == b.origin && a.schedule == b.schedule && a.checked == b.checked;
}

TEST(MutatingProxy, NeverGetsAWrongMeasurementIntoAStore) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "device");
  const auto core = make_core(tiny_variant());
  std::vector<LayerJob> jobs;
  for (const std::size_t i : {0, 2}) {
    jobs.push_back(network_job(*core, tiny_variant(), small_network().layers[i], {2, 3}));
  }
  std::map<std::string, Measurement> truth;
  MeasurerOptions options = fake_options(folder, {&device});
  options.store = folder / "truth.db";
  for (const Measurement& m : Measurer(tiny_variant(), options).measure(jobs)) truth[m.key] = m;

  options.store = folder / "store.db";
  options.device.client.answer_timeout = options.device.client.run_silence = milliseconds(100);
  int errors = 0;
  int right = 0;
  int altered = 0;
  for (std::uint64_t round = 0; round < 300; ++round) {
    MutatingProxy proxy(device.served.endpoint(), folder / "proxy", round);
    options.endpoints = {proxy.endpoint()};
    std::filesystem::remove(options.store);
    try {
      Measurer measurer(tiny_variant(), options);
      for (const Measurement& m : measurer.measure(jobs)) {
        ASSERT_TRUE(same(m, truth.at(m.key))) << "round " << round;
      }
      ++right;
    } catch (const Error&) {
      ++errors;
    }
    for (const StoredMeasurement& row : MeasurementStore(options.store).list()) {
      ASSERT_FALSE(row.damaged);
      ASSERT_EQ(truth.count(row.measurement.key), 1u) << "round " << round;
      ASSERT_TRUE(same(row.measurement, truth.at(row.measurement.key))) << "round " << round;
    }
    altered += proxy.altered();
  }
  EXPECT_GT(errors, 50);
  EXPECT_GT(right, 50);
  EXPECT_GT(altered, 200);
}

}  // namespace
}  // namespace bittern
