#pragma once

// What a trigger's present run knows of the runs before it: how far each of them is part of the
// memory that it goes on with. A run that begins with a snapshot, or that a replay began, knows
// nothing of what the run before it did since.

#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

class MemoryLine {
 public:
  // Of the run of this trigger, from the journal.
  static Result<MemoryLine> of(CheckpointStore& store, const TriggerName& trigger, Run run);

  // Whether an input that `run` took is part of the present memory.
  bool holds(Run run, Sequence sequence) const;

 private:
  struct Part {
    Run run;
    Sequence through;
  };
  std::vector<Part> parts_;
  // Nothing up to here is part of it.
  Sequence after_;
};

// In the file of a replay, a decision about a run that began without a memory, at its first input.
inline constexpr std::string_view begins_fresh = "fresh";

// Of a decision "replay", whose answer begins after `after`: the input after which the run began
// with the state that its script gives, which may be before that; nothing if it began with a
// memory.
std::optional<Sequence> fresh_from(const JournalRecord& replay, Sequence after);

}  // namespace hastur
