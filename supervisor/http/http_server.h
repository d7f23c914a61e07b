#pragma once

// A small HTTP/1.1 server on the supervisor's loop (Boost.Beast): requests in, one answer each,
// possibly later.
//
// Bounded in everything that a client controls: connections, header and body size, and the time a
// client may take to send its request or to read the answer. A slow client costs a connection,
// never the loop.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/loop.h"
#include "core/result.h"

namespace hastur {

struct HttpRequest {
  std::string method;
  // Percent-decoded, without the query.
  std::string path;
  // Percent-decoded.
  std::map<std::string, std::string> query;
  std::string body;
  // Whether the peer's address is a loopback one, and the bearer token it sent.
  bool from_loopback = false;
  std::string token;
  // The header Host, and Origin if a browser sent one.
  std::string host;
  std::string origin;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

class HttpServer {
 public:
  struct Options {
    // "127.0.0.1:8127", "[::1]:8127". Port 0: any free one (see port()).
    std::string address;
    // With one more, that which has waited longest for its client's next request gives way; if all
    // have sent theirs, the new one is answered with 503.
    std::size_t connections_max = 256;
    // Of a request, by its head: all but its body. Empty: 1 MiB of any.
    std::function<std::size_t(const HttpRequest& head)> body_bytes_max = {};
    Micros client_span = std::chrono::seconds{10};
    // How long an answer may be in the making.
    Micros answer_span = std::chrono::seconds{60};
  };
  // Must be called once, on the loop's thread; calls after the connection has gone are ignored.
  using Respond = std::function<void(HttpResponse)>;
  using Answer = std::function<void(const HttpRequest&, Respond)>;

  // `loop` outlives the server. The error names the address and the remedy (port taken, no such
  // address).
  static Result<std::unique_ptr<HttpServer>> listen(Loop& loop, const Options& options,
                                                    Answer answer);
  virtual ~HttpServer() = default;

  struct Counts {
    std::size_t open = 0;
    // Since the start: closed to make room for another, and turned away.
    std::uint64_t gave_way = 0;
    std::uint64_t turned_away = 0;
  };
  virtual Counts counts() const = 0;

  virtual std::uint16_t port() const = 0;
  // Of the address listened on.
  virtual bool on_loopback() const = 0;
};

// "host:port" or "[v6]:port" taken apart; the host is a literal address. An error names what is
// wrong.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool loopback = false;
};
Result<ListenAddress> parse_listen_address(const std::string& text);

}  // namespace hastur
