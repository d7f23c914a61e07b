#pragma once

// Which of a trigger's runs an input counts in: the newest that took it (DESIGN §10).
//
// A replay's run begins long before it takes over, so the run before it has taken some of its
// inputs too. What came of them then is superseded.

#include <map>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

// A picture of the moment at which a trigger is first asked about. `store` outlives it.
class RunOrder {
 public:
  explicit RunOrder(CheckpointStore& store) : store_(store) {}

  // Whether a newer run of the trigger has taken this input again.
  Result<bool> is_superseded(const TriggerName& trigger, Run run, Sequence sequence);

  // The runs that replays began and that are still kept, oldest first.
  struct Replay {
    Run run;
    // Its first input; and the first that it took live, from which on its corrections stand in the
    // stream.
    Sequence first, live;
  };
  Result<std::vector<Replay>> replays(const TriggerName& trigger);

 private:
  struct Kept {
    Run run;
    Sequence after;
    bool is_replay = false;
    // The least `after` of the newer runs.
    Sequence newer_after;
  };
  Result<const std::vector<Kept>*> runs(const TriggerName& trigger);

  CheckpointStore& store_;
  std::map<TriggerName, std::vector<Kept>> runs_;
};

}  // namespace hastur
