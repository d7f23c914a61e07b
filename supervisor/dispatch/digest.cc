#include "supervisor/dispatch/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/lowered.h"

namespace hastur {
namespace {

constexpr std::size_t late_max = 200;
// A mail server takes this, and PagerDuty, which takes 512 KB.
constexpr std::size_t bytes_max = 200'000;
// Slack cuts at 40,000 characters.
constexpr std::size_t slack_bytes_max = 30'000;
constexpr std::array<std::string_view, 4> severities = {"info", "warning", "error", "critical"};

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json options_of(const Json& payload) {
  const auto options = payload.find("options");
  return options != payload.end() && options->is_object() ? *options : Json::object();
}

// The options that say where a call goes and how it looks there; all others are what it says.
bool is_address(std::string_view kind, std::string_view option) {
  const auto among = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, option) != names.end();
  };
  if (option == "to") return true;
  if (kind == "send_email") return among({"cc", "bcc"});
  if (kind == "web_hook") return among({"url", "method", "headers"});
  if (kind == "slack") return among({"channel", "thread_ts", "username", "icon_emoji", "icon_url"});
  return false;
}

// A digest has a type of its own.
Json address_of(const std::string& kind, const Json& options) {
  Json address = Json::object();
  for (const auto& [name, value] : options.items()) {
    if (is_address(kind, name)) address[name] = value;
  }
  const auto headers = address.find("headers");
  if (headers == address.end() || !headers->is_object()) return address;
  Json kept = Json::object();
  for (const auto& [name, value] : headers->items()) {
    if (lowered(name) != "content-type") kept[name] = value;
  }
  *headers = std::move(kept);
  return address;
}

// In any order they are the same people.
Json sorted(Json recipients) {
  if (recipients.is_array()) std::sort(recipients.begin(), recipients.end());
  return recipients;
}

// What one of them said.
Json entry_of(const NotificationRecord& record, const Json& payload) {
  const std::string kind = text_in(payload, "kind");
  const Json options = options_of(payload);
  Json entry = Json::object();
  for (const auto& [name, value] : options.items()) {
    if (!is_address(kind, name)) entry[name] = value;
  }
  entry["id"] = short_id(record.id);
  entry["time"] = to_us(record.time);
  entry["text"] = text_in(payload, "text");
  const auto details = payload.find("details");
  if (details != payload.end() && !details->empty()) entry["details"] = *details;
  return entry;
}

}  // namespace

std::string digest_audience(const NotificationRecord& record, const Json& payload) {
  const std::string kind = text_in(payload, "kind");
  Json address = address_of(kind, options_of(payload));
  for (const char* list : {"cc", "bcc"}) {
    if (address.contains(list)) address[list] = sorted(address[list]);
  }
  return canonical_json(
      Json::array({record.channel, kind, sorted(payload.value("to", Json())), std::move(address)}));
}

bool Digest::add(const NotificationRecord& record, const Json& payload) {
  if (++count_ == 1) first_ = record.time;
  newest_ = record;
  payload_ = payload;
  const auto rank = [](std::string_view name) { return std::ranges::find(severities, name); };
  const std::string severity = text_in(options_of(payload), "severity");
  if (count_ == 1 || severity.empty() || (!severity_.empty() && rank(severity) > rank(severity_))) {
    severity_ = severity;
  }
  Json entry = entry_of(record, payload);
  const std::size_t bytes = canonical_json(entry).size();
  const std::size_t limit = text_in(payload, "kind") == "slack" ? slack_bytes_max : bytes_max;
  // One alone always fits: it could have left.
  if (!late_.empty() && (late_.size() == late_max || bytes_ + bytes > limit)) return false;
  bytes_ += bytes;
  late_.push_back(std::move(entry));
  return true;
}

// For people.
std::string Digest::listing() const {
  std::string text;
  for (const Json& each : late_) {
    text += fmt::format("\n{} {}\n", format_time(time_from_us(each["time"])),
                        each["text"].get<std::string>());
    Json said = each.value("details", Json::object());
    // A mail's body is its text.
    if (const std::string body = said.is_object() ? text_in(said, "body") : ""; !body.empty()) {
      text += body + (body.ends_with('\n') ? "" : "\n");
      said.erase("body");
    }
    Json options = each;
    for (const char* shown : {"id", "time", "text", "details"}) options.erase(shown);
    for (const Json& rest : {said, options}) {
      if (!rest.empty()) text += canonical_json(rest) + "\n";
    }
  }
  if (count_ > late_.size()) {
    text +=
        fmt::format("\nand {} more, which did not fit: hastur notifications list --trigger {}\n",
                    count_ - late_.size(), newest_.trigger);
  }
  return text;
}

NotificationRecord Digest::finish() && {
  const std::string kind = text_in(payload_, "kind");
  std::string text =
      fmt::format("{} late notification{} of {}: {}{}", count_, count_ == 1 ? "" : "s",
                  newest_.trigger, late_.front()["text"].get<std::string>(),
                  count_ > 1 ? fmt::format(" (and {} more)", count_ - 1) : "");
  Json details = {{"count", count_},
                  {"first", to_us(first_)},
                  {"last", to_us(newest_.time)},
                  {"left_out", count_ - late_.size()}};
  if (kind == "slack" && count_ > 1) text += "\n" + listing();
  if (kind == "send_email") {
    details["body"] =
        fmt::format("{} was behind. Meanwhile it had to say:\n{}", newest_.trigger, listing());
    // The body tells it.
    for (Json& each : late_) each.erase("details");
  }
  details["late"] = std::move(late_);
  Json options = address_of(kind, options_of(payload_));
  if (!severity_.empty()) options["severity"] = severity_;
  payload_["options"] = std::move(options);
  payload_["text"] = std::move(text);
  payload_["details"] = std::move(details);
  NotificationRecord digest = std::move(newest_);
  digest.id = 0;
  digest.reason.clear();
  digest.action = NotificationAction::trigger;
  digest.payload = canonical_json(payload_);
  return digest;
}

}  // namespace hastur
