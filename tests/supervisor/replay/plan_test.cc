#include "supervisor/replay/plan.h"

#include <gtest/gtest.h>

#include "core/progress.h"
#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

const Time newest = time_from_us(1'704'067'200'000'000);

TEST(ReplayPoint, IsATimeASpanASequenceOrASnapshot) {
  EXPECT_EQ(*parse_replay_point("17", newest), ReplayPoint(Sequence{17}));
  EXPECT_EQ(*parse_replay_point("s-17", newest), ReplayPoint(SnapshotNumber{17}));
  EXPECT_EQ(*parse_replay_point("1m", newest), ReplayPoint(newest - std::chrono::minutes{1}));
  EXPECT_EQ(*parse_replay_point("1704067200000000", newest), ReplayPoint(newest));
  EXPECT_EQ(*parse_replay_point("2024-01-01T00:00:00Z", newest), ReplayPoint(newest));
}

TEST(ReplayPoint, AnythingElseIsRefusedWithTheFormsThatAreAllowed) {
  for (const char* text : {"", "s-", "s-0", "yesterday", "-5", "1.5"}) {
    const auto point = parse_replay_point(text, newest);
    ASSERT_FALSE(point) << text;
    EXPECT_NE(point.error().message.find("snapshot (s-12"), std::string::npos);
  }
  EXPECT_FALSE(parse_replay_point("5m", std::nullopt)) << "of a stream without time";
}

class PlanReplay : public testing::Test {
 protected:
  // A trigger that began after input 10, with a journal, and stands at 50.
  PlanReplay() {
    CommitBuilder start;
    start.start("a", 1, 10);
    commit(start);
    CommitBuilder later;
    later.checkpoint("a", 1, 50, "{\"n\":5}");
    later.journal("a", 1, 20, "skip", R"({"callback":1,"why":"raised","text":"no","line":3})");
    later.journal("a", 1, 30, "pause", R"({"by":"person","why":"w"})");
    later.journal("a", 1, 40, "resume", R"({"by":"person","why":"w"})");
    commit(later);
  }
  void commit(CommitBuilder& builder) {
    CommitBatch batch = builder.batch();
    const auto done = store_->commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  Result<ReplayPlan> plan(const ReplayPoint& from, const TriggerName& name = "a") {
    return plan_replay(*store_, name, from, [](Time) { return Result<Sequence>(Sequence{25}); });
  }

  std::unique_ptr<CheckpointStore> store_ = make_memory_store();
};

TEST_F(PlanReplay, BeginsWithTheNewestMemoryOfBefore) {
  const auto late = plan(Sequence{60});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->begin, Sequence{60});
  EXPECT_EQ(late->after, Sequence{50});
  ASSERT_TRUE(late->triggers[0].stream.memory);
  EXPECT_EQ(late->triggers[0].stream.memory->state, "{\"n\":5}");
  EXPECT_TRUE(late->triggers[0].stream.skips.empty());
  EXPECT_TRUE(late->triggers[0].stream.pauses.empty());
}

TEST_F(PlanReplay, ObeysTheJournalOfTheSameRun) {
  const auto early = plan(newest);
  ASSERT_TRUE(early);
  EXPECT_EQ(early->begin, Sequence{25});
  EXPECT_EQ(early->after, Sequence{10}) << "what its run began with";
  const StreamTrigger& stream = early->triggers[0].stream;
  ASSERT_EQ(stream.skips.size(), 1u);
  EXPECT_EQ(stream.skips[0].sequence, Sequence{20});
  EXPECT_EQ(stream.skips[0].error.text, "no");
  ASSERT_EQ(stream.pauses.size(), 1u);
  EXPECT_EQ(stream.pauses[0].from, Sequence{30});
  EXPECT_EQ(stream.pauses[0].until, Sequence{40});
}

TEST_F(PlanReplay, WithoutAMemoryItBeginsAtThePointWithWhatTheScriptGives) {
  const auto plan_of_all = plan(Sequence{5}, "");
  ASSERT_TRUE(plan_of_all);
  EXPECT_EQ(plan_of_all->after, Sequence{4});
  EXPECT_FALSE(plan_of_all->triggers[0].stream.memory);
  EXPECT_TRUE(plan_of_all->triggers[0].stream.skips.empty());
}

TEST_F(PlanReplay, ARunThatBeganWithoutAMemoryIsRepeatedFromItsBeginning) {
  CommitBuilder fresh;
  fresh.start("b", 1, 10, "").journal("b", 1, 11, "start");
  fresh.journal("b", 1, 12, "skip", R"({"callback":0,"why":"raised"})");
  fresh.checkpoint("b", 1, 50, "{}");
  commit(fresh);
  const auto planned = plan(Sequence{15}, "b");
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, Sequence{10});
  EXPECT_FALSE(planned->triggers[0].stream.memory);
  EXPECT_EQ(planned->triggers[0].stream.skips.size(), 1u);
}

