#include "host/protocol/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "tests/host/protocol/fake_backend.h"
#include "tests/host/protocol/raw_client.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using testing::fake_program;
using testing::FakeBackend;
using testing::FakeProgram;
using testing::Frame;
using testing::frame_bytes;
using ::testing::HasSubstr;
using testing::header_of;
using testing::kPatience;
using testing::receive_frame;
using testing::ServerThread;

using Payload = std::vector<std::uint8_t>;

/// A server of a fake device, and a client that says what it likes.
class Rig {
 public:
  explicit Rig(const std::string& transport, const ServeOptions& options = {}) {
    if (transport == "pair") {
      auto [ours, theirs] = Connection::pair();
      client = std::make_unique<Connection>(std::move(ours));
      server = std::make_unique<ServerThread>(std::move(theirs), backend, options);
    } else {
      Listener listener(Endpoint::parse("tcp:0"));
      client = std::make_unique<Connection>(Connection::connect(listener.endpoint(), kPatience));
      server = std::make_unique<ServerThread>(listener.accept(), backend, options);
    }
  }

  void send(const FrameHeader& header, const Payload& payload) {
    client->send(frame_bytes(header, payload), {}, kPatience);
  }

  /// Sends a request and gives its answer back.
  Frame ask(MessageType type, const Payload& payload = {}) {
    send(header_of(type, ++id_, payload.size()), payload);
    const auto frame = receive_frame(*client);
    if (!frame) {
      ADD_FAILURE() << "the server closed the connection";
      return {};
    }
    EXPECT_EQ(frame->header.request_id, id_);
    return *frame;
  }

  /// Payload of the answer, which has to be one of success.
  Payload ok(MessageType type, const Payload& payload = {}) {
    const Frame frame = ask(type, payload);
    EXPECT_EQ(frame.header.type, answer_to(type))
        << (frame.header.type == MessageType::kError ? decode_error(frame.payload).message : "");
    return frame.payload;
  }

  /// The answer, which has to be an error; the connection has to be in step after it.
  ErrorAnswer error(MessageType type, const Payload& payload = {}) {
    const Frame frame = ask(type, payload);
    if (frame.header.type != MessageType::kError) {
      ADD_FAILURE() << message_name(type) << " was not refused";
      return {};
    }
    ok(MessageType::kPing);
    return decode_error(frame.payload);
  }

  FakeBackend backend;
  std::unique_ptr<ServerThread> server;
  std::unique_ptr<Connection> client;  // closed first: then the server ends

 private:
  std::uint32_t id_ = 100;
};

