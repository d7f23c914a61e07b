#include "trigger-test/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/json.h"
#include "trigger-test/message_words.h"

namespace hastur {
namespace {

constexpr Micros moves_within = std::chrono::hours{1};
// So that statistics under ever new names take no memory.
constexpr std::size_t identities_max = 100'000;

EffectGroup group_of(const Seen& seen) {
  if (seen.error) return EffectGroup::error;
  switch (seen.effect->kind) {
    case EffectKind::notification:
      return EffectGroup::notification;
    case EffectKind::message:
    case EffectKind::report:
      return EffectGroup::statistic;
    case EffectKind::log:
      break;
  }
  return EffectGroup::log;
}

std::string identity_of(EffectGroup group, const Json& payload) {
  if (!payload.is_object()) return "";
  switch (group) {
    case EffectGroup::notification: {
      std::string text = entry_text(payload, "kind");
      const auto options = payload.find("options");
      const std::string action =
          options != payload.end() && options->is_object() ? entry_text(*options, "action") : "";
      if (!action.empty() && action != "trigger") text += " " + action;
      const std::string key = entry_text(payload, "key");
      return key.empty() ? text : text + " " + key;
    }
    case EffectGroup::statistic: {
      std::string text = entry_text(payload, "type") + " " + entry_text(payload, "name");
      const auto labels = payload.find("labels");
      if (labels == payload.end() || !labels->is_object()) return text;
      for (const auto& [key, value] : labels->items()) {
        if (key != "trigger") text += fmt::format(" {}={}", key, canonical_json(value));
      }
      return text;
    }
    case EffectGroup::log:
      return "log";
    case EffectGroup::error:
      return entry_text(payload, "text");
  }
  return "";
}

Json payload_of(const Seen& seen) {
  if (seen.error) {
    const ScriptError& error = seen.error->error;
    return {{"text", error.text}, {"script", error.script}, {"line", error.line}};
  }
  Result<Json> json = parse_json(seen.effect->payload);
  return json ? std::move(*json) : Json();
}

bool same(const Seen& a, const Seen& b) {
  if (a.effect && b.effect)
    return a.effect->kind == b.effect->kind && a.effect->payload == b.effect->payload;
  // Lines move from version to version.
  return a.error && b.error && a.error->error.text == b.error->error.text;
}

bool is_report(const Seen& seen) { return seen.effect && seen.effect->kind == EffectKind::report; }

}  // namespace

// One that has no like on the other side.
struct EffectDiff::Thing {
  EffectGroup group;
  Time time;
  std::uint64_t seq;
  std::string identity;
  Json payload;
};

void EffectDiff::add(const std::vector<Seen>& old_ones, const std::vector<Seen>& new_ones,
                     const std::function<std::uint64_t(Sequence)>& seq_of) {
  const auto take_input = [](auto& at, auto end, Sequence input) {
    std::vector<const Seen*> taken;
    // What the platform reports of errors says again what those said.
    for (; at != end && at->input == input; ++at) {
      if (!is_report(*at)) taken.push_back(&*at);
    }
    return taken;
  };
  auto old_at = old_ones.begin();
  auto new_at = new_ones.begin();
  while (old_at != old_ones.end() || new_at != new_ones.end()) {
    const Sequence input = old_at == old_ones.end()   ? new_at->input
                           : new_at == new_ones.end() ? old_at->input
                                                      : std::min(old_at->input, new_at->input);
    std::vector<const Seen*> olds = take_input(old_at, old_ones.end(), input);
    std::vector<const Seen*> news = take_input(new_at, new_ones.end(), input);
    // Most inputs have the same effects in the same order; what is left is compared by identity.
    for (const Seen*& one : olds) {
      const auto like = std::ranges::find_if(
          news, [&](const Seen* other) { return other != nullptr && same(*one, *other); });
      if (like == news.end()) continue;
      ++counts_[static_cast<std::size_t>(group_of(*one))].same;
      *like = nullptr;
      one = nullptr;
    }
    const auto things = [&](const std::vector<const Seen*>& seen) {
      std::vector<Thing> left;
      for (const Seen* one : seen) {
        if (one == nullptr) continue;
        Thing thing{group_of(*one), one->time, seq_of(one->input), "", payload_of(*one)};
        thing.identity = identity_of(thing.group, thing.payload);
        left.push_back(std::move(thing));
      }
      return left;
    };
    std::vector<Thing> old_left = things(olds);
    std::vector<Thing> new_left = things(news);
    if (!old_left.empty() || !new_left.empty()) compare(std::move(old_left), std::move(new_left));
  }
}

void EffectDiff::compare(std::vector<Thing> old_ones, std::vector<Thing> new_ones) {
  for (Thing& old_one : old_ones) {
    const auto other = std::ranges::find_if(new_ones, [&](const Thing& thing) {
      return thing.group == old_one.group && thing.group != EffectGroup::log &&
             thing.identity == old_one.identity;
    });
    EffectChange change{EffectChange::What::vanishes,
                        old_one.group,
                        old_one.time,
                        old_one.seq,
                        std::move(old_one.identity),
                        std::move(old_one.payload),
                        {},
                        {}};
    if (other != new_ones.end()) {
      change.what = EffectChange::What::changes;
      change.new_one = std::move(other->payload);
      new_ones.erase(other);
    }
    note(std::move(change));
  }
  for (Thing& thing : new_ones) {
    note({EffectChange::What::appears,
          thing.group,
          thing.time,
          thing.seq,
          std::move(thing.identity),
          {},
          std::move(thing.payload),
          {}});
  }
}

void EffectDiff::note(EffectChange change) {
  const auto index = static_cast<std::size_t>(change.group);
  const auto count = [&](Counts& counts) {
    ++(change.what == EffectChange::What::appears    ? counts.appear
       : change.what == EffectChange::What::vanishes ? counts.vanish
                                                     : counts.change);
  };
  count(counts_[index]);
  const auto place = std::pair(change.group, change.identity);
  auto of_identity = by_identity_.find(place);
  if (of_identity == by_identity_.end()) {
    if (by_identity_.size() >= identities_max) return;
    of_identity = by_identity_.try_emplace(place).first;
  }
  Counts& counts = of_identity->second;
  count(counts);
  const bool one_by_one =
      change.group == EffectGroup::notification || change.group == EffectGroup::error;
  if (!one_by_one && counts.appear + counts.vanish + counts.change > kept_of_identity) return;
  if (++kept_[index] > kept_max) return;
  changes_.push_back(std::move(change));
}

void EffectDiff::finish() {
  // The nearest that appears, for each that vanishes.
  std::map<std::string, std::vector<std::size_t>> appearing;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const EffectChange& change = changes_[i];
    if (change.group == EffectGroup::notification && change.what == EffectChange::What::appears)
      appearing[change.identity].push_back(i);
  }
  std::vector<bool> gone(changes_.size(), false);
  for (EffectChange& change : changes_) {
    if (change.group != EffectGroup::notification || change.what != EffectChange::What::vanishes)
      continue;
    const auto candidates = appearing.find(change.identity);
    if (candidates == appearing.end()) continue;
    std::optional<std::size_t> nearest;
    for (const std::size_t i : candidates->second) {
      const Micros away = std::chrono::abs(changes_[i].time - change.time);
      if (gone[i] || away > moves_within) continue;
      if (!nearest || away < std::chrono::abs(changes_[*nearest].time - change.time)) nearest = i;
    }
    if (!nearest) continue;
    EffectChange& other = changes_[*nearest];
    gone[*nearest] = true;
    change.what = EffectChange::What::moves;
    change.later = other.time - change.time;
    change.time = other.time;
    change.seq = other.seq;
    change.new_one = std::move(other.new_one);
    for (Counts* counts : {&counts_[static_cast<std::size_t>(change.group)],
                           &by_identity_[std::pair(change.group, change.identity)]}) {
      --counts->appear;
      --counts->vanish;
      ++counts->move;
    }
  }
  std::vector<EffectChange> left;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (!gone[i]) left.push_back(std::move(changes_[i]));
  }
  std::ranges::stable_sort(left, {}, &EffectChange::time);
  changes_ = std::move(left);
}

bool EffectDiff::differ() const { return std::ranges::any_of(counts_, &Counts::differ); }

}  // namespace hastur
