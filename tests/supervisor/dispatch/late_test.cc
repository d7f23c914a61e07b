// Notifications of triggers that fell behind: what waits, what goes out, what is dropped.

#include "supervisor/dispatch/late.h"
#include "core/json.h"

#include <gtest/gtest.h>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

// A rig that sends what it may, instead of recording it.
class LateRig : public Rig {
 public:
  LateRig() {
    gate.rule = [](NotificationRecord& record) { record.status = NotificationStatus::waiting; };
    start();
  }

  std::vector<NotificationRecord> notifications() {
    return store->notifications({.since = {}, .status = {}, .trigger = {}, .max = 1'000}).value();
  }
  std::vector<std::string> statuses() {
    std::vector<std::string> found;
    for (const NotificationRecord& record : notifications())
      found.emplace_back(status_name(record.status));
    return found;
  }

  // So many gauges that the triggers get ten minutes after they were sent.
  void send_late(std::string_view name, int count) {
    holds_commands = true;
    send(name, count);
    clock.advance(10min);
    send("other", 30);
    holds_commands = false;
  }
  void catch_up() {
    for (int i = 0; i < 5; ++i) {
      clock.advance(1100ms);
      pump();
    }
  }
};

TEST(Late, ANotificationInTimeLeavesAtOnce) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1"}});
  rig.send("a", 2);
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"waiting", "waiting"}));
}

TEST(Late, AnOpenIncidentGoesOutOnceItsTriggerHasCaughtUp) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1"}});
  rig.send("other", 10);
  rig.send_late("a", 3);
  rig.pump();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"pending", "pending", "pending"}));
  EXPECT_EQ(rig.notifications()[0].reason, late_reason);
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"closed", "closed", "waiting"}));
  EXPECT_EQ(rig.notifications()[0].reason, "n-0003 says the newer");
  rig.send("a", 1);
  EXPECT_EQ(rig.statuses().back(), "waiting") << "it is in time again";
}

TEST(Late, AnIncidentThatHasClosedSinceIsDropped) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1 resolve=2"}});
  rig.send("other", 10);
  rig.send_late("a", 4);
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"closed", "closed", "closed", "closed"}));
  EXPECT_EQ(rig.notifications()[3].reason, "its incident closed before its trigger had caught up");
}

TEST(Late, AResolveGoesOutToWhoeverWasToldOfTheIncident) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1 resolve=2"}});
  rig.send("a", 1);
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"waiting"}));
  rig.send_late("a", 3);
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"waiting", "closed", "closed", "waiting"}));
  EXPECT_EQ(rig.notifications()[3].action, NotificationAction::resolve);
}

TEST(Late, KeylessOnesGoAsOneDigest) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1 keyless=1"}});
  rig.send("other", 10);
  rig.send_late("a", 70);
  rig.catch_up();
  const auto all = rig.notifications();
  ASSERT_EQ(all.size(), 71u);
  for (std::size_t i = 0; i < 70; ++i) {
    EXPECT_EQ(all[i].status, NotificationStatus::closed);
    EXPECT_EQ(all[i].reason, "it is told in a digest");
  }
  const NotificationRecord& digest = all.back();
  EXPECT_EQ(digest.status, NotificationStatus::waiting);
  EXPECT_EQ(digest.channel, "slack");
  const Json payload = parse_json(digest.payload).value();
  const std::string text = payload["text"];
  EXPECT_TRUE(text.starts_with("70 late notifications of t: the 1th (and 69 more)\n")) << text;
  EXPECT_NE(text.find(" the 70th\n"), std::string::npos) << "each is told";
  EXPECT_EQ(payload["details"]["count"], 70);
  EXPECT_EQ(payload["details"]["left_out"], 0);
  EXPECT_EQ(payload["details"]["late"].size(), 70u);
  EXPECT_EQ(payload["kind"], "slack");
}

TEST(Late, WaitsOverARestartOfTheSupervisor) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1"}});
  rig.send("other", 10);
  rig.send_late("a", 3);
  rig.pump();
  ASSERT_EQ(rig.statuses(), (std::vector<std::string>{"pending", "pending", "pending"}));
  rig.start();
  rig.desire({{"t", "match=a notify=1"}});
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"closed", "closed", "waiting"}));
}

TEST(Late, IsClosedWhenItsTriggerIsGone) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1"}});
  rig.send("other", 10);
  rig.send_late("a", 1);
  rig.pump();
  rig.desire({});
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"closed"}));
  EXPECT_EQ(rig.notifications()[0].reason, "its trigger is gone");
}

TEST(Late, WhatWaitsForSomebodyIsLeftAlone) {
  LateRig rig;
  rig.desire({{"t", "match=a notify=1"}});
  rig.send("other", 10);
  CommitBatch batch;
  NotificationRecord offered;
  offered.trigger = "t";
  offered.run = {1};
  offered.status = NotificationStatus::pending;
  offered.reason = "of a replay";
  batch.notifications.push_back(offered);
  ASSERT_TRUE(rig.store->commit(batch));
  rig.start();
  rig.catch_up();
  EXPECT_EQ(rig.statuses(), (std::vector<std::string>{"pending"}));
}

TEST(Late, MoreThanOneCommitHoldsAreSettledInTurn) {
  LateRig rig;
  rig.desire({{"t", "match=a"}});
  rig.send("other", 10);
  CommitBatch batch;
  for (std::uint32_t i = 0; i < settled_max + 10; ++i) {
    NotificationRecord late;
    late.trigger = "t";
    late.run = {1};
    late.ordinal = i;
    late.status = NotificationStatus::pending;
    late.reason = late_reason;
    late.payload = R"({"kind":"pager_duty","key":"k","options":{},"text":"x"})";
    read_payload(late);
    batch.notifications.push_back(late);
  }
  ASSERT_TRUE(rig.store->commit(batch));
  rig.start();
  rig.desire({{"t", "match=a"}});
  rig.catch_up();
  const auto waiting =
      rig.store->notifications({.since = {}, .status = NotificationStatus::waiting, .trigger = {}})
          .value();
  ASSERT_EQ(waiting.size(), 1u) << "the newest of its incident";
  EXPECT_EQ(waiting[0].id, settled_max + 10);
  EXPECT_TRUE(
      rig.store->notifications({.since = {}, .status = NotificationStatus::pending, .trigger = {}})
          .value()
          .empty());
}

}  // namespace
}  // namespace hastur::test
