#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "core/random.h"
#include "state/checkpoint_store.h"
#include "state/memory_deployments.h"
#include "state/trigger_heads.h"

namespace hastur {
namespace {

bool is_pause_or_resume(const JournalRecord& record) {
  return record.decision == "pause" || record.decision == "resume";
}

class MemoryStore final : public CheckpointStore {
 public:
  MemoryStore() : owner_{random_bytes16()} {}

  const OwnerId& owner() const override { return owner_; }
  std::optional<StreamId> stream() const override { return stream_; }
  Result<void> bind(const StreamId& stream) override {
    if (stream_ && *stream_ != stream) {
      return fail(ErrorCode::conflict,
                  fmt::format("cannot bind the store to stream {}: it is bound to {}",
                              stream.to_string(), stream_->to_string()));
    }
    stream_ = stream;
    return {};
  }

  Epoch epoch() const override { return epoch_; }
  Result<void> take_epoch(Epoch epoch) override {
    if (epoch < epoch_) {
      return fail(ErrorCode::stale, fmt::format("cannot take epoch {}: the store is at epoch {}",
                                                epoch.value, epoch_.value));
    }
    epoch_ = epoch;
    return {};
  }

  Result<std::vector<StoredTrigger>> load_all() override {
    std::vector<StoredTrigger> found;
    for (const auto& [name, checkpoint] : checkpoints_) {
      if (heads_.find(name)->live) found.push_back(stored(checkpoint));
    }
    return found;
  }
  Result<std::optional<StoredTrigger>> load(const TriggerName& trigger) override {
    const TriggerHead* head = heads_.find(trigger);
    if (head == nullptr || !head->live) return std::optional<StoredTrigger>();
    return std::optional(stored(checkpoints_.at(trigger)));
  }
  Result<std::optional<StoredTrigger>> load_removed(const TriggerName& trigger) override {
    const TriggerHead* head = heads_.find(trigger);
    const auto found = checkpoints_.find(trigger);
    if (head == nullptr || head->live || found == checkpoints_.end()) {
      return std::optional<StoredTrigger>();
    }
    return std::optional(
        StoredTrigger{runs_.at({trigger, found->second.run}).record, found->second, {}});
  }
  Run newest_run(const TriggerName& trigger) const override {
    const TriggerHead* head = heads_.find(trigger);
    return head == nullptr ? Run{} : head->run;
  }
  Result<std::optional<VersionRecord>> version(const VersionId& id) override {
    const auto found = versions_.find(id);
    return found == versions_.end() ? std::optional<VersionRecord>() : found->second;
  }
  Result<std::vector<JournalRecord>> journal(const TriggerName& trigger, Run run) override {
    std::vector<JournalRecord> found;
    for (const JournalRecord& record : journal_) {
      if (record.trigger == trigger && record.run == run) found.push_back(record);
    }
    std::ranges::stable_sort(found, {}, &JournalRecord::sequence);
    return found;
  }
  Sequence position() const override { return position_; }

