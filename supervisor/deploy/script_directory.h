#pragma once

// The set of triggers that a directory holds (DESIGN §7, §12: `[triggers] directory`).
//
// Every `*.lua` is a trigger, named by its path without the ending, but for what lies below `lib/`,
// `*.test.*`, and whatever has a part that begins with a dot. trigger-test finds the same name for
// a script of this directory (trigger-test/trigger_files.h). A trigger's version is its script and
// the library files that it requires, found by reading the literal `require "lib.x"` in it and in
// them: a change of another library is no change of it.

#include <string>
#include <vector>

#include "core/result.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

struct ScriptSet {
  std::vector<DesiredScript> scripts;
  // Files that were left out, each with a sentence that names the file and why.
  std::vector<std::string> problems;
};

inline constexpr std::size_t script_bytes_max = 1u << 20;

// Reads the whole tree. Symbolic links that lead out of it, files over script_bytes_max, and names
// that no trigger may have are problems, not errors. An error means that the directory itself
// cannot be read: what runs should go on running.
Result<ScriptSet> read_script_directory(const std::string& directory);

// The modules ("lib.pages") that a script's text requires by literal name, sorted, each once.
std::vector<std::string> required_modules(std::string_view text);

}  // namespace hastur
