// The contract of CheckpointStore, over every implementation; what survives a crash is in
// sqlite_store_test.cc.

#include "state/checkpoint_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/state/faulty_vfs.h"
#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

enum class Kind { memory, file, faulty_disk, faulty_disk_synced };

class CheckpointStoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::string name = "hastur_store_" + test;
    std::replace(name.begin(), name.end(), '/', '_');
    folder_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    if (GetParam() == Kind::memory) {
      store_ = make_memory_store();
      return;
    }
    SqliteStoreOptions options{.path = folder_ / "state.db", .vfs = {}};
    if (GetParam() != Kind::file) options.vfs = disk_.name();
    options.synced = GetParam() == Kind::faulty_disk_synced;
    auto opened = open_store(options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  // Closes and opens again, where that keeps anything.
  void reopen() {
    if (GetParam() == Kind::memory) return;
    store_.reset();
    open();
  }

  CheckpointStore& store() { return *store_; }
  static void commit(CheckpointStore& store, CommitBuilder& builder) {
    const auto done = builder.into(store);
    ASSERT_TRUE(done) << done.error().message;
  }
  void commit(CommitBuilder& builder) { commit(*store_, builder); }
  // The batch is refused with the code, nothing changes, also on disk.
  void expect_refused(CommitBuilder& builder, ErrorCode code = ErrorCode::conflict) {
    const std::string before = describe(store());
    const auto done = builder.into(store());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_EQ(describe(store()), before);
    reopen();
    EXPECT_EQ(describe(store()), before);
  }
  StoredTrigger loaded(const TriggerName& trigger) {
    auto found = store().load(trigger);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : StoredTrigger{};
  }

  std::filesystem::path folder_;
  FaultyVfs disk_;
  std::unique_ptr<CheckpointStore> store_;
};

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

TEST_P(CheckpointStoreContract, OrdersAreKeptAndEnded) {
  NotifyOrder silence{.scope = OrderScope::silence,
                      .name = "load",
                      .key = "k",
                      .since = time_from_us(5),
                      .until = time_from_us(9),
                      .why = "new disks"};
  CommitBatch batch;
  batch.orders = {silence, {.scope = OrderScope::channel, .name = "c", .mode = NotifyMode::off}};
  ASSERT_TRUE(store().commit(batch));
  EXPECT_LT(batch.orders[0].number, batch.orders[1].number);
  const auto found = store().orders({});
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front().key, "k");
  EXPECT_EQ(found->front().until, time_from_us(9));
  EXPECT_EQ(found->front().why, "new disks");
  EXPECT_EQ(found->back().mode, NotifyMode::off);
  EXPECT_FALSE(found->back().until);

  CommitBatch end;
  end.orders = {found->front()};
  end.orders[0].ended = time_from_us(7);
  end.orders[0].end_why = "they are in";
  ASSERT_TRUE(store().commit(end));
  EXPECT_EQ(store().orders({})->size(), 1u);
  const auto all = store().orders({.ended_too = true});
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(all->front().end_why, "they are in");
  EXPECT_EQ(store().orders({.ended_too = true, .after_number = all->front().number})->size(), 1u);
}

TEST_P(CheckpointStoreContract, ReceiversThatRestAreKeptUntilTheyDoNot) {
  CommitBatch batch;
  batch.receiver_rests = {{"b", 9, time_from_us(70)}, {"a", 1, time_from_us(50)}};
  EXPECT_FALSE(batch.empty());
  ASSERT_TRUE(store().commit(batch));
  CommitBatch later;
  later.receiver_rests = {{"b", 10, time_from_us(90)}};
  ASSERT_TRUE(store().commit(later));
  reopen();
  auto kept = store().receiver_rests().value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].name, "a");
  EXPECT_EQ(kept[1].failures, 10u);
  EXPECT_EQ(kept[1].until, time_from_us(90));
  CommitBatch well;
  well.receiver_rests = {{"b", 0, Time{}, true}};
  ASSERT_TRUE(store().commit(well));
  EXPECT_EQ(store().receiver_rests().value().size(), 1u);
  Retention retention;
  retention.notifications_before = time_from_us(51);
  ASSERT_TRUE(store().prune(retention));
  EXPECT_TRUE(store().receiver_rests().value().empty());
}

TEST_P(CheckpointStoreContract, ANotificationsProgressStaysUntilThereIsAnother) {
  CommitBuilder first;
  commit(first.start("a", 1, 0).notification("a", 1, 1));
  const auto progress = [&] { return store().notifications({}).value()[0].progress; };
  EXPECT_EQ(progress(), "");
  CommitBatch half;
  half.notification_changes = {{1, NotificationStatus::waiting, "", {}, "half"}};
  ASSERT_TRUE(store().commit(half));
  CommitBatch sent;
  sent.notification_changes = {{1, NotificationStatus::sent, "", time_from_us(1), {}}};
  ASSERT_TRUE(store().commit(sent));
  reopen();
  EXPECT_EQ(progress(), "half");
}