  Result<void> commit(CommitBatch& batch) override {
    auto change = heads_.stage(batch);
    if (!change) return fail(change.error());
    for (const RunStart& start : batch.starts) {
      const VersionId& id = start.run.version;
      const bool comes =
          std::any_of(batch.starts.begin(), batch.starts.end(),
                      [&](const auto& other) { return other.version && other.version->id == id; });
      if (comes || versions_.contains(id)) continue;
      return fail(ErrorCode::not_found,
                  fmt::format("cannot start run {} of trigger {}: its version {} is not stored",
                              start.run.run.value, start.run.trigger, id));
    }
    std::set<const Checkpoint*> kept;
    for (const Checkpoint& checkpoint : batch.checkpoints) {
      if (heads_.keeps_snapshot(*change, checkpoint)) kept.insert(&checkpoint);
    }
    heads_.apply(*change);
    const StartedRuns started(batch);
    write_checkpoints(batch, started, false, kept);
    for (const RunStart& start : batch.starts) write_start(start);
    write_checkpoints(batch, started, true, kept);

    outbox_.insert(outbox_.end(), batch.messages.begin(), batch.messages.end());
    for (NotificationRecord& notification : batch.notifications) {
      notification.id = ++newest_notification_;
      notifications_.push_back(notification);
      follow_incident(notification);
    }
    for (const NotificationChange& each : batch.notification_changes) apply(each);
    for (NotifyOrder& order : batch.orders) {
      if (order.number == 0) {
        order.number = ++newest_order_;
        orders_.push_back(order);
      } else if (const auto at = std::ranges::find(orders_, order.number, &NotifyOrder::number);
                 at != orders_.end()) {
        at->ended = order.ended;
        at->end_why = order.end_why;
      }
    }
    for (const ReceiverRest& rest : batch.receiver_rests) {
      receiver_rests_.erase(rest.name);
      if (!rest.over) receiver_rests_[rest.name] = rest;
    }
    for (const LogRecord& log : batch.logs) {
      std::deque<LogRecord>& logs = logs_[log.trigger];
      logs.push_back(log);
      if (logs.size() > logs_max) logs.pop_front();
    }
    journal_.insert(journal_.end(), batch.journal.begin(), batch.journal.end());
    for (const VersionRecord& version : batch.versions) versions_.try_emplace(version.id, version);
    deployments_.take(batch);
    for (const TriggerName& name : batch.removals) end_run(name, {});
    if (batch.position) position_ = *batch.position;
    return {};
  }

  Result<std::vector<OutboxMessage>> outbox(std::size_t skip, std::size_t max) override {
    const std::size_t first = std::min(skip, outbox_.size());
    const std::size_t count = std::min(max, outbox_.size() - first);
    const auto begin = outbox_.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<OutboxMessage>(begin, begin + static_cast<std::ptrdiff_t>(count));
  }
  std::size_t outbox_size() const override { return outbox_.size(); }
  Result<void> acknowledge(const TriggerName& trigger, Run run, Sequence sequence,
                           std::uint32_t ordinal) override {
    std::erase_if(outbox_, [&](const OutboxMessage& message) {
      return message.trigger == trigger &&
             std::tie(message.run, message.sequence, message.ordinal) <=
                 std::tie(run, sequence, ordinal);
    });
    return {};
  }