class Server : public ::testing::TestWithParam<std::string> {
 protected:
  Rig rig{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Transports, Server, ::testing::Values("pair", "tcp"),
                         [](const auto& info) { return info.param; });

TEST_P(Server, SaysWhoItIs) {
  const DeviceIdentity identity =
      decode_identity(rig.ok(MessageType::kHello, encode_hello("test")));
  EXPECT_EQ(identity.variant, "fake");
  EXPECT_EQ(identity.parameters, rig.backend.identity_.parameters);
  EXPECT_EQ(identity.memory_bytes, FakeBackend::kMemoryBytes);
}

TEST_P(Server, KeepsMemory) {
  Payload write = encode_write_address(1000);
  write.insert(write.end(), {1, 2, 3});
  EXPECT_TRUE(rig.ok(MessageType::kWriteMemory, write).empty());
  EXPECT_EQ(rig.ok(MessageType::kReadMemory, encode_memory_range({999, 5})),
            (Payload{0, 1, 2, 3, 0}));
  EXPECT_TRUE(rig.ok(MessageType::kReadMemory, encode_memory_range({0, 0})).empty());
  const std::uint64_t end = FakeBackend::kMemoryBytes;
  EXPECT_EQ(rig.ok(MessageType::kReadMemory, encode_memory_range({0, end})).size(), end);
  EXPECT_TRUE(rig.ok(MessageType::kReadMemory, encode_memory_range({end, 0})).empty());
}

TEST_P(Server, ReadsAndWritesRegistersInOneTrip) {
  rig.ok(MessageType::kWriteRegisters, encode_register_writes({{0x30, 5}, {0x34, 6}, {0x30, 7}}));
  EXPECT_EQ(decode_words(rig.ok(MessageType::kReadRegisters, encode_words({0x34, 0x30, 0}))),
            (std::vector<std::uint32_t>{6, 7, registers::kMagicValue}));
  EXPECT_TRUE(decode_words(rig.ok(MessageType::kReadRegisters, encode_words({}))).empty());
}

TEST_P(Server, RunsProgramsToTheirEnd) {
  rig.backend.write_memory(64, fake_program(1234, FakeProgram::kDone));
  RunResult result = decode_run_result(rig.ok(MessageType::kRun, encode_run({64, 1, 0, 10000})));
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(result.cycles, 1234u);
  EXPECT_EQ(result.counters, (std::vector<std::uint64_t>{1234, 617, 7}));

  result = decode_run_result(rig.ok(MessageType::kRun, encode_run({64, 1, 0, 1000})));
  EXPECT_EQ(result.status, RunStatus::kCycleLimit);
  EXPECT_EQ(result.cycles, 1000u);

  rig.backend.write_memory(64, fake_program(10, FakeProgram::kFault));
  result = decode_run_result(rig.ok(MessageType::kRun, encode_run({64, 5, 0, 1000})));
  EXPECT_EQ(result.status, RunStatus::kFault);
  EXPECT_EQ(result.error_code, 2u);
  EXPECT_EQ(result.error_info, 4u);
}

TEST_P(Server, TracesAndResets) {
  rig.ok(MessageType::kTraceOn, encode_trace({"/tmp/x.fst", 5, 9}));
  EXPECT_EQ(rig.backend.trace_.path, "/tmp/x.fst");
  EXPECT_EQ(rig.backend.trace_.last_cycle, 9u);
  rig.ok(MessageType::kTraceOff);
  EXPECT_TRUE(rig.backend.trace_.path.empty());
  rig.ok(MessageType::kReset);
  EXPECT_EQ(rig.backend.resets_, 1);
}

TEST_P(Server, AnswersPipelinedRequestsInOrder) {
  Payload bytes;
  for (std::uint32_t id = 1; id <= 50; ++id) {
    const Payload frame =
        frame_bytes(header_of(MessageType::kReadMemory, id, 16), encode_memory_range({id, id}));
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  rig.client->send(bytes, {}, kPatience);
  for (std::uint32_t id = 1; id <= 50; ++id) {
    const auto frame = receive_frame(*rig.client);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.request_id, id);
    EXPECT_EQ(frame->payload.size(), id);
  }
}

TEST_P(Server, RefusesRangesOutsideMemory) {
  const std::uint64_t end = FakeBackend::kMemoryBytes;
  for (const MemoryRange& range :
       {MemoryRange{end, 1}, MemoryRange{end - 1, 2}, MemoryRange{~std::uint64_t{0}, 2},
        MemoryRange{~std::uint64_t{0} - 7, 16}, MemoryRange{1, end}}) {
    EXPECT_EQ(rig.error(MessageType::kReadMemory, encode_memory_range(range)).code,
              WireError::kOutOfRange);
  }
  for (const std::uint64_t address : {end - 2, end, ~std::uint64_t{0}, ~std::uint64_t{0} - 1}) {
    Payload write = encode_write_address(address);
    write.insert(write.end(), {1, 2, 3});
    EXPECT_EQ(rig.error(MessageType::kWriteMemory, write).code, WireError::kOutOfRange);
  }
  EXPECT_EQ(rig.error(MessageType::kReadMemory, encode_memory_range({0, kMaxPayload + 1u})).code,
            WireError::kBadValue);
}

TEST_P(Server, RefusesRegistersThatAreNone) {
  EXPECT_EQ(rig.error(MessageType::kReadRegisters, encode_words({0, 2})).code,
            WireError::kOutOfRange);
  EXPECT_EQ(rig.error(MessageType::kReadRegisters, encode_words({4096})).code,
            WireError::kOutOfRange);
  // Nothing is written when one of them is wrong.
  EXPECT_EQ(
      rig.error(MessageType::kWriteRegisters, encode_register_writes({{0x30, 77}, {3, 1}})).code,
      WireError::kOutOfRange);
  EXPECT_NE(rig.backend.read_register(0x30), 77u);
  EXPECT_EQ(rig.error(MessageType::kReadRegisters,
                      encode_words(std::vector<std::uint32_t>(kMaxRegisterBatch + 1)))
                .code,
            WireError::kBadValue);
}

TEST_P(Server, RefusesRunsThatMakeNoSense) {
  const std::uint64_t end = FakeBackend::kMemoryBytes;
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({8, 1, 0, 1})).code, WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({0, 0, 0, 1})).code, WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({0, 1, 0, 0})).code, WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({0, 1, std::uint64_t{1} << 32, 1})).code,
            WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({end - 16, 2, 0, 1})).code,
            WireError::kOutOfRange);
  EXPECT_EQ(rig.error(MessageType::kRun, encode_run({0, 0xffffffff, 0, 1})).code,
            WireError::kOutOfRange);
}

TEST_P(Server, RefusesTracesThatMakeNoSense) {
  EXPECT_EQ(rig.error(MessageType::kTraceOn, encode_trace({"", 0, 1})).code, WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kTraceOn, encode_trace({std::string("a\0b", 3), 0, 1})).code,
            WireError::kBadValue);
  EXPECT_EQ(rig.error(MessageType::kTraceOn, encode_trace({"a", 2, 1})).code, WireError::kBadValue);
}

