#pragma once

// Choices that a seed decides, the same on every machine.

#include <cstdint>
#include <vector>

#include "core/check.h"

namespace hastur {

// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, every seed is good.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
  }
  // 0…count - 1; the bias of the remainder does not matter here.
  std::size_t below(std::size_t count) {
    HASTUR_CHECK(count > 0, "a choice of nothing");
    return static_cast<std::size_t>(next() % count);
  }
  // True once in so many times.
  bool once_in(std::size_t times) { return below(times) == 0; }
  template <class T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace hastur
