#include "host/report/tensorboard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bittern {
namespace {

using nlohmann::json;

/// An event as a reader of its own sees it: written from TFRecord's and protocol buffers'
/// documentation, bit by bit, so that it shares nothing with the writer.
struct Event {
  double wall = -1;
  long step = 0;
  std::string version;
  std::map<std::string, float> values;
};

std::uint32_t slow_crc(const std::string& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
  bool done() const { return at_ == bytes_.size(); }
  std::string take(std::size_t n) {
    if (bytes_.size() - at_ < n) throw std::runtime_error("cut off");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  template <typename T>
  T fixed() {
    T value;
    const std::string raw = take(sizeof value);
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
  }
  std::string record() {
    const std::string length = take(8);
    if (fixed<std::uint32_t>() != slow_crc(length)) throw std::runtime_error("checksum of length");
    std::uint64_t n = 0;
    std::memcpy(&n, length.data(), 8);
    std::string data = take(n);
    if (fixed<std::uint32_t>() != slow_crc(data)) throw std::runtime_error("checksum of data");
    return data;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

Event read_event(const std::string& data) {
  Event event;
  Reader in(data);
  while (!in.done()) {
    switch (in.varint()) {
      case 1 << 3 | 1:
        event.wall = in.fixed<double>();
        break;
      case 2 << 3 | 0:
        event.step = static_cast<long>(in.varint());
        break;
      case 3 << 3 | 2:
        event.version = in.take(in.varint());
        break;
      case 5 << 3 | 2: {
        Reader summary(in.take(in.varint()));
        while (!summary.done()) {
          if (summary.varint() != (1 << 3 | 2)) throw std::runtime_error("no value");
          Reader value(summary.take(summary.varint()));
          if (value.varint() != (1 << 3 | 2)) throw std::runtime_error("no tag");
          const std::string tag = value.take(value.varint());
          if (value.varint() != (2 << 3 | 5)) throw std::runtime_error("no float");
          event.values[tag] = value.fixed<float>();
          if (!value.done()) throw std::runtime_error("more of a value");
        }
        break;
      }
      default:
        throw std::runtime_error("unknown field");
    }
  }
  return event;
}

std::vector<Event> read_events(const std::string& bytes) {
  std::vector<Event> events;
  Reader in(bytes);
  while (!in.done()) events.push_back(read_event(in.record()));
  return events;
}

TEST(Crc32c, HasTheValuesOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

TEST(Tensorboard, HoldsEveryNumberOfEveryEpisode) {
  const std::vector<Event> events = read_events(tensorboard_events(
      {{{"episode", 0}, {"accuracy", 90.5}, {"time", {{"evaluate", 1.5}, {"wall", 0.5}}}},
       {{"episode", 300},
        {"accuracy", 91.25},
        {"policy", {{2, 3}}},
        {"wall_reserve", true},
        {"loss", "nan"},
        {"update", {{"kl", 0.125}}},
        {"time", {{"evaluate", 1.0}}}}}));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_EQ(events[1].step, 0);
  EXPECT_DOUBLE_EQ(events[1].wall, 2.0);
  EXPECT_FLOAT_EQ(events[1].values.at("accuracy"), 90.5F);
  EXPECT_FLOAT_EQ(events[1].values.at("time/evaluate"), 1.5F);
  EXPECT_EQ(events[2].step, 300);
  EXPECT_DOUBLE_EQ(events[2].wall, 3.0);
  EXPECT_EQ(events[2].values.size(), 3u) << "lists, texts and truth values have no curve";
  EXPECT_FLOAT_EQ(events[2].values.at("update/kl"), 0.125F);
}

TEST(Tensorboard, LeavesOutLinesWithoutNumbers) {
  EXPECT_EQ(
      read_events(tensorboard_events({{{"episode", 1}}, json::array(), {{"accuracy", 1}}})).size(),
      1u);
}

}  // namespace
}  // namespace bittern
