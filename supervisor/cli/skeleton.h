#pragma once

// What a new repository of triggers holds to begin with: the files below supervisor/cli/skeleton/.

#include <map>
#include <string>

namespace hastur {

// Texts by path.
std::map<std::string, std::string> skeleton_files();

}  // namespace hastur
