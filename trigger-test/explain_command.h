#pragma once

// trigger-test explain: why a trigger did what it did around a moment of a recording.

#include <string>

#include "core/time.h"
#include "trigger-test/exit_code.h"

namespace hastur {

struct ExplainCommand {
  // Path of the script.
  std::string trigger;
  // A recording, or "-" for standard input.
  std::string input;
  // A time, or a span from the recording's first input.
  std::string at;
  std::string key;
  // 0: ten seconds, and as much more before as holds a few of its messages.
  Micros around{0};
  // "text" or "json"
  std::string format = "text";
};

ExitCode explain(const ExplainCommand& command);

}  // namespace hastur
