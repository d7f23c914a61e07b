#pragma once

// Addresses as people write them: "127.0.0.1:8125", "[::1]:8125", "metrics.example.com:8125".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hastur {

struct HostAndPort {
  // Without the brackets of an IPv6 address.
  std::string host;
  std::uint16_t port = 0;
};

// Nothing if there is no host, no ':', or what follows the last one is no number up to 65535.
// Whether the host is one, nobody asks here.
std::optional<HostAndPort> split_host_port(std::string_view text);

}  // namespace hastur
