#pragma once

// How a number is written wherever its bytes are compared: state, JSON, texts of scripts.

#include <string>

namespace hastur {

// Appends the shortest text that reads back as the same double: "5" for 5.0, "0.1", "1e+22", "-0.0"
// for negative zero (so that every JSON reader keeps its sign). `value` must be finite.
void append_number(std::string& out, double value);

}  // namespace hastur
