#pragma once

// Stream time and the ticks that carry it (DESIGN §4), one function for the syndicator and for
// readers of files.
//
// Stream time is the highest min(timestamp, received_at) so far. A tick at T stands before the
// first message that moves stream time into a new second: one per whole second of the gap, for the
// first day of a gap, and one for what is beyond it. A span in which the syndicator was deaf has no
// ticks in it but the last, which says how long it was.

#include <functional>
#include <optional>

#include "core/time.h"

namespace hastur {

struct Tick {
  Time time;
  Micros deaf{0};
  friend bool operator==(const Tick&, const Tick&) = default;
};

using EmitTick = std::function<void(const Tick&)>;

class StreamTime {
 public:
  // A stream that has not begun, or one that stands at `at`.
  StreamTime() = default;
  explicit StreamTime(Time at) : at_(at) {}

  // Nothing before the first message or tick.
  std::optional<Time> at() const { return at_; }

  // Calls `emit` for every tick that must stand before an input with this min(timestamp,
  // received_at), in order, and moves stream time to `time` (it never goes back). `deaf` is how
  // long nothing could be heard before this input: of the seconds in that span only the last one of
  // the gap gets a tick, which carries it. If the gap has no whole second in it, no tick is emitted
  // and the deafness is added to the next tick's.
  void advance(Time time, Micros deaf, const EmitTick& emit);

  // Takes a tick that stands in the stream or in a file, after calling `emit` for those missing
  // before it; the tick itself is not emitted. Returns false for a tick of a second that has had
  // its own: it is to be left out, and its deafness is added to the next one's.
  bool take_tick(const Tick& tick, const EmitTick& emit);

 private:
  // Emits the ticks that are missing before the one at whole_second(time). Returns whether that
  // second is new.
  bool enter_second(Time time, Micros deaf, const EmitTick& emit);

  std::optional<Time> at_;
  // Of inputs that brought no new second.
  Micros deaf_kept_{0};
  // Since the last input. A file that has the ticks of a long gap's first day gets no more of them
  // before the tick that stands for the rest.
  std::int64_t ticks_in_a_row_ = 0;
};

}  // namespace hastur
