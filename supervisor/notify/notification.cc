#include "supervisor/notify/notification.h"

#include "core/json.h"

namespace hastur {
namespace {

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<NotificationContent> read_notification(std::string_view payload) {
  auto json = parse_json(payload);
  if (!json) return fail(ErrorCode::corrupt, "a notification's payload is " + json.error().message);
  if (!json->is_object() || text_of(*json, "kind").empty()) {
    return fail(ErrorCode::corrupt, "a notification's payload is no object with a kind");
  }
  NotificationContent content;
  content.call = text_of(*json, "kind");
  content.text = text_of(*json, "text");
  content.details = json->value("details", Json::object());
  content.options = json->value("options", Json::object());
  if (!content.options.is_object()) content.options = Json::object();
  if (const auto key = json->find("key"); key != json->end() && key->is_string()) {
    content.key = key->get<std::string>();
  }
  if (const auto to = json->find("to"); to != json->end() && to->is_array()) {
    for (const Json& recipient : *to) {
      if (recipient.is_string()) content.recipients.push_back(recipient.get<std::string>());
    }
    content.to = text_of(content.options, "to");
  } else {
    content.to = text_of(*json, "to");
  }
  content.severity = text_of(content.options, "severity");
  content.action =
      action_from_name(text_of(content.options, "action")).value_or(NotificationAction::trigger);
  return content;
}

OutgoingNotification test_notification(const std::string& channel, Time now) {
  OutgoingNotification test;
  test.id = static_cast<std::uint64_t>(to_us(now));
  test.trigger = "hastur/test";
  test.version = "none";
  test.time = now;
  test.payload = canonical_json(
      {{"kind", "test"},
       {"key", nullptr},
       {"to", channel},
       {"text", "[test] Hastur tests the channel " + channel + ": nothing is wrong."},
       {"details", {{"test", true}}},
       {"options", {{"severity", "info"}}}});
  return test;
}

OutgoingNotification watchdog_call(const std::string& url, Time now) {
  OutgoingNotification call;
  call.id = static_cast<std::uint64_t>(to_us(now));
  call.trigger = "hastur/watchdog";
  call.time = now;
  call.payload = canonical_json({{"kind", "web_hook"},
                                 {"key", nullptr},
                                 {"to", nullptr},
                                 {"text", ""},
                                 {"details", Json::object()},
                                 {"options", {{"url", url}, {"method", "GET"}}}});
  return call;
}

}  // namespace hastur
