#include "supervisor/notify/request.h"

#include <fmt/format.h>

#include "core/json.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {
namespace {

struct MakeFrom {
  const RequestSubject& subject;

  Result<OutgoingRequest> operator()(const PagerDutyChannel& way) {
    return pager_duty_request(way, subject);
  }
  Result<OutgoingRequest> operator()(const EmailChannel& way) {
    return email_request(way, subject);
  }
  Result<OutgoingRequest> operator()(const WebHookChannel& way) {
    return web_hook_request(way, subject);
  }
  Result<OutgoingRequest> operator()(const SlackChannel& way) {
    return slack_request(way, subject);
  }
  Result<OutgoingRequest> operator()(const AlertmanagerChannel& way) {
    return alertmanager_request(way, subject.channel, {&subject, 1});
  }
  Result<OutgoingRequest> operator()(const CommandChannel& way) {
    return command_request(way, subject);
  }
  Result<OutgoingRequest> operator()(const FileChannel& way) { return file_request(way, subject); }
};

}  // namespace

Result<OutgoingRequest> make_request(const Channel& channel,
                                     const OutgoingNotification& notification,
                                     const RequestContext& context) {
  const auto content = read_notification(notification.payload);
  if (!content) return fail(content.error());
  const RequestSubject subject{channel, notification, *content, context};
  auto request = std::visit(MakeFrom{subject}, channel.way);
  if (!request) return request;
  request->timeout = channel.timeout;
  // Whatever the body says: who keeps the ids it has seen needs no more.
  if (auto* web = std::get_if<WebRequest>(&request->what))
    web->headers.emplace_back("X-Hastur-Notification: " + short_id(notification.id));
  return request;
}

Result<OutgoingRequest> make_resend(const Channel& channel,
                                    std::span<const OutgoingNotification> notifications,
                                    const RequestContext& context) {
  const auto* way = std::get_if<AlertmanagerChannel>(&channel.way);
  HASTUR_CHECK(way != nullptr, "only alerts of an Alertmanager are sent again");
  std::vector<NotificationContent> contents;
  for (const OutgoingNotification& notification : notifications) {
    auto content = read_notification(notification.payload);
    if (!content) return fail(content.error());
    contents.push_back(std::move(*content));
  }
  std::vector<RequestSubject> subjects;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    subjects.push_back({channel, notifications[i], contents[i], context});
  }
  auto request = alertmanager_request(*way, channel, subjects);
  if (request) request->timeout = channel.timeout;
  return request;
}

Json notification_json(const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  Json json{{"id", short_id(subject.notification.id)},
            {"supervisor", subject.context.owner},
            {"channel", subject.channel.name},
            {"trigger", subject.notification.trigger},
            {"version", subject.notification.version},
            {"sequence", subject.notification.sequence.value},
            {"time", to_us(subject.notification.time)},
            {"kind", content.call},
            {"action", action_name(content.action)},
            {"key", content.key ? Json(*content.key) : Json()},
            {"text", content.text},
            {"details", content.details}};
  if (!content.severity.empty()) json["severity"] = content.severity;
  if (!content.recipients.empty()) json["recipients"] = content.recipients;
  return json;
}

WebRequest json_post(const Channel& channel, std::string url, const Json& body) {
  WebRequest request;
  request.url = Secret(std::move(url));
  request.headers.emplace_back("Content-Type: application/json");
  request.body = Secret(canonical_json(body));
  request.ca_file = channel.ca_file;
  return request;
}

std::string pretty_json(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string shortened(std::string_view text, std::size_t characters_max) {
  std::size_t characters = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++characters == characters_max) end = i;
    if (characters > characters_max) return std::string(text.substr(0, end)) + "…";
  }
  return std::string(text);
}

Answer judge_http(long status, std::string_view body, std::optional<Micros> retry_after) {
  Answer answer;
  answer.text = fmt::format("status {}", status);
  if (const std::string line = receiver_line(body); !line.empty()) answer.text += ": " + line;
  if (status >= 200 && status < 300) {
    answer.verdict = Answer::Verdict::arrived;
  } else if (status == 408 || status == 425 || status == 429 || status >= 500) {
    answer.verdict = Answer::Verdict::again;
    answer.retry_after = retry_after;
  } else {
    answer.verdict = Answer::Verdict::refused;
    if (status >= 300 && status < 400) answer.text += " (redirects are not followed)";
  }
  return answer;
}

std::string receiver_line(std::string_view text) {
  constexpr std::size_t characters_max = 300;
  constexpr std::size_t utf8_bytes_max = 4;
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
    // More characters than are shown, whatever comes.
    if (line.size() > utf8_bytes_max * (characters_max + 1)) break;
  }
  while (line.ends_with(' ')) line.pop_back();
  std::string clean;
  append_utf8(clean, line);
  return shortened(clean, characters_max);
}

}  // namespace hastur
