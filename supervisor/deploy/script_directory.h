#pragma once

// The set of triggers that a folder on disk holds (DESIGN §12: `[triggers] directory`).

#include <string>

#include "core/result.h"
#include "supervisor/deploy/script_set.h"

namespace hastur {

// Reads the whole tree. Symbolic links that lead out of it, files over script_bytes_max, and names
// that no trigger may have are problems, not errors. An error means that the directory itself
// cannot be read: what runs should go on running.
Result<ScriptSet> read_script_directory(const std::string& directory);

}  // namespace hastur
