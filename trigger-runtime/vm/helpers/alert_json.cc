// The state of an alert's keys as JSON (alert.h says what stands in it).

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/number.h"
#include "trigger-runtime/vm/helpers/alert.h"

namespace hastur {
namespace {

void append_time(std::string& out, Time time) {
  append_number(out, static_cast<double>(to_us(time)));
}

}  // namespace

bool Alert::write(std::uint32_t id, std::string& out) const {
  if (is_folded(id) && is_burst()) {
    const Micros after = opened_at(id) - *known_[burst_id_]->open;
    append_number(out, static_cast<double>(after.count()));
    return true;
  }
  return write_whole(id, out);
}

bool Alert::write_whole(std::uint32_t id, std::string& out) const {
  const Key key = whole(id);
  const std::size_t begin = out.size();
  const auto field = [&](std::string_view name) -> std::string& {
    out += out.size() == begin ? "{\"" : ",\"";
    out += name;
    return out += "\":";
  };
  const auto time = [&](std::string_view name, const std::optional<Time>& at) {
    if (at) append_time(field(name), *at);
  };
  if (!key.details.empty()) field("d") += key.details;
  if (id == burst_id_ && !burst_deaf_.empty()) {
    field("deaf") += '[';
    for (const Deaf& deaf : burst_deaf_) {
      out += out.ends_with('[') ? "[" : ",[";
      append_time(out, deaf.until);
      out += ',';
      append_number(out, static_cast<double>(deaf.span.count()));
      out += ']';
    }
    out += ']';
  }
  time("due", key.due);
  if (!key.changes.empty()) {
    field("f") += '[';
    for (std::size_t i = 0; i < key.changes.size(); ++i) {
      if (i > 0) out += ',';
      append_time(out, key.changes[i]);
    }
    out += ']';
  }
  if (key.flapping) field("flap") += "true";
  time("open", key.open);
  time("over", key.over);
  time("sent", key.sent);
  if (key.stale) field("stale") += "true";
  time("t", key.t);
  if (!key.text.empty()) append_json_string(field("text"), key.text);
  if (!key.to.empty()) append_json_string(field("to"), key.to);
  if (!key.value.empty()) field("v") += key.value;
  out += '}';
  return true;
}

bool Alert::read_fields(Key& key, JsonCursor& in, Time now, std::vector<Deaf>* deaf) const {
  bool has_time = false;
  // None of them is later than the moment at which they were written, but `due`.
  const auto time = [&](std::optional<Time>& place) {
    const std::optional<std::int64_t> us = in.whole();
    if (us) place = std::min(time_from_us(*us), now);
    return us.has_value();
  };
  const auto raw = [&](std::string& place, bool is_object) {
    const std::optional<std::string_view> value = in.value();
    if (value) place = *value;
    return value && (!is_object || value->starts_with('{'));
  };
  const auto string = [&](std::string& place) {
    const std::optional<std::string_view> text = in.text();
    if (text) place = *text;
    return text.has_value();
  };
  return in.object([&](std::string_view field) {
    if (field == "d") return raw(key.details, true);
    if (field == "v") return raw(key.value, false);
    if (field == "open") return time(key.open);
    if (field == "over") return time(key.over);
    if (field == "sent") return time(key.sent);
    if (field == "flap") return key.flapping = in.take("true");
    if (field == "stale") return key.stale = in.take("true");
    if (field == "due") {
      const std::optional<std::int64_t> us = in.whole();
      if (us) key.due = time_from_us(*us);
      return us.has_value();
    }
    if (field == "f") {
      return in.list([&] {
        const std::optional<std::int64_t> us = in.whole();
        if (us) key.changes.push_back(std::min(time_from_us(*us), now));
        return us.has_value();
      });
    }
    if (field == "deaf" && deaf != nullptr) {
      return in.list([&] {
        std::vector<std::int64_t> pair;
        const bool is_list = in.list([&] {
          const std::optional<std::int64_t> us = in.whole();
          pair.push_back(us.value_or(-1));
          return pair.back() >= 0;
        });
        if (!is_list || pair.size() != 2) return false;
        deaf->push_back({std::min(time_from_us(pair[0]), now), Micros{pair[1]}});
        return true;
      });
    }
    if (field == "text") return string(key.text);
    if (field == "to") return string(key.to);
    std::optional<Time> at;
    if (field != "t" || !time(at)) return false;
    key.t = *at;
    return has_time = true;
  }) && has_time &&
         (key.open || (!key.over && !key.sent && !key.flapping));
}

bool Alert::read_folded(std::string_view name, JsonCursor& in, Time now) {
  // Its key is the first of all.
  const std::optional<std::int64_t> after = in.whole();
  if (!after || !is_burst() || folded_text_.empty()) return false;
  const std::uint32_t id = make(name);
  known_[id] = nullptr;
  ++folded_count_;
  ++open_count_;
  const Time at = *known_[burst_id_]->open + Micros{*after};
  keys().time(id) = to_us(std::min(at, now));
  return true;
}

bool Alert::read_key(std::string_view name, JsonCursor& in, Time now) {
  if (!in.at('{')) return read_folded(name, in, now);
  Key key;
  if (!read_fields(key, in, now, name.empty() ? &burst_deaf_ : nullptr)) return false;
  if (!key.sent) key.to.clear();
  if (name.empty()) {
    if (!key.open) return false;
    if (key.due) key.due = std::min(*key.due, now + calm_after);
    folded_text_ = KeyText(key.text);
    text_bytes_ += text_bytes(key);
    burst_id_ = make(name);
    *known_[burst_id_] = std::move(key);
    return true;
  }
  // The script may have other options than the one that wrote the state.
  if (!options_.flap) {
    key.changes.clear();
  } else if (!key.changes.empty()) {
    const Time after = key.changes.back() - options_.flap->span;
    std::erase_if(key.changes, [&](Time change) { return change <= after; });
    if (key.changes.size() > options_.flap->changes)
      key.changes.erase(key.changes.begin(), key.changes.end() - options_.flap->changes);
  }
  if (key.was_flapping() && !key.is_open()) key.flapping = false;
  const std::optional<Micros>& after = key.is_open() ? options_.clear_after : options_.raise_after;
  if (key.due) key.due = std::min(*key.due, now + after.value_or(Micros{0}));
  if (key.is_quiet()) return true;
  if (key.is_open()) ++open_count_;
  text_bytes_ += text_bytes(key);
  *known_[make(name)] = std::move(key);
  return true;
}

void Alert::finish_reading() {
  // Only now it is known whether there is a burst.
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (id == burst_id_) continue;
    fold(id);
    queue(id);
  }
}

}  // namespace hastur
