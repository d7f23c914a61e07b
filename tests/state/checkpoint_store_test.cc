// The contract of CheckpointStore, over every implementation; what survives a crash is in
// sqlite_store_test.cc.

#include "state/checkpoint_store.h"

#include <gtest/gtest.h>

#include "tests/state/store_contract.h"

namespace hastur {
namespace {

TEST_P(CheckpointStoreContract, AFreshStoreHasAnOwnerAndNothingElse) {
  EXPECT_NE(store().owner(), OwnerId{});
  EXPECT_FALSE(store().stream());
  EXPECT_EQ(store().epoch(), Epoch{});
  EXPECT_EQ(store().position(), Sequence{});
  EXPECT_TRUE(store().load_all().value().empty());
  EXPECT_FALSE(store().load("a").value());
  EXPECT_FALSE(store().version("v").value());
  EXPECT_EQ(store().outbox_size(), 0u);
  EXPECT_TRUE(store().outbox(0, 10).value().empty());
  EXPECT_TRUE(store().notifications({.since = {}, .status = {}, .trigger = {}}).value().empty());
  EXPECT_TRUE(store().logs("a", 10).value().empty());
}

TEST_P(CheckpointStoreContract, TheOwnerStaysTheSame) {
  const OwnerId owner = store().owner();
  reopen();
  EXPECT_EQ(store().owner(), owner);
}

TEST_P(CheckpointStoreContract, IsBoundToOneStream) {
  const StreamId one{{1}}, other{{2}};
  ASSERT_TRUE(store().bind(one));
  EXPECT_TRUE(store().bind(one));
  reopen();
  const auto refused = store().bind(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(store().stream(), one);
}

TEST_P(CheckpointStoreContract, TheEpochIsKeptAndNeverFalls) {
  ASSERT_TRUE(store().take_epoch({5}));
  reopen();
  EXPECT_EQ(store().epoch(), Epoch{5});
  EXPECT_TRUE(store().take_epoch({5}));
  const auto refused = store().take_epoch({4});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::stale);
  EXPECT_EQ(store().epoch(), Epoch{5});
}

TEST_P(CheckpointStoreContract, ReturnsWhatWasCommitted) {
  CommitBuilder first;
  first.start("a", 1, 10, "{\"n\":0}").start("dir/b", 1, 10);
  commit(first);
  CommitBuilder second;
  second.checkpoint("a", 1, 20, "{\"n\":1}", 25, 0xFFFF'0000'1111'2222u)
      .effects("dir/b", 1, 22, 77)
      .message("a", 1, 21)
      .notification("dir/b", 1, 22)
      .log("a", 21, "it said \xC3\xA4")
      .journal("a", 1, 24, "skip", "{\"callback\":2}")
      .position(25);
  commit(second);
  reopen();

  const StoredTrigger a = loaded("a");
  EXPECT_EQ(a.run.version, "v-a-1");
  EXPECT_EQ(a.run.why, "deploy");
  EXPECT_EQ(a.run.after, Sequence{10});
  EXPECT_EQ(a.checkpoint.state, "{\"n\":1}");
  EXPECT_EQ(a.checkpoint.runtime, "{\"ticks\":1}");
  EXPECT_EQ(a.checkpoint.state_sequence, Sequence{20});
  EXPECT_EQ(a.checkpoint.state_time, CommitBuilder::time(20));
  EXPECT_EQ(a.checkpoint.effects_sequence, Sequence{25});
  EXPECT_EQ(a.checkpoint.effects_hash, 0xFFFF'0000'1111'2222u);
  ASSERT_EQ(a.journal.size(), 1u);
  EXPECT_EQ(a.journal[0].detail, "{\"callback\":2}");
  const StoredTrigger b = loaded("dir/b");
  EXPECT_EQ(b.checkpoint.state_sequence, Sequence{10});
  EXPECT_EQ(b.checkpoint.effects_sequence, Sequence{22});
  EXPECT_EQ(b.checkpoint.effects_hash, 77u);
  EXPECT_EQ(store().position(), Sequence{25});
  EXPECT_EQ(store().load_all().value().size(), 2u);

  const auto version = store().version("v-a-1").value();
  ASSERT_TRUE(version);
  EXPECT_EQ(version->trigger, "a");
  ASSERT_EQ(version->files.size(), 2u);
  EXPECT_EQ(version->files[0].path, "a.lua");
  EXPECT_EQ(version->files[0].text, "-- a 1");
  EXPECT_EQ(version->files[1].path, "lib/pages.lua");
}

TEST_P(CheckpointStoreContract, AnEmptyCommitChangesNothing) {
  CommitBuilder nothing;
  commit(nothing);
  EXPECT_TRUE(nothing.batch().empty());
  EXPECT_EQ(store().position(), Sequence{});
}

TEST_P(CheckpointStoreContract, AStateAsBigAsTheLimitComesBack) {
  const std::string big = "{\"x\":\"" + std::string(20u << 20, 'x') + "\"}";
  CommitBuilder first, second, mark;
  commit(first.start("a", 1, 0, big));
  commit(second.checkpoint("a", 1, 5, big + " "));
  commit(mark.effects("a", 1, 6));
  reopen();
  EXPECT_EQ(loaded("a").checkpoint.state, big + " ");
}

TEST_P(CheckpointStoreContract, AnOlderStateIsRefusedAndNothingOfItsCommitIsThere) {
  CommitBuilder first;
  commit(first.start("a", 1, 10).start("b", 1, 10).checkpoint("a", 1, 20, "{\"n\":20}"));
  CommitBuilder older;
  older.checkpoint("b", 1, 21, "{}")
      .checkpoint("a", 1, 19, "{\"n\":19}")
      .message("b", 1, 21)
      .position(21);
  expect_refused(older);
}

TEST_P(CheckpointStoreContract, EffectsThatEndEarlierAreRefused) {
  CommitBuilder first;
  commit(first.start("a", 1, 10).effects("a", 1, 30));
  CommitBuilder mark, checkpoint;
  expect_refused(mark.effects("a", 1, 29));
  expect_refused(checkpoint.checkpoint("a", 1, 20, "{}", 29));
  CommitBuilder same;
  commit(same.checkpoint("a", 1, 20, "{}", 30));
}

TEST_P(CheckpointStoreContract, TheSameCheckpointMayComeAgain) {
  CommitBuilder first, second;
  commit(first.start("a", 1, 10).checkpoint("a", 1, 20, "{}"));
  commit(second.checkpoint("a", 1, 20, "{}"));
}

TEST_P(CheckpointStoreContract, AnotherRunsCheckpointsAndMarksAreRefused) {
  CommitBuilder first, next;
  commit(first.start("a", 1, 10));
  commit(next.start("a", 2, 15));
  CommitBuilder old_checkpoint, old_mark, new_checkpoint, unknown;
  expect_refused(old_checkpoint.checkpoint("a", 1, 40, "{}"));
  expect_refused(old_mark.effects("a", 1, 40));
  expect_refused(new_checkpoint.checkpoint("a", 3, 40, "{}"));
  expect_refused(unknown.checkpoint("never", 1, 40, "{}"));
}

TEST_P(CheckpointStoreContract, ARunMustFollowTheNewest) {
  CommitBuilder first, same, older;
  commit(first.start("a", 2, 10));
  expect_refused(same.start("a", 2, 20));
  expect_refused(older.start("a", 1, 20));
  EXPECT_EQ(store().newest_run("a"), hastur::Run{2});
  EXPECT_EQ(store().newest_run("b"), hastur::Run{});
}

TEST_P(CheckpointStoreContract, ANewRunMayStartEarlierInTheStream) {
  CommitBuilder first, replay;
  commit(first.start("a", 1, 10).checkpoint("a", 1, 100, "{\"n\":1}"));
  commit(replay.start("a", 2, 50, "{\"n\":0}"));
  reopen();
  EXPECT_EQ(loaded("a").checkpoint.state_sequence, Sequence{50});
  EXPECT_EQ(loaded("a").checkpoint.state, "{\"n\":0}");
}

TEST_P(CheckpointStoreContract, OneCommitEndsARunAndBeginsTheNext) {
  CommitBuilder first, change;
  commit(first.start("a", 1, 10));
  change.start("a", 2, 30, "{\"n\":2}")
      .checkpoint("a", 1, 30, "{\"n\":1}")
      .checkpoint("a", 2, 35, "{\"n\":3}")
      .message("a", 1, 30)
      .message("a", 2, 31);
  commit(change);
  reopen();
  EXPECT_EQ(loaded("a").checkpoint.run, hastur::Run{2});
  EXPECT_EQ(loaded("a").checkpoint.state, "{\"n\":3}");
  EXPECT_EQ(store().outbox_size(), 2u);
}

TEST_P(CheckpointStoreContract, ARunOfAVersionThatIsNotThereIsRefused) {
  CommitBuilder first;
  first.start("a", 1, 10).start("b", 1, 10);
  first.batch().starts[1].version.reset();
  expect_refused(first, ErrorCode::not_found);
}

TEST_P(CheckpointStoreContract, AVersionIsGivenOnce) {
  CommitBuilder first, again;
  commit(first.start("a", 1, 10));
  again.start("a", 2, 20);
  again.batch().starts[0].version.reset();
  again.batch().starts[0].run.version = "v-a-1";
  commit(again);
  reopen();
  EXPECT_EQ(loaded("a").run.version, "v-a-1");
  EXPECT_EQ(store().version("v-a-1").value()->files.size(), 2u);
}

TEST_P(CheckpointStoreContract, TheOutboxKeepsItsOrder) {
  CommitBuilder first, second;
  commit(first.start("b", 1, 0).start("a", 1, 0).message("b", 1, 1).message("a", 1, 1).message(
      "b", 1, 1, 1));
  commit(second.message("a", 1, 2).message("b", 1, 2));
  reopen();
  const auto all = store().outbox(0, 100).value();
  ASSERT_EQ(all.size(), 5u);
  std::string order;
  for (const auto& message : all) {
    order += fmt::format("{}{}.{} ", message.trigger, message.sequence.value, message.ordinal);
  }
  EXPECT_EQ(order, "b1.0 a1.0 b1.1 a2.0 b2.0 ");
  EXPECT_EQ(all[2].payload, "{\"from\":\"b/1/1/1\"}");
  EXPECT_EQ(all[2].depth, 1);
  const auto middle = store().outbox(1, 2).value();
  ASSERT_EQ(middle.size(), 2u);
  EXPECT_EQ(middle[0].trigger, "a");
  EXPECT_EQ(middle[1].ordinal, 1u);
  EXPECT_TRUE(store().outbox(5, 10).value().empty());
}

TEST_P(CheckpointStoreContract, AcknowledgedMessagesLeaveTheOutbox) {
  CommitBuilder first;
  commit(first.start("a", 1, 0)
             .start("b", 1, 0)
             .message("a", 1, 1)
             .message("b", 1, 1)
             .message("a", 1, 1, 1)
             .message("a", 1, 2)
             .message("a", 2, 1));
  ASSERT_TRUE(store().acknowledge("a", {1}, {1}, 1));
  EXPECT_EQ(store().outbox_size(), 3u);
  auto left = store().outbox(0, 10).value();
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[0].trigger, "b");
  EXPECT_EQ(left[1].sequence, Sequence{2});
  EXPECT_EQ(store().outbox(1, 1).value()[0].sequence, Sequence{2});

  CommitBuilder more;
  commit(more.message("b", 1, 3));
  reopen();
  EXPECT_EQ(store().outbox_size(), 4u);
  ASSERT_TRUE(store().acknowledge("a", {1}, {9}, 0));
  ASSERT_TRUE(store().acknowledge("nobody", {1}, {9}, 0));
  reopen();
  left = store().outbox(0, 10).value();
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[1].run, hastur::Run{2});
  EXPECT_EQ(left[2].sequence, Sequence{3});
  ASSERT_TRUE(store().acknowledge("a", {2}, {1}, 0));
  ASSERT_TRUE(store().acknowledge("b", {1}, {3}, 0));
  EXPECT_EQ(store().outbox_size(), 0u);
  reopen();
  EXPECT_TRUE(store().outbox(0, 10).value().empty());
}

TEST_P(CheckpointStoreContract, LogsAreNewestFirstAndBounded) {
  CommitBuilder first, second;
  first.start("a", 1, 0).log("b", 1, "of another");
  for (std::uint64_t at = 1; at <= 1'500; ++at) first.log("a", at, "line " + std::to_string(at));
  commit(first);
  commit(second.log("a", 1'501, "line 1501"));
  reopen();
  const auto newest = store().logs("a", 2).value();
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].text, "line 1501");
  EXPECT_EQ(newest[1].text, "line 1500");
  EXPECT_EQ(newest[0].script, "a.lua");
  EXPECT_EQ(newest[0].line, 7u);
  const auto all = store().logs("a", 5'000).value();
  ASSERT_EQ(all.size(), CheckpointStore::logs_max);
  EXPECT_EQ(all.back().text, "line 502");
  EXPECT_EQ(store().logs("b", 10).value().size(), 1u);
}

TEST_P(CheckpointStoreContract, RecoveryGetsTheDecisionsThatItMustObey) {
  CommitBuilder first, decisions, next;
  commit(first.start("a", 1, 10).journal("a", 1, 30, "skip"));
  commit(next.start("a", 2, 20).journal("a", 1, 40, "skip"));
  decisions.journal("a", 2, 29, "pause", "{\"by\":\"anna\"}")
      .journal("a", 2, 25, "skip")
      .journal("a", 2, 40, "skip", "{\"callback\":1}")
      .journal("a", 2, 35, "lost")
      .journal("b", 1, 50, "skip")
      .checkpoint("a", 2, 30, "{}");
  commit(decisions);
  reopen();
  auto journal = loaded("a").journal;
  ASSERT_EQ(journal.size(), 3u);
  EXPECT_EQ(journal[0].decision, "pause");
  EXPECT_EQ(journal[0].detail, "{\"by\":\"anna\"}");
  EXPECT_EQ(journal[1].sequence, Sequence{35});
  EXPECT_EQ(journal[2].sequence, Sequence{40});
  EXPECT_EQ(journal[2].run, hastur::Run{2});

  CommitBuilder resume;
  commit(resume.journal("a", 2, 29, "resume"));
  reopen();
  journal = loaded("a").journal;
  ASSERT_EQ(journal.size(), 2u);
  EXPECT_EQ(journal[0].decision, "lost");
}

TEST_P(CheckpointStoreContract, ARemovedTriggerIsKeptApart) {
  CommitBuilder first, removal;
  commit(first.start("a", 1, 10).start("b", 1, 10));
  commit(removal.checkpoint("a", 1, 20, "{\"n\":20}")
             .message("a", 1, 20)
             .remove("a")
             .remove("nobody"));
  reopen();
  EXPECT_FALSE(store().load("a").value());
  EXPECT_EQ(store().load_all().value().size(), 1u);
  const auto removed = store().load_removed("a").value();
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->checkpoint.state, "{\"n\":20}");
  EXPECT_EQ(removed->run.version, "v-a-1");
  EXPECT_FALSE(store().load_removed("b").value());
  EXPECT_EQ(store().outbox_size(), 1u) << "its messages still leave";

  CommitBuilder late;
  expect_refused(late.checkpoint("a", 1, 30, "{}"));
  EXPECT_EQ(store().newest_run("a"), hastur::Run{1});
  CommitBuilder same_run, next_run;
  expect_refused(same_run.start("a", 1, 30));
  commit(next_run.start("a", 2, 30));
  reopen();
  EXPECT_EQ(loaded("a").checkpoint.run, hastur::Run{2});
  EXPECT_FALSE(store().load_removed("a").value());
}

TEST_P(CheckpointStoreContract, PruningForgetsWhatHistoryCannotReachAndNothingElse) {
  CommitBuilder first, second, third;
  commit(first.start("a", 1, 10)
             .start("gone", 1, 10)
             .start("b", 1, 10)
             .journal("a", 1, 12, "skip")
             .notification("a", 1, 12)
             .notification("a", 1, 13, NotificationStatus::waiting));
  commit(second.start("a", 2, 50)
             .remove("gone")
             .journal("b", 1, 11, "pause")
             .journal("b", 1, 12, "skip"));
  commit(third.checkpoint("a", 2, 100, "{}"));
  const std::string before = describe(store());

  while (store().prune({.oldest = {50}, .notifications_before = {}, .rows_max = 1}).value().more)
    continue;
  reopen();
  EXPECT_TRUE(store().version("v-a-1").value()) << "its last inputs can still be read";
  EXPECT_TRUE(store().version("v-gone-1").value()) << "a snapshot names it";
  EXPECT_FALSE(store().load_removed("gone").value());
  EXPECT_EQ(store().newest_run("gone"), hastur::Run{1});
  EXPECT_EQ(describe(store()), before);

  while (
      store()
          .prune(
              {.oldest = {51}, .notifications_before = CommitBuilder::time(1'000), .rows_max = 1})
          .value()
          .more) {
    continue;
  }
  reopen();
  EXPECT_FALSE(store().version("v-a-1").value());
  EXPECT_FALSE(store().version("v-gone-1").value());
  EXPECT_TRUE(store().snapshots("gone").value().empty());
  EXPECT_EQ(store().snapshots("a").value().size(), 1u) << "the newest of a trigger that runs stays";
  EXPECT_EQ(store().version("v-a-2").value()->files.size(), 2u) << "a text in use stays";
  EXPECT_EQ(store().version("v-b-1").value()->files.size(), 2u);
  ASSERT_EQ(loaded("b").journal.size(), 2u) << "its state is older than both decisions";
  const auto notifications =
      store().notifications({.since = {}, .status = {}, .trigger = {}}).value();
  ASSERT_EQ(notifications.size(), 1u);
  EXPECT_EQ(notifications[0].status, NotificationStatus::waiting);
  CommitBuilder again;
  commit(again.start("gone", 2, 200));
}

TEST_P(CheckpointStoreContract, KeepsASnapshotEachMinuteAndAtTheEdgesOfRuns) {
  CommitBuilder first;
  commit(first.start("a", 1, 10, ""));
  EXPECT_TRUE(store().snapshots("a").value().empty()) << "it has not been judged";
  // A checkpoint a second, for ten minutes.
  for (std::uint64_t at = 11; at <= 610; ++at) {
    CommitBuilder checkpoint;
    commit(checkpoint.checkpoint("a", 1, at, fmt::format(R"({{"n":{}}})", at)));
    if (at % 100 == 0) reopen();
  }
  auto kept = store().snapshots("a").value();
  EXPECT_GE(kept.size(), 10u);
  EXPECT_LE(kept.size(), 12u);
  for (std::size_t i = 1; i < kept.size(); ++i) EXPECT_GT(kept[i - 1].time, kept[i].time);

  CommitBuilder next;
  commit(next.start("a", 2, 615, R"({"n":0})"));
  reopen();
  kept = store().snapshots("a").value();
  EXPECT_EQ(kept[0].why, "start");
  EXPECT_EQ(kept[0].run, hastur::Run{2});
  EXPECT_EQ(kept[1].why, "end");
  EXPECT_EQ(kept[1].sequence, Sequence{610});
  const auto whole = store().snapshot(kept[1].number).value();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->state, R"({"n":610})");
  EXPECT_EQ(whole->runtime, R"({"ticks":1})");
  EXPECT_EQ(whole->record, kept[1]);
  EXPECT_FALSE(store().snapshot(4'711).value());
  ASSERT_TRUE(store().run("a", {1}).value());
  EXPECT_EQ(store().run("a", {1}).value()->version, "v-a-1");
  EXPECT_FALSE(store().run("a", {3}).value());
}

TEST_P(CheckpointStoreContract, DeploymentsComeBackNewestFirstWithTheirVersions) {
  CommitBuilder first;
  commit(first.deployment(1, 11, {"b", "a"}));
  CommitBuilder second;
  commit(second.deployment(2, 0, {}).outcome(1, "a", "live"));
  CommitBuilder third;
  commit(third.deployment(3, 31, {"a"}).outcome(4'711, "a", "live"));
  reopen();
  const auto all = store().deployments({}).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].id, 3u);
  EXPECT_EQ(all[0].sequence, Sequence{31});
  EXPECT_FALSE(all[1].sequence);
  ASSERT_EQ(all[2].changes.size(), 2u);
  EXPECT_EQ(all[2].changes[0].trigger, "a");
  EXPECT_EQ(all[2].changes[0].outcome, "live");
  EXPECT_EQ(all[2].changes[1].outcome, "");
  EXPECT_EQ(all[2].commit, "c-1");
  EXPECT_EQ(store().deployments({.max = 1}).value().front().id, 3u);
  EXPECT_EQ(store().deployments({.before = 3, .max = 1}).value().front().id, 2u);
  EXPECT_EQ(store().deployments({.trigger = "b"}).value().size(), 1u);
  EXPECT_EQ(store().version("d-b-1").value()->files[0].text, "-- deployed 1");
}

TEST_P(CheckpointStoreContract, ADeploymentIsPendingUntilEachOfItsTriggersHasCome) {
  const auto pending = [&] {
    std::vector<std::uint64_t> ids;
    const auto found = store().deployments({.pending = true}).value();
    for (const DeploymentRecord& record : found) ids.push_back(record.id);
    return ids;
  };
  CommitBuilder batch;
  batch.deployment(1, 11, {"a", "b"}).deployment(2, 0, {"c"}).deployment(3, 31, {"d"});
  commit(batch.outcome(1, "a", "live"));
  reopen();
  EXPECT_EQ(pending(), (std::vector<std::uint64_t>{3, 1})) << "the second was refused";
  CommitBuilder ended;
  commit(ended.outcome(1, "b", "refused: b.lua:1: no").outcome(3, "d", "gone"));
  EXPECT_TRUE(pending().empty());
}

TEST_P(CheckpointStoreContract, AReplayOfADeploymentIsOpenUntilItIsDoneOrHasFailed) {
  CommitBuilder batch;
  batch.deployment(1, 11, {"a"}).deployment(2, 21, {"a"}).deployment(3, 31, {"b"});
  commit(batch.replay(1, "waiting").replay(3, "running").replay(4'711, "running"));
  reopen();
  const auto open_ones = [&] {
    std::vector<std::uint64_t> ids;
    const auto found = store().deployments({.open_replays = true}).value();
    for (const DeploymentRecord& record : found) ids.push_back(record.id);
    return ids;
  };
  EXPECT_EQ(open_ones(), (std::vector<std::uint64_t>{3, 1}));
  EXPECT_EQ(store().deployments({.trigger = "a", .open_replays = true}).value().size(), 1u);
  CommitBuilder ended;
  commit(ended.replay(1, "done").replay(3, "failed: History is gone"));
  reopen();
  EXPECT_TRUE(open_ones().empty());
  const auto all = store().deployments({}).value();
  EXPECT_EQ(all[0].replay, "failed: History is gone");
  EXPECT_EQ(all[1].replay, "");
  EXPECT_EQ(all[2].replay, "done");
}

TEST_P(CheckpointStoreContract, APinReplacesTheOneBeforeItAndGoesWhenItIsTold) {
  CommitBuilder pinned;
  commit(pinned.pin("b", "v-1", 1).pin("a", "v-2", 2));
  CommitBuilder again;
  commit(again.unpin("b").pin("b", "v-3", 3));
  reopen();
  auto pins = store().pins().value();
  ASSERT_EQ(pins.size(), 2u);
  EXPECT_EQ(pins[0].trigger, "a");
  EXPECT_EQ(pins[1].version, "v-3");
  CommitBuilder gone;
  commit(gone.unpin("a").unpin("nobody"));
  reopen();
  pins = store().pins().value();
  ASSERT_EQ(pins.size(), 1u);
  EXPECT_EQ(pins[0].trigger, "b");
}

TEST_P(CheckpointStoreContract, PruningKeepsWhatADeploymentOrAPinStillNeeds) {
  CommitBuilder batch;
  batch.deployment(1, 10, {"done"}).outcome(1, "done", "live");
  batch.deployment(2, 20, {"pending"});
  batch.deployment(3, 30, {"pinned"}).outcome(3, "pinned", "live").pin("pinned", "d-pinned-3", 3);
  batch.deployment(4, 40, {"replays"}).outcome(4, "replays", "live").replay(4, "running");
  batch.deployment(5, 50, {"newest"}).outcome(5, "newest", "live");
  commit(batch);
  const Retention retention{Sequence{1'000}, CommitBuilder::time(1'000)};
  while (store().prune(retention).value().more) {
  }
  reopen();
  std::vector<std::uint64_t> ids;
  const auto kept = store().deployments({}).value();
  for (const DeploymentRecord& record : kept) ids.push_back(record.id);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{5, 4, 3, 2}));
  EXPECT_FALSE(store().version("d-done-1").value());
  EXPECT_TRUE(store().version("d-pending-2").value());
  EXPECT_TRUE(store().version("d-pinned-3").value());
  EXPECT_TRUE(store().version("d-newest-5").value());
}

INSTANTIATE_TEST_SUITE_P(Stores, CheckpointStoreContract, all_stores, store_kind_name);

}  // namespace
}  // namespace hastur
