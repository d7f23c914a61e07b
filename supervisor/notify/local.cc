// Receivers on this machine: a command and a file. Both get the general form.

#include "supervisor/notify/request_parts.h"

namespace hastur {

Result<Request> command_request(const CommandChannel& way, const RequestSubject& subject) {
  return Request{CommandRequest{way.command, short_id(subject.notification.id),
                                canonical_json(notification_json(subject)) + "\n"}};
}

Result<Request> file_request(const FileChannel& way, const RequestSubject& subject) {
  Json json = notification_json(subject);
  json["written_at"] = to_us(subject.context.now);
  return Request{FileRequest{way.path, canonical_json(json) + "\n"}};
}

}  // namespace hastur
