#pragma once

// What is wrong with the platform itself, as the parts of the supervisor know it.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "supervisor/deploy/source_trouble.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/notify/channel.h"
#include "supervisor/notify/sender.h"
#include "supervisor/platform_watch.h"
#include "supervisor/watchdog.h"

namespace hastur {

class PlatformTroubles {
 public:
  struct Sources {
    Clock& clock;
    const Dispatcher& dispatcher;
    // Where the syndicator answers.
    std::string request;
    const std::map<std::string, Channel>& channels;
    std::function<ChannelState(const std::string& channel)> channel_state;
    // The channel that would tell of it: of itself it cannot.
    std::string platform_channel;
    // Of the folder or the branch that says what runs; outlives this.
    const std::optional<SourceTrouble>& source;
    // Null: there is no URL to call.
    const Watchdog* watchdog = nullptr;
  };

  // What `sources` refers to outlives this.
  explicit PlatformTroubles(Sources sources) : sources_(std::move(sources)) {}

  void set_platform_channel(std::string name) { sources_.platform_channel = std::move(name); }

  // All that is wrong now. To be asked again and again: it remembers since when.
  std::vector<PlatformTrouble> look();

 private:
  using Troubles = std::vector<PlatformTrouble>;
  void add_channels(Troubles& all) const;
  void add_triggers(Troubles& all, Time now);
  void add_syndicator(Troubles& all, Time now);
  void add_dropped(Troubles& all, Time now);

  Sources sources_;
  // Since when triggers have been far behind, and the syndicator has not answered.
  std::optional<Time> behind_since_, silent_since_;
  // What was lost before it could be numbered: as last heard, when that was more than before, and
  // how much it was before the first of those that are told now.
  std::optional<std::uint64_t> dropped_;
  std::optional<Time> dropped_at_;
  std::uint64_t dropped_told_ = 0;
};

}  // namespace hastur
