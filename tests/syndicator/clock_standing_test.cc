#include "syndicator/clock_standing.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_us(1'704'067'200'000'000);

TEST(ClockStanding, SaysOnceThatAClockWasSetBackAndOnceThatTheyHaveMet) {
  ClockStanding standing;
  EXPECT_FALSE(standing.look(start, start));
  EXPECT_FALSE(standing.look(start + 4s, start)) << "no clock is as good as that";
  const auto began = standing.look(start + 2h + 1ms, start);
  ASSERT_TRUE(began);
  EXPECT_EQ(began->find("stream time stands 2h ahead of the clock of this machine"), 0u) << *began;
  EXPECT_NE(began->find("until they meet, in about 1w1d8h"), std::string::npos) << *began;
  EXPECT_NE(began->find("A restart does not help"), std::string::npos) << *began;
  EXPECT_TRUE(standing.is_apart());
  for (const Micros off : {Micros{2h}, Micros{1h}, Micros{4s}, Micros{2001ms}})
    EXPECT_FALSE(standing.look(start + off, start));
  EXPECT_EQ(standing.look(start + 2s, start), "stream time and the clock of this machine have met");
  EXPECT_FALSE(standing.is_apart());
}

TEST(ClockStanding, SaysThatAClockWasSetForward) {
  ClockStanding standing;
  const auto began = standing.look(start, start + 10min);
  ASSERT_TRUE(began);
  EXPECT_EQ(began->find("stream time stands 10m behind the clock of this machine"), 0u) << *began;
  EXPECT_TRUE(standing.look(start + 10min, start + 10min));
}

}  // namespace
}  // namespace hastur
