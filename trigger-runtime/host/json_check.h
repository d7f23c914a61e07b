#pragma once

// Whether bytes are JSON: for what workers hand over, without building a value.

#include <string_view>

namespace hastur {

// One JSON object (RFC 8259) in UTF-8, nothing after it, nested no deeper than parse_json takes.
// Linear, allocates nothing.
bool is_json_object(std::string_view text);

}  // namespace hastur
