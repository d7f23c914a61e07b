#pragma once

// Which library files a script rests on, found by reading the literal `require "lib.x"` in its
// text.

#include <string>
#include <string_view>
#include <vector>

namespace hastur {

// The modules ("lib.pages") that a script's text requires by literal name, sorted, each once.
std::vector<std::string> required_modules(std::string_view text);

// Where a module lies, from the root of the scripts: "lib.a.b" is lib/a/b.lua.
std::string module_path(std::string module);

}  // namespace hastur
