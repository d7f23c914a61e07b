#pragma once

// Stream time and the ticks that carry it (DESIGN §4), one function for the syndicator and for readers of files.
//
// Stream time is the highest min(timestamp, received_at) so far. A tick at T stands before the first message
// that moves stream time into a new second: one per whole second of the gap, for the first day of a gap, and
// one for what is beyond it. A span in which the syndicator was deaf has no ticks in it: the first tick after it
// says how long it was.

#include <functional>
#include <optional>

#include "core/time.h"

namespace hastur {

struct Tick {
  Time time;
  Micros deaf{0};
  friend bool operator==(const Tick&, const Tick&) = default;
};

class StreamTime {
 public:
  // A stream that has not begun, or one that stands at `at`.
  StreamTime() = default;
  explicit StreamTime(Time at) : at_(at) {}

  // Nothing before the first message or tick.
  std::optional<Time> at() const { return at_; }

  // Calls `emit` for every tick that must stand before an input with this min(timestamp, received_at), in
  // order, and moves stream time to `time` (it never goes back). `deaf` is how long nothing could be heard
  // before this input: no tick falls into it, and the first tick emitted carries it. If the gap has no whole second in it,
  // no tick is emitted and the deafness is kept for the next one.
  void advance(Time time, Micros deaf, const std::function<void(const Tick&)>& emit);

  // Takes a tick that stands in the stream or in a file, after calling `emit` for those missing before it.
  void take_tick(const Tick& tick, const std::function<void(const Tick&)>& emit);

 private:
  std::optional<Time> at_;
  Micros deaf_kept_{0};
};

}  // namespace hastur
