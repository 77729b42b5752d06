#include "host/protocol/connection.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "host/base/file.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kPatience{20000};

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() /
          ("bittern_" + std::to_string(::getpid()) + "_" + name))
      .string();
}

ConnectionError::Kind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ConnectionError& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no ConnectionError";
  return ConnectionError::Kind::kFailed;
}

TEST(Endpoint, UnderstandsItsForms) {
  EXPECT_EQ(Endpoint::parse("unix:/tmp/a:b").path, "/tmp/a:b");
  EXPECT_EQ(Endpoint::parse("tcp:board.lan:4000").host, "board.lan");
  EXPECT_EQ(Endpoint::parse("board.lan:4000").port, 4000);
  EXPECT_EQ(Endpoint::parse("tcp:4000").host, "127.0.0.1");
  EXPECT_EQ(Endpoint::parse("tcp:[::1]:5").host, "::1");
  EXPECT_EQ(Endpoint::parse("tcp:[::1]:5").text(), "tcp:[::1]:5");
  EXPECT_EQ(Endpoint::parse("unix:x").text(), "unix:x");
  EXPECT_EQ(Endpoint::parse("host:1").text(), "tcp:host:1");
}

TEST(Endpoint, NamesWhatIsWrong) {
  for (const char* text : {"", "unix:", "board", "tcp:", "tcp:a:", "tcp::5", "a:65536", "a:-1",
                           "a:1x", "tcp:x", "tcp://board:5", "http://board:5"}) {
    EXPECT_THAT(message_of([&] { Endpoint::parse(text); }), HasSubstr("tcp:host:port")) << text;
  }
  EXPECT_THAT(message_of([] { Listener(Endpoint::parse("unix:/tmp/" + std::string(200, 'x'))); }),
              HasSubstr("longer"));
}

TEST(Connection, SendsBothPartsInOrder) {
  auto [a, b] = Connection::pair();
  const std::vector<std::uint8_t> head = {1, 2, 3};
  std::vector<std::uint8_t> body(3 << 20);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::uint8_t>(i * 7 >> 3);
  std::thread sender([&, &a = a] { a.send(head, body, kPatience); });
  std::vector<std::uint8_t> got(head.size() + body.size());
  EXPECT_TRUE(b.receive(MutableBytes(got), kPatience));
  sender.join();
  EXPECT_TRUE(std::equal(head.begin(), head.end(), got.begin()));
  EXPECT_TRUE(std::equal(body.begin(), body.end(), got.begin() + 3));
}

TEST(Connection, TimesOutWhenNothingComes) {
  auto [a, b] = Connection::pair();
  std::vector<std::uint8_t> byte(1);
  EXPECT_FALSE(a.wait_readable(milliseconds(5)));
  EXPECT_EQ(kind_of([&, &a = a] { a.receive(MutableBytes(byte), milliseconds(20)); }),
            ConnectionError::Kind::kTimeout);
}

TEST(Connection, TimesOutWhenThePeerDoesNotRead) {
  auto [a, b] = Connection::pair();
  const std::vector<std::uint8_t> much(400000);
  EXPECT_EQ(kind_of([&, &a = a] { a.send({}, much, milliseconds(20)); }),
            ConnectionError::Kind::kTimeout);
}

TEST(Connection, TellsTheEndOfTheStreamFromATruncation) {
  auto [a, b] = Connection::pair();
  const std::vector<std::uint8_t> sent = {1, 2};
  b.send(sent, {}, kPatience);
  b.close();
  EXPECT_TRUE(a.wait_readable(kPatience));
  std::vector<std::uint8_t> got(3);
  EXPECT_EQ(kind_of([&, &a = a] { a.receive(MutableBytes(got), kPatience); }),
            ConnectionError::Kind::kClosed);
  EXPECT_FALSE(a.receive(MutableBytes(got), kPatience));
}

TEST(Connection, SeesThePeerLeaveEvenWhenBytesAreLeftToRead) {
  auto [a, b] = Connection::pair();
  const std::vector<std::uint8_t> sent = {1, 2};
  b.send(sent, {}, kPatience);
  EXPECT_FALSE(a.peer_gone());
  b.close();
  EXPECT_TRUE(a.peer_gone());
  EXPECT_EQ(kind_of([&, &a = a] {
              for (int i = 0; i < 3; ++i) a.send(sent, {}, kPatience);
            }),
            ConnectionError::Kind::kClosed);
}

