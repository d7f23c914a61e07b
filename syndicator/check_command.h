#pragma once

// syndicator check: whether the History folder is sound. The syndicator may run meanwhile.

#include <string>

namespace hastur {

// Says on standard output what it found. Returns the exit code: 0 all is sound, 1 it is not or
// cannot be read.
int check_history_command(const std::string& history);

}  // namespace hastur
