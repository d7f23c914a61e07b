// Dispatcher: one set of scripts giving way to another, at one sequence.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

void Dispatcher::desire(std::vector<DesiredScript> scripts) {
  desired_ = std::move(scripts);
  lease_due_ = stage_ != Stage::connecting;
  work();
}

// The same files were tried before: they do not load any better now.
bool Dispatcher::is_refused(const DesiredScript& script) const {
  const auto found = triggers_.find(script.name);
  if (found != triggers_.end())
    return found->second->refused && found->second->refused_version == script.version.id;
  const auto refused = refused_.find(script.name);
  return refused != refused_.end() && refused->second.version == script.version.id;
}

Result<void> Dispatcher::restore(const TriggerName& name, std::uint64_t snapshot, std::string why) {
  const auto found = triggers_.find(name);
  if (found == triggers_.end())
    return fail(ErrorCode::not_found, fmt::format("there is no trigger {}", name));
  auto kept = store_.snapshot(snapshot);
  if (!kept) return fail(kept.error());
  if (!*kept || (*kept)->record.trigger != name) {
    return fail(
        ErrorCode::not_found,
        fmt::format("{} has no snapshot s-{}; see hastur snapshots {}", name, snapshot, name));
  }
  const bool probed =
      std::ranges::any_of(probes_, [&](const Probe& each) { return each.script.name == name; });
  if (probed || found->second->next_switch || restorations_.contains(name))
    return fail(ErrorCode::conflict,
                fmt::format("another run of {} is about to begin; try again in a moment", name));
  const SnapshotRecord& record = (*kept)->record;
  const auto run = store_.run(name, record.run);
  if (!run) return fail(run.error());
  restorations_.emplace(
      name, Trigger::Restoration{snapshot, record.run, record.sequence,
                                 *run ? (*run)->version : VersionId(), std::move((*kept)->state),
                                 std::move((*kept)->runtime), std::move(why)});
  work();
  return {};
}

Run Dispatcher::next_run(const TriggerName& name) const {
  Run last = store_.newest_run(name);
  if (const auto elsewhere = last_runs_.find(name); elsewhere != last_runs_.end())
    last = std::max(last, elsewhere->second);
  return Run{last.value + 1};
}

void Dispatcher::probe(DesiredScript script, std::optional<Trigger::Restoration> restoration) {
  Probe probe{std::move(script), new_handle(), least_loaded(), {}, {}, {}, std::move(restoration)};
  const TriggerName& name = probe.script.name;
  probe.run = next_run(name);
  ++slots_[probe.worker].triggers;
  if (slots_[probe.worker].up) {
    send_load(probe.worker, probe.handle, name, probe.run, probe.script.version, options_.limits,
              std::nullopt);
  }
  probes_.push_back(std::move(probe));
}

// Tries every version that is new or changed, one deployment at a time.
void Dispatcher::begin_deployment() {
  if (deploying_) return accept_deployment();
  if ((!desired_ && restorations_.empty()) || stopping_) return;
  if (std::ranges::any_of(triggers_,
                          [](const auto& entry) { return entry.second->next_switch.has_value(); }))
    return;

  for (auto& [name, restoration] : std::exchange(restorations_, {})) {
    const auto found = triggers_.find(name);
    if (found != triggers_.end()) probe({name, found->second->version()}, std::move(restoration));
  }
  // A set of scripts comes after what is restored, each on its own.
  deploying_ = !probes_.empty();
  if (deploying_) return accept_deployment();
  if (!desired_) return;

  std::set<TriggerName> kept;
  for (const DesiredScript& script : *desired_) {
    kept.insert(script.name);
    const auto found = triggers_.find(script.name);
    if (found != triggers_.end() && found->second->version().id == script.version.id) {
      found->second->refused.reset();
      // Counted limits and the runtime are part of a run: where they changed, another run begins.
      if (found->second->limits() == options_.limits &&
          found->second->runtime_build == options_.runtime_build)
        continue;
    }
    if (is_refused(script)) continue;
    probe(script, std::nullopt);
  }
  std::erase_if(refused_, [&](const auto& entry) { return !kept.contains(entry.first); });
  removals_.clear();
  for (const auto& [name, trigger] : triggers_) {
    if (!kept.contains(name)) removals_.push_back(name);
  }
  desired_.reset();
  deploying_ = !probes_.empty() || !removals_.empty();
  if (deploying_) accept_deployment();
}

