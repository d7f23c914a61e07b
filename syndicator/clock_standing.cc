#include "syndicator/clock_standing.h"

#include <fmt/format.h>

namespace hastur {

std::optional<std::string> ClockStanding::look(Time stream, Time machine) {
  const Micros off = std::chrono::abs(stream - machine);
  if (apart_ ? off > met_max : off < apart_min) return std::nullopt;
  apart_ = !apart_;
  if (!apart_) return "stream time and the clock of this machine have met";
  const Micros whole = std::chrono::round<std::chrono::seconds>(off);
  if (stream < machine) {
    return fmt::format(
        "stream time stands {} behind the clock of this machine, which was set: it is slewed there "
        "by a hundredth, and a step over an hour is believed after a minute",
        format_span(whole));
  }
  return fmt::format(
      "stream time stands {} ahead of the clock of this machine, which was set back: it never goes "
      "back, and runs a hundredth slower until they meet, in about {}. What senders give a time by "
      "their own clocks counts as late meanwhile. A restart does not help: set the clock right if "
      "it is wrong now, wait, or begin a new stream with a new state file",
      format_span(whole), format_span(100 * whole));
}

}  // namespace hastur
