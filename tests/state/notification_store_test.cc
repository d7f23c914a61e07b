// What every store keeps of notifications, incidents, orders and receivers.

#include <gtest/gtest.h>

#include "tests/state/store_contract.h"

namespace hastur {
namespace {

class NotificationStoreContract : public CheckpointStoreContract {};

TEST_P(NotificationStoreContract, OrdersAreKeptAndEnded) {
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

TEST_P(NotificationStoreContract, ReceiversThatRestAreKeptUntilTheyDoNot) {
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

TEST_P(NotificationStoreContract, ANotificationsProgressStaysUntilThereIsAnother) {
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

TEST_P(NotificationStoreContract, NotificationsAreFoundFromTheNewestBack) {
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

TEST_P(NotificationStoreContract, NotificationsGetRisingIdsThatStay) {
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

TEST_P(NotificationStoreContract, NotificationsOfARefusedCommitGetNoId) {
  CommitBuilder refused;
  refused.notification("a", 1, 1).checkpoint("a", 1, 1, "{}");
  expect_refused(refused);
  EXPECT_EQ(refused.batch().notifications[0].id, 0u);
}

TEST_P(NotificationStoreContract, NotificationsAreFoundByTimeStatusAndTriggerInPages) {
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

TEST_P(NotificationStoreContract, AnIncidentFollowsItsNotifications) {
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

TEST_P(NotificationStoreContract, UndecidedNotificationsAreFoundAmongMany) {
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

INSTANTIATE_TEST_SUITE_P(Stores, NotificationStoreContract, all_stores, store_kind_name);

}  // namespace
}  // namespace hastur
