#pragma once

// supervisor export: a part of History as a recording (DESIGN §4), for trigger-test and for people.

#include <string>

#include "core/clock.h"

namespace hastur {

struct ExportOptions {
  // Points of the stream (plan.h), but no snapshots; `to` empty: where the stream stands now. `to`
  // is the last sequence, or the first time that is not taken.
  std::string from;
  std::string to;
  // It ends after so long, with what it has; zero: at the end.
  Micros time_max{0};
  // The syndicator's ROUTER.
  std::string request;
};

// Writes one line a message to standard output, ticks and numbers too. What History has lost is
// left out, and told on standard error. Returns the exit code: 0 done, also if nobody reads on; 1
// it could not be done; 2 wrong usage.
int export_command(const ExportOptions& options, Clock& clock);

}  // namespace hastur
