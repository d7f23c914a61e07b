#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/lowered.h"
#include "supervisor/notify/hmac.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {
namespace {

Failure refuse(std::string message) { return fail(ErrorCode::invalid, std::move(message)); }

// Sets where the request goes: the operator's URL, or the call's if it may.
Result<void> aim(WebRequest& request, const WebHookChannel& way, const RequestSubject& subject) {
  const auto given = subject.content.options.find("url");
  if (given == subject.content.options.end() || !given->is_string()) {
    if (way.url.empty()) {
      return refuse(
          fmt::format("the call names no URL and [notify.{}] has none", subject.channel.name));
    }
    request.url = Secret(way.url);
    return {};
  }
  const auto& text = given->get_ref<const std::string&>();
  request.url = Secret(text);
  if (text == way.url) return {};
  const auto url = parse_url(text, {"https", "http"});
  if (!url) return refuse(url.error().message);
  const auto allowed = std::ranges::find_if(
      way.allowed, [&](const AllowedHost& host) { return host.matches(*url); });
  if (allowed == way.allowed.end()) {
    return refuse(fmt::format("the host {}{} is not one that [notify.{}] allows; add it to `allow`",
                              url->host, url->port_is_default ? "" : fmt::format(":{}", url->port),
                              subject.channel.name));
  }
  request.public_only = !way.allow_private && !allowed->is_address;
  return {};
}

// Adds the call's headers, and says which of `wanted` (lowercase) it gave.
Result<void> add_headers(WebRequest& request, const Json& options, bool& gave_type) {
  const auto headers = options.find("headers");
  if (headers == options.end()) return {};
  if (!headers->is_object()) return refuse("options.headers must be a table of texts");
  for (const auto& [name, value] : headers->items()) {
    const auto in_token = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    if (name.empty() || !std::ranges::all_of(name, in_token)) {
      return refuse("a name in options.headers is no name of a header");
    }
    if (!value.is_string()) return refuse(fmt::format("options.headers.{} must be a text", name));
    const auto& text = value.get_ref<const std::string&>();
    const auto is_control = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (std::ranges::any_of(text, is_control)) {
      return refuse(
          fmt::format("options.headers.{} holds a line break or another control character", name));
    }
    const std::string lower = lowered(name);
    const bool is_ours = lower.starts_with("x-hastur-");
    for (const char* other :
         {"authorization", "proxy-authorization", "cookie", "host", "content-length",
          "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"}) {
      if (lower == other || is_ours)
        return refuse(fmt::format("a call may not set the header {}", name));
    }
    gave_type = gave_type || lower == "content-type";
    // "Name;" is how libcurl writes an empty header.
    request.headers.emplace_back(text.empty() ? name + ";" : name + ": " + text);
  }
  return {};
}

}  // namespace

Result<OutgoingRequest> web_hook_request(const WebHookChannel& way, const RequestSubject& subject) {
  const Json& options = subject.content.options;
  WebRequest request;
  request.ca_file = subject.channel.ca_file;
  HASTUR_TRY(aim(request, way, subject));
  if (const auto method = options.find("method"); method != options.end()) {
    const std::string name = method->is_string() ? method->get<std::string>() : "";
    if (name != "POST" && name != "PUT" && name != "PATCH" && name != "DELETE" && name != "GET") {
      return refuse("options.method must be one of POST, PUT, PATCH, DELETE, GET");
    }
    request.method = name;
  }
  bool gave_type = false;
  HASTUR_TRY(add_headers(request, options, gave_type));

  std::string body;
  if (const auto given = options.find("body"); given == options.end()) {
    body = canonical_json(notification_json(subject));
  } else {
    body = given->is_string() ? given->get<std::string>() : canonical_json(*given);
  }
  if (request.method == "GET") body.clear();
  if (!gave_type && request.method != "GET") {
    request.headers.emplace_back("Content-Type: application/json");
  }
  if (!way.authorization.value.empty()) {
    request.headers.emplace_back("Authorization: " + way.authorization.value.reveal());
  }
  if (!way.signing_key.value.empty()) {
    request.headers.emplace_back("X-Hastur-Signature: sha256=" +
                                 hmac_sha256_hex(way.signing_key.value, body));
  }
  request.body = Secret(std::move(body));
  return OutgoingRequest{std::move(request)};
}

}  // namespace hastur