TEST(Connection, ClosedConnectionsThrowInsteadOfTouchingADescriptor) {
  auto [a, b] = Connection::pair();
  a.close();
  EXPECT_EQ(a.fd(), -1);
  EXPECT_TRUE(a.peer_gone());
  EXPECT_EQ(kind_of([&, &a = a] { a.wait_readable(milliseconds(1)); }),
            ConnectionError::Kind::kClosed);
}

TEST(Connection, TakesOverSocketsOnly) {
  EXPECT_THAT(message_of([] { Connection::from_fd(9999); }), HasSubstr("no socket"));
  const int null = ::open("/dev/null", O_RDONLY);
  EXPECT_THAT(message_of([&] { Connection::from_fd(null); }), HasSubstr("no socket"));
  ::close(null);
  const int datagram = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_THAT(message_of([&] { Connection::from_fd(datagram); }), HasSubstr("stream"));
  ::close(datagram);
}

class OverListener : public ::testing::TestWithParam<std::string> {
 protected:
  Endpoint endpoint() const {
    return Endpoint::parse(GetParam() == "unix" ? "unix:" + temporary("listener") : "tcp:0");
  }
};

TEST_P(OverListener, ConnectsAndCarriesBytesBothWays) {
  Listener listener(endpoint());
  Connection client = Connection::connect(listener.endpoint(), kPatience);
  Connection server = listener.accept();
  const std::vector<std::uint8_t> sent = {5, 6};
  std::vector<std::uint8_t> got(2);
  client.send(sent, {}, kPatience);
  EXPECT_TRUE(server.receive(MutableBytes(got), kPatience));
  EXPECT_EQ(got, sent);
  server.send({}, sent, kPatience);
  EXPECT_TRUE(client.receive(MutableBytes(got), kPatience));
  for (const Connection* connection : {&client, &server}) {
    EXPECT_NE(::fcntl(connection->fd(), F_GETFD) & FD_CLOEXEC, 0);
  }
  client.close();
  EXPECT_TRUE(server.wait_readable(kPatience));
  EXPECT_TRUE(server.peer_gone());
}

TEST_P(OverListener, RefusesAnAddressInUse) {
  Listener first(endpoint());
  EXPECT_THAT(message_of([&] { Listener second(first.endpoint()); }),
              HasSubstr("cannot listen on"));
}

TEST_P(OverListener, SaysThatNobodyListens) {
  Endpoint gone;
  {
    Listener listener(endpoint());
    gone = listener.endpoint();
  }
  const std::string message = message_of([&] { Connection::connect(gone, kPatience); });
  EXPECT_THAT(message, HasSubstr(gone.text()));
  EXPECT_THAT(message, HasSubstr("is the device running there?"));
}

INSTANTIATE_TEST_SUITE_P(Transports, OverListener, ::testing::Values("unix", "tcp"),
                         [](const auto& info) { return info.param; });

TEST(Listener, ReplacesTheSocketOfADeadServerButNoOtherFile) {
  const std::string path = temporary("stale");
  // A socket that was bound by a process that did not remove it.
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  struct {
    sa_family_t family = AF_UNIX;
    char path[100] = {};
  } address;
  path.copy(address.path, sizeof address.path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  { Listener listener(Endpoint::parse("unix:" + path)); }
  EXPECT_FALSE(std::filesystem::exists(path));

  write_file(path, "precious");
  EXPECT_THAT(message_of([&] { Listener listener(Endpoint::parse("unix:" + path)); }),
              HasSubstr("there is a file"));
  EXPECT_EQ(read_file(path), "precious");
  std::filesystem::remove(path);
}

TEST(Listener, UnixSocketsAreForTheirOwnerOnly) {
  const std::string path = temporary("private");
  Listener listener(Endpoint::parse("unix:" + path));
  const auto mode = std::filesystem::status(path).permissions();
  EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

}  // namespace
}  // namespace bittern
