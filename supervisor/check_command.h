#pragma once

// supervisor check: whether the state file is sound. The supervisor may run meanwhile.

#include <string>

namespace hastur {

// Says on standard output what it found. Returns the exit code: 0 all is sound, 1 it is not or
// cannot be read. With the folder of a History, too, whether that one goes as far as the state
// does, if both are of one stream.
int check_state_command(const std::string& state, const std::string& history);

}  // namespace hastur
