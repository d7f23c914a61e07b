// Dispatcher: a version giving way to the next, between two inputs.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "trigger-runtime/protocol/stand_still.h"

namespace hastur {

Run Dispatcher::next_run(const TriggerName& name) const {
  Run last = store_.newest_run(name);
  if (const auto elsewhere = last_runs_.find(name); elsewhere != last_runs_.end())
    last = std::max(last, elsewhere->second);
  return Run{last.value + 1};
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
      act(ToWorker{trigger->worker, JudgeCommand{trigger->handle, true}});
    }
  }
  const bool replay_is_whole = this->replay_is_whole();
  for (Ending& ending : endings_) {
    const Trigger& trigger = *triggers_.at(ending.name);
    const Trigger::Switch& next = *trigger.next_switch;
    if (ending.prepared || ending.migrating || !next.is_loaded || is_being_settled(next)) continue;
    const bool by_replay = next.restoration && next.restoration->by_replay;
    if (by_replay && !replay_is_whole) continue;
    ending.prepared = true;
    const TriggerName& name = next.as.empty() ? ending.name : next.as;
    if (next.deployment > 0) {
      gate_.waiting().outcomes.push_back({next.deployment, name, next.version ? "live" : "gone"});
    }
    if (name != ending.name || !next.version) {
      const Json detail = next.version ? Json{{"heir", name}} : Json::object();
      gate_.waiting().removals.push_back(ending.name);
      gate_.waiting().journal.push_back(
          {ending.name, trigger.run(), next.at, "forget", canonical_json(detail), now_});
    }
    if (!next.version) continue;
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
          {name, next.run, next.at, "pause", pause_detail(*ending.pause), now_});
    }
  }
}

// The next version, if there is one, is not loaded yet.
void Dispatcher::await_switch(Trigger& trigger, Trigger::Switch next) {
  if (next.version) {
    next.is_loaded = false;
    next.handle = new_handle();
    next.worker = least_loaded();
    ++slots_[next.worker].triggers;
  }
  trigger.next_switch = std::move(next);
  if (trigger.next_switch->version && slots_[trigger.next_switch->worker].up) load_next(trigger);
}

// The new run goes on with the state that the old one ends with, or with a snapshot's.
void Dispatcher::prepare_start(Ending& ending, const Trigger& before, const Trigger::Switch& next) {
  const TriggerName& name = next.as.empty() ? ending.name : next.as;
  ending.checkpoint.trigger = name;
  ending.checkpoint.run = next.run;
  gate_.waiting().starts.push_back(make_start(name, *next.version, next.run, next.why,
                                              ending.checkpoint.state_sequence, ending.checkpoint));
  if (before.left_behind) {
    // What it goes on with may be older than the stored position, which waits for it from here on.
    ending.left_behind = std::max(main_, ending.checkpoint.state_sequence.next());
    gate_.waiting().journal.push_back(behind_record(name, next.run, *ending.left_behind));
  }
  Json detail = {{"version", next.version->id}, {"before", before.version().id}};
  if (name != ending.name) detail["was"] = ending.name;
  if (const auto& from = next.restoration) {
    detail["snapshot"] = from->snapshot;
    detail["run"] = from->run.value;
    detail["sequence"] = from->sequence.value;
    detail["why"] = from->why;
  }
  if (ending.warm) detail["warm"] = warm_json(*ending.warm);
  gate_.waiting().journal.push_back({name, next.run, next.at,
                                     next.restoration ? "restore" : "switch",
                                     canonical_json(detail), now_});
}

Dispatcher::Ending* Dispatcher::ending_of(const TriggerName& name) {
  const auto found = std::ranges::find(endings_, name, &Ending::name);
  return found == endings_.end() ? nullptr : &*found;
}

void Dispatcher::end_version(const Trigger& trigger, Checkpoint last) {
  Ending ending;
  ending.name = trigger.name();
  ending.last = ending.checkpoint = std::move(last);
  // One that failed left inputs to its successor whose effects, in part, are out already.
  if (ending.checkpoint.state_sequence < ending.checkpoint.effects_sequence)
    ending.checkpoint.effects_hash = effects_not_compared;
  if (const auto& from = trigger.next_switch->restoration; from && !from->by_replay) {
    ending.checkpoint.state = from->state;
    // What came since then it has not heard.
    ending.checkpoint.runtime = stood_still(from->runtime, from->time);
  }
  endings_.push_back(std::move(ending));
  begin_migration(endings_.back());
}

