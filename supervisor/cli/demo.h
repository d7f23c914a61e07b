#pragma once

// `hastur demo`: syndicator, supervisor and host metrics on this machine, and what they see, until
// Ctrl-C.

#include <string>

#include "core/clock.h"
#include "core/loop.h"

namespace hastur {

struct DemoOptions {
  std::string directory = "build/run";
  std::string triggers = "triggers";
};

// Returns the exit code: 0 when it was asked to stop, 1 when something could not be started or
// ended by itself.
int demo_command(const DemoOptions& options, Loop& loop, Clock& clock);

}  // namespace hastur
