// Dispatcher: notifications that come too late to be sent as they are.

#include <algorithm>

#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/late.h"

namespace hastur {
namespace {

// How often it is looked whether a trigger with late notifications has caught up.
constexpr Micros look_every = std::chrono::seconds{1};

}  // namespace

// The syndicator says each second where the stream stands; what has been read may be newer.
std::optional<Time> Dispatcher::newest_stream_time() const {
  std::optional<Time> newest = stream_time_;
  if (position_ && position_->stream_time)
    newest = std::max(newest.value_or(*position_->stream_time), *position_->stream_time);
  return newest;
}

// Once one of a trigger's notifications is late, all that follow wait with it: a resolve must not
// overtake its trigger.
bool Dispatcher::is_late(const TriggerName& name, Time input) {
  if (late_.contains(name)) return true;
  const auto newest = newest_stream_time();
  if (!newest || *newest - input <= options_.late_after) return false;
  log_info("{} is {} behind: its notifications wait until it has caught up", name,
           format_span(*newest - input));
  late_.emplace(name, this->newest());
  return true;
}

// A trigger has caught up when it stands where the stream stood at the last look.
void Dispatcher::settle_late_ones() {
  if (late_.empty() || monotonic_ - looked_at_late_ < look_every) return;
  // Only what is committed can be settled.
  if (!gate_.waiting().empty()) return;
  looked_at_late_ = monotonic_;
  const Sequence newest = this->newest();
  for (auto late = late_.begin(); late != late_.end();) {
    auto& [name, target] = *late;
    const auto found = triggers_.find(name);
    const bool gone = found == triggers_.end();
    if (!gone &&
        (found->second->phase == Trigger::Phase::failed || found->second->cursor() < target)) {
      target = newest;
      ++late;
      continue;
    }
    auto settled = settle_late(store_, name, gone, options_.gate.rule);
    if (!settled) {
      log_error("late notifications of {} wait on: {}", name, settled.error().message);
      return;
    }
    log_info("{}: {} late notifications are settled", name, settled->changes.size());
    CommitBatch& waiting = gate_.waiting();
    std::ranges::move(settled->changes, std::back_inserter(waiting.notification_changes));
    std::ranges::move(settled->digests, std::back_inserter(waiting.notifications));
    if (settled->more) {
      looked_at_late_ = {};
      return;
    }
    late = late_.erase(late);
  }
}

std::map<TriggerName, Micros> Dispatcher::behind(Micros span) const {
  std::map<TriggerName, Micros> all;
  const auto newest = newest_stream_time();
  if (!newest) return all;
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->phase == Trigger::Phase::failed || trigger->open_pause() != nullptr ||
        trigger->cursor() >= this->newest())
      continue;
    const Micros lag = *newest - trigger->reached_at.value_or(trigger->stored().state_time);
    if (lag > span) all.emplace(name, lag);
  }
  return all;
}

void Dispatcher::notify(NotificationRecord record) {
  record.sequence = newest();
  gate_.add_notification(std::move(record));
  work();
}

void Dispatcher::keep(NotificationRecord record) {
  record.sequence = newest();
  read_payload(record);
  gate_.waiting().notifications.push_back(std::move(record));
  work();
}

}  // namespace hastur
