#include "supervisor/notify/delivery.h"

#include <gtest/gtest.h>

#include "supervisor/notify/orders.h"
#include "tests/supervisor/notify/channels.h"
#include "tests/supervisor/notify/fake_sink.h"

namespace hastur {
namespace {

class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest() {
    CommitBatch batch;
    RunStart start;
    start.version = VersionRecord{"v1", "load", {{"load.lua", ""}}};
    start.run = {"load", ::hastur::Run{1}, "v1", "{}", "fake", "deploy", Sequence{0}, clock.now()};
    start.checkpoint.trigger = "load";
    start.checkpoint.run = ::hastur::Run{1};
    batch.starts.push_back(std::move(start));
    EXPECT_TRUE(store->commit(batch));
    open();
  }

  // A process that begins on the store, with these channels.
  void open(const std::string& toml = two_channels, NotifyMode mode = NotifyMode::on) {
    delivery.reset();
    sink = std::make_unique<FakeSink>();
    channels = channels_of(toml);
    policy = std::make_unique<NotifyPolicy>(mode, channels);
    delivery =
        std::make_unique<Delivery>(*store, clock, *sink, *policy, channels, Delivery::Options{});
    orders = std::make_unique<NotifyOrders>(*store, clock, *policy, *delivery);
    ASSERT_TRUE(orders->start());
    const auto started = delivery->start();
    ASSERT_TRUE(started) << started.error().message;
    sink->refill(*delivery);
  }

  NotificationRecord asked(const std::string& key, const std::string& action = "trigger",
                           const std::string& to = "") {
    NotificationRecord record;
    record.trigger = "load";
    record.run = ::hastur::Run{1};
    record.sequence = {++sequence_};
    record.time = clock.now();
    record.payload = R"({"details":{},"key":)" + (key.empty() ? "null" : "\"" + key + "\"") +
                     R"(,"kind":"pager_duty","options":{"action":")" + action +
                     R"("},"text":"t","to":)" + (to.empty() ? "null" : "\"" + to + "\"") + "}";
    read_payload(record);
    policy->decide(record);
    return record;
  }
  // Commits as the gate does, and lets out what may leave. Returns the id.
  std::uint64_t commit(NotificationRecord record) {
    CommitBatch batch;
    batch.notifications.push_back(std::move(record));
    EXPECT_TRUE(store->commit(batch));
    std::vector<NotificationRecord> waiting;
    for (const auto& each : batch.notifications) {
      if (each.status == NotificationStatus::waiting) waiting.push_back(each);
    }
    if (!waiting.empty()) delivery->stored(waiting);
    return batch.notifications.front().id;
  }
  NotificationRecord stored(std::uint64_t id) {
    const std::uint64_t ids[] = {id};
    auto found = store->notifications_of(ids);
    HASTUR_CHECK(found && found->size() == 1, "it is stored");
    return found->front();
  }
  std::string status(std::uint64_t id) {
    const NotificationRecord record = stored(id);
    return std::string(status_name(record.status)) +
           (record.reason.empty() ? "" : ": " + record.reason);
  }

  ManualClock clock{test_time};
  std::unique_ptr<CheckpointStore> store = make_memory_store();
  std::map<std::string, Channel> channels;
  std::unique_ptr<FakeSink> sink;
  std::unique_ptr<NotifyPolicy> policy;
  std::unique_ptr<Delivery> delivery;
  std::unique_ptr<NotifyOrders> orders;

 private:
  std::uint64_t sequence_ = 0;
};

TEST(Policy, ThePlatformsOwnTroublesGoToTheChannelThatIsNamedForThem) {
  const auto channels = channels_of(two_channels);
  ASSERT_FALSE(channels.empty());
  const std::string name = channels.rbegin()->first;
  NotificationRecord record;
  record.trigger = "t";
  record.payload =
      platform_payload("paused/t", "it is paused", Json::object(), NotificationAction::trigger);
  read_payload(record);
  NotifyPolicy(NotifyMode::on, channels, name).decide(record);
  EXPECT_EQ(record.channel, name);
  EXPECT_EQ(record.status, NotificationStatus::waiting);
  EXPECT_EQ(record.key, "paused/t");

  read_payload(record);
  NotifyPolicy(NotifyMode::on, channels).decide(record);
  EXPECT_EQ(record.status, NotificationStatus::closed);
  EXPECT_NE(record.reason.find("[platform] notify"), std::string::npos) << record.reason;
}

