#pragma once

// Writes one batch into the tables of a state file, within the transaction of its caller.

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "state/deployment_table.h"
#include "state/notification_table.h"
#include "state/outbox_index.h"
#include "state/snapshot_table.h"
#include "state/sqlite/database.h"
#include "state/trigger_heads.h"

namespace hastur {

class CommitWriter {
 public:
  // `heads` are those before the batch, `change` what becomes of them. All must outlive the writer.
  CommitWriter(Database& database, const TriggerHeads& heads, const TriggerHeads::Change& change,
               Epoch epoch)
      : database_(database),
        heads_(heads),
        change_(change),
        epoch_(epoch),
        deployments_(database),
        notifications_(database),
        snapshots_(database) {}

  // All but the outbox's old rows. `first_outbox_id` is the id of the first of the batch's
  // messages.
  Result<void> write(const CommitBatch& batch, std::uint64_t first_outbox_id);

  // After write(), for whoever commits: the new rows of the outbox, the ids of the
  // notifications and the numbers of the orders.
  const std::vector<OutboxIndex::Row>& outbox_rows() const { return outbox_rows_; }
  const std::vector<std::uint64_t>& notification_ids() const { return notification_ids_; }
  const std::vector<std::uint64_t>& order_numbers() const { return order_numbers_; }

 private:
  std::uint64_t number(std::string_view trigger) const {
    return change_.find(trigger)->second.number;
  }
  Result<void> write_triggers();
  Result<void> write_checkpoints(const CommitBatch& batch, const StartedRuns& started,
                                 bool after_starts);
  Result<void> write_checkpoint(const Checkpoint& checkpoint);
  Result<void> write_starts(const CommitBatch& batch);
  Result<void> write_version(const VersionRecord& version);
  Result<std::int64_t> write_source(const std::string& text);
  Result<void> end_run(std::string_view trigger, Sequence successor_after);
  Result<void> write_messages(const CommitBatch& batch, std::uint64_t first_id);
  Result<void> write_notifications(const CommitBatch& batch);
  Result<void> write_logs(const CommitBatch& batch);
  Result<void> write_journal(const CommitBatch& batch);
  Result<void> write_deployments(const CommitBatch& batch);

  Database& database_;
  const TriggerHeads& heads_;
  const TriggerHeads::Change& change_;
  Epoch epoch_;
  DeploymentTable deployments_;
  NotificationTable notifications_;
  SnapshotTable snapshots_;
  std::vector<OutboxIndex::Row> outbox_rows_;
  std::vector<std::uint64_t> notification_ids_;
  std::vector<std::uint64_t> order_numbers_;
};

}  // namespace hastur