TEST_P(CheckpointStoreContract, NotificationsAreFoundFromTheNewestBack) {
  CommitBuilder builder;
  builder.start("a", 1, 0).start("b", 1, 0);
  for (std::uint64_t i = 1; i <= 9; ++i) builder.notification(i % 3 == 0 ? "b" : "a", 1, i);
  commit(builder);
  const auto ids = [&](CheckpointStore::NotificationQuery query) {
    query.newest_first = true;
    query.max = 3;
    std::vector<std::uint64_t> found;
    const auto page = store().notifications(query);
    for (const NotificationRecord& record : page.value()) found.push_back(record.id);
    return found;
  };
  using Ids = std::vector<std::uint64_t>;
  CheckpointStore::NotificationQuery query;
  EXPECT_EQ(ids(query), (Ids{9, 8, 7}));
  query.before_id = 7;
  EXPECT_EQ(ids(query), (Ids{6, 5, 4}));
  query.after_id = 5;
  EXPECT_EQ(ids(query), Ids{6});
  query = {};
  query.before_id = 3;
  query.since = time_from_us(0);
  EXPECT_EQ(ids(query), (Ids{2, 1}));
  query.before_id = 9;
  query.trigger = "b";
  EXPECT_EQ(ids(query), (Ids{6, 3}));
}

TEST_P(CheckpointStoreContract, NotificationsGetRisingIdsThatStay) {
  CommitBuilder first, second;
  commit(first.start("a", 1, 0).notification("a", 1, 1).notification("a", 1, 2));
  EXPECT_EQ(first.batch().notifications[0].id, 1u);
  EXPECT_EQ(first.batch().notifications[1].id, 2u);
  reopen();
  commit(second.notification("a", 1, 3));
  EXPECT_EQ(second.batch().notifications[0].id, 3u);

  ASSERT_TRUE(store().prune({.oldest = {}, .notifications_before = CommitBuilder::time(100)}));
  reopen();
  CommitBuilder third;
  commit(third.notification("a", 1, 4));
  EXPECT_EQ(third.batch().notifications[0].id, 4u) << "an id stands for one notification for ever";
}

TEST_P(CheckpointStoreContract, NotificationsOfARefusedCommitGetNoId) {
  CommitBuilder refused;
  refused.notification("a", 1, 1).checkpoint("a", 1, 1, "{}");
  expect_refused(refused);
  EXPECT_EQ(refused.batch().notifications[0].id, 0u);
}

