#pragma once

// trigger-test backtest: what the gate asks. Many changed triggers run on one recording, each
// beside the version that runs now, and what they would do otherwise is counted.

#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

struct BacktestCommand {
  // A file with a line a trigger: {"old":PATH,"new":PATH}. "old" is a path from that file's folder,
  // null: nothing runs now. "new" is one from here.
  std::string pairs;
  // A recording, or "-" for standard input.
  std::string input;
};

// Writes a JSON object a line for each pair, in their order: {"new","failed"} or the totals
// of a diff with "new", "last" (the last input's number where it was recorded), "shown" (the first
// notifications, in words) and "helpers" (what those remember that are new or declared otherwise).
// One that does not load, or kills its worker, takes a few others with it and no more; that is no
// failure.
ExitCode backtest(const BacktestCommand& command);

}  // namespace hastur
