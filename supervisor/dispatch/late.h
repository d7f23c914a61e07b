#pragma once

// Notifications of a trigger that fell behind (DESIGN §10).
//
// Whoever is paged for what is over long since stops trusting the pager. So a notification whose
// input lies `late_after` behind the newest stream time is stored as pending, and so is every
// further one of its trigger until that has caught up. Then each incident is as it stands: what is
// open goes out, what has closed since does not, and what belongs to no incident goes as one
// digest to each audience (digest.h).

#include <functional>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

// Decides what becomes of a notification that may leave now: sets its status and reason, and may
// put the configured channel in place of a kind's default. It is asked again when a pending one is
// released.
using NotificationRule = std::function<void(NotificationRecord&)>;

struct LateSettlement {
  std::vector<NotificationChange> changes;
  // New ones, each in place of several; the rule has been asked.
  std::vector<NotificationRecord> digests;
  // There are more, to be settled after these have been committed.
  bool more = false;
};
inline constexpr std::uint32_t settled_max = 5'000;  // at a time

// What becomes of the trigger's late notifications, now that it has caught up; or, if it is `gone`,
// that they are closed. All of its notifications so far are committed.
Result<LateSettlement> settle_late(CheckpointStore& store, const TriggerName& trigger, bool gone,
                                   const NotificationRule& rule);

// Triggers that have late notifications.
Result<std::vector<TriggerName>> late_triggers(CheckpointStore& store);

}  // namespace hastur
