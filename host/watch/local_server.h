#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace bittern {

/// What the server answers to a GET.
struct WebAnswer {
  int status = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body;
  bool stream = false;  ///< no body: server-sent events from now on
};

/// A small HTTP server for pages on this machine: on 127.0.0.1 only, GET and HEAD only, one thread.
///
/// What it takes from a client is bounded (a header of 8 KiB, no body, 10 s for a request and for
/// an answer, kMostClients at once), and requests whose Host is not this server's are refused, so
/// that no page of elsewhere can read it by way of a name of its own. A client that reads slowly
/// gets fewer events, and keeps nobody waiting.
class LocalServer {
 public:
  static constexpr std::size_t kMostClients = 64;

  /// `path` is what follows the host, without a query. Must not throw.
  using Handler = std::function<WebAnswer(const std::string& path)>;

  /// Listens at once. `port` 0: any that is free. Throws Error when the port cannot be had.
  LocalServer(std::uint16_t port, Handler handler);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::uint16_t port() const;

  /// Serves; calls `tick` every `milliseconds`, in the same thread. `tick` returns false to end,
  /// and gives by `event` what all streams are sent when it is not empty: the text of one
  /// server-sent event, with its blank line. A stream that begins later gets the last one at once.
  void run(int milliseconds, const std::function<bool(std::string& event)>& tick);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace bittern
