#pragma once

// What a host's own metrics look like: 60 messages each second from each host (load, CPU, memory,
// disks, network), with labels, latency and noise, the same for the same seed.

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "message/batch.h"

namespace hastur::testing {

class HostMetrics {
 public:
  explicit HostMetrics(std::uint64_t seed, int hosts = 1,
                       Time start = time_from_us(1'700'000'000'000'000))
      : random_(seed), now_us_(to_us(start)) {
    for (int host = 0; host < hosts; ++host) add_host(host);
  }

  // Adds the messages of the next second: a tick, then 60 of each host.
  void add_second(BatchBuilder& builder) {
    now_us_ = (now_us_ / us_per_second + 1) * us_per_second;
    builder.add_tick(time_from_us(now_us_), time_from_us(now_us_), Micros{0});
    for (Series& series : series_) {
      now_us_ += static_cast<std::int64_t>(random_() % 40);
      step(series);
      MessageView message;
      message.type = MessageType::gauge;
      message.name = series.name;
      message.value = Value::of(series.value);
      message.received_at = time_from_us(now_us_);
      message.timestamp = time_from_us(now_us_ - 80 - static_cast<std::int64_t>(random_() % 60));
      message.uuid = series.uuid;
      message.hostname = series.hostname;
      labels_.clear();
      for (const auto& [key, value] : series.labels)
        labels_.push_back({key, Value::of(std::string_view{value})});
      message.labels = labels_;
      builder.add(message);
    }
  }
  Time now() const { return time_from_us(now_us_); }

 private:
  enum class Shape { constant, load, share, kilobytes, rate };
  struct Series {
    std::string name, uuid, hostname;
    std::vector<std::pair<std::string, std::string>> labels;
    Shape shape = Shape::constant;
    double value = 0;
  };

  void add_host(int host) {
    const std::string digits = std::to_string(100'000'000'000 + host);
    const std::string uuid = "8e58af00-708c-412f-9468-" + digits;
    const std::string hostname = "host" + std::to_string(host) + ".example.com";
    const auto add = [&](std::string name, std::vector<std::pair<std::string, std::string>> labels,
                         Shape shape, double value) {
      series_.push_back(
          {"host." + std::move(name), uuid, hostname, std::move(labels), shape, value});
    };
    for (const char* span : {"1m", "5m", "15m"}) add("load", {{"span", span}}, Shape::load, 0.7);
    for (const char* core : {"0", "1"}) {
      for (const char* mode :
           {"user", "system", "idle", "iowait", "steal", "irq", "softirq", "nice"}) {
        add("cpu.share", {{"core", core}, {"mode", mode}},
            mode[0] == 'n' ? Shape::constant : Shape::share, 0);
      }
    }
    for (const char* kind : {"total", "free", "available", "buffers", "cached", "swap_total",
                             "swap_free", "dirty", "active", "inactive", "mapped", "slab"}) {
      const bool fixed = std::string_view(kind).ends_with("total") || kind[0] == 's';
      add(std::string("memory.") + kind, {}, fixed ? Shape::constant : Shape::kilobytes,
          16'384'000);
    }
    for (const char* disk : {"sda", "sdb", "sdc"}) {
      add("disk.used_bytes", {{"device", disk}}, Shape::kilobytes, 5e10);
      add("disk.free_bytes", {{"device", disk}}, Shape::kilobytes, 2e10);
      add("disk.read_bytes", {{"device", disk}}, Shape::constant, 0);
      add("disk.written_bytes", {{"device", disk}}, Shape::rate, 40'960);
    }
    for (const char* device : {"eth0", "lo"}) {
      for (const char* kind : {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets"}) {
        add(std::string("net.") + kind, {{"device", device}}, Shape::rate, 1'000);
      }
      for (const char* kind : {"rx_errors", "tx_errors", "rx_dropped", "tx_dropped"}) {
        add(std::string("net.") + kind, {{"device", device}}, Shape::constant, 0);
      }
    }
    add("uptime.hours", {}, Shape::constant, 412);
  }

  void step(Series& series) {
    const double noise = static_cast<double>(random_() % 2001) / 1000.0 - 1.0;
    switch (series.shape) {
      case Shape::constant:
        break;
      case Shape::load:
        series.value = std::round((std::max(0.0, series.value + noise * 0.05)) * 100) / 100;
        break;
      case Shape::share:
        series.value = std::floor(std::abs(noise) * 20) / static_cast<double>(99 + random_() % 3);
        break;
      case Shape::kilobytes:
        if (random_() % 3 == 0) series.value += std::round(noise * 256) * 4;
        break;
      case Shape::rate:
        series.value = std::floor(std::abs(noise) * 20'000);
        break;
    }
  }

  std::mt19937_64 random_;
  std::int64_t now_us_;
  std::vector<Series> series_;
  std::vector<Label> labels_;
};

}  // namespace hastur::testing
