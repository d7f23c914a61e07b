// Dispatcher: triggers that people or their own failures have stopped for a while.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {
namespace {

// A trigger that has gone well for so long after a pause starts counting anew.
constexpr Micros healed_after = std::chrono::minutes{15};

}  // namespace

Result<void> Dispatcher::pause(const TriggerName& name, std::string why) {
  const auto found = triggers_.find(name);
  if (found == triggers_.end())
    return fail(ErrorCode::not_found, fmt::format("there is no trigger {}", name));
  Trigger& trigger = *found->second;
  if (const Pause* open = trigger.open_pause()) {
    if (open->by_person)
      return fail(ErrorCode::conflict, fmt::format("{} is paused already: {}", name, open->why));
    // Somebody takes over from the platform: it is not tried again by itself.
    end_pause(trigger, "person", "paused by somebody instead");
  }
  Pause pause;
  pause.by_person = true;
  pause.why = std::move(why);
  begin_pause(trigger, trigger.dispatched().next(), std::move(pause));
  work();
  return {};
}

Result<void> Dispatcher::resume(const TriggerName& name, std::string why) {
  const auto found = triggers_.find(name);
  if (found == triggers_.end())
    return fail(ErrorCode::not_found, fmt::format("there is no trigger {}", name));
  if (found->second->open_pause() == nullptr)
    return fail(ErrorCode::conflict, fmt::format("{} is not paused", name));
  end_pause(*found->second, "person", why);
  found->second->pauses_in_a_row = 0;
  work();
  return {};
}

// From `from` on, or where its effects that are out already end, if that is later.
void Dispatcher::begin_pause(Trigger& trigger, Sequence from, Pause pause) {
  from = std::max(from, trigger.emitted_through().next());
  if (!trigger.pauses().empty()) from = std::max(from, *trigger.pauses().back().until);
  pause.from = from;
  pause.since = now_;
  gate_.waiting().journal.push_back(
      {trigger.name(), trigger.run(), from, "pause", pause_detail(pause), now_});
  log_warn("{} is paused from sequence {}: {}", trigger.name(), from.value, pause.why);
  trigger.begin_pause(std::move(pause));
  with_pauses_.insert(trigger.name());
}

void Dispatcher::end_pause(Trigger& trigger, std::string_view by, std::string_view why) {
  const Sequence until = std::max(
      {trigger.open_pause()->from, trigger.dispatched().next(), trigger.emitted_through().next()});
  const Json detail = {{"by", by}, {"why", why}};
  gate_.waiting().journal.push_back(
      {trigger.name(), trigger.run(), until, "resume", canonical_json(detail), now_});
  log_info("{} goes on from sequence {} ({})", trigger.name(), until.value, why);
  if (!trigger.open_pause()->by_person) {
    NotificationRecord over;
    over.trigger = trigger.name();
    over.run = trigger.run();
    over.sequence = until;
    over.time = newest_stream_time().value_or(now_);
    over.payload = platform_payload(
        "paused/" + trigger.name(),
        fmt::format("The platform's pause of the trigger {} is over: {}", trigger.name(), why),
        {{"trigger", trigger.name()}, {"sequence", until.value}}, NotificationAction::resolve);
    gate_.add_notification(std::move(over));
  }
  trigger.end_pause(until);
  trigger.failures.clear();
}

void Dispatcher::pause_failing(Trigger& trigger, Sequence from, std::string why, Time at) {
  if (trigger.open_pause() != nullptr) return;
  const bool healed = !trigger.resumed_at || at - *trigger.resumed_at > healed_after;
  Pause pause;
  pause.in_a_row = trigger.pauses_in_a_row = healed ? 1 : trigger.pauses_in_a_row + 1;
  if (const auto span = retry_after(pause.in_a_row)) pause.retry_at = at + *span;
  pause.why = std::move(why);

  const std::string text = fmt::format("The trigger {} is paused: {}", trigger.name(), pause.why);
  Json details = {{"trigger", trigger.name()},
                  {"in_a_row", pause.in_a_row},
                  {"retry_at", pause.retry_at ? Json(to_us(*pause.retry_at)) : Json(nullptr)}};
  begin_pause(trigger, from, std::move(pause));
  NotificationRecord notification;
  notification.trigger = trigger.name();
  notification.run = trigger.run();
  // No effect of the trigger is of this input: it does not see it.
  notification.sequence = trigger.open_pause()->from;
  notification.time = at;
  details["sequence"] = notification.sequence.value;
  notification.payload = platform_payload("paused/" + trigger.name(), text, std::move(details),
                                          NotificationAction::trigger);
  gate_.add_notification(std::move(notification));
}

void Dispatcher::watch_failures(Trigger& trigger, const Trigger::Accepted& accepted, bool stopped) {
  const auto is_call = [](const CallError& error) {
    return error.kind != CallError::Kind::judgement;
  };
  const auto raised = static_cast<std::uint64_t>(std::ranges::count_if(accepted.errors, is_call)) +
                      (stopped ? 1 : 0);
  // Of a call that a judgement took back no more is left than of one that failed.
  const std::uint64_t failed = raised + accepted.undone;
  // A call that stopped its feed is not among those that were counted.
  trigger.failures.add(accepted.at, std::max(accepted.calls, raised), failed);
  if (failed == 0 || !trigger.failures.should_pause()) return;
  const CallError& last = stopped ? accepted.stopped->error : accepted.errors.back();
  const std::string place = last.error.line == 0
                                ? last.error.script
                                : fmt::format("{}:{}", last.error.script, last.error.line);
  pause_failing(trigger, trigger.dispatched().next(),
                fmt::format("{} of its {} calls in the last minute failed{}; the last one: {}: {}",
                            trigger.failures.failed(), trigger.failures.calls(),
                            accepted.undone > 0 ? " or were put back with the state" : "", place,
                            last.error.text),
                accepted.at);
}

// After 1, 5 and 15 minutes of stream time the platform tries again what it has paused.
void Dispatcher::retry_paused() {
  if (!stream_time_) return;
  for (const TriggerName& name : with_pauses_) {
    Trigger* trigger = running(name);
    if (trigger == nullptr) continue;
    const Pause* pause = trigger->open_pause();
    if (pause == nullptr || !pause->retry_at || *stream_time_ < *pause->retry_at) continue;
    trigger->pauses_in_a_row = pause->in_a_row;
    trigger->resumed_at = *stream_time_;
    end_pause(*trigger, "platform", "tried again");
  }
}

// A pause begins with a judgement: the memory of before it is that of all of it.
void Dispatcher::judge_at_pauses() {
  std::erase_if(with_pauses_, [this](const TriggerName& name) {
    const auto found = triggers_.find(name);
    return found == triggers_.end() || found->second->pauses().empty();
  });
  for (const TriggerName& name : with_pauses_) {
    Trigger* trigger = running(name);
    if (trigger == nullptr || trigger->unanswered() > 0 ||
        trigger->cursor() != trigger->dispatched() || !trigger->stands_before_pause())
      continue;
    // If its version ends here too, that judgement serves both.
    if (trigger->next_switch && trigger->next_switch->at == trigger->cursor().next()) continue;
    trigger->phase = Trigger::Phase::judging;
    act(ToWorker{trigger->worker, JudgeCommand{trigger->handle, true}});
  }
}

}  // namespace hastur
