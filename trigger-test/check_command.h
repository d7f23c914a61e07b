#pragma once

// trigger-test [PATHS]: checks triggers and reports.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "trigger-test/check.h"
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
  // Go on, and check again what is saved (watch_command.h).
  bool watch = false;
  // Nothing is left of it: what is not known then has failed. Half of it at most goes to hunts, as
  // long as load and tests leave as much. Zero: no limit.
  Micros time_max{0};
  // Called before the process ends because its time is over.
  std::function<void()> out_of_time = {};
};

// What is said where there are none.
inline constexpr const char* no_triggers = "there are no triggers here";

// What a command asks for, as the disk is now.
struct CheckPlan {
  // Scripts, in the order of their reports; none if there are no triggers.
  std::vector<std::string> paths;
  CheckOptions options;
};

// Fails for wrong usage.
Result<CheckPlan> plan_check(const CheckCommand& command);

// Called for each script as it is known, in no order and from any thread.
using Verdict = std::function<void(std::size_t path, bool good)>;

// Checks a plan that has paths, and writes the report to standard output. Where `time_max` comes
// first, it says what is under way and ends the process, with ExitCode::trigger_failed: a test that
// never ends cannot be asked to.
ExitCode check(const CheckCommand& command, const CheckPlan& plan, const Verdict& verdict = {});
// Writes the report of a check for which there was nothing to check.
void report_nothing(const CheckCommand& command);
// Plans and checks.
ExitCode check(const CheckCommand& command);

}  // namespace hastur
