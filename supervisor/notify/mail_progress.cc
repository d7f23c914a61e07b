#include "supervisor/notify/mail_progress.h"

#include <algorithm>

#include "core/json.h"

namespace hastur {

bool MailProgress::is_settled(const std::string& address) const {
  return refused.contains(address) || std::ranges::find(have, address) != have.end();
}

std::string mail_progress_text(const MailProgress& progress) {
  if (progress.empty()) return "";
  return canonical_json({{"have", progress.have}, {"refused", progress.refused}});
}

std::string without_refused(std::string_view text) {
  MailProgress progress = read_mail_progress(text);
  progress.refused.clear();
  return mail_progress_text(progress);
}

MailProgress read_mail_progress(std::string_view text) {
  MailProgress progress;
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return progress;
  if (const auto have = json->find("have"); have != json->end() && have->is_array()) {
    for (const Json& address : *have) {
      if (address.is_string()) progress.have.push_back(address.get<std::string>());
    }
  }
  if (const auto refused = json->find("refused"); refused != json->end() && refused->is_object()) {
    for (const auto& [address, answer] : refused->items())
      progress.refused[address] = answer.is_string() ? answer.get<std::string>() : "";
  }
  return progress;
}

}  // namespace hastur
