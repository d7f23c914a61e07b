// Dispatcher: inputs for triggers that are behind the main position.

#include <algorithm>

#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/input.h"

namespace hastur {

// Nothing unless it takes inputs: one that does not comes back through behind_ when it does.
Trigger* Dispatcher::running(const TriggerName& name) {
  const auto found = triggers_.find(name);
  return found == triggers_.end() || found->second->phase != Trigger::Phase::running
             ? nullptr
             : found->second.get();
}

void Dispatcher::bring_forward() {
  for (auto name = behind_.begin(); name != behind_.end();) {
    Trigger* trigger = running(*name);
    const bool gone = trigger == nullptr || trigger->catching_up;
    name = gone || feed_recent(*trigger) == Recent::joined ? behind_.erase(name) : std::next(name);
  }
  for (const auto& catchup : catchups_) advance(*catchup);
  std::erase_if(catchups_, [](const auto& catchup) { return catchup->members.empty(); });
  begin_catchups();
}

// Feeds the trigger from the inputs kept here.
Dispatcher::Recent Dispatcher::feed_recent(Trigger& trigger) {
  const auto joined = [&] { return trigger.dispatched() >= main_ && !trigger.yields(); };
  if (joined()) return Recent::joined;
  if (trigger.yields()) return Recent::under_way;
  auto input = std::ranges::lower_bound(
      recent_, trigger.dispatched().next(), std::ranges::less{},
      [](const std::shared_ptr<const InputBatch>& each) { return each->batch.header.last(); });
  if (input == recent_.end() || (*input)->batch.header.first > trigger.dispatched().next())
    return Recent::too_old;
  Trigger* const lineup[] = {&trigger};
  for (; input != recent_.end() && has_room(trigger, FeedKind::behind) && !joined(); ++input) {
    const Sequence before = trigger.dispatched();
    feed(*input, lineup, trigger.alone(), FeedKind::behind);
    if (trigger.dispatched() == before) break;
  }
  if (!joined()) return Recent::under_way;
  trigger.slow_since.reset();
  return Recent::joined;
}

// Those that the recent inputs do not reach back to read History.
void Dispatcher::begin_catchups() {
  if (!stream_is_known_) return;
  std::map<std::uint32_t, std::vector<Trigger*>>
      groups;  // by worker; all shared ones are one group
  for (const TriggerName& name : behind_) {
    Trigger* trigger = running(name);
    if (trigger == nullptr || trigger->yields() || trigger->unanswered() > 0) continue;
    if (!recent_.empty() && recent_.front()->batch.header.first <= trigger->dispatched().next())
      continue;
    const bool shared = slots_[trigger->worker].place == Place::shared;
    groups[shared ? 0 : trigger->worker].push_back(trigger);
  }
  for (const auto& [worker, members] : groups) {
    if (catchups_.size() >= options_.catchups_max) return;
    auto catchup = std::make_unique<Catchup>();
    catchup->id = RequestId{next_request_++};
    catchup->asked_at = monotonic_;
    Sequence from = main_;
    for (Trigger* trigger : members) {
      from = std::min(from, trigger->dispatched());
      trigger->catching_up = true;
      catchup->members.insert(trigger->name());
      behind_.erase(trigger->name());
    }
    ReadRequest read;
    read.from = from.next();
    read.credit = 8;
    act(SendRequest{{catchup->id, std::move(read)}});
    catchups_.push_back(std::move(catchup));
  }
}

void Dispatcher::advance(Catchup& catchup) {
  const std::size_t before = catchup.members.size();
  std::erase_if(catchup.members, [this](const TriggerName& name) {
    const auto found = triggers_.find(name);
    if (found == triggers_.end()) return true;
    Trigger* trigger = found->second.get();
    // One that takes no inputs for now comes back through behind_ when it does again.
    if (trigger->phase != Trigger::Phase::running) trigger->catching_up = false;
    if (!trigger->catching_up) return true;
    const Sequence next = trigger->dispatched().next();
    // Or it can go on with what is kept here.
    if (trigger->yields() || recent_.empty() || recent_.front()->batch.header.first > next)
      return false;
    trigger->catching_up = false;
    behind_.insert(name);
    return true;
  });
  if (catchup.members.size() != before) catchup.router_stale = true;
  if (catchup.members.empty()) return end_catchup(catchup);
  feed_held(catchup);

  const bool lost = monotonic_ - catchup.asked_at >= options_.answer_max;
  if (catchup.held.empty() && (catchup.ended || (lost && catchup.credit_owed == 0))) {
    return end_catchup(catchup);
  }
  if (catchup.credit_owed > 0 && !catchup.ended) {
    act(SendRequest{{catchup.id, CreditRequest{std::exchange(catchup.credit_owed, 0)}}});
    catchup.asked_at = monotonic_;
  }
}

// Its members start another read from where they stand, if they must.
void Dispatcher::end_catchup(Catchup& catchup) {
  if (!catchup.ended) act(SendRequest{{catchup.id, CreditRequest{0}}});
  for (const TriggerName& name : catchup.members) {
    if (Trigger* trigger = running(name)) {
      trigger->catching_up = false;
      behind_.insert(name);
    }
  }
  catchup.members.clear();
}

void Dispatcher::feed_held(Catchup& catchup) {
  std::vector<Trigger*> members;
  for (const TriggerName& name : catchup.members) members.push_back(running(name));
  if (std::exchange(catchup.router_stale, false)) {
    std::vector<Subscription> subscriptions;
    for (std::uint32_t slot = 0; slot < members.size(); ++slot)
      members[slot]->add_subscriptions(slot, subscriptions);
    catchup.router.build(std::move(subscriptions));
  }
  for (auto held = catchup.held.begin(); held != catchup.held.end(); ++held) {
    if (held->input == nullptr) {
      if (held != catchup.held.begin() || !take_held_lost(catchup, held->lost)) break;
      continue;
    }
    const BatchHeader& header = held->input->batch.header;
    const bool wanted = std::ranges::any_of(members, [&](const Trigger* trigger) {
      const Sequence next = trigger->dispatched().next();
      return next >= header.first && next <= header.last();
    });
    if (wanted) feed(held->input, members, catchup.router, FeedKind::behind);
  }
  // What all have taken is given back as credit.
  while (!catchup.held.empty()) {
    const Catchup::Held& first = catchup.held.front();
    const Sequence last = first.input ? first.input->batch.header.last() : first.lost.last;
    if (!std::ranges::all_of(members, [last](const Trigger* trigger) {
          return trigger->cursor() >= last && !trigger->yields();
        }))
      return;
    if (first.input) ++catchup.credit_owed;
    catchup.held.pop_front();
  }
}

// False while a member still has inputs before the range under way.
bool Dispatcher::take_held_lost(Catchup& catchup, const LostReply& lost) {
  bool all = true;
  for (const TriggerName& name : catchup.members) {
    Trigger& trigger = *running(name);
    if (trigger.dispatched() >= lost.last) continue;
    if (trigger.unanswered() > 0 || trigger.yields() || trigger.stands_before_pause()) {
      all = false;
      continue;
    }
    pass_lost(trigger, lost);
  }
  return all;
}

void Dispatcher::read_catchup(Catchup& catchup, const Reply& reply) {
  catchup.asked_at = monotonic_;
  if (const auto* batch = std::get_if<BatchReply>(&reply)) {
    catchup.held.push_back({make_input(batch->batch), {}});
  } else if (const auto* lost = std::get_if<LostReply>(&reply)) {
    catchup.held.push_back({nullptr, *lost});
  } else if (std::holds_alternative<ReadEnd>(reply)) {
    catchup.ended = true;
  } else if (const auto* refused = std::get_if<RefusedReply>(&reply)) {
    log_warn("History could not be read for triggers that are behind: {}", refused->error.message);
    catchup.ended = true;
  }
}

}  // namespace hastur
