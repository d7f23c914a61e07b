#include "supervisor/notify/url.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/lowered.h"
#include "supervisor/notify/curl.h"

namespace hastur {
namespace {

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  const CurlText owned(text);
  return text;
}

bool is_address(const std::string& host) {
  std::array<std::uint8_t, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0)
    return std::nullopt;
  return port;
}

struct Range4 {
  std::uint32_t base;
  unsigned bits;
};
// IANA's special-purpose registry: what is not globally reachable, and multicast.
constexpr Range4 not_public[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0a80000, 16}, {0xc6120000, 15},
    {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4},
};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(not_public, [&](const Range4& range) {
    return (address ^ range.base) >> (32 - range.bits) == 0;
  });
}

bool is_public6(const std::uint8_t* bytes) {
  const auto four_at = [&](int at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
  };
  // ::ffff:a.b.c.d and 64:ff9b::a.b.c.d end in an IPv4 address, 2002:ab:cd:: begins with one.
  if (four_at(0) == 0 && four_at(4) == 0 && four_at(8) == 0x0000ffff)
    return is_public4(four_at(12));
  if (four_at(0) == 0x0064ff9b && four_at(4) == 0 && four_at(8) == 0)
    return is_public4(four_at(12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public4(four_at(2));
  // Global unicast, without Teredo and the documentation range.
  return (bytes[0] & 0xe0) == 0x20 && four_at(0) != 0x20010000 && four_at(0) != 0x20010db8;
}

}  // namespace

Result<Url> parse_url(std::string_view text, const std::vector<std::string>& schemes) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid,
                fmt::format("the URL is not one that begins with {}:// and names a host",
                            fmt::join(schemes, ":// or ")));
  };
  const bool odd = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  const CurlUrl url(curl_url());
  if (odd || curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return refuse();
  }
  Url parsed;
  parsed.scheme = lowered(part_of(url.get(), CURLUPART_SCHEME));
  if (std::ranges::find(schemes, parsed.scheme) == schemes.end()) return refuse();
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return fail(ErrorCode::invalid,
                "the URL holds a user name or password; secrets do not stand in URLs");
  }
  parsed.host = lowered(part_of(url.get(), CURLUPART_HOST));
  if (parsed.host.starts_with('[') && parsed.host.ends_with(']')) {
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  }
  const std::string own = part_of(url.get(), CURLUPART_PORT);
  parsed.port_is_default = own.empty();
  const auto port = port_of(part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  if (parsed.host.empty() || !port) return refuse();
  parsed.port = *port;
  return parsed;
}

bool AllowedHost::matches(const Url& url) const {
  const bool port_fits = port == 0
                             ? url.port_is_default || url.port == (url.scheme == "https" ? 443 : 80)
                             : url.port == port;
  if (!port_fits) return false;
  return any_below ? url.host.size() > host.size() + 1 && url.host.ends_with("." + host)
                   : url.host == host;
}

Result<AllowedHost> parse_allowed_host(std::string_view text) {
  const auto refuse = [&] {
    if (text.find('@') != std::string_view::npos) {
      return fail(ErrorCode::invalid,
                  "a host has no user and password; write \"hooks.example.com\"");
    }
    return fail(ErrorCode::invalid,
                fmt::format("\"{}\" is no host; write \"hooks.example.com\", \"*.example.com\" or "
                            "one with a port, \"10.0.0.5:8080\"",
                            text));
  };
  AllowedHost allowed;
  std::string host = lowered(std::string(text));
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string::npos) return refuse();
    const std::string rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!rest.empty()) {
      const auto port =
          rest.starts_with(':') ? port_of(std::string_view(rest).substr(1)) : std::nullopt;
      if (!port) return refuse();
      allowed.port = *port;
    }
  } else if (const auto colon = host.find(':');
             colon != std::string::npos && colon == host.rfind(':')) {
    const auto port = port_of(std::string_view(host).substr(colon + 1));
    if (!port) return refuse();
    allowed.port = *port;
    host.resize(colon);
  }
  if (host.starts_with("*.")) {
    allowed.any_below = true;
    host = host.substr(2);
  }
  allowed.is_address = is_address(host);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (host.empty() || (!allowed.is_address && !std::ranges::all_of(host, plain)) ||
      (allowed.is_address && allowed.any_below)) {
    return refuse();
  }
  allowed.host = std::move(host);
  return allowed;
}

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return is_public4(ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    return is_public6(six.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace hastur