TEST_P(CheckpointStoreContract, NotificationsAreFoundByTimeStatusAndTriggerInPages) {
  CommitBuilder batch;
  batch.start("a", 1, 0).start("b", 1, 0);
  for (std::uint64_t at = 1; at <= 20; ++at) {
    batch.notification(at % 2 == 0 ? "a" : "b", 1, at,
                       at % 5 == 0 ? NotificationStatus::waiting : NotificationStatus::recorded);
  }
  commit(batch);
  reopen();
  using Query = CheckpointStore::NotificationQuery;
  const auto ids = [&](const Query& query) {
    std::string text;
    const auto found = store().notifications(query);
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return text;
    for (const auto& record : *found) text += std::to_string(record.id) + " ";
    return text;
  };
  const auto since = CommitBuilder::time(17);
  const auto waiting = NotificationStatus::waiting;
  EXPECT_EQ(ids({.since = {}, .status = {}, .trigger = {}, .after_id = 0, .max = 3}), "1 2 3 ");
  EXPECT_EQ(ids({.since = {}, .status = {}, .trigger = {}, .after_id = 3, .max = 3}), "4 5 6 ");
  EXPECT_EQ(ids({.since = since, .status = {}, .trigger = {}}), "17 18 19 20 ");
  EXPECT_EQ(ids({.since = since, .status = {}, .trigger = {}, .after_id = 18, .max = 1}), "19 ");
  EXPECT_EQ(ids({.since = since, .status = {}, .trigger = "a"}), "18 20 ");
  EXPECT_EQ(ids({.since = {}, .status = waiting, .trigger = {}}), "5 10 15 20 ");
  EXPECT_EQ(ids({.since = {}, .status = waiting, .trigger = "a", .after_id = 10}), "20 ");
  EXPECT_EQ(ids({.since = since, .status = waiting, .trigger = "b"}), "");
  EXPECT_EQ(ids({.since = {}, .status = {}, .trigger = "nobody"}), "");

  const auto record =
      store().notifications({.since = {}, .status = {}, .trigger = {}, .max = 1}).value()[0];
  EXPECT_EQ(record.trigger, "b");
  EXPECT_EQ(record.time, CommitBuilder::time(1));
  EXPECT_EQ(record.status, NotificationStatus::recorded);
  EXPECT_EQ(record.reason, "mode is record");
  EXPECT_EQ(record.payload, "{\"kind\":\"page\"}");
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

TEST_P(CheckpointStoreContract, AnIncidentFollowsItsNotifications) {
  const auto incident = [this](std::string_view key) {
    return store().incident("a", "ops", key).value();
  };
  CommitBuilder first;
  commit(first.start("a", 1, 10)
             .notification("a", 1, 11, NotificationStatus::waiting, "disk")
             .notification("a", 1, 12, NotificationStatus::recorded, "load")
             .notification("a", 1, 13, NotificationStatus::waiting)
             .notification("a", 1, 13, NotificationStatus::waiting, "never",
                           NotificationAction::resolve));
  reopen();
  ASSERT_TRUE(incident("disk"));
  EXPECT_EQ(incident("disk")->state, IncidentState::open);
  EXPECT_EQ(incident("disk")->opened, CommitBuilder::time(11));
  EXPECT_TRUE(incident("disk")->told_open);
  EXPECT_FALSE(incident("disk")->last_sent);
  EXPECT_FALSE(incident("load")->told_open) << "it is only recorded";
  EXPECT_FALSE(incident("never")) << "it was never opened";
  EXPECT_FALSE(incident("")) << "keyless";
  EXPECT_EQ(store().incidents({.trigger = {}}).value().size(), 2u);

  CommitBuilder second;
  commit(second.notification("a", 1, 20, NotificationStatus::waiting, "disk")
             .notification("a", 1, 21, NotificationStatus::waiting, "disk",
                           NotificationAction::acknowledge)
             .notification("a", 1, 22, NotificationStatus::recorded, "load",
                           NotificationAction::resolve)
             .change(1, NotificationStatus::sent, CommitBuilder::time(30))
             .change(99, NotificationStatus::sent));
  reopen();
  EXPECT_EQ(incident("disk")->state, IncidentState::acknowledged);
  EXPECT_EQ(incident("disk")->opened, CommitBuilder::time(11)) << "it was open already";
  EXPECT_EQ(incident("disk")->changed, CommitBuilder::time(21));
  EXPECT_EQ(incident("disk")->last_sent, CommitBuilder::time(30));
  EXPECT_EQ(incident("disk")->newest_trigger, 5u);
  EXPECT_EQ(incident("disk")->newest, 6u);
  EXPECT_EQ(incident("load")->state, IncidentState::closed);
  EXPECT_EQ(store().incidents({.trigger = "a"}).value().size(), 1u);
  EXPECT_EQ(store().incidents({.trigger = "a", .closed_too = true}).value().size(), 2u);
  EXPECT_TRUE(store().incidents({.trigger = "b"}).value().empty());
  const std::uint64_t one[] = {1};
  const auto sent = store().notifications_of(one).value();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].status, NotificationStatus::sent);
  EXPECT_EQ(sent[0].sent_at, CommitBuilder::time(30));
  EXPECT_EQ(sent[0].key, "disk");

  CommitBuilder resolved;
  commit(resolved.notification("a", 1, 40, NotificationStatus::waiting, "disk",
                               NotificationAction::resolve));
  EXPECT_EQ(incident("disk")->state, IncidentState::closed);
  EXPECT_FALSE(incident("disk")->told_open);
  CommitBuilder again;
  commit(again.notification("a", 1, 41, NotificationStatus::pending, "disk"));
  EXPECT_EQ(incident("disk")->opened, CommitBuilder::time(41));
  EXPECT_FALSE(incident("disk")->last_sent) << "nobody has heard of this one";
  EXPECT_FALSE(incident("disk")->told_open);
}

TEST_P(CheckpointStoreContract, UndecidedNotificationsAreFoundAmongMany) {
  CommitBuilder batch;
  batch.start("a", 1, 0).start("b", 1, 0);
  for (std::uint64_t at = 1; at <= 50; ++at)
    batch.notification(at % 2 == 0 ? "a" : "b", 1, at, NotificationStatus::sent);
  batch.notification("a", 1, 60, NotificationStatus::pending)
      .notification("b", 1, 61, NotificationStatus::pending)
      .notification("a", 1, 62, NotificationStatus::waiting);
  commit(batch);
  const auto pending =
      store()
          .notifications({.since = {}, .status = NotificationStatus::pending, .trigger = "a"})
          .value();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].id, 51u);
  EXPECT_EQ(store()
                .notifications({.since = {}, .status = NotificationStatus::pending, .trigger = {}})
                .value()
                .size(),
            2u);
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

INSTANTIATE_TEST_SUITE_P(Stores, CheckpointStoreContract,
                         testing::Values(Kind::memory, Kind::file, Kind::faulty_disk,
                                         Kind::faulty_disk_synced),
                         [](const auto& kind) -> std::string {
                           switch (kind.param) {
                             case Kind::memory:
                               return "Memory";
                             case Kind::file:
                               return "File";
                             case Kind::faulty_disk:
                               return "FaultyDisk";
                             case Kind::faulty_disk_synced:
                               return "FaultyDiskSynced";
                           }
                           return "";
                         });

}  // namespace
}  // namespace hastur
