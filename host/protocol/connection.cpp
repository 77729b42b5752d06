#include "host/protocol/connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstring>

namespace bittern {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Milliseconds = Connection::Milliseconds;
using ErrorCode = boost::system::error_code;

/// See transfer_time().
constexpr std::size_t kLeastBytesPerMs = 256;

Clock::time_point deadline_for(Milliseconds timeout, std::size_t bytes) {
  return Clock::now() + timeout + transfer_time(bytes);
}

[[noreturn]] void fail_closed() {
  throw ConnectionError(ConnectionError::Kind::kClosed, "the other side closed the connection");
}

[[noreturn]] void fail_timeout(const char* what, Milliseconds timeout) {
  throw ConnectionError(ConnectionError::Kind::kTimeout,
                        fmt::format("{} within {:.1f} s", what, timeout.count() / 1000.0));
}

[[noreturn]] void fail_code(const ErrorCode& code) {
  if (code == asio::error::eof || code == asio::error::connection_reset ||
      code == asio::error::broken_pipe) {
    fail_closed();
  }
  throw ConnectionError(ConnectionError::Kind::kFailed, code.message());
}

/// How often a wait looks at its check.
constexpr int kCheckEveryMs = 100;

/// Waits for events on a descriptor until `deadline` (null: for ever). `check`, when it is not
/// empty, is called while it waits.
bool wait_for(int fd, short events, const Clock::time_point* deadline,
              const std::function<void()>& check) {
  while (true) {
    int wait_ms = check ? kCheckEveryMs : -1;
    if (deadline) {
      const auto left = std::chrono::ceil<Milliseconds>(*deadline - Clock::now()).count();
      const auto most = std::min<std::int64_t>(left, check ? kCheckEveryMs : 3600000);
      wait_ms = left <= 0 ? 0 : static_cast<int>(most);
    }
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, wait_ms);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      throw ConnectionError(ConnectionError::Kind::kFailed,
                            fmt::format("poll: {}", std::strerror(errno)));
    }
    if (check) check();
    if (ready == 0 && deadline && Clock::now() >= *deadline) return false;
  }
}

void set_close_on_exec(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

template <typename T>
void set_option(int fd, int level, int name, T value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// Options that make TCP behave: no 40 ms delays, and a peer whose machine vanished is noticed
/// within a minute even though it sends nothing.
void tune(int fd, bool tcp) {
  set_close_on_exec(fd);
  if (!tcp) return;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

asio::local::stream_protocol::endpoint unix_address(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    fail_usage("unix:{}: the path is longer than a unix socket's may be ({} characters)", path,
               sizeof(sockaddr_un::sun_path) - 1);
  }
  return asio::local::stream_protocol::endpoint(path);
}

}  // namespace

std::chrono::milliseconds transfer_time(std::size_t bytes) {
  return Milliseconds(bytes / kLeastBytesPerMs);
}

Endpoint Endpoint::parse(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    fail_usage(
        "device address '{}': {}; expected unix:/path, tcp:host:port, or tcp:port (this "
        "machine)",
        text, why);
  };
  Endpoint endpoint;
  if (text.rfind("unix:", 0) == 0) {
    endpoint.kind = Kind::kUnix;
    endpoint.path = text.substr(5);
    if (endpoint.path.empty()) bad("the path is missing");
    if (endpoint.path.find('\0') != std::string::npos) bad("the path holds a null character");
    return endpoint;
  }
  const std::string rest = text.rfind("tcp:", 0) == 0 ? text.substr(4) : text;
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string::npos && rest.size() == text.size()) bad("the port is missing");
  endpoint.host = colon == std::string::npos ? "127.0.0.1" : rest.substr(0, colon);
  const std::string port = colon == std::string::npos ? rest : rest.substr(colon + 1);
  if (endpoint.host.size() > 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);  // [::1]:port
  }
  if (endpoint.host.empty()) bad("the host is missing");
  if (endpoint.host.find('/') != std::string::npos) {  // http://host:port, tcp://host:port
    bad(fmt::format("'{}' is no name of a host (no slashes behind tcp:)", endpoint.host));
  }
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (code != std::errc() || end != port.data() + port.size()) {
    bad(fmt::format("'{}' is no port from 0 to 65535", port));
  }
  return endpoint;
}

std::string Endpoint::text() const {
  if (kind == Kind::kUnix) return "unix:" + path;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format(v6 ? "tcp:[{}]:{}" : "tcp:{}:{}", host, port);
}

