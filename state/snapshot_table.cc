#include "state/snapshot_table.h"

#include <algorithm>

namespace hastur {
namespace {

#define HASTUR_SNAPSHOT_COLUMNS \
  "SELECT snapshot.number, trigger.name, snapshot.run, sequence, time, bytes, why "

SnapshotRecord record_at(const Query& row) {
  return {.number = row.unsigned_integer(0),
          .trigger = std::string(row.text(1)),
          .run = {row.unsigned_integer(2)},
          .sequence = {row.unsigned_integer(3)},
          .time = time_from_us(row.integer(4)),
          .bytes = row.unsigned_integer(5),
          .why = std::string(row.text(6))};
}

}  // namespace

Result<void> SnapshotTable::keep(std::uint64_t trigger, std::string_view why) {
  if (why == "end") {
    // One that is kept already is not thinned as others are.
    HASTUR_TRY(database_.run(
        "UPDATE snapshot SET why = 'end' FROM checkpoint WHERE checkpoint.trigger = ?1 AND "
        "snapshot.trigger = ?1 AND snapshot.run = checkpoint.run AND snapshot.sequence = "
        "checkpoint.state_sequence AND why = 'cadence'",
        trigger));
  }
  HASTUR_TRY(database_.run(
      "INSERT INTO snapshot(trigger, run, sequence, time, bytes, why, state, runtime) "
      "SELECT trigger, run, state_sequence, state_time, length(CAST(state AS BLOB)) + "
      "length(CAST(runtime AS BLOB)), ?2, state, runtime "
      "FROM checkpoint JOIN memory USING (trigger) WHERE trigger = ?1 AND state <> '' AND NOT "
      "EXISTS (SELECT 1 FROM snapshot AS kept WHERE kept.trigger = ?1 AND "
      "kept.time = checkpoint.state_time AND kept.run = checkpoint.run AND "
      "kept.sequence = checkpoint.state_sequence)",
      trigger, why));
  auto kept = of(trigger);
  if (!kept) return fail(kept.error());
  std::ranges::reverse(*kept);
  for (const std::size_t gone : thin(*kept)) {
    HASTUR_TRY(database_.run("DELETE FROM snapshot WHERE number = ?1", (*kept)[gone].number));
  }
  return {};
}

Result<std::vector<SnapshotRecord>> SnapshotTable::of(std::uint64_t trigger) {
  Query rows =
      database_.query(HASTUR_SNAPSHOT_COLUMNS
                      "FROM snapshot JOIN trigger ON trigger.number = snapshot.trigger "
                      "WHERE snapshot.trigger = ?1 ORDER BY time DESC, snapshot.number DESC",
                      trigger);
  std::vector<SnapshotRecord> found;
  while (true) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back(record_at(rows));
  }
}

Result<std::optional<Snapshot>> SnapshotTable::read(std::uint64_t number) {
  Query row = database_.query(HASTUR_SNAPSHOT_COLUMNS
                              ", state, snapshot.runtime FROM snapshot "
                              "JOIN trigger ON trigger.number = snapshot.trigger "
                              "WHERE snapshot.number = ?1",
                              number);
  const auto there = row.step();
  if (!there) return fail(there.error());
  if (!*there) return std::optional<Snapshot>();
  return std::optional(
      Snapshot{record_at(row), std::string(row.text(7)), std::string(row.text(8))});
}

}  // namespace hastur
