// The sender with several receivers on a channel, what it keeps of them over a restart, and
// channels that become others while it runs.

#include <gtest/gtest.h>

#include "tests/supervisor/notify/sender_rig.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

OutgoingNotification to(const std::string& receiver, std::uint64_t id,
                        std::optional<std::string> key = std::nullopt) {
  OutgoingNotification notification = make(id, std::move(key));
  notification.receiver = receiver;
  return notification;
}

TEST(Receivers, ThePatienceThatOneAsksForHoldsOnlyWhatGoesToIt) {
  SenderRig rig;
  rig.offer(to("a", 1));
  rig.answer(1, {Answer::Verdict::again, "status 429", 10min});
  rig.offer(to("a", 2));
  rig.offer(to("b", 3));
  EXPECT_EQ(rig.left, (Ids{1, 3}));
  rig.answer(3, arrived);
  rig.pass(9min);
  EXPECT_EQ(rig.left, (Ids{1, 3}));
  rig.pass(2min);
  EXPECT_EQ(rig.left.size(), 4u);
}

TEST(Receivers, ADeadOneIsInTroubleThoughAnotherAnswers) {
  SenderChannel options;
  options.many_receivers = true;
  SenderRig rig(options);
  for (std::uint64_t id = 1; id <= 200; ++id) {
    rig.offer(to(id % 2 == 0 ? "dead" : "well", id));
    rig.pass(100ms);
    while (!rig.under_way.empty()) {
      const std::uint64_t next = rig.under_way.begin()->first;
      rig.answer(next, next % 2 == 0 ? again : arrived);
    }
  }
  EXPECT_EQ(rig.settled.size(), 100u) << "all that went to the other";
  EXPECT_EQ(rig.state().trouble_since, test_time + 200ms);
  EXPECT_EQ(rig.state().trouble_at, "dead");
  EXPECT_EQ(rig.state().last_trouble, "status 500");
}

TEST(Receivers, SilentOnesDoNotTakeAllAttemptsOfAChannel) {
  SenderRig rig;
  for (std::uint64_t id = 1; id <= 100; ++id) rig.offer(to("silent", id));
  EXPECT_EQ(rig.under_way.size(), 8u);
  rig.offer(to("well", 101));
  EXPECT_TRUE(rig.under_way.contains(101));
}

TEST(Receivers, OneIncidentKeepsItsOrderOverSeveral) {
  SenderRig rig;
  rig.offer(to("a", 1, "k"));
  rig.offer(to("b", 2, "k"));
  rig.answer(1, {Answer::Verdict::again, "status 429", 1min});
  rig.pass(30s);
  EXPECT_EQ(rig.left, Ids{1});
  rig.pass(31s);
  rig.answer(1, arrived);
  EXPECT_EQ(rig.left, (Ids{1, 1, 2}));
}

TEST(Receivers, ARestIsToldToBeKeptAndHoldsAfterAStart) {
  SenderRig rig;
  rig.offer(to("a", 1));
  rig.answer(1, {Answer::Verdict::again, "status 429", 10min});
  ASSERT_EQ(rig.rests.size(), 1u);
  EXPECT_EQ(rig.rests[0].name, "a");
  EXPECT_EQ(rig.rests[0].until, test_time + 10min);

  SenderRig next;
  next.sender.restore_rest(rig.rests[0], next.now);
  next.offer(to("a", 1));
  next.offer(to("b", 2));
  EXPECT_EQ(next.left, Ids{2});
  next.pass(10min + 1s);
  ASSERT_EQ(next.left, (Ids{2, 1}));
  next.answer(1, arrived);
  ASSERT_EQ(next.rests.size(), 1u);
  EXPECT_TRUE(next.rests[0].over);
}

