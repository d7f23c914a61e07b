// Dispatcher: pauses by people and by failures, slices, and triggers in workers aside.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/supervisor/dispatch/rig.h"
#include "trigger-runtime/protocol/stand_still.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> decisions(Rig& rig, const TriggerName& name) {
  std::vector<std::string> found;
  const auto journal = rig.store->journal(name, rig.trigger(name).run());
  for (const JournalRecord& record : journal.value()) found.push_back(record.decision);
  return found;
}

TEST(Pause, KeepsInputsFromATriggerUntilItIsResumed) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"other", "match=a"}});
  rig.send("a", 10);
  ASSERT_TRUE(rig.dispatcher->pause("t", "maintenance"));
  rig.pump();
  rig.send("a", 30);
  EXPECT_EQ(rig.trigger("t").open_pause()->why, "maintenance");
  EXPECT_EQ(rig.stored_n("t"), 10u);
  EXPECT_EQ(rig.trigger("t").cursor(), rig.dispatcher->main_position())
      << "its position moves free";
  ASSERT_TRUE(rig.dispatcher->resume("t", "done"));
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 15u);
  EXPECT_EQ(rig.stored_n("other"), 45u);
  EXPECT_EQ(decisions(rig, "t"), (std::vector<std::string>{"start", "pause", "resume"}));
}

// What comes meanwhile it cannot hear, and its memory says so, also if nothing had touched it since
// it was judged.
TEST(Pause, StandsInTheMemoryOfWhoIsPaused) {
  Rig rig;
  rig.desire({{"t", "match=a every=1000"}, {"u", "match=a"}});
  rig.send("a", 10);
  rig.send("b", 30);
  for (const char* name : {"t", "u"}) {
    ASSERT_TRUE(rig.dispatcher->pause(name, "maintenance"));
    rig.pump();
    rig.send("b", 30);
    const auto memory = rig.trigger(name).memory();
    ASSERT_TRUE(memory);
    EXPECT_NE(memory->runtime.find(still_since_key), std::string::npos) << name;
    EXPECT_EQ(memory->sequence.value, rig.trigger(name).open_pause()->from.value - 1);
  }
  rig.start();
  rig.desire({{"t", "match=a every=1000"}, {"u", "match=a"}});
  rig.send("b", 10);
  EXPECT_NE(rig.trigger("t").memory()->runtime.find(still_since_key), std::string::npos);
  ASSERT_TRUE(rig.dispatcher->resume("t", "done"));
  rig.send("b", 30);
  EXPECT_EQ(rig.trigger("t").memory()->runtime.find(still_since_key), std::string::npos);
}

TEST(Pause, IsRefusedForWhoIsNotThereOrPausedAlready) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  EXPECT_EQ(rig.dispatcher->pause("x", "").error().code, ErrorCode::not_found);
  EXPECT_EQ(rig.dispatcher->resume("t", "").error().code, ErrorCode::conflict);
  ASSERT_TRUE(rig.dispatcher->pause("t", "first"));
  EXPECT_EQ(rig.dispatcher->pause("t", "second").error().code, ErrorCode::conflict);
}

TEST(Pause, OutlastsARestartOfTheSupervisorAndANewVersion) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 10);
  ASSERT_TRUE(rig.dispatcher->pause("t", "maintenance"));
  rig.pump();
  rig.send("a", 30);
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.send("a", 10);
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  rig.desire({{"t", "match=a emit=1000"}});
  rig.send("a", 10);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{2});
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  EXPECT_EQ(rig.stored_n("t"), 10u);
  ASSERT_TRUE(rig.dispatcher->resume("t", "done"));
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 15u);
}

TEST(Pause, ComesToATriggerThatFailsAHundredTimesAndIsRetriedAfterAMinute) {
  Rig rig;
  rig.desire({{"t", "match=a raise=1"}});
  for (int i = 0; i < 40 && rig.trigger("t").open_pause() == nullptr; ++i) rig.send("a", 10);
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  const auto failed = rig.trigger("t").counts.errors;
  EXPECT_GE(failed, 100u);
  EXPECT_LT(failed, 120u);
  const auto notifications = rig.store->notifications({});
  ASSERT_EQ(notifications->size(), 1u);
  EXPECT_NE(notifications->front().payload.find("The trigger t is paused"), std::string::npos);
  // A minute of stream time on it is tried again, and fails again: then the span is five minutes.
  const Time retry_at = *rig.trigger("t").open_pause()->retry_at;
  rig.send("b", 650);
  EXPECT_EQ(rig.trigger("t").open_pause(), nullptr);
  const auto over = rig.store->notifications({});
  ASSERT_EQ(over->size(), 2u);
  EXPECT_TRUE(std::ranges::any_of(*over, [](const NotificationRecord& record) {
    return record.key == "paused/t" && record.action == NotificationAction::resolve;
  }));
  for (int i = 0; i < 40 && rig.trigger("t").open_pause() == nullptr; ++i) rig.send("a", 10);
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  EXPECT_EQ(rig.trigger("t").open_pause()->in_a_row, 2u);
  EXPECT_GT(*rig.trigger("t").open_pause()->retry_at - retry_at, 5min);
}

