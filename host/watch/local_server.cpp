#include "host/watch/local_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::size_t kHeaderLimit = 8192;
constexpr auto kPatience = std::chrono::seconds(10);
/// A stream that nothing was sent on for so long gets a comment, which shows whether anybody reads.
constexpr auto kSilence = std::chrono::seconds(15);

void add_common_fields(http::fields& fields, const std::string& type) {
  fields.set(http::field::content_type, type);
  fields.set(http::field::cache_control, "no-store");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
  fields.set("Content-Security-Policy",
             "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src "
             "'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
}

}  // namespace

/// Owns the sockets. It outlives its connections: what is pending of them goes with its context.
class LocalServer::Server {
 public:
  Server(std::uint16_t port, Handler handler)
      : handler_(std::move(handler)), acceptor_(context_), timer_(context_) {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    beast::error_code code;
    acceptor_.open(here.protocol(), code);
    if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor_.bind(here, code);
    if (!code) acceptor_.listen(asio::socket_base::max_listen_connections, code);
    if (code) {
      fail("cannot listen on 127.0.0.1:{}: {}; choose another --port, or 0 for any", port,
           code.message());
    }
    port_ = acceptor_.local_endpoint().port();
  }

  std::uint16_t port() const { return port_; }

  void run(int milliseconds, const std::function<bool(std::string&)>& tick) {
    accept();
    wait(milliseconds, tick);
    context_.run();
  }

 private:
  class Client;

  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](beast::error_code code, tcp::socket socket) {
      accepting_ = false;
      // With every descriptor in use each try fails at once: the next one is for the next tick.
      if (code) return;
      // Beyond the limit the connection is closed at once; the listener goes on.
      if (clients_.size() < kMostClients) begin(std::move(socket));
      accept();
    });
  }

  void begin(tcp::socket socket);

  void wait(int milliseconds, const std::function<bool(std::string&)>& tick) {
    timer_.expires_after(std::chrono::milliseconds(milliseconds));
    timer_.async_wait([this, milliseconds, &tick](beast::error_code code) {
      if (code) return;
      std::string event;
      if (!tick(event)) return close();
      if (!event.empty()) last_event_ = event;
      spread(event);
      if (!accepting_) accept();
      wait(milliseconds, tick);
    });
  }

  void spread(const std::string& event);
  void close();

  const Handler handler_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::uint16_t port_ = 0;
  std::set<std::shared_ptr<Client>> clients_;
  std::string last_event_;
  bool accepting_ = false;
};

/// One connection.
class LocalServer::Server::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Server& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(std::uint64_t{0});
    stream_.expires_after(kPatience);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code code, std::size_t) { self->on_read(code); });
  }

  /// A stream's next event; what it could not take yet is replaced by it.
  void send(const std::string& event) {
    if (!streaming_) return;
    if (event.empty() && (writing_ || std::chrono::steady_clock::now() - last_ < kSilence)) return;
    waiting_ = event.empty() ? ":\n\n" : event;
    flush();
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    server_.clients_.erase(shared_from_this());
  }

 private:
  void on_read(beast::error_code code) {
    if (code == http::error::header_limit) return answer(plain(431, "header too large"), false);
    if (code == http::error::body_limit) return answer(plain(413, "no body expected"), false);
    // The other side went away, was too slow, or speaks no HTTP.
    if (code) return close();
    const auto& request = parser_->get();
    const bool keep = request.keep_alive();
    const bool head = request.method() == http::verb::head;
    const std::string host(request[http::field::host]);
    const std::string port = ":" + std::to_string(server_.port());
    if (host != "127.0.0.1" + port && host != "localhost" + port) {
      return answer(plain(403, "this server is for 127.0.0.1 and localhost only"), false);
    }
    if (!head && request.method() != http::verb::get) {
      return answer(plain(405, "GET and HEAD only"), false);
    }
    std::string path(request.target());
    path = path.substr(0, path.find('?'));
    const WebAnswer found = server_.handler_(path);
    if (found.stream && !head) return begin_stream();
    answer(found, keep, head);
  }

  static WebAnswer plain(int status, const std::string& text) {
    return {status, "text/plain; charset=utf-8", text + "\n", false};
  }

  void answer(const WebAnswer& answer, bool keep, bool head = false) {
    response_.emplace(static_cast<http::status>(answer.status), 11);
    add_common_fields(*response_, answer.type);
    response_->keep_alive(keep);
    response_->content_length(answer.body.size());
    if (!head) response_->body() = answer.body;
    if (answer.status == 405) response_->set(http::field::allow, "GET, HEAD");
    stream_.expires_after(kPatience);
    serializer_.emplace(*response_);
    const auto done = [self = shared_from_this(), keep](beast::error_code code, std::size_t) {
      if (code || !keep) return self->close();
      self->read();
    };
    if (head) {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  void begin_stream() {
    http::response<http::empty_body> head(http::status::ok, 11);
    add_common_fields(head, "text/event-stream");
    head.keep_alive(false);
    beast::error_code ignored;
    std::string text;
    http::response_serializer<http::empty_body> serializer(head);
    serializer.next(ignored, [&](beast::error_code&, const auto& buffers) {
      text += beast::buffers_to_string(buffers);
      serializer.consume(beast::buffer_bytes(buffers));
    });
    streaming_ = true;
    waiting_ = text + server_.last_event_;
    flush();
    watch_for_end();
  }

  /// Nothing more is expected from the other side; an end is noticed at once this way.
  void watch_for_end() {
    stream_.socket().async_read_some(
        asio::buffer(unread_), [self = shared_from_this()](beast::error_code code, std::size_t) {
          if (code) return self->close();
          self->watch_for_end();
        });
  }

  void flush() {
    if (writing_ || waiting_.empty()) return;
    writing_ = true;
    last_ = std::chrono::steady_clock::now();
    sending_ = std::exchange(waiting_, {});
    stream_.expires_after(kPatience);
    asio::async_write(stream_, asio::buffer(sending_),
                      [self = shared_from_this()](beast::error_code code, std::size_t) {
                        self->writing_ = false;
                        if (code) return self->close();
                        self->stream_.expires_never();
                        self->flush();
                      });
  }

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderLimit};
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool streaming_ = false;
  bool writing_ = false;
  std::string sending_;
  std::string waiting_;
  char unread_[256] = {};
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void LocalServer::Server::begin(tcp::socket socket) {
  const auto client = std::make_shared<Client>(*this, std::move(socket));
  clients_.insert(client);
  client->read();
}

void LocalServer::Server::spread(const std::string& event) {
  const auto all = clients_;  // sending may close, which changes the set
  for (const auto& client : all) client->send(event);
}

void LocalServer::Server::close() {
  beast::error_code ignored;
  acceptor_.close(ignored);
  const auto all = clients_;
  for (const auto& client : all) client->close();
}

LocalServer::LocalServer(std::uint16_t port, Handler handler)
    : server_(std::make_unique<Server>(port, std::move(handler))) {}

LocalServer::~LocalServer() = default;

std::uint16_t LocalServer::port() const { return server_->port(); }

void LocalServer::run(int milliseconds, const std::function<bool(std::string& event)>& tick) {
  server_->run(milliseconds, tick);
}

}  // namespace bittern