  Result<std::vector<NotificationRecord>> notifications(const NotificationQuery& query) override {
    std::vector<NotificationRecord> found;
    const auto take = [&](const NotificationRecord& record) {
      if (found.size() == query.max || record.id <= query.after_id) return;
      if (query.before_id != 0 && record.id >= query.before_id) return;
      if (query.since && record.time < *query.since) return;
      if (query.status && record.status != *query.status) return;
      if (!query.trigger.empty() && record.trigger != query.trigger) return;
      found.push_back(record);
    };
    if (query.newest_first) {
      std::for_each(notifications_.rbegin(), notifications_.rend(), take);
    } else {
      std::ranges::for_each(notifications_, take);
    }
    return found;
  }
  Result<std::vector<NotificationRecord>> notifications_of(
      std::span<const std::uint64_t> ids) override {
    std::vector<NotificationRecord> found;
    for (const std::uint64_t id : ids) {
      const auto at = std::ranges::find(notifications_, id, &NotificationRecord::id);
      if (at != notifications_.end()) found.push_back(*at);
    }
    return found;
  }
  Result<std::vector<Incident>> incidents(const IncidentQuery& query) override {
    std::vector<Incident> found;
    for (const Incident& incident : incidents_) {
      if (found.size() == query.max) break;
      if (incident.number <= query.after_number) continue;
      if (!query.trigger.empty() && incident.trigger != query.trigger) continue;
      if (incident.state == IncidentState::closed && !query.closed_too) continue;
      if (query.mistold && (incident.state == IncidentState::closed) != incident.told_open)
        continue;
      found.push_back(incident);
    }
    return found;
  }
  Result<std::optional<Incident>> incident(const TriggerName& trigger, std::string_view channel,
                                           std::string_view key) override {
    const Incident* found = find_incident(trigger, channel, key);
    return found == nullptr ? std::optional<Incident>() : *found;
  }
  Result<std::vector<NotifyOrder>> orders(const OrderQuery& query) override {
    std::vector<NotifyOrder> found;
    for (const NotifyOrder& order : orders_) {
      if (found.size() == query.max) break;
      if (order.number > query.after_number && (query.ended_too || !order.ended))
        found.push_back(order);
    }
    return found;
  }
  Result<std::vector<ReceiverRest>> receiver_rests() override {
    std::vector<ReceiverRest> found;
    for (const auto& [name, rest] : receiver_rests_) found.push_back(rest);
    return found;
  }
  Result<std::vector<SnapshotRecord>> snapshots(const TriggerName& trigger) override {
    std::vector<SnapshotRecord> found;
    const auto kept = snapshots_.find(trigger);
    if (kept == snapshots_.end()) return found;
    for (auto at = kept->second.rbegin(); at != kept->second.rend(); ++at)
      found.push_back(at->record);
    return found;
  }
  Result<std::optional<Snapshot>> snapshot(std::uint64_t number) override {
    for (const auto& [trigger, kept] : snapshots_) {
      for (const Snapshot& snapshot : kept) {
        if (snapshot.record.number == number) return std::optional(snapshot);
      }
    }
    return std::optional<Snapshot>();
  }
  Result<std::optional<RunRecord>> run(const TriggerName& trigger, Run run) override {
    const auto found = runs_.find({trigger, run});
    return found == runs_.end() ? std::optional<RunRecord>() : found->second.record;
  }
  Result<std::vector<DeploymentRecord>> deployments(const DeploymentQuery& query) override {
    return deployments_.find(query);
  }
  Result<std::vector<Pin>> pins() override { return deployments_.pins(); }
  Result<std::vector<LogRecord>> logs(const TriggerName& trigger, std::uint32_t max) override {
    const auto found = logs_.find(trigger);
    if (found == logs_.end()) return std::vector<LogRecord>();
    const auto& logs = found->second;
    const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(max, logs.size()));
    return std::vector<LogRecord>(logs.rbegin(), logs.rbegin() + count);
  }

  // It is small or short-lived: one call forgets everything.
  Result<Pruned> prune(const Retention& retention) override {
    std::size_t rows = std::erase_if(notifications_, [&](const NotificationRecord& record) {
      return record.time < retention.notifications_before &&
             record.status != NotificationStatus::waiting &&
             record.status != NotificationStatus::pending;
    });
    rows += std::erase_if(incidents_, [&](const Incident& incident) {
      return incident.changed < retention.notifications_before &&
             incident.state == IncidentState::closed;
    });
    rows += std::erase_if(orders_, [&](const NotifyOrder& order) {
      return order.ended && *order.ended < retention.notifications_before;
    });
    rows += std::erase_if(receiver_rests_, [&](const auto& entry) {
      return entry.second.until < retention.notifications_before;
    });
    for (auto& [name, kept] : snapshots_) {
      const std::uint64_t newest = kept.empty() ? 0 : kept.back().record.number;
      const bool live = heads_.find(name)->live;
      rows += std::erase_if(kept, [&](const Snapshot& snapshot) {
        return snapshot.record.time < retention.notifications_before &&
               (snapshot.record.number != newest || !live);
      });
    }
    rows += std::erase_if(journal_, [&](const JournalRecord& record) {
      return record.sequence < retention.oldest && !recovery_may_need(record);
    });
    rows += std::erase_if(checkpoints_, [&](const auto& entry) {
      const auto& [name, checkpoint] = entry;
      return !heads_.find(name)->live && runs_.at({name, checkpoint.run}).ended < retention.oldest;
    });
    rows += std::erase_if(runs_, [&](const auto& entry) {
      const auto& [key, run] = entry;
      const auto checkpoint = checkpoints_.find(key.first);
      const bool named = checkpoint != checkpoints_.end() && checkpoint->second.run == key.second;
      return !named && !has_snapshot(key.first, key.second) && run.ended &&
             *run.ended < retention.oldest;
    });
    rows += deployments_.prune(retention.notifications_before);
    rows += std::erase_if(versions_, [&](const auto& version) {
      return !deployments_.names(version.first) &&
             std::none_of(runs_.begin(), runs_.end(), [&](const auto& run) {
               return run.second.record.version == version.first;
             });
    });
    return Pruned{rows, false};
  }

