#pragma once

// The workload of several benches: what 100 hosts report each second, 40 metrics a host with two
// labels, as an agent sends them: host after host, one received_at a burst, values of two decimals
// or whole counters.

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "message/batch.h"

namespace hastur::bench {

inline constexpr int hosts = 100;
inline constexpr int metrics = 40;

class HostMetrics {
 public:
  HostMetrics() {
    for (int i = 0; i < metrics; ++i) {
      names_.push_back(
          fmt::format("{}.{}.{}", i % 2 == 0 ? "system.cpu" : "system.net.eth0", "core", i));
    }
    for (int i = 0; i < hosts; ++i) {
      uuids_.push_back(fmt::format("8e58af00-708c-412f-a468-64ce8f3a{:04x}", i));
      hostnames_.push_back(fmt::format("web-{}.fra.example.com", i));
    }
  }

  // The next message of the stream; valid until the next call.
  MessageView next() {
    const std::size_t metric = at_ % metrics;
    const std::size_t host = at_ / metrics % hosts;
    const std::int64_t second = static_cast<std::int64_t>(at_ / (metrics * hosts));
    ++at_;
    labels_ = {{"app", Value::of(std::string_view(host % 3 == 0 ? "billing" : "transcoding"))},
               {"dc", Value::of(std::string_view("fra1"))}};
    MessageView view;
    view.type = metric % 4 == 0 ? MessageType::counter : MessageType::gauge;
    view.name = names_[metric];
    view.value = Value::of(metric % 4 == 0 ? static_cast<double>(random_() % 1000)
                                           : static_cast<double>(random_() % 10'000) / 100);
    const std::int64_t sent =
        1'700'000'000'000'000 + second * us_per_second + static_cast<std::int64_t>(host) * 9'973;
    view.timestamp = time_from_us(sent + static_cast<std::int64_t>(metric) * 3);
    view.received_at = time_from_us(sent + 400);
    view.uuid = uuids_[host];
    view.hostname = hostnames_[host];
    view.labels = labels_;
    return view;
  }

  Batch batch(std::uint32_t rows) {
    BatchBuilder builder;
    for (std::uint32_t i = 0; i < rows; ++i) builder.add(next());
    return builder.finish({}, {1}, time_from_us(1'700'000'000'000'000));
  }

 private:
  std::vector<std::string> names_, uuids_, hostnames_;
  std::vector<Label> labels_;
  std::mt19937_64 random_{1};
  std::size_t at_ = 0;
};

}  // namespace hastur::bench