TEST_P(Server, PassesOnWhatTheDeviceThrows) {
  rig.backend.write_memory(0, fake_program(10, FakeProgram::kThrow));
  const ErrorAnswer run = rig.error(MessageType::kRun, encode_run({0, 1, 0, 1000}));
  EXPECT_EQ(run.code, WireError::kFailed);
  EXPECT_THAT(run.message, HasSubstr("AXI rule violated in cycle 17"));
  const ErrorAnswer trace = rig.error(MessageType::kTraceOn, encode_trace({"/unwritable", 0, 1}));
  EXPECT_EQ(trace.code, WireError::kFailed);
  EXPECT_THAT(trace.message, HasSubstr("cannot write /unwritable"));
}

TEST_P(Server, StaysInStepAfterPayloadsOfTheWrongSize) {
  for (std::uint16_t type = 1; type <= 10; ++type) {
    // write_memory takes any payload that has an address; the others have none of this size.
    const Payload payload(type == 3 ? 7 : 1021, 0);
    const ErrorAnswer error = rig.error(static_cast<MessageType>(type), payload);
    EXPECT_EQ(error.code, WireError::kBadPayload) << type;
    EXPECT_THAT(error.message, HasSubstr(message_name(static_cast<MessageType>(type))));
  }
}

TEST_P(Server, StaysInStepAfterUnknownTypesAndVersions) {
  for (const int type : {0, 11, 0x101, 0x180, 0x1ff, 0xffff}) {
    EXPECT_EQ(rig.error(static_cast<MessageType>(type), Payload(100)).code, WireError::kUnknownType)
        << type;
  }
  FrameHeader newer = header_of(MessageType::kHello, 9, 4);
  newer.version = 2;
  rig.send(newer, Payload(4));
  const auto frame = receive_frame(*rig.client);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_error(frame->payload).code, WireError::kUnsupportedVersion);
  rig.ok(MessageType::kPing);
}

TEST_P(Server, AnswersAndClosesWhenItCannotFollow) {
  FrameHeader header = header_of(MessageType::kPing, 5, 0);
  header.magic = 0x20544547;  // "GET "
  rig.send(header, {});
  const auto frame = receive_frame(*rig.client);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_error(frame->payload).code, WireError::kBadMagic);
  EXPECT_FALSE(receive_frame(*rig.client));
  EXPECT_EQ(rig.server->end(), ServeEnd::kMalformed);
}

TEST_P(Server, RefusesHugeLengthsWithoutWaitingForThem) {
  rig.send(header_of(MessageType::kWriteMemory, 5, kMaxPayload + 1u), {});
  const auto frame = receive_frame(*rig.client);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_error(frame->payload).code, WireError::kTooLarge);
  EXPECT_FALSE(receive_frame(*rig.client));
  EXPECT_EQ(rig.server->end(), ServeEnd::kMalformed);
}

TEST_P(Server, EndsWhenTheClientLeaves) {
  rig.ok(MessageType::kPing);
  rig.client->close();
  EXPECT_EQ(rig.server->end(), ServeEnd::kClosed);
}

TEST_P(Server, EndsWhenTheClientLeavesWithinAFrame) {
  const Payload bytes = frame_bytes(header_of(MessageType::kWriteMemory, 1, 5000), Payload(1000));
  rig.client->send(bytes, {}, kPatience);
  rig.client->close();
  EXPECT_EQ(rig.server->end(), ServeEnd::kLost);
}

TEST_P(Server, NoticesDuringARunThatTheClientDied) {
  rig.backend.write_memory(0, fake_program(std::uint64_t{1} << 60, FakeProgram::kSlow));
  rig.send(header_of(MessageType::kRun, 1, 28), encode_run({0, 1, 0, std::uint64_t{1} << 61}));
  const auto frame = receive_frame(*rig.client);  // it runs
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.type, MessageType::kProgress);
  rig.client->close();
  EXPECT_EQ(rig.server->end(), ServeEnd::kLost);
}

TEST(ServerOptions, ReportsProgressDuringARun) {
  ServeOptions options;
  options.progress_every = milliseconds(5);
  Rig rig("pair", options);
  rig.backend.write_memory(0, fake_program(20000, FakeProgram::kSlow));
  rig.send(header_of(MessageType::kRun, 8, 28), encode_run({0, 1, 0, 1000000}));
  int frames = 0;
  std::uint64_t last = 0;
  while (true) {
    const auto frame = receive_frame(*rig.client);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.request_id, 8u);
    if (frame->header.type != MessageType::kProgress) {
      EXPECT_EQ(decode_run_result(frame->payload).cycles, 20000u);
      break;
    }
    const std::uint64_t cycles = decode_progress(frame->payload);
    EXPECT_GE(cycles, last);  // a busy machine reports before the first cycle
    last = cycles;
    ++frames;
  }
  EXPECT_GE(frames, 2);
}