TEST(Receivers, AStartDoesNotHammerOneThatKeepsFailing) {
  SenderRig rig;
  for (std::uint64_t id = 1; id <= 20; ++id) rig.offer(to("dead", id));
  for (int i = 0; i < 600; ++i) {
    while (!rig.under_way.empty()) rig.answer(rig.under_way.begin()->first, again);
    rig.pass(1s);
  }
  ASSERT_FALSE(rig.rests.empty());
  SenderRig next;
  next.now = rig.now;
  next.sender.restore_rest(rig.rests.back(), next.now);
  for (std::uint64_t id = 1; id <= 20; ++id) next.offer(to("dead", id));
  EXPECT_LE(next.left.size(), 1u);
  next.pass(1min);
  EXPECT_EQ(next.left.size(), 1u) << "one probe";
}

TEST(Receivers, APeriodOfTheClockThatWasWrongDoesNotSilenceOneForEver) {
  SenderRig rig;
  rig.sender.restore_rest({"a", 1, test_time + 24h * 365}, rig.now);
  rig.offer(to("a", 1));
  rig.pass(61min);
  EXPECT_EQ(rig.left, Ids{1});
}

TEST(Receivers, ABucketBeginsEmptySoThatARestartSpendsNothingTwice) {
  std::vector<Time> left;
  Time now = test_time;
  std::uint64_t id = 1;
  const auto a_process = [&](Micros lives) {
    SenderChannel options;
    options.name = "c";
    options.bucket = "key";
    NotificationSender sender({options}, 1, now);
    const Time end = now + lives;
    for (const std::uint64_t last = id + 499; id <= last; ++id)
      sender.offer("c", make(id, std::nullopt, NotificationAction::trigger, now), now);
    for (; now < end; now += 100ms) {
      sender.turn(now);
      for (const SenderAction& action : sender.take_actions()) {
        const auto* send = std::get_if<SendNotification>(&action);
        if (send == nullptr) continue;
        left.push_back(now);
        sender.answered(send->attempt, arrived, now);
      }
    }
  };
  a_process(2min);
  for (int restarts = 0; restarts < 10; ++restarts) a_process(3s);
  a_process(2min);
  for (std::size_t first = 0; first < left.size(); ++first) {
    const auto in_minute = std::ranges::count_if(
        left, [&](Time at) { return at >= left[first] && at < left[first] + 1min; });
    ASSERT_LE(in_minute, 121) << "from " << format_time(left[first]);
  }
  EXPECT_GT(left.size(), 480u);
}

TEST(Receivers, SomeRecipientsAreTriedAgainWithWhatWasReached) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, {Answer::Verdict::again, "1 of 2 have it", {}, Answer::Part{"half", true, true}});
  ASSERT_EQ(rig.progress.size(), 1u);
  EXPECT_EQ(rig.progress[0].progress, "half");
  EXPECT_EQ(rig.state().trouble_since, std::nullopt) << "the server works";
  EXPECT_EQ(rig.state().attempts_failed, 1u);
  rig.pass(2s);
  ASSERT_TRUE(rig.under_way.contains(1));
  rig.answer(1, {Answer::Verdict::arrived, "1 of 2", {}, Answer::Part{"all but one", true, false}});
  EXPECT_EQ(rig.outcome(1), Settlement::sent);
  EXPECT_EQ(rig.settled.at(1).progress, "all but one");
}

TEST(Receivers, WhatSomebodyHasHasBeenSentThoughNotToEverybodyInTime) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, {Answer::Verdict::again, "451 later", {}, Answer::Part{"half", true, true}});
  while (rig.settled.empty()) {
    ASSERT_LT(rig.now, test_time + 25h);
    rig.pass(1min);
    if (!rig.under_way.empty()) rig.answer(1, again);
  }
  EXPECT_EQ(rig.outcome(1), Settlement::sent);
  EXPECT_EQ(rig.settled.at(1).progress, "half");
  EXPECT_TRUE(rig.settled.at(1).text.starts_with("it could not be delivered to everybody in time"));
}

