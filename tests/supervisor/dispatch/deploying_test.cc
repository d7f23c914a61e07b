// Dispatcher: deployments, which are taken as a whole or not at all; what survives a crash in the
// middle of one; going back.

#include <gtest/gtest.h>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

DeploymentRecord newest(Rig& rig) {
  auto all = rig.store->deployments({.max = 1}).value();
  EXPECT_FALSE(all.empty());
  return all.empty() ? DeploymentRecord{} : std::move(all.front());
}

TEST(WholeDeployment, AllThatChangedSwitchAtOneSequenceAndTheOthersRunOn) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"b", "match=a"}, {"gone", "match=a"}}, "c1");
  rig.send("a", 25);
  const std::uint64_t ticket =
      rig.deploy({{"a", "match=a emit=9"}, {"b", "match=a"}, {"new", "match=a"}}, "c2");
  rig.send("a", 5);
  rig.send("b", 20);
  ASSERT_EQ(rig.deployed.size(), 2u);
  EXPECT_EQ(rig.deployed[1].ticket, ticket);
  const DeploymentRecord stored = newest(rig);
  EXPECT_EQ(stored.commit, "c2");
  EXPECT_EQ(stored.sequence, rig.deployed[1].record.sequence);
  ASSERT_EQ(stored.changes.size(), 3u);
  EXPECT_EQ(stored.changes[0].trigger, "a");
  EXPECT_EQ(stored.changes[0].outcome, "live");
  EXPECT_EQ(stored.changes[1].trigger, "gone");
  EXPECT_EQ(stored.changes[1].outcome, "gone");
  EXPECT_EQ(stored.changes[2].trigger, "new");
  EXPECT_EQ(stored.changes[2].outcome, "live");
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{2});
  EXPECT_EQ(rig.trigger("b").run(), hastur::Run{1});
  EXPECT_EQ(rig.store->run("a", {2}).value()->after.next(), stored.sequence);
  EXPECT_EQ(rig.store->run("new", {1}).value()->after.next(), stored.sequence);
  EXPECT_EQ(rig.stored_n("a"), 30u);
  EXPECT_EQ(rig.stored_n("new"), 5u);
}

TEST(WholeDeployment, OneScriptThatDoesNotLoadRefusesAllOfIt) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"gone", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"a", "match=a emit=9"}, {"new", "match=a"}, {"bad", "broken=1"}}, "c2");
  rig.send("a", 5);
  rig.send("b", 20);
  const DeploymentRecord stored = newest(rig);
  EXPECT_FALSE(stored.sequence);
  EXPECT_TRUE(stored.changes.empty());
  EXPECT_EQ(stored.report, "bad is refused: bad.lua:1: it is broken\n");
  EXPECT_EQ(rig.dispatcher->triggers().size(), 2u);
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
  EXPECT_EQ(rig.stored_n("gone"), 30u);
  // The next one is taken.
  rig.deploy({{"a", "match=a emit=9"}, {"new", "match=a"}}, "c3");
  EXPECT_TRUE(newest(rig).sequence);
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{2});
}

TEST(WholeDeployment, AMigrationThatFailsOnACopyRefusesAllOfIt) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"b", "match=a"}});
  rig.send("a", 25);
  rig.send("b", 20);
  rig.deploy({{"a", "match=a emit=9"}, {"b", "match=a migrate=13"}}, "c2");
  EXPECT_FALSE(newest(rig).sequence);
  EXPECT_NE(newest(rig).report.find("b is refused: b.lua:3: it cannot migrate"), std::string::npos);
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
  // The same by another name.
  rig.deploy({{"a", "match=a emit=9"}, {"c", "match=a was=b migrate=13"}}, "c3");
  EXPECT_FALSE(newest(rig).sequence);
  EXPECT_TRUE(rig.dispatcher->triggers().contains("b"));
}

