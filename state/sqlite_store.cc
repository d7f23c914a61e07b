#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/lock_file.h"
#include "message/message.h"
#include "state/checkpoint_store.h"
#include "state/commit_writer.h"
#include "state/deployment_table.h"
#include "state/notification_table.h"
#include "state/outbox_index.h"
#include "state/snapshot_table.h"
#include "state/store_schema.h"
#include "state/trigger_heads.h"

namespace hastur {
namespace {

class SqliteStore final : public CheckpointStore {
 public:
  SqliteStore(Database database, std::optional<LockFile> lock, bool synced)
      : lock_(std::move(lock)),
        database_(std::move(database)),
        deployments_(database_),
        notifications_(database_),
        snapshots_(database_),
        synced_(synced) {}

  // What was acknowledged need not be sent again after a clean close.
  ~SqliteStore() override {
    CommitBatch nothing;
    if (!outbox_.removed().empty()) (void)commit(nothing);
  }

  Result<void> read_heads();

  const OwnerId& owner() const override { return owner_; }
  std::optional<StreamId> stream() const override { return stream_; }
  Result<void> bind(const StreamId& stream) override;
  Epoch epoch() const override { return epoch_; }
  Result<void> take_epoch(Epoch epoch) override;

  Result<std::vector<StoredTrigger>> load_all() override;
  Result<std::optional<StoredTrigger>> load(const TriggerName& trigger) override;
  Result<std::optional<StoredTrigger>> load_removed(const TriggerName& trigger) override;
  Run newest_run(const TriggerName& trigger) const override;
  Result<std::optional<VersionRecord>> version(const VersionId& id) override;
  Result<std::optional<RunRecord>> run(const TriggerName& trigger, Run run) override;
  Result<std::vector<JournalRecord>> journal(const TriggerName& trigger, Run run) override;
  Sequence position() const override { return position_; }

  Result<void> commit(CommitBatch& batch) override;

  Result<std::vector<OutboxMessage>> outbox(std::size_t skip, std::size_t max) override;
  std::size_t outbox_size() const override { return outbox_.size(); }
  Result<void> acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                           std::uint32_t ordinal) override;

  Result<std::vector<NotificationRecord>> notifications(const NotificationQuery& query) override {
    const auto trigger = number_of(query.trigger);
    return trigger ? notifications_.find(query, *trigger) : std::vector<NotificationRecord>();
  }
  Result<std::vector<NotificationRecord>> notifications_of(
      std::span<const std::uint64_t> ids) override {
    return notifications_.of_ids(ids);
  }
  Result<std::vector<Incident>> incidents(const IncidentQuery& query) override {
    const auto trigger = number_of(query.trigger);
    return trigger ? notifications_.incidents(query, *trigger) : std::vector<Incident>();
  }
  Result<std::optional<Incident>> incident(const TriggerName& trigger, std::string_view channel,
                                           std::string_view key) override {
    const TriggerHead* head = heads_.find(trigger);
    return head == nullptr ? std::optional<Incident>()
                           : notifications_.incident(head->number, channel, key);
  }
  Result<std::vector<NotifyOrder>> orders(const OrderQuery& query) override {
    return notifications_.orders(query);
  }
  Result<std::vector<ReceiverRest>> receiver_rests() override {
    return notifications_.receiver_rests();
  }
  Result<std::vector<SnapshotRecord>> snapshots(const TriggerName& trigger) override {
    const TriggerHead* head = heads_.find(trigger);
    return head == nullptr ? std::vector<SnapshotRecord>() : snapshots_.of(head->number);
  }
  Result<std::optional<Snapshot>> snapshot(std::uint64_t number) override {
    return snapshots_.read(number);
  }
  Result<std::vector<DeploymentRecord>> deployments(const DeploymentQuery& query) override {
    return deployments_.find(query);
  }
  Result<std::vector<Pin>> pins() override { return deployments_.pins(); }
  Result<std::vector<LogRecord>> logs(const TriggerName& trigger, std::uint32_t max) override;
  Result<Pruned> prune(const Retention& retention) override;
  std::uint64_t bytes_on_disk() const override;

