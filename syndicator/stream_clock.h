#pragma once

// The clock that a stream goes on by.
//
// A machine's clock may stand behind the newest message of the stream when the syndicator starts:
// it was set back meanwhile, or the stream was written on a machine that ran ahead. Stream time
// never goes back, and would stand still until real time has come there: no tick, no deadline. So
// time goes on from where the stream stands and runs a hundredth slower until real time is met, as
// it does when a clock is set back under a running syndicator (core/clock.h).

#include <optional>

#include "core/clock.h"

namespace hastur {

class StreamClock final : public Clock {
 public:
  // `inner` outlives it. `stream_time`: where the stream stands; nothing if it is empty.
  StreamClock(Clock& inner, std::optional<Time> stream_time);

  // How far it is ahead of `inner` still; 0 from when they have met.
  Micros ahead() const { return ahead_; }

  Time now() override;
  Micros monotonic() override { return inner_.monotonic(); }

 private:
  Clock& inner_;
  Time last_;
  Micros ahead_{0};
};

}  // namespace hastur
