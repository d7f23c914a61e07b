#pragma once

// What to do about a function, or a global, that there is not.

#include <string>
#include <string_view>

namespace hastur {

// A sentence part for an error of LuaJIT, "attempt to call field 'guage' (a nil value)", that says
// that there is no such thing, and what there is; `line`: of the script, that failed. Empty if the
// error is about something else, or what is missing may be the script's own.
std::string remedy_of_missing(std::string_view text, std::string_view line);

}  // namespace hastur
