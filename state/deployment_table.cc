#include "state/deployment_table.h"

namespace hastur {

Result<void> DeploymentTable::put(const DeploymentRecord& record) {
  const std::optional<std::uint64_t> sequence =
      record.sequence ? std::optional(record.sequence->value) : std::nullopt;
  HASTUR_TRY(database_.run(
      "INSERT INTO deployment(id, kind, commit_id, author, subject, report, decided_at, sequence, "
      "replay) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      record.id, deployment_kind_name(record.kind), record.commit, record.author, record.subject,
      record.report, to_us(record.decided_at), sequence, record.replay));
  for (const DeploymentChange& change : record.changes) {
    HASTUR_TRY(database_.run(
        "INSERT INTO deployment_change(deployment, trigger, before, version, run_before, run, why, "
        "was, snapshot, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        record.id, change.trigger, change.before, change.version, change.run_before.value,
        change.run.value, change.why, change.was, change.snapshot, change.outcome));
  }
  return {};
}

Result<void> DeploymentTable::put(const DeploymentOutcome& outcome) {
  return database_.run(
      "UPDATE deployment_change SET outcome = ?3 WHERE deployment = ?1 AND trigger = ?2",
      outcome.deployment, outcome.trigger, outcome.outcome);
}

Result<void> DeploymentTable::put(const DeploymentReplay& replay) {
  return database_.run("UPDATE deployment SET replay = ?2 WHERE id = ?1", replay.deployment,
                       replay.replay);
}

Result<void> DeploymentTable::put(const Pin& pin) {
  return database_.run(
      "REPLACE INTO pin(trigger, version, file, deployment, why, since) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      pin.trigger, pin.version, pin.file, pin.deployment, pin.why, to_us(pin.since));
}

Result<void> DeploymentTable::unpin(const TriggerName& trigger) {
  return database_.run("DELETE FROM pin WHERE trigger = ?1", trigger);
}

Result<std::vector<DeploymentRecord>> DeploymentTable::find(
    const CheckpointStore::DeploymentQuery& query) {
  std::vector<DeploymentRecord> found;
  {
    Query rows = database_.query(
        "SELECT id, kind, commit_id, author, subject, report, decided_at, sequence, replay "
        "FROM deployment WHERE id < ?1 AND (?2 = '' OR id IN (SELECT deployment FROM "
        "deployment_change WHERE trigger = ?2)) AND (?4 = 0 OR replay IN ('waiting', 'running')) "
        "AND (?5 = 0 OR (sequence IS NOT NULL AND id IN (SELECT deployment FROM "
        "deployment_change WHERE outcome = ''))) "
        "ORDER BY id DESC LIMIT ?3",
        query.before == 0 ? std::uint64_t{INT64_MAX} : query.before, query.trigger, query.max,
        query.open_replays ? 1 : 0, query.pending ? 1 : 0);
    while (true) {
      const auto row = rows.step();
      if (!row) return fail(row.error());
      if (!*row) break;
      DeploymentRecord& record = found.emplace_back();
      record.id = rows.unsigned_integer(0);
      record.kind = deployment_kind_from_name(rows.text(1)).value_or(DeploymentKind::directory);
      record.commit = rows.text(2);
      record.author = rows.text(3);
      record.subject = rows.text(4);
      record.report = rows.text(5);
      record.decided_at = time_from_us(rows.integer(6));
      if (!rows.is_null(7)) record.sequence = Sequence{rows.unsigned_integer(7)};
      record.replay = rows.text(8);
    }
  }
  for (DeploymentRecord& record : found) {
    auto of = changes(record.id);
    if (!of) return fail(of.error());
    record.changes = *std::move(of);
  }
  return found;
}

Result<std::vector<DeploymentChange>> DeploymentTable::changes(std::uint64_t deployment) {
  Query rows = database_.query(
      "SELECT trigger, before, version, run_before, run, why, was, snapshot, outcome "
      "FROM deployment_change WHERE deployment = ?1 ORDER BY trigger",
      deployment);
  std::vector<DeploymentChange> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.trigger = std::string(rows.text(0)),
                     .before = std::string(rows.text(1)),
                     .version = std::string(rows.text(2)),
                     .run_before = {rows.unsigned_integer(3)},
                     .run = {rows.unsigned_integer(4)},
                     .why = std::string(rows.text(5)),
                     .was = std::string(rows.text(6)),
                     .snapshot = rows.unsigned_integer(7),
                     .outcome = std::string(rows.text(8))});
  }
}

Result<std::vector<Pin>> DeploymentTable::pins() {
  Query rows = database_.query(
      "SELECT trigger, version, file, deployment, why, since FROM pin ORDER BY trigger");
  std::vector<Pin> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.trigger = std::string(rows.text(0)),
                     .version = std::string(rows.text(1)),
                     .file = std::string(rows.text(2)),
                     .deployment = rows.unsigned_integer(3),
                     .why = std::string(rows.text(4)),
                     .since = time_from_us(rows.integer(5))});
  }
}

}  // namespace hastur
