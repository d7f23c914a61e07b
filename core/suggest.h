#pragma once

// "Did you mean": the known word that is nearest to one that is not known.

#include <span>
#include <string>
#include <string_view>

namespace hastur {

// The known word that takes the fewest single-character changes (one put in, left out, replaced, or
// two neighbours swapped) to become `word`; the first of several. Empty if even the best needs more
// than a third of the longer word's length, since a far-fetched suggestion is worse than none.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace hastur
