#pragma once

// The set of triggers that a tree of files holds (trigger-runtime/sources/script_tree.h), as the
// dispatcher takes it. A trigger's version is its script and the library files that it requires.
// trigger-test finds the same name for a script of this tree (trigger-test/trigger_files.h).

#include <map>
#include <string>
#include <vector>

#include "supervisor/dispatch/deployment.h"

namespace hastur {

struct ScriptSet {
  std::vector<DesiredScript> scripts;
  // Files that were left out, each with a sentence that names the file and why.
  std::vector<std::string> problems;
};

inline constexpr std::size_t script_bytes_max = 1u << 20;

// `files`: texts by path.
ScriptSet make_script_set(const std::map<std::string, std::string>& files);

}  // namespace hastur
