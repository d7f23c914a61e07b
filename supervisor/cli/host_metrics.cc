#include "supervisor/cli/host_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/json.h"

namespace hastur {
namespace {

constexpr Micros registration_period = std::chrono::minutes{10};
constexpr Micros agent_beat_period = std::chrono::seconds{5};
constexpr Micros process_beat_period = std::chrono::seconds{10};
// Three missed heartbeats are silence.
constexpr int beats_to_silence = 3;

// /proc/diskstats counts sectors of 512 bytes whatever the device has
// (Documentation/admin-guide/iostats.rst).
constexpr std::uint64_t sector_bytes = 512;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::uint64_t> whole(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

std::optional<double> real(std::string_view word) {
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

// One digit after the point is more than a percentage of one second means.
double percent(double part, double of) { return of <= 0 ? 0 : std::round(part / of * 1000) / 10; }

}  // namespace

std::vector<std::string> HostMetrics::messages(const HostReading& reading, Time now) {
  now_ = now;
  out_.clear();
  say_who(reading);
  read_load(reading.loadavg);
  read_cpu(reading.stat);
  read_memory(reading.meminfo);
  read_disks(reading.diskstats, reading.disks);
  read_network(reading.net_dev);
  for (const HostReading::Mount& mount : reading.mounts) {
    if (mount.bytes == 0) continue;
    gauge("system.disk.free", static_cast<double>(mount.bytes_free), {{"mount", mount.path}});
    gauge("system.disk.used_percent",
          percent(static_cast<double>(mount.bytes - std::min(mount.bytes_free, mount.bytes)),
                  static_cast<double>(mount.bytes)),
          {{"mount", mount.path}});
  }
  last_reading_ = now;
  return std::move(out_);
}

void HostMetrics::add(Json message) {
  message["uuid"] = identity_.uuid;
  message["timestamp"] = to_us(now_);
  out_.push_back(canonical_json(message));
}

void HostMetrics::gauge(std::string_view name, double value, Json labels) {
  Json message = {{"type", "gauge"}, {"name", name}, {"value", value}};
  if (!labels.empty()) message["labels"] = std::move(labels);
  add(std::move(message));
}

void HostMetrics::counter(const std::string& name, std::uint64_t total, const std::string& label,
                          const std::string& device) {
  const auto [before, is_new] = totals_.try_emplace(name + "\n" + device, total);
  const std::uint64_t last = std::exchange(before->second, total);
  if (is_new || total < last) return;
  add({{"type", "counter"},
       {"name", name},
       {"value", total - last},
       {"labels", {{label, device}}}});
}

bool HostMetrics::is_due(std::optional<Time>& last, Micros period) const {
  if (last && now_ - *last < period) return false;
  last = now_;
  return true;
}

void HostMetrics::say_who(const HostReading& reading) {
  const auto words = words_of(reading.uptime.substr(0, reading.uptime.find('\n')));
  const double uptime = words.empty() ? 0 : real(words[0]).value_or(0);
  if (is_due(last_registration_, registration_period)) {
    add({{"type", "reg_agent"},
         {"hostname", identity_.hostname},
         {"nodename", identity_.hostname},
         {"ipv4", identity_.ipv4}});
  }
  const auto beat = [&](const char* type, const char* name, Micros period) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(period).count();
    add({{"type", type},
         {"name", name},
         {"value", std::floor(uptime)},
         {"timeout", seconds * beats_to_silence},
         {"labels", {{"app", "host-metrics"}, {"pid", identity_.pid}}}});
  };
  if (is_due(last_agent_beat_, agent_beat_period))
    beat("hb_agent", "system.agent", agent_beat_period);
  if (is_due(last_process_beat_, process_beat_period))
    beat("hb_process", "host-metrics", process_beat_period);
}

// "0.41 0.30 0.25 2/345 6789": load over 1, 5 and 15 minutes, running/all tasks, last pid.
void HostMetrics::read_load(std::string_view text) {
  const auto words = words_of(text.substr(0, text.find('\n')));
  if (words.size() < 4) return;
  constexpr const char* names[] = {"system.load.1m", "system.load.5m", "system.load.15m"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (const auto load = real(words[i])) gauge(names[i], *load);
  }
  const std::size_t slash = words[3].find('/');
  if (slash == std::string_view::npos) return;
  if (const auto running = whole(words[3].substr(0, slash)))
    gauge("system.tasks.running", static_cast<double>(*running));
  if (const auto all = whole(words[3].substr(slash + 1)))
    gauge("system.tasks", static_cast<double>(*all));
}

// The first line adds up all CPUs: "cpu user nice system idle iowait irq softirq steal guest
// guest_nice", in ticks. Guests are counted in user and nice already.
void HostMetrics::read_cpu(std::string_view text) {
  const auto words = words_of(text.substr(0, text.find('\n')));
  if (words.size() < 9 || words[0] != "cpu") return;
  std::vector<std::uint64_t> ticks;
  for (std::size_t i = 1; i < 9; ++i) ticks.push_back(whole(words[i]).value_or(0));
  const auto before = std::exchange(cpu_before_, ticks);
  if (before.empty()) return;
  // iowait may go back by itself (proc(5)); then nothing is taken to have passed.
  std::vector<double> passed;
  double sum = 0;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    passed.push_back(ticks[i] > before[i] ? static_cast<double>(ticks[i] - before[i]) : 0);
    sum += passed.back();
  }
  if (sum == 0) return;
  const double idle = passed[3] + passed[4];
  gauge("system.cpu.busy", percent(sum - idle, sum));
  const std::pair<const char*, double> states[] = {{"user", passed[0] + passed[1]},
                                                   {"system", passed[2] + passed[5] + passed[6]},
                                                   {"iowait", passed[4]},
                                                   {"steal", passed[7]}};
  for (const auto& [state, part] : states)
    gauge("system.cpu", percent(part, sum), {{"state", state}});
}

// "MemTotal:       16330412 kB", one value a line.
void HostMetrics::read_memory(std::string_view text) {
  std::map<std::string_view, double> bytes;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2 || !words[0].ends_with(':')) continue;
    if (const auto kib = whole(words[1]))
      bytes[words[0].substr(0, words[0].size() - 1)] = static_cast<double>(*kib) * 1024;
  }
  if (!bytes.contains("MemTotal") || !bytes.contains("MemAvailable")) return;
  const double total = bytes["MemTotal"];
  const double used = total - bytes["MemAvailable"];
  gauge("system.memory.total", total);
  gauge("system.memory.used", used);
  gauge("system.memory.used_percent", percent(used, total));
  if (bytes.contains("SwapTotal"))
    gauge("system.swap.used", bytes["SwapTotal"] - bytes["SwapFree"]);
}

