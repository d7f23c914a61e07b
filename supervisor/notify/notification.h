#pragma once

// A notification on its way out: what the outbox keeps of it, and what its payload says.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "message/ids.h"
#include "state/notification.h"

namespace hastur {

// What waits in memory to be sent. `payload` is the stored text (canonical JSON): what is made of
// it is made when it leaves.
struct OutgoingNotification {
  // The store's: every attempt bears it, so that a receiver can tell a repetition.
  std::uint64_t id = 0;
  TriggerName trigger;
  std::string version;
  Sequence sequence;
  // Of the input that asked for it.
  Time time;
  // Key of its incident; nothing for a keyless one.
  std::optional<std::string> key;
  NotificationAction action = NotificationAction::trigger;
  // Whether nothing of its incident can have reached the receiver before it: then, if it has not
  // left when the incident is over, the resolve need not leave either.
  bool opens = false;
  Time expires_at;
  std::string payload;
  // Who gets it, by a name that says nothing secret: what is known of a receiver (that it fails,
  // that it asked for patience) holds for all that goes to it, on any channel. Empty: its channel's
  // own.
  std::string receiver = {};
  // What attempts before have reached, as the way it leaves on notes it (Answer::Part); `reached`:
  // somebody has it.
  std::string progress = {};
  bool reached = false;

  std::size_t bytes() const {
    return sizeof *this + trigger.size() + version.size() + payload.size() + receiver.size() +
           (key ? key->size() : 0);
  }
};

// The payload, read.
struct NotificationContent {
  // The call: "pager_duty", "send_email", "web_hook", "slack", "alertmanager"; "platform" of the
  // platform's own, "test" of a test of the channel.
  std::string call;
  std::optional<std::string> key;
  // The channel that the call names; empty for none.
  std::string to;
  // Of a mail.
  std::vector<std::string> recipients;
  std::string text;
  NotificationAction action = NotificationAction::trigger;
  // Empty if the call names none.
  std::string severity;
  Json details;
  Json options;
};

// Fails for what no call makes.
Result<NotificationContent> read_notification(std::string_view payload);

// One that says of itself that it is a test of the channel: of no trigger. Its id is of its own, so
// that no receiver takes it for one that it has seen.
OutgoingNotification test_notification(const std::string& channel, Time now);
// A bare GET of the URL, of no trigger.
OutgoingNotification watchdog_call(const std::string& url, Time now);

}  // namespace hastur
