#pragma once

// The ways on which notifications leave, as [notify.NAME] of hastur.toml gives them.
//
// A section has a `kind` and the keys of that kind. Secrets come from files or the environment
// (supervisor/notify/secret.h), so that hastur.toml can be shown to anybody.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"
#include "supervisor/notify/secret.h"
#include "supervisor/notify/url.h"

namespace hastur {

// PagerDuty's Events API v2.
struct PagerDutyChannel {
  std::string url = "https://events.pagerduty.com/v2/enqueue";
  SecretSetting routing_key;
  // Of a notification that names none.
  std::string severity = "critical";
  bool operator==(const PagerDutyChannel&) const = default;
};

struct EmailChannel {
  // "smtp://mail.example.com:587", "smtps://mail.example.com"
  std::string server;
  // "required": TLS or nothing; "if_offered"; "none".
  std::string tls = "required";
  std::string user;
  SecretSetting password;
  std::string from;
  // Who gets what names no recipients: calls of other kinds, tests, the platform's own.
  std::vector<std::string> to;
  bool operator==(const EmailChannel&) const = default;
};

struct WebHookChannel {
  // Where calls go that name no URL; as the operator wrote it, so neither `allow` nor the address
  // is checked.
  std::string url;
  // The hosts that triggers may name, and whether those may stand for addresses that are not of the
  // public internet.
  std::vector<std::string> allow;
  bool allow_private = false;
  // Of the header X-Hastur-Signature, and the whole value of the header Authorization.
  SecretSetting signing_key;
  SecretSetting authorization;
  // `allow`, read by check().
  std::vector<AllowedHost> allowed;
  bool operator==(const WebHookChannel&) const = default;
};

// An incoming web hook of Slack; its URL is the key.
struct SlackChannel {
  SecretSetting url;
  bool operator==(const SlackChannel&) const = default;
};

struct AlertmanagerChannel {
  // "http://alertmanager:9093"
  std::string url;
  SecretSetting authorization;
  // A firing alert is sent again this often; after four times that without us it ends by itself.
  Micros resend_every = std::chrono::minutes{1};
  bool operator==(const AlertmanagerChannel&) const = default;
};

// A program of this machine: argv, without a shell. The notification comes on its standard input.
struct CommandChannel {
  std::vector<std::string> command;
  bool operator==(const CommandChannel&) const = default;
};

// A line of JSON for each.
struct FileChannel {
  std::string path;
  bool operator==(const FileChannel&) const = default;
};

// "pager_duty", "email", "web_hook", "slack", "alertmanager", "command", "file": in this order in
// Channel::way.
struct Channel {
  std::string name;
  std::string kind;
  // Takes the calls of its kind that name no channel. A command's or a file's takes those whose
  // kind has no default.
  bool is_default = false;
  // What happens to its notifications: "on", "record" or "off"; the supervisor's may be stricter.
  std::string mode = "on";
  // From connecting to the last byte of the answer.
  Micros timeout = std::chrono::seconds{10};
  // What could not be delivered for so long has failed.
  Micros expire_after = std::chrono::hours{24};
  // Certificates of the authorities that are believed; empty: the system's.
  std::string ca_file;
  std::variant<PagerDutyChannel, EmailChannel, WebHookChannel, SlackChannel, AlertmanagerChannel,
               CommandChannel, FileChannel>
      way;

  bool operator==(const Channel&) const = default;

  // `text` without any secret of this channel: for what a receiver or a library said.
  std::string redact(std::string text) const;
};

class NotifyConfig {
 public:
  // Declares [notify.NAME] in `settings`. This outlives it, and neither moves nor is copied before
  // the file has been read.
  void declare(Settings& settings);

  // Checks all channels and reads their secrets. The error names the section and key.
  Result<std::map<std::string, Channel>> open() const;

 private:
  std::map<std::string, Channel> channels_;
};

// The channel of a call of `call` ("pager_duty", "send_email", "web_hook", "slack", "alertmanager")
// that names `to`, or none (empty). An error says what the configuration lacks.
Result<const Channel*> channel_for(const std::map<std::string, Channel>& channels,
                                   std::string_view call, std::string_view to);

}  // namespace hastur
