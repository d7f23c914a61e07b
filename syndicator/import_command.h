#pragma once

// syndicator import: a new History from a recording. The syndicator is stopped, or runs on another
// folder.

#include <string>

#include "core/clock.h"
#include "state/history/sqlite_history.h"

namespace hastur {

struct ImportCommandOptions {
  // The recording; "-" for standard input.
  std::string file;
  bool keep_bad = false;
};

// Shows on standard error how far it is, and says on standard output what has come in. Returns the
// exit code: 0 the History is there, 1 nothing has changed.
int import_command(const ImportCommandOptions& options, const SqliteHistoryOptions& history,
                   Clock& clock);

}  // namespace hastur
