#pragma once

// Which library files a script rests on, found by reading the literal `require "lib.x"` in its
// text.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// The modules ("lib.pages") that a script's text requires by literal name ("lib.x", 'lib.x',
// [[lib.x]]), sorted, each once.
std::vector<std::string> required_modules(std::string_view text);

// The library files that a text requires, and those that they require, by path. `read` has the
// text of one; nothing: there is none, which is the load error of the script that asks for it.
std::vector<ScriptFile> required_libraries(
    std::string_view text,
    const std::function<std::optional<std::string>(const std::string& path)>& read);

// Where a module lies, from the root of the scripts: "lib.a.b" is lib/a/b.lua.
std::string module_path(std::string module);

}  // namespace hastur
