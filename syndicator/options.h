#pragma once

// What an operator can say about a syndicator: section [syndicator] of hastur.toml, and flags of
// the same names.

#include <string>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "core/settings.h"

namespace hastur {

struct SyndicatorOptions {
  std::string udp = "127.0.0.1:8125";
  std::string publish = "tcp://127.0.0.1:4945";
  std::string request = "tcp://127.0.0.1:4944";
  std::vector<std::string> core;
  std::string history = "hastur/history";
  std::string durability = "default";
  Micros keep_for = std::chrono::hours{24 * 7};
  std::uint64_t keep_bytes = 10ull << 30;
  std::string uuid;
  std::uint64_t receive_bytes_max = 32u << 20;
  std::string log = "info";

  // Binds its variables to their keys; it outlives the settings.
  void declare(Settings& settings);
  // What is wrong with values that are right by themselves.
  Result<void> check();
  LogLevel log_level() const;

  friend bool operator==(const SyndicatorOptions&, const SyndicatorOptions&) = default;
};

}  // namespace hastur
