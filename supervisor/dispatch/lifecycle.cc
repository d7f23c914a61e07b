// Dispatcher: worker processes, and triggers coming to life in them.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {
namespace {

// Where its filter stands; 0 of what came by ctx:every.
std::uint32_t line_of(const Trigger& trigger, std::uint32_t callback) {
  const auto& all = trigger.loaded.subscriptions;
  const auto found = std::ranges::find(all, callback, &SubscriptionSpec::callback);
  return found == all.end() ? 0 : found->line;
}

}  // namespace

void Dispatcher::start_due_workers() {
  for (std::uint32_t worker = 0; worker < slots_.size(); ++worker) {
    Slot& slot = slots_[worker];
    if (slot.up || !slot.start_at || monotonic_ < *slot.start_at) continue;
    slot.up = true;
    slot.start_at.reset();
    slot.started = monotonic_;
    slot.no_feeds();
    act(StartWorker{worker});
    for (auto& [name, trigger] : triggers_) {
      if (trigger->phase == Trigger::Phase::waiting && trigger->handle.value != 0 &&
          trigger->worker == worker) {
        load(*trigger);
      }
      if (trigger->next_switch && trigger->next_switch->version &&
          trigger->next_switch->worker == worker) {
        load_next(*trigger);
      }
    }
    for (const Probe& probe : probes_) {
      if (probe.worker == worker && !probe.loaded && !probe.error) load_probe(probe);
    }
  }
}

void Dispatcher::send_load(std::uint32_t worker, TriggerHandle handle, const TriggerName& name,
                           Run run, const ScriptVersion& version, const CountedLimits& limits,
                           std::optional<Memory> memory, std::optional<VersionId> migrate_from,
                           std::optional<WarmHelpers> warm) {
  LoadCommand command{handle,
                      name,
                      run,
                      version.script,
                      version.libraries,
                      limits,
                      options_.guards,
                      std::move(memory),
                      std::move(migrate_from)};
  command.warm = std::move(warm);
  act(ToWorker{worker, std::move(command)});
}

void Dispatcher::give_handle(Trigger& trigger) {
  handles_of_.erase(trigger.handle);
  trigger.handle = new_handle();
  handles_of_[trigger.handle] = &trigger;
}

void Dispatcher::load(Trigger& trigger) {
  if (trigger.handle.value == 0) {
    give_handle(trigger);
    trigger.worker = least_loaded();
    ++slots_[trigger.worker].triggers;
  }
  trigger.phase = Trigger::Phase::waiting;
  if (!slots_[trigger.worker].up) return;
  trigger.restart();
  trigger.phase = Trigger::Phase::loading;
  send_load(trigger.worker, trigger.handle, trigger.name(), trigger.run(), trigger.version(),
            trigger.limits(), trigger.memory());
}

void Dispatcher::restart(Trigger& trigger) {
  trigger.restart();
  trigger.catching_up = false;
  const auto memory = trigger.memory();
  if (!memory) {
    // It has never been judged: there is no memory to put back, only a fresh start.
    act(ToWorker{trigger.worker, UnloadCommand{trigger.handle}});
    give_handle(trigger);
    trigger.phase = Trigger::Phase::loading;
    trigger.forget_feeds();
    send_load(trigger.worker, trigger.handle, trigger.name(), trigger.run(), trigger.version(),
              trigger.limits(), std::nullopt);
    return;
  }
  trigger.phase = Trigger::Phase::restoring;
  act(ToWorker{trigger.worker,
               RestoreCommand{trigger.handle, *memory, options_.guarded_callbacks}});
}

Trigger* Dispatcher::by_handle(TriggerHandle handle) {
  const auto found = handles_of_.find(handle);
  return found == handles_of_.end() ? nullptr : found->second;
}

void Dispatcher::worker_replied(std::uint32_t worker, WorkerReply reply) {
  if (dead_ || !slots_[worker].up) return;
  slots_[worker].died_young.clear();
  std::visit(
      [&](auto& alternative) {
        // Observing and evaluating is for trigger-test; the host lets through no answer to what was
        // not asked.
        using Kind = std::remove_reference_t<decltype(alternative)>;
        if constexpr (!std::is_same_v<Kind, Observed> && !std::is_same_v<Kind, Evaluated>)
          take(worker, std::move(alternative));
      },
      reply);
  work();
}

void Dispatcher::take(std::uint32_t /*worker*/, Loaded reply) {
  for (Probe& probe : probes_) {
    if (probe.handle == reply.handle) {
      probe.loaded = std::move(reply);
      return;
    }
  }
  for (auto& [name, trigger] : triggers_) {
    if (trigger->next_switch && trigger->next_switch->handle == reply.handle) {
      if (Ending* ending = ending_of(name); ending != nullptr && ending->migrating) {
        ending->migrating = false;
        if (reply.migrated) ending->checkpoint.state = *reply.migrated;
        if (reply.warmed) {
          ending->checkpoint.state = reply.warmed->state;
          ending->checkpoint.runtime = reply.warmed->runtime;
        } else {
          ending->warm.reset();
        }
      }
      trigger->next_switch->loaded = std::move(reply);
      trigger->next_switch->is_loaded = true;
      return;
    }
  }
  Trigger* trigger = by_handle(reply.handle);
  if (trigger == nullptr) return;
  trigger->loaded = std::move(reply);
  // It takes inputs again: the position waits for it where it stands by now.
  if (trigger->left_behind && *trigger->left_behind < std::max(main_, store_.position()))
    leave_behind(*trigger, std::max(main_, store_.position()));
  trigger->forget_router();
  trigger->phase = Trigger::Phase::running;
  behind_.insert(trigger->name());
  router_stale_ = true;
}

