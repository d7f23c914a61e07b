#include "supervisor/platform_troubles.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {
namespace {

// Further behind than this is a trouble; and what was lost is one for so long.
constexpr Micros behind_max = std::chrono::minutes{1};
constexpr Micros lost_told_for = std::chrono::minutes{10};
// It is asked each second.
constexpr Micros silent_max = std::chrono::seconds{5};

// What the syndicator lost before it could be numbered (docs/formats/request.md).
constexpr const char* dropped_names[] = {"kernel_dropped", "ring_dropped", "lost.history_full"};

}  // namespace

std::vector<PlatformTrouble> PlatformTroubles::look() {
  const Time now = sources_.clock.now();
  Troubles all;
  add_channels(all);
  add_triggers(all, now);
  add_syndicator(all, now);
  add_dropped(all, now);
  if (sources_.watchdog != nullptr) {
    if (auto trouble = sources_.watchdog->trouble()) all.push_back(std::move(*trouble));
  }
  if (const auto& trouble = sources_.source)
    all.push_back({"source", trouble->text, trouble->since});
  return all;
}

void PlatformTroubles::add_channels(Troubles& all) const {
  for (const auto& [name, channel] : sources_.channels) {
    if (name == sources_.platform_channel) continue;
    const ChannelState state = sources_.channel_state(name);
    if (!state.trouble_since) continue;
    all.push_back({"channel/" + name,
                   fmt::format("Nothing gets through on the channel {}{}{} since {}: {}", name,
                               state.trouble_at.empty() ? "" : " to ", state.trouble_at,
                               format_time(*state.trouble_since), state.last_trouble),
                   *state.trouble_since});
  }
}

void PlatformTroubles::add_triggers(Troubles& all, Time now) {
  if (const auto behind = sources_.dispatcher.behind(behind_max); behind.empty()) {
    behind_since_.reset();
  } else {
    if (!behind_since_) behind_since_ = now;
    const auto worst =
        std::ranges::max_element(behind, {}, &std::pair<const TriggerName, Micros>::second);
    all.push_back({"behind",
                   fmt::format("{} trigger{} over a minute behind, {} by {}", behind.size(),
                               behind.size() == 1 ? " is" : "s are", worst->first,
                               format_span(worst->second)),
                   *behind_since_});
  }
  const auto& lost = sources_.dispatcher.last_lost();
  if (lost && now - lost->found_at < lost_told_for) {
    all.push_back(
        {"lost",
         fmt::format("The inputs {} to {} are gone from History ({}); the triggers went on "
                     "without them",
                     lost->first.value, lost->last.value, lost->why),
         lost->found_at - PlatformWatch::steady_after});
  }
}

void PlatformTroubles::add_syndicator(Troubles& all, Time now) {
  const auto heard = sources_.dispatcher.heard_at();
  if (heard && sources_.clock.monotonic() - *heard <= silent_max) {
    silent_since_.reset();
  } else {
    if (!silent_since_) silent_since_ = now;
    all.push_back({"syndicator",
                   fmt::format("The syndicator at {} does not answer since {}", sources_.request,
                               format_time(*silent_since_)),
                   *silent_since_});
  }
  const auto& syndicator = sources_.dispatcher.syndicator();
  if (const auto failing = syndicator ? syndicator->history_failing() : std::nullopt) {
    all.push_back({"history",
                   fmt::format("The syndicator at {} cannot write its History for {}; its log says "
                               "why",
                               sources_.request,
                               format_span(std::chrono::ceil<std::chrono::seconds>(*failing))),
                   now - *failing});
  }
}

void PlatformTroubles::add_dropped(Troubles& all, Time now) {
  const auto& syndicator = sources_.dispatcher.syndicator();
  if (!syndicator) return;
  std::uint64_t count = 0;
  for (const char* name : dropped_names) count += syndicator->count(name);
  // What was lost before the start was told then, or is long over.
  if (const std::uint64_t before = std::exchange(dropped_, count).value_or(count); count > before) {
    if (!dropped_at_ || now - *dropped_at_ >= lost_told_for) dropped_told_ = before;
    dropped_at_ = now;
  }
  if (!dropped_at_ || now - *dropped_at_ >= lost_told_for) return;
  std::string names;
  for (const char* name : dropped_names) {
    if (const std::uint64_t each = syndicator->count(name); each > 0)
      names += fmt::format("{}{} {}", names.empty() ? "" : ", ", name, each);
  }
  all.push_back({"dropped",
                 fmt::format("{} messages were lost before they could be numbered (in all {})",
                             count - dropped_told_, names),
                 *dropped_at_ - PlatformWatch::steady_after});
}

}  // namespace hastur
