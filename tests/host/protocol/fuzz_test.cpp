// Deterministic fuzzing of the server: streams of frames are damaged in every way that a seeded
// generator thinks of. What has to hold for each stream, however damaged: the server answers every
// complete frame exactly once and in order, sends nothing else, and ends. A crash, a hang or an
// access out of bounds (in the build with sanitizers) fails the test.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "host/base/random.h"
#include "tests/host/protocol/fake_backend.h"
#include "tests/host/protocol/raw_client.h"

namespace bittern {
namespace {

using testing::fake_program;
using testing::FakeBackend;
using testing::FakeProgram;
using testing::frame_bytes;
using testing::header_of;
using testing::kPatience;
using testing::ServerThread;

using Payload = std::vector<std::uint8_t>;

std::size_t index(Rng& rng, std::size_t size) {
  return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(size) - 1));
}

/// A correct request of random kind.
Payload request(Rng& rng, std::uint32_t id) {
  const auto small = [&](std::int64_t high) {
    return static_cast<std::uint64_t>(rng.integer(0, high));
  };
  const auto kind = static_cast<MessageType>(rng.integer(1, 10));
  Payload payload;
  switch (kind) {
    case MessageType::kHello:
      payload = encode_hello("fuzz");
      break;
    case MessageType::kReadMemory:
      payload = encode_memory_range({small(1 << 20), small(3000)});
      break;
    case MessageType::kWriteMemory:
      // Never the first page, where the program is.
      payload = encode_write_address(4096 + small(1 << 19));
      payload.resize(payload.size() + small(3000), 0xa5);
      break;
    case MessageType::kReadRegisters:
      payload = encode_words(std::vector<std::uint32_t>(small(40), 0x30));
      break;
    case MessageType::kWriteRegisters:
      payload = encode_register_writes(std::vector<RegisterWrite>(small(40), {0x30, 1}));
      break;
    case MessageType::kRun:
      payload =
          encode_run({16 * small(8), 1 + static_cast<std::uint32_t>(small(9)), 0, 1 + small(1000)});
      break;
    case MessageType::kTraceOn:
      payload = encode_trace({"trace.fst", small(9), 10 + small(9)});
      break;
    default:
      break;
  }
  return frame_bytes(header_of(kind, id, payload.size()), payload);
}

/// Damages a stream in one of many ways.
void damage(Rng& rng, Payload& bytes) {
  if (bytes.empty()) return;
  const std::size_t at = index(rng, bytes.size());
  const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  switch (rng.integer(0, 7)) {
    case 0:  // one bit
      bytes[at] ^= static_cast<std::uint8_t>(1 << rng.integer(0, 7));
      break;
    case 1:  // one byte
      bytes[at] = static_cast<std::uint8_t>(rng.next());
      break;
    case 2:  // cut
      bytes.resize(at);
      break;
    case 3:  // bytes lost
      bytes.erase(position, position + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                           bytes.size() - at, index(rng, 20))));
      break;
    case 4: {  // bytes added
      Payload noise(index(rng, 20));
      for (auto& byte : noise) byte = static_cast<std::uint8_t>(rng.next());
      bytes.insert(position, noise.begin(), noise.end());
      break;
    }
    case 5:  // a number set to an extreme, where numbers like to be
      for (std::size_t i = at & ~std::size_t{3};
           i < std::min(bytes.size(), (at & ~std::size_t{3}) + 4); ++i) {
        bytes[i] = rng.integer(0, 1) ? 0xff : 0x00;
      }
      break;
    case 6:  // a length in a header
      if (bytes.size() >= 16) bytes[12 + index(rng, 4)] = static_cast<std::uint8_t>(rng.next());
      break;
    default:  // the type in a header
      if (bytes.size() >= 8) bytes[6] = static_cast<std::uint8_t>(rng.next());
      break;
  }
}

/// What a stream has to be answered with: the ids of its complete frames, and whether the server
/// has to give up at its end.
struct Expected {
  std::vector<std::uint32_t> ids;
  bool malformed = false;
};