void Dispatcher::accept_deployment() {
  if (!std::ranges::all_of(probes_, [](const Probe& probe) { return probe.loaded || probe.error; }))
    return;
  // One sequence for all of it: nothing at or after it has been handed to any trigger.
  const Sequence at = std::max(newest(), main_).next();
  std::vector<Probe> probes = std::exchange(probes_, {});
  for (Probe& probe : probes) {
    const TriggerName& name = probe.script.name;
    const auto found = triggers_.find(name);
    if (probe.error) {
      leave_slot(probe.worker);
      log_warn("{} is refused: {}:{}: {}", name, probe.error->script, probe.error->line,
               probe.error->text);
      if (found != triggers_.end()) {
        found->second->refused = probe.error;
        found->second->refused_version = probe.script.version.id;
      } else {
        refused_[name] = {*probe.error, now_, probe.script.version.id};
      }
      continue;
    }
    refused_.erase(name);
    if (found == triggers_.end()) {
      start_new(probe, at);
    } else {
      found->second->refused.reset();
      const bool by_replay = probe.restoration && probe.restoration->by_replay;
      if (by_replay && hold_) hold_->through = Sequence{at.value - 1};
      const std::string why = by_replay                                                ? "replay"
                              : probe.restoration                                      ? "restore"
                              : found->second->version().id != probe.script.version.id ? "deploy"
                              : found->second->limits() != options_.limits             ? "limits"
                                                                                       : "upgrade";
      found->second->next_switch = Trigger::Switch{
          at,        probe.script.version, probe.handle, probe.worker,
          probe.run, *probe.loaded,        why,          std::move(probe.restoration)};
      log_info("{} begins run {} at sequence {} ({})", name, probe.run.value, at.value, why);
    }
  }
  for (const TriggerName& name : removals_) {
    const auto found = triggers_.find(name);
    if (found == triggers_.end()) continue;
    found->second->next_switch = Trigger::Switch{at, std::nullopt, {}, 0, {}, {}, "removed"};
    log_info("{} ends at sequence {}: its file is gone", name, at.value);
  }
  removals_.clear();
  deploying_ = false;
}

void Dispatcher::start_new(Probe& probe, Sequence at) {
  const TriggerName& name = probe.script.name;
  Checkpoint checkpoint;
  checkpoint.trigger = name;
  checkpoint.run = probe.run;
  checkpoint.state_sequence = Sequence{at.value - 1};
  checkpoint.state_time = stream_time_.value_or(Time{});
  checkpoint.effects_sequence = checkpoint.state_sequence;
  gate_.waiting().starts.push_back(make_start(name, probe.script.version, probe.run, "deploy",
                                              checkpoint.state_sequence, checkpoint));
  const Json detail = {{"version", probe.script.version.id}};
  gate_.waiting().journal.push_back({name, probe.run, at, "start", canonical_json(detail), now_});

  auto trigger = std::make_unique<Trigger>(name, probe.script.version, options_.limits,
                                           std::move(checkpoint), std::vector<Skip>{});
  trigger->runtime_build = options_.runtime_build;
  trigger->handle = probe.handle;
  trigger->worker = probe.worker;
  trigger->loaded = std::move(*probe.loaded);
  trigger->phase = Trigger::Phase::running;
  handles_of_[trigger->handle] = trigger.get();
  behind_.insert(name);
  triggers_[name] = std::move(trigger);
  router_stale_ = true;
  log_info("{} starts at sequence {}", name, at.value);
}