void Dispatcher::take(std::uint32_t /*worker*/, LoadFailed reply) {
  for (Probe& probe : probes_) {
    if (probe.handle == reply.handle) {
      probe.error = std::move(reply.error);
      return;
    }
  }
  for (auto& [name, trigger] : triggers_) {
    if (trigger->next_switch && trigger->next_switch->handle == reply.handle)
      return refuse_switch(*trigger, std::move(reply.error));
  }
  Trigger* trigger = by_handle(reply.handle);
  if (trigger == nullptr) return;
  fail_to_load(*trigger, std::move(reply.error));
}

void Dispatcher::fail_to_load(Trigger& trigger, ScriptError error) {
  log_error("trigger {} does not load any more: {}", trigger.name(), told(error));
  trigger.phase = Trigger::Phase::failed;
  trigger.load_error = std::move(error);
  router_stale_ = true;
  // The stored position does not wait for it, however long that takes.
  if (!trigger.left_behind) leave_behind(trigger, trigger.stored().state_sequence.next());
}

void Dispatcher::leave_behind(Trigger& trigger, Sequence until) {
  trigger.left_behind = until;
  gate_.waiting().journal.push_back(behind_record(trigger.name(), trigger.run(), until));
}

JournalRecord Dispatcher::behind_record(const TriggerName& name, Run run, Sequence until) const {
  return {name, run, until, "behind", canonical_json({{"why", "it did not load"}}), now_};
}

void Dispatcher::take(std::uint32_t /*worker*/, Restored reply) {
  Trigger* trigger = by_handle(reply.handle);
  if (trigger == nullptr || trigger->phase != Trigger::Phase::restoring) return;
  trigger->phase = Trigger::Phase::running;
  behind_.insert(trigger->name());
}

void Dispatcher::take(std::uint32_t worker, FeedReply reply) {
  Slot& slot = slots_[worker];
  slot.heard = monotonic_;
  if (!slot.feeds.empty()) {
    if (slot.feeds.front()) --slot.behind_feeds;
    slot.feeds.pop_front();
  }
  for (TriggerProgress& progress : reply.triggers) {
    Trigger* trigger = by_handle(progress.handle);
    if (trigger == nullptr) continue;
    if (trigger->phase != Trigger::Phase::running) {
      trigger->answered();  // fed before it stopped: the worker has left these inputs alone
      continue;
    }
    if (trigger->yields()) {
      trigger->answered();  // fed before it gave up its turn
      continue;
    }
    // A turn is given up between two inputs only. One call that takes longer than a turn leaves
    // nothing to give up where batches are small, and holds up the others all the same.
    const bool called = progress.callbacks > 0;
    const bool overran =
        called && progress.cpu > options_.slice * static_cast<std::int64_t>(progress.callbacks);
    Trigger::Accepted accepted = trigger->accept(std::move(progress));
    trigger->reached_at = accepted.at;
    if (accepted.yielded || overran) {
      note_yield(*trigger);
    } else if (called && !trigger->catching_up && !behind_.contains(trigger->name())) {
      trigger->slow_since.reset();
    }
    if (accepted.yielded && !trigger->catching_up) behind_.insert(trigger->name());
    if (accepted.diverged) {
      log_error(
          "trigger {} run {}: what came out again after a restart is not what was stored; its "
          "runtime is not "
          "deterministic",
          trigger->name(), trigger->run().value);
    }
    for (const Effect& effect : accepted.effects) {
      const bool late =
          effect.kind == EffectKind::notification && is_late(trigger->name(), effect.time);
      gate_.add_effect(trigger->name(), trigger->run(), effect, late);
    }
    for (const CallError& error : accepted.errors) gate_.add_error(trigger->name(), error);
    watch_failures(*trigger, accepted, accepted.stopped.has_value());
    if (accepted.stopped) {
      skip(*trigger, accepted.stopped->error, "raised");
      restart(*trigger);
    }
  }
}

void Dispatcher::skip(Trigger& trigger, const CallError& error, std::string_view why) {
  trigger.failed_call(error);
  gate_.add_error(trigger.name(), error);
  const Json detail = {{"callback", error.callback},
                       {"why", why},
                       {"text", error.error.text},
                       {"script", error.error.script},
                       {"line", error.error.line}};
  gate_.waiting().journal.push_back(
      {trigger.name(), trigger.run(), error.sequence, "skip", canonical_json(detail), now_});
  trigger.add_skip({error.sequence, error.callback, error.error});
}

