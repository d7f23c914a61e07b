#include "syndicator/stream_clock.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_us(1'704'067'200'000'000);

TEST(StreamClock, IsThatOfTheMachineWhereTheStreamIsNotAheadOfIt) {
  for (const std::optional<Time> stream :
       {std::optional<Time>(), std::optional(start - 1h), std::optional(start)}) {
    ManualClock machine(start);
    StreamClock clock(machine, stream);
    EXPECT_EQ(clock.ahead(), 0s);
    EXPECT_EQ(clock.now(), start);
    machine.advance(10min);
    EXPECT_EQ(clock.now(), start + 10min);
  }
}

TEST(StreamClock, GoesOnFromWhereTheStreamStandsAndIsMetByRealTime) {
  ManualClock machine(start);
  StreamClock clock(machine, start + 10min);
  EXPECT_EQ(clock.ahead(), 10min);
  Time before = clock.now();
  EXPECT_EQ(before, start + 10min);
  for (int step = 0; step < 100'000; ++step) {
    machine.advance(700ms);
    const Time now = clock.now();
    ASSERT_GE(now - before, 692ms) << "a hundredth slower at most";
    ASSERT_LE(now - before, 700ms);
    before = now;
  }
  EXPECT_EQ(clock.ahead(), 0s);
  EXPECT_EQ(clock.now(), machine.now());
}

TEST(StreamClock, NeverGoesBackHoweverOftenItIsAsked) {
  ManualClock machine(start);
  StreamClock clock(machine, start + 1s);
  Time before = clock.now();
  for (int step = 0; step < 300'000; ++step) {
    machine.advance(Micros{step % 300});
    const Time now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_LT(clock.ahead(), 1s - 300ms) << "short steps count, too";
}

}  // namespace
}  // namespace hastur
