#pragma once

// What a replay stands on: the state file, the stream that it belongs to, and the plan.

#include <memory>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/replay/history_source.h"
#include "supervisor/replay/plan.h"
#include "supervisor/replay/replay_command.h"

namespace hastur {

struct Survey {
  // The supervisor's, which may go on writing it.
  std::unique_ptr<CheckpointStore> store;
  StreamId stream;
  ReplayPlan plan;
  // The last input: of `--to`, or where the stream stands.
  Sequence last;
};

// The supervisor's state file, to be read.
Result<std::unique_ptr<CheckpointStore>> open_to_read(const std::string& path);

// The last input of `to` (ReplayOptions): where the stream stands, if it is empty. Before the first
// one if there is none.
Result<Sequence> last_input(const std::string& to, const PositionReply& stands,
                            HistorySource& source);

// Plans what the options ask for over History. An error names what does not fit.
Result<Survey> survey(const ReplayOptions& options, HistorySource& source);

}  // namespace hastur
