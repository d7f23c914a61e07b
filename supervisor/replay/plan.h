#pragma once

// What a replay is to run: which triggers, from which memory, over which inputs.
//
// A trigger begins with the newest memory that is kept from at or before the point asked for, and
// takes the inputs since then; what comes out before that point is not part of the answer. Where
// its run is the one that lived through them, the journal of that run is obeyed: what was skipped
// or paused then is so again. Without such a memory it begins at the point with the state that its
// script gives.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "trigger-runtime/host/run_stream.h"

namespace hastur {

// A place to begin or end: `--from`, `--to`.
struct SnapshotNumber {
  std::uint64_t value = 0;
  friend bool operator==(const SnapshotNumber&, const SnapshotNumber&) = default;
};
using ReplayPoint = std::variant<Sequence, Time, SnapshotNumber>;

// "s-12" is a snapshot; RFC 3339, "10m" (before `newest`) and digits that make microseconds since
// 1973 are times; smaller numbers are sequences.
Result<ReplayPoint> parse_replay_point(std::string_view text, std::optional<Time> newest);

// "s-12".
std::string snapshot_name(std::uint64_t number);

struct ReplayTrigger {
  StreamTrigger stream;
  // The run that it has now.
  RunRecord run;
  // What of that run's journal is obeyed.
  std::vector<JournalRecord> decisions = {};
  // For people: what it begins with.
  std::string begins_with;
};

struct ReplayPlan {
  std::vector<ReplayTrigger> triggers;
  // Inputs of at least one trigger begin after it.
  Sequence after;
  // The first input whose effects are part of the answer.
  Sequence begin;
};

// `name` empty: all triggers. `first_at` finds the first input of a time.
using FirstAt = std::function<Result<Sequence>(Time)>;
Result<ReplayPlan> plan_replay(CheckpointStore& store, const TriggerName& name,
                               const ReplayPoint& from, const FirstAt& first_at);

// The same for a file: every trigger begins with the state that its script gives.
Result<ReplayPlan> plan_file_replay(CheckpointStore& store, const TriggerName& name);

}  // namespace hastur