TEST_F(DeliveryTest, WhatIsStoredLeavesAndIsMarkedAsSent) {
  const auto id = commit(asked("k"));
  ASSERT_EQ(sink->ids(), std::vector{id});
  EXPECT_EQ(sink->channel_of[id], "oncall");
  EXPECT_EQ(sink->offered[0].version, "v1");
  EXPECT_TRUE(sink->offered[0].opens);
  EXPECT_EQ(status(id), "waiting");
  clock.advance(std::chrono::seconds{3});
  delivery->settled({id, Settlement::sent, "202 Accepted"});
  delivery->turn();
  EXPECT_EQ(status(id), "sent: 202 Accepted");
  EXPECT_EQ(stored(id).sent_at, clock.now());
  EXPECT_EQ((*store->incident("load", "oncall", "k"))->last_sent, clock.now());
}

TEST_F(DeliveryTest, WhatIsGivenUpSaysWhy) {
  const auto refused = commit(asked("k"));
  const auto over = commit(asked("l"));
  delivery->settled({refused, Settlement::failed, "400: no"});
  delivery->settled({over, Settlement::closed, "its incident was over"});
  delivery->turn();
  EXPECT_EQ(status(refused), "failed: 400: no");
  EXPECT_EQ(status(over), "closed: its incident was over");
}

TEST_F(DeliveryTest, WhatWaitsIsOfferedAgainAfterACrashInOrderUnderItsId) {
  const auto first = commit(asked("k"));
  const auto second = commit(asked("k", "resolve"));
  const auto third = commit(asked("l", "trigger", "spare"));
  const auto fourth = commit(asked("m"));
  delivery->settled({fourth, Settlement::sent, "ok"});
  delivery->turn();
  // Settled, but the crash comes before it is stored: it leaves again.
  delivery->settled({first, Settlement::sent, "ok"});
  open();
  EXPECT_EQ(sink->ids(), (std::vector{first, second, third}));
  EXPECT_EQ(sink->channel_of[third], "spare");
  // The receiver may have had it: its resolve must not be spared.
  EXPECT_FALSE(sink->offered[0].opens);
}

TEST_F(DeliveryTest, WhatHasNoRoomComesWhenThereIsSome) {
  sink->room = 2;
  std::vector<std::uint64_t> ids;
  for (const char* key : {"a", "b", "c", "d"}) ids.push_back(commit(asked(key)));
  EXPECT_EQ(sink->ids(), (std::vector{ids[0], ids[1]}));
  delivery->settled({ids[0], Settlement::sent, ""});
  sink->offered.clear();
  // The store does not know yet that the first two have left or are there.
  delivery->settled({ids[1], Settlement::sent, ""});
  sink->refill(*delivery);
  EXPECT_EQ(sink->ids(), (std::vector{ids[2], ids[3]}));
}

TEST_F(DeliveryTest, AnotherConfigurationIsObeyedAfterAStart) {
  const auto gone = commit(asked("k", "trigger", "spare"));
  const auto kept = commit(asked("l"));
  open("[notify.oncall]\nkind = \"file\"\npath = \"/x\"\nmode = \"record\"\n");
  EXPECT_EQ(status(gone), "closed: there is no channel spare any more");
  EXPECT_EQ(status(kept), "recorded: mode record of channel oncall");
  EXPECT_TRUE(sink->offered.empty());
}

TEST_F(DeliveryTest, WhatIsOldAfterAStartWaitsForItsTriggerButKeylessDoesNot) {
  const auto incident = commit(asked("k"));
  const auto keyless = commit(asked(""));
  clock.advance(std::chrono::hours{6});
  open();
  EXPECT_EQ(status(incident), "pending: late");
  EXPECT_EQ(sink->ids(), std::vector{keyless});
}

TEST_F(DeliveryTest, ModesKeepOrDrop) {
  open(two_channels, NotifyMode::record);
  EXPECT_EQ(status(commit(asked("k"))), "recorded: mode record");
  open(two_channels, NotifyMode::off);
  EXPECT_EQ(status(commit(asked("k"))), "closed: mode off");
  open("");
  EXPECT_EQ(status(commit(asked("k"))).substr(0, 40), "closed: no channel takes pager_duty: has");
  EXPECT_EQ(status(commit(asked("k", "trigger", "nobody"))).substr(0, 34),
            "closed: no channel \"nobody\" is con");
  EXPECT_TRUE(sink->offered.empty());
}

