#pragma once

// Runs one test of a test file and tells what did not hold, and why.

#include "core/result.h"
#include "trigger-test/measure.h"
#include "trigger-test/report.h"
#include "trigger-test/stand.h"
#include "trigger-test/test_file.h"

namespace hastur {

// `file` is the test file's path as its author sees it; recordings lie beside it. An error is one
// of the machine. With `measured` the run is observed and added to it.
Result<CheckReport> run_test(Stand& stand, const TriggerFiles& trigger, const TestCase& test,
                             const std::string& file, Measured* measured = nullptr);

}  // namespace hastur
