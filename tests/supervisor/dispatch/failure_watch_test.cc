#include "supervisor/dispatch/failure_watch.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

Time at_second(std::int64_t second) { return time_from_us(second * us_per_second); }

TEST(FailureWatch, PausesAtAHundredFailuresThatAreHalfOfTheCalls) {
  FailureWatch watch;
  watch.add(at_second(10), 198, 99);
  EXPECT_FALSE(watch.should_pause()) << "99 are not enough";
  watch.add(at_second(11), 2, 1);
  EXPECT_TRUE(watch.should_pause());
  watch.add(at_second(12), 1, 0);
  EXPECT_FALSE(watch.should_pause()) << "less than half";
}

TEST(FailureWatch, ForgetsWhatIsOlderThanAMinute) {
  FailureWatch watch;
  watch.add(at_second(0), 60, 60);
  watch.add(at_second(59), 60, 60);
  EXPECT_TRUE(watch.should_pause());
  watch.add(at_second(60), 1, 1);
  EXPECT_FALSE(watch.should_pause());
  EXPECT_EQ(watch.calls(), 61u);
  EXPECT_EQ(watch.failed(), 61u);
}

TEST(FailureWatch, TakesAnEarlierTimeForTheLatest) {
  FailureWatch watch;
  watch.add(at_second(100), 50, 50);
  watch.add(at_second(3), 50, 50);
  EXPECT_TRUE(watch.should_pause());
}

TEST(FailureWatch, KnowsNothingAfterAClear) {
  FailureWatch watch;
  watch.add(at_second(1), 500, 500);
  watch.clear();
  EXPECT_FALSE(watch.should_pause());
  EXPECT_EQ(watch.calls(), 0u);
}

}  // namespace
}  // namespace hastur
