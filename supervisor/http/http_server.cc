#include "supervisor/http/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <limits>
#include <optional>
#include <set>

#include "core/host_port.h"
#include "core/json.h"
#include "core/log.h"

namespace hastur {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::chrono::steady_clock::duration beast_span(Micros span) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(span);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 percent-decoding; a '+' is a space only in a query. Nothing if a '%' has no two hex
// digits after it.
std::optional<std::string> decode_percent(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
        return std::nullopt;
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Sets path and query. Returns what is wrong with the target; empty if nothing is.
std::string parse_target(std::string_view target, HttpRequest& request) {
  const auto undecoded = [](std::string_view text) {
    return fmt::format("'{}': a '%' stands before two hex digits, and as %25 for itself", text);
  };
  const std::size_t mark = target.find('?');
  const auto path = decode_percent(target.substr(0, mark), false);
  if (!path) return undecoded(target.substr(0, mark));
  request.path = *path;
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decode_percent(pair.substr(0, equals), true);
    const auto value = decode_percent(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return undecoded(pair);
    if (!request.query.emplace(*name, *value).second)
      return fmt::format("the argument '{}' is given twice", *name);
  }
  return {};
}

// The answer to a request that could not be read.
HttpResponse unreadable(beast::error_code error) {
  const auto refuse = [](unsigned status, std::string_view reason, std::string_view sentence) {
    return HttpResponse{status, "application/json",
                        fmt::format(R"({{"error":"{}","reason":"{}"}})", sentence, reason)};
  };
  if (error == http::error::body_limit)
    return refuse(413, "too_large", "the body is larger than this server takes");
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refuse(431, "too_large", "the request line and headers have more than 16 KiB");
  return refuse(400, "not_http", "this is not an HTTP request");
}

class BeastServer;

// Owned by the operations that are under way on it (Asio's way): it lives as long as one of them.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, BeastServer& server)
      : stream_(std::move(socket)), server_(&server) {}

  void read();
  void close();
  void forget_server() { server_ = nullptr; }
  // Its next request, once it is there, is answered with 503.
  void turn_away() { turned_away_ = true; }
  // Its place in the order in which connections began to wait for a request; 0 if it has sent one.
  std::uint64_t waits_since() const { return waits_since_; }

 private:
  void read_body();
  void failed(beast::error_code error);
  // Reads all but the body. Returns what is wrong with the target; empty if nothing is.
  std::string read_head(HttpRequest& request) const;
  void answer();
  void write(HttpResponse response);

  beast::tcp_stream stream_;
  BeastServer* server_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::uint64_t waits_since_ = 0;
  bool turned_away_ = false;
};

class BeastServer final : public HttpServer {
 public:
  BeastServer(Loop& loop, Options options, Answer answer)
      : loop_(loop),
        options_(std::move(options)),
        answer_(std::move(answer)),
        acceptor_(loop.context()),
        retry_(loop.context()) {}

  ~BeastServer() override {
    for (const auto& connection : connections_) {
      connection->forget_server();
      connection->close();
    }
  }

  Result<void> open(const ListenAddress& where) {
    beast::error_code error;
    const tcp::endpoint endpoint(asio::ip::make_address(where.host), where.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return fail(ErrorCode::unavailable,
                  fmt::format("HTTP cannot listen on {}: {}; choose another address with --http or "
                              "[supervisor] http",
                              options_.address, error.message()));
    }
    loopback_ = where.loopback;
    accept();
    return {};
  }

  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }
  bool on_loopback() const override { return loopback_; }
  const Options& options() const { return options_; }
  const Answer& answer() const { return answer_; }
  void gone(const std::shared_ptr<Connection>& connection) { connections_.erase(connection); }
  std::uint64_t next_wait() { return ++waits_; }
  Counts counts() const override { return {connections_.size(), gave_way_, turned_away_}; }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) take(std::move(socket));
      if (!error) return accept();
      // Out of descriptors, most likely: a pause instead of a busy loop.
      log_warn("an HTTP connection could not be taken: {}", error.message());
      retry_.expires_after(std::chrono::milliseconds{100});
      retry_.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) accept();
      });
    });
  }

  void take(tcp::socket socket) {
    auto connection = std::make_shared<Connection>(std::move(socket), *this);
    if (connections_.size() >= options_.connections_max) {
      const auto order = [](const auto& one) { return one->waits_since() - 1; };
      const auto longest = std::ranges::min_element(connections_, {}, order);
      if (longest != connections_.end() && (*longest)->waits_since() != 0) {
        ++gave_way_;
        const auto held = *longest;
        held->close();
      } else {
        ++turned_away_;
        connection->turn_away();
      }
      tell_full();
      // Those that are turned away do not read what they are told.
      if (connections_.size() >= 2 * options_.connections_max) return;
    }
    connections_.insert(connection);
    connection->read();
  }

  // At once, and then each minute for as long as it goes on.
  void tell_full() {
    if (told_full_ != nullptr) return;
    log_warn(
        "{} HTTP connections are open, the most that may be: the one that waits longest for its "
        "client gives way to a new one ({} so far), which is turned away if all are being answered "
        "({} so far)",
        options_.connections_max, gave_way_, turned_away_);
    told_full_ = loop_.after(std::chrono::minutes{1}, [this] { told_full_.reset(); });
  }

  Loop& loop_;
  Options options_;
  Answer answer_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  bool loopback_ = false;
  std::uint64_t waits_ = 0, gave_way_ = 0, turned_away_ = 0;
  std::unique_ptr<Loop::Handle> told_full_;
  // With the connection's own operations the second owner: the server must reach all that are open
  // to close them.
  std::set<std::shared_ptr<Connection>> connections_;
};

