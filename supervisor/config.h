#pragma once

// What the supervisor reads of hastur.toml (DESIGN §14; docs/hastur.toml shows all keys with their
// meaning).

#include <string>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "supervisor/notify/channel.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct SupervisorConfig {
  std::string publish = "tcp://127.0.0.1:4945";
  std::string request = "tcp://127.0.0.1:4944";
  std::string http = "127.0.0.1:8127";
  std::string token_file;
  std::string state = "hastur/state.db";
  std::string durability = "default";
  std::string notify = "record";
  Micros late_after = std::chrono::minutes{5};
  std::string sandbox = "best";
  std::uint64_t workers = 0;
  std::string log = "info";

  // One of both says what runs; both empty: the folder "triggers".
  std::string directory;
  std::string repo;
  std::string branch = "main";
  Micros fetch_every = std::chrono::seconds{30};
  Micros gate_time_max = std::chrono::seconds{60};
  Micros gate_backtest = std::chrono::minutes{10};
  std::uint64_t gate_new_notifications_max = 1'000;

  std::uint64_t instructions_max = CountedLimits{}.instructions_max;
  std::uint64_t effects_max = CountedLimits{}.effects_max;
  std::uint64_t notifications_max = CountedLimits{}.notifications_max;
  std::uint64_t messages_per_minute_max = CountedLimits{}.messages_per_minute_max;
  std::uint64_t log_bytes_per_minute_max = CountedLimits{}.log_bytes_per_minute_max;
  std::uint64_t state_bytes_max = CountedLimits{}.state_bytes_max;
  std::uint64_t state_bytes_ceiling = CountedLimits{}.state_bytes_ceiling;
  Micros callback_cpu_max = std::chrono::seconds{2};

  // [notify.NAME]
  NotifyConfig channels;

  // [platform]: the channel on which the platform tells of its own troubles; empty: none.
  std::string platform_notify;
  // Called each minute as long as everything works (supervisor/watchdog.h); empty: none. And where
  // its heartbeats go in: the syndicator's UDP address.
  std::string watchdog_url;
  std::string watchdog_udp = "127.0.0.1:8125";

  // Declares all keys in `settings`, bound to this object, which outlives it.
  void declare(Settings& settings);

  // What the types of the keys do not say: values that make no sense, alone or together. One
  // sentence, with the key.
  Result<void> check() const;

  CountedLimits limits() const;
  std::string triggers_folder() const { return directory.empty() ? "triggers" : directory; }
};

// The token in a file: its first word, of 16 characters or more. The error names the way to make
// one.
Result<std::string> read_token(const std::string& path);

}  // namespace hastur
