#pragma once

// Where triggers' memory, their effects and the decisions about them survive a crash (DESIGN §9).
//
// A state and the sequence that produced it are one fact, and so are effects and the sequence up to
// which they are complete. Effects are committed as they occur, states less often: after a crash
// the supervisor loads the last state and runs the inputs since then again. A trigger is
// deterministic, so effects up to `effects_sequence` come out as they were, and are compared (by
// hash) instead of emitted.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "message/ids.h"
#include "state/deployment.h"
#include "state/notification.h"
#include "state/notify_order.h"
#include "state/snapshot.h"

namespace hastur {

// Content hash of a version's files, 32 hex digits.
using VersionId = std::string;

struct SourceFile {
  std::string path;
  std::string text;
};

// A version's files never change; the store keeps them while a run, snapshot or deployment names
// them.
struct VersionRecord {
  VersionId id;
  TriggerName trigger;
  // The script first, then what it may require.
  std::vector<SourceFile> files;
};

// How a run began: part of what makes it repeatable.
struct RunRecord {
  TriggerName trigger;
  Run run;
  VersionId version;
  // Canonical JSON of the counted limits.
  std::string limits;
  // The build of the runtime that ran it.
  std::string runtime;
  // "deploy", "rollback", "restore", "limits", "replay", "upgrade"
  std::string why;
  // Its first input is the one after this. Its starting memory is the checkpoint that came with it.
  Sequence after;
  Time started_at;
};

struct Checkpoint {
  TriggerName trigger;
  Run run;
  // The memory is that of exactly the inputs up to here.
  Sequence state_sequence;
  Time state_time;
  // Canonical JSON; `runtime` is what the runtime remembers (Memory).
  std::string state;
  std::string runtime;
  // Every effect of the inputs up to here is committed; never below state_sequence, and within a
  // run never falls.
  Sequence effects_sequence;
  // Folded hash of the effects of the inputs in (state_sequence, effects_sequence]; 0 for none, or
  // effects_not_compared.
  std::uint64_t effects_hash = 0;
};

// Of effects that another version emitted for the same inputs: they are not emitted again, though
// what comes out may be something else.
inline constexpr std::uint64_t effects_not_compared = ~std::uint64_t{0};

// Moves effects_sequence between checkpoints; a trigger that has a checkpoint in the same batch
// needs none.
struct EffectsMark {
  TriggerName trigger;
  Run run;
  Sequence effects_sequence;
  std::uint64_t effects_hash = 0;
};

// A derived message that the syndicator has not acknowledged yet.
struct OutboxMessage {
  TriggerName trigger;
  Run run;
  Sequence sequence;
  std::uint32_t ordinal = 0;
  std::uint8_t depth = 1;
  std::string payload;
  // Of a replay (Origin).
  bool correction = false;
};

struct LogRecord {
  TriggerName trigger;
  Sequence sequence;
  Time time;
  // "log", or "error" with script and line.
  std::string kind;
  std::string text;
  std::string script;
  std::uint32_t line = 0;
};

// What was decided by time or by people (DESIGN §9, Journal). Committed before the trigger passes
// `sequence`.
struct JournalRecord {
  TriggerName trigger;
  Run run;
  Sequence sequence;
  // "skip", "start", "switch", "migrate", "pause", "resume", "restore", "forget", "lost", and
  // "behind": position() does not hold for the trigger until its checkpoint is at `sequence`.
  std::string decision;
  // Canonical JSON, by decision: skip {"callback":n,"why":…}, lost {"first":…,"last":…}
  std::string detail;
  Time decided_at;
};

// A run that begins: its version, its record and the memory it starts with. The last checkpoint or
// mark of the run before may stand in the same batch.
struct RunStart {
  // May be left out if the store holds it; if it does, it is not written again.
  std::optional<VersionRecord> version;
  RunRecord run;
  Checkpoint checkpoint;
};

// Everything that becomes true together.
struct CommitBatch {
  std::vector<RunStart> starts;
  std::vector<Checkpoint> checkpoints;
  std::vector<EffectsMark> marks;
  // In the order in which they leave; a trigger's rise by (run, sequence, ordinal), over commits
  // too.
  std::vector<OutboxMessage> messages;
  // Their incidents follow.
  std::vector<NotificationRecord> notifications;
  // Of notifications that are stored; an id that is not there is no error.
  std::vector<NotificationChange> notification_changes;
  // Without a number: new. With one: its end is stored.
  std::vector<NotifyOrder> orders;
  // Each in place of what was kept of that receiver.
  std::vector<ReceiverRest> receiver_rests;
  std::vector<LogRecord> logs;
  std::vector<JournalRecord> journal;
  // Triggers that end here (their file was removed): load() and load_all() do not return them any
  // more, load_removed() does. A name that is not there is no error.
  std::vector<TriggerName> removals;
  // Their ids rise over commits. Those that name versions come with them.
  std::vector<DeploymentRecord> deployments;
  // The files of versions that deployments of this batch name and no run has yet.
  std::vector<VersionRecord> versions;
  std::vector<DeploymentOutcome> outcomes;
  // Of deployments that are stored; an id that is not there is no error.
  std::vector<DeploymentReplay> replays;
  // A pin replaces the one that its trigger had. Unpinned are first all of `unpins`.
  std::vector<Pin> pins;
  std::vector<TriggerName> unpins;
  // Every trigger that is not behind has taken all inputs up to here, and its memory is unchanged
  // since its checkpoint or can be had again from it. Nothing: does not move.
  std::optional<Sequence> position;

