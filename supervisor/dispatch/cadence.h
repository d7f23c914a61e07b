#pragma once

// When states are stored (DESIGN §9): small ones together, about once a second; of large ones one
// at a time, at a pace of their own, so that no other trigger waits for them. Each of the two takes
// at most a twentieth of the time, which is measured here.

#include <algorithm>

#include "core/time.h"

namespace hastur {

class Cadence {
 public:
  // No more often than `every`. Times are monotonic.
  explicit Cadence(Micros every) : every_(every), pause_(every) {}

  bool is_due(Micros now) const { return now - stored_at_ >= pause_; }
  // A commit that stores states was begun at `now`.
  void begin(Micros now) { stored_at_ = now; }
  // It took so long.
  void took(Micros span) { pause_ = std::max(every_, span * 20); }

 private:
  Micros every_;
  Micros stored_at_{0};
  Micros pause_;
};

}  // namespace hastur
