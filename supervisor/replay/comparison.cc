#include "supervisor/replay/comparison.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "core/json.h"
#include "message/json_codec.h"

namespace hastur {
namespace {

// Of what a script made; not of what the syndicator adds when it numbers it.
std::uint64_t hash_of(Json message) {
  if (message.is_object()) {
    for (const char* key : {"hostname", "origin", "received_at", "seq", "uuid"}) message.erase(key);
  }
  return hash64(canonical_json(message)) | 1;  // 0 is none
}

std::uint64_t hash_of_text(const std::string& text) {
  auto json = parse_json(text);
  return json ? hash_of(std::move(*json)) : hash64(text) | 1;
}

}  // namespace

Comparison::Comparison(const ReplayPlan& plan, CheckpointStore& store)
    : store_(store), order_(store), begin_(plan.begin), sides_(plan.triggers.size()) {
  for (std::size_t i = 0; i < plan.triggers.size(); ++i)
    numbers_.emplace(plan.triggers[i].stream.name, i);
}

Result<void> Comparison::take_before(const BatchView& batch) {
  std::vector<Label> labels;
  for (std::uint32_t row = 0; row < batch.count(); ++row) {
    const std::uint32_t id = batch.origins()[row];
    if (id == BatchView::none) continue;
    const Origin origin = batch.origin(id);
    const auto trigger = numbers_.find(origin.trigger);
    if (trigger == numbers_.end() || origin.sequence < begin_) continue;
    const auto superseded = order_.is_superseded(trigger->first, origin.run, origin.sequence);
    if (!superseded) return fail(superseded.error());
    if (*superseded) continue;
    sides_[trigger->second].messages[{origin.sequence.value, origin.ordinal}].before =
        hash_of(message_to_json(batch.message(row, labels)));
  }
  return {};
}

Result<void> Comparison::take_notifications_before(Sequence through) {
  for (const auto& [name, number] : numbers_) {
    CheckpointStore::NotificationQuery query;
    query.trigger = name;
    query.max = 1'000;
    while (true) {
      const auto page = store_.notifications(query);
      if (!page) return fail(page.error());
      for (const NotificationRecord& record : *page) {
        query.after_id = record.id;
        const auto superseded = order_.is_superseded(name, record.run, record.sequence);
        if (!superseded) return fail(superseded.error());
        if (*superseded || record.sequence < begin_ || record.sequence > through) continue;
        // A digest stands for others, which stand there too.
        Hashes& hashes = sides_[number].notifications[{record.sequence.value, record.ordinal}];
        if (hashes.before == 0) hashes.before = hash_of_text(record.payload);
      }
      if (page->size() < query.max) break;
    }
  }
  return {};
}

void Comparison::take_now(std::size_t trigger, Sequence input, const Effect& effect) {
  if (input < begin_ || effect.kind == EffectKind::log) return;
  Sides& sides = sides_[trigger];
  Effects& effects = effect.kind == EffectKind::notification ? sides.notifications : sides.messages;
  effects[{effect.sequence.value, effect.ordinal}].now = hash_of_text(effect.payload);
}

Comparison::Change Comparison::compare(const Effects& effects) {
  Change change;
  for (const auto& [place, hashes] : effects) {
    ++(hashes.before == 0            ? change.appear
       : hashes.now == 0             ? change.vanish
       : hashes.before == hashes.now ? change.same
                                     : change.differ);
  }
  return change;
}

std::string change_text(std::string_view what, const Comparison::Change& change) {
  const std::uint64_t all = change.same + change.differ + change.appear;
  if (all + change.vanish == 0) return fmt::format("no {}s", what);
  std::string text =
      fmt::format("{} {}{}: {} as before", all, what, all == 1 ? "" : "s", change.same);
  const auto add = [&text](std::uint64_t count, std::string_view one, std::string_view many) {
    if (count > 0) text += fmt::format(", {} {}", count, count == 1 ? one : many);
  };
  add(change.differ, "differs", "differ");
  add(change.appear, "is new", "are new");
  add(change.vanish, "is gone", "are gone");
  return text;
}

}  // namespace hastur