 private:
  Result<void> read_meta();
  Result<void> read_outbox();
  // Of the trigger that a query asks for: nothing within if it asks for all; nothing if the name
  // was never seen.
  std::optional<std::optional<std::uint64_t>> number_of(const TriggerName& trigger) const {
    if (trigger.empty()) return std::optional<std::uint64_t>();
    const TriggerHead* head = heads_.find(trigger);
    if (head == nullptr) return std::nullopt;
    return std::optional(head->number);
  }
  // The next transaction is on the disk when it returns, whatever the durability.
  template <class Write>
  Result<void> write_synced(const Write& write);
  Result<void> write_batch(const CommitBatch& batch, CommitWriter& writer);
  Result<std::optional<StoredTrigger>> read_trigger(const TriggerName& name, std::uint64_t number);
  Result<std::vector<JournalRecord>> journal_rows(Query& query, const TriggerName& trigger,
                                                  Run run);
  Result<std::vector<JournalRecord>> read_journal(const TriggerName& name, std::uint64_t number,
                                                  const Checkpoint& checkpoint);

  // First, so that it goes last: nobody else may open the file before this one has closed it.
  std::optional<LockFile> lock_;
  Database database_;
  DeploymentTable deployments_;
  NotificationTable notifications_;
  SnapshotTable snapshots_;
  bool synced_;
  OwnerId owner_;
  std::optional<StreamId> stream_;
  Epoch epoch_;
  Sequence position_;
  TriggerHeads heads_;
  OutboxIndex outbox_;
};

Sequence sequence_at(const Query& query, int column) { return {query.unsigned_integer(column)}; }
Run run_at(const Query& query, int column) { return {query.unsigned_integer(column)}; }
Time time_at(const Query& query, int column) { return time_from_us(query.integer(column)); }
std::string text_at(const Query& query, int column) { return std::string(query.text(column)); }

Result<void> SqliteStore::read_heads() {
  HASTUR_TRY(read_meta());
  Query query = database_.query(
      "SELECT trigger.number, trigger.name, trigger.run, trigger.live, state_sequence, "
      "effects_sequence, (SELECT max(time) FROM snapshot WHERE snapshot.trigger = trigger.number) "
      "FROM trigger LEFT JOIN checkpoint ON checkpoint.trigger = trigger.number");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) break;
    std::optional<Time> snapshot_time;
    if (!query.is_null(6)) snapshot_time = time_at(query, 6);
    heads_.put(text_at(query, 1), {.number = query.unsigned_integer(0),
                                   .run = run_at(query, 2),
                                   .live = query.integer(3) != 0,
                                   .state_sequence = sequence_at(query, 4),
                                   .effects_sequence = sequence_at(query, 5),
                                   .snapshot_time = snapshot_time});
  }
  return read_outbox();
}

Result<void> SqliteStore::read_meta() {
  Query query = database_.query("SELECT owner, stream, epoch, position FROM meta");
  const auto row = query.step();
  if (!row) return fail(row.error());
  const auto owner = *row ? OwnerId::from_string(query.text(0)) : std::nullopt;
  if (!owner) {
    return fail(
        ErrorCode::corrupt,
        fmt::format(
            "cannot use {}: its owner is missing; move the file away or restore it from a copy",
            database_.path()));
  }
  owner_ = *owner;
  stream_ = StreamId::from_string(query.text(1));
  epoch_ = {query.unsigned_integer(2)};
  position_ = sequence_at(query, 3);
  return {};
}

Result<void> SqliteStore::read_outbox() {
  Query query =
      database_.query("SELECT id, trigger, run, sequence, ordinal FROM outbox ORDER BY id");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    outbox_.append({.id = query.unsigned_integer(0),
                    .trigger = query.unsigned_integer(1),
                    .run = run_at(query, 2),
                    .sequence = sequence_at(query, 3),
                    .ordinal = static_cast<std::uint32_t>(query.integer(4))});
  }
}

template <class Write>
Result<void> SqliteStore::write_synced(const Write& write) {
  HASTUR_TRY(database_.set_synced(true));
  auto written = write();
  HASTUR_TRY(database_.set_synced(synced_));
  return written;
}

Result<void> SqliteStore::bind(const StreamId& stream) {
  if (stream_ == stream) return {};
  if (stream_) {
    return fail(
        ErrorCode::conflict,
        fmt::format(
            "cannot bind {} to stream {}: it holds the states of stream {}; name that stream's "
            "History, or another state file",
            database_.path(), stream.to_string(), stream_->to_string()));
  }
  HASTUR_TRY(write_synced([&] {
    const std::string text = stream.to_string();
    return database_.run("UPDATE meta SET stream = ?1", text);
  }));
  stream_ = stream;
  return {};
}