void Dispatcher::take(std::uint32_t /*worker*/, Judged reply) {
  Trigger* trigger = by_handle(reply.handle);
  if (trigger == nullptr || trigger->phase != Trigger::Phase::judging) return;
  if (reply.error) gate_.add_error(trigger->name(), *reply.error);
  if (!trigger->next_switch || trigger->next_switch->at != trigger->cursor().next()) {
    // A pause begins here.
    trigger->judged_here(std::move(reply.memory));
    trigger->phase = Trigger::Phase::running;
    behind_.insert(trigger->name());
    return;
  }
  // One that was fed nothing knows no time; without one its snapshot would be taken for an old one.
  Time time = std::max(reply.memory.time, trigger->stored().state_time);
  if (time == Time{}) time = newest_stream_time().value_or(Time{});
  Checkpoint checkpoint{trigger->name(),    trigger->run(),       trigger->cursor(), time,
                        reply.memory.state, reply.memory.runtime, trigger->cursor(), 0};
  end_version(*trigger, std::move(checkpoint));
}

void Dispatcher::take(std::uint32_t /*worker*/, Unloaded /*reply*/) {}

void Dispatcher::worker_died(std::uint32_t worker, const WorkerDied& died) {
  if (dead_ || !slots_[worker].up) return;
  now_ = clock_.now();
  monotonic_ = clock_.monotonic();
  Slot& slot = slots_[worker];
  slot.up = false;
  slot.no_feeds();
  ++worker_restarts_;
  // One that lived a while is started again at once; one that dies young, after a growing pause.
  const bool young = monotonic_ - slot.started < std::chrono::seconds{10};
  slot.backoff = young ? std::min(std::max(slot.backoff * 2, options_.restart_after),
                                  options_.restart_after_max)
                       : Micros{0};
  slot.start_at = monotonic_ + slot.backoff;
  if (young) slot.died_young = died.why;
  log_warn("worker {} died: {}; its triggers start again from their checkpoints in {}", worker,
           died.why, format_span(slot.backoff));

  Trigger* culprit = nullptr;
  for (auto& [name, trigger] : triggers_) {
    if (trigger->worker != worker || trigger->handle.value == 0 ||
        trigger->phase == Trigger::Phase::failed)
      continue;
    trigger->forget_feeds();
    trigger->restart();
    trigger->phase = Trigger::Phase::waiting;
    trigger->catching_up = false;
    ++trigger->counts.restarts;
    behind_.erase(name);
    if (died.trigger == trigger->handle) culprit = trigger.get();
  }
  for (Probe& probe : probes_) {
    if (probe.worker != worker) continue;
    probe.loaded.reset();
    // Tried once: a script that kills its worker while it is loaded would do so for ever.
    if (died.trigger == probe.handle && died.cause != WorkerDied::Cause::ended) {
      probe.error =
          ScriptError{fmt::format("its worker was lost while it was loaded: {}", died.why),
                      probe.script.version.script.path, 0};
    }
  }
  for (auto& [name, trigger] : triggers_) {
    // So would one whose ctx:migrate does.
    if (trigger->next_switch && died.trigger == trigger->next_switch->handle &&
        died.cause != WorkerDied::Cause::ended) {
      refuse_switch(*trigger, {fmt::format("its worker was lost while it took over: {}", died.why),
                               trigger->next_switch->version->script.path, 0});
    }
  }
  router_stale_ = true;
  if (culprit != nullptr) take_death(*culprit, died);
  work();
}

// The trigger was at work when its worker died. If that was its doing, it goes on alone; the second
// time the call is left out and the trigger paused. A worker that was killed from outside twice in
// the same call is taken for the trigger's doing too.
void Dispatcher::take_death(Trigger& trigger, const WorkerDied& died) {
  const bool is_its_doing = died.cause != WorkerDied::Cause::ended;
  if (!died.sequence || !died.callback) {
    if (!is_its_doing || ++trigger.overruns < 2) return;
    return fail_to_load(trigger,
                        {fmt::format("its worker was lost twice while it was loaded: {}", died.why),
                         trigger.version().script.path, 0});
  }
  const Skip at{*died.sequence, *died.callback, {}};
  const bool same_call = trigger.fatal_call == at;
  trigger.fatal_call = at;
  if (is_its_doing) ++trigger.overruns;
  if (!same_call && trigger.overruns < 2) {
    if (is_its_doing && slots_[trigger.worker].place != Place::alone) {
      log_warn("{} goes on in a worker of its own", trigger.name());
      move(trigger, slot_aside(Place::alone));
    }
    return;
  }
  CallError error{CallError::Kind::instructions,
                  at.sequence,
                  stream_time_.value_or(now_),
                  at.callback,
                  {fmt::format("its worker was lost in this callback: {}", died.why),
                   trigger.version().script.path, line_of(trigger, at.callback)}};
  skip(trigger, error, "killed");
  trigger.fatal_call.reset();
  if (trigger.overruns >= 2) {
    trigger.overruns = 0;
    pause_failing(trigger, at.sequence.next(),
                  fmt::format("its worker was lost again: {}", died.why), error.time);
  }
}

}  // namespace hastur
