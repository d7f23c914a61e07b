#pragma once

// The text of a mail (RFC 5322, 2045, 2047): UTF-8 in headers and body, lines that every server
// takes, and no way for a text to become a header of its own.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

struct MailAddress {
  // Empty if there is none.
  std::string name;
  // "a@example.com": ASCII, without brackets.
  std::string address;
};

// "a@example.com" or "Name <a@example.com>". Fails for anything else, for line breaks, and for an
// address outside of ASCII.
Result<MailAddress> parse_mail_address(std::string_view text);

struct Mail {
  MailAddress from;
  std::vector<MailAddress> to, cc;
  std::string subject;
  Time date;
  // Without brackets: "n-4f21.OWNER@example.com". `thread` is that of a mail which need not exist;
  // mails that share it are shown together.
  std::string message_id, thread;
  // Further headers, ASCII.
  std::vector<std::pair<std::string, std::string>> headers;
  // Any line ends.
  std::string body;
};

// The whole mail with CRLF line ends. Fails for a line break or another control character in any
// header field.
Result<std::string> mail_text(const Mail& mail);

std::string base64(std::string_view bytes);

}  // namespace hastur
