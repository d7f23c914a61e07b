#pragma once

// What was observed of one trigger, piece after piece (vm/observation.h), as one.

#include <string>

#include "core/json.h"

namespace hastur {

// Lists are appended, objects joined; of anything else the later stands.
void append_observed(Json& earlier, Json later);

// Both are JSON objects, `earlier` may be empty. What is no such object, since a worker may say
// anything, is left out.
std::string join_observed(const std::string& earlier, std::string later);

}  // namespace hastur
