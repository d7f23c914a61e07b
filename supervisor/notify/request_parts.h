#pragma once

// The requests of each kind of channel; make_request() chooses between them.

#include "supervisor/notify/request.h"

namespace hastur {

// A notification read, with where it came from.
struct RequestSubject {
  const Channel& channel;
  const OutgoingNotification& notification;
  const NotificationContent& content;
  const RequestContext& context;
};

Result<OutgoingRequest> pager_duty_request(const PagerDutyChannel& way,
                                           const RequestSubject& subject);
Result<OutgoingRequest> email_request(const EmailChannel& way, const RequestSubject& subject);
Result<OutgoingRequest> web_hook_request(const WebHookChannel& way, const RequestSubject& subject);
Result<OutgoingRequest> slack_request(const SlackChannel& way, const RequestSubject& subject);
Result<OutgoingRequest> alertmanager_request(const AlertmanagerChannel& way, const Channel& channel,
                                             std::span<const RequestSubject> subjects);
Result<OutgoingRequest> command_request(const CommandChannel& way, const RequestSubject& subject);
Result<OutgoingRequest> file_request(const FileChannel& way, const RequestSubject& subject);

// The form for receivers that have none of their own: web hooks, commands, files.
Json notification_json(const RequestSubject& subject);

// A POST of JSON.
WebRequest json_post(const Channel& channel, std::string url, const Json& body);

// With line breaks and indentation, for people.
std::string pretty_json(const Json& value);

// The text at `key`; empty if there is none.
std::string text_at(const Json& object, const char* key);

// The first `characters_max` characters, ending in "…" if some are left out.
std::string shortened(std::string_view text, std::size_t characters_max);

}  // namespace hastur