// Stored with less than 30; by the time of the switch there are more.
void come_to_what_cannot_be_migrated(Rig& rig) {
  rig.send("a", 25);
  rig.send("b", 20);
  rig.send("a", 6);
  ASSERT_LT(rig.stored_n("a"), 30u);
}

TEST(WholeDeployment, AMigrationThatFailsAfterItHadSucceededOnTheCopyRefusesAllOfIt) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"b", "match=a"}, {"gone", "match=a"}, {"old", "match=a"}});
  come_to_what_cannot_be_migrated(rig);
  rig.deploy({{"a", "match=a refuses=30"},
              {"b", "match=a emit=9 migrate=100"},
              {"new", "match=a"},
              {"heir", "match=a was=old"}},
             "c2");
  const DeploymentRecord stored = newest(rig);
  EXPECT_EQ(stored.commit, "c2");
  EXPECT_FALSE(stored.sequence);
  EXPECT_TRUE(stored.changes.empty());
  EXPECT_EQ(stored.report, "a is refused: a.lua:4: that is too much\n");
  EXPECT_EQ(rig.deployed.size(), 2u);
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.dispatcher->triggers().size(), 4u);
  for (const char* name : {"a", "b", "gone", "old"}) {
    EXPECT_EQ(rig.trigger(name).run(), hastur::Run{1}) << name;
    EXPECT_EQ(rig.stored_n(name), 36u) << name;
  }
  // So it is after a death, and the next one is taken.
  rig.start();
  EXPECT_EQ(rig.stored_n("b"), 36u);
  rig.deploy({{"a", "match=a"}, {"b", "match=a emit=9 migrate=100"}, {"new", "match=a"}}, "c3");
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_TRUE(newest(rig).sequence);
  EXPECT_EQ(rig.stored_n("b"), 141u);
  EXPECT_EQ(rig.stored_n("new"), 5u);
  EXPECT_FALSE(rig.dispatcher->triggers().contains("gone"));
}

TEST(WholeDeployment, OfOneThatCameTooLateAMigrationThatFailsIsToldInTheOutcome) {
  Rig rig;
  rig.deploy({{"a", "match=a"}});
  come_to_what_cannot_be_migrated(rig);
  rig.holds_judgements = true;
  rig.deploy({{"a", "match=a refuses=30"}}, "c2");
  rig.wait(std::chrono::seconds{5});
  rig.holds_judgements = false;
  rig.send("b", 20);
  const DeploymentRecord stored = newest(rig);
  ASSERT_EQ(stored.changes.size(), 1u);
  EXPECT_EQ(stored.changes[0].outcome, "refused: a.lua:4: that is too much");
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
  EXPECT_EQ(rig.stored_n("a"), 31u);
}

TEST(WholeDeployment, WhatIsNewTakesWhatCameWhileTheOthersWereAwaited) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"b", "match=b"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"a", "match=a emit=9"}, {"b", "match=b"}, {"new", "match=a"}}, "c2");
  rig.send("b", 15);  // the others go on, and their states are stored
  rig.send("a", 5);
  EXPECT_EQ(newest(rig).commit, "c");
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
  EXPECT_GE(rig.stored_n("b"), 9u);
  rig.holds_judgements = false;
  rig.wait(std::chrono::milliseconds{100});
  ASSERT_EQ(newest(rig).commit, "c2");
  EXPECT_EQ(rig.store->run("new", {1}).value()->after.next(), newest(rig).sequence);
  // Right after the decision nothing of it is stored but that.
  rig.start();
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("a"), 30u);
  EXPECT_EQ(rig.stored_n("new"), 5u);
}

