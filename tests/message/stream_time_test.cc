#include "message/stream_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace hastur {
namespace {

constexpr std::int64_t base = 1'700'000'000'000'000;

Time at_second(double seconds) {
  return time_from_us(base + static_cast<std::int64_t>(seconds * 1e6));
}
Micros seconds(double count) { return Micros{static_cast<std::int64_t>(count * 1e6)}; }

// A stream whose ticks are kept.
struct Ticked {
  StreamTime time;
  std::vector<Tick> ticks;

  std::vector<Tick> advance(Time to, Micros deaf = Micros{0}) {
    ticks.clear();
    time.advance(to, deaf, [this](const Tick& tick) { ticks.push_back(tick); });
    return ticks;
  }
  bool take(const Tick& tick) {
    ticks.clear();
    return time.take_tick(tick, [this](const Tick& missing) { ticks.push_back(missing); });
  }
};

using Ticks = std::vector<Tick>;

TEST(StreamTime, BeginsWithOneTickAtTheSecondBeforeTheFirstInput) {
  Ticked stream;
  EXPECT_FALSE(stream.time.at());
  EXPECT_EQ(stream.advance(at_second(0.7)), (Ticks{{at_second(0), {}}}));
  EXPECT_EQ(stream.time.at(), at_second(0.7));
}

TEST(StreamTime, GivesEachNewSecondOneTick) {
  Ticked stream;
  stream.advance(at_second(0.7));
  EXPECT_EQ(stream.advance(at_second(0.9)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(1)), (Ticks{{at_second(1), {}}}));
  EXPECT_EQ(stream.advance(at_second(1.5)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(4.5)),
            (Ticks{{at_second(2), {}}, {at_second(3), {}}, {at_second(4), {}}}));
}

TEST(StreamTime, NeverGoesBack) {
  Ticked stream;
  stream.advance(at_second(5.5));
  EXPECT_EQ(stream.advance(at_second(2)), Ticks{});
  EXPECT_EQ(stream.time.at(), at_second(5.5));
}

TEST(StreamTime, GoesOnFromWhereAStreamStands) {
  Ticked stream{StreamTime(at_second(5.5)), {}};
  EXPECT_EQ(stream.advance(at_second(5.9)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(6.1)), (Ticks{{at_second(6), {}}}));
}

TEST(StreamTime, GivesTheFirstDayOfAGapItsTicksAndTheRestOne) {
  for (const int gap : {86'399, 86'400, 86'401, 86'402, 10'000'000}) {
    Ticked stream;
    stream.advance(at_second(0.5));
    const Ticks ticks = stream.advance(at_second(gap + 0.25));
    ASSERT_EQ(ticks.size(), static_cast<std::size_t>(std::min(gap, 86'401))) << gap;
    EXPECT_EQ(ticks.front().time, at_second(1));
    EXPECT_EQ(ticks.back().time, at_second(gap));
    if (gap > 86'400) {
      EXPECT_EQ(ticks[86'399].time, at_second(86'400));
    }
  }
}

TEST(StreamTime, TellsDeafnessInOneTickAndPutsNoneIntoItsSpan) {
  Ticked stream;
  stream.advance(at_second(0.5));
  EXPECT_EQ(stream.advance(at_second(10.5), seconds(7.2)), (Ticks{{at_second(1), {}},
                                                                  {at_second(2), {}},
                                                                  {at_second(3), {}},
                                                                  {at_second(10), seconds(7.2)}}));
}

TEST(StreamTime, TellsDeafnessThatBeganBeforeTheLastInput) {
  Ticked stream;
  stream.advance(at_second(0.5));
  EXPECT_EQ(stream.advance(at_second(10.5), seconds(100)), (Ticks{{at_second(10), seconds(100)}}));
}

TEST(StreamTime, TellsDeafnessBeforeTheFirstInput) {
  Ticked stream;
  EXPECT_EQ(stream.advance(at_second(3.5), seconds(2)), (Ticks{{at_second(3), seconds(2)}}));
}

TEST(StreamTime, KeepsDeafnessUntilTheNextTickAndAddsItUp) {
  Ticked stream;
  stream.advance(at_second(0.1));
  EXPECT_EQ(stream.advance(at_second(0.5), seconds(0.2)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(0.4), seconds(0.1)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(2.5)),
            (Ticks{{at_second(1), seconds(0.3)}, {at_second(2), {}}}));
  EXPECT_EQ(stream.advance(at_second(2.6), seconds(0.1)), Ticks{});
  EXPECT_EQ(stream.advance(at_second(3.5), seconds(0.7)), (Ticks{{at_second(3), seconds(0.8)}}));
}

TEST(StreamTime, TakesTicksAsTheyStandAndFillsInThoseBeforeThem) {
  Ticked stream;
  EXPECT_TRUE(stream.take({at_second(1), {}}));
  EXPECT_EQ(stream.ticks, Ticks{});
  EXPECT_EQ(stream.advance(at_second(1.5)), Ticks{});
  EXPECT_TRUE(stream.take({at_second(4), {}}));
  EXPECT_EQ(stream.ticks, (Ticks{{at_second(2), {}}, {at_second(3), {}}}));
  EXPECT_TRUE(stream.take({at_second(10), seconds(4)}));
  EXPECT_EQ(stream.ticks, (Ticks{{at_second(5), {}}, {at_second(6), {}}}));
  EXPECT_EQ(stream.time.at(), at_second(10));
}

TEST(StreamTime, LeavesOutATickOfASecondThatHasHadOne) {
  Ticked stream;
  stream.advance(at_second(3.5));
  EXPECT_FALSE(stream.take({at_second(3), seconds(1)}));
  EXPECT_FALSE(stream.take({at_second(1), {}}));
  EXPECT_EQ(stream.time.at(), at_second(3.5));
  EXPECT_EQ(stream.advance(at_second(4)), (Ticks{{at_second(4), seconds(1)}}));
}

// The rule said another way: walks over every second of the gap and asks of each whether it gets a
// tick.
class NaiveStreamTime {
 public:
  Ticks advance(std::int64_t time, std::int64_t deaf) {
    Ticks ticks;
    const std::int64_t last = time - time % us_per_second;
    std::int64_t heard_in_gap = 0;
    std::int64_t skipped = -1;
    const auto put = [&](std::int64_t second, std::int64_t own) {
      ticks.push_back({time_from_us(second), Micros{std::exchange(kept_, 0) + own}});
    };
    std::int64_t second = at_ < 0 ? last : at_ - at_ % us_per_second + us_per_second;
    for (; second <= last; second += us_per_second) {
      const bool told = deaf > 0 && second == last;
      if (!told && second > time - deaf) continue;
      if (told) {
        if (skipped >= 0) put(std::exchange(skipped, -1), 0);
        put(second, deaf);
        deaf = 0;
      } else if (++heard_in_gap <= 86'400) {
        put(second, 0);
      } else {
        skipped = second;
      }
    }
    if (skipped >= 0) put(skipped, 0);
    kept_ += deaf;
    at_ = std::max(at_, time);
    return ticks;
  }

 private:
  std::int64_t at_ = -1;
  std::int64_t kept_ = 0;
};

RC_GTEST_PROP(StreamTimeProperty, AgreesWithTheRuleAppliedSecondBySecond, ()) {
  const auto step =
      rc::gen::pair(rc::gen::weightedOneOf<std::int64_t>(
                        {{150, rc::gen::inRange<std::int64_t>(-3'000'000, 5'000'000)},
                         {50, rc::gen::map(rc::gen::inRange<std::int64_t>(-2, 5),
                                           [](std::int64_t s) { return s * us_per_second; })},
                         {1, rc::gen::inRange<std::int64_t>(0, 200'000'000'000)}}),
                    rc::gen::weightedOneOf<std::int64_t>(
                        {{3, rc::gen::just<std::int64_t>(0)},
                         {1, rc::gen::inRange<std::int64_t>(0, 4'000'000)},
                         {1, rc::gen::map(rc::gen::inRange<std::int64_t>(0, 5),
                                          [](std::int64_t s) { return s * us_per_second; })}}));
  const auto steps = *rc::gen::container<std::vector<std::pair<std::int64_t, std::int64_t>>>(step);
  Ticked stream;
  NaiveStreamTime naive;
  std::int64_t now = base;
  Micros told{0};
  Micros heard_of{0};
  for (const auto& [by, deaf] : steps) {
    now += by;
    const Ticks ticks = stream.advance(time_from_us(now), Micros{deaf});
    RC_ASSERT(ticks == naive.advance(now, deaf));
    heard_of += Micros{deaf};
    for (const Tick& tick : ticks) told += tick.deaf;
    for (const Tick& tick : ticks) RC_ASSERT(tick.time == whole_second(tick.time));
  }
  // What has not been told yet is told by the next tick.
  for (const Tick& tick : stream.advance(*stream.time.at() + seconds(1))) told += tick.deaf;
  RC_ASSERT(steps.empty() || told == heard_of);
}

// What the syndicator writes, a reader reads back without adding a tick.
RC_GTEST_PROP(StreamTimeProperty, FindsNoTickMissingInAStreamThatHasItsTicks, ()) {
  const auto steps =
      *rc::gen::container<std::vector<std::int64_t>>(rc::gen::weightedOneOf<std::int64_t>(
          {{300, rc::gen::inRange<std::int64_t>(-1'000'000, 4'000'000)},
           {1, rc::gen::inRange<std::int64_t>(0, 300'000'000'000)}}));
  Ticked writer;
  Ticked reader;
  std::int64_t now = base;
  for (const std::int64_t by : steps) {
    now += by;
    for (const Tick& tick :
         writer.advance(time_from_us(now), Micros{by % 3 == 0 ? std::abs(by) : 0})) {
      RC_ASSERT(reader.take(tick));
      RC_ASSERT(reader.ticks.empty());
    }
    RC_ASSERT(reader.advance(time_from_us(now)).empty());
  }
}

}  // namespace
}  // namespace hastur
