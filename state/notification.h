#pragma once

// What triggers ask to be told to people, and the incidents that follow from it (DESIGN §7, §10).
//
// An incident is (trigger, channel, key). It follows what the trigger asks for, sent or not: opened
// by `trigger`, closed by `resolve`. A store moves incidents in the commit that holds the
// notifications, by the rules here, so that both are always of the same moment.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json_fwd.h"
#include "core/time.h"
#include "message/ids.h"

namespace hastur {

enum class NotificationStatus : std::uint8_t {
  recorded,  // kept, not to be sent: mode `record`
  waiting,   // to be sent
  sent,
  pending,  // late: waits until its trigger has caught up, or for somebody to release it
  closed,   // will not be sent; `reason` says why
  failed,   // given up: refused by its receiver, or not delivered in time
};
std::string_view status_name(NotificationStatus status);
std::optional<NotificationStatus> status_from_name(std::string_view name);

// The reason of pending ones that wait until their trigger has caught up; one with another reason
// waits for something else.
inline constexpr std::string_view late_reason = "late";

// What it asks of its incident.
enum class NotificationAction : std::uint8_t { trigger, acknowledge, resolve };
std::string_view action_name(NotificationAction action);
std::optional<NotificationAction> action_from_name(std::string_view name);

// "n-4f21": the id in hexadecimal, at least four digits.
std::string short_id(std::uint64_t id);
// Takes what short_id() gives, and more leading zeros; nothing for anything else.
std::optional<std::uint64_t> id_from_short(std::string_view text);

struct NotificationRecord {
  // Given by the store at commit, rising; 0 before.
  std::uint64_t id = 0;
  TriggerName trigger;
  Run run;
  Sequence sequence;
  std::uint32_t ordinal = 0;
  // Stream time of its input.
  Time time;
  // Canonical JSON, as in Effect (trigger-runtime/protocol).
  std::string payload;
  NotificationStatus status = NotificationStatus::recorded;
  std::string reason;
  // Where it goes, of which incident, and what it asks: read_payload() takes them from the payload.
  std::string channel = {};
  // Empty: keyless, of no incident.
  std::string key = {};
  NotificationAction action = NotificationAction::trigger;
  // When the receiver had it, by the supervisor's clock.
  std::optional<Time> sent_at = {};
  // What attempts have reached of it where there is more to reach, as the way it leaves on notes it
  // (supervisor/notify/mail_progress.h); empty: nothing to remember.
  std::string progress = {};
};

// Sets channel, key and action: the channel that the payload names, else the payload's kind, which
// stands for the kind's default.
void read_payload(NotificationRecord& record);

inline constexpr std::string_view platform_call = "platform";
// The payload of a notification that the platform itself asks for, of its own troubles: the call is
// platform_call, and [platform] notify names the channel.
std::string platform_payload(std::string_view key, std::string_view text, Json details,
                             NotificationAction action);

// What becomes of a stored notification. Its incident hears of it.
struct NotificationChange {
  std::uint64_t id = 0;
  NotificationStatus status = NotificationStatus::closed;
  std::string reason = {};
  // When the receiver had it; with the status `sent`.
  std::optional<Time> sent_at = {};
  // In place of the one before; nothing: that stays.
  std::optional<std::string> progress = {};
};

// A receiver that wants to be left alone: it asked for that, or keeps failing.
struct ReceiverRest {
  // The sender's name for it (OutgoingNotification::receiver).
  std::string name;
  // Failures in a row.
  std::uint32_t failures = 0;
  Time until{};
  // It does not any more: nothing is kept of it.
  bool over = false;
};

enum class IncidentState : std::uint8_t { open, acknowledged, closed };
std::string_view incident_state_name(IncidentState state);
std::optional<IncidentState> incident_state_from_name(std::string_view name);

struct Incident {
  // The store's own, rising; for paging.
  std::uint64_t number = 0;
  TriggerName trigger;
  std::string channel;
  std::string key;
  IncidentState state = IncidentState::closed;
  // Stream time of the notification that opened it, and of the newest one.
  Time opened{};
  Time changed{};
  // When its receiver had the last of its notifications.
  std::optional<Time> last_sent = {};
  // Its receiver holds it as open: the newest that was sent or is to be sent was no resolve.
  bool told_open = false;
  // The newest notification that asked for it with `trigger`, and the newest of any action.
  std::uint64_t newest_trigger = 0;
  std::uint64_t newest = 0;
};

// Whether the notification, one of the incident's that was kept back, is still news to whoever is
// told of it now: it says how an open incident stands, or that one is over which its receiver holds
// as open.
bool still_speaks(const Incident& incident, const NotificationRecord& record);

// The incident after the notification, which has its id and a key.
void follow(Incident& incident, const NotificationRecord& record);
// The incident after `record`, one of its notifications, has become `change.status`.
void follow(Incident& incident, const NotificationRecord& record, const NotificationChange& change);

}  // namespace hastur