// One that does not load any more takes no inputs, and holds nobody's position.
TEST(WholeDeployment, WhatIsNewLosesNothingIfAllThatItAwaitsHasFailed) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"b", "match=b"}, {"old", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"a", "match=a"}, {"b", "match=b"}});
  for (int i = 0; i < 2; ++i) {
    const Trigger& a = rig.trigger("a");
    rig.kill_worker(a.worker, {"crashed", a.handle, {}, {}, WorkerDied::Cause::crashed});
  }
  ASSERT_EQ(rig.trigger("a").phase, Trigger::Phase::failed);
  // Its new version is loaded for the second time, with the state, when it is held up.
  rig.holds_commands = true;
  rig.deploy({{"a", "match=a emit=9"}, {"b", "match=b"}, {"new", "match=a was=old"}}, "c2");
  for (std::uint32_t worker = 0; !rig.trigger("a").next_switch; worker = 1 - worker) {
    rig.pump();
    auto& commands = rig.workers[worker].commands;
    if (commands.empty()) continue;
    const WorkerCommand command = std::move(commands.front());
    commands.pop_front();
    rig.dispatcher->worker_replied(worker, rig.workers[worker].fake->execute(command));
  }
  rig.holds_loads_of = "a";
  rig.holds_commands = false;
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(newest(rig).commit, "c");
  EXPECT_GE(rig.stored_n("b"), 9u);
  rig.holds_loads_of = "";
  rig.wait(std::chrono::milliseconds{100});
  EXPECT_EQ(newest(rig).commit, "c2");
  rig.start();
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("new"), 30u);
  // What the version that failed had emitted is not emitted again, nor compared.
  EXPECT_EQ(rig.stored_n("a"), 30u);
  EXPECT_EQ(rig.trigger("a").counts.diverged, 0u);
}

TEST(WholeDeployment, ASupervisorThatDiesBeforeTheDecisionGoesOnWithTheOldSet) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"gone", "match=a"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"a", "match=a emit=9 migrate=100"}, {"x", "match=a"}}, "c2");
  rig.send("a", 10);
  rig.holds_judgements = false;
  rig.start();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(newest(rig).commit, "c");
  EXPECT_EQ(rig.dispatcher->triggers().size(), 2u);
  EXPECT_EQ(rig.stored_n("a"), 40u);
  EXPECT_EQ(rig.stored_n("gone"), 40u);
}

TEST(WholeDeployment, ASupervisorThatDiesInTheMiddleGoesOnWithItAtTheSameSequence) {
  Rig rig;
  rig.deploy({{"a", "match=a"}, {"old", "match=a"}, {"gone", "match=a"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"a", "match=a emit=9 migrate=100"}, {"new", "match=a was=old"}, {"x", "match=a"}});
  rig.wait(std::chrono::seconds{5});
  const DeploymentRecord decided = newest(rig);
  ASSERT_TRUE(decided.sequence);
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
  rig.send("a", 10);
  rig.holds_judgements = false;
  rig.start();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{2});
  EXPECT_EQ(rig.store->run("a", {2}).value()->after.next(), decided.sequence);
  EXPECT_EQ(rig.store->run("new", {1}).value()->after.next(), decided.sequence);
  EXPECT_EQ(rig.stored_n("a"), 140u);
  EXPECT_EQ(rig.stored_n("new"), 40u);
  EXPECT_EQ(rig.stored_n("x"), 15u);
  EXPECT_FALSE(rig.dispatcher->triggers().contains("old"));
  EXPECT_FALSE(rig.dispatcher->triggers().contains("gone"));
  const DeploymentRecord done = newest(rig);
  for (const DeploymentChange& change : done.changes)
    EXPECT_NE(change.outcome, "") << change.trigger;
}

