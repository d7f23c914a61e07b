#pragma once

// Whether a trigger fails so often that it is to be paused (DESIGN §7): at least 100 calls failed
// in the last 60 s of stream time, and they are at least half of all its calls there.

#include <cstdint>
#include <deque>

#include "core/time.h"

namespace hastur {

class FailureWatch {
 public:
  static constexpr Micros span = std::chrono::seconds{60};
  static constexpr std::uint64_t failed_min = 100;

  // `calls` of inputs around the stream time `at`, of which `failed` failed. Times mostly rise; an
  // earlier one counts as the latest.
  void add(Time at, std::uint64_t calls, std::uint64_t failed);
  bool should_pause() const { return failed_ >= failed_min && failed_ * 2 >= calls_; }
  void clear();

  std::uint64_t calls() const { return calls_; }
  std::uint64_t failed() const { return failed_; }

 private:
  // At most one a second of the span.
  struct Second {
    std::int64_t second = 0;
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;
  };
  std::deque<Second> seconds_;
  std::uint64_t calls_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace hastur