// Asks for the last memory of versions that have come to their end.
void Dispatcher::advance_switches() {
  for (auto& [name, trigger] : triggers_) {
    if (!trigger->next_switch) continue;
    const Sequence last{trigger->next_switch->at.value - 1};
    if (trigger->phase == Trigger::Phase::failed) {
      // It takes no inputs: its successor goes on from the state that is stored.
      if (std::ranges::none_of(endings_,
                               [&](const Ending& ending) { return ending.name == name; })) {
        end_version(*trigger, trigger->stored());
      }
    } else if (trigger->phase == Trigger::Phase::running && trigger->cursor() == last &&
               trigger->unanswered() == 0 && !trigger->yields() && ending_of(name) == nullptr) {
      trigger->phase = Trigger::Phase::judging;
      act(ToWorker{trigger->worker, JudgeCommand{trigger->handle}});
    }
  }
  const bool replay_is_whole = this->replay_is_whole();
  for (Ending& ending : endings_) {
    if (ending.prepared || ending.migrating) continue;
    const Trigger& trigger = *triggers_.at(ending.name);
    const Trigger::Switch& next = *trigger.next_switch;
    const bool by_replay = next.restoration && next.restoration->by_replay;
    if (by_replay && !replay_is_whole) continue;
    ending.prepared = true;
    if (!next.version) {
      gate_.waiting().removals.push_back(ending.name);
      gate_.waiting().journal.push_back(
          {ending.name, trigger.run(), next.at, "forget", "{}", now_});
      continue;
    }
    if (by_replay) {
      prepare_replayed(ending, next);
    } else {
      prepare_start(ending, trigger, next);
    }
    // What somebody has paused stays so.
    if (const Pause* pause = trigger.open_pause(); pause != nullptr && pause->by_person) {
      ending.pause = *pause;
      ending.pause->from = next.at;
      gate_.waiting().journal.push_back(
          {ending.name, next.run, next.at, "pause", pause_detail(*ending.pause), now_});
    }
  }
}

// The new run goes on with the state that the old one ends with, or with a snapshot's.
void Dispatcher::prepare_start(Ending& ending, const Trigger& before, const Trigger::Switch& next) {
  ending.checkpoint.run = next.run;
  gate_.waiting().starts.push_back(make_start(ending.name, *next.version, next.run, next.why,
                                              ending.checkpoint.state_sequence, ending.checkpoint));
  Json detail = {{"version", next.version->id}, {"before", before.version().id}};
  if (const auto& from = next.restoration) {
    detail["snapshot"] = from->snapshot;
    detail["run"] = from->run.value;
    detail["sequence"] = from->sequence.value;
    detail["why"] = from->why;
  }
  gate_.waiting().journal.push_back({ending.name, next.run, next.at,
                                     next.restoration ? "restore" : "switch",
                                     canonical_json(detail), now_});
}

Dispatcher::Ending* Dispatcher::ending_of(const TriggerName& name) {
  const auto found = std::ranges::find(endings_, name, &Ending::name);
  return found == endings_.end() ? nullptr : &*found;
}

void Dispatcher::end_version(const Trigger& trigger, Checkpoint last) {
  Ending ending{trigger.name(), last, last, false, false, std::nullopt};
  if (const auto& from = trigger.next_switch->restoration; from && !from->by_replay) {
    ending.checkpoint.state = from->state;
    ending.checkpoint.runtime = from->runtime;
  }
  endings_.push_back(std::move(ending));
  begin_migration(endings_.back());
}

// Another version's state goes through the new version's ctx:migrate, if it has one.
void Dispatcher::begin_migration(Ending& ending) {
  Trigger& trigger = *triggers_.at(ending.name);
  Trigger::Switch& next = *trigger.next_switch;
  if (!next.version || next.version->id == next.state_of(trigger.version().id) ||
      ending.checkpoint.state.empty())
    return;
  ending.migrating = true;
  if (slots_[next.worker].up) act(ToWorker{next.worker, UnloadCommand{next.handle}});
  next.handle = new_handle();
  if (slots_[next.worker].up) load_next(trigger);
}

void Dispatcher::load_next(Trigger& trigger) {
  const Trigger::Switch& next = *trigger.next_switch;
  const Ending* ending = ending_of(trigger.name());
  std::optional<Memory> memory;
  std::optional<VersionId> migrate_from;
  if (ending != nullptr && ending->migrating) {
    const Checkpoint& last = ending->checkpoint;
    memory = Memory{last.state_sequence, last.state_time, last.state, last.runtime};
    migrate_from = next.state_of(trigger.version().id);
  }
  send_load(next.worker, next.handle, trigger.name(), next.run, *next.version, options_.limits,
            std::move(memory), std::move(migrate_from));
}