// Another version's state goes through the new version's ctx:migrate, if it has one.
void Dispatcher::begin_migration(Ending& ending) {
  Trigger& trigger = *triggers_.at(ending.name);
  Trigger::Switch& next = *trigger.next_switch;
  if (!next.version) return;
  const Checkpoint& last = ending.checkpoint;
  const bool converts =
      next.version->id != next.state_of(trigger.version().id) && !last.state.empty();
  // One that failed ended before they did. The state may be a good deal older than the switch.
  if (trigger.phase != Trigger::Phase::failed && next.decided_at)
    ending.warm = warm_helpers(next.warm, std::max(*next.decided_at, last.state_time));
  if (!converts && !ending.warm) return;
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
  std::optional<WarmHelpers> warm;
  if (ending != nullptr && ending->migrating) {
    const Checkpoint& last = ending->checkpoint;
    if (!last.state.empty()) {
      memory = Memory{last.state_sequence, last.state_time, last.state, last.runtime};
      migrate_from = next.state_of(trigger.version().id);
    }
    warm = ending->warm;
  }
  const TriggerName& name = next.as.empty() ? trigger.name() : next.as;
  send_load(next.worker, next.handle, name, next.run, *next.version, options_.limits,
            std::move(memory), std::move(migrate_from), std::move(warm));
}

void Dispatcher::refuse_switch(Trigger& trigger, ScriptError error) {
  const TriggerName name =
      trigger.next_switch->as.empty() ? trigger.name() : trigger.next_switch->as;
  if (is_being_settled(*trigger.next_switch)) {
    tell_refusal(name, error);
    return call_off_deployment();
  }
  log_warn("{} is refused: {}", name, told(error));
  if (const std::uint64_t deployment = trigger.next_switch->deployment; deployment > 0) {
    gate_.waiting().outcomes.push_back({deployment, name, "refused: " + told(error)});
  }
  const ScriptVersion& refused = *trigger.next_switch->version;
  const VersionId version = refused.id;
  if (name == trigger.name()) {
    trigger.refused = std::move(error);
    trigger.refused_version = version;
    trigger.refused_file = file_id(refused.script);
  } else {
    refused_[name] = {std::move(error), now_, version};
  }
  abandon_switch(trigger);
}

// What was to take over cannot: the run before it goes on. The judgement at its end stands in the
// journal as a pause of no length.
void Dispatcher::abandon_switch(Trigger& trigger) {
  const Trigger::Switch next = std::move(*trigger.next_switch);
  trigger.next_switch.reset();
  if (next.version) {
    if (slots_[next.worker].up) act(ToWorker{next.worker, UnloadCommand{next.handle}});
    leave_slot(next.worker);
  }
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
  runs_ended_ += finished.size();
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

    const TriggerName& name = next.as.empty() ? ending.name : next.as;
    auto trigger = std::make_unique<Trigger>(name, std::move(*next.version), options_.limits,
                                             std::move(ending.checkpoint), std::vector<Skip>{});
    trigger->handle = next.handle;
    trigger->worker = next.worker;
    trigger->loaded = std::move(next.loaded);
    if (ending.pause) {
      trigger->begin_pause(std::move(*ending.pause));
      with_pauses_.insert(name);
    }
    trigger->counts = old->counts;
    trigger->runtime_build = options_.runtime_build;
    trigger->left_behind = ending.left_behind;
    handles_of_[trigger->handle] = trigger.get();
    Trigger& added = *(triggers_[name] = std::move(trigger));
    if (!slots_[added.worker].up) {
      added.phase = Trigger::Phase::waiting;
    } else if (const auto memory = added.memory()) {
      added.phase = Trigger::Phase::restoring;
      act(ToWorker{added.worker, RestoreCommand{added.handle, *memory, 0}});
    } else {
      added.phase = Trigger::Phase::running;
      behind_.insert(name);
    }
  }
}

}  // namespace hastur
