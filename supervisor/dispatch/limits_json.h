#pragma once

// The counted limits of a run as they stand in its record.

#include <string>
#include <string_view>

#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Canonical JSON: equal limits are equal texts.
std::string limits_to_json(const CountedLimits& limits);

// What is missing, or not a number, has its default: an older record knew fewer limits.
CountedLimits limits_from_json(std::string_view text);

}  // namespace hastur
