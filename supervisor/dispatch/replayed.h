#pragma once

// What a replay hands over so that it takes a trigger's place (DESIGN §10, docs/replay.md).
//
// The replay runs beside the supervisor, in a process of its own, and keeps what comes out in a
// file that has the form of a state file. The run in it is whole: it began with a memory of before
// its first input, has taken every input up to where the trigger is held, and has the number that
// it will have. So taking it over is one commit.

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

// Which run of a trigger is to give way to which.
struct ReplayClaim {
  TriggerName trigger;
  Run replaces;
  Run run;
  friend bool operator==(const ReplayClaim&, const ReplayClaim&) = default;
};

struct ReplayedRun {
  // Its checkpoint is the memory that it began with, of `run.after` or of before.
  RunStart start;
  // The memory at the last input that it took.
  Checkpoint end;
  // What came out of the inputs after `start.run.after`, in order.
  std::vector<OutboxMessage> corrections;
  std::vector<NotificationRecord> notifications;
  // What it obeyed.
  std::vector<JournalRecord> decisions;
};

// Effects that can be handed over: they become true in one commit.
inline constexpr std::uint64_t replayed_effects_max = 1'000'000;

// All runs in the file. `invalid` if they have too many effects.
Result<std::vector<ReplayedRun>> read_replayed(CheckpointStore& file);

// The reason of notifications that wait for somebody to release them.
inline constexpr std::string_view offered_reason = "replay";

// Decides what becomes of a replay's notifications, which are all of one trigger, in their order,
// with channel, key and action: pending what is still news, to be released by somebody; closed the
// others, with the reason. Those that are closed already stay so. Whatever the trigger asked for
// before is committed.
Result<void> offer_replayed(CheckpointStore& store, std::vector<NotificationRecord>& records);

}  // namespace hastur
