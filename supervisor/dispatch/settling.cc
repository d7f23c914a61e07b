// Dispatcher: one set of versions giving way to another at one sequence, all of it or nothing.
//
// What ends stands still before that sequence, and its successor is loaded with what it ended with:
// only then is it known whether ctx:migrate converts that. When all have come so far, one commit
// holds the decision and every new run; if one is refused, all go on as they were. One that does
// not come in time (it is far behind) comes to the sequence alone, later. switching.cc does what is
// done for each trigger.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/stored_run.h"

namespace hastur {

void Dispatcher::begin_switches() {
  // Nothing at or after it has been handed to any trigger.
  const Sequence at = std::max(newest(), main_).next();
  deploying_->at = at;
  deploying_->stream_time = newest_stream_time().value_or(Time{});
  deploying_->settle_until = monotonic_ + options_.settle_max;
  for (Probe& probe : std::exchange(probes_, {})) {
    if (probe.error) {
      refuse(probe);
    } else if (probe.before && probe.before->is_live) {
      succeed(probe, at);
    } else {
      probes_.push_back(std::move(probe));
    }
  }
  for (const TriggerName& name : deploying_->removals) {
    if (!deploying_->claimed.contains(name)) remove(name, at);
  }
  // Scripts of a directory stand each for itself, and a replay lets its triggers stand still.
  if (deploying_->is_whole() && !deploying_->wanted.by_replay) return settle_deployment();
  decide_deployment();
}

void Dispatcher::succeed(Probe& probe, Sequence at) {
  const TriggerName& name = probe.script.name;
  const ScriptVersion& version = probe.script.version;
  Trigger& before = *triggers_.at(probe.before->name);
  const bool by_replay = deploying_->wanted.by_replay;
  DeploymentChange change{
      name, before.version().id, version.id, probe.before->run, probe.run, "", "", 0, ""};
  if (probe.before->name != name) change.was = probe.before->name;
  change.why = by_replay                                             ? "replay"
               : deploying_->wanted.kind == DeploymentKind::rollback ? "rollback"
               : deploying_->wanted.kind == DeploymentKind::restore  ? "restore"
               : before.version().id != version.id                   ? "deploy"
               : before.limits() != options_.limits                  ? "limits"
                                                                     : "upgrade";
  if (by_replay && hold_) hold_->through = Sequence{at.value - 1};
  if (probe.restoration) change.snapshot = probe.restoration->snapshot;
  deploying_->versions.push_back(version_record(name, version));
  before.next_switch = Trigger::Switch{at,           version,
                                       probe.handle, probe.worker,
                                       probe.run,    *probe.loaded,
                                       change.why,   std::move(probe.restoration),
                                       change.was,   by_replay ? 0 : deploying_->record.id};
  if (!change.was.empty()) before.next_switch->as = name;
  if (change.why == "deploy") before.next_switch->warm = std::move(probe.script.warm);
  before.next_switch->decided_at = stream_time_;
  deploying_->record.changes.push_back(std::move(change));
}

void Dispatcher::remove(const TriggerName& name, Sequence at) {
  Trigger& trigger = *triggers_.at(name);
  Trigger::Switch& end = trigger.next_switch.emplace();
  end.at = at;
  end.why = "removed";
  end.deployment = deploying_->record.id;
  deploying_->record.changes.push_back(
      {name, trigger.version().id, "", trigger.run(), {}, "removed", "", 0, ""});
}

bool Dispatcher::is_being_settled(const Trigger::Switch& next) const {
  return deploying_ && deploying_->at && next.deployment == deploying_->record.id;
}

// Whether everything that will come in time stands before its switch, ready to take it.
bool Dispatcher::have_come() const {
  std::size_t awaited = 0;
  for (const auto& [name, trigger] : triggers_) {
    const auto& next = trigger->next_switch;
    awaited += next && is_being_settled(*next) && !trigger->catching_up ? 1 : 0;
  }
  for (const Ending& ending : endings_) {
    const Trigger& trigger = *triggers_.at(ending.name);
    const bool is_ready = !ending.migrating && trigger.next_switch->is_loaded;
    if (is_ready && is_being_settled(*trigger.next_switch) && !trigger.catching_up) --awaited;
  }
  return awaited == 0;
}

void Dispatcher::settle_deployment() {
  if (std::ranges::any_of(probes_, [](const Probe& probe) { return probe.error.has_value(); }))
    return call_off_deployment();
  if (!std::ranges::all_of(probes_, [](const Probe& probe) { return probe.loaded.has_value(); }))
    return;
  if (have_come() || monotonic_ >= deploying_->settle_until) decide_deployment();
}

void Dispatcher::decide_deployment() {
  DeploymentRecord& record = deploying_->record;
  const Sequence at = *deploying_->at;
  CommitBatch& waiting = gate_.waiting();
  for (const DeploymentChange& change : record.changes) {
    refused_.erase(change.trigger);
    triggers_.at(change.was.empty() ? change.trigger : change.was)->refused.reset();
    if (change.version.empty()) {
      log_info("{} ends at sequence {}: its file is gone", change.trigger, at.value);
    } else {
      log_info("{} is to begin run {} at sequence {} ({})", change.trigger, change.run.value,
               at.value, change.why);
    }
  }
  std::ranges::move(deploying_->versions, std::back_inserter(waiting.versions));
  for (Probe& probe : std::exchange(probes_, {})) start_new(probe, at);
  for (const TriggerName& name : deploying_->unpins) {
    pins_.erase(name);
    waiting.unpins.push_back(name);
    log_info("{} is not pinned any more: its file has changed", name);
  }
  for (Pin& pin : deploying_->pins) {
    pin.deployment = record.id;
    pins_.insert_or_assign(pin.trigger, pin);
    waiting.pins.push_back(std::move(pin));
  }
  if (deploying_->is_whole() || !record.changes.empty()) record.sequence = at;
  if (deploying_->wanted.replays) record.replay = "waiting";
  store_deployment();
}

// Something of it is refused: what stood still goes on as it was.
void Dispatcher::call_off_deployment() {
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->next_switch && is_being_settled(*trigger->next_switch)) abandon_switch(*trigger);
  }
  deploying_->record.changes.clear();
  drop_probes();
  store_deployment();
}

