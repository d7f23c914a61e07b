#pragma once

// Commits written as a test reads, and a store told as text, so that two can be compared.

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "state/checkpoint_store.h"

namespace hastur {

// Fields that a test does not name follow from those it does: a state's time is its sequence in
// seconds.
class CommitBuilder {
 public:
  // Run `run` of the trigger starts after `after`, with the version "v-TRIGGER-RUN".
  CommitBuilder& start(const TriggerName& trigger, std::uint64_t run, std::uint64_t after,
                       const std::string& state = "{}") {
    const VersionId version = fmt::format("v-{}-{}", trigger, run);
    const std::string script = fmt::format("-- {} {}", trigger, run);
    RunStart start;
    start.version = VersionRecord{
        version, trigger, {{trigger + ".lua", script}, {"lib/pages.lua", "return {} -- shared"}}};
    start.run = {trigger,     {run},    version, "{\"instructions_max\":5000000}",
                 "runtime-1", "deploy", {after}, time(after)};
    start.checkpoint = make_checkpoint(trigger, run, after, after, state, 0);
    batch_.starts.push_back(std::move(start));
    return *this;
  }
  // Effects are complete up to the state unless `effects` says further.
  CommitBuilder& checkpoint(const TriggerName& trigger, std::uint64_t run, std::uint64_t sequence,
                            const std::string& state, std::uint64_t effects = 0,
                            std::uint64_t hash = 0) {
    batch_.checkpoints.push_back(
        make_checkpoint(trigger, run, sequence, std::max(sequence, effects), state, hash));
    return *this;
  }
  CommitBuilder& effects(const TriggerName& trigger, std::uint64_t run, std::uint64_t sequence,
                         std::uint64_t hash = 0) {
    batch_.marks.push_back({trigger, {run}, {sequence}, hash});
    return *this;
  }
  CommitBuilder& message(const TriggerName& trigger, std::uint64_t run, std::uint64_t sequence,
                         std::uint32_t ordinal = 0) {
    batch_.messages.push_back(
        {trigger,
         {run},
         {sequence},
         ordinal,
         1,
         fmt::format("{{\"from\":\"{}/{}/{}/{}\"}}", trigger, run, sequence, ordinal)});
    return *this;
  }
  // Keyless unless a key is given; its channel is "ops".
  CommitBuilder& notification(const TriggerName& trigger, std::uint64_t run, std::uint64_t sequence,
                              NotificationStatus status = NotificationStatus::recorded,
                              const std::string& key = "",
                              NotificationAction action = NotificationAction::trigger) {
    NotificationRecord record;
    record.trigger = trigger;
    record.run = {run};
    record.sequence = {sequence};
    record.time = time(sequence);
    record.payload = "{\"kind\":\"page\"}";
    record.status = status;
    record.reason = "mode is record";
    record.channel = "ops";
    record.key = key;
    record.action = action;
    batch_.notifications.push_back(std::move(record));
    return *this;
  }
  CommitBuilder& change(std::uint64_t id, NotificationStatus status,
                        std::optional<Time> sent_at = std::nullopt) {
    batch_.notification_changes.push_back({id, status, "changed", sent_at});
    return *this;
  }
  CommitBuilder& log(const TriggerName& trigger, std::uint64_t sequence, const std::string& text) {
    batch_.logs.push_back(
        {trigger, {sequence}, time(sequence), "error", text, trigger + ".lua", 7});
    return *this;
  }
  CommitBuilder& journal(const TriggerName& trigger, std::uint64_t run, std::uint64_t sequence,
                         const std::string& decision, const std::string& detail = "{}") {
    batch_.journal.push_back({trigger, {run}, {sequence}, decision, detail, time(sequence)});
    return *this;
  }
  // A deployment of the commit "c-ID" at `sequence` (0: refused), which gives each trigger the
  // version "d-TRIGGER-ID" as its run ID.
  CommitBuilder& deployment(std::uint64_t id, std::uint64_t sequence,
                            const std::vector<TriggerName>& triggers) {
    DeploymentRecord record;
    record.id = id;
    record.kind = DeploymentKind::commit;
    record.commit = fmt::format("c-{}", id);
    record.author = "Ada";
    record.subject = "a change";
    record.report = "all good";
    record.decided_at = time(sequence);
    if (sequence > 0) record.sequence = Sequence{sequence};
    for (const TriggerName& trigger : triggers) {
      const VersionId version = fmt::format("d-{}-{}", trigger, id);
      record.changes.push_back({trigger, "", version, {0}, {id}, "deploy", "", 0, ""});
      batch_.versions.push_back(
          {version, trigger, {{trigger + ".lua", fmt::format("-- deployed {}", id)}}});
    }
    batch_.deployments.push_back(std::move(record));
    return *this;
  }
  CommitBuilder& outcome(std::uint64_t deployment, const TriggerName& trigger,
                         const std::string& outcome) {
    batch_.outcomes.push_back({deployment, trigger, outcome});
    return *this;
  }
  CommitBuilder& replay(std::uint64_t deployment, const std::string& replay) {
    batch_.replays.push_back({deployment, replay});
    return *this;
  }
  CommitBuilder& pin(const TriggerName& trigger, const VersionId& version,
                     std::uint64_t deployment) {
    batch_.pins.push_back({trigger, version, "v-file", deployment, "it was worse", time(1)});
    return *this;
  }
  CommitBuilder& unpin(const TriggerName& trigger) {
    batch_.unpins.push_back(trigger);
    return *this;
  }
  CommitBuilder& remove(const TriggerName& trigger) {
    batch_.removals.push_back(trigger);
    return *this;
  }
  CommitBuilder& position(std::uint64_t sequence) {
    batch_.position = Sequence{sequence};
    return *this;
  }

