#include "supervisor/notify/sender.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tests/supervisor/notify/sender_rig.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

TEST(Sender, SendsAndSettles) {
  SenderRig rig;
  EXPECT_TRUE(rig.offer(make(1, "k")));
  EXPECT_EQ(rig.left, Ids{1});
  rig.answer(1, arrived);
  EXPECT_EQ(rig.outcome(1), Settlement::sent);
  EXPECT_EQ(rig.settled.at(1).text, "status 202");
  EXPECT_EQ(rig.state().waiting, 0u);
  EXPECT_EQ(rig.state().waiting_bytes, 0u);
  EXPECT_EQ(rig.sender.next_turn(rig.now), std::nullopt);
}

TEST(Sender, AResolveNeverOvertakesItsTrigger) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.offer(make(2, "k", resolve));
  rig.offer(make(3, "other"));
  EXPECT_EQ(rig.left, (Ids{1, 3}));
  rig.answer(1, again);
  rig.pass(100ms);
  EXPECT_EQ(rig.left, (Ids{1, 3}));
  rig.pass(1s);
  EXPECT_EQ(rig.left, (Ids{1, 3, 1}));
  rig.answer(1, arrived);
  EXPECT_EQ(rig.left, (Ids{1, 3, 1, 2}));
}

TEST(Sender, WhatIsRefusedIsNotTriedAgain) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.offer(make(2, "k", resolve));
  rig.answer(1, refused);
  EXPECT_EQ(rig.outcome(1), Settlement::failed);
  EXPECT_EQ(rig.settled.at(1).text, "status 400: no");
  EXPECT_EQ(rig.left, (Ids{1, 2}));
}

TEST(Sender, AReceiverToWhomNothingIsToGoIsNoTrouble) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, again);
  EXPECT_TRUE(rig.state().trouble_since);
  EXPECT_TRUE(rig.sender.withdraw("c", 1));
  EXPECT_FALSE(rig.state().trouble_since);
  // Of one whose address has changed since, too.
  rig.offer(make(2, "k"));
  rig.answer(2, again);
  EXPECT_TRUE(rig.state().trouble_since);
  SenderChannel options;
  options.name = "c";
  rig.sender.configure({options}, {"c"}, rig.now);
  EXPECT_FALSE(rig.state().trouble_since);
}

// For people, who ask why it has not left; not each time anew.
TEST(Sender, SaysWhatIsAnsweredToWhatWaits) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, again);
  ASSERT_EQ(rig.progress.size(), 1u);
  EXPECT_EQ(rig.progress[0].id, 1u);
  EXPECT_EQ(rig.progress[0].text, "status 500");
  rig.pass(std::chrono::seconds{2});
  rig.answer(1, again);
  EXPECT_EQ(rig.progress.size(), 1u);
  rig.pass(std::chrono::seconds{4});
  rig.answer(1, {Answer::Verdict::again, "connection refused", {}});
  ASSERT_EQ(rig.progress.size(), 2u);
  EXPECT_EQ(rig.progress[1].text, "connection refused");
}

TEST(Sender, WaitsDoubleWithJitterUpToFiveMinutes) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  Micros before = 0s;
  for (int failures = 1; failures < 8; ++failures) {
    rig.answer(1, again);
    const Time failed = rig.now;
    while (rig.under_way.empty()) rig.pass(10ms);
    const Micros waited = rig.now - failed;
    const Micros whole = 1s * (1 << (failures - 1));
    EXPECT_GE(waited, whole / 2);
    EXPECT_LE(waited, whole + 10ms);
    EXPECT_GT(waited, before / 2);
    before = waited;
  }
  for (int i = 0; i < 8; ++i) {
    rig.answer(1, again);
    const Time failed = rig.now;
    while (rig.under_way.empty()) rig.pass(1s);
    EXPECT_LE(rig.now - failed, 301s);
  }
}

TEST(Sender, WaitsComeFromTheSeed) {
  const auto waits = [](std::uint64_t seed) {
    SenderRig rig({}, seed);
    rig.offer(make(1, "k"));
    std::vector<Micros> all;
    for (int i = 0; i < 5; ++i) {
      rig.answer(1, again);
      all.push_back(*rig.sender.next_turn(rig.now) - rig.now);
      while (rig.under_way.empty()) rig.pass(1s);
    }
    return all;
  };
  EXPECT_EQ(waits(7), waits(7));
  EXPECT_NE(waits(7), waits(8));
}

