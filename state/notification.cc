#include "state/notification.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/enum_names.h"
#include "core/json.h"

namespace hastur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 6> status_names = {"recorded", "waiting", "sent",
                                                          "pending",  "closed",  "failed"};
constexpr std::array<std::string_view, 3> action_names = {"trigger", "acknowledge", "resolve"};
constexpr std::array<std::string_view, 3> incident_state_names = {"open", "acknowledged", "closed"};

// The text at `key`, or an empty one.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool goes_out(NotificationStatus status) {
  return status == NotificationStatus::waiting || status == NotificationStatus::sent;
}

}  // namespace

std::string_view status_name(NotificationStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}
std::optional<NotificationStatus> status_from_name(std::string_view name) {
  return enum_from_name<NotificationStatus>(status_names, name);
}

std::string_view action_name(NotificationAction action) {
  return action_names[static_cast<std::size_t>(action)];
}
std::optional<NotificationAction> action_from_name(std::string_view name) {
  return enum_from_name<NotificationAction>(action_names, name);
}

std::string_view incident_state_name(IncidentState state) {
  return incident_state_names[static_cast<std::size_t>(state)];
}
std::optional<IncidentState> incident_state_from_name(std::string_view name) {
  return enum_from_name<IncidentState>(incident_state_names, name);
}

std::string short_id(std::uint64_t id) { return fmt::format("n-{:04x}", id); }

std::optional<std::uint64_t> id_from_short(std::string_view text) {
  if (!text.starts_with("n-") || text.size() < 6) return std::nullopt;
  text.remove_prefix(2);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-')
    return std::nullopt;
  return id;
}

void read_payload(NotificationRecord& record) {
  const auto payload = parse_json(record.payload);
  if (!payload || !payload->is_object()) return;
  const auto options = payload->find("options");
  const bool has_options = options != payload->end() && options->is_object();
  // A mail's `to` is its recipients; its channel stands in its options.
  record.channel = text_of(*payload, "to");
  if (record.channel.empty() && has_options) record.channel = text_of(*options, "to");
  if (record.channel.empty()) record.channel = text_of(*payload, "kind");
  record.key = text_of(*payload, "key");
  record.action = NotificationAction::trigger;
  if (has_options) {
    if (const auto action = action_from_name(text_of(*options, "action"))) record.action = *action;
  }
}

std::string platform_payload(std::string_view key, std::string_view text, Json details,
                             NotificationAction action) {
  Json options = Json::object();
  if (action != NotificationAction::trigger) options["action"] = action_name(action);
  return canonical_json({{"kind", platform_call},
                         {"key", key},
                         {"to", nullptr},
                         {"text", text},
                         {"details", std::move(details)},
                         {"options", std::move(options)}});
}

bool still_speaks(const Incident& incident, const NotificationRecord& record) {
  if (incident.state != IncidentState::closed)
    return record.id == incident.newest || record.id == incident.newest_trigger;
  // Whoever was told that it is open hears that it is over.
  return record.id == incident.newest && record.action == NotificationAction::resolve &&
         incident.told_open;
}

void follow(Incident& incident, const NotificationRecord& record) {
  incident.newest = record.id;
  incident.changed = record.time;
  switch (record.action) {
    case NotificationAction::trigger:
      if (incident.state == IncidentState::closed) {
        incident.opened = record.time;
        incident.last_sent.reset();
      }
      incident.state = IncidentState::open;
      incident.newest_trigger = record.id;
      break;
    case NotificationAction::acknowledge:
      if (incident.state == IncidentState::open) incident.state = IncidentState::acknowledged;
      break;
    case NotificationAction::resolve:
      incident.state = IncidentState::closed;
      break;
  }
  if (goes_out(record.status)) incident.told_open = record.action != NotificationAction::resolve;
}

void follow(Incident& incident, const NotificationRecord& record,
            const NotificationChange& change) {
  if (change.status == NotificationStatus::sent) incident.last_sent = change.sent_at;
  if (goes_out(change.status) && !goes_out(record.status))
    incident.told_open = record.action != NotificationAction::resolve;
  // It will not arrive: the receiver holds what it was sent before, if anything.
  if (!goes_out(change.status) && goes_out(record.status))
    incident.told_open = incident.last_sent.has_value();
}

}  // namespace hastur
