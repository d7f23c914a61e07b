#pragma once

// trigger-test backtest: what the gate asks. Many changed triggers run on one recording, each
// beside the version that runs now, and what they would do otherwise is counted.

#include <cstdint>
#include <string>

#include "core/time.h"
#include "trigger-test/exit_code.h"

namespace hastur {

struct BacktestCommand {
  // A file with a line a trigger: {"old":PATH,"new":PATH}. "old" is a path from that file's folder,
  // null: nothing runs now. "new" is one from here.
  std::string pairs;
  // A recording, or "-" for standard input.
  std::string input;
  // For all of them together, from the start on: each pair that has used its share of it is stopped
  // when the others need the rest, and all when it is over. 0: it takes as long as it takes.
  Micros time_max{0};
  // The number of the last input where it was recorded, if it is known: so that it can be told
  // whether all of it can be done in the time.
  std::uint64_t until = 0;
};

// Writes a JSON object a line for each pair, in their order: {"new","failed"} or the totals
// of a diff with "new", "last" (the last input's number where it was recorded), "shown" (the first
// notifications, in words) and "helpers" (what those remember that are new or declared otherwise).
// "stopped" is true where a pair's time was over: "to", "messages" and "last" say how far both of
// its versions had come. "unread" is true in all lines if the recording was not read to its end.
// One that does not load, or kills its worker, takes a few others with it and no more; that is no
// failure.
ExitCode backtest(const BacktestCommand& command);

}  // namespace hastur
