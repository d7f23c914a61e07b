#pragma once

// What this host reports of itself, from the texts of /proc. No file is read here: the same texts
// give the same messages.
//
// Gauges say how things stand, counters how much since the reading before (Hastur's counters are
// deltas). docs/host-metrics.md lists the names.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/time.h"

namespace hastur {

// One reading of the host. A text that could not be read is empty, and what it would have said is
// left out.
struct HostReading {
  std::string loadavg;    // /proc/loadavg
  std::string stat;       // /proc/stat
  std::string meminfo;    // /proc/meminfo
  std::string diskstats;  // /proc/diskstats
  std::string net_dev;    // /proc/net/dev
  std::string uptime;     // /proc/uptime
  // Names of whole disks (/sys/block): diskstats lists their partitions too.
  std::vector<std::string> disks;
  struct Mount {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_free = 0;  // for those who are not root
  };
  std::vector<Mount> mounts;
};

struct HostIdentity {
  // Version 5 of the machine's id: the same after every start.
  std::string uuid;
  std::string hostname;
  std::string ipv4;
  int pid = 0;
};

class HostMetrics {
 public:
  explicit HostMetrics(HostIdentity identity) : identity_(std::move(identity)) {}

  // The messages of one reading, at `now`, as JSON: a registration at first and each 10 minutes, a
  // heartbeat of the agent each 5 s and of this process each 10 s, then the metrics. Percentages
  // and counters begin with the second reading; a counter that went back (a device that was taken
  // out) says nothing once.
  std::vector<std::string> messages(const HostReading& reading, Time now);

 private:
  void gauge(std::string_view name, double value, Json labels = Json::object());
  // `total` counts up since the machine's start.
  void counter(const std::string& name, std::uint64_t total, const std::string& label,
               const std::string& device);
  void add(Json message);
  bool is_due(std::optional<Time>& last, Micros period) const;

  void say_who(const HostReading& reading);
  void read_load(std::string_view text);
  void read_cpu(std::string_view text);
  void read_memory(std::string_view text);
  void read_disks(std::string_view text, const std::vector<std::string>& disks);
  void read_network(std::string_view text);

  HostIdentity identity_;
  Time now_;
  std::optional<Time> last_reading_, last_registration_, last_agent_beat_, last_process_beat_;
  std::map<std::string, std::uint64_t> totals_;
  std::vector<std::uint64_t> cpu_before_;
  std::vector<std::string> out_;
};

// Where a disk is mounted, each device once, of the text of /proc/mounts: "/" and what stands on a
// device.
std::vector<std::string> mount_points(std::string_view mounts);

}  // namespace hastur
