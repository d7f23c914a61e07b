#pragma once

// trigger-test [PATHS]: checks triggers and reports.

#include <cstdint>
#include <string>
#include <vector>

#include "trigger-test/exit_code.h"

namespace hastur {

struct CheckCommand {
  // Files and folders; the current folder if there are none.
  std::vector<std::string> paths;
  std::string format = "text";
  // Only triggers, or tests, whose name holds this.
  std::string filter;
  // How many triggers are checked at once; 0: as many as there are processors.
  std::uint64_t jobs = 0;
  // Says what the tests run of each trigger, and what it costs.
  bool coverage = false;
  // Percent of a trigger's lines that its tests must run; with it `coverage` is on.
  std::uint64_t coverage_min = 0;
  bool no_hunt = false;
  std::uint64_t seed = 1;
  // A folder for the shrunk cases of the hunt.
  std::string write_failing;
};

// Writes the report to standard output.
ExitCode check(const CheckCommand& command);

}  // namespace hastur
