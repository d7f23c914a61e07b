#pragma once

// When ctx:every fires: at the first tick at or after a multiple of its period (DESIGN §7).

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

struct Period {
  Micros length{0};
  // Multiples count from here: 1970-01-01, for weeks the Monday after it, moved by {at="07:30"}.
  Time from{};
  friend bool operator==(const Period&, const Period&) = default;
};

// "second" "minute" "hour" "day" "week", or a span of whole seconds. `at` ("HH:MM") only for whole
// days. An error is a sentence for the script's author.
Result<Period> parse_period(std::string_view text, std::optional<std::string_view> at);

struct Firing {
  // The last multiple at or before the tick.
  Time time;
  // How many multiples before it have passed since the tick before, unfired.
  std::int64_t missed = 0;
  friend bool operator==(const Firing&, const Firing&) = default;
};

// What a tick at `now` fires if the tick before was at `before`: nothing unless a multiple lies in
// (before, now].
std::optional<Firing> firing(const Period& period, Time before, Time now);

}  // namespace hastur
