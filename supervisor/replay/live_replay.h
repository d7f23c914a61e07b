#pragma once

// supervisor replay --into live: a replay that takes its triggers' place (docs/replay.md).
//
// It runs beside the supervisor until it has nearly caught up, and keeps what comes out in a file.
// Then the supervisor holds the triggers before one input; the replay takes what is missing up to
// there, and hands over its file: states, corrections and notifications become true in one commit.

#include "core/clock.h"
#include "core/result.h"
#include "supervisor/replay/replay_command.h"

namespace hastur {

// Says on standard error how far it is and what changes. Without `options.yes` nothing does.
Result<void> replay_into_live(const ReplayOptions& options, Clock& clock);

}  // namespace hastur
