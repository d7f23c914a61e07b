// Dispatcher: ctx:was, a trigger that goes on under another name.

#include <gtest/gtest.h>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

TEST(Renaming, TheNewNameGoesOnWithTheStateAtOneSequence) {
  Rig rig;
  rig.desire({{"old", "match=a emit=5"}});
  rig.send("a", 25);
  rig.desire({{"new", "match=a emit=5 was=old"}});
  rig.send("a", 10);
  rig.send("b", 20);
  EXPECT_FALSE(rig.dispatcher->triggers().contains("old"));
  EXPECT_EQ(rig.stored_n("new"), 35u);
  EXPECT_EQ(rig.trigger("new").run(), hastur::Run{1});
  const auto ended = rig.store->journal("old", {1}).value();
  const auto began = rig.store->journal("new", {1}).value();
  ASSERT_FALSE(ended.empty());
  ASSERT_FALSE(began.empty());
  EXPECT_EQ(ended.back().decision, "forget");
  EXPECT_EQ(ended.back().detail, R"({"heir":"new"})");
  EXPECT_EQ(began[0].decision, "switch");
  EXPECT_NE(began[0].detail.find(R"("was":"old")"), std::string::npos) << began[0].detail;
  EXPECT_EQ(began[0].sequence, ended.back().sequence);
  // And so does a supervisor that starts again.
  rig.start();
  rig.desire({{"new", "match=a emit=5 was=old"}});
  rig.send("a", 3);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 38u);
  EXPECT_EQ(rig.trigger("new").counts.diverged, 0u);
}

TEST(Renaming, TheStateGoesThroughTheMigration) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"new", "match=a was=old migrate=100"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 130u);
}

TEST(Renaming, OneThatCannotMigrateIsRefusedAndTheOldNameRunsOn) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"new", "match=a was=old migrate=13"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("old"), 30u);
  EXPECT_TRUE(rig.dispatcher->refused().contains("new"));
}

TEST(Renaming, WhatWasRemovedBeforeIsTakenOverToo) {
  Rig rig;
  rig.desire({{"old", "match=a"}, {"other", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"other", "match=a"}});
  rig.send("a", 10);
  rig.desire({{"other", "match=a"}, {"new", "match=a was=gone was=old migrate=100"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 130u);
  EXPECT_EQ(rig.stored_n("other"), 40u);
  rig.start();
  rig.desire({{"other", "match=a"}, {"new", "match=a was=gone was=old migrate=100"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 135u);
}

TEST(Renaming, ATriggerThatStaysKeepsItsState) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"old", "match=a"}, {"new", "match=a was=old"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("old"), 30u);
  EXPECT_EQ(rig.stored_n("new"), 5u);
  EXPECT_EQ(rig.store->deployments({.max = 1}).value()[0].report,
            "new begins anew: its ctx:was finds nothing to take over (old goes on running)\n");
  // It is there: what it once was meant to take over is no news.
  rig.desire({{"old", "match=a"}, {"new", "match=a was=old emit=1000"}});
  EXPECT_EQ(rig.store->deployments({.max = 1}).value()[0].report, "");
}

TEST(Renaming, OfTwoHeirsOneTakesOver) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"first", "match=a was=old"}, {"second", "match=a was=old"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("first"), 30u);
  EXPECT_EQ(rig.stored_n("second"), 5u);
  EXPECT_EQ(rig.store->deployments({.max = 1}).value()[0].report,
            "second begins anew: its ctx:was finds nothing to take over (old is taken over by "
            "another)\n");
}

TEST(Renaming, AStateThatWentToAnHeirIsGivenToNobodyElse) {
  Rig rig;
  const auto report = [&] { return rig.store->deployments({.max = 1}).value()[0].report; };
  rig.desire({{"old", "match=a"}, {"other", "match=b"}});
  rig.send("a", 25);
  rig.desire({{"new", "match=a was=old"}, {"other", "match=b"}});
  rig.send("a", 5);
  rig.desire({{"other", "match=b"}});
  rig.send("a", 5);
  rig.start();
  // What `old` ended with is older than what `new` ended with.
  rig.desire({{"new", "match=a was=old"}, {"other", "match=b"}, {"third", "match=a was=old"}});
  EXPECT_EQ(report(),
            "new begins anew: its ctx:was finds nothing to take over (old went on as new)\n"
            "third begins anew: its ctx:was finds nothing to take over (old went on as new)\n");
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 5u);
  EXPECT_EQ(rig.stored_n("third"), 5u);
}

TEST(Renaming, WhatWasRemovedBeforeIsGivenToOneHeirOnly) {
  Rig rig;
  rig.desire({{"old", "match=a"}, {"other", "match=b"}});
  rig.send("a", 25);
  rig.desire({{"other", "match=b"}});
  rig.send("b", 5);
  rig.desire({{"other", "match=b"}, {"new", "match=a was=old"}});
  rig.send("a", 5);
  rig.desire({{"other", "match=b"}, {"new", "match=a was=old"}, {"third", "match=a was=old"}});
  EXPECT_EQ(rig.store->deployments({.max = 1}).value()[0].report,
            "third begins anew: its ctx:was finds nothing to take over (old went on as new)\n");
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 35u);
  EXPECT_EQ(rig.stored_n("third"), 5u);
  // It has ended where it ended, and once.
  const auto journal = rig.store->journal("old", {1}).value();
  ASSERT_EQ(journal.size(), 3u);
  EXPECT_EQ(journal[1].detail, "{}");
  EXPECT_EQ(journal[2].detail, R"({"heir":"new"})");
  EXPECT_EQ(journal[1].sequence, journal[2].sequence);
}

TEST(Renaming, WhatGoesBackToItsOldNameKeepsItsState) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 25);
  rig.desire({{"new", "match=a was=old"}});
  rig.send("a", 5);
  rig.desire({{"old", "match=a was=new"}});
  rig.send("a", 5);
  rig.desire({{"new", "match=a was=old"}});
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 40u);
}

TEST(Renaming, WhatSomebodyPausedStaysSo) {
  Rig rig;
  rig.desire({{"old", "match=a"}});
  rig.send("a", 10);
  ASSERT_TRUE(rig.dispatcher->pause("old", "maintenance"));
  rig.send("a", 10);
  rig.desire({{"new", "match=a was=old"}});
  rig.send("a", 10);
  ASSERT_NE(rig.trigger("new").open_pause(), nullptr);
  EXPECT_EQ(rig.trigger("new").open_pause()->why, "maintenance");
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 10u);
}

}  // namespace
}  // namespace hastur::test
