#include <fmt/format.h>

#include "core/json.h"
#include "core/time.h"
#include "trigger-test/message_words.h"
#include "trigger-test/state_change.h"

namespace hastur {
namespace {

constexpr std::size_t value_max = 60;

std::string shown(const Json& value) {
  return value.is_null() ? "nothing" : cut_text(canonical_json(value), value_max);
}

std::string moment(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_number_integer()
             ? format_time(time_from_us(found->get<std::int64_t>()))
             : "";
}

// The fields are those of vm/helpers/alert.h.
std::string alert_words(const Json& before, const Json& after) {
  if (!after.is_object()) return "quiet again";
  const bool is_closed = after.contains("over");
  if (after.contains("open") && !is_closed) {
    if (after.contains("sent") &&
        (!before.is_object() || before.value("sent", Json()) != after["sent"]))
      return "paged at " + moment(after, "sent");
    if (after.contains("due") && (!before.is_object() || !before.contains("due")))
      return fmt::format("open, closes at {} if it stays so", moment(after, "due"));
    if (!before.is_object() || !before.contains("open") || before.contains("over")) return "opens";
    return "still open";
  }
  if (is_closed) return "closes";
  if (after.contains("due")) return fmt::format("opens at {} if it stays so", moment(after, "due"));
  return "changes";
}

}  // namespace

std::string StateChange::words() const {
  if (helper.empty()) {
    return fmt::format("{}  {} → {}", path.empty() ? "state" : path, shown(before), shown(after));
  }
  const std::size_t dot = helper.find('.');
  const std::string kind = helper.substr(1, dot - 1);
  const std::string name = dot == std::string::npos ? "" : helper.substr(dot + 1);
  std::string text = fmt::format("{} {}[{}]  ", kind, name, canonical_json(Json(key)));
  if (kind == "alert") return text + alert_words(before, after);
  if (kind == "keyed" && after.is_object()) {
    const Json was = before.is_object() ? before.value("v", Json()) : Json();
    const Json is = after.value("v", Json());
    if (!before.is_object()) return text + fmt::format("new, {}", shown(is));
    return text + (was == is ? "touched" : fmt::format("{} → {}", shown(was), shown(is)));
  }
  if (after.is_null()) return text + "forgotten";
  return text + (before.is_null() ? "new" : "has new values");
}

}  // namespace hastur