TEST(WholeDeployment, ATriggerThatComesLateToItsSwitchHoldsNobodyUp) {
  Rig rig;
  rig.deploy({{"b", "match=a"}, {"late", "match=a"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"b", "match=a"}, {"late", "match=a emit=9"}});
  rig.wait(std::chrono::seconds{5});
  rig.send("a", 10);
  const DeploymentRecord first = newest(rig);
  rig.deploy({{"b", "match=a emit=7"}, {"late", "match=a emit=9"}});
  rig.wait(std::chrono::seconds{5});
  const DeploymentRecord second = newest(rig);
  ASSERT_EQ(second.id, first.id + 1) << "it is decided";
  ASSERT_EQ(second.changes.size(), 1u);
  EXPECT_EQ(second.changes[0].trigger, "b");
  rig.send("a", 5);
  // What changes the late one again waits for it.
  rig.deploy({{"b", "match=a emit=7"}, {"late", "match=a emit=3"}});
  EXPECT_EQ(newest(rig).id, second.id);
  EXPECT_EQ(rig.store->deployments({.pending = true}).value().size(), 2u);

  // After a death each goes on to what was decided of it.
  rig.holds_judgements = false;
  rig.start();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.store->run("late", {2}).value()->after.next(), first.sequence);
  EXPECT_EQ(rig.store->run("b", {2}).value()->after.next(), second.sequence);
  EXPECT_EQ(rig.stored_n("late"), 45u);
  EXPECT_EQ(rig.stored_n("b"), 45u);
  EXPECT_TRUE(rig.store->deployments({.pending = true}).value().empty());
}

TEST(WholeDeployment, WhatChangesALateTriggerAgainIsDecidedWhenItHasSwitched) {
  Rig rig;
  rig.deploy({{"late", "match=a"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"late", "match=a emit=9"}});
  rig.deploy({{"late", "match=a emit=3"}});
  rig.wait(std::chrono::seconds{5});
  const std::uint64_t decided = newest(rig).id;
  rig.send("a", 5);
  EXPECT_EQ(newest(rig).id, decided);
  rig.holds_judgements = false;
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(newest(rig).id, decided + 1);
  EXPECT_EQ(rig.trigger("late").run(), hastur::Run{3});
  EXPECT_EQ(rig.stored_n("late"), 35u);
}

TEST(WholeDeployment, OneThatChangesNothingIsDecidedAtOnce) {
  Rig rig;
  rig.deploy({{"a", "match=a"}}, "c1");
  rig.deploy({{"a", "match=a"}}, "c2");
  EXPECT_EQ(rig.deployed.size(), 2u);
  EXPECT_TRUE(newest(rig).sequence);
  EXPECT_TRUE(newest(rig).changes.empty());
  EXPECT_EQ(rig.trigger("a").run(), hastur::Run{1});
}

// Renamed while no version comes to its end: decided, and still to come.
void rename_late(Rig& rig) {
  rig.deploy({{"b", "match=a"}, {"old", "match=a"}});
  rig.send("a", 25);
  rig.holds_judgements = true;
  rig.deploy({{"b", "match=a"}, {"new", "match=a was=old"}});
  rig.wait(std::chrono::seconds{5});
}

TEST(WholeDeployment, ARenameThatComesLateHoldsNobodyUp) {
  Rig rig;
  rename_late(rig);
  const DeploymentRecord first = newest(rig);
  rig.send("a", 10);
  rig.deploy({{"b", "match=a emit=7"}, {"c", "match=a"}, {"new", "match=a was=old"}});
  rig.wait(std::chrono::seconds{5});
  const DeploymentRecord second = newest(rig);
  ASSERT_EQ(second.id, first.id + 1) << "it is decided";
  ASSERT_EQ(second.changes.size(), 2u);
  EXPECT_EQ(second.changes[0].trigger, "b");
  EXPECT_EQ(second.changes[1].trigger, "c");
  EXPECT_TRUE(rig.dispatcher->triggers().contains("old"));
  EXPECT_FALSE(rig.dispatcher->triggers().contains("new"));
  // One that goes on from what is to have another name finds nothing.
  rig.deploy({{"b", "match=a emit=7"},
              {"c", "match=a"},
              {"new", "match=a was=old"},
              {"x", "match=a was=new"},
              {"y", "match=a was=old"}});
  EXPECT_EQ(newest(rig).report,
            "x begins anew: its ctx:was finds nothing to take over (new goes on running)\n"
            "y begins anew: its ctx:was finds nothing to take over (old is taken over by "
            "another)\n");

  // After a death each goes on to what was decided of it.
  rig.holds_judgements = false;
  rig.start();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.store->run("new", {1}).value()->after.next(), first.sequence);
  EXPECT_EQ(rig.store->run("b", {2}).value()->after.next(), second.sequence);
  EXPECT_EQ(rig.stored_n("new"), 40u);
  EXPECT_EQ(rig.stored_n("b"), 40u);
  EXPECT_EQ(rig.stored_n("c"), 5u);
  EXPECT_FALSE(rig.dispatcher->triggers().contains("old"));
  EXPECT_TRUE(rig.store->deployments({.pending = true}).value().empty());
}

