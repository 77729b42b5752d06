#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "host/base/error.h"
#include "host/protocol/busy_door.h"
#include "host/protocol/server.h"
#include "tests/host/protocol/fake_backend.h"

namespace bittern::testing {

/// A fake device that listens, in a thread of this process: one client after another, the others
/// are told that it is busy.
class RemoteFake {
 public:
  explicit RemoteFake(const std::string& address, const ServeOptions& options = {})
      : options_(options), listener_(Endpoint::parse(address)), thread_([this] { loop(); }) {}
  ~RemoteFake() {
    stop_ = true;
    hang_up();
    try {
      Connection::connect(endpoint(), std::chrono::milliseconds(1000));
    } catch (const Error&) {
      // The thread has seen stop_ already.
    }
    thread_.join();
  }
  RemoteFake(const RemoteFake&) = delete;
  RemoteFake& operator=(const RemoteFake&) = delete;

  const Endpoint& endpoint() const { return listener_.endpoint(); }
  /// Ends the connection that is being served, as the death of a device does.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }

  FakeBackend backend;

 private:
  void loop() {
    while (true) {
      Connection connection = listener_.accept();
      set_fd(connection.fd());
      if (stop_) return;
      const BusyDoor door(listener_);
      serve(connection, backend, options_);
      set_fd(-1);
      connection.close();
      if (stop_) return;
    }
  }

  void set_fd(int fd) {
    const std::lock_guard lock(mutex_);
    fd_ = fd;
  }

  const ServeOptions options_;
  Listener listener_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  int fd_ = -1;
  std::thread thread_;
};

}  // namespace bittern::testing