// What a judgement takes back is as if it had not been called.
TEST(Pause, ComesToATriggerWhoseStateStandsAtNoJudgement) {
  Rig rig;
  rig.desire({{"t", "match=a spoils=1"}});
  int sent = 0;
  for (; sent < 400 && rig.trigger("t").open_pause() == nullptr; sent += 10) rig.send("a", 10);
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  EXPECT_GE(sent, 100);
  EXPECT_LT(sent, 150);
  const std::string& why = rig.trigger("t").open_pause()->why;
  EXPECT_NE(
      why.find("failed or were put back with the state; the last one: fake.lua: it is spoilt"),
      std::string::npos)
      << why;
}

TEST(Slices, ATriggerThatGivesUpItsTurnTakesEveryInputOnce) {
  Rig rig;
  rig.desire({{"t", "match=a emit=3 every=2"}, {"other", "match=a"}});
  for (auto& worker : rig.workers) worker.fake->inputs_a_slice = 1;
  rig.publishes = false;
  rig.send("a", 200);
  rig.publishes = true;
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 200u);
  EXPECT_EQ(rig.stored_n("other"), 200u);
}

TEST(Placing, ATriggerWhoseWorkerItKillsGoesOnAloneAndIsPausedTheSecondTime) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"other", "match=a"}});
  rig.send("a", 10);
  const auto dies = [&] {
    WorkerDied died{"it used too much CPU", rig.trigger("t").handle, rig.trigger("t").cursor(), 0u,
                    WorkerDied::Cause::overran};
    rig.kill_worker(rig.trigger("t").worker, died);
  };
  dies();
  EXPECT_EQ(rig.dispatcher->place(rig.trigger("t")), Dispatcher::Place::alone);
  EXPECT_EQ(rig.trigger("t").open_pause(), nullptr);
  rig.send("a", 10);
  dies();
  ASSERT_NE(rig.trigger("t").open_pause(), nullptr);
  EXPECT_NE(rig.trigger("t").open_pause()->why.find("too much CPU"), std::string::npos);
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("other"), 30u);
}

TEST(Placing, AWorkerKilledFromOutsideIsNotItsTriggersFault) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 10);
  for (int i = 0; i < 3; ++i) {
    rig.kill_worker(rig.trigger("t").worker,
                    {"killed by signal 9", rig.trigger("t").handle,
                     rig.trigger("t").cursor().next(), 0u, WorkerDied::Cause::ended});
    rig.send("a", 10);
  }
  EXPECT_EQ(rig.dispatcher->place(rig.trigger("t")), Dispatcher::Place::shared);
  EXPECT_EQ(rig.trigger("t").open_pause(), nullptr);
}

TEST(Placing, AStuckWorkerHoldsUpItsOwnTriggersOnly) {
  Rig rig;
  rig.desire({{"t", "match=a"}, {"u", "match=a"}});
  ASSERT_NE(rig.trigger("t").worker, rig.trigger("u").worker);
  rig.send("a", 10);
  rig.stuck_worker = rig.trigger("t").worker;
  rig.send("a", 50);
  EXPECT_LT(rig.trigger("t").cursor().value + 40, rig.history->last().value);
  EXPECT_GT(rig.trigger("u").cursor().value + 10, rig.history->last().value);
  rig.desire({{"t", "match=a"}, {"u", "match=a"}, {"v", "match=a"}});
  ASSERT_TRUE(rig.dispatcher->triggers().contains("v"));
  EXPECT_NE(rig.trigger("v").worker, *rig.stuck_worker);
  rig.send("a", 20);
  rig.stuck_worker.reset();
  rig.send("b", 30);
  EXPECT_EQ(rig.stored_n("t"), 80u);
  EXPECT_EQ(rig.stored_n("u"), 80u);
  EXPECT_EQ(rig.stored_n("v"), 20u);
}

TEST(Placing, AProbeThatKillsItsWorkerIsRefused) {
  Rig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("a", 5);
  // The next one's load is under way when the worker dies.
  rig.holds_commands = true;
  rig.desire({{"t", "match=a"}, {"bad", "match=b"}});
  const auto handle = std::get<LoadCommand>(rig.held_command("bad")).handle;
  const std::uint32_t worker = rig.held_worker("bad");
  rig.holds_commands = false;
  rig.kill_worker(worker, {"it crashed", handle, {}, {}, WorkerDied::Cause::crashed});
  EXPECT_TRUE(rig.dispatcher->refused().contains("bad"));
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 10u);
}

}  // namespace
}  // namespace hastur::test
