#include "trigger-runtime/vm/helpers/alert.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/json.h"
#include "trigger-runtime/vm/helpers/alert_text.h"

namespace hastur {
namespace {

// Of the keys in a burst that its page names.
constexpr std::size_t named_max = 10;

}  // namespace

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
  if (known_.size() <= id) {
    known_.resize(keys().ids_end());
    queued_.resize(keys().ids_end(), never);
  }
  return id;
}

void Alert::forget(std::uint32_t id) {
  if (queued_[id] != never) queue_.erase({queued_[id], id});
  queued_[id] = never;
  text_bytes_ -= text_bytes(known_[id]);
  known_[id] = {};
  keys().remove(id);
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
  Key& key = known_[id];
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
    queue(id);
  }
}

const Alert::Key* Alert::find(std::string_view key) const {
  const std::uint32_t id = key.empty() ? KeyTable::none : keys().find(key);
  return id == KeyTable::none ? nullptr : &known_[id];
}

bool Alert::is_open(std::string_view key) const {
  const Key* known = find(key);
  return known != nullptr && known->is_open();
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
  if (!key.changes.empty()) at(key.changes.back() + options_.flap->span);
  if (begins_flapping(key)) at(key.changes.back());
  if (key.flapping) return first;
  at(key.over);
  if (!key.is_open() || is_burst()) return first;
  if (!key.sent) {
    at(key.open);
  } else if (options_.again && !key.due) {
    at(*key.sent + *options_.again);
  }
  return first;
}

// Deadlines move away with most calls: a key that stands too early is looked at and put where it
// belongs.
void Alert::queue(std::uint32_t id) {
  const Time at = deadline_of(known_[id]);
  if (at >= queued_[id]) return;
  if (queued_[id] != never) queue_.erase({queued_[id], id});
  queued_[id] = at;
  queue_.emplace(at, id);
}

std::vector<std::uint32_t> Alert::take_due(Time now) {
  std::vector<std::uint32_t> due;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    due.push_back(queue_.begin()->second);
    queued_[due.back()] = never;
    queue_.erase(queue_.begin());
  }
  return due;
}

bool Alert::pass_time(Key& key, Time now) {
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
    key.flapping = false;
    changed = true;
  }
  return changed;
}

std::string Alert::some_open(std::size_t most) const {
  std::vector<std::string_view> first;
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (!keys().holds(id) || id == burst_id_ || !known_[id].is_open()) continue;
    const std::string_view key = keys().key(id);
    if (first.size() == most && key >= first.back()) continue;
    first.insert(std::ranges::upper_bound(first, key), key);
    if (first.size() > most) first.pop_back();
  }
  return fmt::format("{}{}", fmt::join(first, ", "), open_count_ > first.size() ? ", …" : "");
}

Alert::BurstStep Alert::decide_burst(Time now, std::vector<AlertPage>& pages) {
  const auto add = [&](Time at, std::string text, bool resolves) {
    pages.push_back(
        {at, "", std::move(text), fmt::format(R"({{"open":{}}})", open_count_), resolves});
  };
  if (!is_burst()) {
    if (open_count_ <= options_.burst) return BurstStep::none;
    add(now,
        fmt::format("{} {} at once: {}. They are paged together until {} or fewer are open for a "
                    "minute",
                    open_count_, name(), some_open(named_max), options_.burst / 2),
        false);
    burst_id_ = make("");
    Key& burst = known_[burst_id_];
    burst.t = now;
    burst.open = burst.sent = now;
    return BurstStep::changed;
  }
  Key& burst = known_[burst_id_];
  BurstStep step = BurstStep::none;
  const bool is_calm = open_count_ <= options_.burst / 2;
  if (is_calm != burst.due.has_value()) {
    burst.due = is_calm ? std::optional(now + calm_after) : std::nullopt;
    step = BurstStep::changed;
  }
  if (burst.due && *burst.due <= now) {
    const Time end = *burst.due;
    const std::string after = rough_span(now - *burst.open);
    forget(burst_id_);
    burst_id_ = KeyTable::none;
    add(end,
        open_count_ == 0 ? fmt::format("resolved after {}: no {} is open", after, name())
                         : fmt::format("resolved after {}: {} {} still open: {}", after,
                                       open_count_, name(), some_open(named_max)),
        true);
    return BurstStep::ended;
  }
  if (options_.again && !burst.due && *burst.sent + *options_.again <= now) {
    add(*burst.sent + *options_.again,
        fmt::format("{} {} still open after {}: {}", open_count_, name(),
                    rough_span(now - *burst.open), some_open(named_max)),
        false);
    burst.sent = now;
    step = BurstStep::changed;
  }
  return step;
}

