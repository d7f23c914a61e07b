#include "state/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hastur {
namespace {

constexpr Micros minute = std::chrono::minutes{1};
constexpr Micros hour = std::chrono::hours{1};
constexpr Micros day = std::chrono::hours{24};
const Time begin = time_from_us(1'704'067'200'000'000);

// What is there after snapshots at these times, thinned after each, as a store does it.
std::vector<SnapshotRecord> kept_of(const std::vector<Time>& times, std::uint64_t bytes,
                                    std::uint64_t bytes_max = snapshot_bytes_max) {
  std::vector<SnapshotRecord> kept;
  for (const Time time : times) {
    kept.push_back({.number = kept.size(),
                    .trigger = "a",
                    .run = {1},
                    .sequence = {1},
                    .time = time,
                    .bytes = bytes,
                    .why = "cadence"});
    const auto gone = thin(kept, bytes_max);
    for (auto at = gone.rbegin(); at != gone.rend(); ++at)
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(*at));
  }
  return kept;
}

std::vector<Time> each_minute(Micros span) {
  std::vector<Time> times;
  for (Micros at{0}; at <= span; at += minute) times.push_back(begin + at);
  return times;
}

TEST(Snapshot, EachMinuteOfTheLastHourIsThere) {
  const auto kept = kept_of(each_minute(minute * 59), 10);
  EXPECT_EQ(kept.size(), 60u);
}

TEST(Snapshot, AfterFortyDaysThereAreMinutesHoursAndDays) {
  const auto kept = kept_of(each_minute(day * 40), 10);
  const Time now = kept.back().time;
  const auto between = [&](Micros from, Micros to) {
    return std::ranges::count_if(
        kept, [&](const auto& each) { return now - each.time >= from && now - each.time < to; });
  };
  EXPECT_EQ(now, begin + day * 40);
  EXPECT_EQ(between(Micros{0}, hour), 60);
  EXPECT_EQ(between(hour, day), 23);
  EXPECT_EQ(between(day, day * 31), 30);
  EXPECT_EQ(between(day * 31, day * 100), 0);
  // No gap is wider than the schedule says.
  for (std::size_t i = 1; i < kept.size(); ++i) {
    const Micros age = now - kept[i - 1].time;
    EXPECT_LE(kept[i].time - kept[i - 1].time, age <= hour ? minute : age <= day ? hour : day);
  }
}

TEST(Snapshot, WhatIsKeptWeighsNoMoreThanTheLimitAndReachesFarBack) {
  const auto kept = kept_of(each_minute(day * 2), 50, 500);
  EXPECT_EQ(kept.size(), 10u);
  EXPECT_EQ(kept.back().time, begin + day * 2);
  EXPECT_GT(kept.back().time - kept.front().time, hour * 12);
  // And the near past is not given up for the far one.
  const Time now = kept.back().time;
  EXPECT_GE(std::ranges::count_if(kept, [&](const auto& each) { return now - each.time < hour; }),
            3);
}

TEST(Snapshot, TheNewestStaysWhateverItWeighs) {
  const auto kept = kept_of(each_minute(minute * 3), 1'000, 10);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].time, begin + minute * 3);
}

TEST(Snapshot, ATriggerThatWasIdleForMonthsKeepsOnlyItsNewest) {
  const auto kept = kept_of({begin, begin + minute, begin + day * 90}, 10);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].time, begin + day * 90);
}

TEST(Snapshot, EdgesOfRunsStayBesideTheMinutesOfTheirHour) {
  std::vector<SnapshotRecord> kept;
  for (const char* why : {"cadence", "end", "start", "cadence"}) {
    kept.push_back({.number = 0,
                    .trigger = "a",
                    .run = {1},
                    .sequence = {1},
                    .time = begin + Micros{static_cast<std::int64_t>(kept.size())},
                    .bytes = 1,
                    .why = why});
  }
  EXPECT_TRUE(thin(kept).empty());
}

TEST(Snapshot, IsDueOnceAMinuteAndNotForAllAtOnce) {
  for (const std::uint64_t trigger : {0u, 1u, 7u, 12'345u}) {
    std::uint64_t due = 0;
    Time newest = begin;
    for (Micros at{0}; at < hour; at += std::chrono::seconds{1}) {
      if (!is_snapshot_due(newest, begin + at, trigger)) continue;
      newest = begin + at;
      ++due;
    }
    EXPECT_GE(due, 59u);
    EXPECT_LE(due, 60u);
  }
  // Of 600 triggers about 10 are due in a second.
  std::uint64_t most = 0;
  for (Micros at{0}; at < minute; at += std::chrono::seconds{1}) {
    std::uint64_t due = 0;
    for (std::uint64_t trigger = 1; trigger <= 600; ++trigger) {
      if (is_snapshot_due(begin + at, begin + at + std::chrono::seconds{1}, trigger)) ++due;
    }
    most = std::max(most, due);
  }
  EXPECT_LE(most, 12u);
}

TEST(Snapshot, TheEndOfARunStaysForAMonthAmongThoseOfItsDay) {
  std::vector<SnapshotRecord> kept;
  for (const Micros at : {Micros{0}, minute * 3, minute * 5, day * 20}) {
    SnapshotRecord record;
    record.time = begin + at;
    record.bytes = 10;
    record.why = at == minute * 3 ? "end" : "cadence";
    kept.push_back(record);
  }
  EXPECT_EQ(thin(kept), (std::vector<std::size_t>{2}));
  kept.back().time = begin + day * 32;
  EXPECT_EQ(thin(kept), (std::vector<std::size_t>{0, 1, 2}));
}

}  // namespace
}  // namespace hastur
