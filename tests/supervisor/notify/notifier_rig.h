#pragma once

// A Notifier on a loop of its own, and what it told.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/loop.h"
#include "supervisor/notify/notifier.h"
#include "tests/supervisor/notify/channels.h"

namespace hastur {

struct NotifierRig {
  explicit NotifierRig(const std::string& toml)
      : notifier(std::make_unique<Notifier>(
            loop, clock, channels_of(toml), Notifier::Options{"c0ffee", 1},
            Notifier::Calls{
                .settled = [this](const NotificationSettled& done) { settled[done.id] = done; },
                .progressed =
                    [this](const NotificationProgress& each) { progress[each.id] = each; },
                .rests = [this](const ReceiverRest& rest) { rests.push_back(rest); },
                .fetch = [this](const FetchMore& more) { fetches.push_back(more); },
                .tried = [this](const std::string&, const Answer& answer) { tried = answer; }})) {}

  // Under way at once; its time is now.
  void offer(const std::string& channel, const std::string& payload, std::uint64_t id = 1) {
    OutgoingNotification notification = notification_of(payload, id);
    notification.time = clock.now();
    notification.expires_at = clock.now() + notifier->channel(channel).expire_after;
    EXPECT_TRUE(notifier->offer(channel, std::move(notification)));
  }
  // Runs the loop until `holds`, at most 20 s.
  template <class Holds>
  bool until(Holds holds) {
    const Micros end = clock.monotonic() + std::chrono::seconds{20};
    while (!holds()) {
      if (clock.monotonic() > end) return false;
      loop.run_some(std::chrono::milliseconds{20});
    }
    return true;
  }
  // What became of a notification, in words.
  std::string outcome(std::uint64_t id = 1) {
    if (!until([&] { return settled.contains(id); })) return "not settled";
    const NotificationSettled& done = settled.at(id);
    const char* word = done.settlement == Settlement::sent     ? "sent: "
                       : done.settlement == Settlement::failed ? "failed: "
                                                               : "closed: ";
    return word + done.text;
  }

  SystemClock clock;
  Loop loop;
  std::map<std::uint64_t, NotificationSettled> settled;
  std::map<std::uint64_t, NotificationProgress> progress;
  std::vector<ReceiverRest> rests;
  std::vector<FetchMore> fetches;
  std::optional<Answer> tried;
  std::unique_ptr<Notifier> notifier;
};

inline const std::string page_payload =
    R"({"details":{"load":1},"key":"k","kind":"pager_duty","options":{},"text":"load","to":null})";

}  // namespace hastur
