#pragma once

// Asking the supervisor's HTTP API. The one wrapper of libcurl is http_client.cc.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"

namespace hastur {

// One connection, kept open between requests; each request waits for its answer.
class HttpClient {
 public:
  // `address` is "127.0.0.1:8127" or "http://…". `timeout` is for each request, from connecting to
  // the last byte.
  HttpClient(std::string address, Micros timeout);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  struct Answer {
    unsigned status = 0;
    std::string body;
  };
  using Query = std::map<std::string, std::string>;

  // Any answer of a server, whatever its status. `unavailable` if none came; an answer over 64 MiB
  // fails.
  Result<Answer> get(const std::string& path, const Query& query = {});

  // The body of an answer with status 200. Otherwise the error is the sentence that the server
  // gave, `not_found` for status 404.
  Result<Json> get_json(const std::string& path, const Query& query = {});

  // Sends `body` as a POST with the token; as get_json() otherwise. For status 401 the error also
  // says where the token is looked for.
  Result<Json> post_json(const std::string& path, const Json& body, const std::string& token);

  // From here on, while a request waits for its answer, `look` is called so often; what it fails
  // with ends the request.
  void while_waiting(Micros every, std::function<Result<void>()> look);

  const std::string& address() const { return address_; }

 private:
  struct Curl;
  Result<Json> json_of(const Result<Answer>& answer, const std::string& path) const;
  std::string address_;
  std::unique_ptr<Curl> curl_;
};

// Percent-encoded, but for letters, digits, "-._~" and '/'.
std::string url_path(std::string_view text);

}  // namespace hastur