TEST_F(DeliveryTest, ASilenceHoldsUntilItEndsAndOpenIncidentsGoOut) {
  const auto silence =
      orders->silence("load", "", clock.now() + std::chrono::hours{2}, "new disks");
  ASSERT_TRUE(silence);
  const auto open_one = commit(asked("open"));
  const auto repeated = commit(asked("open"));
  const auto over = commit(asked("over"));
  const auto resolve = commit(asked("over", "resolve"));
  const auto keyless = commit(asked(""));
  EXPECT_EQ(status(over), "pending: held by silence q-1 until 2024-01-01T02:00:00Z: new disks");
  EXPECT_TRUE(sink->offered.empty());
  // It is kept over a restart.
  clock.advance(std::chrono::hours{1});
  open();
  orders->turn();
  EXPECT_EQ(status(over).substr(0, 13), "pending: held");
  clock.advance(std::chrono::hours{1});
  orders->turn();
  EXPECT_EQ(sink->ids(), std::vector{repeated});
  EXPECT_EQ(status(open_one).substr(0, 33), "closed: n-0002 says the newer; it");
  EXPECT_EQ(status(over).substr(0, 42), "closed: its incident closed while it was h");
  EXPECT_EQ(status(resolve).substr(0, 42), "closed: its incident closed while it was h");
  EXPECT_EQ(status(keyless).substr(0, 31), "closed: it is of no incident, a");
  EXPECT_TRUE(policy->orders().empty());
  const auto all = store->orders({.ended_too = true});
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().end_why, "its time is over");
}

TEST_F(DeliveryTest, ASilenceOfOneKeyHoldsThatKeyAndWhatWasToldIsResolvedAfterIt) {
  const auto told = commit(asked("k"));
  delivery->settled({told, Settlement::sent, "ok"});
  sink->offered.clear();
  const auto silence = orders->silence("load", "k", clock.now() + std::chrono::hours{2}, "");
  const auto other = commit(asked("l"));
  const auto resolve = commit(asked("k", "resolve"));
  EXPECT_EQ(sink->ids(), std::vector{other});
  ASSERT_TRUE(orders->end_silence(*silence, "done"));
  EXPECT_EQ(sink->ids(), (std::vector{other, resolve}));
  EXPECT_EQ(orders->end_silence(*silence, "again").error().code, ErrorCode::not_found);
}

TEST_F(DeliveryTest, ASilenceOfAnAlertsKeyNamesItWithOrWithoutItsTrigger) {
  for (const char* key : {"disk/web7", "load/disk/web7"}) {
    const auto silence = orders->silence("load", key, clock.now() + std::chrono::hours{2}, "");
    const auto held = commit(asked("load/disk/web7"));
    const auto other = commit(asked("load/disk/web8"));
    EXPECT_EQ(sink->ids(), std::vector{other}) << key;
    EXPECT_EQ(status(held).substr(0, 15), "pending: held b") << key;
    ASSERT_TRUE(orders->end_silence(*silence, "done"));
    delivery->settled({held, Settlement::sent, "ok"});
    delivery->settled({other, Settlement::sent, "ok"});
    sink->offered.clear();
  }
}

TEST_F(DeliveryTest, OfTwoSilencesTheOneThatEndsLaterIsNamed) {
  for (const auto span : {std::chrono::hours{1}, std::chrono::hours{3}, std::chrono::hours{2}})
    ASSERT_TRUE(orders->silence("load", "", clock.now() + span, "disks"));
  EXPECT_EQ(status(commit(asked("k"))),
            "pending: held by silence q-2 until 2024-01-01T03:00:00Z: disks");
}

TEST_F(DeliveryTest, AModeHoldsBackWhatWaitsAndWhatIsUnderWayMayStillArrive) {
  const auto under_way = commit(asked("a"));
  const auto arrives = commit(asked("b"));
  const auto waits = commit(asked("c"));
  sink->under_way = {under_way, arrives};
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::record,
                               std::chrono::hours{1}, "storm"));
  EXPECT_EQ(sink->ids(), (std::vector{under_way, arrives}));
  EXPECT_EQ(status(waits), "pending: held by mode record until 2024-01-01T01:00:00Z: storm");
  delivery->settled({arrives, Settlement::sent, "ok"});
  sink->under_way.clear();
  delivery->turn();
  EXPECT_EQ(status(arrives), "sent: ok");
  EXPECT_EQ(sink->ids(), std::vector{arrives});
  clock.advance(std::chrono::hours{1});
  orders->turn();
  EXPECT_EQ(sink->ids(), (std::vector{arrives, under_way, waits}));
}

