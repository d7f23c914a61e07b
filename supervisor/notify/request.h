#pragma once

// What a notification becomes for a receiver, and what a receiver's answer means.
//
// Making a request is a pure function of channel, notification and time. All that goes over the
// network in it is a Secret: some of it is one, and nobody needs to log the rest.

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "supervisor/notify/channel.h"
#include "supervisor/notify/mail_progress.h"
#include "supervisor/notify/notification.h"
#include "supervisor/notify/secret.h"

namespace hastur {

struct WebRequest {
  std::string method = "POST";
  Secret url;
  // Whole lines.
  std::vector<Secret> headers;
  Secret body;
  std::string ca_file;
  // Connect to addresses of the public internet only: a trigger chose the host.
  bool public_only = false;
};

struct MailRequest {
  std::string server;
  std::string tls;
  std::string user;
  Secret password;
  std::string ca_file;
  // Bare addresses, each once: the envelope, with those of bcc. Those that `progress` settles are
  // left out of the transfer.
  std::string from;
  std::vector<std::string> recipients;
  MailProgress progress;
  std::string text;
};

struct CommandRequest {
  std::vector<std::string> command;
  std::string id;
  std::string input;
};

struct FileRequest {
  std::string path;
  // With its newline.
  std::string line;
};

struct OutgoingRequest {
  std::variant<WebRequest, MailRequest, CommandRequest, FileRequest> what;
  Micros timeout{0};
};

struct RequestContext {
  // OwnerId of the store, which makes a notification's id unique among all supervisors.
  std::string owner;
  Time now;
};

// An error says why this notification can never leave on this channel: bad text of a script, a host
// that is not allowed. Trying again would not help.
Result<OutgoingRequest> make_request(const Channel& channel,
                                     const OutgoingNotification& notification,
                                     const RequestContext& context);

// Says to an Alertmanager that these alerts, which it was sent before, still fire.
Result<OutgoingRequest> make_resend(const Channel& channel,
                                    std::span<const OutgoingNotification> notifications,
                                    const RequestContext& context);

struct Answer {
  enum class Verdict {
    arrived,
    refused,  // the same request would be refused again
    again,    // could not be reached, or asks for patience
  };
  Verdict verdict = Verdict::again;
  // What the receiver or the library said, one line. May hold secrets until Channel::redact().
  std::string text;
  // How long the receiver asks to be left alone.
  std::optional<Micros> retry_after;
  // Of a receiver that stands for several: not all of them have it, yet (`again`) or ever
  // (`arrived`).
  struct Part {
    // For the next attempt (OutgoingNotification::progress).
    std::string progress;
    // Somebody has it.
    bool reached = false;
    // The receiver works: somebody got it with this attempt, or some have it, and the others were
    // refused each for itself.
    bool works = false;
  };
  std::optional<Part> part = {};
};

// What one attempt came to, for the recipients that it tried: what the server answered to each of
// them, and to all of them (a mail that was taken, refused, or never got so far).
struct MailOutcome {
  // In the order of the recipients that were tried; an empty one was not asked about.
  std::vector<std::string> answers;
  // To the mail as a whole: "250 taken", "535 no"; empty if none came.
  std::string last;
  // What the library said; empty if all went well.
  std::string cause;
  bool taken = false;
};
// A recipient whose server took the mail has it; 5yz is for good (RFC 5321, 4.2.1); all else is
// tried again, for those recipients alone.
Answer judge_mail(const MailRequest& request, const MailOutcome& outcome);

// An answer that came whole. 2xx has arrived; 408, 425, 429 and 5xx may be tried again; all else
// (redirects too: they are not followed) is refused.
Answer judge_http(long status, std::string_view body, std::optional<Micros> retry_after);

// Printable, on one line, at most 300 characters: where it is cut stands "…", as Secret::redact
// must know.
std::string receiver_line(std::string_view text);

}  // namespace hastur
