#include "syndicator/stream_clock.h"

#include <algorithm>

namespace hastur {

StreamClock::StreamClock(Clock& inner, std::optional<Time> stream_time)
    : inner_(inner), last_(inner.now()) {
  if (stream_time) ahead_ = std::max(*stream_time - last_, Micros{0});
}

Time StreamClock::now() {
  const Time real = inner_.now();
  const Micros passed = real - last_;
  // Less than a hundredth has passed: it counts with what comes.
  if (ahead_ > Micros{0} && passed >= Micros{100}) {
    ahead_ = std::max(ahead_ - passed / 100, Micros{0});
    last_ = real;
  }
  return real + ahead_;
}

}  // namespace hastur