TEST_F(DeliveryTest, TheStrictestModeDecides) {
  ASSERT_TRUE(orders->set_mode(OrderScope::channel, "spare", NotifyMode::off, {}, "broken"));
  ASSERT_TRUE(orders->set_mode(OrderScope::trigger, "load", NotifyMode::record, {}, "new"));
  EXPECT_EQ(status(commit(asked("k"))), "recorded: mode record of its trigger: new");
  EXPECT_EQ(status(commit(asked("k", "trigger", "spare"))),
            "closed: mode off of channel spare: broken");
  ASSERT_TRUE(orders->set_mode(OrderScope::trigger, "load", {}, {}, "it is fine"));
  const auto id = commit(asked("k"));
  EXPECT_EQ(sink->ids(), std::vector{id});
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::record, {}, "all"));
  ASSERT_TRUE(orders->set_mode(OrderScope::trigger, "load", NotifyMode::on, {}, "not this"));
  EXPECT_EQ(status(id), "recorded: mode record: all");
}

TEST_F(DeliveryTest, WhatWasRecordedIsListedAndReleasedOnRequest) {
  open(two_channels, NotifyMode::record);
  const auto first = commit(asked("k"));
  commit(asked("l"));
  commit(asked("l", "resolve"));
  EXPECT_EQ(delivery->release(first).error().message, "n-0001 may not leave now: mode record");
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::on, {}, "go"));
  EXPECT_TRUE(sink->offered.empty());
  const auto untold = delivery->untold(10);
  ASSERT_EQ(untold->size(), 1u);
  EXPECT_EQ(untold->front().key, "k");
  EXPECT_EQ(delivery->release_untold().value(), 1u);
  EXPECT_EQ(sink->ids(), std::vector{first});
  EXPECT_TRUE(delivery->untold(10)->empty());
}

TEST_F(DeliveryTest, SomebodyReleasesAndCloses) {
  const auto id = commit(asked("k"));
  EXPECT_EQ(delivery->release(id).error().message, "n-0001 is waiting already");
  sink->under_way = {id};
  EXPECT_EQ(delivery->close(id, "no").error().code, ErrorCode::conflict);
  sink->under_way.clear();
  ASSERT_TRUE(delivery->close(id, "a drill"));
  EXPECT_EQ(status(id), "closed: a drill");
  EXPECT_TRUE(sink->offered.empty());
  ASSERT_TRUE(delivery->release(id));
  EXPECT_EQ(sink->ids(), std::vector{id});
  EXPECT_EQ(delivery->close(77, "").error().code, ErrorCode::not_found);
}

TEST_F(DeliveryTest, WhatAMailHasReachedIsKeptOverACrash) {
  const std::uint64_t id = commit(asked("k"));
  delivery->progressed({id, R"({"have":["a@example.com"],"refused":{}})", "1 of 2 have it"});
  delivery->turn();
  EXPECT_EQ(status(id), "waiting: 1 of 2 have it");
  open();
  ASSERT_EQ(sink->offered.size(), 1u);
  EXPECT_TRUE(sink->offered[0].reached);
  EXPECT_EQ(sink->offered[0].progress, R"({"have":["a@example.com"],"refused":{}})");
}

TEST_F(DeliveryTest, ProgressOfWhatWasHeldBackUnderWayDoesNotLetItOut) {
  const std::uint64_t id = commit(asked("k"));
  sink->under_way.insert(id);
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::record, {}, "w"));
  delivery->progressed({id, R"({"have":["a@example.com"],"refused":{}})", "1 of 2 have it"});
  delivery->turn();
  EXPECT_EQ(status(id), "recorded: mode record: w");
  EXPECT_NE(stored(id).progress, "");
}

TEST_F(DeliveryTest, WhatSomebodyHasIsSentThoughTheRestOfItIsClosed) {
  const auto reach = [&](std::uint64_t id) {
    delivery->progressed({id, R"({"have":["a@example.com"],"refused":{}})", "1 of 2 have it"});
    delivery->turn();
  };
  const std::uint64_t by_hand = commit(asked("k"));
  reach(by_hand);
  ASSERT_TRUE(delivery->close(by_hand, "closed by hand"));
  EXPECT_EQ(status(by_hand), "sent: not everybody has it: closed by hand");
  EXPECT_TRUE(stored(by_hand).sent_at);
  const std::uint64_t by_mode = commit(asked("l"));
  reach(by_mode);
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::off, {}, "w"));
  EXPECT_EQ(status(by_mode), "sent: not everybody has it: mode off: w");
}

