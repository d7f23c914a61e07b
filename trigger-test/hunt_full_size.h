#pragma once

// A list that grows, or a table whose keys are numbers, is made as long as each number of the
// script says that it might become: then it shows whether it grows on, and whether the calls that
// walk it still may.

#include <optional>
#include <vector>

#include "core/result.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/report.h"
#include "trigger-test/state_weight.h"

namespace hastur {

// What a look at growth came to.
struct FullSize {
  const std::vector<MessageSpec>& few;
  // What grew, by its keys in the state, up to the memory `end`, in so many messages.
  const StatePath& path;
  const Memory& end;
  std::size_t messages = 0;
  std::uint64_t state_bytes_max = 0;
  // Between two messages.
  Micros apart{0};
};

struct FullSizeAnswer {
  // At one of the numbers it grows no more.
  bool has_an_end = false;
  // With as many entries as one of the numbers a call is over its limit.
  std::optional<ReportedFailure> failure;
};

// Says nothing of anything else.
Result<FullSizeAnswer> look_at_full_size(HuntRuns& runs, const TriggerFiles& trigger,
                                         const FullSize& what, const std::vector<double>& numbers);

}  // namespace hastur
