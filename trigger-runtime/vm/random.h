#pragma once

// math.random of scripts: seeded anew for every callback from (trigger, run, sequence), so that a
// replay draws the same numbers. Nothing is computed for callbacks that draw none.

#include <cstdint>
#include <string_view>

#include "core/hash.h"
#include "message/ids.h"

namespace hastur {

class ScriptRandom {
 public:
  void begin(Sequence sequence) {
    sequence_ = sequence;
    seeded_ = false;
  }

  // SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, every seed is good.
  std::uint64_t next(std::string_view trigger, Run run) {
    if (!seeded_) {
      const std::uint64_t place[2] = {run.value, sequence_.value};
      state_ = hash64(std::as_bytes(std::span(place)), hash64(trigger));
      seeded_ = true;
    }
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
  }

 private:
  Sequence sequence_;
  std::uint64_t state_ = 0;
  bool seeded_ = false;
};

}  // namespace hastur