TEST_F(DeliveryTest, ProgressThatIsNotStoredYetIsNotForgottenWhenItIsFetchedAnew) {
  const std::uint64_t id = commit(asked("k"));
  delivery->progressed({id, R"({"have":["a@example.com"],"refused":{}})", "1 of 2 have it"});
  sink->offered.clear();
  delivery->fetch({"oncall", 1});
  ASSERT_EQ(sink->offered.size(), 1u);
  EXPECT_TRUE(sink->offered[0].reached);
}

TEST_F(DeliveryTest, WhoeverHasAMailDoesNotGetItAgainWhenItIsReleased) {
  const std::uint64_t id = commit(asked("k"));
  NotificationSettled failed{id, Settlement::failed, "550 no"};
  failed.progress = R"({"have":["a@example.com"],"refused":{"b@example.com":"550 no"}})";
  delivery->settled(failed);
  delivery->turn();
  sink->offered.clear();
  ASSERT_TRUE(delivery->release(id));
  ASSERT_EQ(sink->offered.size(), 1u);
  EXPECT_EQ(sink->offered[0].progress, R"({"have":["a@example.com"],"refused":{}})");
}

TEST_F(DeliveryTest, ReceiversThatRestDoSoAfterARestart) {
  delivery->rests({"a", 3, clock.now() + std::chrono::hours{1}});
  delivery->rests({"b", 1, clock.now()});
  delivery->turn();
  delivery->rests({"b", 0, {}, true});
  delivery->turn();
  open();
  ASSERT_EQ(sink->rests.size(), 1u);
  EXPECT_EQ(sink->rests[0].name, "a");
  EXPECT_EQ(sink->rests[0].failures, 3u);
}

TEST_F(DeliveryTest, WhatFiresIsRepeatedWhileItMayLeaveAndIsOpen) {
  const std::uint64_t id = commit(asked("k"));
  const OutgoingNotification firing = sink->offered[0];
  delivery->settled({id, Settlement::sent, "200"});
  const auto may = [&] { return delivery->may_repeat("oncall", firing); };
  EXPECT_EQ(may(), Repeat::now);
  for (const NotifyMode mode : {NotifyMode::off, NotifyMode::record}) {
    ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", mode, {}, "w"));
    EXPECT_EQ(may(), Repeat::later) << notify_mode_name(mode);
  }
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", {}, {}, "w"));
  EXPECT_EQ(may(), Repeat::now);
  ASSERT_TRUE(orders->set_mode(OrderScope::channel, "oncall", NotifyMode::off, {}, "w"));
  EXPECT_EQ(may(), Repeat::later);
  ASSERT_TRUE(orders->set_mode(OrderScope::channel, "oncall", {}, {}, "w"));
  ASSERT_TRUE(orders->silence("load", "k", clock.now() + std::chrono::hours{1}, "w"));
  EXPECT_EQ(may(), Repeat::later);
  clock.advance(std::chrono::hours{2});
  orders->turn();
  // Its end was only recorded: it does not fire any more all the same.
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", NotifyMode::record, {}, "w"));
  commit(asked("k", "resolve"));
  ASSERT_TRUE(orders->set_mode(OrderScope::supervisor, "", {}, {}, "w"));
  EXPECT_EQ(may(), Repeat::never);
}

TEST_F(DeliveryTest, ChannelsMayChangeWhileItRuns) {
  const std::uint64_t to_default = commit(asked("a"));
  const std::uint64_t to_spare = commit(asked("b", "trigger", "spare"));
  const std::uint64_t under_way = commit(asked("c", "trigger", "spare"));
  sink->under_way.insert(under_way);
  channels = channels_of(R"(
[notify.oncall]
kind = "file"
path = "/elsewhere"
default = true
mode = "record"
)");
  ASSERT_TRUE(delivery->channels_changed());
  EXPECT_EQ(status(to_default), "recorded: mode record of channel oncall");
  EXPECT_EQ(status(to_spare), "closed: there is no channel spare any more");
  sink->under_way.clear();
  delivery->settled({under_way, Settlement::sent, "written"});
  delivery->turn();
  EXPECT_EQ(status(under_way), "sent: written");
}

}  // namespace
}  // namespace hastur
