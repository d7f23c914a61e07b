#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/printable.h"
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

// Where a time of a helper is after a span in which nothing could be heard.
std::int64_t moved(std::int64_t time, const DeafSpan& deaf) {
  return deaf.span > Micros{0} ? std::min(time + deaf.span.count(), to_us(deaf.until)) : time;
}

Json moved(const Json& value, const char* field, const DeafSpan& deaf) {
  const Json time = value.is_object() ? value.value(field, Json()) : Json();
  return time.is_number_integer() ? Json(moved(time.get<std::int64_t>(), deaf)) : time;
}

// Whether that is all that has changed.
bool only_moved(const StateChange& change) {
  if (change.deaf.span <= Micros{0} || !change.before.is_object() || !change.after.is_object())
    return false;
  Json before = change.before;
  Json after = change.after;
  for (const char* time : {"t", "sent", "due", "open"}) {
    const bool is_there = before.contains(time) && after.contains(time);
    if (is_there && before[time] != after[time] && std::string_view(time) != "due" &&
        after[time] != moved(before, time, change.deaf))
      return false;
    if (before.contains(time) != after.contains(time)) return false;
    before.erase(time);
    after.erase(time);
  }
  before.erase("f");
  after.erase("f");
  return before == after;
}

std::string burst_words(const StateChange& change) {
  if (!change.before.is_object()) return "a burst begins: its keys are paged together";
  if (!change.after.is_object()) return "the burst is over";
  if (change.after.value("sent", Json()) != moved(change.before, "sent", change.deaf))
    return "paged at " + moment(change.after, "sent");
  return change.after.contains("due")
             ? fmt::format("the burst is over at {} if it stays so", moment(change.after, "due"))
             : "the burst goes on";
}

// The fields are those of vm/helpers/alert.h.
std::string alert_words(const StateChange& change) {
  if (change.key.empty()) return burst_words(change);
  const Json& before = change.before;
  const Json& after = change.after;
  const bool was_open = before.is_object() && before.contains("open") && !before.contains("over");
  const bool was_due = before.is_object() && before.contains("due");
  if (!after.is_object()) return was_open ? "closed" : "quiet again";
  const bool is_closed = after.contains("over");
  if (after.contains("open") && !is_closed) {
    if (after.contains("sent") && after["sent"] != moved(before, "sent", change.deaf))
      return "paged at " + moment(after, "sent");
    if (after.contains("due"))
      return fmt::format("open, closes at {} if it stays so", moment(after, "due"));
    if (!was_open) return "opens";
    return was_due ? "stays open" : "still open";
  }
  if (is_closed) return "closes";
  if (after.contains("due")) return fmt::format("opens at {} if it stays so", moment(after, "due"));
  if (was_open) return "closed";
  return was_due ? "does not open" : "changes";
}

}  // namespace

std::string StateChange::words() const { return printable(raw_words()); }

std::string StateChange::raw_words() const {
  if (helper.empty()) {
    return fmt::format("{}  {} → {}", path.empty() ? "state" : path, shown(before), shown(after));
  }
  const std::size_t dot = helper.find('.');
  const std::string kind = helper.substr(1, dot - 1);
  const std::string name = dot == std::string::npos ? "" : helper.substr(dot + 1);
  std::string text = fmt::format("{} {}[{}]  ", kind, name, canonical_json(Json(key)));
  if (only_moved(*this))
    return text + fmt::format("moves by {}: nothing could be heard", format_span(deaf.span));
  if (kind == "alert") return text + alert_words(*this);
  if (kind == "keyed" && after.is_object()) {
    const Json was = before.is_object() ? before.value("v", Json()) : Json();
    const Json is = after.value("v", Json());
    if (!before.is_object()) return text + fmt::format("new, {}", shown(is));
    const bool was_quiet = before.contains("q");
    if (was == is && was_quiet != after.contains("q"))
      return text + (was_quiet ? "heard again" : "is silent");
    return text + (was == is ? "touched" : fmt::format("{} → {}", shown(was), shown(is)));
  }
  if (after.is_null()) return text + "forgotten";
  return text + (before.is_null() ? "new" : "has new values");
}

}  // namespace hastur
