#include "trigger-runtime/vm/helpers/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "trigger-runtime/vm/helpers/alert_text.h"

namespace hastur {
Alert::Call Alert::call_of(const Value& value) const {
  Call call;
  if (value.kind == Value::Kind::boolean) {
    call.raises = value.number != 0;
    call.clears = !call.raises;
    return call;
  }
  HASTUR_CHECK(options_.raise.has_value(), "a value was given to an alert that takes booleans");
  call.raises = options_.raise->holds(value);
  call.clears = options_.clear ? options_.clear->holds(value) : !call.raises;
  return call;
}

std::uint32_t Alert::make(std::string_view key) {
  const std::uint32_t id = keys().add(key);
  if (known_.size() <= id) known_.resize(keys().ids_end());
  known_[id] = std::make_unique<Key>();
  return id;
}

void Alert::forget(std::uint32_t id) {
  queue_.remove(id);
  text_bytes_ -= text_bytes(*known_[id]);
  known_[id] = nullptr;
  keys().remove(id);
}

void Alert::fold(std::uint32_t id) {
  if (is_folded(id) || id == burst_id_) return;
  const Key& key = *known_[id];
  const std::string_view name = keys().key(id);
  if (!key.open || key.t != moved(*key.open) || key.over || key.sent || key.due || key.stale ||
      key.flapping || !key.changes.empty() || !key.details.empty() || !key.value.empty() ||
      key.text.empty())
    return;
  if (folded_count_ == 0 && !is_burst())
    folded_text_ = KeyText::of(name, key.text).value_or(KeyText());
  if (folded_text_.empty() || !folded_text_.fits(name, key.text)) return;
  keys().time(id) = to_us(*key.open);
  text_bytes_ -= text_bytes(key);
  known_[id] = nullptr;
  ++folded_count_;
}

Alert::Key Alert::whole(std::uint32_t id) const {
  if (!is_folded(id)) return *known_[id];
  Key key;
  key.t = called_at(id);
  key.open = opened_at(id);
  key.text = folded_text_.with(keys().key(id));
  return key;
}

Alert::Key& Alert::unfold(std::uint32_t id) {
  if (is_folded(id)) {
    known_[id] = std::make_unique<Key>(whole(id));
    text_bytes_ += text_bytes(*known_[id]);
    --folded_count_;
  }
  return *known_[id];
}

std::size_t Alert::text_bytes(const Key& key) {
  return key.text.size() + key.details.size() + key.value.size();
}

void Alert::take_texts(Key& key, const Call& call) {
  text_bytes_ -= text_bytes(key);
  if (!call.text.empty()) key.text = call.text;
  key.details = call.details;
  key.value = call.value;
  text_bytes_ += text_bytes(key);
}

void Alert::note_change(Key& key, Time at) const {
  if (key.was_flapping()) key.flapping = false;
  if (!options_.flap) return;
  std::erase_if(key.changes, [&](Time change) { return change <= at - options_.flap->span; });
  if (key.changes.size() == options_.flap->changes) key.changes.erase(key.changes.begin());
  key.changes.push_back(at);
}

void Alert::open(Key& key, Time at) {
  key.due.reset();
  // What closed and was not yet told goes on.
  if (!key.open) key.open = at;
  key.over.reset();
  key.stale = false;
  note_change(key, at);
  ++open_count_;
}

void Alert::close(Key& key, Time at) {
  key.due.reset();
  key.over = at;
  note_change(key, at);
  --open_count_;
}

void Alert::set(std::string_view name, const Call& call, Time now) {
  std::uint32_t id = keys().find(name);
  if (id == KeyTable::none) {
    if (!call.raises) return;
    id = make(name);
  }
  Key& key = unfold(id);
  key.t = now;
  take_texts(key, call);
  if (!key.is_open()) {
    if (!call.raises) {
      key.due.reset();
    } else if (!options_.raise_after) {
      open(key, now);
    } else if (!key.due) {
      key.due = now + *options_.raise_after;
    }
  } else if (call.raises || !call.clears) {
    key.due.reset();
  } else if (!options_.clear_after) {
    close(key, now);
  } else if (!key.due) {
    key.due = now + *options_.clear_after;
  }
  if (key.is_quiet()) {
    forget(id);
  } else {
    fold(id);
    queue(id);
  }
}

std::optional<Alert::Key> Alert::find(std::string_view key) const {
  const std::uint32_t id = key.empty() ? KeyTable::none : keys().find(key);
  if (id == KeyTable::none) return std::nullopt;
  return whole(id);
}

bool Alert::is_open(std::string_view key) const {
  const std::uint32_t id = key.empty() ? KeyTable::none : keys().find(key);
  return id != KeyTable::none && is_open(id);
}

std::optional<Time> Alert::stale_at(const Key& key) const {
  if (!options_.stale || !(key.is_open() || key.due)) return std::nullopt;
  return key.t + *options_.stale;
}

bool Alert::begins_flapping(const Key& key) const {
  return options_.flap && key.open && !key.flapping && !is_burst() &&
         key.changes.size() >= options_.flap->changes;
}

Time Alert::deadline_of(const Key& key) const {
  Time first = never;
  const auto at = [&](const std::optional<Time>& time) {
    if (time) first = std::min(first, *time);
  };
  at(key.due);
  at(stale_at(key));
  if (moves(key)) at(key.sent);
  if (!key.changes.empty()) at(key.changes.back() + options_.flap->span);
  if (begins_flapping(key)) at(key.changes.back());
  if (key.is_flapping()) return first;
  at(key.over);
  if (!key.is_open() || is_burst()) return first;
  if (!key.sent || key.flapping) {
    at(key.open);
  } else if (options_.again && !key.due) {
    at(*key.sent + *options_.again);
  }
  return first;
}

Time Alert::deadline_of(std::uint32_t id) const {
  if (!is_folded(id)) return deadline_of(*known_[id]);
  if (!is_burst()) return opened_at(id);
  return options_.stale ? called_at(id) + *options_.stale : never;
}

bool Alert::pass_time(std::uint32_t id, Time now) {
  if (is_folded(id) && !(options_.stale && called_at(id) + *options_.stale <= now)) return false;
  Key& key = unfold(id);
  bool changed = false;
  while (true) {
    const std::optional<Time> stale = stale_at(key);
    if (key.due && *key.due <= now && (!stale || *key.due <= *stale)) {
      const Time at = *key.due;
      if (key.is_open()) {
        close(key, at);
      } else {
        open(key, at);
      }
    } else if (stale && *stale <= now) {
      key.due.reset();
      if (key.is_open()) {
        close(key, *stale);
        key.stale = true;
      }
    } else {
      break;
    }
    changed = true;
  }
  if (!key.changes.empty() && key.changes.back() + options_.flap->span <= now) {
    key.changes.clear();
    // What was told last is that it flaps; that it is open now, nobody has been told.
    if (!key.is_open()) key.flapping = false;
    changed = true;
  }
  return changed;
}

AlertPage Alert::page_of(std::uint32_t id, const Key& key, Time at, std::string text) const {
  return {at,
          std::string(keys().key(id)),
          std::move(text),
          key.details.empty() ? "{}" : key.details,
          options_.to,
          false};
}

// Where the key was paged last.
AlertPage Alert::resolve_of(std::uint32_t id, const Key& key, Time at, std::string text) const {
  AlertPage page = page_of(id, key, at, std::move(text));
  page.to = key.to;
  page.resolves = true;
  return page;
}

void Alert::resolve_all(Time now, std::vector<AlertPage>& pages) {
  for (const std::uint32_t id : keys().in_order()) {
    const Key key = whole(id);
    if (key.sent) pages.push_back(resolve_of(id, key, now, retired_text()));
  }
  clear();
}

bool Alert::move(std::uint32_t id, Time now, std::vector<AlertPage>& pages) {
  // What is over is resolved where it was paged in any case.
  if (is_folded(id) || !moves(*known_[id]) || known_[id]->over) return false;
  Key& key = *known_[id];
  pages.push_back(resolve_of(id, key, now, moved_text(options_)));
  key.sent.reset();
  key.to.clear();
  // There it is told of as it is.
  key.flapping = false;
  return true;
}

bool Alert::page(std::uint32_t id, Time now, Time not_before, std::vector<AlertPage>& pages) {
  if (is_folded(id) && is_burst()) return false;
  Key& key = unfold(id);
  const std::size_t before = pages.size();
  const auto add = [&](Time at, std::string text) {
    // It was over, would have been resolved there, and is told of once more instead.
    if (moves(key)) {
      pages.push_back(resolve_of(id, key, now, moved_text(options_)));
      at = now;
    }
    pages.push_back(page_of(id, key, std::max(at, not_before), std::move(text)));
    key.sent = now;
    key.to = options_.to;
  };
  if (begins_flapping(key)) {
    key.flapping = true;
    add(key.changes.back(), flapping_text(key, *options_.flap));
  } else if (key.is_flapping()) {
    return false;  // quiet until it is steady
  } else if (key.over) {
    if (key.sent) {
      pages.push_back(
          resolve_of(id, key, std::max(*key.over, not_before), resolve_text(key, options_)));
    }
    key.open.reset();
    key.over.reset();
    key.sent.reset();
    key.to.clear();
    key.stale = false;
    return true;
  } else if (key.is_open() && !is_burst()) {
    if (!key.sent || key.flapping) {
      key.flapping = false;
      add(*key.open, key.text);
    } else if (options_.again && !key.due && *key.sent + *options_.again <= now) {
      add(*key.sent + *options_.again, again_text(key, now));
    }
  }
  return pages.size() > before;
}

bool Alert::decide(Time now, std::vector<AlertPage>& pages) {
  if (is_retired_) {
    resolve_all(now, pages);
    return true;
  }
  std::vector<std::uint32_t> due = queue_.take_due(now);
  // What was looked at in vain must not count: it depends on when the state was restored.
  bool changed = false;
  std::set<std::uint32_t> moved;
  for (const std::uint32_t id : due) {
    if (move(id, now, pages)) moved.insert(id);
    changed = pass_time(id, now) || changed;
  }
  changed = changed || !moved.empty();
  Time not_before = Time::min();
  const BurstStep step = decide_burst(now, pages);
  if (step == BurstStep::ended) {
    not_before = pages.back().at;
    const std::span<const std::uint32_t> all = keys().in_order();
    due.assign(all.begin(), all.end());
  }
  for (const std::uint32_t id : due) {
    // What pages a channel by its name that was the default before is resolved there first.
    changed = page(id, now, moved.contains(id) ? now : not_before, pages) || changed;
    if (!is_folded(id) && known_[id]->is_quiet()) {
      forget(id);
    } else {
      fold(id);
      queue(id);
    }
  }
  return changed || step != BurstStep::none;
}

Time Alert::moved(Time call) const {
  for (const Deaf& deaf : burst_deaf_) {
    if (call < deaf.until) call = std::min(call + deaf.span, deaf.until);
  }
  return call;
}

bool Alert::pass_deaf(Micros deaf, Time now) {
  if (is_burst()) note_deaf({now, deaf});
  const auto move = [&](std::optional<Time>& time, Micros after) {
    if (time) time = std::min(*time + deaf, now + after);
  };
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (!keys().holds(id)) continue;
    if (is_folded(id) && is_burst()) continue;
    Key& key = unfold(id);
    key.t = std::min(key.t + deaf, now);
    move(key.sent, Micros{0});
    const std::optional<Micros> after = id == burst_id_ ? calm_after
                                        : key.is_open() ? options_.clear_after
                                                        : options_.raise_after;
    move(key.due, after.value_or(Micros{0}));
    for (Time& change : key.changes) change = std::min(change + deaf, now);
    fold(id);
  }
  return keys().count() > 0;
}

void Alert::clear() {
  Helper::clear();
  release(known_);
  queue_.clear();
  open_count_ = 0;
  folded_count_ = 0;
  burst_id_ = KeyTable::none;
  burst_deaf_.clear();
  text_bytes_ = 0;
}

std::size_t Alert::bytes() const {
  constexpr std::size_t block = 16;
  return keys().bytes() + known_.size() * sizeof(known_[0]) + queue_.bytes() +
         (keys().count() - folded_count_) * (sizeof(Key) + block) + text_bytes_;
}

}  // namespace hastur