TEST(WholeDeployment, WhatChangesEitherNameOfALateRenameWaitsForIt) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> sets = {
      {{"b", "match=a"}},
      {{"b", "match=a"}, {"old", "match=a"}},
      {{"b", "match=a"}, {"old", "match=a"}, {"new", "match=a was=old"}},
      {{"b", "match=a"}, {"new", "match=a was=old emit=3"}}};
  for (const auto& set : sets) {
    Rig rig;
    rename_late(rig);
    const std::uint64_t decided = newest(rig).id;
    rig.deploy(set);
    rig.wait(std::chrono::seconds{5});
    EXPECT_EQ(newest(rig).id, decided);
    rig.holds_judgements = false;
    rig.send("a", 5);
    rig.send("b", 20);
    EXPECT_EQ(newest(rig).id, decided + 1);
    EXPECT_EQ(rig.dispatcher->triggers().size(), set.size());
    for (const auto& [name, text] : set) EXPECT_EQ(rig.trigger(name).version().script.text, text);
  }
}

TEST(WholeDeployment, OneThatIsRefusedAlreadyWaitsForNoSwitch) {
  Rig rig;
  rename_late(rig);
  const std::uint64_t decided = newest(rig).id;
  rig.dispatcher->deploy({.report = "no\n", .is_refused = true});
  rig.pump();
  EXPECT_EQ(newest(rig).id, decided + 1);
}

TEST(WholeDeployment, ALateRollbackHoldsUpNoneThatLeavesItPinned) {
  Rig rig;
  rig.deploy({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"t", "match=a emit=2"}, {"u", "match=a"}});
  rig.send("a", 5);
  rig.holds_judgements = true;
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, "it was worse"));
  rig.pump();
  rig.wait(std::chrono::seconds{5});
  const std::uint64_t decided = newest(rig).id;
  rig.send("a", 5);
  rig.deploy({{"t", "match=a emit=2"}, {"u", "match=a"}, {"new", "match=a"}});
  EXPECT_EQ(newest(rig).id, decided + 1);
  rig.deploy({{"t", "match=a emit=3"}, {"u", "match=a"}, {"new", "match=a"}});
  EXPECT_EQ(newest(rig).id, decided + 1);
  rig.holds_judgements = false;
  rig.send("a", 5);
  EXPECT_EQ(newest(rig).id, decided + 2);
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=3");
}

TEST(WholeDeployment, WhatIsBuiltInAndComesLateHoldsNobodyUp) {
  Rig rig;
  rig.built_in = {{"own", make_version({"own.lua", "match=a"}, {})}};
  rig.start();
  rig.deploy({{"b", "match=a"}});
  rig.send("a", 25);
  rig.built_in = {{"own", make_version({"own.lua", "match=a emit=2"}, {})}};
  rig.start();
  rig.send("a", 5);
  rig.holds_judgements = true;
  rig.deploy({{"b", "match=a"}});
  rig.wait(std::chrono::seconds{5});
  const std::uint64_t decided = newest(rig).id;
  ASSERT_TRUE(rig.trigger("own").next_switch);
  rig.deploy({{"b", "match=a"}, {"c", "match=a"}});
  EXPECT_EQ(newest(rig).id, decided + 1);
}

