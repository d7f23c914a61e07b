#include "message/stream_time.h"

#include <algorithm>
#include <utility>

namespace hastur {
namespace {

constexpr Micros second{us_per_second};
// Of a longer gap the rest gets one tick: nobody wants the seconds of a year one by one.
constexpr std::int64_t gap_ticks_max = 86'400;

}  // namespace

bool StreamTime::enter_second(Time time, Micros deaf, const EmitTick& emit) {
  const Time last = whole_second(time);
  if (!at_) return true;
  Time at = whole_second(*at_);
  if (last <= at) return false;
  const auto emit_one = [&](Time missing) {
    emit({missing, std::exchange(deaf_kept_, Micros{0})});
    ++ticks_in_a_row_;
  };
  const Time one_by_one = at + second * std::max<std::int64_t>(gap_ticks_max - ticks_in_a_row_, 0);
  const Time heard =
      deaf > Micros{0} ? std::min(whole_second(time - deaf), last - second) : last - second;
  while (at < std::min(heard, one_by_one)) emit_one(at += second);
  // Without deafness the tick at `last` is the one for what is beyond.
  if (deaf > Micros{0} && at < heard) emit_one(heard);
  return true;
}

void StreamTime::advance(Time time, Micros deaf, const EmitTick& emit) {
  deaf = std::max(deaf, Micros{0});
  // An input is what ends a gap; only ticks read before a tick belong to the same one.
  ticks_in_a_row_ = 0;
  if (enter_second(time, deaf, emit)) {
    emit({whole_second(time), std::exchange(deaf_kept_, Micros{0}) + deaf});
  } else {
    deaf_kept_ += deaf;
  }
  at_ = at_ ? std::max(*at_, time) : time;
  ticks_in_a_row_ = 0;
}

bool StreamTime::take_tick(const Tick& tick, const EmitTick& emit) {
  const Time time = whole_second(tick.time);
  const Micros deaf = std::max(tick.deaf, Micros{0});
  if (!enter_second(time, deaf, emit)) {
    deaf_kept_ += deaf;
    return false;
  }
  at_ = time;
  ++ticks_in_a_row_;
  return true;
}

}  // namespace hastur
