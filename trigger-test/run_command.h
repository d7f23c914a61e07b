#pragma once

// trigger-test run: one trigger on one recording, as production would judge it (DESIGN §11).

#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

struct RunCommand {
  // Path of the script.
  std::string trigger;
  // A recording, or "-" for standard input.
  std::string input;
  // "json": one object a line, the contract. "text": the same for people.
  std::string format = "json";
};

// Writes what comes out to standard output as it comes, and what keeps it from running to standard
// error.
ExitCode run(const RunCommand& command);

}  // namespace hastur
