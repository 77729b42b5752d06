#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>

#include "host/base/stop.h"
#include "host/device/device_client.h"
#include "host/device/start.h"
#include "tests/host/device/fake_variant.h"
#include "tests/host/device/helpers.h"
#include "tests/host/protocol/raw_client.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using testing::fake_program;
using testing::fake_variant;
using testing::FakeBackend;
using testing::FakeProgram;
using testing::frame_bytes;
using ::testing::HasSubstr;
using testing::header_of;
using testing::ServerThread;

using Payload = std::vector<std::uint8_t>;

/// Client of an honest server in this process.
class Client : public ::testing::Test {
 protected:
  Client() {
    auto [ours, theirs] = Connection::pair();
    ServeOptions serve_options;
    serve_options.progress_every = milliseconds(5);
    server_ = std::make_unique<ServerThread>(std::move(theirs), backend_, serve_options);
    ClientOptions options;
    options.chunk_bytes = 1000;
    client_ = std::make_unique<DeviceClient>(std::move(ours), "fake", options);
  }

  FakeBackend backend_;
  std::unique_ptr<ServerThread> server_;
  std::unique_ptr<DeviceClient> client_;
};

TEST_F(Client, KnowsWhoTheDeviceIs) {
  EXPECT_EQ(client_->identity().variant, "fake");
  EXPECT_EQ(client_->identity().parameters, backend_.identity_.parameters);
  EXPECT_NO_THROW(check_device(*client_, fake_variant()));
}

TEST_F(Client, SplitsTransfersOfAnySize) {
  for (const std::size_t size : {0, 1, 999, 1000, 1001, 2000, 12345}) {
    Payload bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + size);
    client_->write_memory(77, bytes);
    EXPECT_EQ(client_->read_memory(77, size), bytes) << size;
  }
  EXPECT_EQ(client_->read_memory(76, 1), Payload(1));
}

TEST_F(Client, WritesAndReadsRegisters) {
  client_->write_registers({{0x30, 5}, {0x34, 6}});
  EXPECT_EQ(client_->read_registers({0x34, 0x30}), (std::vector<std::uint32_t>{6, 5}));
}

TEST_F(Client, RunsProgramsWithProgress) {
  client_->write_memory(0, fake_program(30000, FakeProgram::kSlow));
  std::vector<std::uint64_t> seen;
  const RunResult result =
      client_->run({0, 1, 0, 100000}, [&](std::uint64_t cycles) { seen.push_back(cycles); });
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(result.cycles, 30000u);
  EXPECT_EQ(result.counters.size(), 3u);
  EXPECT_FALSE(seen.empty());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(Client, GoesOnAfterARefusal) {
  try {
    client_->read_memory(FakeBackend::kMemoryBytes - 1, 2);
    FAIL() << "not refused";
  } catch (const DeviceRefusal& error) {
    EXPECT_EQ(error.code(), WireError::kOutOfRange);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("fake"), HasSubstr("reading 2 bytes"), HasSubstr("out_of_range")));
  }
  EXPECT_THAT(message_of<DeviceRefusal>([&] {
                client_->start_trace({"/unwritable", 0, 1});
              }),
              HasSubstr("cannot write /unwritable"));
  EXPECT_TRUE(client_->usable());
  client_->ping();
  client_->start_trace({"x.fst", 0, 1});
  client_->stop_trace();
  client_->reset();
  EXPECT_EQ(backend_.resets_, 1);
}

TEST_F(Client, StopsWaitingWhenTheUserWantsToStop) {
  client_->write_memory(0, fake_program(~std::uint64_t{0}, FakeProgram::kSlow));
  request_stop();
  EXPECT_THROW(client_->run({0, 1, 0, ~std::uint64_t{0}}), Stopped);
  request_stop(false);
  EXPECT_FALSE(client_->usable());
  EXPECT_EQ(server_->end(), ServeEnd::kLost);
}

TEST_F(Client, ErrorsOfProgressCallbacksGiveTheDeviceUp) {
  client_->write_memory(0, fake_program(~std::uint64_t{0}, FakeProgram::kSlow));
  EXPECT_THROW(client_->run({0, 1, 0, ~std::uint64_t{0}},
                            [](std::uint64_t) { throw std::runtime_error("mine"); }),
               std::runtime_error);
  EXPECT_FALSE(client_->usable());
  EXPECT_EQ(server_->end(), ServeEnd::kLost);
}

/// Server that answers every request with what a function makes of it.
class LyingServer {
 public:
  using Answer = std::function<Payload(const testing::Frame&)>;

  explicit LyingServer(Answer answer) {
    auto [ours, theirs] = Connection::pair();
    client_end = std::make_unique<Connection>(std::move(ours));
    thread_ = std::async(std::launch::async,
                         [answer, connection = std::make_shared<Connection>(std::move(theirs))] {
                           while (const auto frame = testing::receive_frame(*connection)) {
                             const Payload bytes = answer(*frame);
                             if (bytes == Payload{'b', 'y', 'e'}) break;
                             connection->send(bytes, {}, testing::kPatience);
                           }
                           connection->close();
                         });
  }