bool Alert::page(std::uint32_t id, Time now, Time not_before, std::vector<AlertPage>& pages) {
  Key& key = known_[id];
  const std::size_t before = pages.size();
  const auto add = [&](Time at, std::string text, bool resolves) {
    pages.push_back({std::max(at, not_before), std::string(keys().key(id)), std::move(text),
                     key.details.empty() ? "{}" : key.details, resolves});
    key.sent = now;
  };
  if (begins_flapping(key)) {
    key.flapping = true;
    add(key.changes.back(), flapping_text(key, *options_.flap), false);
  } else if (key.flapping) {
    return false;  // quiet until it is steady
  } else if (key.over) {
    if (key.sent) add(*key.over, resolve_text(key, options_), true);
    key.open.reset();
    key.over.reset();
    key.sent.reset();
    key.stale = false;
    return true;
  } else if (key.is_open() && !is_burst()) {
    if (!key.sent) {
      add(*key.open, key.text, false);
    } else if (options_.again && !key.due && *key.sent + *options_.again <= now) {
      add(*key.sent + *options_.again, again_text(key, now), false);
    }
  }
  return pages.size() > before;
}

bool Alert::decide(Time now, std::vector<AlertPage>& pages) {
  std::vector<std::uint32_t> due = take_due(now);
  // What was looked at in vain must not count: it depends on when the state was restored.
  bool changed = false;
  for (const std::uint32_t id : due) changed = pass_time(known_[id], now) || changed;
  Time not_before = Time::min();
  const BurstStep step = decide_burst(now, pages);
  if (step == BurstStep::ended) {
    not_before = pages.back().at;
    const std::span<const std::uint32_t> all = keys().in_order();
    due.assign(all.begin(), all.end());
  }
  for (const std::uint32_t id : due) {
    changed = page(id, now, not_before, pages) || changed;
    if (known_[id].is_quiet()) {
      forget(id);
    } else {
      queue(id);
    }
  }
  return changed || step != BurstStep::none;
}

bool Alert::pass_deaf(Micros deaf, Time now) {
  const auto move = [&](std::optional<Time>& time, Micros after) {
    if (time) time = std::min(*time + deaf, now + after);
  };
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (!keys().holds(id)) continue;
    Key& key = known_[id];
    key.t = std::min(key.t + deaf, now);
    move(key.sent, Micros{0});
    const std::optional<Micros> after = id == burst_id_ ? calm_after
                                        : key.is_open() ? options_.clear_after
                                                        : options_.raise_after;
    move(key.due, after.value_or(Micros{0}));
    for (Time& change : key.changes) change = std::min(change + deaf, now);
  }
  return keys().count() > 0;
}

void Alert::clear() {
  Helper::clear();
  release(known_);
  queue_.clear();
  release(queued_);
  open_count_ = 0;
  burst_id_ = KeyTable::none;
  text_bytes_ = 0;
}

std::size_t Alert::bytes() const {
  constexpr std::size_t tree_node = 56;
  return keys().bytes() + known_.capacity() * sizeof(Key) + queued_.capacity() * sizeof(Time) +
         queue_.size() * tree_node + text_bytes_;
}

}  // namespace hastur
