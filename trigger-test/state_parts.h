#pragma once

// The lists, tables and texts of a state that grow, and how they are made larger by more of what is
// in them.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/json.h"
#include "trigger-test/state_weight.h"

namespace hastur {

struct GrowingPart {
  enum class Kind : std::uint8_t {
    list,
    // A table whose keys are whole numbers: it may be a list of places.
    places,
    table,
    text,
  };
  Kind kind = Kind::list;
  StatePath path;
  // How many entries, or bytes of a text.
  std::size_t size = 0;
  // Of the texts that stand in it as entries; of a text its own.
  std::size_t text_bytes = 0;
  // Of its JSON.
  std::size_t bytes = 0;

  bool is_text() const { return kind == Kind::text; }
};

// Those that are larger in `after` than in `before`, and not in one another. In the state of
// helpers only lists and places: what else there is has a shape of their own.
std::vector<GrowingPart> growing_parts(const Json& before, const Json& after);

// How much is in them now: entries, and bytes of texts.
std::size_t size_of(const std::vector<GrowingPart>& parts, const Json& state);

// Makes the part of `state` so large by what is in it, again and again: before a list or a text,
// whose end is then as it was; of places under the lowest numbers that there are not; of other
// tables under keys that look like theirs. Numbers beside it that say how large it is, up to where
// its keys go, or how long its texts are together, say so again.
void enlarge(Json& state, const GrowingPart& part, std::size_t size);

}  // namespace hastur