Result<void> SqliteStore::take_epoch(Epoch epoch) {
  if (epoch == epoch_) return {};
  if (epoch < epoch_) {
    return fail(ErrorCode::stale, fmt::format("cannot take epoch {} for {}: it is at epoch {}",
                                              epoch.value, database_.path(), epoch_.value));
  }
  HASTUR_TRY(
      write_synced([&] { return database_.run("UPDATE meta SET epoch = ?1", epoch.value); }));
  epoch_ = epoch;
  return {};
}

Result<std::vector<StoredTrigger>> SqliteStore::load_all() {
  std::vector<std::pair<TriggerName, std::uint64_t>> names;
  {
    Query query = database_.query("SELECT name, number FROM trigger WHERE live = 1 ORDER BY name");
    while (true) {
      const auto row = query.step();
      if (!row) return fail(row.error());
      if (!*row) break;
      names.emplace_back(text_at(query, 0), query.unsigned_integer(1));
    }
  }
  std::vector<StoredTrigger> found;
  found.reserve(names.size());
  for (const auto& [name, number] : names) {
    auto trigger = load(name);
    if (!trigger) return fail(trigger.error());
    found.push_back(**std::move(trigger));
  }
  return found;
}

Result<std::optional<StoredTrigger>> SqliteStore::load(const TriggerName& trigger) {
  const TriggerHead* head = heads_.find(trigger);
  if (head == nullptr || !head->live) return std::optional<StoredTrigger>();
  auto found = read_trigger(trigger, head->number);
  if (!found) return found;
  if (!*found) {
    return fail(
        ErrorCode::corrupt,
        fmt::format(
            "cannot load trigger {} from {}: its run or its state is missing; restore the file "
            "from a copy",
            trigger, database_.path()));
  }
  auto journal = read_journal(trigger, head->number, (*found)->checkpoint);
  if (!journal) return fail(journal.error());
  (*found)->journal = *std::move(journal);
  return found;
}

Result<std::optional<StoredTrigger>> SqliteStore::load_removed(const TriggerName& trigger) {
  const TriggerHead* head = heads_.find(trigger);
  if (head == nullptr || head->live) return std::optional<StoredTrigger>();
  return read_trigger(trigger, head->number);
}

Result<std::optional<StoredTrigger>> SqliteStore::read_trigger(const TriggerName& name,
                                                               std::uint64_t number) {
  Query query = database_.query(
      "SELECT checkpoint.run, state_sequence, state_time, effects_sequence, effects_hash, "
      "memory.state, memory.runtime, run.version, run.limits, run.runtime, run.why, run.after, "
      "run.started_at "
      "FROM checkpoint JOIN memory USING (trigger) "
      "JOIN run ON run.trigger = checkpoint.trigger AND run.run = checkpoint.run "
      "WHERE checkpoint.trigger = ?1",
      number);
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<StoredTrigger>();
  StoredTrigger found;
  found.checkpoint = {.trigger = name,
                      .run = run_at(query, 0),
                      .state_sequence = sequence_at(query, 1),
                      .state_time = time_at(query, 2),
                      .state = text_at(query, 5),
                      .runtime = text_at(query, 6),
                      .effects_sequence = sequence_at(query, 3),
                      .effects_hash = query.unsigned_integer(4)};
  found.run = {.trigger = name,
               .run = found.checkpoint.run,
               .version = text_at(query, 7),
               .limits = text_at(query, 8),
               .runtime = text_at(query, 9),
               .why = text_at(query, 10),
               .after = sequence_at(query, 11),
               .started_at = time_at(query, 12)};
  return std::optional(std::move(found));
}

// Rows of sequence, decision, detail, decided_at.
Result<std::vector<JournalRecord>> SqliteStore::journal_rows(Query& query,
                                                             const TriggerName& trigger, Run run) {
  std::vector<JournalRecord> found;
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.trigger = trigger,
                     .run = run,
                     .sequence = sequence_at(query, 0),
                     .decision = text_at(query, 1),
                     .detail = text_at(query, 2),
                     .decided_at = time_at(query, 3)});
  }
}

