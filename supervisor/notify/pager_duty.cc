// PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2/overview

#include <fmt/format.h>

#include "core/hash.h"
#include "core/json.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {
namespace {

constexpr std::size_t dedup_key_bytes_max = 255;
constexpr std::size_t summary_characters_max = 1024;

// The incident's key as it is; a longer one keeps its beginning and ends in a hash of the whole.
std::string dedup_key(std::string_view key) {
  if (key.size() <= dedup_key_bytes_max) return std::string(key);
  const std::string ending = fmt::format("~{:016x}", hash64(key));
  std::size_t kept = dedup_key_bytes_max - ending.size();
  while (kept > 0 && (static_cast<unsigned char>(key[kept]) & 0xc0) == 0x80) --kept;
  return std::string(key.substr(0, kept)) + ending;
}

// The call's own entries stand beside ours, below "details" if one has the name of ours.
Json custom_details(const RequestSubject& subject) {
  const Json ours{{"notification", short_id(subject.notification.id)},
                  {"supervisor", subject.context.owner},
                  {"trigger", subject.notification.trigger},
                  {"version", subject.notification.version}};
  const Json& details = subject.content.details;
  bool beside = details.is_object();
  for (const auto& [name, value] : ours.items()) beside = beside && !details.contains(name);
  Json all = beside ? details : Json{{"details", details}};
  all.update(ours);
  return all;
}

}  // namespace

Result<OutgoingRequest> pager_duty_request(const PagerDutyChannel& way,
                                           const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  if (!content.key && content.action != NotificationAction::trigger) {
    return fail(ErrorCode::invalid,
                fmt::format("PagerDuty cannot {} what has no key", action_name(content.action)));
  }
  Json body{{"routing_key", way.routing_key.value.reveal()},
            {"event_action", action_name(content.action)}};
  if (content.key) body["dedup_key"] = dedup_key(*content.key);
  if (content.action == NotificationAction::trigger) {
    const std::string& trigger = subject.notification.trigger;
    const std::string text =
        !content.text.empty() ? content.text : content.key.value_or("notification of " + trigger);
    Json payload{{"summary", shortened(text, summary_characters_max)},
                 {"source", trigger},
                 {"severity", content.severity.empty() ? way.severity : content.severity},
                 {"timestamp", format_time(subject.notification.time)},
                 {"custom_details", custom_details(subject)}};
    for (const char* field : {"source", "component", "group", "class"}) {
      const auto given = content.options.find(field);
      if (given != content.options.end() && given->is_string()) payload[field] = *given;
    }
    body["payload"] = std::move(payload);
    body["client"] = "hastur";
    for (const char* field : {"client_url", "links", "images"}) {
      if (content.options.contains(field)) body[field] = content.options[field];
    }
  }
  return OutgoingRequest{json_post(subject.channel, way.url, body)};
}

}  // namespace hastur
