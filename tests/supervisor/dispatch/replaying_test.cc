// Dispatcher: a replay that takes its triggers' place.

#include <gtest/gtest.h>

#include "supervisor/dispatch/replayed.h"
#include "supervisor/dispatch/run_order.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

class Replayed : public testing::Test {
 protected:
  Replayed() {
    rig.desire({{"t", "match=a emit=5"}});
    rig.send("a", 25);
  }

  static std::vector<ReplayClaim> claims() { return {{"t", hastur::Run{1}, hastur::Run{2}}}; }

  // Run 2 of t: it began after input 3 with a count of 40 and ends with 100.
  ReplayedRun run(Sequence through) {
    ReplayedRun run;
    RunRecord& record = run.start.run;
    record = rig.store->load("t").value()->run;
    record.run = hastur::Run{2};
    record.why = "replay";
    record.after = Sequence{3};
    run.start.checkpoint = {"t",
                            hastur::Run{2},
                            Sequence{2},
                            rig.clock.now(),
                            R"({"n":40,"sum":0,"ticks":0})",
                            "{}",
                            Sequence{3},
                            0};
    run.end = {"t",  hastur::Run{2}, through, rig.clock.now(), R"({"n":100,"sum":0,"ticks":0})",
               "{}", through,        0};
    for (const std::uint64_t sequence : {5, 9}) {
      run.corrections.push_back({"t", hastur::Run{2}, Sequence{sequence}, 0, 1,
                                 R"({"type":"gauge","name":"t.sum","value":7,"timestamp":1})",
                                 true});
    }
    return run;
  }
  Rig rig;
};

