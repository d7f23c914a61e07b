#pragma once

// Hands out regions of a range of bytes: first fit from the bottom, so that as little memory as can
// be is ever touched. Neighbouring free regions are one. Plain bookkeeping, no memory.

#include <cstdint>
#include <map>
#include <optional>

#include "trigger-runtime/protocol/encoding.h"

namespace hastur {

class RegionAllocator {
 public:
  // A cache line: readers of different regions do not share one, and columns of 8 bytes are
  // aligned.
  static constexpr std::uint64_t alignment = 64;

  explicit RegionAllocator(std::uint64_t bytes);

  // A region of so many bytes at an aligned offset, or nothing if no free one is large enough.
  std::optional<Region> take(std::uint64_t bytes);
  // `region` came from take() and was not given back since.
  void give_back(const Region& region);

  // True when nothing is taken.
  bool empty() const { return taken_ == 0; }

 private:
  static std::uint64_t rounded(std::uint64_t bytes);

  std::map<std::uint64_t, std::uint64_t> free_;  // offset → bytes
  std::uint64_t taken_ = 0;
};

}  // namespace hastur
