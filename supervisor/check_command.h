#pragma once

// supervisor check: whether the state file is sound. The supervisor may run meanwhile.

#include <string>

namespace hastur {

// Says on standard output what it found. Returns the exit code: 0 all is sound, 1 it is not or
// cannot be read.
int check_state_command(const std::string& state);

}  // namespace hastur
