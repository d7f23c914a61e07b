// Dispatcher: inputs on their way to the triggers.

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {
namespace {

std::shared_ptr<const InputBatch> make_input(Batch batch) {
  auto input = std::make_shared<InputBatch>();
  input->batch = std::move(batch);
  // Whoever decoded the frame has checked the body.
  stream_times(BatchView::trusted(input->batch.header, input->batch.body), input->stream_times);
  return input;
}

std::size_t weight(const InputBatch& input) {
  return input.batch.body.size() + input.stream_times.size() * 8;
}

}  // namespace

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
  const auto has_room = [this] {
    return std::ranges::all_of(
        slots_, [this](const Slot& slot) { return slot.feeds < options_.feeds_in_flight_max; });
  };
  while (has_room()) {
    auto delivery = follower_->next();
    if (!delivery) return;
    if (delivery->lost) {
      take_lost(*delivery->lost);
      continue;
    }
    auto input = make_input(std::move(*delivery->batch));
    const BatchHeader& header = input->batch.header;
    rebuild_router();
    feed(input, lineup_, router_);
    main_ = std::max(main_, header.last());
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
  const Json detail = {{"first", lost.first.value}, {"last", lost.last.value}, {"why", lost.why}};
  for (auto& [name, trigger] : triggers_) {
    if (trigger->phase != Trigger::Phase::running || trigger->dispatched() >= lost.last ||
        trigger->dispatched().next() < lost.first)
      continue;
    gate_.waiting().journal.push_back(
        {name, trigger->run(), lost.last, "lost", canonical_json(detail), now_});
    trigger->pass(lost.last);
  }
  main_ = std::max(main_, lost.last);
  recent_.clear();
  recent_bytes_ = 0;
}

void Dispatcher::feed(const std::shared_ptr<const InputBatch>& input,
                      std::span<Trigger* const> triggers, Router& router) {
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
    const Sequence next = trigger.dispatched().next();
    if (trigger.phase != Trigger::Phase::running || next < header.first || next > header.last())
      continue;
    TriggerFeed feed{trigger.handle,
                     static_cast<std::uint32_t>(next.value - header.first.value),
                     header.count,
                     {},
                     {}};
    if (trigger.next_switch && trigger.next_switch->at <= header.last()) {
      // Its version ends inside this batch, or has ended before it.
      if (trigger.next_switch->at <= next) continue;
      feed.end_row = static_cast<std::uint32_t>(trigger.next_switch->at.value - header.first.value);
    }
    const Sequence last = header.first.plus(feed.end_row - 1);
    const auto all = routed_.matches(slot);
    const auto first_match = std::ranges::lower_bound(all, feed.from_row, {}, &Match::row);
    const auto end_match = std::ranges::lower_bound(all, feed.end_row, {}, &Match::row);
    const auto first_tick = std::ranges::lower_bound(ticks, feed.from_row);
    const bool has_tick = first_tick != ticks.end() && *first_tick < feed.end_row;
    if (first_match == end_match && !(has_tick && trigger.needs_ticks())) {
      trigger.pass(last);
      continue;
    }
    feed.matches.assign(first_match, end_match);
    for (const Skip& skip : trigger.skips()) {
      if (skip.sequence >= next && skip.sequence <= last) feed.skips.push_back(skip);
    }
    trigger.dispatch_through(last);
    trigger.fed();
    commands[trigger.worker].triggers.push_back(std::move(feed));
  }
  for (std::uint32_t worker = 0; worker < commands.size(); ++worker) {
    if (commands[worker].triggers.empty()) continue;
    commands[worker].input = input;
    ++slots_[worker].feeds;
    act(ToWorker{worker, std::move(commands[worker])});
  }
}

// Feeds the trigger from the inputs kept here up to the main position; false if they do not reach
// back to it.
bool Dispatcher::feed_recent(Trigger& trigger) {
  if (trigger.dispatched() >= main_) return true;
  if (recent_.empty() || recent_.front()->batch.header.first > trigger.dispatched().next())
    return false;
  std::vector<Subscription> subscriptions;
  trigger.add_subscriptions(0, subscriptions);
  Router alone;
  alone.build(std::move(subscriptions));
  Trigger* const lineup[] = {&trigger};
  for (const auto& input : recent_) {
    if (input->batch.header.last() > trigger.dispatched()) feed(input, lineup, alone);
  }
  return true;
}

