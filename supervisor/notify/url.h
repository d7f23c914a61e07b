#pragma once

// Where a request may go: addresses of the web as libcurl reads them, so that what is checked is
// what is connected to.

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace hastur {

struct Url {
  std::string scheme;
  // Lowercase; an IPv6 address without its brackets.
  std::string host;
  // The scheme's own if the URL names none.
  std::uint16_t port = 0;
  bool port_is_default = true;
};

// Fails for what is not an absolute URL of one of `schemes`, and for one that holds a user name or
// password: secrets do not stand in URLs. The error does not repeat the text.
Result<Url> parse_url(std::string_view text, const std::vector<std::string>& schemes);

// One entry of a web hook's `allow`: "hooks.example.com" (its scheme's own port), "*.example.com"
// (any host below), "127.0.0.1:9000", "[::1]:9000".
struct AllowedHost {
  std::string host;
  bool any_below = false;
  // 0: the scheme's own.
  std::uint16_t port = 0;
  // The entry is an address, which the operator has thus allowed whatever it is.
  bool is_address = false;

  bool operator==(const AllowedHost&) const = default;

  bool matches(const Url& url) const;
};
Result<AllowedHost> parse_allowed_host(std::string_view text);

// Whether `address` is one of the public internet: not loopback, link-local, private, shared,
// reserved, multicast, nor an IPv6 form of such an IPv4 address. Only AF_INET and AF_INET6 are.
bool is_public_address(const sockaddr& address);

}  // namespace hastur
