#pragma once

// Whom a mail has reached when its server took it for some recipients only: those are not sent it
// again, and those that were refused for good are not tried again.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hastur {

struct MailProgress {
  // Addresses whose server has taken it.
  std::vector<std::string> have;
  // Addresses that were refused for good, with the server's answer.
  std::map<std::string, std::string> refused;

  bool empty() const { return have.empty() && refused.empty(); }
  // Whether nothing more is to be sent to the address.
  bool is_settled(const std::string& address) const;
};

// As a notification keeps it (NotificationRecord::progress): canonical JSON, empty if there is
// nothing to remember.
std::string mail_progress_text(const MailProgress& progress);
// The same for somebody's order to try again: those that were refused, too.
std::string without_refused(std::string_view text);
// What is none is read as empty: then all are sent it.
MailProgress read_mail_progress(std::string_view text);

}  // namespace hastur
