#include "tests/simulation/planted.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace hastur::test {
namespace {

// After so many commits decisions are stored.
constexpr int commits_late = 10;

class PlantedStore final : public CheckpointStore {
 public:
  PlantedStore(Planted bug, std::unique_ptr<CheckpointStore> inner)
      : bug_(bug), inner_(std::move(inner)) {}

  Result<void> commit(CommitBatch& batch) override {
    if (bug_ == Planted::release_before_commit) {
      if (!held_.empty()) HASTUR_TRY(inner_->commit(held_));
      held_ = batch;
      return {};
    }
    CommitBatch changed = batch;
    if (bug_ == Planted::wrong_sequence) {
      for (Checkpoint& checkpoint : changed.checkpoints) {
        checkpoint.state_sequence = checkpoint.state_sequence.next();
        checkpoint.effects_sequence =
            std::max(checkpoint.effects_sequence, checkpoint.state_sequence);
      }
    }
    if (bug_ == Planted::decisions_late) {
      held_.journal.insert(held_.journal.end(), changed.journal.begin(), changed.journal.end());
      changed.journal.clear();
      if (++since_journal_ > commits_late) std::swap(changed.journal, held_.journal);
    }
    const auto committed = inner_->commit(changed);
    if (since_journal_ > commits_late) {
      if (!committed) std::swap(changed.journal, held_.journal);
      since_journal_ = 0;
    }
    return committed;
  }
  Result<std::vector<StoredTrigger>> load_all() override {
    auto all = inner_->load_all();
    if (!all || bug_ != Planted::effects_not_compared) return all;
    for (StoredTrigger& trigger : *all) {
      trigger.checkpoint.effects_sequence = trigger.checkpoint.state_sequence;
      trigger.checkpoint.effects_hash = 0;
    }
    return all;
  }
  Result<std::vector<OutboxMessage>> outbox(std::size_t skip, std::size_t max) override {
    auto kept = inner_->outbox(0, inner_->outbox_size());
    if (!kept) return kept;
    kept->insert(kept->end(), held_.messages.begin(), held_.messages.end());
    kept->erase(kept->begin(),
                kept->begin() + static_cast<std::ptrdiff_t>(std::min(skip, kept->size())));
    if (kept->size() > max) kept->resize(max);
    return kept;
  }
  std::size_t outbox_size() const override { return inner_->outbox_size() + held_.messages.size(); }
  Result<void> acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                           std::uint32_t ordinal) override {
    std::erase_if(held_.messages, [&](const OutboxMessage& each) {
      return each.trigger == trigger && std::tuple(each.run, each.sequence, each.ordinal) <=
                                            std::tuple(run, sequence, ordinal);
    });
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

 private:
  Planted bug_;
  std::unique_ptr<CheckpointStore> inner_;
  CommitBatch held_;
  int since_journal_ = 0;
};

class PlantedHistory final : public History {
 public:
  explicit PlantedHistory(std::unique_ptr<History> inner) : inner_(std::move(inner)) {}

  Result<void> append(const Batch& batch, const AppendFacts& facts) override {
    AppendFacts changed = facts;
    std::vector<DerivedMark> marks;
    for (const auto& [name, mark] : held_) marks.push_back(mark);
    changed.marks = marks;
    HASTUR_TRY(inner_->append(batch, changed));
    held_.clear();
    for (const DerivedMark& mark : facts.marks) held_[mark.trigger] = mark;
    return {};
  }
  std::optional<DerivedMark> mark(const TriggerName& trigger) const override {
    const auto found = held_.find(trigger);
    return found != held_.end() ? std::optional(found->second) : inner_->mark(trigger);
  }

  const StreamId& stream() const override { return inner_->stream(); }
  Sequence last() const override { return inner_->last(); }
  std::optional<Time> stream_time() const override { return inner_->stream_time(); }
  std::optional<Time> received_at() const override { return inner_->received_at(); }
  Sequence oldest() const override { return inner_->oldest(); }
  Result<std::vector<Batch>> read(Sequence from, const ReadLimits& limits) override {
    return inner_->read(from, limits);
  }
  Result<Sequence> find(Time time) override { return inner_->find(time); }
  Result<std::vector<LostRange>> lost(Sequence first, Sequence last) const override {
    return inner_->lost(first, last);
  }
  std::optional<std::string> hostname(const std::string& uuid) const override {
    return inner_->hostname(uuid);
  }
  std::vector<HostName> hosts() const override { return inner_->hosts(); }
  std::map<std::string, std::uint64_t> counters() const override { return inner_->counters(); }
  Result<void> save_leases(std::span<const LeaseRecord> leases) override {
    return inner_->save_leases(leases);
  }
  std::vector<LeaseRecord> leases() const override { return inner_->leases(); }
  Result<bool> maintain(Time now) override { return inner_->maintain(now); }
  Size size() const override { return inner_->size(); }

 private:
  std::unique_ptr<History> inner_;
  std::map<TriggerName, DerivedMark> held_;
};

}  // namespace

std::unique_ptr<CheckpointStore> plant(Planted bug, std::unique_ptr<CheckpointStore> store) {
  if (bug == Planted::nothing || bug == Planted::marks_apart) return store;
  return std::make_unique<PlantedStore>(bug, std::move(store));
}

std::unique_ptr<History> plant(Planted bug, std::unique_ptr<History> history) {
  if (bug != Planted::marks_apart) return history;
  return std::make_unique<PlantedHistory>(std::move(history));
}

}  // namespace hastur::test