Result<std::vector<JournalRecord>> SqliteStore::read_journal(const TriggerName& name,
                                                             std::uint64_t number,
                                                             const Checkpoint& checkpoint) {
  // The last of pause and resume up to the checkpoint, then everything after it.
  Query query = database_.query(
      "SELECT sequence, decision, detail, decided_at FROM ("
      "  SELECT sequence, number, decision, detail, decided_at FROM journal INDEXED BY "
      "journal_pause"
      "  WHERE trigger = ?1 AND run = ?2 AND sequence <= ?3 AND decision IN ('pause', 'resume')"
      "  ORDER BY number DESC LIMIT 1) "
      "WHERE decision = 'pause' "
      "UNION ALL SELECT * FROM ("
      "  SELECT sequence, decision, detail, decided_at FROM journal INDEXED BY journal_sequence"
      "  WHERE trigger = ?1 AND run = ?2 AND sequence > ?3 ORDER BY sequence, number)",
      number, checkpoint.run.value, checkpoint.state_sequence.value);
  return journal_rows(query, name, checkpoint.run);
}

Result<std::vector<JournalRecord>> SqliteStore::journal(const TriggerName& trigger, Run run) {
  const TriggerHead* head = heads_.find(trigger);
  if (head == nullptr) return std::vector<JournalRecord>();
  Query query = database_.query(
      "SELECT sequence, decision, detail, decided_at FROM journal WHERE trigger = ?1 AND run = ?2 "
      "ORDER BY sequence, number",
      head->number, run.value);
  return journal_rows(query, trigger, run);
}

Run SqliteStore::newest_run(const TriggerName& trigger) const {
  const TriggerHead* head = heads_.find(trigger);
  return head == nullptr ? Run{} : head->run;
}

Result<std::optional<RunRecord>> SqliteStore::run(const TriggerName& trigger, Run run) {
  const TriggerHead* head = heads_.find(trigger);
  if (head == nullptr) return std::optional<RunRecord>();
  Query query = database_.query(
      "SELECT version, limits, runtime, why, after, started_at FROM run WHERE trigger = ?1 AND run "
      "= ?2",
      head->number, run.value);
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<RunRecord>();
  return std::optional(RunRecord{.trigger = trigger,
                                 .run = run,
                                 .version = text_at(query, 0),
                                 .limits = text_at(query, 1),
                                 .runtime = text_at(query, 2),
                                 .why = text_at(query, 3),
                                 .after = sequence_at(query, 4),
                                 .started_at = time_at(query, 5)});
}

Result<std::optional<VersionRecord>> SqliteStore::version(const VersionId& id) {
  VersionRecord found{.id = id, .trigger = {}, .files = {}};
  {
    Query query = database_.query("SELECT trigger FROM version WHERE id = ?1", id);
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return std::optional<VersionRecord>();
    found.trigger = text_at(query, 0);
  }
  Query query = database_.query(
      "SELECT path, text FROM version_file JOIN source ON source.number = version_file.source "
      "WHERE version = ?1 ORDER BY place",
      id);
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return std::optional(std::move(found));
    found.files.push_back({text_at(query, 0), text_at(query, 1)});
  }
}

Result<void> SqliteStore::commit(CommitBatch& batch) {
  if (batch.empty() && outbox_.removed().empty()) return {};
  const auto change = heads_.stage(batch);
  if (!change) return fail(change.error());
  CommitWriter writer(database_, heads_, *change, epoch_);
  HASTUR_TRY(write_batch(batch, writer));

  heads_.apply(*change);
  outbox_.forget_removed();
  for (const OutboxIndex::Row& row : writer.outbox_rows()) outbox_.append(row);
  for (std::size_t at = 0; at < batch.notifications.size(); ++at) {
    batch.notifications[at].id = writer.notification_ids()[at];
  }
  for (std::size_t at = 0; at < batch.orders.size(); ++at)
    batch.orders[at].number = writer.order_numbers()[at];
  if (batch.position) position_ = *batch.position;
  return {};
}

Result<void> SqliteStore::write_batch(const CommitBatch& batch, CommitWriter& writer) {
  Transaction transaction(database_);
  HASTUR_TRY(transaction.begin());
  for (const std::uint64_t id : outbox_.removed()) {
    HASTUR_TRY(database_.run("DELETE FROM outbox WHERE id = ?1", id));
  }
  HASTUR_TRY(writer.write(batch, outbox_.next_id()));
  return transaction.commit();
}

