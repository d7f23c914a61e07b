#pragma once

// trigger-test trace: what `run` prints, with each input and what it changed in the state.

#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

struct TraceCommand {
  // Path of the script.
  std::string trigger;
  // A recording, or "-" for standard input.
  std::string input;
  // "json" or "text"
  std::string format = "json";
};

// Inputs are the messages that a subscription takes, and the ticks at which something ran, changed
// or came.
ExitCode trace(const TraceCommand& command);

}  // namespace hastur