void Dispatcher::bring_forward() {
  for (auto name = behind_.begin(); name != behind_.end();) {
    const auto found = triggers_.find(*name);
    const bool joined = found == triggers_.end() ||
                        found->second->phase != Trigger::Phase::running ||
                        feed_recent(*found->second);
    name = joined ? behind_.erase(name) : std::next(name);
  }
  const auto taken_all = [this](const TriggerName& name) {
    const auto found = triggers_.find(name);
    return found == triggers_.end() || found->second->unanswered() == 0;
  };
  if (catchup_ && std::ranges::all_of(catchup_->members, taken_all)) {
    // All that was read has been taken. Who can join now leaves; a read that has ended begins anew
    // where the rest stand.
    std::erase_if(catchup_->members,
                  [this](const TriggerName& name) { return can_leave_catchup(name); });
    const bool lost =
        monotonic_ - catchup_->asked_at >= options_.answer_max && catchup_->credit_owed == 0;
    if (catchup_->members.empty() || catchup_->ended || lost) {
      if (!catchup_->ended) act(SendRequest{{catchup_->id, CreditRequest{0}}});
      behind_.merge(catchup_->members);
      catchup_.reset();
    } else if (catchup_->credit_owed > 0) {
      act(SendRequest{{catchup_->id, CreditRequest{std::exchange(catchup_->credit_owed, 0)}}});
      catchup_->asked_at = monotonic_;
    }
  }
  if (!catchup_ && !behind_.empty()) {
    catchup_.emplace();
    catchup_->id = RequestId{next_request_++};
    catchup_->asked_at = monotonic_;
    Sequence from = main_;
    for (const TriggerName& name : behind_) from = std::min(from, triggers_.at(name)->dispatched());
    catchup_->members = std::exchange(behind_, {});
    ReadRequest read;
    read.from = from.next();
    read.credit = 8;
    act(SendRequest{{catchup_->id, std::move(read)}});
  }
}

// Gone, stopped (it comes back through behind_), or near enough for the recent inputs to carry it
// to the main position.
bool Dispatcher::can_leave_catchup(const TriggerName& name) {
  const auto found = triggers_.find(name);
  return found == triggers_.end() || found->second->phase != Trigger::Phase::running ||
         feed_recent(*found->second);
}

void Dispatcher::read_catchup(const Reply& reply) {
  catchup_->asked_at = monotonic_;
  if (const auto* batch = std::get_if<BatchReply>(&reply)) {
    ++catchup_->credit_owed;
    const auto input = make_input(batch->batch);
    std::vector<Trigger*> members;
    std::vector<Subscription> subscriptions;
    for (const TriggerName& name : catchup_->members) {
      const auto found = triggers_.find(name);
      if (found == triggers_.end() || found->second->phase != Trigger::Phase::running) continue;
      found->second->add_subscriptions(static_cast<std::uint32_t>(members.size()), subscriptions);
      members.push_back(found->second.get());
    }
    Router router;
    router.build(std::move(subscriptions));
    feed(input, members, router);
  } else if (const auto* lost = std::get_if<LostReply>(&reply)) {
    const Json detail = {
        {"first", lost->first.value}, {"last", lost->last.value}, {"why", lost->why}};
    for (const TriggerName& name : catchup_->members) {
      const auto found = triggers_.find(name);
      if (found == triggers_.end() || found->second->dispatched() >= lost->last) continue;
      gate_.waiting().journal.push_back(
          {name, found->second->run(), lost->last, "lost", canonical_json(detail), now_});
      found->second->pass(lost->last);
    }
  } else if (std::holds_alternative<ReadEnd>(reply)) {
    catchup_->ended = true;
  } else if (const auto* refused = std::get_if<RefusedReply>(&reply)) {
    log_warn("History could not be read for triggers that are behind: {}", refused->error.message);
    catchup_->ended = true;
  }
}

}  // namespace hastur
