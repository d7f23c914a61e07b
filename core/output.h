#pragma once

// Standard output that could not be written is an error, and not only where it is noticed at once.
//
// Every program's main() ends with end_output(), and nothing else tells of it but who writes so
// much that it stops at the first failure.

#include <string_view>

namespace hastur {

// What a program ends with whose output was lost and that has not failed otherwise.
inline constexpr int output_exit_code = 3;

// Whether something that was written there has been lost, as far as is known by now.
bool is_output_lost();

// Flushes standard output, at a program's end. If something was lost it says so on standard error,
// and a `code` of 0 becomes `output_exit_code`; any other stays. One that is `output_exit_code`
// already was told with its reason, and nothing is said again.
int end_output(std::string_view program, int code);

}  // namespace hastur
