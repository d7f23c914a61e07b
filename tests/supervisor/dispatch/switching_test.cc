// Dispatcher: scripts that come, change, break and go.

#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

// How many messages of this run the stream holds.
std::uint64_t derived_of(History& history, const TriggerName& trigger, std::uint64_t run) {
  std::uint64_t count = 0;
  Sequence next = history.oldest();
  while (next <= history.last()) {
    const auto read = history.read(next, {});
    for (const Batch& batch : read.value()) {
      const BatchView view = BatchView::trusted(batch.header, batch.body);
      std::vector<Label> labels;
      for (std::uint32_t row = 0; row < view.count(); ++row) {
        const auto& origin = view.message(row, labels).origin;
        if (origin && origin->trigger == trigger && origin->run == Run{run}) ++count;
      }
      next = batch.header.last().next();
    }
  }
  return count;
}

TEST(Deployment, ANewTriggerBeginsAtAnInputThatNobodyHasBeenGiven) {
  Rig rig;
  rig.send("a", 10);
  rig.desire({{"t", "match=a"}});
  const Sequence after = rig.trigger("t").cursor();
  EXPECT_EQ(after, rig.history->last());
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 25u);
  EXPECT_EQ(rig.store->load("t").value()->run.after, after);
}

TEST(Deployment, AChangedScriptTakesOverTheStateBetweenTwoInputs) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"t", "match=a emit=1000"}});
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 50u);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.store->load("t").value()->run.why, "deploy");
}

TEST(Deployment, AChangedScriptMayMigrateTheStateBeforeItsFirstInput) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"t", "match=a migrate=100"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 130u);
  // Once: neither a restart nor the next version, which has none, does it again.
  rig.start();
  rig.desire({{"t", "match=a migrate=100"}});
  rig.send("a", 5);
  rig.desire({{"t", "match=a"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 140u);
}

TEST(Deployment, AVersionThatCannotMigrateIsRefusedAndTheOldOneRunsOn) {
  Rig rig;
  rig.desire({{"t", "match=a emit=3"}});
  rig.send("a", 25);
  rig.desire({{"t", "match=a migrate=13"}});
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 50u);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{1});
  ASSERT_TRUE(rig.trigger("t").refused);
  EXPECT_EQ(rig.trigger("t").refused->line, 3u);
  // A supervisor that starts again comes to the same.
  rig.start();
  rig.desire({{"t", "match=a migrate=13"}});
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 60u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
}

TEST(Deployment, AVersionThatCannotMigrateLeavesAPausedTriggerPaused) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 10);
  ASSERT_TRUE(rig.dispatcher->pause("t", "maintenance"));
  rig.send("a", 10);
  rig.desire({{"t", "match=a migrate=13"}});
  rig.send("a", 10);
  EXPECT_NE(rig.trigger("t").open_pause(), nullptr);
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.send("a", 10);
  EXPECT_NE(rig.trigger("t").open_pause(), nullptr);
  EXPECT_EQ(rig.stored_n("t"), 10u);
}

// The number of the newest snapshot of a trigger.
std::uint64_t newest_snapshot(Rig& rig, const TriggerName& name) {
  const auto kept = rig.store->snapshots(name).value();
  EXPECT_FALSE(kept.empty());
  return kept.empty() ? 0 : kept.front().number;
}

TEST(Restoration, ANewRunGoesOnWithTheMemoryOfTheSnapshot) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 20);
  const auto snapshot = newest_snapshot(rig, "t");
  const auto kept_n = rig.store->snapshot(snapshot).value()->record.sequence;
  const std::string kept_state = rig.store->snapshot(snapshot).value()->state;
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 50u);
  ASSERT_TRUE(rig.dispatcher->restore("t", snapshot, "last known good"));
  rig.send("b", 5);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.store->load("t").value()->run.why, "restore");
  rig.send("a", 7);
  rig.send("b", 20);
  EXPECT_LT(kept_n, rig.trigger("t").cursor());
  const auto before = rig.stored_n("t");
  EXPECT_LT(before, 50u + 7u);
  EXPECT_EQ(parse_json(kept_state)->value("n", 0u) + 7, before);
  const auto journal = rig.store->journal("t", {2}).value();
  ASSERT_FALSE(journal.empty());
  EXPECT_EQ(journal[0].decision, "restore");
  EXPECT_NE(journal[0].detail.find("last known good"), std::string::npos);
  // And so does a supervisor that starts again.
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.send("a", 3);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), before + 3);
}

TEST(Restoration, AStateOfAnotherVersionIsMigrated) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 20);
  const auto snapshot = newest_snapshot(rig, "t");
  const auto n =
      parse_json(rig.store->snapshot(snapshot).value()->state)->value("n", std::uint64_t{0});
  rig.desire({{"t", "match=a migrate=100"}});
  rig.send("a", 5);
  ASSERT_TRUE(rig.dispatcher->restore("t", snapshot, "w"));
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), n + 100);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{3});
}