void Dispatcher::refuse_switch(Trigger& trigger, ScriptError error) {
  log_warn("{} is refused: {}:{}: {}", trigger.name(), error.script, error.line, error.text);
  trigger.refused = std::move(error);
  trigger.refused_version = trigger.next_switch->version->id;
  abandon_switch(trigger);
}

// What was to take over cannot: the run before it goes on. The judgement at its end stands in the
// journal as a pause of no length.
void Dispatcher::abandon_switch(Trigger& trigger) {
  const Trigger::Switch next = std::move(*trigger.next_switch);
  trigger.next_switch.reset();
  if (slots_[next.worker].up) act(ToWorker{next.worker, UnloadCommand{next.handle}});
  leave_slot(next.worker);
  const Ending* ending = ending_of(trigger.name());
  if (ending == nullptr) return;
  if (trigger.phase == Trigger::Phase::judging) {
    const Checkpoint& last = ending->last;
    trigger.judged_here(Memory{last.state_sequence, last.state_time, last.state, last.runtime});
    // Within a pause it was judged where that began, and nothing has changed since.
    if (trigger.open_pause() == nullptr) {
      const Json why = {{"why", "no other run took over"}, {"by", "platform"}};
      for (const char* decision : {"pause", "resume"}) {
        gate_.waiting().journal.push_back(
            {trigger.name(), trigger.run(), next.at, decision, canonical_json(why), now_});
      }
      Pause judged;
      judged.from = next.at;
      judged.until = next.at;
      trigger.begin_pause(std::move(judged));
      with_pauses_.insert(trigger.name());
    }
    trigger.phase = Trigger::Phase::running;
    behind_.insert(trigger.name());
  }
  std::erase_if(endings_, [&](const Ending& each) { return each.name == trigger.name(); });
}

// The new runs are stored: they may take their first inputs.
void Dispatcher::finish_endings() {
  std::vector<Ending> finished;
  std::erase_if(endings_, [&](Ending& ending) {
    if (ending.prepared) finished.push_back(std::move(ending));
    return ending.prepared;
  });
  for (Ending& ending : finished) {
    std::unique_ptr<Trigger> old = std::move(triggers_.at(ending.name));
    // All runs of a replay begin in one commit.
    if (old->next_switch->restoration && old->next_switch->restoration->by_replay) hold_.reset();
    triggers_.erase(ending.name);
    behind_.erase(ending.name);
    handles_of_.erase(old->handle);
    if (old->handle.value != 0) {
      if (slots_[old->worker].up) act(ToWorker{old->worker, UnloadCommand{old->handle}});
      leave_slot(old->worker);
    }
    router_stale_ = true;
    Trigger::Switch& next = *old->next_switch;
    if (!next.version) continue;

    auto trigger = std::make_unique<Trigger>(ending.name, std::move(*next.version), options_.limits,
                                             std::move(ending.checkpoint), std::vector<Skip>{});
    trigger->handle = next.handle;
    trigger->worker = next.worker;
    trigger->loaded = std::move(next.loaded);
    if (ending.pause) {
      trigger->begin_pause(std::move(*ending.pause));
      with_pauses_.insert(ending.name);
    }
    trigger->counts = old->counts;
    trigger->runtime_build = options_.runtime_build;
    handles_of_[trigger->handle] = trigger.get();
    Trigger& added = *(triggers_[ending.name] = std::move(trigger));
    if (!slots_[added.worker].up) {
      added.phase = Trigger::Phase::waiting;
    } else if (const auto memory = added.memory()) {
      added.phase = Trigger::Phase::restoring;
      act(ToWorker{added.worker, RestoreCommand{added.handle, *memory, 0}});
    } else {
      added.phase = Trigger::Phase::running;
      behind_.insert(ending.name);
    }
  }
}

}  // namespace hastur