Result<std::vector<OutboxMessage>> SqliteStore::outbox(std::size_t skip, std::size_t max) {
  std::vector<OutboxMessage> found;
  const std::vector<std::uint64_t> ids = outbox_.ids(skip, max);
  if (ids.empty()) return found;
  found.reserve(ids.size());
  Query query = database_.query(
      "SELECT outbox.id, trigger.name, outbox.run, sequence, ordinal, depth, payload "
      "FROM outbox JOIN trigger ON trigger.number = outbox.trigger "
      "WHERE outbox.id BETWEEN ?1 AND ?2 ORDER BY outbox.id",
      ids.front(), ids.back());
  while (found.size() < ids.size()) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) {
      return fail(
          ErrorCode::corrupt,
          fmt::format(
              "cannot read the outbox of {}: a row is missing; restore the file from a copy",
              database_.path()));
    }
    // Acknowledged rows lie between the others until the next commit.
    if (query.unsigned_integer(0) != ids[found.size()]) continue;
    found.push_back({.trigger = text_at(query, 1),
                     .run = run_at(query, 2),
                     .sequence = sequence_at(query, 3),
                     .ordinal = static_cast<std::uint32_t>(query.integer(4)),
                     .depth = depth_of(query.unsigned_integer(5)),
                     .payload = text_at(query, 6),
                     .correction = is_correction(query.unsigned_integer(5))});
  }
  return found;
}

Result<void> SqliteStore::acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                                      std::uint32_t ordinal) {
  const TriggerHead* head = heads_.find(trigger);
  if (head != nullptr) outbox_.acknowledge(head->number, run, sequence, ordinal);
  return {};
}

Result<std::vector<LogRecord>> SqliteStore::logs(const TriggerName& trigger, std::uint32_t max) {
  std::vector<LogRecord> found;
  const TriggerHead* head = heads_.find(trigger);
  if (head == nullptr) return found;
  Query query = database_.query(
      "SELECT sequence, time, kind, text, script, line FROM log WHERE trigger = ?1 "
      "ORDER BY number DESC LIMIT ?2",
      head->number, max);
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return found;
    found.push_back({.trigger = trigger,
                     .sequence = sequence_at(query, 0),
                     .time = time_at(query, 1),
                     .kind = text_at(query, 2),
                     .text = text_at(query, 3),
                     .script = text_at(query, 4),
                     .line = static_cast<std::uint32_t>(query.integer(5))});
  }
}

