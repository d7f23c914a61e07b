#include "supervisor/cli/demo_setup.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "core/fd.h"
#include "core/settings.h"

namespace hastur {
namespace {

std::optional<sockaddr_in> ipv4_of(const HostAndPort& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (inet_pton(AF_INET, host.c_str(), &out.sin_addr) != 1) return std::nullopt;
  return out;
}

// A socket that holds the address as a daemon would; not open if somebody else does.
Fd hold(const sockaddr_in& address, int type) {
  Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  // As servers do: connections that a former server closed do not count as taken.
  const int on = 1;
  if (type == SOCK_STREAM) setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  if (type == SOCK_STREAM && listen(socket.get(), 1) != 0) return {};
  return socket;
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

std::string demo_config(const DemoAddresses& addresses, const std::string& directory,
                        const std::string& triggers) {
  constexpr const char* text =
      R"(# What `hastur demo` runs with. Written once; change it as you like, or delete it to get it anew.
# docs/hastur.toml shows every key with its meaning.

[syndicator]
udp = "{udp}"                  # messages arrive here, one JSON object a datagram
publish = "{publish}"        # the numbered stream
request = "{request}"        # reading back, appending derived messages
history = "{directory}/history"

[supervisor]
publish = "{publish}"        # the syndicator's
request = "{request}"
http = "{http}"                 # what `hastur list` and its like ask
state = "{directory}/state.db"
notify = "record"                       # on: send notifications; record: keep them; off

[triggers]
directory = "{triggers}"        # watched: a saved file runs at once
)";
  return fmt::format(fmt::runtime(text), fmt::arg("udp", addresses.udp),
                     fmt::arg("publish", addresses.publish), fmt::arg("request", addresses.request),
                     fmt::arg("http", addresses.http), fmt::arg("directory", directory),
                     fmt::arg("triggers", triggers));
}

Result<DemoAddresses> read_addresses(const std::string& config) {
  DemoAddresses addresses;
  Settings settings;
  settings.pass_over_unknown();
  settings.section("syndicator").text("udp", &addresses.udp, "");
  settings.section("syndicator").text("publish", &addresses.publish, "");
  settings.section("syndicator").text("request", &addresses.request, "");
  settings.section("supervisor").text("http", &addresses.http, "");
  HASTUR_TRY(settings.read_file(config));
  return addresses;
}

Result<HostAndPort> split_address(const std::string& address) {
  const std::size_t scheme = address.find("://");
  const auto split =
      split_host_port(scheme == std::string::npos ? std::string_view(address)
                                                  : std::string_view(address).substr(scheme + 3));
  if (split) return *split;
  return fail(ErrorCode::invalid,
              fmt::format("\"{}\" is no address; write host:port, as in 127.0.0.1:8125", address));
}

Result<std::vector<std::string>> avoid_taken_ports(DemoAddresses& addresses) {
  struct Wanted {
    const char* what;
    int type;
    std::string* address;
  };
  const Wanted wanted[] = {{"UDP", SOCK_DGRAM, &addresses.udp},
                           {"TCP", SOCK_STREAM, &addresses.publish},
                           {"TCP", SOCK_STREAM, &addresses.request},
                           {"TCP", SOCK_STREAM, &addresses.http}};
  std::vector<std::string> sentences;
  // Held until all are found, so that no two get the same.
  std::vector<Fd> held;
  for (const Wanted& each : wanted) {
    const auto split = split_address(*each.address);
    if (!split) return fail(split.error());
    auto address = ipv4_of(*split);
    // Names and IPv6 are left to the daemon: it says itself what it cannot bind.
    if (!address) continue;
    if (Fd socket = hold(*address, each.type); socket.is_open()) {
      held.push_back(std::move(socket));
      continue;
    }
    const int cause = errno;
    address->sin_port = 0;
    Fd socket = cause == EADDRINUSE ? hold(*address, each.type) : Fd();
    if (!socket.is_open()) {
      return fail(ErrorCode::failed, fmt::format("cannot listen at {}: {}", *each.address,
                                                 std::generic_category().message(cause)));
    }
    const std::uint16_t port = port_of(socket);
    held.push_back(std::move(socket));
    sentences.push_back(fmt::format("{} port {} is taken; using {}", each.what, split->port, port));
    each.address->replace(each.address->rfind(':') + 1, std::string::npos, std::to_string(port));
  }
  return sentences;
}

bool accepts_connections(const std::string& address) {
  const auto split = split_address(address);
  if (!split) return false;
  const auto ipv4 = ipv4_of(*split);
  if (!ipv4) return false;
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&*ipv4), sizeof *ipv4) == 0;
}

std::string find_script(const std::string& folder, std::string_view text) {
  std::vector<std::string> scripts;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    const std::string path = entry->path();
    if (path.ends_with(".lua") && !path.ends_with(".test.lua")) scripts.push_back(path);
  }
  std::sort(scripts.begin(), scripts.end());
  for (const std::string& script : scripts) {
    std::ifstream file(script, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
    if (content.find(text) != std::string::npos) return script;
  }
  return {};
}

}  // namespace hastur
