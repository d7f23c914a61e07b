#pragma once

// Texts for a terminal: nothing from outside can move the cursor, and columns line up.

#include <string>
#include <string_view>
#include <vector>

#include "core/json_fwd.h"
#include "core/printable.h"

namespace hastur {

// How many columns a terminal needs: one a code point.
std::size_t columns_of(std::string_view text);

// Cut to so many columns, the last of them "…" if anything was cut.
std::string cut(std::string_view text, std::size_t columns_max);

// Rows under a heading, columns as wide as their widest cell, two spaces between. Every row has as
// many cells as the heading. Ends each line with '\n'.
std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<std::string>>& rows);

// What an answer holds at `key`: a text as it stands, printable; anything else as JSON; empty for
// null or nothing.
std::string shown(const Json& object, const char* key);

// "1.2k", "3.4M": at most four characters, for counts that change while one looks.
std::string short_count(double count);

}  // namespace hastur
