#include "supervisor/cli/host_metrics.h"
#include "core/json.h"

#include <gtest/gtest.h>

#include "supervisor/cli/compose.h"
#include "supervisor/cli/host_reader.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_us(1'700'000'000'000'000);

HostReading recorded() {
  HostReading reading;
  reading.loadavg = "4.04 4.69 3.54 5/144 32050\n";
  reading.stat = "cpu  1000 0 500 8000 300 0 100 100 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
  reading.meminfo =
      "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:   12000000 kB\n"
      "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB\n";
  reading.diskstats =
      "   7       0 loop0 5 0 5 5 5 0 5 5 0 5 5 0 0 0 0 0 0\n"
      " 254       0 vda 127096 29339 7167306 45229 56394 29906 22288608 87443 0 30548 135455 10496 "
      "27 10758312 2562 1 2\n"
      " 254       1 vda1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n";
  reading.net_dev =
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
      "drop fifo colls carrier "
      "compressed\n"
      "  ifb0:       0       0    0    0    0     0          0         0        0       0    0    "
      "0    0     0       0   "
      "       0\n"
      "  eth0: 23864772     772    1    2    0     0          0         0    33004     368    3    "
      "4    0     0       0  "
      "        0\n";
  reading.uptime = "3625.83 4374.97\n";
  reading.disks = {"vda", "zram0"};
  reading.mounts = {{"/", 1000, 250}, {"/empty", 0, 0}};
  return reading;
}

// One second and some work later.
HostReading recorded_later() {
  HostReading reading = recorded();
  reading.stat = "cpu  1030 0 510 8150 310 0 100 100 0 0\n";
  reading.diskstats =
      " 254       0 vda 127096 29339 7167308 45229 56394 29906 22288618 87443 0 30798 135455 10496 "
      "27 1 2 3 4\n";
  reading.net_dev =
      "  eth0: 23865772     782    1    3    0     0          0         0    33104     370    3    "
      "4    0     0       0  "
      "        0\n";
  return reading;
}

// "type name {labels}" -> value of each message; checks on the way that the syndicator would take
// it.
std::map<std::string, double> taken(const std::vector<std::string>& messages, Time now) {
  std::map<std::string, double> out;
  for (const std::string& text : messages) {
    const auto checked = check_message(text, now);
    EXPECT_TRUE(checked) << text << ": " << checked.error().message;
    const Json message = parse_json(text).value();
    EXPECT_EQ(message["timestamp"], to_us(now)) << text;
    EXPECT_EQ(message["uuid"].get<std::string>().size(), 36u);
    std::string key = message["type"].get<std::string>() + " " + message.value("name", "");
    const Json labels = message.value("labels", Json::object());
    for (const auto& [label, value] : labels.items()) {
      if (label != "app" && label != "pid") key += " " + value.get<std::string>();
    }
    EXPECT_TRUE(out.emplace(key, message.value("value", 0.0)).second) << key << " twice";
  }
  return out;
}

class HostMetricsTest : public testing::Test {
 protected:
  HostMetrics metrics_{{"8e58af00-708c-012f-e468-64ce8f3a9dc2", "web1", "10.0.0.1", 17}};
};