TEST_F(Replayed, TakesItsTriggersPlaceBetweenTwoInputs) {
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  const auto through = rig.dispatcher->held_through();
  ASSERT_TRUE(through);
  // What comes meanwhile waits for the new run.
  rig.send("a", 10);
  EXPECT_EQ(rig.trigger("t").cursor(), *through);
  ASSERT_TRUE(rig.dispatcher->take_over({run(*through)}));
  rig.pump();
  EXPECT_FALSE(rig.dispatcher->is_holding());
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.stored_n("t"), 115u);
  const auto stored = rig.store->run("t", hastur::Run{2}).value();
  EXPECT_EQ(stored->after, Sequence{3});
  EXPECT_EQ(stored->why, "replay");
  EXPECT_EQ(rig.store->outbox_size(), 0u) << "all has been appended";
  // The memory that it began with is kept, and a crash changes nothing.
  const auto snapshots = rig.store->snapshots("t").value();
  EXPECT_TRUE(std::ranges::any_of(snapshots, [](const SnapshotRecord& record) {
    return record.run == hastur::Run{2} && record.sequence == Sequence{2} && record.why == "start";
  }));
  rig.start();
  rig.desire({{"t", "match=a emit=5"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 120u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
}

// The position moves on without it, so what it ended with must be stored with its start.
TEST_F(Replayed, ADeathBeforeItsNextInputForgetsNothing) {
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  ASSERT_TRUE(rig.dispatcher->take_over({run(*rig.dispatcher->held_through())}));
  rig.pump();
  EXPECT_EQ(rig.stored_n("t"), 100u);
  rig.send("b", 20);
  rig.start();
  rig.desire({{"t", "match=a emit=5"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.stored_n("t"), 105u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
}

TEST_F(Replayed, WhatTheRunBeforeMadeOfTheSameInputsIsSuperseded) {
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  const Sequence through = *rig.dispatcher->held_through();
  ASSERT_TRUE(rig.dispatcher->take_over({run(through)}));
  rig.pump();
  RunOrder order(*rig.store);
  EXPECT_FALSE(*order.is_superseded("t", hastur::Run{1}, Sequence{3}));
  EXPECT_TRUE(*order.is_superseded("t", hastur::Run{1}, Sequence{4}));
  EXPECT_FALSE(*order.is_superseded("t", hastur::Run{2}, Sequence{4}));
  const auto replays = order.replays("t").value();
  ASSERT_EQ(replays.size(), 1u);
  EXPECT_EQ(replays[0].first, Sequence{4});
  EXPECT_EQ(replays[0].live, through.next());
}

TEST_F(Replayed, OnlyADeploymentThatWaitsAndChangesItsTriggersStopsIt) {
  rig.desire({{"t", "match=a emit=5"}, {"late", "match=a"}});
  rig.send("a", 5);
  rig.holds_judgements = true;
  rig.deploy({{"t", "match=a emit=5"}, {"late", "match=a emit=2"}});
  rig.wait(5s);
  rig.deploy({{"t", "match=a emit=7"}, {"late", "match=a emit=3"}});
  EXPECT_EQ(rig.dispatcher->hold(claims(), 30s).error().code, ErrorCode::conflict);
  rig.start();
  rig.deploy({{"t", "match=a emit=5"}, {"late", "match=a emit=3"}});
  const auto held = rig.dispatcher->hold(claims(), 30s);
  ASSERT_TRUE(held) << held.error().message;
  rig.pump();
  EXPECT_TRUE(rig.dispatcher->held_through());
}

TEST_F(Replayed, TriggersGoOnWhenTheReplayIsNotHeardOfAnyMore) {
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  rig.send("a", 10);
  rig.clock.advance(20s);
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s)) << "it is heard of";
  rig.clock.advance(29s);
  rig.pump();
  EXPECT_TRUE(rig.dispatcher->is_holding());
  rig.clock.advance(2s);
  rig.pump();
  EXPECT_FALSE(rig.dispatcher->is_holding());
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{1});
  EXPECT_EQ(rig.stored_n("t"), 40u);
  EXPECT_FALSE(rig.dispatcher->take_over({run(Sequence{1})}));
  EXPECT_FALSE(rig.trigger("t").refused);
  rig.start();
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 40u);
  EXPECT_EQ(rig.trigger("t").counts.diverged, 0u);
}

TEST_F(Replayed, IsHeldThroughTheDeathOfAWorker) {
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  rig.kill_worker(0);
  rig.kill_worker(1);
  const Sequence through = *rig.dispatcher->held_through();
  ASSERT_TRUE(rig.dispatcher->take_over({run(through)}));
  rig.pump();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  EXPECT_EQ(rig.stored_n("t"), 105u);
}

TEST_F(Replayed, WhatStandsAgainstItIsSaid) {
  EXPECT_EQ(rig.dispatcher->may_replay({"u", hastur::Run{1}, hastur::Run{2}}).error().code,
            ErrorCode::not_found);
  EXPECT_FALSE(rig.dispatcher->may_replay({"t", hastur::Run{2}, hastur::Run{3}}));
  EXPECT_FALSE(rig.dispatcher->may_replay({"t", hastur::Run{1}, hastur::Run{3}}));
  ASSERT_TRUE(rig.dispatcher->hold(claims(), 30s));
  rig.pump();
  EXPECT_FALSE(rig.dispatcher->hold({{"t", hastur::Run{1}, hastur::Run{3}}}, 30s)) << "another one";
  EXPECT_FALSE(rig.dispatcher->take_over({run(Sequence{4})})) << "it ends too early";
  rig.dispatcher->abandon_hold("the test says so");
  ASSERT_TRUE(rig.dispatcher->pause("t", "maintenance"));
  EXPECT_NE(rig.dispatcher->hold(claims(), 30s).error().message.find("paused"), std::string::npos);
}

class Offer : public testing::Test {
 protected:
  static NotificationRecord record(std::uint64_t sequence, std::string key,
                                   NotificationAction action) {
    NotificationRecord record;
    record.trigger = "t";
    record.run = hastur::Run{1};
    record.sequence = Sequence{sequence};
    record.payload = "{}";
    record.channel = "pager";
    record.key = std::move(key);
    record.action = action;
    return record;
  }
  static constexpr auto opens = NotificationAction::trigger;
  static constexpr auto closes = NotificationAction::resolve;

  std::unique_ptr<CheckpointStore> store = make_memory_store();
};

TEST_F(Offer, WhatIsStillNewsIsPendingAndTheOthersAreClosed) {
  std::vector<NotificationRecord> all = {record(1, "open", opens), record(2, "closed", opens),
                                         record(3, "", opens), record(4, "closed", closes),
                                         record(5, "open", opens)};
  ASSERT_TRUE(offer_replayed(*store, all));
  EXPECT_EQ(all[4].status, NotificationStatus::pending);
  EXPECT_EQ(all[4].reason, offered_reason);
  for (const std::size_t i : {0, 1, 2, 3}) {
    EXPECT_EQ(all[i].status, NotificationStatus::closed) << i;
    EXPECT_FALSE(all[i].reason.empty());
  }
  EXPECT_EQ(all[0].id, 0u);
}

TEST_F(Offer, WhatTheReceiverKnowsIsNoNewsButItsResolveIs) {
  CommitBatch batch;
  for (const char* key : {"known", "over"}) {
    batch.notifications.push_back(record(1, key, opens));
    batch.notifications.back().status = NotificationStatus::waiting;
  }
  ASSERT_TRUE(store->commit(batch));
  std::vector<NotificationRecord> all = {record(1, "known", opens), record(1, "over", opens),
                                         record(2, "over", closes)};
  ASSERT_TRUE(offer_replayed(*store, all));
  EXPECT_EQ(all[0].status, NotificationStatus::closed);
  EXPECT_EQ(all[1].status, NotificationStatus::closed);
  EXPECT_EQ(all[2].status, NotificationStatus::pending);
}

}  // namespace
}  // namespace hastur::test
