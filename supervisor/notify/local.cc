// Receivers on this machine: a command and a file. Both get the general form.

#include "core/json.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {

Result<OutgoingRequest> command_request(const CommandChannel& way, const RequestSubject& subject) {
  return OutgoingRequest{CommandRequest{way.command, short_id(subject.notification.id),
                                        canonical_json(notification_json(subject)) + "\n"}};
}

Result<OutgoingRequest> file_request(const FileChannel& way, const RequestSubject& subject) {
  Json json = notification_json(subject);
  json["written_at"] = to_us(subject.context.now);
  return OutgoingRequest{FileRequest{way.path, canonical_json(json) + "\n"}};
}

}  // namespace hastur
