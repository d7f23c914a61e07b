#pragma once

// What a hunt makes of a case that shows a fault: it is cut down to the fewest messages, looked at
// for the lines that caused it, and told with what to do.

#include <optional>
#include <string>

#include "core/result.h"
#include "trigger-test/hunt_order.h"
#include "trigger-test/hunt_report.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/script_words.h"

namespace hastur {

class HuntFindings {
 public:
  // All outlive it.
  HuntFindings(HuntRuns& runs, const ScriptWords& words, HuntReport& report)
      : runs_(runs), words_(words), report_(report) {}

  // Each tells a fault once, whatever else shows it later. Errors are those of the machine.

  // A call that failed, or a state that is none, in a run of `one` in this way.
  Result<void> found_error(const HuntCase& one, const Seen& seen, Way way);
  // A run in this way differs from a straight one.
  Result<void> found_disagreement(const HuntCase& one, Way way);
  // Effects that were over a counted limit. The call stands, so there is no error to tell.
  Result<void> found_cut(const HuntCase& one);

  // A note, if the notifications of `one` depend on the order of messages of the same instant.
  Result<void> examine_order(const HuntCase& one);

 private:
  Result<std::optional<Disagreement>> disagreement_in(const HuntCase& one, Way way);
  Result<std::optional<OrderDifference>> order_in(const TestCase& test, std::uint64_t seed);
  const TriggerFiles& trigger() const { return report_.trigger(); }

  HuntRuns& runs_;
  const ScriptWords& words_;
  HuntReport& report_;
};

}  // namespace hastur