TEST_F(HostMetricsTest, SaysHowThingsStandAtFirst) {
  const auto values = taken(metrics_.messages(recorded(), start), start);
  EXPECT_EQ(values.at("gauge system.load.1m"), 4.04);
  EXPECT_EQ(values.at("gauge system.load.15m"), 3.54);
  EXPECT_EQ(values.at("gauge system.tasks.running"), 5);
  EXPECT_EQ(values.at("gauge system.tasks"), 144);
  EXPECT_EQ(values.at("gauge system.memory.total"), 16'384'000'000);
  EXPECT_EQ(values.at("gauge system.memory.used_percent"), 25);
  EXPECT_EQ(values.at("gauge system.swap.used"), 512'000'000);
  EXPECT_EQ(values.at("gauge system.disk.used_percent /"), 75);
  EXPECT_EQ(values.at("gauge system.disk.free /"), 250);
  EXPECT_EQ(values.at("hb_agent system.agent"), 3625);
  EXPECT_EQ(values.count("reg_agent "), 1u);
  EXPECT_EQ(values.count("gauge system.cpu.busy"), 0u);
  EXPECT_EQ(values.count("counter system.network.sent_bytes eth0"), 0u);
  EXPECT_EQ(values.count("gauge system.disk.free /empty"), 0u);
}

TEST_F(HostMetricsTest, SaysWhatChangedSinceTheReadingBefore) {
  std::ignore = metrics_.messages(recorded(), start);
  const auto values = taken(metrics_.messages(recorded_later(), start + 1s), start + 1s);
  EXPECT_EQ(values.at("gauge system.cpu.busy"), 20);
  EXPECT_EQ(values.at("gauge system.cpu user"), 15);
  EXPECT_EQ(values.at("gauge system.cpu system"), 5);
  EXPECT_EQ(values.at("gauge system.cpu iowait"), 5);
  EXPECT_EQ(values.at("counter system.disk.read_bytes vda"), 1024);
  EXPECT_EQ(values.at("counter system.disk.written_bytes vda"), 5120);
  EXPECT_EQ(values.at("gauge system.disk.busy vda"), 25);
  EXPECT_EQ(values.at("counter system.network.received_bytes eth0"), 1000);
  EXPECT_EQ(values.at("counter system.network.sent_packets eth0"), 2);
  EXPECT_EQ(values.at("counter system.network.errors eth0"), 1);
  EXPECT_EQ(values.count("counter system.network.sent_bytes ifb0"), 0u);
  EXPECT_EQ(values.count("counter system.disk.read_bytes vda1"), 0u);
  EXPECT_EQ(values.count("reg_agent "), 0u);
}

TEST_F(HostMetricsTest, ACounterThatWentBackSaysNothingOnce) {
  std::ignore = metrics_.messages(recorded_later(), start);
  const auto back = taken(metrics_.messages(recorded(), start + 1s), start + 1s);
  EXPECT_EQ(back.count("counter system.network.sent_bytes eth0"), 0u);
  EXPECT_EQ(back.count("gauge system.disk.busy vda"), 0u);
  const auto on = taken(metrics_.messages(recorded_later(), start + 2s), start + 2s);
  EXPECT_EQ(on.at("counter system.network.sent_bytes eth0"), 100);
}

TEST_F(HostMetricsTest, RegistersAndBeatsInTime) {
  int registrations = 0;
  int agent_beats = 0;
  int process_beats = 0;
  for (int second = 0; second <= 1200; ++second) {
    for (const std::string& text : metrics_.messages({}, start + second * 1s)) {
      registrations += text.find("\"reg_agent\"") != std::string::npos;
      agent_beats += text.find("\"hb_agent\"") != std::string::npos;
      process_beats += text.find("\"hb_process\"") != std::string::npos;
    }
  }
  EXPECT_EQ(registrations, 3);
  EXPECT_EQ(agent_beats, 241);
  EXPECT_EQ(process_beats, 121);
}

TEST_F(HostMetricsTest, GarbageIsPassedOver) {
  HostReading reading;
  reading.loadavg = reading.stat = reading.meminfo = reading.diskstats = reading.net_dev =
      reading.uptime =
          "cpu x y z 1 2 3 4 5 6\nMemTotal: -5 kB\nMemTotal:\n:::\n\xff\xfe nan inf 1e999/2 \n254 "
          "0 vda x x x x x x x x x x x\n";
  reading.disks = {"vda"};
  std::ignore = taken(metrics_.messages(reading, start), start);
  std::ignore = taken(metrics_.messages(reading, start + 1s), start + 1s);
}

TEST(MountPoints, NamesEachDeviceOnce) {
  EXPECT_EQ(
      mount_points("overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/vda1 /data ext4 rw 0 0\n"
                   "/dev/vda1 /etc/hosts ext4 rw 0 0\n/dev/vdb /with\\040blank ext4 rw 0 "
                   "0\n/dev/loop1 /snap x rw 0 0\n"),
      (std::vector<std::string>{"/", "/data"}));
}

TEST(ThisHost, SaysSomethingThatTheSyndicatorTakes) {
  HostMetrics metrics(identify_host());
  const auto values = taken(metrics.messages(read_host(), start), start);
  EXPECT_EQ(values.count("gauge system.load.1m"), 1u);
  EXPECT_EQ(identify_host().uuid, identify_host().uuid);
}

}  // namespace
}  // namespace hastur