// A live replay whose answer begins after 59, and which had no memory of before.
TEST_F(PlanReplay, AReplayThatBeganWithoutAMemoryIsRepeatedFromItsBeginning) {
  CommitBuilder first;
  first.start("b", 1, 10, "").journal("b", 1, 11, "start").checkpoint("b", 1, 90, "{}");
  commit(first);
  CommitBuilder again;
  again.start("b", 2, 59, "");
  again.journal("b", 2, 91, "replay", R"({"after":59,"fresh":true,"from":10,"run":1})");
  again.checkpoint("b", 2, 120, "{}");
  commit(again);
  EXPECT_EQ(plan(Sequence{100}, "b")->after, Sequence{10});
  EXPECT_EQ(plan(Sequence{60}, "b")->after, Sequence{10});
  EXPECT_EQ(plan(Sequence{30}, "b")->after, Sequence{10});
  EXPECT_EQ(plan(Sequence{8}, "b")->after, Sequence{7});
}

// Its file went and came back: it began anew, and the memory of before is another trigger's.
TEST_F(PlanReplay, ATriggerThatCameBackDoesNotBeginWithWhatItHadBefore) {
  CommitBuilder back;
  back.journal("a", 1, 55, "forget").start("a", 2, 60, "").journal("a", 2, 61, "start");
  back.checkpoint("a", 2, 90, "{}");
  commit(back);
  const auto planned = plan(Sequence{70});
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->after, Sequence{60});
  EXPECT_FALSE(planned->triggers[0].stream.memory);
  EXPECT_TRUE(plan(Sequence{55})->triggers[0].stream.memory) << "as it was then";
}

TEST_F(PlanReplay, OfAnotherRunTakesTheStateThroughTheMigrationAndNoJournal) {
  CommitBuilder next;
  next.start("a", 2, 60);
  commit(next);
  const auto early = plan(Sequence{55});
  ASSERT_TRUE(early);
  const StreamTrigger& stream = early->triggers[0].stream;
  EXPECT_EQ(early->after, Sequence{50});
  EXPECT_EQ(stream.run.value, 2u);
  EXPECT_TRUE(stream.skips.empty());
  ASSERT_TRUE(stream.memory);
}

TEST_F(PlanReplay, WhatIsNotThereIsSaid) {
  EXPECT_NE(plan(Sequence{1}, "b").error().message.find("there is no trigger b"),
            std::string::npos);
  const auto snapshot = plan(SnapshotNumber{99});
  ASSERT_FALSE(snapshot);
  EXPECT_NE(snapshot.error().message.find("hastur snapshots a"), std::string::npos);
  EXPECT_NE(plan(SnapshotNumber{1}, "").error().message.find("--trigger"), std::string::npos);
}

TEST(Progress, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(progress_text(1'200'000, 4'800'000, "inputs", std::chrono::seconds{2}),
            "[#####---------------]  25 %, 1.2 M of 4.8 M inputs, 600.0 k/s, 6s left");
  EXPECT_EQ(progress_text(0, 100, "inputs", std::chrono::seconds{2}),
            "[--------------------]   0 %, 0 of 100 inputs");
  EXPECT_EQ(progress_text(7, 5, "inputs", std::chrono::seconds{1}),
            "[####################] 100 %, 5 of 5 inputs, 5/s, 0s left");
}

}  // namespace
}  // namespace hastur
