#pragma once

// Whether a state grows without end while the same few senders go on.

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/report.h"

namespace hastur {

struct Growth {
  // What grows and where it is written.
  ReportedFailure finding;
  // A test that fails until it no longer does, and its name; nothing if that would take too long.
  std::optional<TestCase> test;
  std::string title;
};

// Nothing if nothing grows. What helpers keep is left aside: they bound it themselves.
Result<std::optional<Growth>> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                          const CaseMaker& cases, std::uint64_t seed);

}  // namespace hastur