void Dispatcher::start_new(Probe& probe, Sequence at) {
  const TriggerName& name = probe.script.name;
  DeploymentChange change{name, "",    probe.script.version.id, {}, probe.run, "deploy", "",
                          0,    "live"};
  if (probe.before) {
    change.before = probe.before->version;
    change.run_before = probe.before->run;
    if (probe.before->name != name) change.was = probe.before->name;
  }
  if (!change.was.empty()) {
    // It has gone to this one, and goes to no other.
    gate_.waiting().journal.push_back({change.was, change.run_before, probe.before->ended, "forget",
                                       canonical_json({{"heir", name}}), now_});
  }
  deploying_->record.changes.push_back(std::move(change));
  refused_.erase(name);
  Checkpoint checkpoint;
  checkpoint.trigger = name;
  checkpoint.run = probe.run;
  checkpoint.state_sequence = Sequence{at.value - 1};
  checkpoint.state_time = deploying_->stream_time;
  checkpoint.effects_sequence = checkpoint.state_sequence;
  Json detail = {{"version", probe.script.version.id}};
  if (probe.memory) {
    checkpoint.state_time = probe.memory->time;
    checkpoint.state = probe.loaded->migrated.value_or(probe.memory->state);
    checkpoint.runtime = probe.memory->runtime;
    detail["before"] = probe.before->version;
    detail["was"] = probe.before->name;
  }
  if (const auto& warmed = probe.loaded->warmed) {
    checkpoint.state_time = warmed->time;
    checkpoint.state = warmed->state;
    checkpoint.runtime = warmed->runtime;
    detail["warm"] = warm_json(*probe.warm);
  }
  gate_.waiting().starts.push_back(make_start(name, probe.script.version, probe.run, "deploy",
                                              checkpoint.state_sequence, checkpoint));
  gate_.waiting().journal.push_back(
      {name, probe.run, at, probe.memory ? "switch" : "start", canonical_json(detail), now_});

  auto trigger = std::make_unique<Trigger>(name, probe.script.version, options_.limits,
                                           std::move(checkpoint), std::vector<Skip>{});
  trigger->runtime_build = options_.runtime_build;
  trigger->handle = probe.handle;
  trigger->worker = probe.worker;
  trigger->loaded = std::move(*probe.loaded);
  handles_of_[trigger->handle] = trigger.get();
  if (const auto memory = trigger->memory()) {
    trigger->phase = Trigger::Phase::restoring;
    act(ToWorker{trigger->worker, RestoreCommand{trigger->handle, *memory, 0}});
  } else {
    trigger->phase = Trigger::Phase::running;
    behind_.insert(name);
  }
  triggers_[name] = std::move(trigger);
  router_stale_ = true;
  log_info("{} starts at sequence {}", name, at.value);
}

// After a crash: what was decided and not yet done is done where it was decided.
void Dispatcher::go_on_with_deployments() {
  const auto pins = store_.pins();
  if (!pins) return stop_process(pins.error());
  for (const Pin& pin : *pins) pins_.emplace(pin.trigger, pin);
  const auto newest = store_.deployments({.max = 1});
  if (!newest) return stop_process(newest.error());
  if (newest->empty()) return;
  newest_deployment_ = newest->front().id;
  const auto pending = store_.deployments({.pending = true, .max = 1'000});
  if (!pending) return stop_process(pending.error());
  for (const DeploymentRecord& record : *pending) {
    if (!go_on_with(record)) return;
  }
}

bool Dispatcher::go_on_with(const DeploymentRecord& record) {
  const auto fails = [this](const Error& error) {
    stop_process(error);
    return false;
  };
  for (const DeploymentChange& change : record.changes) {
    if (!change.outcome.empty()) continue;
    const auto found = triggers_.find(change.was.empty() ? change.trigger : change.was);
    if (found == triggers_.end()) continue;
    Trigger& trigger = *found->second;
    if (trigger.next_switch || trigger.cursor() >= *record.sequence) continue;
    Trigger::Switch next{*record.sequence, std::nullopt, {}, 0, change.run, {}, change.why};
    next.deployment = record.id;
    if (!change.version.empty()) {
      const auto files = store_.version(change.version);
      if (!files) return fails(files.error());
      if (!*files) continue;
      next.version = version_from(**files);
      if (!change.was.empty()) next.as = change.trigger;
    }
    if (change.snapshot > 0) {
      auto kept = store_.snapshot(change.snapshot);
      if (!kept) return fails(kept.error());
      if (!*kept) continue;
      const SnapshotRecord& of = (*kept)->record;
      const auto run = store_.run(of.trigger, of.run);
      if (!run) return fails(run.error());
      next.restoration = Trigger::Restoration{of.number,
                                              of.run,
                                              of.sequence,
                                              of.time,
                                              *run ? (*run)->version : VersionId(),
                                              std::move((*kept)->state),
                                              std::move((*kept)->runtime),
                                              record.report};
    }
    await_switch(trigger, std::move(next));
    log_info("{} goes on to what deployment {} decided, at sequence {}", change.trigger, record.id,
             record.sequence->value);
  }
  return true;
}

}  // namespace hastur
