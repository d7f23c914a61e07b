#include "supervisor/cli/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/check.h"
#include "core/clock.h"
#include "core/json.h"

namespace hastur {
namespace {

constexpr std::size_t body_bytes_max = 64u << 20;

std::size_t append_body(char* bytes, std::size_t, std::size_t count, void* body_pointer) {
  auto* body = static_cast<std::string*>(body_pointer);
  // Fewer than were handed over: curl ends the transfer.
  if (body->size() + count > body_bytes_max) return 0;
  body->append(bytes, count);
  return count;
}

// `keep` stands as it is, besides what every URL may hold.
std::string encoded(std::string_view text, std::string_view keep) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos ||
                       keep.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

struct HttpClient::Curl {
  CURL* easy = curl_easy_init();
  char error[CURL_ERROR_SIZE] = {};
  SystemClock clock;
  Micros look_every{0};
  std::function<Result<void>()> look;
  // When it was asked, or looked at last.
  Micros looked{0};
  // What ended the request.
  std::optional<Error> ended;
  Curl() { HASTUR_CHECK(easy != nullptr, "libcurl could not be started"); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() { curl_easy_cleanup(easy); }

  // Called by curl about once a second while nothing comes. Other than 0 ends the transfer.
  static int wait(void* pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* curl = static_cast<Curl*>(pointer);
    if (curl->clock.monotonic() - curl->looked < curl->look_every) return 0;
    const Result<void> looked = curl->look();
    curl->looked = curl->clock.monotonic();
    if (looked) return 0;
    curl->ended = looked.error();
    return 1;
  }
};

HttpClient::HttpClient(std::string address, Micros timeout)
    : address_(std::move(address)), curl_(std::make_unique<Curl>()) {
  const auto timeout_ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  CURL* easy = curl_->easy;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  // The supervisor is asked, never a proxy of the environment on its behalf.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_->error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "hastur");
}

void HttpClient::while_waiting(Micros every, std::function<Result<void>()> look) {
  curl_->look_every = every;
  curl_->look = std::move(look);
  curl_easy_setopt(curl_->easy, CURLOPT_XFERINFODATA, curl_.get());
  curl_easy_setopt(curl_->easy, CURLOPT_XFERINFOFUNCTION, Curl::wait);
  curl_easy_setopt(curl_->easy, CURLOPT_NOPROGRESS, 0L);
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpClient::Answer> HttpClient::get(const std::string& path, const Query& query) {
  std::string url = address_.find("://") == std::string::npos ? "http://" + address_ : address_;
  url += path;
  char separator = '?';
  for (const auto& [key, value] : query) {
    url +=
        std::string(1, std::exchange(separator, '&')) + encoded(key, "") + "=" + encoded(value, "");
  }
  Answer answer;
  curl_->error[0] = '\0';
  curl_easy_setopt(curl_->easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_->easy, CURLOPT_WRITEDATA, &answer.body);
  curl_->looked = curl_->clock.monotonic();
  curl_->ended.reset();
  const CURLcode code = curl_easy_perform(curl_->easy);
  if (curl_->ended) return fail(*curl_->ended);
  if (code != CURLE_OK) {
    const char* cause = curl_->error[0] != '\0' ? curl_->error : curl_easy_strerror(code);
    return fail(
        ErrorCode::unavailable,
        fmt::format(
            "cannot ask the supervisor at {}: {}; is it running? (--http names another address)",
            address_, cause));
  }
  long status = 0;
  curl_easy_getinfo(curl_->easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<unsigned>(status);
  return answer;
}

Result<Json> HttpClient::get_json(const std::string& path, const Query& query) {
  return json_of(get(path, query), path);
}

Result<Json> HttpClient::post_json(const std::string& path, const Json& body,
                                   const std::string& token) {
  const std::string text = canonical_json(body);
  const std::string authorization = "Authorization: Bearer " + token;
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, authorization.c_str());
  // A large body is sent at once: no word is awaited that it may come.
  headers = curl_slist_append(headers, "Expect:");
  CURL* easy = curl_->easy;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text.c_str());
  const auto answer = get(path);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  curl_slist_free_all(headers);
  if (answer && answer->status == 401) {
    return fail(ErrorCode::failed,
                "the supervisor wants another token: --token-file names the file that holds it "
                "(`token` beside its state file, or its token_file)");
  }
  return json_of(answer, path);
}

Result<Json> HttpClient::json_of(const Result<Answer>& answer, const std::string& path) const {
  if (!answer) return fail(answer.error());
  auto body = parse_json(answer->body);
  if (answer->status == 200) {
    if (body) return body;
    return fail(ErrorCode::failed,
                fmt::format("{}{} answered what is {}", address_, path, body.error().message));
  }
  std::string sentence =
      fmt::format("{}{} answered with status {}", address_, path, answer->status);
  if (body && body->is_object() && body->contains("error") && (*body)["error"].is_string()) {
    sentence = (*body)["error"].get<std::string>();
  }
  return fail(answer->status == 404 ? ErrorCode::not_found : ErrorCode::failed,
              std::move(sentence));
}

std::string url_path(std::string_view text) { return encoded(text, "/"); }

}  // namespace hastur
