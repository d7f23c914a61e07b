#include "trigger-runtime/host/region_allocator.h"

#include <algorithm>
#include <iterator>

namespace hastur {

RegionAllocator::RegionAllocator(std::uint64_t bytes) {
  const std::uint64_t usable = bytes - bytes % alignment;
  if (usable != 0) free_.emplace(0, usable);
}

// An empty region takes a line too: it then has an offset of its own.
std::uint64_t RegionAllocator::rounded(std::uint64_t bytes) {
  const std::uint64_t least = std::max<std::uint64_t>(bytes, 1);
  return (least + alignment - 1) / alignment * alignment;
}

std::optional<Region> RegionAllocator::take(std::uint64_t bytes) {
  if (bytes > INT64_MAX) return std::nullopt;
  const std::uint64_t size = rounded(bytes);
  const auto found = std::find_if(free_.begin(), free_.end(),
                                  [&](const auto& entry) { return entry.second >= size; });
  if (found == free_.end()) return std::nullopt;
  const auto [offset, free_bytes] = *found;
  free_.erase(found);
  if (free_bytes > size) free_.emplace(offset + size, free_bytes - size);
  taken_ += size;
  return Region{offset, bytes};
}

void RegionAllocator::give_back(const Region& region) {
  const std::uint64_t size = rounded(region.bytes);
  HASTUR_CHECK(size <= taken_, "a region was given back twice");
  taken_ -= size;
  auto [at, is_new] = free_.emplace(region.offset, size);
  HASTUR_CHECK(is_new, "a region was given back twice");
  if (const auto after = std::next(at);
      after != free_.end() && after->first == at->first + at->second) {
    at->second += after->second;
    free_.erase(after);
  }
  if (at == free_.begin()) return;
  const auto before = std::prev(at);
  if (before->first + before->second != at->first) return;
  before->second += at->second;
  free_.erase(at);
}

}  // namespace hastur
