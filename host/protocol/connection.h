#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/base/error.h"
#include "host/base/span.h"

namespace bittern {

/// The peer is gone, is silent, or does not read: the connection cannot be used any more.
class ConnectionError : public Error {
 public:
  enum class Kind { kClosed, kTimeout, kFailed };
  ConnectionError(Kind kind, const std::string& message) : Error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Address of a device: "unix:/path", "tcp:host:port", "tcp:port" (loopback), "host:port".
struct Endpoint {
  enum class Kind { kUnix, kTcp };
  Kind kind = Kind::kTcp;
  std::string path;  ///< kUnix
  std::string host;  ///< kTcp
  std::uint16_t port = 0;

  /// Throws Error (exit status 2) naming the text and the forms that are understood.
  static Endpoint parse(const std::string& text);
  std::string text() const;
};

/// Connected stream socket (unix or TCP) with time limits. Not thread-safe, movable. Closed when it
/// is destroyed; close-on-exec; TCP without Nagle's delay and with keep-alive.
class Connection {
 public:
  using Milliseconds = std::chrono::milliseconds;

  /// Takes over a connected stream socket. Throws Error when `fd` is not one.
  static Connection from_fd(int fd);
  /// Connects; throws ConnectionError when nobody answers within `timeout`. `check`: see on_wait().
  static Connection connect(const Endpoint& endpoint, Milliseconds timeout,
                            const std::function<void()>& check = {});
  /// Two connected ends (unix socket pair).
  static std::pair<Connection, Connection> pair();

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// From now on `check` is called about ten times a second while a call waits for the peer; what
  /// it throws ends the wait. Empty: none.
  void on_wait(std::function<void()> check);

  /// Sends both parts in one gathered write. Throws ConnectionError when the peer is gone or does
  /// not read: when it takes longer than `timeout` plus the time of the bytes at 256 kB/s.
  void send(Bytes head, Bytes body, Milliseconds timeout);
  /// Receives exactly out.size() bytes; false when the stream ended before the first of them.
  /// Throws ConnectionError when it ends later, or after `timeout` plus the time of the bytes at
  /// 256 kB/s.
  bool receive(MutableBytes out, Milliseconds timeout);
  /// Whether there is something to receive (or the end of the stream) within `timeout` (negative:
  /// waits for ever).
  bool wait_readable(Milliseconds timeout);
  /// Whether the peer has closed its end, without reading. Cheap.
  bool peer_gone() const;
  /// The socket's descriptor, still owned by the connection; -1 after close().
  int fd() const;
  void close();

 private:
  friend class Listener;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Time that the transfer of so many bytes may take beyond its timeout: large frames over slow
/// lines are fine, a peer that sends a byte now and then is not.
std::chrono::milliseconds transfer_time(std::size_t bytes);

/// Listening socket. A unix socket's file is removed when the listener is destroyed.
class Listener {
 public:
  /// Throws Error when the address cannot be listened on. A unix socket left behind by a dead
  /// server is replaced; one in use, or a file of another kind, is an error.
  explicit Listener(const Endpoint& endpoint);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Where it listens, with the port that was really taken.
  const Endpoint& endpoint() const;
  /// Waits for the next client.
  Connection accept();
  /// A client that waits already, if there is one.
  std::optional<Connection> accept_waiting();
  /// The socket's descriptor, readable when a client waits; still owned by the listener.
  int fd() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bittern
