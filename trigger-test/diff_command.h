#pragma once

// trigger-test diff: what two versions of a trigger do otherwise on the same recording.

#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

struct DiffCommand {
  // Paths of the scripts.
  std::string old_path;
  std::string new_path;
  // A recording, or "-" for standard input.
  std::string input;
  // "text" or "json"
  std::string format = "text";
};

// Both run under the new one's name. Differences are no failure; a version that does not load, or
// kills its worker, is.
ExitCode diff(const DiffCommand& command);

}  // namespace hastur
