#pragma once

// What a trigger remembers by a pass in this process over History, in which one version gives way
// to the next where the journal says so.

#include <map>
#include <tuple>

#include "core/json.h"
#include "state/checkpoint_store.h"
#include "state/history/history.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// For triggers none of whose calls failed, and that nobody paused.
class SwitchPass {
 public:
  // Both outlive it.
  SwitchPass(History& history, CheckpointStore& store) : history_(history), store_(store) {}

  // The memory of a run after the input `through`. Failures of the test if the store does not say
  // how the run began.
  Memory memory_at(const TriggerName& name, Run run, Sequence through);

 private:
  struct Begin {
    // Without a state: that of the script.
    Memory memory;
    std::optional<VersionId> migrate_from;
    std::optional<WarmHelpers> warm = std::nullopt;
  };
  Begin begin_of(const RunRecord& record);
  Begin switched(const RunRecord& record, const Json& detail);
  Begin restored(const RunRecord& record, const Json& detail);
  JournalRecord beginning(const TriggerName& name, Run run);
  VersionId version_of(const TriggerName& name, Run run);
  Memory run(const RunRecord& record, const Begin& begin, Sequence through);

  History& history_;
  CheckpointStore& store_;
  std::map<std::tuple<TriggerName, Run, Sequence>, Memory> known_;
};

}  // namespace hastur
