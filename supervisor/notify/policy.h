#pragma once

// What may leave, and on which channel.
//
// Three modes stand over each notification: the supervisor's, its channel's and its trigger's. The
// strictest decides: `on` lets it leave, `record` keeps it, `off` drops it.

#include <map>
#include <string>

#include "state/notification.h"
#include "supervisor/notify/channel.h"

namespace hastur {

enum class NotifyMode : std::uint8_t { on, record, off };  // from lenient to strict
std::string_view notify_mode_name(NotifyMode mode);
std::optional<NotifyMode> notify_mode_from_name(std::string_view name);

class NotifyPolicy {
 public:
  // `mode` is the supervisor's. The channels outlive the policy.
  NotifyPolicy(NotifyMode mode, const std::map<std::string, Channel>& channels)
      : mode_(mode), channels_(channels) {}

  // Of one that a trigger has just asked for: finds its channel by its payload, then as
  // decide_again(). Without a channel it is closed where it would have to leave.
  void decide(NotificationRecord& record) const;
  // Sets status and reason of one whose channel stands: waiting, recorded or closed.
  void decide_again(NotificationRecord& record) const;

 private:
  NotifyMode mode_;
  const std::map<std::string, Channel>& channels_;
};

}  // namespace hastur
