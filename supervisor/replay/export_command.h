#pragma once

// supervisor export: a stretch of History as a recording, with what was decided meanwhile.

#include <string>
#include <vector>

#include "core/clock.h"

namespace hastur {

struct ExportOptions {
  // Points of the stream (plan.h), no snapshots. Empty: from the oldest input that History holds,
  // to where the stream stands now. `to` is the last sequence, or the first time not taken.
  std::string from;
  std::string to;
  // Only messages of one of these types, and of one of these names ('*' stands for any run of
  // characters). Empty: all. Ticks are always there.
  std::vector<std::string> types;
  std::vector<std::string> names;
  // A file that is not there yet; empty: standard output.
  std::string output;
  // The journal is left out; the state file need not be there.
  bool no_journal = false;
  // It ends after so long, with what it has written; zero: at the end.
  Micros time_max{0};
  // Of the supervisor's configuration: the state file and the syndicator's ROUTER.
  std::string state;
  std::string request;
};

// Shows on standard error how far it is and what was written. Returns the exit code: 0 done, 1 it
// could not be done (`output` is then not there), 2 wrong usage.
int export_command(const ExportOptions& options, Clock& clock);

}  // namespace hastur
