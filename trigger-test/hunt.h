#pragma once

// The hunt for what review misses (DESIGN §11): a trigger is fed its own tests' messages and
// generated ones, in ways that must agree, and what does not is shrunk to the fewest messages.
//
// The same seed gives the same hunt on every machine, as long as the guard of CPU time
// (HuntRuns::cpu_max) does not end it early.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "trigger-test/report.h"
#include "trigger-test/stand.h"
#include "trigger-test/test_file.h"

namespace hastur {

struct HuntOptions {
  std::uint64_t seed = 1;
  // A folder into which the shrunk cases of a trigger go, as NAME.test.lua; nowhere if empty.
  std::string write_failing;
};

// `tests`: of the trigger's test files, whose recordings lie in `folder`. Errors that they expect
// are no findings. The two stands run workers of their own. An error is one of the machine.
Result<CheckReport> hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
                         const std::vector<TestCase>& tests, const std::string& folder,
                         const HuntOptions& options);

}  // namespace hastur
