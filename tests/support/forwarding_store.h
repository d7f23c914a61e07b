#pragma once

// A store that does what another does, for tests that change a part of it.

#include <memory>
#include <utility>

#include "state/checkpoint_store.h"

namespace hastur::test {

class ForwardingStore : public CheckpointStore {
 public:
  explicit ForwardingStore(std::unique_ptr<CheckpointStore> inner) : inner_(std::move(inner)) {}

  Result<void> commit(CommitBatch& batch) override { return inner_->commit(batch); }
  Result<std::vector<StoredTrigger>> load_all() override { return inner_->load_all(); }
  Result<std::vector<OutboxMessage>> outbox(std::size_t skip, std::size_t max) override {
    return inner_->outbox(skip, max);
  }
  std::size_t outbox_size() const override { return inner_->outbox_size(); }
  Result<void> acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                           std::uint32_t ordinal) override {
    return inner_->acknowledge(trigger, run, sequence, ordinal);
  }
  const OwnerId& owner() const override { return inner_->owner(); }
  std::optional<StreamId> stream() const override { return inner_->stream(); }
  Result<void> bind(const StreamId& stream) override { return inner_->bind(stream); }
  Epoch epoch() const override { return inner_->epoch(); }
  Result<void> take_epoch(Epoch epoch) override { return inner_->take_epoch(epoch); }
  Result<std::optional<StoredTrigger>> load(const TriggerName& trigger) override {
    return inner_->load(trigger);
  }
  Result<std::optional<StoredTrigger>> load_removed(const TriggerName& trigger) override {
    return inner_->load_removed(trigger);
  }
  Run newest_run(const TriggerName& trigger) const override { return inner_->newest_run(trigger); }
  Result<std::optional<VersionRecord>> version(const VersionId& id) override {
    return inner_->version(id);
  }
  Result<std::optional<RunRecord>> run(const TriggerName& trigger, Run run) override {
    return inner_->run(trigger, run);
  }
  Sequence position() const override { return inner_->position(); }
  Result<std::vector<JournalRecord>> journal(const TriggerName& trigger, Run run) override {
    return inner_->journal(trigger, run);
  }
  Result<std::vector<NotificationRecord>> notifications(const NotificationQuery& query) override {
    return inner_->notifications(query);
  }
  Result<std::vector<NotificationRecord>> notifications_of(
      std::span<const std::uint64_t> ids) override {
    return inner_->notifications_of(ids);
  }
  Result<std::vector<Incident>> incidents(const IncidentQuery& query) override {
    return inner_->incidents(query);
  }
  Result<std::optional<Incident>> incident(const TriggerName& trigger, std::string_view channel,
                                           std::string_view key) override {
    return inner_->incident(trigger, channel, key);
  }
  Result<std::vector<NotifyOrder>> orders(const OrderQuery& query) override {
    return inner_->orders(query);
  }
  Result<std::vector<ReceiverRest>> receiver_rests() override { return inner_->receiver_rests(); }
  Result<std::vector<SnapshotRecord>> snapshots(const TriggerName& trigger) override {
    return inner_->snapshots(trigger);
  }
  Result<std::optional<Snapshot>> snapshot(std::uint64_t number) override {
    return inner_->snapshot(number);
  }
  Result<std::vector<DeploymentRecord>> deployments(const DeploymentQuery& query) override {
    return inner_->deployments(query);
  }
  Result<std::vector<Pin>> pins() override { return inner_->pins(); }
  Result<std::vector<LogRecord>> logs(const TriggerName& trigger, std::uint32_t max) override {
    return inner_->logs(trigger, max);
  }
  Result<Pruned> prune(const Retention& retention) override { return inner_->prune(retention); }
  std::uint64_t bytes_on_disk() const override { return inner_->bytes_on_disk(); }

 protected:
  std::unique_ptr<CheckpointStore> inner_;
};

}  // namespace hastur::test
