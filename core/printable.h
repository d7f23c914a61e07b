#pragma once

// Texts of others, told to people: in logs, reports and on terminals.

#include <string>
#include <string_view>

namespace hastur {

// Control characters (also those of C1, and ends of lines) become '?': a message or a file's name
// must not be able to command the terminal, or to look like another line.
std::string printable(std::string_view text);

// The same of each line; ends with a line's end if there is anything.
std::string printable_lines(std::string_view text);

}  // namespace hastur