TEST(Sender, RetryAfterHoldsAllThatGoesToTheReceiver) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, {Answer::Verdict::again, "status 429", 30s});
  rig.offer(make(2, "other"));
  rig.pass(29s);
  EXPECT_EQ(rig.left, Ids{1});
  rig.pass(2s);
  EXPECT_EQ(rig.left.size(), 3u);
}

TEST(Sender, AReceiverCannotSilenceUsForEver) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, {Answer::Verdict::again, "status 429", 24h * 7});
  rig.pass(61min);
  EXPECT_EQ(rig.left, (Ids{1, 1}));
}

TEST(Sender, ABucketOf120AMinuteIsSharedByItsName) {
  SenderChannel first;
  first.name = "a";
  first.bucket = "key";
  SenderChannel second = first;
  second.name = "b";
  Time now = test_time;
  NotificationSender sender({first, second}, 1, now);
  std::uint64_t id = 0;
  std::size_t left = 0;
  const auto run = [&](Micros span, std::size_t offered) {
    for (const Time end = now + span; now <= end; now += 100ms) {
      for (std::size_t i = 0; i < offered; ++i) {
        ++id;
        sender.offer(i % 2 == 0 ? "a" : "b", make(id, std::nullopt), now);
      }
      sender.turn(now);
      for (auto actions = sender.take_actions(); !actions.empty();
           actions = sender.take_actions()) {
        for (const SenderAction& action : actions) {
          if (const auto* send = std::get_if<SendNotification>(&action)) {
            ++left;
            sender.answered(send->attempt, arrived, now);
          }
        }
      }
    }
  };
  // Nobody knows what another process has just sent: it begins empty.
  now += 1min;
  run(1s, 40);
  EXPECT_GE(left, 120u);
  EXPECT_LE(left, 122u);
  run(59s, 2);
  EXPECT_GE(left, 236u);
  EXPECT_LE(left, 241u);
  run(10min, 2);
  EXPECT_NEAR(static_cast<double>(left), 1440.0, 10.0);
}

TEST(Sender, ADeadReceiverIsProbedOneAtATimeAndRecovers) {
  SenderRig rig;
  for (std::uint64_t id = 1; id <= 100; ++id) rig.offer(make(id, std::nullopt));
  EXPECT_EQ(rig.under_way.size(), 8u);
  std::size_t attempts = 0;
  // For an hour everything that leaves fails.
  for (const Time end = rig.now + 1h; rig.now < end; rig.pass(100ms)) {
    while (!rig.under_way.empty()) {
      ++attempts;
      rig.answer(rig.under_way.begin()->first, again);
    }
    ASSERT_LE(rig.under_way.size(), rig.now > test_time + 10s ? 1u : 8u);
  }
  EXPECT_LT(attempts, 400u);
  EXPECT_EQ(rig.state().trouble_since, test_time);
  EXPECT_EQ(rig.state().last_trouble, "status 500");
  for (const Time end = rig.now + 10min; rig.now < end; rig.pass(100ms)) {
    while (!rig.under_way.empty()) rig.answer(rig.under_way.begin()->first, arrived);
  }
  EXPECT_EQ(rig.settled.size(), 100u);
  EXPECT_EQ(rig.state().trouble_since, std::nullopt);
}

TEST(Sender, OneThatAlwaysFailsDoesNotStopTheOthers) {
  SenderRig rig;
  rig.offer(make(1, "poison"));
  for (std::uint64_t id = 2; id <= 500; ++id) {
    rig.offer(make(id, std::nullopt));
    rig.pass(10ms);
    while (!rig.under_way.empty()) {
      const std::uint64_t next = rig.under_way.begin()->first;
      rig.answer(next, next == 1 ? again : arrived);
    }
  }
  rig.pass(1s);
  EXPECT_EQ(rig.settled.size(), 499u);
}

TEST(Sender, WhatCannotBeDeliveredExpires) {
  SenderRig rig;
  rig.offer(make(1, "k"));
  rig.answer(1, again);
  for (int i = 0; i < 25 * 60 && rig.settled.empty(); ++i) {
    rig.pass(1min);
    if (!rig.under_way.empty()) rig.answer(1, again);
  }
  EXPECT_EQ(rig.outcome(1), Settlement::failed);
  EXPECT_EQ(rig.settled.at(1).text,
            "it could not be delivered in time; the last answer was: status 500");
  EXPECT_GE(rig.now, test_time + 24h);
  EXPECT_LE(rig.now, test_time + 24h + 6min);
}

