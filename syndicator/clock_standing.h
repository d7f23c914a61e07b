#pragma once

// Says when stream time begins to stand off the machine's clock, and when they have met again.
//
// Stream time does not follow a clock that was set: it is slewed by a hundredth (core/clock.h), so
// after a step of an hour they are apart for a hundred. What senders time by clocks that are right
// lies off the stream's windows meanwhile, and somebody must know.

#include <optional>
#include <string>

#include "core/time.h"

namespace hastur {

class ClockStanding {
 public:
  // `is_apart`: they stand apart from the beginning, and that has been said.
  explicit ClockStanding(bool is_apart = false) : apart_(is_apart) {}

  // From here on they stand apart, and until they are this near.
  static constexpr Micros apart_min = std::chrono::seconds{5};
  static constexpr Micros met_max = std::chrono::seconds{2};

  // What is to be logged, at a beginning and at an end. To be asked each second.
  std::optional<std::string> look(Time stream, Time machine);

  bool is_apart() const { return apart_; }

 private:
  bool apart_;
};

}  // namespace hastur
