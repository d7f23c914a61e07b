#include "trigger-runtime/vm/helpers/keyed.h"

#include <algorithm>

#include "core/number.h"

namespace hastur {

void Keyed::append(std::uint32_t id) {
  if (links_.size() <= id) links_.resize(keys().ids_end());
  links_[id] = {last_, none};
  (last_ == none ? first_ : links_[last_].after) = id;
  last_ = id;
  if (next_silent_ == none) next_silent_ = id;
}

void Keyed::unlink(std::uint32_t id) {
  const Link link = links_[id];
  if (next_silent_ == id) next_silent_ = link.after;
  (link.before == none ? first_ : links_[link.before].after) = link.after;
  (link.after == none ? last_ : links_[link.after].before) = link.before;
  if (!oldest_.empty() && keys().time(id) == oldest_time_) oldest_.erase(id);
}

std::optional<std::uint32_t> Keyed::touch(std::string_view key, Time now) {
  const std::uint32_t id =
      keys().find(key, [this](std::uint32_t candidate) { fetch_value(candidate); });
  if (id == none) return std::nullopt;
  // One that was told of is told of again, also if a deaf span has just moved it to now.
  const bool was_quiet = (keys().mark(id) & quiet) != 0;
  keys().mark(id) &= ~quiet;
  if (keys().time(id) == to_us(now) && !was_quiet) return id;
  unlink(id);
  put_last(id, now);
  return id;
}

std::uint32_t Keyed::make(std::string_view key, Time now) {
  if (options_.max && keys().count() >= *options_.max) drop_oldest();
  const std::uint32_t id = keys().add(key);
  put_last(id, now);
  return id;
}

void Keyed::put_last(std::uint32_t id, Time now) {
  keys().time(id) = to_us(now);
  append(id);
  if (!oldest_.empty() && oldest_time_ == to_us(now)) oldest_.insert(id);
}

void Keyed::drop(std::uint32_t id) {
  if (has_value(id)) values_.drop(id);
  unlink(id);
  keys().remove(id);
}

void Keyed::drop_oldest() {
  if (oldest_.empty()) {
    oldest_time_ = keys().time(first_);
    for (std::uint32_t id = first_; id != none && keys().time(id) == oldest_time_;
         id = links_[id].after) {
      oldest_.insert(id);
    }
  }
  drop(*oldest_.begin());
  ++dropped_;
}

void Keyed::set_has_value(std::uint32_t id, bool has) {
  if (has) {
    keys().mark(id) |= valued;
  } else {
    keys().mark(id) &= ~valued;
  }
}

std::optional<std::uint32_t> Keyed::take_silence(std::string_view key, Time now) {
  const std::uint32_t id = keys().find(key);
  if (id == none || (keys().mark(id) & quiet) != 0 || !is_due(id, silence_, now))
    return std::nullopt;
  keys().mark(id) |= quiet;
  return id;
}

bool Keyed::forget(std::string_view key, Time now) {
  const std::uint32_t id = keys().find(key);
  if (id == none || !is_due(id, options_.forget, now)) return false;
  drop(id);
  return true;
}

void Keyed::clear() {
  Helper::clear();
  values_.clear();
  release(links_);
  first_ = last_ = next_silent_ = none;
  oldest_.clear();
}

bool Keyed::write(std::uint32_t id, std::string& out) const {
  out += (keys().mark(id) & quiet) != 0 ? "{\"q\":true,\"t\":" : "{\"t\":";
  append_number(out, static_cast<double>(keys().time(id)));
  if (has_value(id)) {
    out += ",\"v\":";
    if (!values_.write(id, out)) return false;
  }
  out += '}';
  return true;
}

bool Keyed::read_key(std::string_view key, JsonCursor& in, Time now) {
  const std::uint32_t id = keys().add(key);
  bool has_time = false;
  return in.object([&](std::string_view field) {
    if (field == "t") {
      const std::optional<std::int64_t> time = in.whole();
      if (time) keys().time(id) = std::min(*time, to_us(now));
      return has_time = time.has_value();
    }
    if (field == "q") {
      if (!in.take("true")) return false;
      keys().mark(id) |= quiet;
      return true;
    }
    const std::optional<std::string_view> value = in.value();
    if (field != "v" || !value || !values_.read(id, *value)) return false;
    keys().mark(id) |= valued;
    return true;
  }) && has_time;
}

void Keyed::finish_reading() {
  const std::span<const std::uint32_t> by_key = keys().in_order();
  std::vector<std::uint32_t> by_time(by_key.begin(), by_key.end());
  std::ranges::stable_sort(by_time, {}, [this](std::uint32_t id) { return keys().time(id); });
  for (const std::uint32_t id : by_time) append(id);
  // The script may keep fewer than the one that wrote the state.
  while (options_.max && keys().count() > *options_.max) drop_oldest();
}

void Keyed::collect_due(Time now, std::vector<DueKey>& due) {
  for (; next_silent_ != none && is_due(next_silent_, silence_, now);
       next_silent_ = links_[next_silent_].after) {
    const std::uint32_t id = next_silent_;
    if ((keys().mark(id) & quiet) != 0) continue;
    due.push_back(
        {touched_at(id) + *silence_, this, std::string(keys().key(id)), DueKey::What::silence});
  }
  for (std::uint32_t id = first_; id != none && is_due(id, options_.forget, now);
       id = links_[id].after) {
    due.push_back({touched_at(id) + *options_.forget, this, std::string(keys().key(id)),
                   DueKey::What::forget});
  }
}

bool Keyed::pass_deaf(Micros deaf, Time now) {
  if (!has_deadlines()) return false;
  for (std::uint32_t id = first_; id != none; id = links_[id].after) {
    keys().time(id) = std::min(keys().time(id) + deaf.count(), to_us(now));
  }
  oldest_.clear();
  return first_ != none;
}

std::size_t Keyed::bytes() const {
  constexpr std::size_t tree_node = 48;
  return keys().bytes() + links_.size() * sizeof(Link) + oldest_.size() * tree_node;
}

}  // namespace hastur
