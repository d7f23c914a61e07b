#include "supervisor/dispatch/replayed.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "core/check.h"
#include "supervisor/dispatch/memory_line.h"

namespace hastur {
namespace {

constexpr std::uint32_t page = 5'000;

Result<ReplayedRun> read_run(CheckpointStore& file, StoredTrigger stored) {
  ReplayedRun run;
  run.start.run = std::move(stored.run);
  run.end = std::move(stored.checkpoint);
  const RunRecord& record = run.start.run;
  auto version = file.version(record.version);
  if (!version) return fail(version.error());
  run.start.version = std::move(*version);

  Checkpoint& begins = run.start.checkpoint;
  begins.trigger = record.trigger;
  begins.run = record.run;
  begins.state_sequence = record.after;
  const auto snapshots = file.snapshots(record.trigger);
  if (!snapshots) return fail(snapshots.error());
  const auto first = std::ranges::find(*snapshots, "start", &SnapshotRecord::why);
  if (first != snapshots->end()) {
    auto snapshot = file.snapshot(first->number);
    if (!snapshot) return fail(snapshot.error());
    HASTUR_CHECK(*snapshot, "a snapshot that a store lists is there");
    begins.state_sequence = first->sequence;
    begins.state_time = first->time;
    begins.state = std::move((*snapshot)->state);
    begins.runtime = std::move((*snapshot)->runtime);
  }
  auto journal = file.journal(record.trigger, record.run);
  if (!journal) return fail(journal.error());
  run.decisions = std::move(*journal);
  const auto fresh = std::ranges::find(run.decisions, begins_fresh, &JournalRecord::decision);
  if (fresh != run.decisions.end()) {
    begins.state_sequence = Sequence{fresh->sequence.value - 1};
    run.decisions.erase(fresh);
  }
  begins.effects_sequence = std::max(begins.state_sequence, record.after);
  return run;
}

// Hands each effect of the file to the run that `run_of` finds for its trigger.
template <class RunOf>
Result<void> read_effects(CheckpointStore& file, const RunOf& run_of) {
  std::size_t count = 0;
  const auto fits = [&count](std::size_t more) -> Result<void> {
    count += more;
    if (count <= replayed_effects_max) return {};
    return fail(ErrorCode::invalid,
                fmt::format("a replay may hand over {} effects at once", replayed_effects_max));
  };
  for (std::size_t taken = 0;;) {
    auto messages = file.outbox(taken, page);
    if (!messages) return fail(messages.error());
    if (messages->empty()) break;
    taken += messages->size();
    HASTUR_TRY(fits(messages->size()));
    for (OutboxMessage& message : *messages) {
      if (ReplayedRun* run = run_of(message.trigger))
        run->corrections.push_back(std::move(message));
    }
  }
  CheckpointStore::NotificationQuery query;
  query.max = page;
  while (true) {
    auto records = file.notifications(query);
    if (!records) return fail(records.error());
    if (records->empty()) return {};
    query.after_id = records->back().id;
    HASTUR_TRY(fits(records->size()));
    for (NotificationRecord& record : *records) {
      if (ReplayedRun* run = run_of(record.trigger))
        run->notifications.push_back(std::move(record));
    }
  }
}

}  // namespace

Result<std::vector<ReplayedRun>> read_replayed(CheckpointStore& file) {
  auto stored = file.load_all();
  if (!stored) return fail(stored.error());
  std::vector<ReplayedRun> runs;
  for (StoredTrigger& trigger : *stored) {
    auto run = read_run(file, std::move(trigger));
    if (!run) return fail(run.error());
    runs.push_back(std::move(*run));
  }
  const auto run_of = [&runs](const TriggerName& name) -> ReplayedRun* {
    const auto found = std::ranges::find_if(
        runs, [&](const ReplayedRun& run) { return run.start.run.trigger == name; });
    return found == runs.end() ? nullptr : &*found;
  };
  HASTUR_TRY(read_effects(file, run_of));
  return runs;
}

Result<void> offer_replayed(CheckpointStore& store, std::vector<NotificationRecord>& records) {
  // The incidents as they will stand, under numbers in place of the ids that are not given yet.
  std::map<std::pair<std::string, std::string>, Incident> incidents;
  constexpr std::uint64_t first_number = std::numeric_limits<std::uint64_t>::max() / 2;
  std::uint64_t number = first_number;
  for (NotificationRecord& record : records) {
    record.id = number++;
    if (record.key.empty()) continue;
    const auto [at, is_new] = incidents.try_emplace({record.channel, record.key});
    if (is_new) {
      const auto found = store.incident(record.trigger, record.channel, record.key);
      if (!found) return fail(found.error());
      if (*found) at->second = **found;
    }
    const NotificationStatus status = std::exchange(record.status, NotificationStatus::pending);
    follow(at->second, record);
    record.status = status;
  }
  const auto close = [](NotificationRecord& record, std::string why) {
    record.status = NotificationStatus::closed;
    record.reason = std::move(why);
  };
  for (NotificationRecord& record : records) {
    if (record.status == NotificationStatus::closed) {
    } else if (record.key.empty()) {
      close(record, "of a replay; it belongs to no incident");
    } else {
      const Incident& incident = incidents.at({record.channel, record.key});
      const bool opens = record.action == NotificationAction::trigger;
      if (!still_speaks(incident, record)) {
        close(record, incident.state == IncidentState::closed
                          ? "of a replay; its incident has closed"
                          : "of a replay; a newer one says how its incident stands");
      } else if (opens && incident.told_open) {
        close(record, "of a replay; its receiver was told before");
      } else {
        record.status = NotificationStatus::pending;
        record.reason = offered_reason;
      }
    }
    record.id = 0;
  }
  return {};
}

}  // namespace hastur
