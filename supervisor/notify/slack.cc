// Slack's incoming web hooks: https://api.slack.com/messaging/webhooks

#include "core/json.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {
namespace {

// Slack cuts messages here.
constexpr std::size_t text_characters_max = 40'000;
constexpr std::size_t details_characters_max = 3'000;

const char* color_of(const NotificationContent& content) {
  if (content.action == NotificationAction::resolve) return "good";
  return content.severity == "warning" || content.severity == "info" ? "warning" : "danger";
}

}  // namespace

Result<OutgoingRequest> slack_request(const SlackChannel& way, const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  // What the call gives besides our own options is Slack's: blocks, attachments, username …
  Json body = content.options;
  for (const char* own : {"action", "severity", "to", "key", "url", "headers", "method"})
    body.erase(own);
  std::string text = content.text.empty() ? content.key.value_or("") : content.text;
  if (content.action == NotificationAction::resolve) text = "Resolved: " + text;
  if (content.action == NotificationAction::acknowledge) text = "Acknowledged: " + text;
  body["text"] = shortened(text, text_characters_max);
  if (!body.contains("attachments") && !body.contains("blocks")) {
    Json note{{"color", color_of(content)},
              {"footer", subject.notification.trigger + " · " + short_id(subject.notification.id)}};
    if (!content.details.empty()) {
      note["text"] =
          "```" + shortened(pretty_json(content.details), details_characters_max) + "```";
    }
    body["attachments"] = Json::array({std::move(note)});
  }
  return OutgoingRequest{json_post(subject.channel, way.url.value.reveal(), body)};
}

}  // namespace hastur