  bool empty() const;
};

struct StoredTrigger {
  RunRecord run;
  Checkpoint checkpoint;
  // What recovery must obey: decisions of this run after state_sequence, by sequence; before them
  // the last of pause and resume, if that is a pause.
  std::vector<JournalRecord> journal;
};

// What may be forgotten.
struct Retention {
  // Nothing before this is in History any more: journal rows, ended runs, removed triggers and
  // versions that only earlier inputs would need go. The newest run number of a name stays.
  Sequence oldest;
  // Notifications of before, unless they are waiting or pending; incidents that were closed and
  // orders that were ended before; rests of receivers that ended before; snapshots of before, but
  // for the newest of a trigger that runs; deployments of before, but for the newest, those that or
  // whose replays have not come to their end and those whose pins stand.
  Time notifications_before;
  // How many rows of a kind one call may take, so that it is short.
  std::uint32_t rows_max = 1'000;
};

// Not thread-safe: a store belongs to the event loop that opened it.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // The owner that this store was made with.
  virtual const OwnerId& owner() const = 0;
  // The stream that its sequences are of; nothing before the first bind.
  virtual std::optional<StreamId> stream() const = 0;
  // Ties the store to a stream, once. `conflict` if it is tied to another: its sequences would mean
  // nothing there.
  virtual Result<void> bind(const StreamId& stream) = 0;

  // The epoch under which commits are made from now on. Kept, never falls.
  virtual Epoch epoch() const = 0;
  // `stale` if it is lower than the one held.
  virtual Result<void> take_epoch(Epoch epoch) = 0;

  // All triggers, with what recovery needs. An error means the store cannot tell; nothing must then
  // start, or it would forget what it knew.
  virtual Result<std::vector<StoredTrigger>> load_all() = 0;
  // Nothing for a trigger that is not there, or was removed.
  virtual Result<std::optional<StoredTrigger>> load(const TriggerName& trigger) = 0;
  // A removed trigger as it ended, without journal; until it is forgotten or its name runs again.
  virtual Result<std::optional<StoredTrigger>> load_removed(const TriggerName& trigger) = 0;
  // The newest run that the name ever had, removed or not; 0 if it never ran. The next one must be
  // higher.
  virtual Run newest_run(const TriggerName& trigger) const = 0;
  virtual Result<std::optional<VersionRecord>> version(const VersionId& id) = 0;
  // A run that is still kept, ended or not.
  virtual Result<std::optional<RunRecord>> run(const TriggerName& trigger, Run run) = 0;
  virtual Sequence position() const = 0;
  // All decisions about a run that are still kept, by sequence, those at one sequence in the order
  // in which they were made.
  virtual Result<std::vector<JournalRecord>> journal(const TriggerName& trigger, Run run) = 0;

  // Makes all of it durable in one transaction. Only once this has succeeded may anyone outside the
  // process see the effects. Fails with `conflict`, and changes nothing, if a checkpoint or mark is
  // older than what is stored or not of the trigger's run, or if a run does not follow its
  // trigger's newest; with `not_found` if a run's version is neither stored nor in the batch; with
  // `full` when the disk is (the same commit may be tried again). Ids are given to the
  // notifications and numbers to the orders in place, after it has succeeded.
  virtual Result<void> commit(CommitBatch& batch) = 0;