// Of `late` a switch is to come; a commit that changes it again, and `changed`, waits for that.
void let_a_commit_wait(Rig& rig) {
  rig.deploy({{"changed", "match=a"}, {"late", "match=a"}, {"t", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"changed", "match=a emit=2"}, {"late", "match=a"}, {"t", "match=a emit=2"}});
  rig.send("a", 5);
  rig.holds_judgements = true;
  rig.deploy({{"changed", "match=a emit=2"}, {"late", "match=a emit=9"}, {"t", "match=a emit=2"}});
  rig.wait(std::chrono::seconds{5});
  rig.deploy({{"changed", "match=a emit=3"}, {"late", "match=a emit=3"}, {"t", "match=a emit=2"}},
             "waits");
}

TEST(WaitingDeployment, WhatItLeavesAsItIsCanBeRolledBackMeanwhile) {
  Rig rig;
  let_a_commit_wait(rig);
  const std::uint64_t decided = newest(rig).id;
  const auto changed = rig.dispatcher->rollback("changed", 0, "");
  EXPECT_EQ(changed.error().code, ErrorCode::conflict);
  EXPECT_EQ(changed.error().message,
            "another run of changed is about to begin; try again in a moment");
  const auto back = rig.dispatcher->rollback("t", 0, "it was worse");
  ASSERT_TRUE(back) << back.error().message;
  rig.pump();
  rig.wait(std::chrono::seconds{5});
  EXPECT_EQ(newest(rig).id, decided + 1);
  EXPECT_EQ(newest(rig).kind, DeploymentKind::rollback);
  EXPECT_EQ(rig.deployed.back().ticket, *back);
  EXPECT_TRUE(rig.dispatcher->pins().contains("t"));
  // A later commit comes after the first.
  rig.deploy({{"late", "match=a emit=9"}, {"t", "match=a emit=2"}, {"x", "match=a"}}, "later");
  EXPECT_EQ(newest(rig).id, decided + 1);
  rig.holds_judgements = false;
  rig.send("a", 5);
  rig.send("b", 20);
  const auto all = rig.store->deployments({.max = 3}).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].commit, "later");
  EXPECT_EQ(all[1].commit, "waits");
  EXPECT_EQ(all[2].id, decided + 1);
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a") << "it is pinned";
  EXPECT_EQ(rig.stored_n("t"), 30u);
}

TEST(WaitingDeployment, OneTriggerOfACommitIsTakenMeanwhileIfItLeavesThatAsItIs) {
  Rig rig;
  let_a_commit_wait(rig);
  const std::uint64_t decided = newest(rig).id;
  const auto only = [&](const std::string& name, const std::string& text) {
    rig.dispatcher->deploy({.kind = DeploymentKind::only,
                            .scripts = {{name, make_version({name + ".lua", text}, {})}}});
    rig.pump();
    rig.wait(std::chrono::seconds{5});
  };
  only("changed", "match=a emit=5");
  EXPECT_EQ(newest(rig).id, decided) << "it comes after the commit";
  only("t", "match=a emit=5");
  ASSERT_EQ(newest(rig).id, decided + 1);
  EXPECT_EQ(newest(rig).changes[0].trigger, "t");
  rig.holds_judgements = false;
  rig.send("a", 5);
  EXPECT_EQ(newest(rig).id, decided + 3);
  EXPECT_EQ(rig.trigger("changed").version().script.text, "match=a emit=5");
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=5");
}

