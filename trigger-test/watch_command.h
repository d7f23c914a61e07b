#pragma once

// trigger-test --watch: checks, and checks again what is saved.

#include "trigger-test/check_command.h"

namespace hastur {

// Goes on until Ctrl-C (or SIGTERM) and returns what the last whole run ended with. A save is
// answered within 300 ms: a run that is under way then is broken off, and what it had not yet found
// good is checked with what the save concerns. What failed last time is checked each time, so that
// the last verdict is one on all.
ExitCode watch(const CheckCommand& command);

}  // namespace hastur
