#pragma once

// The name of a JSON value, for headers that only pass one on; core/json.h has the rest.

#include <nlohmann/json_fwd.hpp>

namespace hastur {

// Object keys are kept sorted by bytes.
using Json = nlohmann::json;

}  // namespace hastur
