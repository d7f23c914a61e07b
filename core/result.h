#pragma once

// Result<T>: a value, or the error of the world (disk, peer, bad frame, bad config) that kept it
// away.
//
// Spelled like std::expected, which g++ 12 has in C++23 only. Normal absence is std::optional, what
// a script does is an Outcome, our own bugs are HASTUR_CHECK.

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace hastur {

// Only what a caller branches on has a code of its own.
enum class ErrorCode {
  invalid,      // what was handed in is not well-formed
  not_found,    // the named thing does not exist
  conflict,     // the change contradicts what is stored
  stale,        // the epoch or owner has passed to somebody else
  full,         // disk, queue or table is at its bound
  corrupt,      // stored data fails its own check
  unavailable,  // a peer or file cannot be reached now; trying again may help
  failed,       // anything else
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  // One sentence: operation, subject, cause; where there is one, the remedy. Fit to be shown to an
  // operator.
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

// Carries an Error into any Result<T>: `return fail(ErrorCode::full, "…")`.
struct Failure {
  Error error;
};

inline Failure fail(ErrorCode code, std::string message) {
  return Failure{{code, std::move(message)}};
}
inline Failure fail(Error error) { return Failure{std::move(error)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: as std::expected
  Result(Failure failure) : held_(std::in_place_index<1>, std::move(failure.error)) {}  // NOLINT

  bool has_value() const { return held_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // The value; a Result that holds an error ends the process.
  T& value() & { return *checked(); }
  const T& value() const& { return *checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return checked(); }
  const T* operator->() const { return checked(); }
  T value_or(T other) && { return has_value() ? std::move(*checked()) : std::move(other); }

  const Error& error() const& {
    HASTUR_CHECK(!has_value(), "the error of a successful Result was read");
    return *std::get_if<1>(&held_);
  }

 private:
  T* checked() { return const_cast<T*>(std::as_const(*this).checked()); }
  const T* checked() const {
    HASTUR_CHECK(has_value(), "the value of a failed Result was read");
    return std::get_if<0>(&held_);
  }

  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : error_(std::move(failure.error)) {}  // NOLINT: as std::expected

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    HASTUR_CHECK(error_.has_value(), "the error of a successful Result was read");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace hastur

// Evaluates a Result; on error returns it from the calling function, which returns some Result
// itself.
#define HASTUR_TRY(expression)                                            \
  do {                                                                    \
    if (auto hastur_result = (expression); !hastur_result) [[unlikely]] { \
      return ::hastur::fail(hastur_result.error());                       \
    }                                                                     \
  } while (false)
