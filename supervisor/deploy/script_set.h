#pragma once

// The set of triggers that a tree of files holds (DESIGN §7, §12), be it a folder on disk or a
// commit.
//
// Every `*.lua` is a trigger, named by its path without the ending, but for what lies below `lib/`,
// `*.test.*`, and whatever has a part that begins with a dot. trigger-test finds the same name for
// a script of this tree (trigger-test/trigger_files.h). A trigger's version is its script and
// the library files that it requires, found by reading the literal `require "lib.x"` in it and in
// them: a change of another library is no change of it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/dispatch/deployment.h"

namespace hastur {

struct ScriptSet {
  std::vector<DesiredScript> scripts;
  // Files that were left out, each with a sentence that names the file and why.
  std::vector<std::string> problems;
};

inline constexpr std::size_t script_bytes_max = 1u << 20;

// `files`: texts by path. What is no script is passed over; a name that no trigger may have is a
// problem.
ScriptSet make_script_set(const std::map<std::string, std::string>& files);

// billing.test.lua, billing.test.json
bool is_test_path(std::string_view path);

}  // namespace hastur
