#pragma once

// Whether a state grows without end while the same few senders go on.

#include <cstdint>
#include <optional>

#include "core/result.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/report.h"

namespace hastur {

// What grows and where it is written; nothing if nothing does. What helpers keep is left aside:
// they bound it themselves.
Result<std::optional<ReportedFailure>> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                                   const CaseMaker& cases, std::uint64_t seed);

}  // namespace hastur
