#pragma once

// Test cases of what a look at growth (hunt_growth.h) has seen, of the few messages that it fed.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/test_file.h"

namespace hastur {

// `few` in turn at `times` after the usual start, as a look fed them, of those the last `count` and
// then a tick: where a look failed, the times may be why. Spans between them are lost ones, as the
// look had no ticks in them.
TestCase leading_to(const std::vector<MessageSpec>& few, const std::vector<Micros>& times,
                    std::size_t count);

// A test that asks for a state of the size that it has half-way, and so fails; `few` are repeated,
// so far apart, until the state is some 64 KiB large, by what it came to in a look. Nothing if it
// would take too many ticks, or the state does not grow in it. An error is one of the machine.
struct CameTo {
  std::size_t bytes = 0;
  std::size_t messages = 0;
  // Each message had a value of its own (make_sparse_stream).
  bool has_own_values = false;
};
Result<std::optional<TestCase>> growing_case(HuntRuns& runs, const std::vector<MessageSpec>& few,
                                             const CameTo& look, Micros apart);

// The same for what grows by the day: `few` in turn, each after a day in which the trigger did not
// run.
Result<std::optional<TestCase>> growing_case_by_days(HuntRuns& runs,
                                                     const std::vector<MessageSpec>& few);

}  // namespace hastur