  // Derived messages not yet acknowledged, in commit order, at most `max` after those skipped.
  virtual Result<std::vector<OutboxMessage>> outbox(std::size_t skip, std::size_t max) = 0;
  virtual std::size_t outbox_size() const = 0;
  // Removes a trigger's messages up to and including (run, sequence, ordinal). Becomes durable with
  // the next commit or a clean close: after a crash some may be there again, and whoever appended
  // them knows them by their mark.
  virtual Result<void> acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                                   std::uint32_t ordinal) = 0;

  struct NotificationQuery {
    std::optional<Time> since;
    std::optional<NotificationStatus> status;
    TriggerName trigger;  // empty: all
    // For paging: by rising ids above `after_id`; or from the newest back, below `before_id` if
    // that is not 0.
    std::uint64_t after_id = 0;
    bool newest_first = false;
    std::uint64_t before_id = 0;
    std::uint32_t max = 100;
  };
  virtual Result<std::vector<NotificationRecord>> notifications(const NotificationQuery& query) = 0;
  // Those that are there, in the order of the ids asked for.
  virtual Result<std::vector<NotificationRecord>> notifications_of(
      std::span<const std::uint64_t> ids) = 0;

  struct IncidentQuery {
    TriggerName trigger;  // empty: all
    bool closed_too = false;
    // Only those of which their receiver holds something else: open and not told, or closed and
    // told that they are open.
    bool mistold = false;
    std::uint64_t after_number = 0;  // for paging
    std::uint32_t max = 100;
  };
  virtual Result<std::vector<Incident>> incidents(const IncidentQuery& query) = 0;
  // Nothing if there never was one, or it was forgotten after it had closed.
  virtual Result<std::optional<Incident>> incident(const TriggerName& trigger,
                                                   std::string_view channel,
                                                   std::string_view key) = 0;

  // By number: those in force, or all that are kept.
  struct OrderQuery {
    bool ended_too = false;
    std::uint64_t after_number = 0;  // for paging
    std::uint32_t max = 1'000;
  };
  virtual Result<std::vector<NotifyOrder>> orders(const OrderQuery& query) = 0;
  // By name.
  virtual Result<std::vector<ReceiverRest>> receiver_rests() = 0;

  // Kept by commit() of its own accord: on the schedule of snapshot.h, what a run begins with, and
  // what is stored of a run that another one follows. Newest first; of removed triggers too.
  virtual Result<std::vector<SnapshotRecord>> snapshots(const TriggerName& trigger) = 0;
  virtual Result<std::optional<Snapshot>> snapshot(std::uint64_t number) = 0;

  // Newest first.
  struct DeploymentQuery {
    // Those that changed this trigger; empty: all.
    TriggerName trigger = {};
    // Those whose replay waits or runs.
    bool open_replays = false;
    // Those with a change that has not come to be.
    bool pending = false;
    std::uint64_t before = 0;  // for paging: ids below; 0: from the newest
    std::uint32_t max = 100;
  };
  virtual Result<std::vector<DeploymentRecord>> deployments(const DeploymentQuery& query) = 0;
  // By name of the trigger.
  virtual Result<std::vector<Pin>> pins() = 0;

  // Newest first; 1,000 a trigger are kept.
  virtual Result<std::vector<LogRecord>> logs(const TriggerName& trigger, std::uint32_t max) = 0;

  // How many of a trigger's logs are kept: the newest.
  static constexpr std::uint32_t logs_max = 1'000;

  struct Pruned {
    std::uint64_t rows = 0;
    // There is more to forget.
    bool more = false;
  };
  // One transaction. What it forgot, nothing needs: neither recovery nor a reader of History.
  virtual Result<Pruned> prune(const Retention& retention) = 0;

  // With its WAL; 0 in memory.
  virtual std::uint64_t bytes_on_disk() const = 0;
};

struct SqliteStoreOptions {
  std::string path;
  // See Durability in state/history: synced commits are on the disk when they return.
  bool synced = false;
  std::string vfs = {};
  // Another process may have the file open and go on writing it. What would write fails.
  bool read_only = false;
};

// Opens or makes the file; one process at a time, by a lock on PATH.lock (`unavailable` while
// another has it). Errors name the file and the way out: newer schema, damage, lock, a file that is
// something else.
Result<std::unique_ptr<CheckpointStore>> open_store(const SqliteStoreOptions& options);

// The same in memory, for trigger-test and tests.
std::unique_ptr<CheckpointStore> make_memory_store();

}  // namespace hastur