TEST(Restoration, WhatIsNotThereOrUnderWayIsSaid) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 20);
  const auto snapshot = newest_snapshot(rig, "t");
  EXPECT_EQ(rig.dispatcher->restore("nobody", snapshot, "w").error().code, ErrorCode::not_found);
  EXPECT_EQ(rig.dispatcher->restore("u", snapshot, "w").error().code, ErrorCode::not_found);
  ASSERT_TRUE(rig.dispatcher->restore("t", snapshot, "w"));
  EXPECT_EQ(rig.dispatcher->restore("t", snapshot, "w").error().code, ErrorCode::conflict);
}

TEST(Deployment, AScriptThatDoesNotLoadIsRefusedAndTheOldOneRunsOn) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 5);
  rig.desire({{"t", "match=a broken=1"}, {"new", "broken=1"}});
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 30u);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{1});
  ASSERT_TRUE(rig.trigger("t").refused);
  EXPECT_EQ(rig.trigger("t").refused->line, 1u);
  EXPECT_TRUE(rig.dispatcher->refused().contains("new"));
  EXPECT_FALSE(rig.dispatcher->triggers().contains("new"));

  // Mended, it is not refused any more.
  rig.desire({{"t", "match=a"}, {"new", "match=b"}});
  rig.send("b", 15);
  EXPECT_FALSE(rig.trigger("t").refused);
  EXPECT_TRUE(rig.dispatcher->refused().empty());
  EXPECT_EQ(rig.trigger("new").run(), hastur::Run{1});
}

TEST(Deployment, ARemovedTriggerEndsAndKeepsItsStateAside) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"u", "match=a"}});
  rig.send("a", 15);
  EXPECT_FALSE(rig.dispatcher->triggers().contains("t"));
  EXPECT_FALSE(rig.store->load("t").value());
  const auto removed = rig.store->load_removed("t").value();
  ASSERT_TRUE(removed);
  EXPECT_EQ(parse_json(removed->checkpoint.state).value()["n"], 25);
  // The same name again is another run with a number of its own.
  rig.desire({{"u", "match=a"}, {"t", "match=a"}});
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
}

TEST(Deployment, ChangedLimitsBeginAnotherRunWithTheSameState) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 15);
  CountedLimits limits;
  limits.effects_max = 10;
  rig.start(limits);
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 15);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.store->load("t").value()->run.why, "limits");
  EXPECT_EQ(rig.stored_n("t"), 50u);
}

TEST(Deployment, ARestartWithTheSameScriptsGoesOnInTheSameRun) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 15);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{1});
  EXPECT_EQ(rig.stored_n("t"), 50u);
}

TEST(Recovery, AKilledWorkerLosesNothing) {
  Rig rig;
  rig.desire({{"t", "match=a emit=5"}, {"u", "match=a emit=5"}});
  rig.send("a", 23);
  rig.kill_worker(0);
  rig.kill_worker(1);
  rig.send("a", 20);
  rig.send("b", 15);
  EXPECT_EQ(rig.stored_n("t"), 43u);
  EXPECT_EQ(rig.stored_n("u"), 43u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
  EXPECT_EQ(rig.dispatcher->worker_restarts(), 2u);
}

TEST(Recovery, WhatPubSubLostIsReadBack) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.publishes = false;
  rig.send("a", 40);
  rig.publishes = true;
  rig.send("a", 5);
  rig.send("b", 15);
  EXPECT_EQ(rig.stored_n("t"), 45u);
  EXPECT_GT(rig.dispatcher->refilled(), 0u);
}

TEST(Recovery, ACallbackThatRaisesIsSkippedOnceAndJournalled) {
  Rig rig;
  rig.desire({{"t", "match=a raise=10"}});
  rig.send("a", 60);
  rig.send("b", 15);
  const Trigger& trigger = rig.trigger("t");
  EXPECT_GT(trigger.counts.errors, 0u);
  EXPECT_EQ(rig.stored_n("t") + trigger.counts.errors, 60u);
  ASSERT_TRUE(trigger.last_error);
  EXPECT_EQ(trigger.last_error->error.line, 7u);
}

TEST(Recovery, ACallThatKillsItsWorkerTwiceIsSkipped) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 20);
  const Trigger& trigger = rig.trigger("t");
  const Sequence next = rig.history->last().next();
  const WorkerDied died{"used more than 2s of CPU in one callback", trigger.handle, next, 0};
  rig.kill_worker(trigger.worker, died);
  EXPECT_EQ(rig.trigger("t").counts.errors, 0u);
  WorkerDied again = died;
  again.trigger = rig.trigger("t").handle;
  rig.kill_worker(rig.trigger("t").worker, again);
  EXPECT_EQ(rig.trigger("t").counts.errors, 1u);
}

