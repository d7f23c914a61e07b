#include "supervisor/succession.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

// A dispatcher of which every notification is told at once, with what looks after its incidents.
class SuccessionTest : public ::testing::Test {
 protected:
  SuccessionTest() {
    rig_.gate.rule = [](NotificationRecord& record) {
      record.status = NotificationStatus::waiting;
      record.reason.clear();
    };
    rig_.start();
    Succession::Calls calls;
    calls.run_of = [this](const TriggerName& name) -> std::optional<hastur::Run> {
      const auto found = rig_.dispatcher->triggers().find(name);
      if (found == rig_.dispatcher->triggers().end()) return std::nullopt;
      return found->second->run();
    };
    calls.is_paused = [this](const TriggerName& name) { return paused_.contains(name); };
    calls.store = [this](NotificationRecord record) { rig_.dispatcher->keep(std::move(record)); };
    calls.awaits_replay = [this](const TriggerName& name) { return awaits_.contains(name); };
    calls.notify = [this](NotificationRecord record) {
      rig_.dispatcher->notify(std::move(record));
    };
    succession_.emplace(*rig_.store, rig_.clock, std::move(calls));
  }

  void look() {
    succession_->begin();
    while (succession_->turn().value()) {
    }
    rig_.pump();
  }
  // "oncall/key open told", … of all incidents, in their order.
  std::string incidents(const TriggerName& trigger) {
    std::string all;
    const auto found = rig_.store->incidents({.trigger = trigger, .closed_too = true});
    for (const Incident& incident : *found) {
      all += incident.key + " " + std::string(incident_state_name(incident.state)) +
             (incident.told_open ? " told " : " ");
    }
    return all;
  }
  // An incident of which nobody was told yet.
  void expect_kept_over_a_new_name(NotificationStatus status, const std::string& reason) {
    rig_.gate.rule = [&](NotificationRecord& record) {
      record.status = status;
      record.reason = reason;
    };
    rig_.start();
    rig_.desire({{"old", "match=a notify=5"}});
    rig_.send("a", 7);
    rig_.desire({{"new", "match=a notify=500 was=old"}});
    rig_.send("b", 5);
    look();
    EXPECT_EQ(incidents("new"), "old open ");
    const auto of_new = notifications("new");
    ASSERT_EQ(of_new.size(), 1u);
    EXPECT_EQ(of_new[0].status, status);
    EXPECT_EQ(of_new[0].reason, reason);
  }
  std::vector<NotificationRecord> notifications(const TriggerName& trigger = {}) {
    return rig_.store->notifications({.since = {}, .status = {}, .trigger = trigger, .max = 2'000})
        .value();
  }
  NotificationRecord newest() { return notifications().back(); }
  std::uint64_t newest_snapshot(const TriggerName& name) {
    return rig_.store->snapshots(name).value().front().number;
  }

  Rig rig_;
  std::optional<Succession> succession_;
  std::set<TriggerName> paused_, awaits_;
};

TEST_F(SuccessionTest, LeavesAloneWhatThePresentMemoryHolds) {
  rig_.desire({{"t", "match=a notify=5"}});
  rig_.send("a", 7);
  look();
  EXPECT_EQ(incidents("t"), "t open told ");
  rig_.desire({{"t", "match=a notify=500"}});
  rig_.send("a", 20);
  EXPECT_EQ(rig_.trigger("t").run(), hastur::Run{2});
  look();
  EXPECT_EQ(incidents("t"), "t open told ") << "another version goes on with its memory";
}

TEST_F(SuccessionTest, AnIncidentThatARestoredMemoryDoesNotHoldIsResolved) {
  rig_.desire({{"t", "match=a notify=30"}});
  rig_.send("a", 25);
  rig_.send("b", 20);
  const auto before = newest_snapshot("t");
  rig_.send("a", 10);
  rig_.send("b", 20);
  EXPECT_EQ(incidents("t"), "t open told ");
  ASSERT_TRUE(rig_.dispatcher->restore("t", before, "last known good"));
  rig_.send("b", 5);
  ASSERT_EQ(rig_.trigger("t").run(), hastur::Run{2});
  awaits_ = {"t"};
  look();
  EXPECT_EQ(incidents("t"), "t open told ") << "a replay may still bring it back";
  awaits_.clear();
  look();
  EXPECT_EQ(incidents("t"), "t closed ");
  const NotificationRecord resolve = newest();
  EXPECT_EQ(resolve.action, NotificationAction::resolve);
  EXPECT_EQ(resolve.status, NotificationStatus::waiting);
  EXPECT_EQ(resolve.run, hastur::Run{2});
  const Json payload = parse_json(resolve.payload).value();
  EXPECT_EQ(payload["kind"], "pager_duty");
  EXPECT_EQ(payload["text"], "Resolved: its trigger went on from before it");
  const auto count = notifications();
  look();
  EXPECT_EQ(notifications().size(), count.size()) << "once";
}

TEST_F(SuccessionTest, ARestoredMemoryHoldsWhatWasOpenAtItsTime) {
  rig_.desire({{"t", "match=a notify=2"}});
  rig_.send("a", 5);
  rig_.desire({{"t", "match=a notify=2 migrate=0"}});
  rig_.send("b", 20);
  const auto before = newest_snapshot("t");
  ASSERT_GE(rig_.store->snapshot(before).value()->record.sequence, newest().sequence);
  // Asked for again in the run that is given up: the newest is not held, but it was open.
  rig_.send("a", 10);
  rig_.send("b", 20);
  ASSERT_TRUE(rig_.dispatcher->restore("t", before, "w"));
  rig_.send("b", 5);
  ASSERT_EQ(rig_.trigger("t").run(), hastur::Run{3});
  look();
  EXPECT_EQ(incidents("t"), "t open told ");
}

TEST_F(SuccessionTest, WhatNobodyWasToldOfIsOnlyClosed) {
  rig_.gate.rule = [](NotificationRecord& record) { record.status = NotificationStatus::recorded; };
  rig_.start();
  rig_.desire({{"t", "match=a notify=5"}});
  rig_.send("a", 7);
  rig_.desire({});
  rig_.send("b", 5);
  look();
  EXPECT_EQ(incidents("t"), "t closed ");
  EXPECT_EQ(newest().status, NotificationStatus::closed);
  EXPECT_EQ(newest().reason, "its trigger is gone");
}

TEST_F(SuccessionTest, OfARemovedTriggerAllAreResolvedAlsoAfterACrash) {
  rig_.desire({{"t", "match=a notify=5"}, {"u", "match=a notify=5"}});
  rig_.send("a", 7);
  rig_.desire({{"u", "match=a notify=5"}});
  rig_.send("b", 5);
  rig_.start();
  rig_.desire({{"u", "match=a notify=5"}});
  rig_.send("b", 5);
  look();
  EXPECT_EQ(incidents("t"), "t closed ");
  EXPECT_EQ(incidents("u"), "u open told ");
  EXPECT_EQ(newest().status, NotificationStatus::waiting);
  EXPECT_EQ(parse_json(newest().payload).value()["text"], "Resolved: its trigger is gone");
}

TEST_F(SuccessionTest, UnderANewNameIncidentsGoOnWithoutAnybodyBeingTold) {
  rig_.desire({{"old", "match=a notify=5"}});
  rig_.send("a", 7);
  rig_.desire({{"new", "match=a notify=500 was=old"}});
  rig_.send("b", 5);
  look();
  EXPECT_EQ(incidents("old"), "old closed ");
  EXPECT_EQ(incidents("new"), "old open told ");
  const auto all = notifications();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].status, NotificationStatus::sent);
  EXPECT_EQ(all[1].trigger, "new");
  EXPECT_EQ(all[2].status, NotificationStatus::sent);
  EXPECT_EQ(all[2].reason, "it goes on as new");
}