  std::unique_ptr<Connection> client_end;

 private:
  std::future<void> thread_;
};

/// Correct answer to hello, then what the test wants.
LyingServer::Answer after_hello(LyingServer::Answer lie) {
  return [lie](const testing::Frame& request) {
    if (request.header.type != MessageType::kHello) return lie(request);
    const Payload identity = encode_identity(FakeBackend().identity());
    return frame_bytes(
        header_of(answer_to(MessageType::kHello), request.header.request_id, identity.size()),
        identity);
  };
}

ClientOptions impatient() {
  ClientOptions options;
  options.answer_timeout = milliseconds(150);
  options.run_silence = milliseconds(150);
  return options;
}

/// DeviceError of `call` against a server that lies after hello; the client must be unusable then.
std::string lost_by(LyingServer::Answer lie, const std::function<void(Device&)>& call) {
  LyingServer server(after_hello(std::move(lie)));
  DeviceClient client(std::move(*server.client_end), "liar", impatient());
  std::string message = message_of<DeviceError>([&] { call(client); });
  EXPECT_FALSE(client.usable());
  EXPECT_THAT(message, HasSubstr("liar"));
  EXPECT_THAT(message_of<DeviceError>([&] { client.ping(); }), HasSubstr("lost before"));
  return message;
}

/// An answer to the request of some type, id and payload.
Payload reply(const testing::Frame& request, const Payload& payload, std::uint32_t id_offset = 0) {
  return frame_bytes(header_of(answer_to(request.header.type),
                               request.header.request_id + id_offset, payload.size()),
                     payload);
}

const auto kPing = [](Device& device) { device.ping(); };
const auto kRead = [](Device& device) { device.read_memory(0, 8); };
const auto kRun = [](Device& device) { device.run({0, 1, 0, 5}); };

TEST(LyingServer, ErrorTextsReachNobodyRaw) {
  const auto rude = [](WireError code) {
    return [code](const testing::Frame& request) {
      const Payload payload =
          encode_error({code, "\x1b[2J\x07gone\xff\nline " + std::string(16000, 'x')});
      return frame_bytes(header_of(MessageType::kError, request.header.request_id, payload.size()),
                         payload);
    };
  };
  const auto harmless = [](const std::string& text) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("gone"));
    EXPECT_LT(text.size(), 5000u);
  };
  LyingServer server(after_hello(rude(WireError::kFailed)));
  DeviceClient client(std::move(*server.client_end), "rude", impatient());
  harmless(message_of<DeviceRefusal>([&] { client.ping(); }));
  harmless(lost_by(rude(WireError::kIncomplete), [](Device& device) { device.ping(); }));
  LyingServer busy(rude(WireError::kBusy));
  harmless(message_of<DeviceBusy>(
      [&] { DeviceClient(std::move(*busy.client_end), "busy", impatient()); }));
}

TEST(LyingServer, WrongRequestIds) {
  EXPECT_THAT(lost_by([](const auto& request) { return reply(request, {}, 1); }, kPing),
              HasSubstr("expected one to"));
}

TEST(LyingServer, WrongTypes) {
  const auto lie = [](const testing::Frame& request) {
    return frame_bytes(header_of(answer_to(MessageType::kReset), request.header.request_id, 0), {});
  };
  EXPECT_THAT(lost_by(lie, kPing), HasSubstr("to a request 'ping'"));
  EXPECT_THAT(lost_by(lie, kRead), HasSubstr("to a request 'read_memory'"));
  const auto progress = [](const testing::Frame& request) {
    const Payload payload = encode_progress(5);
    return frame_bytes(header_of(MessageType::kProgress, request.header.request_id, payload.size()),
                       payload);
  };
  EXPECT_THAT(lost_by(progress, kPing), HasSubstr("broke the protocol"));
}

TEST(LyingServer, PayloadsOfTheWrongSize) {
  for (const std::size_t size : {0, 7, 9, 100000}) {
    EXPECT_THAT(lost_by([&](const auto& request) { return reply(request, Payload(size)); }, kRead),
                HasSubstr("8 expected"));
  }
  EXPECT_THAT(lost_by([](const auto& request) { return reply(request, Payload(5)); }, kRun),
              HasSubstr("running a program"));
  EXPECT_THAT(lost_by(
                  [](const auto& request) {
                    return reply(request, encode_words({1, 2}));
                  },
                  [](Device& device) { device.read_registers({0}); }),
              HasSubstr("2 values"));
}