// "8 0 sda reads merged sectors ms writes merged sectors ms in_flight ms_busy …".
void HostMetrics::read_disks(std::string_view text, const std::vector<std::string>& disks) {
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 13) continue;
    const std::string device(words[2]);
    if (std::find(disks.begin(), disks.end(), device) == disks.end()) continue;
    const auto number = [&](std::size_t i) { return whole(words[i]).value_or(0); };
    counter("system.disk.read_bytes", number(5) * sector_bytes, "device", device);
    counter("system.disk.written_bytes", number(9) * sector_bytes, "device", device);
    const auto [before, is_new] = totals_.try_emplace("busy\n" + device, number(12));
    const std::uint64_t last = std::exchange(before->second, number(12));
    if (is_new || !last_reading_ || number(12) < last) continue;
    const double passed_ms = static_cast<double>((now_ - *last_reading_).count()) / 1000;
    gauge("system.disk.busy",
          std::min(100.0, percent(static_cast<double>(number(12) - last), passed_ms)),
          {{"device", device}});
  }
}

// "  eth0: bytes packets errs drop fifo frame compressed multicast | bytes packets errs drop …".
void HostMetrics::read_network(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = words_of(line.substr(0, colon));
    const auto words = words_of(line.substr(colon + 1));
    if (name.size() != 1 || words.size() < 12) continue;
    const std::string device(name[0]);
    const auto number = [&](std::size_t i) { return whole(words[i]).value_or(0); };
    // An interface that never carried anything has nothing to say.
    if (number(1) == 0 && number(9) == 0) continue;
    counter("system.network.received_bytes", number(0), "interface", device);
    counter("system.network.received_packets", number(1), "interface", device);
    counter("system.network.sent_bytes", number(8), "interface", device);
    counter("system.network.sent_packets", number(9), "interface", device);
    counter("system.network.errors", number(2) + number(3) + number(10) + number(11), "interface",
            device);
  }
}

std::vector<std::string> mount_points(std::string_view mounts) {
  std::vector<std::string> paths;
  std::set<std::string_view> devices;
  for (const std::string_view line : lines_of(mounts)) {
    const auto words = words_of(line);
    if (words.size() < 3) continue;
    // A container's root stands on no device of its own. A file mounted alone (/etc/hosts) shows
    // its device's space again.
    if (words[1] != "/" && (!words[0].starts_with("/dev/") || words[0].starts_with("/dev/loop")))
      continue;
    if (!devices.insert(words[0]).second) continue;
    // A blank in a path is written \040 (proc(5)); such a path is rare enough to be left out.
    if (words[1].find('\\') == std::string_view::npos) paths.emplace_back(words[1]);
  }
  return paths;
}

}  // namespace hastur