struct Connection::Impl {
  asio::io_context context{1};
  asio::generic::stream_protocol::socket socket{context};
  std::function<void()> check;

  /// Takes over a connected descriptor.
  void adopt(int fd, int domain, int protocol) {
    tune(fd, domain != AF_UNIX);
    socket.assign(asio::generic::stream_protocol(domain, protocol), fd);
    socket.non_blocking(true);
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::from_fd(int fd) {
  const auto option = [fd](int name) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) {
      fail(
          "descriptor {} is no socket ({}); a device is given one end of a connected stream socket",
          fd, std::strerror(errno));
    }
    return value;
  };
  if (option(SO_TYPE) != SOCK_STREAM || option(SO_ACCEPTCONN) != 0) {
    fail("descriptor {} is not a connected stream socket", fd);
  }
  auto impl = std::make_unique<Impl>();
  impl->adopt(fd, option(SO_DOMAIN), option(SO_PROTOCOL));
  return Connection(std::move(impl));
}

std::pair<Connection, Connection> Connection::pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail("cannot make a socket pair: {}", std::strerror(errno));
  }
  auto first = std::make_unique<Impl>();
  auto second = std::make_unique<Impl>();
  first->adopt(ends[0], AF_UNIX, 0);
  second->adopt(ends[1], AF_UNIX, 0);
  return {Connection(std::move(first)), Connection(std::move(second))};
}

Connection Connection::connect(const Endpoint& endpoint, Milliseconds timeout,
                               const std::function<void()>& check) {
  auto impl = std::make_unique<Impl>();
  auto& socket = impl->socket;
  const Clock::time_point deadline = Clock::now() + timeout;
  const auto failure = [&](const std::string& why) {
    return ConnectionError(ConnectionError::Kind::kFailed,
                           fmt::format("cannot connect to {}: {}; is the device running there?",
                                       endpoint.text(), why));
  };

  std::vector<asio::generic::stream_protocol::endpoint> addresses;
  ErrorCode code;
  if (endpoint.kind == Endpoint::Kind::kUnix) {
    addresses.emplace_back(unix_address(endpoint.path));
  } else {
    asio::ip::tcp::resolver resolver(impl->context);
    const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port), code);
    if (code) throw failure(code.message());
    for (const auto& entry : found) addresses.emplace_back(entry.endpoint());
  }
  std::string why = "no address";
  for (const auto& address : addresses) {
    socket.close(code);
    socket.open(address.protocol(), code);
    if (code) {
      why = code.message();
      continue;
    }
    set_close_on_exec(socket.native_handle());
    // Connected without blocking, so that a host that does not answer costs `timeout` only.
    socket.non_blocking(true);
    int result =
        ::connect(socket.native_handle(), address.data(), static_cast<socklen_t>(address.size()));
    int error = result == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EAGAIN) {
      if (!wait_for(socket.native_handle(), POLLOUT, &deadline, check)) {
        throw failure("no answer in time");
      }
      socklen_t size = sizeof error;
      ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) {
      tune(socket.native_handle(), endpoint.kind == Endpoint::Kind::kTcp);
      impl->check = check;
      return Connection(std::move(impl));
    }
    why = std::strerror(error);
  }
  throw failure(why);
}

void Connection::on_wait(std::function<void()> check) {
  if (impl_) impl_->check = std::move(check);
}

void Connection::send(Bytes head, Bytes body, Milliseconds timeout) {
  if (fd() < 0) fail_closed();
  const Clock::time_point deadline = deadline_for(timeout, head.size() + body.size());
  while (!head.empty() || !body.empty()) {
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head.data(), head.size()),
                                                       asio::buffer(body.data(), body.size())};
    ErrorCode code;
    const std::size_t sent = impl_->socket.send(buffers, 0, code);
    if (code == asio::error::would_block || code == asio::error::try_again) {
      if (!wait_for(fd(), POLLOUT, &deadline, impl_->check)) {
        fail_timeout("the other side did not read", timeout);
      }
      continue;
    }
    if (code == asio::error::interrupted) continue;
    if (code) fail_code(code);
    const std::size_t of_head = std::min(sent, head.size());
    head = head.subspan(of_head, head.size() - of_head);
    body = body.subspan(sent - of_head, body.size() - (sent - of_head));
  }
}

