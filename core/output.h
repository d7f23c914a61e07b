#pragma once

// What cannot be written is an error, and not only where it is noticed at once.
//
// Every program's main() begins with expect_full_files() and ends with end_output(). Of standard
// output nothing else tells but who writes so much that it stops at the first failure.

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace hastur {

// From now on a write over the limit of a file's size (RLIMIT_FSIZE) fails with EFBIG, and is told
// and dealt with as a full disk is; otherwise it would end the process by SIGXFSZ, without a word.
void expect_full_files();

// What a program ends with whose output was lost and that has not failed otherwise.
inline constexpr int output_exit_code = 3;

// Whether something that was written there has been lost, as far as is known by now.
bool is_output_lost();

// Flushes standard output, at a program's end. If something was lost it says so on standard error,
// and a `code` of 0 becomes `output_exit_code`; any other stays. One that is `output_exit_code`
// already was told with its reason, and nothing is said again.
int end_output(std::string_view program, int code);

// Prints there as fmt::print does, but throws nothing: what standard error does not take is lost,
// as nobody is left to tell.
template <typename... Args>
void print_to(std::FILE* out, fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  (void)!std::fwrite(text.data(), 1, text.size(), out);
}
template <typename... Args>
void print_error(fmt::format_string<Args...> format, Args&&... args) {
  print_to(stderr, format, std::forward<Args>(args)...);
}

}  // namespace hastur
