// Dispatcher: inputs on their way to the triggers at the main position.

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/input.h"

namespace hastur {

void Dispatcher::rebuild_router() {
  if (!router_stale_) return;
  router_stale_ = false;
  lineup_.clear();
  std::vector<Subscription> subscriptions;
  for (auto& [name, trigger] : triggers_) {
    if (trigger->phase == Trigger::Phase::failed || trigger->loaded.handle != trigger->handle)
      continue;
    const auto slot = static_cast<std::uint32_t>(lineup_.size());
    lineup_.push_back(trigger.get());
    trigger->add_subscriptions(slot, subscriptions);
  }
  router_.build(std::move(subscriptions));
}

void Dispatcher::feed_main() {
  // A worker aside holds up only its own triggers, and so does one that is stuck.
  const auto have_room = [this] {
    return std::ranges::all_of(slots_, [this](const Slot& slot) {
      return slot.place != Place::shared || slot.main_feeds() < options_.feeds_in_flight_max ||
             stalls(slot);
    });
  };
  while (have_room()) {
    auto delivery = follower_->next();
    if (!delivery) return;
    if (delivery->lost) {
      take_lost(*delivery->lost);
      continue;
    }
    auto input = make_input(std::move(*delivery->batch));
    const BatchHeader& header = input->batch.header;
    rebuild_router();
    feed(input, lineup_, router_, FeedKind::main);
    main_ = std::max(main_, header.last());
    for (Trigger* trigger : lineup_) {
      if (trigger->phase == Trigger::Phase::running && !trigger->catching_up &&
          trigger->dispatched() < main_)
        behind_.insert(trigger->name());
    }
    messages_seen_ += header.count;
    if (!input->stream_times.empty()) stream_time_ = time_from_us(input->stream_times.back());
    recent_bytes_ += weight(*input);
    recent_.push_back(std::move(input));
    while (recent_bytes_ > options_.recent_bytes_max && recent_.size() > 1) {
      recent_bytes_ -= weight(*recent_.front());
      recent_.pop_front();
    }
  }
}

void Dispatcher::take_lost(const LostReply& lost) {
  log_error("sequences {} to {} are gone from History ({}); every trigger goes on after them",
            lost.first.value, lost.last.value, lost.why);
  main_ = std::max(main_, lost.last);
  for (auto& [name, trigger] : triggers_) {
    if (trigger->phase != Trigger::Phase::running) continue;
    // What is not there yet meets the range again where it reads.
    if (!trigger->yields() && trigger->dispatched() < lost.last &&
        trigger->dispatched().next() >= lost.first) {
      pass_lost(*trigger, lost);
    } else if (!trigger->catching_up && trigger->dispatched() < main_) {
      behind_.insert(name);
    }
  }
  recent_.clear();
  recent_bytes_ = 0;
}

void Dispatcher::pass_lost(Trigger& trigger, const LostReply& lost) {
  last_lost_ = {lost.first, lost.last, lost.why, now_};
  const Json detail = {{"first", lost.first.value}, {"last", lost.last.value}, {"why", lost.why}};
  gate_.waiting().journal.push_back(
      {trigger.name(), trigger.run(), lost.last, "lost", canonical_json(detail), now_});
  trigger.pass(lost.last);
}

bool Dispatcher::stalls(const Slot& slot) const {
  return !slot.feeds.empty() && monotonic_ - slot.heard >= options_.stalls_after;
}

bool Dispatcher::has_room(const Trigger& trigger, FeedKind kind) const {
  const Slot& slot = slots_[trigger.worker];
  return kind == FeedKind::behind ? slot.behind_feeds < options_.behind_feeds_max
                                  : slot.main_feeds() < options_.feeds_in_flight_max;
}

// Hands the rows that are each trigger's next to its worker. A trigger whose next input is not in
// the batch, that yields, or that stands before a pause, is left where it is.
void Dispatcher::feed(const std::shared_ptr<const InputBatch>& input,
                      std::span<Trigger* const> triggers, Router& router, FeedKind kind) {
  const BatchHeader& header = input->batch.header;
  const BatchView view = BatchView::trusted(header, input->batch.body);
  router.route(view, 0, routed_);
  std::vector<std::uint32_t> ticks;
  const auto types = view.types();
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    if (types[row] == static_cast<std::uint8_t>(MessageType::tick)) ticks.push_back(row);
  }

  std::vector<FeedCommand> commands(slots_.size());
  for (std::uint32_t slot = 0; slot < triggers.size(); ++slot) {
    Trigger& trigger = *triggers[slot];
    if (trigger.phase != Trigger::Phase::running || trigger.yields() || !has_room(trigger, kind))
      continue;
    Sequence limit = header.last();
    // Its version ends inside this batch, or has ended before it.
    if (trigger.next_switch) limit = std::min(limit, Sequence{trigger.next_switch->at.value - 1});
    while (true) {
      const Sequence next = trigger.dispatched().next();
      if (next < header.first || next > limit || trigger.stands_before_pause()) break;
      const Trigger::Stretch stretch = trigger.stretch(next, limit);
      if (stretch.paused) {
        trigger.pass(stretch.last);
        continue;
      }
      TriggerFeed feed{trigger.handle,
                       static_cast<std::uint32_t>(next.value - header.first.value),
                       static_cast<std::uint32_t>(stretch.last.value - header.first.value + 1),
                       {},
                       {},
                       trigger.unanswered() == 0};
      const auto all = routed_.matches(slot);
      const auto first_match = std::ranges::lower_bound(all, feed.from_row, {}, &Match::row);
      const auto end_match = std::ranges::lower_bound(all, feed.end_row, {}, &Match::row);
      const auto first_tick = std::ranges::lower_bound(ticks, feed.from_row);
      const bool has_tick = first_tick != ticks.end() && *first_tick < feed.end_row;
      if (first_match == end_match && !(has_tick && trigger.needs_ticks())) {
        trigger.pass(stretch.last);
        continue;
      }
      feed.matches.assign(first_match, end_match);
      for (const Skip& skip : trigger.skips()) {
        if (skip.sequence >= next && skip.sequence <= stretch.last) feed.skips.push_back(skip);
      }
      trigger.dispatch_through(stretch.last);
      trigger.fed(time_from_us(input->stream_times[feed.end_row - 1]));
      commands[trigger.worker].triggers.push_back(std::move(feed));
      break;
    }
  }
  for (std::uint32_t worker = 0; worker < commands.size(); ++worker) {
    if (commands[worker].triggers.empty()) continue;
    Slot& slot = slots_[worker];
    commands[worker].input = input;
    commands[worker].slice = slot.place == Place::shared ? options_.slice : options_.slice_aside;
    if (slot.feeds.empty()) slot.heard = monotonic_;
    slot.feeds.push_back(kind == FeedKind::behind);
    if (kind == FeedKind::behind) ++slot.behind_feeds;
    act(ToWorker{worker, std::move(commands[worker])});
  }
}

}  // namespace hastur