TEST(DirectoryDeployment, IsStoredIfItChangesOrRefusesAnything) {
  Rig rig;
  rig.desire({{"a", "match=a"}});
  rig.desire({{"a", "match=a"}});
  EXPECT_EQ(rig.store->deployments({}).value().size(), 1u);
  rig.desire({{"a", "match=a"}, {"b", "broken=1"}});
  EXPECT_FALSE(newest(rig).sequence);
  rig.desire({{"a", "match=a emit=2"}, {"b", "broken=1"}});
  EXPECT_TRUE(newest(rig).sequence);
  EXPECT_EQ(newest(rig).changes.size(), 1u);
}

TEST(Rollback, CodeAndStateAreThoseOfBefore) {
  Rig rig;
  rig.deploy({{"t", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"t", "match=a migrate=1000"}}, "bad");
  const std::uint64_t bad = newest(rig).id;
  rig.send("a", 25);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 1'050u);
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, "it was worse"));
  rig.pump();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.stored_n("t"), 30u);
  EXPECT_EQ(rig.trigger("t").run(), hastur::Run{3});
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a");
  EXPECT_EQ(rig.store->run("t", {3}).value()->why, "rollback");
  EXPECT_EQ(newest(rig).kind, DeploymentKind::rollback);
  EXPECT_EQ(newest(rig).report, "it was worse");
  // There is nothing before the first version.
  const auto further = rig.dispatcher->rollback("t", 0, "further");
  EXPECT_EQ(further.error().code, ErrorCode::not_found);
  EXPECT_EQ(further.error().message,
            "nothing is known of t from before its present version; see hastur deployments. It is "
            "pinned: hastur rollback t --before d-3 undoes what has pinned it, and hastur unpin t "
            "lets it follow its file");
  // The same deployment can be named.
  EXPECT_TRUE(rig.dispatcher->rollback("t", bad, "once more"));
  EXPECT_EQ(rig.dispatcher->rollback("nobody", 0, "").error().code, ErrorCode::not_found);
}

TEST(Rollback, OneThatIsNamedIsUndoneItself) {
  Rig rig;
  rig.deploy({{"t", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"t", "match=a migrate=1000"}}, "good after all");
  rig.send("a", 25);
  rig.send("b", 20);
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, "it was worse"));
  rig.pump();
  const std::uint64_t back = newest(rig).id;
  rig.send("a", 5);
  rig.send("b", 20);
  ASSERT_EQ(rig.stored_n("t"), 30u);
  const auto undone = rig.dispatcher->rollback("t", back, "it was not");
  ASSERT_TRUE(undone) << undone.error().message;
  rig.pump();
  rig.send("a", 5);
  rig.send("b", 20);
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a migrate=1000");
  EXPECT_EQ(rig.stored_n("t"), 1'055u);
  EXPECT_TRUE(rig.dispatcher->pins().contains("t"));
}

TEST(Rollback, OfWhatWasRemovedSaysHowItComesBack) {
  Rig rig;
  rig.deploy({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"heir", "match=a was=u"}});
  rig.send("a", 25);
  const std::string text =
      "there is no trigger t: it was removed. Once its file is back, hastur snapshots t lists what "
      "is kept of it, and hastur restore t s-… goes on from there";
  EXPECT_EQ(rig.dispatcher->rollback("t", 0, "").error().message, text);
  EXPECT_EQ(rig.dispatcher->restore("t", 1, "").error().message, text);
  EXPECT_EQ(rig.dispatcher->rollback("u", 0, "").error().message,
            "there is no trigger u: it went on as heir");
  EXPECT_EQ(rig.dispatcher->rollback("v", 0, "").error().message, "there is no trigger v");
}

TEST(Rollback, PinsTheTriggerUntilItsFileChanges) {
  Rig rig;
  rig.deploy({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"t", "match=a emit=2"}, {"u", "match=a"}}, "bad");
  rig.send("a", 5);
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, "it was worse"));
  rig.pump();
  ASSERT_TRUE(rig.dispatcher->pins().contains("t"));
  // Other files change; a supervisor starts again.
  rig.deploy({{"t", "match=a emit=2"}, {"u", "match=a emit=4"}}, "other");
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a");
  rig.start();
  rig.deploy({{"t", "match=a emit=2"}}, "another");
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a");
  EXPECT_EQ(rig.store->pins().value().size(), 1u);
  rig.deploy({{"t", "match=a emit=3"}}, "better");
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=3");
  EXPECT_TRUE(rig.dispatcher->pins().empty());
  EXPECT_TRUE(rig.store->pins().value().empty());
}

