#pragma once

// CHECK: what is our own bug ends the process at once, in release builds too.
//
// A broken invariant must not reach a checkpoint. What the world or a script does wrong is never
// checked this way: it is a Result (core/result.h) or an Outcome.

namespace hastur {

[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* what);

}  // namespace hastur

// `what` is a string literal that says which promise was broken.
#define HASTUR_CHECK(condition, what)                               \
  do {                                                              \
    if (!(condition)) [[unlikely]] {                                \
      ::hastur::check_failed(#condition, __FILE__, __LINE__, what); \
    }                                                               \
  } while (false)