TEST_F(SuccessionTest, UnderANewNameWhatIsHeldStaysHeld) {
  expect_kept_over_a_new_name(NotificationStatus::pending, "held by silence q-1");
}

TEST_F(SuccessionTest, UnderANewNameWhatIsRecordedStaysRecorded) {
  expect_kept_over_a_new_name(NotificationStatus::recorded, "mode record");
}

TEST_F(SuccessionTest, AKeyWithTheOldNameInItIsToldAnew) {
  rig_.desire({{"old", "match=a notify=5 key=1"}});
  rig_.send("a", 7);
  EXPECT_EQ(incidents("old"), "old/k open told ");
  rig_.desire({{"between", "match=a key=1 was=old"}});
  rig_.send("b", 5);
  rig_.desire({{"new", "match=a key=1 was=between"}});
  rig_.send("b", 5);
  look();
  EXPECT_EQ(incidents("old"), "old/k closed ");
  EXPECT_EQ(incidents("new"), "new/k open told ");
  const auto all = notifications();
  ASSERT_EQ(all.size(), 3u);
  for (const NotificationRecord& record : all)
    EXPECT_EQ(record.status, NotificationStatus::waiting) << record.id;
  EXPECT_EQ(all[1].action, NotificationAction::trigger);
  EXPECT_EQ(all[2].action, NotificationAction::resolve);
}

TEST_F(SuccessionTest, APauseThatEndedWithItsRunIsOver) {
  rig_.desire({{"t", "match=a"}});
  rig_.send("a", 7);
  NotificationRecord paused;
  paused.trigger = "t";
  paused.run = hastur::Run{1};
  paused.time = rig_.clock.now();
  paused.payload =
      platform_payload("paused/t", "is paused", Json::object(), NotificationAction::trigger);
  rig_.dispatcher->notify(paused);
  rig_.pump();
  paused_ = {"t"};
  look();
  EXPECT_EQ(incidents("t"), "paused/t open told ");
  paused_.clear();
  look();
  EXPECT_EQ(incidents("t"), "paused/t closed ");
}

TEST_F(SuccessionTest, ManyAreLookedThroughPageByPage) {
  rig_.desire({{"t", "match=a"}});
  rig_.send("a", 7);
  for (int i = 0; i < 1'200; ++i) {
    NotificationRecord asked;
    asked.trigger = "t";
    asked.run = hastur::Run{1};
    asked.time = rig_.clock.now();
    asked.payload = canonical_json({{"kind", "pager_duty"},
                                    {"key", "k" + std::to_string(i)},
                                    {"options", Json::object()},
                                    {"text", "x"}});
    rig_.dispatcher->notify(asked);
  }
  rig_.pump();
  rig_.desire({});
  rig_.send("b", 5);
  succession_->begin();
  EXPECT_TRUE(succession_->turn().value());
  EXPECT_TRUE(succession_->turn().value());
  EXPECT_FALSE(succession_->turn().value());
  rig_.pump();
  EXPECT_TRUE(rig_.store->incidents({}).value().empty());
}

}  // namespace
}  // namespace hastur::test