  std::uint64_t bytes_on_disk() const override { return 0; }

 private:
  struct KeptRun {
    RunRecord record;
    std::optional<Sequence> ended;
  };

  Incident* find_incident(std::string_view trigger, std::string_view channel,
                          std::string_view key) {
    const auto found = std::ranges::find_if(incidents_, [&](const Incident& incident) {
      return incident.trigger == trigger && incident.channel == channel && incident.key == key;
    });
    return found == incidents_.end() ? nullptr : &*found;
  }
  void follow_incident(const NotificationRecord& record) {
    if (record.key.empty()) return;
    Incident* incident = find_incident(record.trigger, record.channel, record.key);
    if (incident == nullptr) {
      if (record.action != NotificationAction::trigger) return;
      incident = &incidents_.emplace_back();
      incident->number = ++newest_incident_;
      incident->trigger = record.trigger;
      incident->channel = record.channel;
      incident->key = record.key;
    }
    follow(*incident, record);
  }
  void apply(const NotificationChange& change) {
    const auto at = std::ranges::find(notifications_, change.id, &NotificationRecord::id);
    if (at == notifications_.end()) return;
    if (Incident* incident = find_incident(at->trigger, at->channel, at->key))
      follow(*incident, *at, change);
    at->status = change.status;
    at->reason = change.reason;
    at->sent_at = change.sent_at;
    if (change.progress) at->progress = *change.progress;
  }

  // Of the stored checkpoint; as SnapshotTable::keep.
  void keep_snapshot(const TriggerName& trigger, std::string_view why) {
    const auto found = checkpoints_.find(trigger);
    if (found == checkpoints_.end() || found->second.state.empty()) return;
    const Checkpoint& checkpoint = found->second;
    std::vector<Snapshot>& kept = snapshots_[trigger];
    Snapshot snapshot{{.number = newest_snapshot_ + 1,
                       .trigger = trigger,
                       .run = checkpoint.run,
                       .sequence = checkpoint.state_sequence,
                       .time = checkpoint.state_time,
                       .bytes = checkpoint.state.size() + checkpoint.runtime.size(),
                       .why = std::string(why)},
                      checkpoint.state,
                      checkpoint.runtime};
    const SnapshotRecord& record = snapshot.record;
    const auto there = std::ranges::find_if(kept, [&](const Snapshot& each) {
      return each.record.time == record.time && each.record.run == record.run &&
             each.record.sequence == record.sequence;
    });
    if (there != kept.end()) {
      if (why == "end" && there->record.why == "cadence") there->record.why = "end";
    } else {
      ++newest_snapshot_;
      kept.insert(std::ranges::upper_bound(kept, record.time, {},
                                           [](const Snapshot& each) { return each.record.time; }),
                  std::move(snapshot));
    }
    std::vector<SnapshotRecord> records;
    for (const Snapshot& each : kept) records.push_back(each.record);
    const std::vector<std::size_t> gone = thin(records);
    for (auto at = gone.rbegin(); at != gone.rend(); ++at)
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(*at));
  }
  bool has_snapshot(const TriggerName& trigger, Run run) const {
    const auto kept = snapshots_.find(trigger);
    return kept != snapshots_.end() && std::ranges::any_of(kept->second, [&](const Snapshot& each) {
             return each.record.run == run;
           });
  }