bool Connection::receive(MutableBytes out, Milliseconds timeout) {
  if (fd() < 0) fail_closed();
  const Clock::time_point deadline = deadline_for(timeout, out.size());
  std::size_t done = 0;
  while (done < out.size()) {
    ErrorCode code;
    done += impl_->socket.receive(asio::buffer(out.data() + done, out.size() - done), 0, code);
    if (code == asio::error::would_block || code == asio::error::try_again) {
      if (!wait_for(fd(), POLLIN, &deadline, impl_->check)) {
        fail_timeout(done == 0 ? "nothing came" : "the rest of the frame did not come", timeout);
      }
      continue;
    }
    if (code == asio::error::interrupted) continue;
    if (code == asio::error::eof && done == 0) return false;
    if (code) fail_code(code);
  }
  return true;
}

bool Connection::wait_readable(Milliseconds timeout) {
  if (fd() < 0) fail_closed();
  const Clock::time_point deadline = Clock::now() + timeout;
  return wait_for(fd(), POLLIN, timeout.count() < 0 ? nullptr : &deadline, impl_->check);
}

bool Connection::peer_gone() const {
  if (fd() < 0) return true;
  pollfd entry{fd(), POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int Connection::fd() const {
  return impl_ && impl_->socket.is_open() ? impl_->socket.native_handle() : -1;
}

void Connection::close() {
  if (!impl_) return;
  ErrorCode code;
  impl_->socket.close(code);
}

struct Listener::Impl {
  asio::io_context context{1};
  asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor{context};
  Endpoint endpoint;
};

namespace {

/// Whether a server answers at a unix socket.
bool somebody_listens(const std::string& path) {
  try {
    Endpoint endpoint;
    endpoint.kind = Endpoint::Kind::kUnix;
    endpoint.path = path;
    Connection::connect(endpoint, Milliseconds(1000));
    return true;
  } catch (const ConnectionError&) {
    return false;
  }
}

}  // namespace

Listener::Listener(const Endpoint& endpoint) : impl_(std::make_unique<Impl>()) {
  impl_->endpoint = endpoint;
  auto& acceptor = impl_->acceptor;
  ErrorCode code;
  const auto check = [&](const char* what) {
    if (code) fail("cannot listen on {}: {}: {}", endpoint.text(), what, code.message());
  };
  asio::generic::stream_protocol::endpoint address;
  if (endpoint.kind == Endpoint::Kind::kUnix) {
    address = unix_address(endpoint.path);
    struct stat status {};
    if (::lstat(endpoint.path.c_str(), &status) == 0) {
      if (!S_ISSOCK(status.st_mode)) {
        fail("cannot listen on {}: there is a file of that name", endpoint.text());
      }
      if (somebody_listens(endpoint.path)) {
        fail("cannot listen on {}: another server does already", endpoint.text());
      }
      ::unlink(endpoint.path.c_str());
    }
  } else {
    asio::ip::tcp::resolver resolver(impl_->context);
    const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port),
                                        asio::ip::tcp::resolver::passive, code);
    check("resolve");
    address = found.begin()->endpoint();
  }
  acceptor.open(address.protocol(), code);
  check("open");
  set_close_on_exec(acceptor.native_handle());
  if (endpoint.kind == Endpoint::Kind::kTcp) {
    set_option(acceptor.native_handle(), SOL_SOCKET, SO_REUSEADDR, 1);
  }
  // Nobody but this user may connect to a unix socket.
  const mode_t mask = ::umask(0077);
  acceptor.bind(address, code);
  ::umask(mask);
  check("bind");
  acceptor.listen(16, code);
  check("listen");
  // A client that leaves between poll and accept must not block the one who accepts.
  acceptor.native_non_blocking(true, code);
  check("switch to non-blocking");
  if (endpoint.kind == Endpoint::Kind::kTcp) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(acceptor.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size);
    impl_->endpoint.port =
        ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                          : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  }
}

Listener::~Listener() {
  if (impl_->endpoint.kind == Endpoint::Kind::kUnix && impl_->acceptor.is_open()) {
    ::unlink(impl_->endpoint.path.c_str());
  }
}

const Endpoint& Listener::endpoint() const { return impl_->endpoint; }

int Listener::fd() const { return impl_->acceptor.native_handle(); }

std::optional<Connection> Listener::accept_waiting() {
  const int client = ::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (client >= 0) return Connection::from_fd(client);
  // A client that left before it was accepted is no reason to stop listening.
  if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
    fail("cannot accept a client on {}: {}", impl_->endpoint.text(), std::strerror(errno));
  }
  return std::nullopt;
}

Connection Listener::accept() {
  while (true) {
    wait_for(fd(), POLLIN, nullptr, {});
    if (auto client = accept_waiting()) return std::move(*client);
  }
}

}  // namespace bittern