// The stored position goes on without it, and must not be taken for its own.
TEST(Recovery, OneThatDidNotLoadForAWhileTakesAllThatCameMeanwhile) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"other", "match=b"}});
  rig.send("a", 25);
  for (int i = 0; i < 2; ++i) {
    const Trigger& t = rig.trigger("t");
    rig.kill_worker(t.worker, {"crashed", t.handle, {}, {}, WorkerDied::Cause::crashed});
  }
  ASSERT_EQ(rig.trigger("t").phase, Trigger::Phase::failed);
  rig.send("b", 20);
  rig.send("a", 3);
  rig.send("b", 20);
  ASSERT_GT(rig.store->position(), rig.trigger("t").stored().state_sequence.next());
  ASSERT_LT(rig.stored_n("t"), 25u);
  rig.start();
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 28u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
  rig.start();
  rig.send("a", 2);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 30u);
}

TEST(Recovery, AnotherStreamStopsTheSupervisorWithAClearText) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 5);
  rig.syndicator.reset();
  rig.history = make_memory_history(StreamId{{9}});
  rig.start();
  EXPECT_NE(rig.stopped.find("stream"), std::string::npos) << rig.stopped;
}

// Another supervisor, with a store of its own, had the name meanwhile; or this one's state file is
// an older copy.
TEST(Recovery, WhatALaterRunDerivedStandsAndAnotherGoesOnBehindIt) {
  Rig rig;
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 25);
  rig.send("b", 20);
  const std::uint64_t first = rig.stored_n("t");
  std::unique_ptr<CheckpointStore> other = make_memory_store();
  std::swap(rig.store, other);
  rig.clock.advance(std::chrono::minutes{1});
  rig.start();
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_EQ(rig.stopped, "");
  const auto later = rig.history->mark("t");
  ASSERT_EQ(later->run, hastur::Run{2});

  std::swap(rig.store, other);
  rig.clock.advance(std::chrono::minutes{1});
  rig.start();
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_TRUE(rig.stopped.empty()) << rig.stopped;
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{3});
  EXPECT_EQ(rig.stored_n("t"), first + 15);
  const auto newest = rig.history->mark("t");
  EXPECT_EQ(newest->run, hastur::Run{3});
  EXPECT_GT(newest->sequence, later->sequence);
  EXPECT_EQ(rig.store->run("t", {3}).value()->after, later->sequence);
}

// It is pushed to a supervisor that runs and has never known the name.
TEST(Recovery, ANewTriggerIsNumberedBehindTheRunsThatTheStreamHolds) {
  Rig rig;
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 25);
  rig.send("b", 20);
  const auto before = rig.history->mark("t");
  ASSERT_TRUE(before);
  std::unique_ptr<CheckpointStore> other = make_memory_store();
  std::swap(rig.store, other);
  rig.clock.advance(std::chrono::minutes{1});
  rig.start();
  rig.desire({{"u", "match=b"}});
  rig.send("b", 5);
  const std::size_t decided = rig.deployed.size();
  rig.deploy({{"u", "match=b"}, {"t", "match=a emit=1"}});
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_EQ(rig.stopped, "");
  EXPECT_EQ(rig.deployed.size(), decided + 1);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.stored_n("t"), 10u);
  EXPECT_EQ(rig.history->mark("t")->run, hastur::Run{2});
  EXPECT_EQ(derived_of(*rig.history, "t", 2), 10u) << "all that it derives stands there";
}

TEST(Recovery, WithoutASyndicatorANewTriggerBeginsAndFollowsWhatTheLeaseTellsLater) {
  Rig rig;
  rig.desire({{"u", "match=b"}});
  // Another supervisor has t, for as long as its lease holds.
  Rig::Side mine = rig.take_aside();
  rig.clock.advance(std::chrono::minutes{1});
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 10);
  rig.send("b", 20);
  ASSERT_EQ(rig.history->mark("t")->run, hastur::Run{2});
  rig.put_back(std::move(mine));
  rig.is_cut_off = true;
  rig.deploy({{"u", "match=b"}, {"t", "match=a emit=1"}});
  EXPECT_FALSE(rig.dispatcher->triggers().contains("t")) << "it waits for the lease of its name";
  rig.wait(std::chrono::seconds{6});
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{1});
  rig.is_cut_off = false;
  rig.wait(std::chrono::minutes{1});
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_EQ(rig.stopped, "");
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{3});
  EXPECT_EQ(rig.stored_n("t"), 20u) << "from where the stream stood when it was cut off";
  EXPECT_EQ(derived_of(*rig.history, "t", 3), 10u);
}

TEST(Release, NothingIsAppendedBeforeItsLease) {
  Rig rig;
  rig.desire({{"t", "match=a emit=1"}});
  rig.send("a", 10);
  rig.send("b", 30);
  EXPECT_EQ(rig.store->outbox_size(), 0u);
  EXPECT_TRUE(rig.stopped.empty()) << rig.stopped;
  EXPECT_EQ(rig.history->mark("t")->run, hastur::Run{1});
}

}  // namespace
}  // namespace hastur::test
