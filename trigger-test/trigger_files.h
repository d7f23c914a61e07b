#pragma once

// A trigger's files, found from the path that its author types.

#include <string>
#include <vector>

#include "core/result.h"
#include "message/ids.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct TriggerFiles {
  TriggerName name;
  ScriptFile script;
  // Everything below lib/ of its root, sorted by path.
  std::vector<ScriptFile> libraries;
};

// The name is the script's path, without the ending, from the root of the scripts: the directory
// that production names in `[triggers] directory`. The root is the nearest folder above the script
// with a folder .hastur/, looked for up to the git repo's own; without one, the nearest with a
// folder lib/ or with .git. Without such a root (the system's own / and /usr are none) the name is
// the file's alone and there are no libraries. Fails for what is no trigger: lib/…, *.test.*,
// .NAME, another ending.
Result<TriggerFiles> find_trigger_files(const std::string& path);

}  // namespace hastur
