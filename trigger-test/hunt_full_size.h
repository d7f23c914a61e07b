#pragma once

// What grows in a state (lists, tables, texts) is made as large as each number of the script says
// that it might become: then it shows whether it grows on, and whether the calls that work with it
// still may.

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
  // What grew, by its keys in the state, from the state `early` to the memory `end`, in so many
  // messages.
  const StatePath& path;
  const Json& early;
  const Memory& end;
  std::size_t messages = 0;
  std::uint64_t state_bytes_max = 0;
  // Between two messages.
  Micros apart{0};
  // It was seen to grow across all pauses. What was not is thrown away after a while, and may be so
  // large only if the number is seen to be its end.
  bool is_lasting = true;
  // Each message had a value of its own (make_sparse_stream).
  bool has_own_values = false;
};

struct FullSizeAnswer {
  // At one of the numbers it grows no more.
  bool has_an_end = false;
  // With as much in it as one of the numbers says, a call is over a limit.
  std::optional<ReportedFailure> failure;
  // The largest of the numbers that it was made to pass, as bytes of the state then; 0: there was
  // none. It may be its end all the same: what was made may not be what the script would have made.
  std::size_t bytes_unsure = 0;
  // But there is little else to a list, or a table of places, than its entries.
  bool are_lists = false;
};

// Says nothing of anything else.
Result<FullSizeAnswer> look_at_full_size(HuntRuns& runs, const TriggerFiles& trigger,
                                         const FullSize& what, const std::vector<double>& numbers);

}  // namespace hastur
