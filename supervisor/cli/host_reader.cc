#include "supervisor/cli/host_reader.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "message/message.h"

namespace hastur {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The first address that others could reach; loopback's if there is none.
std::string own_ipv4() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return "127.0.0.1";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(first, &freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    if ((each->ifa_flags & IFF_LOOPBACK) != 0 || (each->ifa_flags & IFF_UP) == 0) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr)
      return text.data();
  }
  return "127.0.0.1";
}

}  // namespace

HostIdentity identify_host() {
  HostIdentity identity;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) identity.hostname = name.data();
  std::string machine = text_of("/etc/machine-id");
  machine.erase(std::min(machine.find('\n'), machine.size()));
  // A container may have no machine id; its host name is the next best that lasts.
  identity.uuid =
      dns_uuid(fmt::format("{}.host.hastur", machine.empty() ? identity.hostname : machine));
  identity.ipv4 = own_ipv4();
  identity.pid = getpid();
  return identity;
}

HostReading read_host() {
  HostReading reading;
  reading.loadavg = text_of("/proc/loadavg");
  reading.stat = text_of("/proc/stat");
  reading.meminfo = text_of("/proc/meminfo");
  reading.diskstats = text_of("/proc/diskstats");
  reading.net_dev = text_of("/proc/net/dev");
  reading.uptime = text_of("/proc/uptime");
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/block", ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("loop") && !name.starts_with("ram") && !name.starts_with("dm-"))
      reading.disks.push_back(name);
  }
  for (const std::string& path : mount_points(text_of("/proc/mounts"))) {
    struct statvfs space {};
    if (statvfs(path.c_str(), &space) != 0) continue;
    // Of a file that is mounted alone, the folder of its device is meant.
    if (!std::filesystem::is_directory(path, ignored)) continue;
    reading.mounts.push_back(
        {path, space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize});
  }
  return reading;
}

}  // namespace hastur