Result<CheckpointStore::Pruned> SqliteStore::prune(const Retention& retention) {
  const std::uint64_t oldest = retention.oldest.value;
  const std::uint32_t max = retention.rows_max;
  Transaction transaction(database_);
  HASTUR_TRY(transaction.begin());
  Pruned pruned;
  const auto remove = [&](std::string_view sql, const auto&... arguments) -> Result<void> {
    HASTUR_TRY(database_.run(sql, arguments...));
    const auto rows = static_cast<std::uint64_t>(database_.changes());
    pruned.rows += rows;
    pruned.more = pruned.more || rows >= max;
    return {};
  };
  HASTUR_TRY(
      remove("DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE time < ?1 "
             "AND status NOT IN ('waiting', 'pending') LIMIT ?2)",
             to_us(retention.notifications_before), max));
  HASTUR_TRY(
      remove("DELETE FROM incident WHERE number IN (SELECT number FROM incident WHERE changed < ?1 "
             "AND state = 'closed' LIMIT ?2)",
             to_us(retention.notifications_before), max));
  HASTUR_TRY(
      remove("DELETE FROM notify_order WHERE number IN (SELECT number FROM notify_order WHERE "
             "ended < ?1 LIMIT ?2)",
             to_us(retention.notifications_before), max));
  HASTUR_TRY(
      remove("DELETE FROM receiver_rest WHERE name IN (SELECT name FROM receiver_rest WHERE "
             "until < ?1 LIMIT ?2)",
             to_us(retention.notifications_before), max));
  // Few go, and those of a trigger that runs are thinned as it goes.
  HASTUR_TRY(
      remove("DELETE FROM snapshot WHERE number IN (SELECT number FROM snapshot "
             "WHERE time < ?1 AND (time < (SELECT max(time) FROM snapshot AS newer "
             "WHERE newer.trigger = snapshot.trigger) OR snapshot.trigger IN "
             "(SELECT number FROM trigger WHERE live = 0)) LIMIT ?2)",
             to_us(retention.notifications_before), max));
  HASTUR_TRY(
      remove("DELETE FROM journal WHERE number IN (SELECT journal.number FROM journal "
             "LEFT JOIN checkpoint ON checkpoint.trigger = journal.trigger AND checkpoint.run = "
             "journal.run "
             "WHERE sequence < ?1 AND (state_sequence IS NULL OR "
             "(sequence <= state_sequence AND decision NOT IN ('pause', 'resume'))) AND NOT "
             "(decision IN ('pause', 'resume') AND EXISTS (SELECT 1 FROM snapshot WHERE "
             "snapshot.trigger = journal.trigger AND snapshot.run = journal.run)) LIMIT ?2)",
             oldest, max));
  HASTUR_TRY(
      remove("DELETE FROM checkpoint WHERE trigger IN (SELECT checkpoint.trigger FROM trigger "
             "JOIN checkpoint ON checkpoint.trigger = trigger.number "
             "JOIN run ON run.trigger = trigger.number AND run.run = checkpoint.run "
             "WHERE live = 0 AND ended < ?1 LIMIT ?2)",
             oldest, max));
  HASTUR_TRY(
      remove("DELETE FROM memory WHERE trigger IN (SELECT trigger FROM memory "
             "WHERE trigger NOT IN (SELECT trigger FROM checkpoint) LIMIT ?1)",
             max));
  HASTUR_TRY(remove(
      "DELETE FROM run WHERE (trigger, run) IN (SELECT run.trigger, run.run FROM run "
      "LEFT JOIN checkpoint ON checkpoint.trigger = run.trigger AND checkpoint.run = run.run "
      "WHERE ended < ?1 AND checkpoint.run IS NULL AND NOT EXISTS (SELECT 1 FROM snapshot WHERE "
      "snapshot.trigger = run.trigger AND snapshot.run = run.run) LIMIT ?2)",
      oldest, max));
  HASTUR_TRY(
      remove("DELETE FROM deployment WHERE id IN (SELECT id FROM deployment WHERE decided_at < ?1 "
             "AND id < (SELECT max(id) FROM deployment) AND id NOT IN (SELECT deployment FROM pin) "
             "AND replay NOT IN ('waiting', 'running') "
             "AND NOT EXISTS (SELECT 1 FROM deployment_change WHERE deployment = id AND outcome = "
             "'') LIMIT ?2)",
             to_us(retention.notifications_before), max));
  HASTUR_TRY(
      remove("DELETE FROM deployment_change WHERE deployment NOT IN (SELECT id FROM deployment)"));
  HASTUR_TRY(
      remove("DELETE FROM version WHERE id IN (SELECT id FROM version "
             "WHERE id NOT IN (SELECT version FROM run UNION SELECT version FROM pin UNION "
             "SELECT version FROM deployment_change UNION SELECT before FROM deployment_change) "
             "LIMIT ?1)",
             max));
  HASTUR_TRY(remove("DELETE FROM version_file WHERE version NOT IN (SELECT id FROM version)"));
  HASTUR_TRY(remove("DELETE FROM source WHERE number NOT IN (SELECT source FROM version_file)"));
  HASTUR_TRY(transaction.commit());
  return pruned;
}

std::uint64_t SqliteStore::bytes_on_disk() const {
  std::uint64_t sum = 0;
  for (const char* ending : {"", "-wal"}) {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(database_.path() + ending, none);
    if (!none) sum += bytes;
  }
  return sum;
}

// A commit whose sync failed, or whose writer died before it, can be read again and yet be lost
// with the next power cut. What is read from here on is on the disk.
Result<void> make_durable(Database& database) {
  auto written_back = database.checkpoint();
  if (written_back || written_back.error().code != ErrorCode::unavailable) return written_back;
  // A reader holds the WAL. A commit syncs what stands before it, too.
  return database.run("UPDATE meta SET position = position");
}

}  // namespace

Result<std::unique_ptr<CheckpointStore>> open_store(const SqliteStoreOptions& options) {
  std::optional<LockFile> lock;
  if (options.vfs.empty() && !options.read_only) {
    auto taken = LockFile::take(options.path + ".lock", options.path);
    if (!taken) return fail(taken.error());
    lock = *std::move(taken);
  }
  auto database = open_state_file(options);
  if (!database) return fail(database.error());
  if (options.synced && !options.read_only) HASTUR_TRY(make_durable(*database));
  auto store = std::make_unique<SqliteStore>(*std::move(database), std::move(lock), options.synced);
  HASTUR_TRY(store->read_heads());
  return std::unique_ptr<CheckpointStore>(std::move(store));
}

}  // namespace hastur
