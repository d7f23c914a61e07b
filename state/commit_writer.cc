#include "state/commit_writer.h"

#include <fmt/format.h>

#include <set>

#include "core/hash.h"
#include "message/message.h"

namespace hastur {

Result<void> CommitWriter::write(const CommitBatch& batch, std::uint64_t first_outbox_id) {
  HASTUR_TRY(write_triggers());
  const StartedRuns started(batch);
  HASTUR_TRY(write_checkpoints(batch, started, false));
  HASTUR_TRY(write_starts(batch));
  HASTUR_TRY(write_checkpoints(batch, started, true));
  HASTUR_TRY(write_messages(batch, first_outbox_id));
  HASTUR_TRY(write_notifications(batch));
  HASTUR_TRY(write_logs(batch));
  HASTUR_TRY(write_journal(batch));
  HASTUR_TRY(write_deployments(batch));
  for (const TriggerName& name : batch.removals) HASTUR_TRY(end_run(name, Sequence{}));
  if (batch.position)
    HASTUR_TRY(database_.run("UPDATE meta SET position = ?1", batch.position->value));
  return {};
}

Result<void> CommitWriter::write_deployments(const CommitBatch& batch) {
  for (const VersionRecord& version : batch.versions) HASTUR_TRY(write_version(version));
  for (const DeploymentRecord& record : batch.deployments) HASTUR_TRY(deployments_.put(record));
  for (const DeploymentOutcome& outcome : batch.outcomes) HASTUR_TRY(deployments_.put(outcome));
  for (const DeploymentReplay& replay : batch.replays) HASTUR_TRY(deployments_.put(replay));
  for (const TriggerName& name : batch.unpins) HASTUR_TRY(deployments_.unpin(name));
  for (const Pin& pin : batch.pins) HASTUR_TRY(deployments_.put(pin));
  return {};
}

// Only what is new or runs differently: a checkpoint leaves the table alone.
Result<void> CommitWriter::write_triggers() {
  for (const auto& [name, head] : change_) {
    const TriggerHead* before = heads_.find(name);
    if (before != nullptr && before->run == head.run && before->live == head.live) continue;
    HASTUR_TRY(
        database_.run("INSERT INTO trigger(number, name, run, live) VALUES (?1, ?2, ?3, ?4) "
                      "ON CONFLICT(number) DO UPDATE SET run = excluded.run, live = excluded.live",
                      head.number, name, head.run.value, head.live));
  }
  return {};
}

Result<void> CommitWriter::write_checkpoints(const CommitBatch& batch, const StartedRuns& started,
                                             bool after_starts) {
  for (const Checkpoint& checkpoint : batch.checkpoints) {
    if (started.has(checkpoint) != after_starts) continue;
    HASTUR_TRY(write_checkpoint(checkpoint));
    if (heads_.keeps_snapshot(change_, checkpoint)) {
      HASTUR_TRY(snapshots_.keep(number(checkpoint.trigger), "cadence"));
    }
  }
  for (const EffectsMark& mark : batch.marks) {
    if (started.has(mark) != after_starts) continue;
    HASTUR_TRY(database_.run(
        "UPDATE checkpoint SET epoch = ?2, effects_sequence = ?3, effects_hash = ?4 WHERE trigger "
        "= ?1",
        number(mark.trigger), epoch_.value, mark.effects_sequence.value, mark.effects_hash));
  }
  return {};
}

// REPLACE by rowid does not read the old row, however big it is.
Result<void> CommitWriter::write_checkpoint(const Checkpoint& checkpoint) {
  const std::uint64_t trigger = number(checkpoint.trigger);
  HASTUR_TRY(database_.run(
      "REPLACE INTO checkpoint(trigger, run, epoch, state_sequence, state_time, effects_sequence, "
      "effects_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      trigger, checkpoint.run.value, epoch_.value, checkpoint.state_sequence.value,
      to_us(checkpoint.state_time), checkpoint.effects_sequence.value, checkpoint.effects_hash));
  return database_.run("REPLACE INTO memory(trigger, state, runtime) VALUES (?1, ?2, ?3)", trigger,
                       checkpoint.state, checkpoint.runtime);
}

Result<void> CommitWriter::write_starts(const CommitBatch& batch) {
  for (const RunStart& start : batch.starts) {
    if (start.version) HASTUR_TRY(write_version(*start.version));
  }
  for (const RunStart& start : batch.starts) {
    const RunRecord& run = start.run;
    {
      Query query = database_.query("SELECT 1 FROM version WHERE id = ?1", run.version);
      const auto known = query.step();
      if (!known) return fail(known.error());
      if (!*known) {
        return fail(ErrorCode::not_found,
                    fmt::format("cannot start run {} of trigger {}: its version {} is not stored",
                                run.run.value, run.trigger, run.version));
      }
    }
    HASTUR_TRY(end_run(run.trigger, run.after));
    // Before the next one takes its place.
    HASTUR_TRY(snapshots_.keep(number(run.trigger), "end"));
    HASTUR_TRY(database_.run(
        "INSERT INTO run(trigger, run, epoch, version, limits, runtime, why, after, started_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        number(run.trigger), run.run.value, epoch_.value, run.version, run.limits, run.runtime,
        run.why, run.after.value, to_us(run.started_at)));
    HASTUR_TRY(write_checkpoint(start.checkpoint));
    HASTUR_TRY(snapshots_.keep(number(run.trigger), "start"));
  }
  return {};
}

Result<void> CommitWriter::write_version(const VersionRecord& version) {
  HASTUR_TRY(database_.run("INSERT OR IGNORE INTO version(id, trigger) VALUES (?1, ?2)", version.id,
                           version.trigger));
  if (database_.changes() == 0) return {};
  std::int64_t place = 0;
  for (const SourceFile& file : version.files) {
    const auto source = write_source(file.text);
    if (!source) return fail(source.error());
    HASTUR_TRY(database_.run(
        "INSERT INTO version_file(version, place, path, source) VALUES (?1, ?2, ?3, ?4)",
        version.id, place++, file.path, *source));
  }
  return {};
}

// Equal texts are kept once: a library is part of many versions. The hash only finds candidates.
Result<std::int64_t> CommitWriter::write_source(const std::string& text) {
  const std::uint64_t hash = hash64(text);
  {
    Query same =
        database_.query("SELECT number FROM source WHERE hash = ?1 AND text = ?2", hash, text);
    const auto row = same.step();
    if (!row) return fail(row.error());
    if (*row) return same.integer(0);
  }
  Query insert = database_.query("INSERT INTO source(hash, text) VALUES (?1, ?2) RETURNING number",
                                 hash, text);
  const auto row = insert.step();
  if (!row) return fail(row.error());
  return insert.integer(0);
}

// A run ends where its successor begins, which may be before what it has taken (a replay) or after
// what is stored of it (a switch).
Result<void> CommitWriter::end_run(std::string_view trigger, Sequence successor_after) {
  return database_.run(
      "UPDATE run SET ended = max(checkpoint.effects_sequence, ?2) FROM checkpoint "
      "WHERE checkpoint.trigger = ?1 AND run.trigger = ?1 AND run.run = checkpoint.run AND "
      "run.ended IS NULL",
      number(trigger), successor_after.value);
}

Result<void> CommitWriter::write_messages(const CommitBatch& batch, std::uint64_t first_id) {
  std::uint64_t id = first_id;
  outbox_rows_.reserve(batch.messages.size());
  for (const OutboxMessage& message : batch.messages) {
    outbox_rows_.push_back(
        {id++, number(message.trigger), message.run, message.sequence, message.ordinal});
    const OutboxIndex::Row& row = outbox_rows_.back();
    HASTUR_TRY(
        database_.run("INSERT INTO outbox(id, trigger, run, sequence, ordinal, depth, payload) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      row.id, row.trigger, row.run.value, row.sequence.value, row.ordinal,
                      pack_depth(message.depth, message.correction), message.payload));
  }
  return {};
}

Result<void> CommitWriter::write_notifications(const CommitBatch& batch) {
  notification_ids_.reserve(batch.notifications.size());
  for (const NotificationRecord& record : batch.notifications) {
    const auto id = notifications_.insert(record, number(record.trigger));
    if (!id) return fail(id.error());
    notification_ids_.push_back(*id);
  }
  for (const NotificationChange& change : batch.notification_changes) {
    HASTUR_TRY(notifications_.change(change));
  }
  for (const NotifyOrder& order : batch.orders) {
    const auto number = notifications_.put(order);
    if (!number) return fail(number.error());
    order_numbers_.push_back(*number);
  }
  for (const ReceiverRest& rest : batch.receiver_rests) HASTUR_TRY(notifications_.put(rest));
  return {};
}

Result<void> CommitWriter::write_logs(const CommitBatch& batch) {
  std::set<std::uint64_t> triggers;
  for (const LogRecord& log : batch.logs) {
    const std::uint64_t trigger = number(log.trigger);
    HASTUR_TRY(database_.run(
        "INSERT INTO log(trigger, number, sequence, time, kind, text, script, line) "
        "SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM log WHERE trigger = "
        "?1",
        trigger, log.sequence.value, to_us(log.time), log.kind, log.text, log.script, log.line));
    triggers.insert(trigger);
  }
  for (const std::uint64_t trigger : triggers) {
    HASTUR_TRY(
        database_.run("DELETE FROM log WHERE trigger = ?1 AND "
                      "number <= (SELECT max(number) FROM log WHERE trigger = ?1) - ?2",
                      trigger, CheckpointStore::logs_max));
  }
  return {};
}

Result<void> CommitWriter::write_journal(const CommitBatch& batch) {
  for (const JournalRecord& record : batch.journal) {
    HASTUR_TRY(
        database_.run("INSERT INTO journal(trigger, run, sequence, decision, detail, decided_at) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      number(record.trigger), record.run.value, record.sequence.value,
                      record.decision, record.detail, to_us(record.decided_at)));
  }
  return {};
}

}  // namespace hastur