TEST(LyingServer, HugeAnnouncements) {
  const auto lie = [](const testing::Frame& request) {
    const auto head =
        header_of(answer_to(request.header.type), request.header.request_id, 0xffffffff).encode();
    return Payload(head.begin(), head.end());
  };
  EXPECT_THAT(lost_by(lie, kPing), HasSubstr("at most"));
  EXPECT_THAT(lost_by(lie, kRead), HasSubstr("8 expected"));
}

TEST(LyingServer, Silence) {
  const auto nothing = [](const testing::Frame&) { return Payload{}; };
  EXPECT_THAT(lost_by(nothing, kPing), HasSubstr("no answer for 0.1 s"));
  EXPECT_THAT(lost_by(nothing, kRun), HasSubstr("it hangs"));
}

TEST(LyingServer, SilenceWithinAnAnswer) {
  for (const std::size_t length : {std::size_t{5}, std::size_t{20}}) {
    const auto lie = [&](const testing::Frame& request) {
      Payload bytes = reply(request, Payload(8));
      bytes.resize(length);
      return bytes;
    };
    EXPECT_THAT(lost_by(lie, kRead), HasSubstr("did not come"));
  }
}

TEST(LyingServer, GoodbyeInsteadOfAnAnswer) {
  EXPECT_THAT(lost_by(
                  [](const auto&) {
                    return Payload{'b', 'y', 'e'};
                  },
                  kPing),
              HasSubstr("closed"));
}

TEST(LyingServer, Noise) {
  EXPECT_THAT(lost_by([](const auto&) { return Payload(64, 'x'); }, kPing),
              HasSubstr("0x78787878"));
}

TEST(LyingServer, NewerVersions) {
  const auto lie = [](const testing::Frame& request) {
    FrameHeader header = header_of(answer_to(request.header.type), request.header.request_id, 0);
    header.version = 2;
    return frame_bytes(header, {});
  };
  EXPECT_THAT(lost_by(lie, kPing), HasSubstr("version 2"));
}

TEST(LyingServer, NoDeviceAtAll) {
  for (const Payload& answer : {Payload(64, 'x'), Payload{'b', 'y', 'e'}, Payload{}}) {
    LyingServer server([&](const auto&) { return answer; });
    EXPECT_THAT(message_of<DeviceError>(
                    [&] { DeviceClient(std::move(*server.client_end), "liar", impatient()); }),
                HasSubstr("lost while starting"));
  }
  LyingServer server([](const auto& request) { return reply(request, Payload(3)); });
  EXPECT_THAT(message_of<DeviceError>(
                  [&] { DeviceClient(std::move(*server.client_end), "liar", impatient()); }),
              HasSubstr("lost while starting"));
}

/// check_device() against a backend that a test has altered.
std::string mismatch(const std::function<void(FakeBackend&)>& alter,
                     const Variant& variant = fake_variant()) {
  FakeBackend backend;
  alter(backend);
  auto [ours, theirs] = Connection::pair();
  ServerThread server(std::move(theirs), backend);
  DeviceClient client(std::move(ours), "fake");
  return message_of<Error>([&] { check_device(client, variant); });
}

TEST(CheckDevice, NamesEveryDifference) {
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.variant = "other"; }),
              HasSubstr("variant is other, expected fake"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.core = "stripes"; }),
              HasSubstr("core is stripes, expected bismo"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.parameters["Dk"] = 128; }),
              AllOf(HasSubstr("rtl.Dk is 128, expected 64"), HasSubstr("rebuild it")));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.parameters.erase("Dn"); }),
              HasSubstr("rtl.Dn is missing, expected 4"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.memory_bytes = 5; }),
              HasSubstr("memory size in bytes is 5"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.identity_.memory["latency_cycles"] = 17; }),
              HasSubstr("memory.latency_cycles is 17, expected 16"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.registers_[registers::kMagic] = 1; }),
              HasSubstr("register magic is 0x00000001, expected 0x4254524e"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.registers_[registers::kMapVersion] = 99; }),
              HasSubstr("version of the register map is 99"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.registers_[registers::kCoreId] = 2; }),
              HasSubstr("register core_id is 2, expected 1"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.registers_[registers::kRtlHashLo] = 0; }),
              HasSubstr("rtl_hash (against its hello) is 0123456700000000"));
  EXPECT_THAT(mismatch([](FakeBackend& b) { b.registers_[registers::kParameterBase + 8] = 3; }),
              HasSubstr("parameter register dn is 3, expected 4"));
}

TEST(CheckDevice, BoardsHaveTheMemoryThatTheyHave) {
  FakeBackend backend;
  backend.identity_.kind = DeviceKind::kBoard;
  backend.identity_.memory.clear();
  auto [ours, theirs] = Connection::pair();
  ServerThread server(std::move(theirs), backend);
  DeviceClient client(std::move(ours), "board");
  EXPECT_NO_THROW(check_device(client, fake_variant()));
}

}  // namespace
}  // namespace bittern
