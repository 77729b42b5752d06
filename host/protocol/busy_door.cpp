#include "host/protocol/busy_door.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "host/protocol/messages.h"

namespace bittern {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A client that was told has so long to read the answer and leave. Closing at once could destroy
/// the answer on its way: its hello has not been read.
constexpr milliseconds kFarewell{2000};
/// The same when the next client is waited for.
constexpr milliseconds kLastFarewell{500};
/// A client that knocks is told after so long: mostly the former one is just leaving.
constexpr milliseconds kPatience{200};
/// Clients that are being seen off at once; of more, the oldest is cut off.
constexpr std::size_t kMostLeaving = 16;

/// A client that was told that the device is busy.
struct Leaving {
  Connection connection;
  Clock::time_point until;
};

void tell_busy(Connection& connection) {
  const std::vector<std::uint8_t> payload =
      encode_error({WireError::kBusy, "another client is being served; try again later"});
  FrameHeader header;
  header.type = MessageType::kError;
  header.payload_length = static_cast<std::uint32_t>(payload.size());
  connection.send(header.encode(), payload, milliseconds(100));
  ::shutdown(connection.fd(), SHUT_WR);
}

/// Throws away what has come; whether the client has left.
bool has_left(const Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t got = ::recv(connection.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void remove_left(std::deque<Leaving>& leaving) {
  const Clock::time_point now = Clock::now();
  leaving.erase(std::remove_if(leaving.begin(), leaving.end(),
                               [&](const Leaving& client) {
                                 return now >= client.until || has_left(client.connection);
                               }),
                leaving.end());
}

/// The door is wanted no more: waits a moment for those who are leaving.
void see_off(std::deque<Leaving>& leaving) {
  const Clock::time_point end = Clock::now() + kLastFarewell;
  for (remove_left(leaving); !leaving.empty() && Clock::now() < end; remove_left(leaving)) {
    std::this_thread::sleep_for(milliseconds(5));
  }
}

}  // namespace

BusyDoor::BusyDoor(Listener& listener)
    : listener_(listener), wake_(Connection::pair()), thread_([this] { watch(); }) {}

BusyDoor::~BusyDoor() {
  wake_.first.close();
  thread_.join();
}

void BusyDoor::watch() {
  std::deque<Leaving> leaving;
  bool waiting = false;       // somebody is at the door,
  Clock::time_point knocked;  // since then
  while (true) {
    std::vector<pollfd> entries = {{wake_.second.fd(), POLLIN, 0},
                                   {waiting ? -1 : listener_.fd(), POLLIN, 0}};
    for (const Leaving& client : leaving) entries.push_back({client.connection.fd(), POLLIN, 0});
    const milliseconds wait = waiting ? kPatience : kFarewell;
    ::poll(entries.data(), entries.size(),
           waiting || !leaving.empty() ? static_cast<int>(wait.count()) : -1);
    if (entries[0].revents != 0) return see_off(leaving);
    remove_left(leaving);

    const Clock::time_point now = Clock::now();
    if (entries[1].revents != 0) {
      waiting = true;
      knocked = now;
    }
    if (!waiting || now - knocked < kPatience) continue;
    waiting = false;
    try {
      while (std::optional<Connection> client = listener_.accept_waiting()) {
        tell_busy(*client);
        leaving.push_back({std::move(*client), now + kFarewell});
        if (leaving.size() > kMostLeaving) leaving.pop_front();
      }
    } catch (const Error&) {
      // This client could not be told; the next one may be. Out of descriptors: do not spin.
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
}

}  // namespace bittern