void Connection::close() {
  beast::error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
  if (server_ != nullptr) std::exchange(server_, nullptr)->gone(shared_from_this());
}

void Connection::read() {
  if (server_ == nullptr) return;
  waits_since_ = server_->next_wait();
  parser_.emplace();
  parser_->header_limit(16 * 1024);
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  stream_.expires_after(beast_span(server_->options().client_span));
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](beast::error_code error, std::size_t) {
                            error ? self->failed(error) : self->read_body();
                          });
}

// How much may come depends on who sends it, and what.
void Connection::read_body() {
  if (server_ == nullptr) return;
  constexpr std::size_t body_bytes_max = 1u << 20;
  const auto& limit = server_->options().body_bytes_max;
  HttpRequest head;
  // What is wrong with it, answer() says.
  (void)read_head(head);
  const std::size_t most = limit ? limit(head) : body_bytes_max;
  if (const auto length = parser_->content_length(); length && *length > most)
    return write(unreadable(http::error::body_limit));
  parser_->body_limit(most);
  stream_.expires_after(beast_span(server_->options().client_span));
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](beast::error_code error, std::size_t) {
                     error ? self->failed(error) : self->answer();
                   });
}

void Connection::failed(beast::error_code error) {
  const bool is_http = error.category() == make_error_code(http::error::bad_method).category();
  if (!is_http || error == http::error::end_of_stream) return close();
  write(unreadable(error));
}

std::string Connection::read_head(HttpRequest& request) const {
  const auto& message = parser_->get();
  request.method = std::string(message.method_string());
  beast::error_code error;
  request.from_loopback = stream_.socket().remote_endpoint(error).address().is_loopback();
  const auto authorization = message[http::field::authorization];
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.substr(0, scheme.size()) == boost::string_view(scheme.data(), scheme.size())) {
    request.token = std::string(authorization.substr(scheme.size()));
  }
  const auto text_of = [&message](http::field field) {
    const auto value = message[field];
    return std::string(value.data(), value.size());
  };
  request.host = text_of(http::field::host);
  request.origin = text_of(http::field::origin);
  return parse_target({message.target().data(), message.target().size()}, request);
}

void Connection::answer() {
  if (server_ == nullptr) return;
  waits_since_ = 0;
  if (turned_away_) {
    return write({503, "application/json",
                  R"({"error":"there are too many connections; try again","reason":"busy"})"});
  }
  if (parser_->get().count(http::field::host) > 1) {
    return write({400, "application/json",
                  R"({"error":"there is more than one header Host","reason":"not_http"})"});
  }
  HttpRequest request;
  if (const std::string wrong = read_head(request); !wrong.empty())
    return write(
        {400, "application/json", canonical_json({{"error", wrong}, {"reason", "bad_argument"}})});
  request.body = std::move(parser_->get().body());
  stream_.expires_after(beast_span(server_->options().answer_span));
  server_->answer()(request, [weak = weak_from_this()](HttpResponse response) {
    if (const auto self = weak.lock()) self->write(std::move(response));
  });
}

void Connection::write(HttpResponse response) {
  if (server_ == nullptr) return;
  waits_since_ = 0;
  const bool broken = !parser_->is_done();
  response_ = {};
  response_.version(11);
  response_.result(response.status);
  response_.set(http::field::content_type, response.content_type);
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  response_.keep_alive(!broken && !turned_away_ && parser_->get().keep_alive());
  if (!broken && parser_->get().method() == http::verb::head) {
    response_.content_length(response.body.size());
  } else {
    response_.body() = std::move(response.body);
    response_.prepare_payload();
  }
  stream_.expires_after(beast_span(server_->options().client_span));
  http::async_write(stream_, response_,
                    [self = shared_from_this()](beast::error_code error, std::size_t) {
                      if (error || !self->response_.keep_alive()) return self->close();
                      self->read();
                    });
}

}  // namespace

Result<ListenAddress> parse_listen_address(const std::string& text) {
  const auto split = split_host_port(text);
  beast::error_code error;
  const auto address = asio::ip::make_address(split ? split->host : std::string(), error);
  if (!split || error) {
    return fail(
        ErrorCode::invalid,
        fmt::format("'{}' is not an address to listen on: write it as 127.0.0.1:8127 or [::1]:8127",
                    text));
  }
  ListenAddress where;
  where.host = address.to_string();
  where.port = split->port;
  where.loopback = address.is_loopback();
  return where;
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Loop& loop, const Options& options,
                                                       Answer answer) {
  const auto where = parse_listen_address(options.address);
  if (!where) return fail(where.error());
  auto server = std::make_unique<BeastServer>(loop, options, std::move(answer));
  HASTUR_TRY(server->open(*where));
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace hastur
