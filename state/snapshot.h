#pragma once

// Memories kept for going back: the checkpoint of each minute for an hour, of each hour for a day,
// of each day for a month (DESIGN §9).
//
// Time is the stream's, and a trigger's own: age counts from its newest snapshot, so a trigger for
// which nothing came keeps what it has.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "message/ids.h"

namespace hastur {

struct SnapshotRecord {
  // The store's own, rising.
  std::uint64_t number = 0;
  TriggerName trigger;
  Run run;
  // The memory is that of exactly the inputs of the run up to here.
  Sequence sequence;
  Time time;
  std::uint64_t bytes = 0;
  // "cadence"; "start": what a run began with; "end": what was stored of a run when the next began.
  std::string why;
  friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};

struct Snapshot {
  SnapshotRecord record;
  // As in Checkpoint.
  std::string state;
  std::string runtime;
};

inline constexpr std::uint64_t snapshot_bytes_max = 256u << 20;  // of one trigger

// Whether a memory of time `now` is to be kept, when the newest one kept is of `newest`. Triggers
// change their minute at different seconds, so that not all are due at once: `trigger` is any
// number of the trigger's own.
bool is_snapshot_due(Time newest, Time now, std::uint64_t trigger);

// Which of a trigger's snapshots go: places in `kept`, which is in the order of time, oldest first.
// The newest stays, whatever it weighs; over `bytes_max` those go whose neighbours are nearest for
// their age.
std::vector<std::size_t> thin(std::span<const SnapshotRecord> kept,
                              std::uint64_t bytes_max = snapshot_bytes_max);

}  // namespace hastur