TEST(Sender, WhatIsOverIsNotSentLate) {
  SenderRig rig;
  rig.offer(make(1, "blocker"));
  rig.answer(1, {Answer::Verdict::again, "status 503", 10min});
  OutgoingNotification opening = make(2, "k");
  opening.opens = true;
  rig.offer(opening);
  rig.offer(make(3, "k", resolve, test_time + 1min));
  // Known at the receiver from before: its end must be told.
  rig.offer(make(4, "known"));
  rig.offer(make(5, "known", resolve, test_time + 1min));
  // Open still.
  rig.offer(make(6, "open"));
  rig.pass(11min);
  EXPECT_EQ(rig.outcome(2), Settlement::closed);
  EXPECT_EQ(rig.outcome(3), Settlement::closed);
  EXPECT_EQ(rig.outcome(4), Settlement::closed);
  EXPECT_EQ(rig.settled.at(4).text, "its incident was over before it could be sent");
  EXPECT_TRUE(rig.under_way.contains(5));
  EXPECT_TRUE(rig.under_way.contains(6));
}

TEST(Sender, AnAttemptMayHaveArrivedSoItsEndIsTold) {
  SenderRig rig;
  OutgoingNotification opening = make(1, "k");
  opening.opens = true;
  rig.offer(opening);
  rig.offer(make(2, "k", resolve));
  rig.answer(1, {Answer::Verdict::again, "half an answer", 10min});
  rig.pass(11min);
  EXPECT_EQ(rig.outcome(1), Settlement::closed);
  EXPECT_TRUE(rig.under_way.contains(2));
}

TEST(Sender, AFullChannelRefusesAndAsksForWhatItRefusedInOrder) {
  SenderChannel options;
  options.queue_max = 10;
  options.in_flight_max = 1;
  SenderRig rig(options);
  // The store has 1…35; the caller offers, and offers again what is asked for.
  for (std::uint64_t id = 1; id <= 35; ++id) EXPECT_EQ(rig.offer(make(id, std::nullopt)), id <= 10);
  while (rig.settled.size() < 35) {
    ASSERT_FALSE(rig.under_way.empty());
    ASSERT_LE(rig.state().waiting, 10u);
    rig.answer(rig.under_way.begin()->first, arrived);
    while (!rig.fetches.empty()) {
      const FetchMore fetch = rig.fetches.front();
      rig.fetches.erase(rig.fetches.begin());
      for (std::uint64_t id = fetch.from_id; id <= 35; ++id) {
        if (!rig.offer(make(id, std::nullopt))) break;
      }
    }
  }
  Ids all(35);
  for (std::uint64_t id = 1; id <= 35; ++id) all[id - 1] = id;
  EXPECT_EQ(rig.left, all);
}

