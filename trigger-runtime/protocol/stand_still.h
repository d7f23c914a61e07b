#pragma once

// What a memory says of a trigger that took no inputs after it was written: what came meanwhile, it
// could not hear.

#include <string>
#include <string_view>

#include "core/time.h"

namespace hastur {

// In Memory.runtime, µs: the trigger may have stood still from then to its next input.
inline constexpr const char* still_since_key = "still_since";

// Memory.runtime, of which that is so.
std::string stood_still(std::string_view runtime, Time since);

}  // namespace hastur
