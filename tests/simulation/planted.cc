#include "tests/simulation/planted.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "tests/support/forwarding_store.h"

namespace hastur::test {
namespace {

// After so many commits decisions are stored.
constexpr int commits_late = 10;

class PlantedStore final : public ForwardingStore {
 public:
  PlantedStore(Planted bug, std::unique_ptr<CheckpointStore> inner)
      : ForwardingStore(std::move(inner)), bug_(bug) {}

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

 private:
  Planted bug_;
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

  Result<std::optional<LostRange>> skip_behind(Sequence seen) override {
    return inner_->skip_behind(seen);
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
