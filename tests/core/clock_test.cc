#include "core/clock.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(SystemClock, NeverGoesBackAndIsNearRealTime) {
  SystemClock clock;
  Time last = clock.now();
  for (int i = 0; i < 10'000; ++i) {
    const Time now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
  const auto real = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  EXPECT_LT(std::chrono::abs(last - real), std::chrono::seconds{1});
}

TEST(ManualClock, StandsUntilItIsMoved) {
  ManualClock clock{time_from_us(5)};
  EXPECT_EQ(clock.now(), time_from_us(5));
  clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(clock.now(), time_from_us(1'000'005));
}

}  // namespace
}  // namespace hastur