TEST(Receivers, WhatMayNotBeRepeatedIsNotAndIsAskedForAgain) {
  SenderChannel options;
  options.in_flight_max = 1;
  options.resend_every = 1min;
  SenderRig rig(options);
  Repeat verdict = Repeat::later;
  rig.may_repeat = [&](const OutgoingNotification&) { return verdict; };
  rig.offer(make(1, "a"));
  rig.answer(1, arrived);
  rig.pass(1h);
  EXPECT_TRUE(rig.resends.empty());
  verdict = Repeat::now;
  rig.pass(61s);
  ASSERT_EQ(rig.resends.size(), 1u);
  rig.sender.answered(rig.resends[0].attempt, arrived, rig.now);
  verdict = Repeat::never;
  rig.pass(61s);
  EXPECT_EQ(rig.resends.size(), 1u);
  EXPECT_EQ(rig.state().firing, 0u);
}

TEST(Receivers, AChannelThatIsAnotherFetchesWhatWaitsAnew) {
  SenderChannel options;
  options.name = "c";
  options.in_flight_max = 1;
  SenderRig rig(options);
  for (std::uint64_t id = 1; id <= 3; ++id) rig.offer(make(id, "k"));
  rig.sender.configure({options}, {"c"}, rig.now);
  rig.take();
  ASSERT_EQ(rig.fetches.size(), 1u);
  EXPECT_EQ(rig.fetches[0].from_id, 1u);
  EXPECT_EQ(rig.state().waiting, 1u) << "the one under way";
  for (std::uint64_t id = 1; id <= 3; ++id) rig.offer(to("new", id, "k"));
  EXPECT_EQ(rig.left, Ids{1}) << "not twice, and the order stands";
  rig.answer(1, arrived);
  rig.answer(2, arrived);
  rig.answer(3, arrived);
  EXPECT_EQ(rig.left, (Ids{1, 2, 3}));
  EXPECT_EQ(rig.state().waiting_bytes, 0u);
}

TEST(Receivers, WhatIsUnderWayOnAChannelThatGoesEndsAndTheRestIsForgotten) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.offer(make(2, "k"));
  rig.offer(make(3, "other"));
  SenderChannel other;
  other.name = "other";
  rig.sender.configure({other}, {}, rig.now);
  EXPECT_TRUE(rig.sender.holds("c", 1));
  EXPECT_FALSE(rig.sender.holds("c", 2));
  rig.answer(3, again);
  rig.answer(1, arrived);
  EXPECT_EQ(rig.settled.size(), 1u);
  EXPECT_EQ(rig.outcome(1), Settlement::sent);
  rig.pass(1h);
  EXPECT_EQ(rig.left, (Ids{1, 3}));
  EXPECT_FALSE(rig.sender.holds("c", 3));
}

TEST(Receivers, AChannelMayComeBackWhileItStillEnds) {
  SenderChannel options;
  options.name = "c";
  SenderRig rig(options);
  rig.offer(make(1, "k"));
  rig.sender.configure({}, {}, rig.now);
  rig.sender.configure({options}, {"c"}, rig.now);
  rig.take();
  EXPECT_EQ(rig.fetches.size(), 1u);
  rig.offer(make(2, "k"));
  rig.answer(1, again);
  rig.pass(2s);
  rig.answer(1, arrived);
  rig.answer(2, arrived);
  EXPECT_EQ(rig.left, (Ids{1, 1, 2}));
}

TEST(Receivers, OfManyThatFailedOnlySomeAreRemembered) {
  SenderRig rig;
  std::size_t kept = 0;
  for (std::uint64_t id = 1; id <= 3'000; ++id) {
    OutgoingNotification notification = to(std::to_string(id), id);
    notification.expires_at = rig.now + 15s;
    rig.offer(notification);
    rig.answer(id, {Answer::Verdict::again, "no such host", 5s});
    rig.pass(100ms);
    while (!rig.under_way.empty()) rig.answer(rig.under_way.begin()->first, again);
  }
  rig.pass(1min);
  for (const ReceiverRest& rest : rig.rests) kept += rest.over ? 1 : 0;
  EXPECT_GE(kept, 1'900u) << "those are over";
}

}  // namespace
}  // namespace hastur
