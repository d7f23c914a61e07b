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
  // Everything below lib/ of its repo, sorted by path.
  std::vector<ScriptFile> libraries;
};

// The repo's root is the nearest folder above the script that holds a folder lib/ or .git; the name
// is the path from there without the ending. Without such a root (the system's own / and /usr are
// none) the name is the file's alone and there are no libraries. Fails for what is no trigger:
// lib/…, *.test.*, another ending.
Result<TriggerFiles> find_trigger_files(const std::string& path);

}  // namespace hastur
