#pragma once

// Points in time and spans, and how people write them.
//
// Time is UTC in whole microseconds everywhere: in messages, in state, in databases, in flags. One
// grammar of spans serves Lua, TOML and command lines.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace hastur {

using Micros = std::chrono::microseconds;
using Time = std::chrono::sys_time<Micros>;

inline Time time_from_us(std::int64_t us) { return Time{Micros{us}}; }
inline std::int64_t to_us(Time time) { return time.time_since_epoch().count(); }

inline constexpr std::int64_t us_per_second = 1'000'000;

// The whole second at or before `time`, also for times before 1970.
inline Time whole_second(Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

// Whole minutes since 1970 at `time`: below 0 before it.
inline std::int64_t minute_of(Time time) {
  return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
}

// A span as people write it: a whole number and a unit, "500ms" "10s" "5m" "2h" "1d" "1w", or
// several with falling units, "1h30m". Fails for anything else, naming the forms allowed, and for
// spans over 100 years.
Result<Micros> parse_span(std::string_view text);

// The shortest text that parse_span reads back as `span`; "0s" for none. Negative spans have a
// leading '-'.
std::string format_span(Micros span);

// RFC 3339 with exactly the digits needed: "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.25Z".
std::string format_time(Time time);

// RFC 3339 (any offset), or digits alone, which are microseconds. Fails for anything else.
Result<Time> parse_time(std::string_view text);

}  // namespace hastur
