#pragma once

// Which triggers rest on files that have changed.

#include <set>
#include <string>
#include <vector>

namespace hastur {

// Those of `triggers` (paths of scripts) of which a file has changed: the script, its test files, a
// library that it, a test file or such a library requires by literal name, or a file that a test
// file mentions (a recording), whether it is there now or not. `changed`: absolute paths; of a
// folder anything below it.
std::vector<std::string> concerned(const std::vector<std::string>& triggers,
                                   const std::set<std::string>& changed);

// The recordings that the test files of this script name by their paths, absolute, whether they are
// there or not.
std::vector<std::string> recordings_named_beside(const std::string& script);

}  // namespace hastur