TEST(ServerOptions, GivesUpOnFramesThatAreNotFinished) {
  ServeOptions options;
  options.frame_timeout = milliseconds(30);
  for (const std::size_t length : {std::size_t{3}, std::size_t{20}}) {
    Rig rig("pair", options);
    Payload bytes = frame_bytes(header_of(MessageType::kRun, 1, 28), Payload(28));
    bytes.resize(length);
    rig.client->send(bytes, {}, kPatience);
    const auto frame = receive_frame(*rig.client);
    ASSERT_TRUE(frame);
    EXPECT_EQ(decode_error(frame->payload).code, WireError::kIncomplete);
    EXPECT_EQ(rig.server->end(), ServeEnd::kMalformed);
  }
}

TEST(ServerOptions, GivesUpOnClientsThatDoNotRead) {
  ServeOptions options;
  options.frame_timeout = milliseconds(30);
  Rig rig("pair", options);
  Payload bytes;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const Payload frame =
        frame_bytes(header_of(MessageType::kReadMemory, i, 16), encode_memory_range({0, 100000}));
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  rig.client->send(bytes, {}, kPatience);
  EXPECT_EQ(rig.server->end(), ServeEnd::kLost);
}

TEST(ServerOptions, RefusesTracesWhereTheyAreNotAllowed) {
  ServeOptions options;
  options.allow_trace = false;
  Rig rig("pair", options);
  EXPECT_EQ(rig.error(MessageType::kTraceOn, encode_trace({"a", 0, 1})).code, WireError::kRefused);
}

TEST(ServerOptions, OneTimeLimitHoldsForTheWholeFrame) {
  ServeOptions options;
  options.frame_timeout = milliseconds(150);
  Rig rig("pair", options);
  const Payload bytes = frame_bytes(header_of(MessageType::kRun, 1, 1000), Payload(1000));
  // A byte now and then: each in time, all together not.
  try {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      rig.client->send(Bytes(bytes.data() + i, 1), {}, kPatience);
      std::this_thread::sleep_for(milliseconds(5));
    }
    ADD_FAILURE() << "it was patient for five seconds";
  } catch (const ConnectionError&) {
  }
  EXPECT_EQ(rig.server->end(), ServeEnd::kMalformed);
}

TEST(ServerOptions, DropsAClientThatNeverSaysHello) {
  ServeOptions options;
  options.hello_timeout = milliseconds(100);
  for (const bool talks : {false, true}) {
    Rig rig("tcp", options);
    std::optional<Frame> last;
    while (const auto frame = [&]() -> std::optional<Frame> {
      try {
        if (talks) rig.send(header_of(MessageType::kPing, 1, 0), {});
      } catch (const ConnectionError&) {
      }
      return receive_frame(*rig.client);
    }()) {
      last = frame;
    }
    if (last && last->header.type == MessageType::kError) {
      EXPECT_EQ(decode_error(last->payload).code, WireError::kIdle);
      EXPECT_THAT(decode_error(last->payload).message, HasSubstr("no hello"));
    } else {
      EXPECT_TRUE(talks) << "the silent one is told";
    }
    EXPECT_EQ(rig.server->end(), ServeEnd::kIdle);
  }
}

TEST(ServerOptions, DropsAClientThatHasNothingToDo) {
  ServeOptions options;
  options.hello_timeout = options.idle_timeout = milliseconds(60);
  Rig rig("pair", options);
  rig.ok(MessageType::kHello, encode_hello("test"));
  const auto frame = receive_frame(*rig.client);
  ASSERT_TRUE(frame);
  EXPECT_EQ(decode_error(frame->payload).code, WireError::kIdle);
  EXPECT_EQ(rig.server->end(), ServeEnd::kIdle);
}

TEST(ServerOptions, ARunIsNoSilence) {
  ServeOptions options;
  options.idle_timeout = milliseconds(30);
  options.progress_every = milliseconds(100000);
  Rig rig("pair", options);
  rig.ok(MessageType::kHello, encode_hello("test"));
  rig.ok(MessageType::kWriteMemory, [] {
    Payload payload = encode_write_address(0);
    const Payload program = fake_program(60000, FakeProgram::kSlow);  // 120 ms
    payload.insert(payload.end(), program.begin(), program.end());
    return payload;
  }());
  EXPECT_EQ(decode_run_result(rig.ok(MessageType::kRun, encode_run({0, 1, 0, 1000000}))).cycles,
            60000u);
}

}  // namespace
}  // namespace bittern
