#pragma once

// What a trigger's present run knows of the runs before it: how far each of them is part of the
// memory that it goes on with. A run that begins with a snapshot, or that a replay began, knows
// nothing of what the run before it did since.

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
};

}  // namespace hastur
