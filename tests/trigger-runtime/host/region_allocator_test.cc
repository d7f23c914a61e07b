#include "trigger-runtime/host/region_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace hastur {
namespace {

constexpr std::uint64_t line = RegionAllocator::alignment;

TEST(RegionAllocator, GivesTheLowestRegionThatFits) {
  RegionAllocator allocator(4 * line);
  const auto first = allocator.take(1);
  const auto second = allocator.take(line);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, (Region{0, 1}));
  EXPECT_EQ(second->offset, line);
  allocator.give_back(*first);
  EXPECT_EQ(allocator.take(2 * line)->offset, 2 * line);
  EXPECT_EQ(allocator.take(line)->offset, 0u);
  EXPECT_FALSE(allocator.take(1));
}

TEST(RegionAllocator, NeverOverlapsAndEndsWhole) {
  EXPECT_TRUE(rc::check([] {
    constexpr std::uint64_t size = 64 * line;
    RegionAllocator allocator(size);
    std::vector<Region> held;
    const int steps = *rc::gen::inRange(0, 200);
    for (int i = 0; i < steps; ++i) {
      if (!held.empty() && *rc::gen::inRange(0, 2) == 0) {
        const auto at = *rc::gen::inRange<std::size_t>(0, held.size());
        allocator.give_back(held[at]);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (const auto region =
                     allocator.take(*rc::gen::inRange<std::uint64_t>(0, 10 * line))) {
        RC_ASSERT(region->offset % line == 0);
        RC_ASSERT(region->offset + region->bytes <= size);
        for (const Region& other : held) {
          RC_ASSERT(region->offset >= other.offset + std::max<std::uint64_t>(other.bytes, 1) ||
                    other.offset >= region->offset + std::max<std::uint64_t>(region->bytes, 1));
        }
        held.push_back(*region);
      }
    }
    for (const Region& region : held) allocator.give_back(region);
    RC_ASSERT(allocator.empty());
    RC_ASSERT(allocator.take(size).has_value());
  }));
}

}  // namespace
}  // namespace hastur