  CommitBatch& batch() { return batch_; }
  // Commits what was built; the builder then holds the batch as commit() left it.
  Result<void> into(CheckpointStore& store) { return store.commit(batch_); }

  static Time time(std::uint64_t sequence) {
    return time_from_us(static_cast<std::int64_t>(sequence) * us_per_second);
  }

 private:
  static Checkpoint make_checkpoint(const TriggerName& trigger, std::uint64_t run,
                                    std::uint64_t sequence, std::uint64_t effects,
                                    const std::string& state, std::uint64_t hash) {
    return {trigger, {run}, {sequence}, time(sequence), state, "{\"ticks\":1}", {effects}, hash};
  }

  CommitBatch batch_;
};

inline std::string describe(const StoredTrigger& stored) {
  const Checkpoint& at = stored.checkpoint;
  std::string text = fmt::format(
      "trigger {} run {} version {} why {} after {} limits {} runtime {} started {}\n",
      stored.run.trigger, stored.run.run.value, stored.run.version, stored.run.why,
      stored.run.after.value, stored.run.limits, stored.run.runtime, to_us(stored.run.started_at));
  text += fmt::format("  state {} at {} time {} runtime {} effects {} hash {}\n", at.state,
                      at.state_sequence.value, to_us(at.state_time), at.runtime,
                      at.effects_sequence.value, at.effects_hash);
  for (const JournalRecord& record : stored.journal) {
    text += fmt::format("  {} at {} run {} detail {} decided {}\n", record.decision,
                        record.sequence.value, record.run.value, record.detail,
                        to_us(record.decided_at));
  }
  return text;
}

// Everything that can be read from a store but its owner, in lines. An error of a read is in it as
// text.
inline std::string describe(CheckpointStore& store) {
  std::string text =
      fmt::format("epoch {} position {} stream {}\n", store.epoch().value, store.position().value,
                  store.stream() ? store.stream()->to_string() : "none");
  const auto triggers = store.load_all();
  if (!triggers) return triggers.error().message;
  for (const StoredTrigger& trigger : *triggers) {
    text += describe(trigger);
    const auto logs = store.logs(trigger.run.trigger, CheckpointStore::logs_max);
    if (!logs) return logs.error().message;
    for (const LogRecord& log : *logs) {
      text += fmt::format("  {} at {} time {}: {} ({}:{})\n", log.kind, log.sequence.value,
                          to_us(log.time), log.text, log.script, log.line);
    }
    const auto version = store.version(trigger.run.version);
    if (!version) return version.error().message;
    if (!*version) text += "  its version is not stored\n";
    if (*version) {
      for (const SourceFile& file : (*version)->files)
        text += fmt::format("  file {}: {}\n", file.path, file.text);
    }
  }
  const auto messages = store.outbox(0, store.outbox_size());
  if (!messages) return messages.error().message;
  for (const OutboxMessage& message : *messages) {
    text += fmt::format("message {} {} {} {} depth {} {}\n", message.trigger, message.run.value,
                        message.sequence.value, message.ordinal, message.depth, message.payload);
  }
  const auto notifications =
      store.notifications({.since = {}, .status = {}, .trigger = {}, .max = 1'000'000});
  if (!notifications) return notifications.error().message;
  const auto us = [](const std::optional<Time>& at) { return at ? to_us(*at) : 0; };
  for (const NotificationRecord& record : *notifications) {
    text +=
        fmt::format("notification {} {} {} {} {} time {} {} {} to {} {} {} at {}: {}\n", record.id,
                    record.trigger, record.run.value, record.sequence.value, record.ordinal,
                    to_us(record.time), status_name(record.status), record.reason, record.channel,
                    action_name(record.action), record.key, us(record.sent_at), record.payload);
  }
  const auto incidents = store.incidents({.trigger = {}, .closed_too = true, .max = 1'000'000});
  if (!incidents) return incidents.error().message;
  for (const Incident& incident : *incidents) {
    text += fmt::format("incident {} {} {} {} {} opened {} changed {} sent {} told {} {} {}\n",
                        incident.number, incident.trigger, incident.channel, incident.key,
                        incident_state_name(incident.state), to_us(incident.opened),
                        to_us(incident.changed), us(incident.last_sent), incident.told_open,
                        incident.newest_trigger, incident.newest);
  }
  const auto deployments = store.deployments({.max = 1'000'000});
  if (!deployments) return deployments.error().message;
  for (const DeploymentRecord& record : *deployments) {
    text += fmt::format("deployment {} {} {} by {} \"{}\" decided {} at {} replay '{}': {}\n",
                        record.id, deployment_kind_name(record.kind), record.commit, record.author,
                        record.subject, to_us(record.decided_at),
                        record.sequence ? record.sequence->value : 0, record.replay, record.report);
    for (const DeploymentChange& change : record.changes) {
      const auto version = store.version(change.version);
      if (!version) return version.error().message;
      text += fmt::format("  {} {} run {} to {} run {} {} was '{}' snapshot {} outcome '{}': {}\n",
                          change.trigger, change.before, change.run_before.value, change.version,
                          change.run.value, change.why, change.was, change.snapshot, change.outcome,
                          *version ? (*version)->files[0].text : "no files");
    }
  }
  const auto pins = store.pins();
  if (!pins) return pins.error().message;
  for (const Pin& pin : *pins) {
    text += fmt::format("pin {} {} over {} by {} since {}: {}\n", pin.trigger, pin.version,
                        pin.file, pin.deployment, to_us(pin.since), pin.why);
  }
  for (const StoredTrigger& trigger : *triggers) {
    const auto snapshots = store.snapshots(trigger.run.trigger);
    if (!snapshots) return snapshots.error().message;
    for (const SnapshotRecord& record : *snapshots) {
      const auto whole = store.snapshot(record.number);
      text +=
          fmt::format("snapshot {} {} {} {} time {} bytes {} {}: {}\n", record.number,
                      record.trigger, record.run.value, record.sequence.value, to_us(record.time),
                      record.bytes, record.why, whole && *whole ? (*whole)->state : "missing");
    }
  }
  return text;
}

}  // namespace hastur