TEST(Rollback, APinHoldsWhenALibraryIsAnother) {
  Rig rig;
  const auto deploy = [&](const std::string& text, const std::string& library) {
    rig.dispatcher->deploy(
        {.commit = "c",
         .scripts = {{"t", make_version({"t.lua", text}, {{"lib/k.lua", library}})}}});
    rig.pump();
  };
  deploy("match=a", "1");
  rig.send("a", 25);
  deploy("match=a emit=2", "1");
  rig.send("a", 5);
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, "it was worse"));
  rig.pump();
  const VersionId kept = rig.trigger("t").version().id;
  deploy("match=a emit=2", "2");
  EXPECT_EQ(rig.trigger("t").version().id, kept);
  EXPECT_TRUE(rig.dispatcher->pins().contains("t"));
  EXPECT_EQ(rig.store->pins().value().size(), 1u);
  deploy("match=a emit=3", "2");
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=3");
  EXPECT_TRUE(rig.store->pins().value().empty());
}

TEST(Rollback, APinEndsWhenTheFileGoesOrSomebodySaysSo) {
  Rig rig;
  rig.deploy({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  rig.deploy({{"t", "match=a emit=2"}, {"u", "match=a emit=2"}});
  rig.send("a", 25);
  ASSERT_TRUE(rig.dispatcher->rollback("t", 0, ""));
  ASSERT_TRUE(rig.dispatcher->rollback("u", 0, ""));
  rig.pump();
  ASSERT_EQ(rig.store->pins().value().size(), 2u);
  ASSERT_TRUE(rig.dispatcher->unpin("u"));
  EXPECT_EQ(rig.dispatcher->unpin("u").error().code, ErrorCode::not_found);
  rig.deploy({{"u", "match=a emit=2"}});
  EXPECT_FALSE(rig.dispatcher->triggers().contains("t"));
  EXPECT_EQ(rig.trigger("u").version().script.text, "match=a emit=2");
  EXPECT_TRUE(rig.store->pins().value().empty());
}

TEST(DeployOnly, TakesOneTriggerAndPinsIt) {
  Rig rig;
  rig.deploy({{"t", "match=a"}, {"u", "match=a"}});
  rig.send("a", 25);
  const auto only = [&](const std::string& name, const std::string& text) {
    rig.dispatcher->deploy({.kind = DeploymentKind::only,
                            .commit = "c9",
                            .scripts = {{name, make_version({name + ".lua", text}, {})}},
                            .why = "try it"});
    rig.pump();
  };
  only("t", "match=a emit=2");
  only("new", "match=a");
  EXPECT_EQ(rig.dispatcher->triggers().size(), 3u);
  EXPECT_EQ(newest(rig).kind, DeploymentKind::only);
  // What the branch holds does not touch them, nor that it does not hold one.
  rig.deploy({{"t", "match=a"}, {"u", "match=a emit=5"}});
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=2");
  EXPECT_EQ(rig.trigger("u").version().script.text, "match=a emit=5");
  EXPECT_TRUE(rig.dispatcher->triggers().contains("new"));
  rig.deploy({{"t", "match=a emit=7"}, {"u", "match=a"}, {"new", "match=a emit=7"}});
  EXPECT_EQ(rig.trigger("t").version().script.text, "match=a emit=7");
  EXPECT_EQ(rig.trigger("new").version().script.text, "match=a emit=7");
  EXPECT_TRUE(rig.dispatcher->pins().empty());
}

}  // namespace
}  // namespace hastur::test
