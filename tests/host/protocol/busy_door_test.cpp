#include "host/protocol/busy_door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/host/protocol/raw_client.h"

namespace bittern {
namespace {

using testing::frame_bytes;
using ::testing::HasSubstr;
using testing::header_of;
using testing::kPatience;
using testing::receive_frame;

class Door : public ::testing::TestWithParam<const char*> {
 protected:
  std::string address() const {
    return std::string(GetParam()) == "tcp"
               ? "tcp:0"
               : "unix:" + ::testing::TempDir() + "bittern_door_" + std::to_string(::getpid());
  }
};

INSTANTIATE_TEST_SUITE_P(Transports, Door, ::testing::Values("tcp", "unix"),
                         [](const auto& info) { return info.param; });

TEST_P(Door, TellsEverybodyThatTheDeviceIsBusy) {
  Listener listener(Endpoint::parse(address()));
  const BusyDoor door(listener);
  std::vector<Connection> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(Connection::connect(listener.endpoint(), kPatience));
    // Half of them say hello first, as our clients do.
    const std::vector<std::uint8_t> hello = encode_hello("test");
    if (i % 2 == 0) {
      clients.back().send(frame_bytes(header_of(MessageType::kHello, 7, hello.size()), hello), {},
                          kPatience);
    }
  }
  for (Connection& client : clients) {
    const auto frame = receive_frame(client);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.type, MessageType::kError);
    EXPECT_EQ(frame->header.request_id, 0u);
    const ErrorAnswer error = decode_error(frame->payload);
    EXPECT_EQ(error.code, WireError::kBusy);
    EXPECT_THAT(error.message, HasSubstr("another client"));
    EXPECT_FALSE(receive_frame(client)) << "nothing more, and the end of the stream";
  }
}

TEST_P(Door, WhoComesWhenTheDeviceIsFreeAgainIsServed) {
  Listener listener(Endpoint::parse(address()));
  for (int round = 0; round < 3; ++round) {
    std::unique_ptr<BusyDoor> door = std::make_unique<BusyDoor>(listener);
    Connection client = Connection::connect(listener.endpoint(), kPatience);
    door.reset();  // at once: the client before was just leaving
    std::optional<Connection> served = listener.accept_waiting();
    if (served) {
      served->send({}, encode_error({WireError::kFailed, "hello"}), kPatience);
      EXPECT_TRUE(client.wait_readable(kPatience));
    } else {
      // On a machine that was slow at that moment it was told; never is it forgotten.
      const auto frame = receive_frame(client);
      ASSERT_TRUE(frame);
      EXPECT_EQ(decode_error(frame->payload).code, WireError::kBusy);
    }
  }
}

TEST_P(Door, OneThatNeverLeavesDoesNotKeepItOpen) {
  Listener listener(Endpoint::parse(address()));
  auto door = std::make_unique<BusyDoor>(listener);
  Connection stubborn = Connection::connect(listener.endpoint(), kPatience);
  ASSERT_TRUE(receive_frame(stubborn));
  door.reset();
  Connection next = Connection::connect(listener.endpoint(), kPatience);
  EXPECT_GE(listener.accept().fd(), 0);
}

}  // namespace
}  // namespace bittern
