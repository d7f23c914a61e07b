#pragma once

// What `hastur demo` needs before it starts anything: a configuration, and addresses that nobody
// else has.

#include <string>
#include <vector>

#include "core/host_port.h"
#include "core/result.h"

namespace hastur {

struct DemoAddresses {
  std::string udp = "127.0.0.1:8125";
  std::string publish = "tcp://127.0.0.1:4945";
  std::string request = "tcp://127.0.0.1:4944";
  std::string http = "127.0.0.1:8127";
  friend bool operator==(const DemoAddresses&, const DemoAddresses&) = default;
};

// hastur.toml with comments. `directory` holds History and state; both paths are absolute.
std::string demo_config(const DemoAddresses& addresses, const std::string& directory,
                        const std::string& triggers);

// The addresses that a hastur.toml names; defaults where it does not. Its other keys are the
// daemons' business.
Result<DemoAddresses> read_addresses(const std::string& config);

// Replaces the port of each address at which somebody listens already by a free one. Returns a
// sentence for each replaced: "UDP port 8125 is taken; using 40123". The ports are free when this
// returns; another program may still be quicker than the daemon.
Result<std::vector<std::string>> avoid_taken_ports(DemoAddresses& addresses);

// Splits "tcp://127.0.0.1:4945" or "127.0.0.1:8125"; `invalid` if the end is no port.
Result<HostAndPort> split_address(const std::string& address);

// Whether something accepts TCP connections there.
bool accepts_connections(const std::string& address);

// The first script below `folder`, in order of their paths, that holds `text`; with an empty text
// the first at all. Empty if there is none.
std::string find_script(const std::string& folder, std::string_view text);

}  // namespace hastur
