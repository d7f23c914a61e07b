#pragma once

// Standard output that could not be written is an error, and not only where it is noticed at once.

#include <string_view>

namespace hastur {

// What a program ends with whose output was lost.
inline constexpr int output_exit_code = 3;

// Flushes standard output, at a program's end. Returns `code`, or, having said so on standard
// error, `output_exit_code` if something was lost and `code` is 0.
int end_output(std::string_view program, int code);

}  // namespace hastur
