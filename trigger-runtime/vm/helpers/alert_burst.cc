// A burst: more keys are open at once than people want pages of (alert.h).

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "trigger-runtime/vm/helpers/alert.h"
#include "trigger-runtime/vm/helpers/alert_text.h"

namespace hastur {
namespace {

// Of the keys in a burst that its page names.
constexpr std::size_t named_max = 10;

// More are of no burst that there was: what older ones add is rounded.
constexpr std::size_t deaf_max = 100;

}  // namespace

std::string Alert::some_open(std::size_t most) const {
  std::vector<std::string_view> first;
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (!keys().holds(id) || id == burst_id_ || !is_open(id)) continue;
    const std::string_view key = keys().key(id);
    if (first.size() == most && key >= first.back()) continue;
    first.insert(std::ranges::upper_bound(first, key), key);
    if (first.size() > most) first.pop_back();
  }
  return fmt::format("{}{}", fmt::join(first, ", "), open_count_ > first.size() ? ", …" : "");
}

Alert::BurstStep Alert::decide_burst(Time now, std::vector<AlertPage>& pages) {
  const auto add = [&](Time at, std::string text, const std::string& to, bool resolves) {
    pages.push_back(
        {at, "", std::move(text), fmt::format(R"({{"open":{}}})", open_count_), to, resolves});
  };
  const auto still_open = [&](const Key& burst) {
    return fmt::format("{} {} still open after {}: {}", open_count_, name(),
                       rough_span(now - *burst.open), some_open(named_max));
  };
  if (!is_burst()) {
    if (open_count_ <= options_.burst) return BurstStep::none;
    add(now,
        fmt::format("{} {} at once: {}. They are paged together until {} or fewer are open for a "
                    "minute",
                    open_count_, name(), some_open(named_max), options_.burst / 2),
        options_.to, false);
    begin_burst(now);
    return BurstStep::changed;
  }
  Key& burst = *known_[burst_id_];
  BurstStep step = BurstStep::none;
  if (moves(burst)) {
    add(now, moved_text(options_), burst.to, true);
    burst.sent.reset();
  }
  // Nobody was told here: it was paged elsewhere, or ctx:migrate has brought it.
  if (!burst.sent) {
    add(now, still_open(burst), options_.to, false);
    burst.sent = now;
    burst.to = options_.to;
    step = BurstStep::changed;
  }
  const bool is_calm = open_count_ <= options_.burst / 2;
  if (is_calm != burst.due.has_value()) {
    burst.due = is_calm ? std::optional(now + calm_after) : std::nullopt;
    step = BurstStep::changed;
  }
  if (burst.due && *burst.due <= now) {
    const Time end = std::max(*burst.due, *burst.sent);
    const std::string after = rough_span(now - *burst.open);
    const std::string to = burst.to;
    end_burst();
    add(end,
        open_count_ == 0 ? fmt::format("resolved after {}: no {} is open", after, name())
                         : fmt::format("resolved after {}: {} {} still open: {}", after,
                                       open_count_, name(), some_open(named_max)),
        to, true);
    return BurstStep::ended;
  }
  if (options_.again && !burst.due && *burst.sent + *options_.again <= now) {
    add(*burst.sent + *options_.again, still_open(burst), options_.to, false);
    burst.sent = now;
    step = BurstStep::changed;
  }
  return step;
}

// By majority vote, in the order of the keys: of the same keys it is always the same.
KeyText Alert::most_said() {
  KeyText said;
  std::size_t votes = 0;
  for (const std::uint32_t id : keys().in_order()) {
    if (!is_open(id) || (!is_folded(id) && known_[id]->sent)) continue;
    const std::string_view key = keys().key(id);
    // Whether a key is folded before a burst depends on when the state was read.
    const std::string text = is_folded(id) ? folded_text_.with(key) : known_[id]->text;
    if (votes > 0) {
      votes = said.fits(key, text) ? votes + 1 : votes - 1;
      continue;
    }
    const std::optional<KeyText> own = KeyText::of(key, text);
    if (!own) continue;
    said = *own;
    votes = 1;
  }
  return said;
}

void Alert::begin_burst(Time now) {
  const KeyText said = most_said();
  if (said != folded_text_) {
    for (std::uint32_t id = 0; id < known_.size(); ++id) {
      if (keys().holds(id)) unfold(id);
    }
    folded_text_ = said;
  }
  burst_id_ = make("");
  Key& burst = *known_[burst_id_];
  burst.t = now;
  burst.open = burst.sent = now;
  burst.to = options_.to;
  burst.text = said.written();
  text_bytes_ += text_bytes(burst);
  for (std::uint32_t id = 0; id < known_.size(); ++id) {
    if (keys().holds(id)) fold(id);
  }
}

void Alert::end_burst() {
  // What else is kept of them stands with the burst. They are few by now.
  for (std::uint32_t id = 0; id < known_.size() && !burst_deaf_.empty(); ++id) {
    if (keys().holds(id)) unfold(id);
  }
  burst_deaf_.clear();
  forget(burst_id_);
  burst_id_ = KeyTable::none;
}

void Alert::note_deaf(Deaf deaf) {
  burst_deaf_.push_back(deaf);
  if (burst_deaf_.size() <= deaf_max) return;
  burst_deaf_[1].span += burst_deaf_[0].span;
  burst_deaf_.erase(burst_deaf_.begin());
}

}  // namespace hastur
