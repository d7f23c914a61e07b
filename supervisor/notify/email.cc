#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/json.h"
#include "supervisor/notify/mime.h"
#include "supervisor/notify/request_parts.h"

namespace hastur {
namespace {

// Addresses of an option that is one text or a list of them.
Result<std::vector<MailAddress>> addresses_in(const Json& options, const char* key) {
  std::vector<MailAddress> addresses;
  const auto found = options.find(key);
  if (found == options.end()) return addresses;
  const Json list = found->is_string() ? Json::array({*found}) : *found;
  for (const Json& entry : list) {
    const auto address = parse_mail_address(entry.is_string() ? entry.get<std::string>() : "");
    if (!address) {
      return fail(ErrorCode::invalid, fmt::format("options.{}: {}", key, address.error().message));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

std::string subject_of(const NotificationContent& content) {
  std::string text = content.text.empty() ? content.key.value_or("notification") : content.text;
  if (content.call == "send_email") return text;
  // A description of any call may have lines; a subject is one.
  text = shortened(receiver_line(text), 200);
  return content.action == NotificationAction::trigger
             ? text
             : fmt::format("[{}d] {}", action_name(content.action), text);
}

std::string body_of(const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  if (content.call == "send_email") return text_at(content.details, "body");
  std::string body = content.text + "\n\n";
  body += fmt::format("trigger: {}\ntime: {}\naction: {}\n", subject.notification.trigger,
                      format_time(subject.notification.time), action_name(content.action));
  if (content.key) body += fmt::format("key: {}\n", *content.key);
  if (!content.details.empty()) body += "\n" + pretty_json(content.details) + "\n";
  return body;
}

}  // namespace

Result<OutgoingRequest> email_request(const EmailChannel& way, const RequestSubject& subject) {
  const NotificationContent& content = subject.content;
  const OutgoingNotification& notification = subject.notification;
  const auto from = parse_mail_address(way.from);
  if (!from) return fail(from.error());
  Mail mail;
  mail.from = *from;
  const auto& recipients = content.recipients.empty() ? way.to : content.recipients;
  for (const std::string& recipient : recipients) {
    const auto address = parse_mail_address(recipient);
    if (!address) return fail(address.error());
    mail.to.push_back(*address);
  }
  if (mail.to.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("the call names no recipients and [notify.{}] has no `to`",
                            subject.channel.name));
  }
  auto cc = addresses_in(content.options, "cc");
  auto bcc = addresses_in(content.options, "bcc");
  if (!cc) return fail(cc.error());
  if (!bcc) return fail(bcc.error());
  mail.cc = std::move(*cc);
  mail.subject = subject_of(content);
  mail.date = notification.time;
  const std::string domain = from->address.substr(from->address.find('@') + 1);
  const std::string& owner = subject.context.owner;
  mail.message_id = fmt::format("{}.{}@{}", short_id(notification.id), owner, domain);
  if (content.key) {
    mail.thread = fmt::format("i-{:016x}.{}@{}", hash64(notification.trigger + '\n' + *content.key),
                              owner, domain);
  }
  mail.headers = {{"X-Hastur-Trigger", notification.trigger},
                  {"X-Hastur-Notification", short_id(notification.id)}};
  mail.body = body_of(subject);
  auto text = mail_text(mail);
  if (!text) return fail(text.error());

  MailRequest request;
  request.server = way.server;
  request.tls = way.tls;
  request.user = way.user;
  request.password = way.password.value;
  request.ca_file = subject.channel.ca_file;
  request.from = from->address;
  for (const std::vector<MailAddress>* list : {&mail.to, &mail.cc, &bcc.value()}) {
    for (const MailAddress& address : *list) {
      if (std::ranges::find(request.recipients, address.address) == request.recipients.end())
        request.recipients.push_back(address.address);
    }
  }
  request.progress = read_mail_progress(notification.progress);
  if (std::ranges::all_of(request.recipients, [&](const std::string& address) {
        return request.progress.is_settled(address);
      })) {
    return fail(ErrorCode::invalid, "all recipients have it or have refused it");
  }
  request.text = std::move(*text);
  return OutgoingRequest{std::move(request)};
}

namespace {

// "b@example.com: 550 no such user" of some, and how many more there are.
std::string some_of(const std::map<std::string, std::string>& answers) {
  constexpr std::size_t named_max = 3;
  std::string text;
  std::size_t named = 0;
  for (const auto& [address, answer] : answers) {
    if (named++ == named_max)
      return fmt::format("{} and {} more", text, answers.size() - named_max);
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", address, answer);
  }
  return text;
}

}  // namespace

Answer judge_mail(const MailRequest& request, const MailOutcome& outcome) {
  MailProgress progress = request.progress;
  std::map<std::string, std::string> later;
  const std::string whole = outcome.last.empty() ? outcome.cause : outcome.last;
  std::size_t tried = 0, have = 0;
  bool reached_now = false, all_alike = true, each_refused = true;
  for (const std::string& address : request.recipients) {
    if (progress.is_settled(address)) {
      have += progress.refused.contains(address) ? 0 : 1;
      continue;
    }
    const std::string own = tried < outcome.answers.size() ? outcome.answers[tried] : "";
    ++tried;
    // Whoever was not refused shares the fate of the mail.
    const bool was_refused = own.starts_with('4') || own.starts_with('5');
    all_alike = all_alike && !was_refused;
    each_refused = each_refused && was_refused;
    if (!was_refused && outcome.taken) {
      progress.have.push_back(address);
      ++have;
      reached_now = true;
    } else if (was_refused ? own.front() == '5' : outcome.last.starts_with('5')) {
      progress.refused[address] = was_refused ? own : whole;
    } else {
      later[address] = was_refused ? own : whole;
    }
  }
  const std::size_t all = request.recipients.size();
  Answer answer;
  answer.verdict = !later.empty() ? Answer::Verdict::again
                   : have == 0    ? Answer::Verdict::refused
                                  : Answer::Verdict::arrived;
  answer.text = outcome.last;
  if (!outcome.cause.empty())
    answer.text = outcome.cause + (outcome.last.empty() ? "" : ": " + outcome.last);
  if (have == all || (all_alike && tried == all)) return answer;
  answer.text = fmt::format("{} of {} recipients have it", have, all);
  if (!later.empty()) answer.text += "; refused for now: " + some_of(later);
  if (!progress.refused.empty()) answer.text += "; refused: " + some_of(progress.refused);
  if (answer.verdict != Answer::Verdict::refused && !progress.empty())
    answer.part = {mail_progress_text(progress), have > 0,
                   reached_now || (have > 0 && each_refused)};
  return answer;
}

}  // namespace hastur
