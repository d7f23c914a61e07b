// Alertmanager's API v2, POST /api/v2/alerts: a list of alerts, each known by its labels. An alert
// fires until its endsAt, so it is sent again while it does.

#include "core/json.h"
#include "supervisor/notify/request_parts.h"

#include <algorithm>

namespace hastur {
namespace {

// As Prometheus does: an alert outlives three repetitions that did not arrive.
constexpr int resends_outlived = 4;

std::string text_in(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

// A label set or annotations, whose values are texts.
Json texts_in(const Json& details, const char* key) {
  Json texts = Json::object();
  const auto found = details.find(key);
  if (found == details.end() || !found->is_object()) return texts;
  for (const auto& [name, value] : found->items()) texts[name] = text_in(value);
  return texts;
}

Json alert_of(const AlertmanagerChannel& way, const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  const OutgoingNotification& notification = subject.notification;
  Json labels, annotations = Json::object();
  if (content.call == "alertmanager") {
    labels = texts_in(content.details, "labels");
    annotations = texts_in(content.details, "annotations");
  } else {
    labels = {{"alertname", notification.trigger}};
    if (content.key) labels["key"] = *content.key;
    if (!content.severity.empty()) labels["severity"] = content.severity;
    annotations["summary"] = content.text;
  }
  for (const auto& [name, value] : {std::pair{"hastur_notification", short_id(notification.id)},
                                    std::pair{"hastur_trigger", notification.trigger},
                                    std::pair{"hastur_version", notification.version}}) {
    if (!annotations.contains(name)) annotations[name] = value;
  }
  Json alert{{"labels", std::move(labels)}, {"annotations", std::move(annotations)}};
  const Time now = subject.context.now;
  if (content.action == NotificationAction::resolve) {
    // Without a beginning: Alertmanager keeps the one it knows.
    alert["endsAt"] = format_time(now);
  } else {
    alert["startsAt"] = format_time(std::min(notification.time, now));
    alert["endsAt"] = format_time(now + resends_outlived * way.resend_every);
  }
  return alert;
}

}  // namespace

Result<OutgoingRequest> alertmanager_request(const AlertmanagerChannel& way, const Channel& channel,
                                             std::span<const RequestSubject> subjects) {
  Json alerts = Json::array();
  for (const RequestSubject& subject : subjects) alerts.push_back(alert_of(way, subject));
  std::string url = way.url;
  while (url.ends_with('/')) url.pop_back();
  WebRequest request = json_post(channel, url + "/api/v2/alerts", alerts);
  if (!way.authorization.value.empty()) {
    request.headers.emplace_back("Authorization: " + way.authorization.value.reveal());
  }
  return OutgoingRequest{std::move(request)};
}

}  // namespace hastur
