#include "state/trigger_heads.h"

#include <fmt/format.h>

namespace hastur {
namespace {

Failure conflict(const TriggerName& trigger, std::string_view what, std::string_view cause) {
  return fail(ErrorCode::conflict,
              fmt::format("cannot commit the {} of trigger {}: {}", what, trigger, cause));
}

Result<void> check_run(const TriggerHead& head, const TriggerName& trigger, Run run,
                       std::string_view what) {
  if (!head.live) return conflict(trigger, what, "it does not run");
  if (run != head.run) {
    return conflict(
        trigger, what,
        fmt::format("it is of run {}, the trigger is at run {}", run.value, head.run.value));
  }
  return {};
}

Result<void> put_checkpoint(TriggerHead& head, const Checkpoint& checkpoint) {
  HASTUR_CHECK(checkpoint.effects_sequence >= checkpoint.state_sequence,
               "effects are complete at least up to the state");
  HASTUR_TRY(check_run(head, checkpoint.trigger, checkpoint.run, "checkpoint"));
  if (checkpoint.state_sequence < head.state_sequence) {
    return conflict(checkpoint.trigger, "checkpoint",
                    fmt::format("it is of sequence {}, the stored one of {}",
                                checkpoint.state_sequence.value, head.state_sequence.value));
  }
  if (checkpoint.effects_sequence < head.effects_sequence) {
    return conflict(checkpoint.trigger, "checkpoint",
                    fmt::format("its effects end at sequence {}, those stored at {}",
                                checkpoint.effects_sequence.value, head.effects_sequence.value));
  }
  head.state_sequence = checkpoint.state_sequence;
  head.effects_sequence = checkpoint.effects_sequence;
  const Time time = checkpoint.state_time;
  if (!checkpoint.state.empty() &&
      (!head.snapshot_time || is_snapshot_due(*head.snapshot_time, time, head.number))) {
    head.snapshot_time = time;
  }
  return {};
}

Result<void> put_mark(TriggerHead& head, const EffectsMark& mark) {
  HASTUR_TRY(check_run(head, mark.trigger, mark.run, "effects"));
  if (mark.effects_sequence < head.effects_sequence) {
    return conflict(mark.trigger, "effects",
                    fmt::format("they end at sequence {}, those stored at {}",
                                mark.effects_sequence.value, head.effects_sequence.value));
  }
  head.effects_sequence = mark.effects_sequence;
  return {};
}

Result<void> put_start(TriggerHead& head, const RunStart& start) {
  const Checkpoint& checkpoint = start.checkpoint;
  HASTUR_CHECK(checkpoint.trigger == start.run.trigger && checkpoint.run == start.run.run,
               "a run starts with a checkpoint of its own");
  if (start.run.run <= head.run) {
    return conflict(
        start.run.trigger, "start",
        fmt::format("run {} does not follow run {}", start.run.run.value, head.run.value));
  }
  head.run = start.run.run;
  head.live = true;
  head.state_sequence = {};
  head.effects_sequence = {};
  // What a run begins with is kept in any case.
  if (!checkpoint.state.empty()) head.snapshot_time = checkpoint.state_time;
  return put_checkpoint(head, checkpoint);
}

}  // namespace

void TriggerHeads::put(const TriggerName& name, const TriggerHead& head) {
  heads_.insert_or_assign(name, head);
  newest_number_ = std::max(newest_number_, head.number);
}

const TriggerHead* TriggerHeads::find(std::string_view name) const {
  const auto found = heads_.find(name);
  return found == heads_.end() ? nullptr : &found->second;
}

Result<TriggerHeads::Change> TriggerHeads::stage(const CommitBatch& batch) const {
  Change change;
  change.reserve(batch.checkpoints.size() + batch.marks.size() + batch.starts.size());
  std::uint64_t newest = newest_number_;
  const auto head = [&](const TriggerName& name) -> TriggerHead& {
    const auto [at, inserted] = change.try_emplace(name);
    if (inserted) {
      if (const TriggerHead* known = find(name)) {
        at->second = *known;
      } else {
        at->second.number = ++newest;
      }
    }
    return at->second;
  };

  const StartedRuns started(batch);
  for (const bool after_starts : {false, true}) {
    for (const Checkpoint& checkpoint : batch.checkpoints) {
      if (started.has(checkpoint) != after_starts) continue;
      HASTUR_TRY(put_checkpoint(head(checkpoint.trigger), checkpoint));
    }
    for (const EffectsMark& mark : batch.marks) {
      if (started.has(mark) != after_starts) continue;
      HASTUR_TRY(put_mark(head(mark.trigger), mark));
    }
    if (after_starts) break;
    for (const RunStart& start : batch.starts)
      HASTUR_TRY(put_start(head(start.run.trigger), start));
  }
  for (const auto& message : batch.messages) head(message.trigger);
  for (const auto& notification : batch.notifications) head(notification.trigger);
  for (const auto& log : batch.logs) head(log.trigger);
  for (const auto& record : batch.journal) head(record.trigger);
  for (const TriggerName& name : batch.removals) head(name).live = false;
  return change;
}

void TriggerHeads::apply(const Change& change) {
  for (const auto& [name, head] : change) put(TriggerName(name), head);
}

bool TriggerHeads::keeps_snapshot(const Change& change, const Checkpoint& checkpoint) const {
  const TriggerHead* before = find(checkpoint.trigger);
  const std::optional<Time>& kept = change.find(checkpoint.trigger)->second.snapshot_time;
  return kept == checkpoint.state_time && (before == nullptr || before->snapshot_time != kept);
}

StartedRuns::StartedRuns(const CommitBatch& batch) {
  for (const RunStart& start : batch.starts) runs_.emplace(start.run.trigger, start.run.run);
}

}  // namespace hastur
