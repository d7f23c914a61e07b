#pragma once

// A trigger's files, found from the path that its author types.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "message/ids.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct TriggerFiles {
  TriggerName name;
  // Of the script, as it was asked for.
  std::string path;
  ScriptFile script;
  // Those below lib/ of its root that it gets in production: what it, and what it requires,
  // requires by literal name. Sorted by path.
  std::vector<ScriptFile> libraries;

  // A file of the trigger as its author sees it: the script by `path`, others from the root.
  const std::string& shown(const std::string& file) const {
    return file == script.path || file.empty() ? path : file;
  }
};

// The name is the script's path, without the ending, from the root of the scripts: the directory
// that production names in `[triggers] directory`. The root is the nearest folder above the script
// with a folder .hastur/, looked for up to the git repo's own; without one, the nearest with a
// folder lib/ or with .git. Without such a root (the system's own / and /usr are none) the name is
// the file's alone and there are no libraries. Fails for what is no trigger: lib/…, *.test.*,
// .NAME, another ending; and for a library that is there and cannot be read.
Result<TriggerFiles> find_trigger_files(const std::string& path);

// The libraries that a text requires that stands at this path: of a test file, too.
Result<std::vector<ScriptFile>> libraries_of(const std::string& path, std::string_view text);

// The name alone, also of a script that is not there yet.
Result<TriggerName> trigger_name_of(const std::string& path);

// The root of a script of this path, or of a script in this folder; nothing if it has none.
std::optional<std::string> root_of(const std::string& path);

// The scripts of triggers in a folder and below it, sorted: files NAME.lua that are no tests, not
// hidden and not in the root's lib/; and those that are not there but have a test file: a name that
// is misspelt must not go by as good. Of a file: itself, or for a test file its trigger. Fails for
// what does not exist or is neither, and for a folder below it that cannot be read: what lies there
// would go unchecked.
Result<std::vector<std::string>> list_triggers(const std::string& path);

// The text of a script or test file. Fails for what is none, or is larger than 1 MiB.
Result<std::string> read_script_file(const std::string& path);

}  // namespace hastur