Expected expected_answers(const Payload& bytes) {
  Expected expected;
  std::size_t at = 0;
  while (bytes.size() - at >= kFrameHeaderBytes) {
    std::array<std::uint8_t, kFrameHeaderBytes> head{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kFrameHeaderBytes, head.begin());
    const FrameHeader header = FrameHeader::decode(head);
    if (header.magic != kFrameMagic || header.payload_length > kMaxPayload) {
      expected.ids.push_back(header.magic != kFrameMagic ? 0 : header.request_id);
      expected.malformed = true;
      break;
    }
    at += kFrameHeaderBytes;
    if (bytes.size() - at < header.payload_length) break;
    at += header.payload_length;
    expected.ids.push_back(header.request_id);
  }
  return expected;
}

/// Sends a stream, ends it, and checks everything that comes back.
void check_stream(FakeBackend& backend, const Payload& bytes) {
  auto [ours, theirs] = Connection::pair();
  ServerThread server(std::move(theirs), backend);
  std::vector<std::uint32_t> answered;
  {
    Connection client = std::move(ours);
    std::thread sender([&] {
      try {
        client.send(bytes, {}, kPatience);
      } catch (const ConnectionError&) {
        // The server has given up before the end: the answers tell whether it should have.
      }
      ::shutdown(client.fd(), SHUT_WR);
    });
    while (const auto frame = testing::receive_frame(client)) {
      const auto type = static_cast<std::uint16_t>(frame->header.type);
      EXPECT_TRUE(frame->header.type == MessageType::kError ||
                  (type > kAnswer && type <= kAnswer + 10))
          << type;
      if (frame->header.type == MessageType::kError) {
        const ErrorAnswer error = decode_error(frame->payload);
        EXPECT_NE(wire_error_name(error.code), "unknown");
        EXPECT_FALSE(error.message.empty());
      }
      answered.push_back(frame->header.request_id);
    }
    sender.join();
  }
  const Expected expected = expected_answers(bytes);
  EXPECT_EQ(answered, expected.ids);
  EXPECT_EQ(server.end() == ServeEnd::kMalformed, expected.malformed);
}

class Fuzz : public ::testing::Test {
 protected:
  Fuzz() {
    backend_.write_memory(0, fake_program(500, FakeProgram::kDone));
    backend_.write_memory(16, fake_program(500, FakeProgram::kFault));
    backend_.write_memory(32, fake_program(500, FakeProgram::kThrow));
  }
  FakeBackend backend_;
};

TEST_F(Fuzz, UndamagedStreamsAreAnsweredInFull) {
  Rng rng(1);
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    Payload bytes;
    for (std::uint32_t id = 1; id <= 20; ++id) {
      const Payload frame = request(rng, id);
      bytes.insert(bytes.end(), frame.begin(), frame.end());
    }
    ASSERT_EQ(expected_answers(bytes).ids.size(), 20u);
    check_stream(backend_, bytes);
  }
}

TEST_F(Fuzz, DamagedStreamsAreAnsweredAsFarAsTheyCanBeFollowed) {
  Rng rng(2);
  for (int i = 0; i < 2500 && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    Payload bytes;
    const auto frames = static_cast<std::uint32_t>(rng.integer(1, 5));
    for (std::uint32_t id = 1; id <= frames; ++id) {
      const Payload frame = request(rng, id);
      bytes.insert(bytes.end(), frame.begin(), frame.end());
    }
    for (std::int64_t n = rng.integer(1, 4); n > 0; --n) damage(rng, bytes);
    check_stream(backend_, bytes);
  }
}

TEST_F(Fuzz, DamagedPayloadsKeepTheStreamInStep) {
  Rng rng(3);
  for (int i = 0; i < 2000 && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    Payload frame = request(rng, 7);
    Payload payload(frame.begin() + kFrameHeaderBytes, frame.end());
    FrameHeader header = header_of(static_cast<MessageType>(frame[6]), 7, 0);
    for (std::int64_t n = rng.integer(1, 3); n > 0; --n) damage(rng, payload);
    header.payload_length = static_cast<std::uint32_t>(payload.size());
    frame = frame_bytes(header, payload);
    const Payload ping = frame_bytes(header_of(MessageType::kPing, 8, 0), {});
    frame.insert(frame.end(), ping.begin(), ping.end());
    check_stream(backend_, frame);
  }
}

TEST_F(Fuzz, NoiseIsRefused) {
  Rng rng(4);
  for (int i = 0; i < 500 && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    Payload bytes(index(rng, 400));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
    check_stream(backend_, bytes);
  }
}

}  // namespace
}  // namespace bittern
