#pragma once

// Waiting for what other processes do: by looking again and again, with a limit.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "core/clock.h"
#include "core/time.h"

namespace hastur {

// Whether `holds` came to be true within `limit`.
template <class Holds>
bool wait_until(Holds holds, Micros limit) {
  SystemClock clock;
  const Micros start = clock.monotonic();
  while (!holds()) {
    if (clock.monotonic() - start > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return true;
}

// Sanitized daemons are a good deal slower.
#ifdef HASTUR_SANITIZED
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

// A figure that somebody may set from outside, for a longer campaign by hand.
inline std::uint64_t by_hand(const char* variable, std::uint64_t otherwise) {
  const char* set = std::getenv(variable);
  return set == nullptr ? otherwise : std::strtoull(set, nullptr, 10);
}

}  // namespace hastur
