#pragma once

// The platform's own troubles, told like those that triggers find: each is an incident, opened when
// it has stood for a while and resolved when it has been over for a while.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

// Whose incidents they are.
inline constexpr std::string_view platform_name = "hastur/platform";

// Something that is wrong now.
struct PlatformTrouble {
  // Of its incident: "channel/oncall", "behind", "lost", "source", "syndicator".
  std::string key;
  // A sentence for whoever is woken up.
  std::string text;
  Time since{};
};

class PlatformWatch {
 public:
  // A trouble is told once it has stood for so long, and is over once it has been away for as long.
  static constexpr Micros steady_after = std::chrono::minutes{1};

  // Reads which somebody was told of before the start, and not yet that they are over.
  Result<void> start(CheckpointStore& store);
  // `troubles`: all that is wrong now. Returns what is to be told, to be stored with the next
  // commit.
  std::vector<NotificationRecord> look(const std::vector<PlatformTrouble>& troubles, Time now);

 private:
  struct Told {
    std::string text;
    std::optional<Time> gone_since;
  };
  std::map<std::string, Told> told_;
};

}  // namespace hastur