  void write_checkpoints(const CommitBatch& batch, const StartedRuns& started, bool after_starts,
                         const std::set<const Checkpoint*>& kept) {
    for (const Checkpoint& checkpoint : batch.checkpoints) {
      if (started.has(checkpoint) != after_starts) continue;
      checkpoints_[checkpoint.trigger] = checkpoint;
      if (kept.contains(&checkpoint)) keep_snapshot(checkpoint.trigger, "cadence");
    }
    for (const EffectsMark& mark : batch.marks) {
      if (started.has(mark) != after_starts) continue;
      Checkpoint& checkpoint = checkpoints_[mark.trigger];
      checkpoint.effects_sequence = mark.effects_sequence;
      checkpoint.effects_hash = mark.effects_hash;
    }
  }

  void write_start(const RunStart& start) {
    if (start.version) versions_.try_emplace(start.version->id, *start.version);
    end_run(start.run.trigger, start.run.after);
    keep_snapshot(start.run.trigger, "end");
    runs_[{start.run.trigger, start.run.run}] = {start.run, std::nullopt};
    checkpoints_[start.run.trigger] = start.checkpoint;
    keep_snapshot(start.run.trigger, "start");
  }

  void end_run(const TriggerName& trigger, Sequence successor_after) {
    const auto checkpoint = checkpoints_.find(trigger);
    if (checkpoint == checkpoints_.end()) return;
    KeptRun& run = runs_.at({trigger, checkpoint->second.run});
    if (!run.ended) run.ended = std::max(checkpoint->second.effects_sequence, successor_after);
  }

  StoredTrigger stored(const Checkpoint& checkpoint) const {
    StoredTrigger found{runs_.at({checkpoint.trigger, checkpoint.run}).record, checkpoint, {}};
    std::optional<JournalRecord> pause;
    for (const JournalRecord& record : journal_) {
      if (record.trigger != checkpoint.trigger || record.run != checkpoint.run) continue;
      if (record.sequence > checkpoint.state_sequence) {
        found.journal.push_back(record);
      } else if (record.decision == "pause") {
        pause = record;
      } else if (record.decision == "resume") {
        pause.reset();
      }
    }
    std::stable_sort(found.journal.begin(), found.journal.end(),
                     [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    if (pause) found.journal.insert(found.journal.begin(), *std::move(pause));
    return found;
  }

  bool recovery_may_need(const JournalRecord& record) const {
    const auto checkpoint = checkpoints_.find(record.trigger);
    if (is_pause_or_resume(record) && has_snapshot(record.trigger, record.run)) return true;
    return checkpoint != checkpoints_.end() && checkpoint->second.run == record.run &&
           (record.sequence > checkpoint->second.state_sequence || is_pause_or_resume(record));
  }

  OwnerId owner_;
  std::optional<StreamId> stream_;
  Epoch epoch_;
  Sequence position_;
  TriggerHeads heads_;
  // Of removed triggers too.
  std::map<TriggerName, Checkpoint> checkpoints_;
  std::map<std::pair<TriggerName, Run>, KeptRun> runs_;
  std::map<VersionId, VersionRecord> versions_;
  std::deque<OutboxMessage> outbox_;
  std::deque<NotificationRecord> notifications_;
  std::uint64_t newest_notification_ = 0;
  std::map<std::string, ReceiverRest> receiver_rests_;
  std::deque<Incident> incidents_;  // in the order of their numbers
  std::uint64_t newest_incident_ = 0;
  std::deque<NotifyOrder> orders_;
  std::uint64_t newest_order_ = 0;
  std::map<TriggerName, std::vector<Snapshot>> snapshots_;  // in the order of time
  std::uint64_t newest_snapshot_ = 0;
  std::map<TriggerName, std::deque<LogRecord>> logs_;
  std::vector<JournalRecord> journal_;
  MemoryDeployments deployments_;
};

}  // namespace

std::unique_ptr<CheckpointStore> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace hastur
