#pragma once

// What was observed of one trigger, piece after piece (vm/observation.h), as one.

#include <string>

namespace hastur {

// Both are JSON objects, `earlier` may be empty: lists are appended. What is no such object, since
// a worker may say anything, is left out.
std::string join_observed(const std::string& earlier, std::string later);

}  // namespace hastur
