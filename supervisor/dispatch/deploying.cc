// Dispatcher: what is to be deployed, and whether it loads. settling.cc decides about what does.

#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/stored_run.h"

namespace hastur {
void Dispatcher::desire(std::vector<DesiredScript> scripts) {
  desired_ = std::move(scripts);
  std::ranges::copy(options_.built_in, std::back_inserter(*desired_));
  lease_due_ = stage_ != Stage::connecting;
  work();
}

std::uint64_t Dispatcher::deploy(Deployment deployment) {
  const std::uint64_t ticket = ++newest_ticket_;
  if (deployment.is_whole_set())
    std::ranges::copy(options_.built_in, std::back_inserter(deployment.scripts));
  queued_.emplace_back(ticket, std::move(deployment));
  lease_due_ = stage_ != Stage::connecting;
  work();
  return ticket;
}

// The same files were tried before: they do not load any better now.
bool Dispatcher::is_refused(const DesiredScript& script) const {
  const auto found = triggers_.find(script.name);
  if (found != triggers_.end())
    return found->second->refused && found->second->refused_version == script.version.id;
  const auto refused = refused_.find(script.name);
  return refused != refused_.end() && refused->second.version == script.version.id;
}

bool Dispatcher::runs_as_configured(const Trigger& trigger) const {
  return trigger.limits() == options_.limits && trigger.runtime_build == options_.runtime_build;
}

bool Dispatcher::runs_as_configured() const {
  return std::ranges::all_of(triggers_,
                             [&](const auto& each) { return runs_as_configured(*each.second); });
}

void Dispatcher::probe(DesiredScript script, std::optional<Trigger::Restoration> restoration) {
  Probe probe;
  probe.script = std::move(script);
  probe.handle = new_handle();
  probe.worker = least_loaded();
  probe.restoration = std::move(restoration);
  const TriggerName& name = probe.script.name;
  probe.run = next_run(name);
  ++slots_[probe.worker].triggers;
  if (slots_[probe.worker].up) load_probe(probe);
  probes_.push_back(std::move(probe));
}

void Dispatcher::load_probe(const Probe& probe) {
  std::optional<VersionId> migrate_from;
  if (probe.memory) migrate_from = probe.before->version;
  send_load(probe.worker, probe.handle, probe.script.name, probe.run, probe.script.version,
            options_.limits, probe.memory, std::move(migrate_from), probe.warm);
}

bool Dispatcher::is_built_in(const TriggerName& name) const {
  return std::ranges::find(options_.built_in, name, &DesiredScript::name) !=
         options_.built_in.end();
}

// Tries every version that is new or changed, one deployment at a time.
void Dispatcher::begin_deployment() {
  if (deploying_) return deploying_->at ? settle_deployment() : accept_deployment();
  if (stopping_) return;
  if (const auto next = next_to_begin(); next != queued_.end()) {
    if (waits_for_lease(next->second)) return;
    auto [ticket, deployment] = std::move(*next);
    queued_.erase(next);
    begin(ticket, std::move(deployment));
  } else if (queued_.empty() && desired_) {
    Deployment directory{.kind = DeploymentKind::directory, .scripts = *std::move(desired_)};
    desired_.reset();
    if (waits_for_switch(directory) || waits_for_lease(directory)) {
      desired_ = std::move(directory.scripts);
    } else {
      begin(0, std::move(directory));
    }
  }
}

// Whole sets keep their order. What is about single triggers comes before one that waits, if that
// leaves them as they are.
Dispatcher::Queue::iterator Dispatcher::next_to_begin() {
  for (auto each = queued_.begin(); each != queued_.end(); ++each) {
    const Deployment& deployment = each->second;
    const bool overtakes = std::none_of(queued_.begin(), each, [&](const auto& earlier) {
      return deployment.is_whole_set() ||
             std::ranges::any_of(deployment.scripts, [&](const DesiredScript& script) {
               return begins_run_of(earlier.second, script.name);
             });
    });
    if (overtakes && !waits_for_switch(deployment)) return each;
  }
  return queued_.end();
}

// A trigger that is far behind comes to its switch late. Only what changes it again waits for that.
bool Dispatcher::waits_for_switch(const Deployment& deployment) const {
  return std::ranges::any_of(triggers_, [&](const auto& entry) {
    const auto& [name, trigger] = entry;
    const auto& next = trigger->next_switch;
    return next && (would_change(deployment, name) ||
                    (!next->as.empty() && would_change(deployment, next->as)));
  });
}

// Whether it wants something else of the trigger than what has been decided. What is about single
// triggers always does.
bool Dispatcher::would_change(const Deployment& deployment, const TriggerName& name) const {
  if (deployment.is_refused) return false;
  const auto script = std::ranges::find(deployment.scripts, name, &DesiredScript::name);
  const bool is_listed = script != deployment.scripts.end();
  if (!deployment.is_whole_set()) return is_listed;
  if (stays_pinned(name, is_listed ? &script->version.script : nullptr)) return false;
  const ScriptVersion* decided = decided_version(name);
  if (!is_listed || decided == nullptr) return is_listed || decided != nullptr;
  const auto runs = triggers_.find(name);
  const bool stays = runs != triggers_.end() && !runs->second->next_switch;
  return script->version.id != decided->id || (stays && !runs_as_configured(*runs->second));
}

// A trial leaves everything as it is.
bool Dispatcher::begins_run_of(const Deployment& deployment, const TriggerName& name) const {
  return !deployment.is_trial && would_change(deployment, name);
}

// The trigger that goes on under this name when it has come to its switch; null: none does.
const Trigger* Dispatcher::renamed_to(const TriggerName& name) const {
  for (const auto& [before, trigger] : triggers_) {
    if (trigger->next_switch && trigger->next_switch->as == name) return trigger.get();
  }
  return nullptr;
}

// What runs under the name when all that is decided has come to its switch; null: nothing does.
const ScriptVersion* Dispatcher::decided_version(const TriggerName& name) const {
  if (const Trigger* before = renamed_to(name)) return &*before->next_switch->version;
  const auto found = triggers_.find(name);
  if (found == triggers_.end()) return nullptr;
  const auto& next = found->second->next_switch;
  if (!next) return &found->second->version();
  return next->version && next->as.empty() ? &*next->version : nullptr;
}

// The lease tells which runs of its names the stream has messages of: those of a new trigger are
// numbered behind them. Without a syndicator that answers it begins nevertheless.
bool Dispatcher::waits_for_lease(const Deployment& deployment) {
  const bool is_known = std::ranges::all_of(deployment.scripts, [&](const DesiredScript& script) {
    return triggers_.contains(script.name) || gate_.has_lease_of(script.name);
  });
  if (!is_known && !waits_for_lease_since_) waits_for_lease_since_ = monotonic_;
  if (!is_known && monotonic_ - *waits_for_lease_since_ < options_.answer_max) return true;
  waits_for_lease_since_.reset();
  return false;
}

// What a trigger runs once it has come to its switch.
const ScriptVersion& Dispatcher::coming_version(const Trigger& trigger) {
  const auto& next = trigger.next_switch;
  return next && next->version ? *next->version : trigger.version();
}

void Dispatcher::begin(std::uint64_t ticket, Deployment deployment) {
  deploying_.emplace();
  deploying_->ticket = ticket;
  DeploymentRecord& record = deploying_->record;
  record.kind = deployment.kind;
  record.commit = deployment.commit;
  record.author = deployment.author;
  record.subject = deployment.subject;
  const bool has_why = deployment.report.empty() && !deployment.is_whole_set();
  record.report = has_why ? deployment.why : deployment.report;
  deploying_->wanted = std::move(deployment);
  const Deployment& wanted = deploying_->wanted;
  if (wanted.is_refused) {
    record.id = ++newest_deployment_;
    return store_deployment();
  }

  std::set<TriggerName> kept;
  for (const DesiredScript& script : wanted.scripts) {
    const TriggerName& name = script.name;
    kept.insert(name);
    // It is decided so, or this would have waited.
    if (renamed_to(name) != nullptr) continue;
    const auto found = triggers_.find(name);
    const bool runs = found != triggers_.end();
    const bool stays = wanted.is_whole_set() && keep_pinned(name, &script.version.script);
    const ScriptVersion& version = stays ? coming_version(*found->second) : script.version;
    if (wanted.pins()) {
      deploying_->pins.push_back({name, version.id, file_of(name), 0, wanted.why, now_});
    }
    if (wanted.by_replay) {
      Trigger::Restoration replayed;
      replayed.run = found->second->run();
      replayed.version = version.id;
      replayed.by_replay = true;
      probe({name, version, std::nullopt}, std::move(replayed));
      continue;
    }
    if (runs && found->second->next_switch) continue;
    if (runs && found->second->version().id == version.id && !wanted.restoration) {
      if (!stays && !wanted.is_trial) found->second->refused.reset();
      // Counted limits and the runtime are part of a run: where they changed, another run begins.
      if (runs_as_configured(*found->second)) continue;
    }
    if (!deploying_->is_whole() && is_refused(script)) continue;
    probe({name, version, stays ? std::nullopt : script.warm}, wanted.restoration);
  }
  if (wanted.is_whole_set()) {
    if (!wanted.is_trial)
      std::erase_if(refused_, [&](const auto& entry) { return !kept.contains(entry.first); });
    for (const auto& [name, trigger] : triggers_) {
      if (trigger->next_switch || kept.contains(name)) continue;
      if (!keep_pinned(name, nullptr)) deploying_->removals.push_back(name);
    }
  }
  accept_deployment();
}

std::optional<Dispatcher::Predecessor> Dispatcher::predecessor(const Probe& probe) {
  const TriggerName& name = probe.script.name;
  const auto memory = [](const Checkpoint& at) {
    return Memory{at.state_sequence, at.state_time, at.state, at.runtime};
  };
  if (const auto same = triggers_.find(name); same != triggers_.end()) {
    const Trigger& trigger = *same->second;
    Predecessor before{name, trigger.version().id, trigger.run(), memory(trigger.stored()), true};
    if (const auto& from = probe.restoration) {
      before.version = from->version;
      before.memory.state = from->state;
      before.memory.runtime = from->runtime;
    }
    return before;
  }
  for (const TriggerName& was : probe.loaded->was) {
    if (deploying_->claimed.contains(was) || renamed_to(was) != nullptr) continue;
    const auto ends = triggers_.find(was);
    if (ends != triggers_.end()) {
      if (std::ranges::find(deploying_->removals, was) == deploying_->removals.end()) continue;
      deploying_->claimed.insert(was);
      const Trigger& trigger = *ends->second;
      return Predecessor{was, trigger.version().id, trigger.run(), memory(trigger.stored()), true};
    }
    const auto removed = store_.load_removed(was);
    if (!removed || !*removed || (*removed)->checkpoint.state.empty()) continue;
    const auto end = end_of(store_, **removed);
    if (!end || !end->heir.empty()) continue;
    deploying_->claimed.insert(was);
    const RunRecord& run = (*removed)->run;
    return Predecessor{was, run.version, run.run, memory((*removed)->checkpoint), false, end->at};
  }
  return std::nullopt;
}

// Its author meant it to go on from another one.
void Dispatcher::note_empty_was(const Probe& probe) {
  if (probe.loaded->was.empty()) return;
  std::string names;
  for (const TriggerName& was : probe.loaded->was)
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", was, why_not_taken(was));
  const std::string note = fmt::format(
      "{} begins anew: its ctx:was finds nothing to take over ({})", probe.script.name, names);
  if (!deploying_->wanted.is_trial) log_info("{}", note);
  deploying_->notes += note + "\n";
}

std::string Dispatcher::why_not_taken(const TriggerName& was) const {
  const auto found = triggers_.find(was);
  const auto* next = found != triggers_.end() && found->second->next_switch
                         ? &*found->second->next_switch
                         : nullptr;
  if (deploying_->claimed.contains(was) || (next != nullptr && !next->as.empty()))
    return "is taken over by another";
  if (next != nullptr && !next->version) return "has yet to come to its end";
  if (found != triggers_.end() || renamed_to(was) != nullptr) return "goes on running";
  if (const auto removed = store_.load_removed(was); removed && *removed) {
    const auto end = end_of(store_, **removed);
    if (end && !end->heir.empty()) return fmt::format("went on as {}", end->heir);
  }
  return "has left no state";
}

// Loads each version again with what it will take over, so that one whose ctx:migrate cannot
// convert it is refused before anything has changed. True if some are under way.
bool Dispatcher::try_with_memory() {
  bool under_way = false;
  for (Probe& probe : probes_) {
    if (probe.error || std::exchange(probe.is_tried, true)) continue;
    probe.before = predecessor(probe);
    if (!probe.before) note_empty_was(probe);
    const bool has_memory = probe.before && !probe.before->memory.state.empty();
    const bool is_live = probe.before && probe.before->is_live;
    // Of one that runs it is known at the switch with what they begin.
    if (!is_live) probe.warm = warm_helpers(probe.script.warm, stream_time_);
    const bool converts = has_memory && probe.before->version != probe.script.version.id;
    if (!converts && !probe.warm) continue;
    // A script of a directory that cannot migrate is refused when its trigger comes to the switch.
    if (is_live && !deploying_->is_whole()) continue;
    if (has_memory) probe.memory = probe.before->memory;
    probe.loaded.reset();
    if (slots_[probe.worker].up) act(ToWorker{probe.worker, UnloadCommand{probe.handle}});
    probe.handle = new_handle();
    if (slots_[probe.worker].up) load_probe(probe);
    under_way = true;
  }
  return under_way;
}

void Dispatcher::accept_deployment() {
  if (!std::ranges::all_of(probes_, [](const Probe& probe) { return probe.loaded || probe.error; }))
    return;
  if (try_with_memory()) return;
  if (deploying_->wanted.is_trial) return end_trial();
  deploying_->record.report += deploying_->notes;
  const auto failed = [](const Probe& probe) { return probe.error.has_value(); };
  deploying_->record.id = ++newest_deployment_;
  if (deploying_->is_whole() && std::ranges::any_of(probes_, failed)) {
    drop_probes();
    return store_deployment();
  }
  begin_switches();
}

void Dispatcher::refuse(Probe& probe) {
  const TriggerName& name = probe.script.name;
  leave_slot(probe.worker);
  tell_refusal(name, *probe.error);
  // Of a whole deployment nothing is taken, and the reason stands in its report.
  if (deploying_->is_whole()) return;
  const auto found = triggers_.find(name);
  if (found != triggers_.end()) {
    found->second->refused = probe.error;
    found->second->refused_version = probe.script.version.id;
    found->second->refused_file = file_id(probe.script.version.script);
  } else {
    refused_[name] = {*probe.error, now_, probe.script.version.id};
  }
}

void Dispatcher::tell_refusal(const TriggerName& name, const ScriptError& error) {
  const std::string text = fmt::format("{} is refused: {}", name, told(error));
  log_warn("{}", text);
  deploying_->record.report += text + "\n";
}

void Dispatcher::drop_probes() {
  for (Probe& probe : std::exchange(probes_, {})) {
    if (probe.error) {
      refuse(probe);
    } else {
      if (slots_[probe.worker].up) act(ToWorker{probe.worker, UnloadCommand{probe.handle}});
      leave_slot(probe.worker);
    }
  }
}

// What is told of it is what was refused.
void Dispatcher::end_trial() {
  deploying_->record.report.clear();
  drop_probes();
  act(Deployed{deploying_->ticket, std::move(deploying_->record), std::move(deploying_->notes)});
  deploying_.reset();
}

// A folder that is read and holds nothing new is no deployment, and of a replay the journal tells.
void Dispatcher::store_deployment() {
  DeploymentRecord& record = deploying_->record;
  const bool is_told =
      !deploying_->wanted.by_replay &&
      (deploying_->is_whole() || !record.changes.empty() || !record.report.empty());
  record.decided_at = now_;
  std::ranges::sort(record.changes, {}, &DeploymentChange::trigger);
  if (is_told) {
    if (deploying_->ticket > 0) tickets_.emplace(record.id, deploying_->ticket);
    gate_.waiting().deployments.push_back(std::move(record));
  } else {
    --newest_deployment_;
  }
  deploying_.reset();
}

}  // namespace hastur
