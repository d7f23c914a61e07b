#pragma once

// When something is tried again.

#include <algorithm>
#include <cstdint>

#include "core/time.h"

namespace hastur {

// Doubling waits with jitter, from a seed: the same seed gives the same waits.
class BackOff {
 public:
  BackOff(Micros first, Micros max, std::uint64_t seed) : first_(first), max_(max), state_(seed) {}

  // The wait after `failures` failures in a row (from 1): between a half and the whole of
  // first × 2^(failures - 1), at most `max`.
  Micros wait(std::uint32_t failures) {
    Micros whole = first_;
    for (std::uint32_t i = 1; i < failures && whole < max_; ++i) whole *= 2;
    whole = std::min(whole, max_);
    const auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return Micros{static_cast<std::int64_t>(half + next() % (half + 1))};
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  Micros first_, max_;
  std::uint64_t state_;
};

// So many a minute on average, and as many at once after a minute of rest. It begins empty: what
// another process took just before is not known.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_minute, Time start)
      : token_span_(Micros{std::chrono::minutes{1}} / per_minute),
        burst_(per_minute),
        empty_at_(start) {}

  // When the next token can be taken; `now` or before if it is there.
  Time next(Time now) const {
    return std::max(empty_at_, now - burst_ * token_span_) + token_span_;
  }
  // Takes one that is there.
  void take(Time now) { empty_at_ = next(now); }

 private:
  Micros token_span_;
  std::int64_t burst_;
  // The bucket holds one token for each token_span_ since then.
  Time empty_at_;
};

}  // namespace hastur