TEST(Sender, IsFullByBytesToo) {
  SenderChannel options;
  options.queue_bytes_max = 10'000;
  SenderRig rig(options);
  OutgoingNotification large = make(1, "k");
  large.payload = std::string(20'000, 'x');
  EXPECT_TRUE(rig.offer(large));
  EXPECT_FALSE(rig.offer(make(2, "k")));
  rig.answer(1, arrived);
  ASSERT_EQ(rig.fetches.size(), 1u);
  EXPECT_EQ(rig.fetches[0].from_id, 2u);
}

TEST(Sender, TakesNothingTwice) {
  SenderRig rig;
  EXPECT_TRUE(rig.offer(make(1, "k")));
  EXPECT_TRUE(rig.offer(make(1, "k")));
  rig.answer(1, arrived);
  EXPECT_EQ(rig.left, Ids{1});
}

TEST(Sender, GivesBackWhatHasNotLeft) {
  SenderChannel options;
  options.in_flight_max = 1;
  SenderRig rig(options);
  rig.offer(make(1, "k"));
  rig.offer(make(2, "k"));
  rig.offer(make(3, "other"));
  EXPECT_FALSE(rig.sender.withdraw("c", 1));
  EXPECT_TRUE(rig.sender.withdraw("c", 2));
  EXPECT_TRUE(rig.sender.withdraw("c", 3));
  EXPECT_FALSE(rig.sender.withdraw("c", 3));
  rig.answer(1, arrived);
  EXPECT_EQ(rig.left, Ids{1});
  EXPECT_EQ(rig.state().waiting_bytes, 0u);
}

SenderChannel repeating() {
  SenderChannel options;
  options.in_flight_max = 1;
  options.resend_every = 1min;
  return options;
}

TEST(Sender, RepeatsWhatFiresUntilItIsResolved) {
  SenderRig rig(repeating());
  rig.offer(make(1, "a"));
  rig.answer(1, arrived);
  rig.offer(make(2, "b"));
  rig.answer(2, arrived);
  rig.pass(61s);
  ASSERT_EQ(rig.resends.size(), 1u);
  EXPECT_EQ(rig.resends[0].notifications.size(), 2u);
  // While it is under way nothing else leaves: it cannot overtake the resolve.
  rig.offer(make(3, "a", resolve));
  EXPECT_EQ(rig.left, (Ids{1, 2}));
  rig.sender.answered(rig.resends[0].attempt, arrived, rig.now);
  rig.take();
  rig.answer(3, arrived);
  rig.pass(61s);
  ASSERT_EQ(rig.resends.size(), 2u);
  ASSERT_EQ(rig.resends[1].notifications.size(), 1u);
  EXPECT_EQ(rig.resends[1].notifications[0].id, 2u);
}

TEST(Sender, ARepetitionIsPassedOverWhileSomethingNewWaits) {
  SenderRig rig(repeating());
  rig.offer(make(1, "a"));
  rig.answer(1, arrived);
  rig.offer(make(2, "a", resolve));
  rig.answer(2, again);
  rig.pass(300ms);
  EXPECT_TRUE(rig.resends.empty());
  rig.now += 2min;
  rig.sender.turn(rig.now);
  rig.take();
  EXPECT_TRUE(rig.resends.empty());
  EXPECT_TRUE(rig.under_way.contains(2));
}

TEST(Sender, RepeatsAfterAStart) {
  SenderRig rig(repeating());
  rig.sender.restore_firing("c", make(1, "a"), rig.now);
  rig.pass(1ms);
  ASSERT_EQ(rig.resends.size(), 1u);
}

TEST(Sender, KeepsABoundedNumberFiring) {
  SenderChannel options = repeating();
  options.firing_max = 3;
  SenderRig rig(options);
  for (std::uint64_t id = 1; id <= 5; ++id) {
    rig.offer(make(id, std::to_string(id)));
    rig.answer(id, arrived);
    rig.pass(1s);
  }
  EXPECT_EQ(rig.state().firing, 3u);
}

// Whatever the receiver does: every notification is settled once, those of an incident leave in
// order, and none leaves while the one before it is not settled.
RC_GTEST_PROP(Sender, KeepsOrderAndSettlesAll, ()) {
  SenderChannel options;
  options.queue_max = 20;
  options.in_flight_max = 3;
  SenderRig rig(options, *rc::gen::arbitrary<std::uint64_t>());
  std::map<std::uint64_t, OutgoingNotification> store;
  std::uint64_t next_id = 1;
  const auto step = [&](int choice) {
    if (choice < 4) {
      auto notification = make(next_id, std::string(1, static_cast<char>('a' + choice)),
                               next_id % 3 == 0 ? resolve : NotificationAction::trigger, rig.now);
      store[next_id] = notification;
      rig.offer(notification);
      ++next_id;
    } else if (choice < 8 && !rig.under_way.empty()) {
      auto picked = rig.under_way.begin();
      std::advance(picked, static_cast<std::ptrdiff_t>(next_id % rig.under_way.size()));
      rig.answer(picked->first, choice == 4 ? again : choice == 5 ? refused : arrived);
    } else {
      rig.pass(choice == 8 ? 300ms : 5s);
    }
    while (!rig.fetches.empty()) {
      const auto from = rig.fetches.front().from_id;
      rig.fetches.erase(rig.fetches.begin());
      for (auto row = store.lower_bound(from); row != store.end(); ++row) {
        if (!rig.settled.contains(row->first) && !rig.offer(row->second)) break;
      }
    }
    RC_ASSERT(rig.state().waiting <= 20u);
    std::map<std::string, int> of_incident;
    for (const auto& [id, attempt] : rig.under_way)
      RC_ASSERT(++of_incident[*store.at(id).key] == 1);
  };
  for (const int choice : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10)))
    step(choice);
  for (int i = 0; i < 2'000 && rig.settled.size() < store.size(); ++i) step(i % 4 == 0 ? 9 : 6);
  RC_ASSERT(rig.settled.size() == store.size());
  std::map<std::string, std::uint64_t> last;
  for (const std::uint64_t id : rig.left) {
    auto& before = last[*store.at(id).key];
    RC_ASSERT(before <= id);
    before = id;
  }
}

}  // namespace
}  // namespace hastur
