#include "supervisor/dispatch/pruner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/log.h"
#include "tests/state/faulty_vfs.h"
#include "tests/support/commit_builder.h"

namespace hastur::test {
namespace {

constexpr Micros turn_every = std::chrono::seconds{1};

// A store on a disk in memory with so many notifications, one a second from the first second of the
// stream on.
struct Kept {
  FaultyVfs vfs;
  ManualClock clock{CommitBuilder::time(1'000'000)};
  std::unique_ptr<CheckpointStore> store;
  Pruner::Options options;
  std::unique_ptr<Pruner> pruner;
  std::optional<PositionReply> stream;

  explicit Kept(std::uint64_t notifications) {
    store = std::move(*open_store({.path = "/state.db", .vfs = vfs.name()}));
    CommitBuilder builder;
    builder.start("a", 1, 0);
    for (std::uint64_t i = 1; i <= notifications; ++i) builder.notification("a", 1, i);
    HASTUR_CHECK(builder.into(*store), "the disk is there");
    options.notifications_kept = std::chrono::seconds{1'000};
    options.rows_max = 10;
    pruner = std::make_unique<Pruner>(*store, clock, options);
    stream_at(1, 1'000);
  }
  void stream_at(std::uint64_t oldest, std::uint64_t seconds) {
    stream = PositionReply{{}, {oldest}, {seconds}, CommitBuilder::time(seconds), {}};
  }
  std::size_t left() {
    return store->notifications({.since = {}, .status = {}, .trigger = {}, .max = 10'000})
        .value()
        .size();
  }
  // What is left after each turn in that time in which something was forgotten.
  std::vector<std::size_t> run(Micros span) {
    std::vector<std::size_t> steps;
    std::size_t before = left();
    for (const Time end = clock.now() + span; clock.now() < end;) {
      clock.advance(turn_every);
      pruner->turn(stream);
      if (const std::size_t now = left(); now != before) steps.push_back(before = now);
    }
    return steps;
  }
};

TEST(Pruner, BeginsAMinuteAfterTheStartAndComesBackEachHour) {
  Kept kept(25);
  kept.stream_at(1, 1'011);
  EXPECT_TRUE(kept.run(std::chrono::seconds{59}).empty());
  // Of the first ten seconds.
  EXPECT_EQ(kept.run(std::chrono::seconds{2}), std::vector<std::size_t>{15});
  kept.stream_at(1, 1'020);
  EXPECT_TRUE(kept.run(std::chrono::minutes{59}).empty());
  EXPECT_EQ(kept.run(std::chrono::minutes{2}), std::vector<std::size_t>{6});
}

TEST(Pruner, TakesOneSmallStepATurn) {
  Kept kept(95);
  kept.stream_at(1, 2'000);
  EXPECT_EQ(kept.run(std::chrono::seconds{75}),
            (std::vector<std::size_t>{85, 75, 65, 55, 45, 35, 25, 15, 5, 0}));
}

TEST(Pruner, WaitsUntilItIsToldWhereHistoryBegins) {
  Kept kept(5);
  kept.stream.reset();
  EXPECT_TRUE(kept.run(std::chrono::minutes{5}).empty());
  kept.stream_at(1, 2'000);
  EXPECT_EQ(kept.run(turn_every), std::vector<std::size_t>{0});
}

TEST(Pruner, ForgetsRunsThatHistoryDoesNotReachAnyMore) {
  Kept kept(0);
  CommitBuilder second, third;
  ASSERT_TRUE(second.start("a", 2, 50).into(*kept.store));
  kept.stream_at(50, 60);
  kept.run(std::chrono::minutes{2});
  EXPECT_TRUE(kept.store->version("v-a-1").value()) << "its last inputs can still be read";
  kept.stream_at(51, 60);
  kept.run(std::chrono::hours{1});
  EXPECT_TRUE(kept.store->version("v-a-1").value()) << "a snapshot names it";
  kept.stream_at(51, 2'000);
  kept.run(std::chrono::hours{1});
  EXPECT_FALSE(kept.store->version("v-a-1").value());
  EXPECT_TRUE(kept.store->version("v-a-2").value());
  EXPECT_EQ(kept.store->load("a").value()->run.run, hastur::Run{2});
}

TEST(Pruner, KeepsNotificationsOfAStreamWithoutTime) {
  Kept kept(5);
  kept.stream->stream_time.reset();
  EXPECT_TRUE(kept.run(std::chrono::minutes{2}).empty());
}

TEST(Pruner, SaysWhatItForgotOnceAndNothingWhenNothingWent) {
  Kept kept(25);
  start_log("pruner", LogLevel::info);
  ::testing::internal::CaptureStderr();
  kept.run(std::chrono::minutes{2});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  kept.stream_at(1, 2'000);
  ::testing::internal::CaptureStderr();
  kept.run(std::chrono::hours{3});
  const std::string lines = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1) << lines;
  EXPECT_NE(lines.find("forgot 25 rows"), std::string::npos) << lines;
}

TEST(Pruner, TriesAgainInAnHourWhenTheDiskCannotBeWritten) {
  Kept kept(5);
  kept.stream_at(1, 2'000);
  kept.vfs.fail_writes(true);
  EXPECT_TRUE(kept.run(std::chrono::minutes{5}).empty());
  kept.vfs.fail_writes(false);
  EXPECT_TRUE(kept.run(std::chrono::minutes{50}).empty());
  EXPECT_EQ(kept.run(std::chrono::minutes{10}), std::vector<std::size_t>{0});
}

}  // namespace
}  // namespace hastur::test
