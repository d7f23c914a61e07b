#pragma once

// A sender with one channel, and its world: what left and was not answered, what was settled.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/notify/sender.h"
#include "tests/supervisor/notify/channels.h"

namespace hastur {

inline const Answer arrived{Answer::Verdict::arrived, "status 202", {}};
inline const Answer refused{Answer::Verdict::refused, "status 400: no", {}};
inline const Answer again{Answer::Verdict::again, "status 500", {}};

inline OutgoingNotification make(std::uint64_t id, std::optional<std::string> key,
                                 NotificationAction action = NotificationAction::trigger,
                                 Time time = test_time) {
  OutgoingNotification notification;
  notification.id = id;
  notification.trigger = "t";
  notification.key = std::move(key);
  notification.action = action;
  notification.time = time;
  notification.expires_at = time + std::chrono::hours{24};
  return notification;
}
inline constexpr auto resolve = NotificationAction::resolve;

struct SenderRig {
  explicit SenderRig(SenderChannel options = {}, std::uint64_t seed = 1)
      : sender(
            [&] {
              options.name = "c";
              return std::vector{options};
            }(),
            seed, now,
            [this](const std::string&, const OutgoingNotification& notification) {
              return may_repeat ? may_repeat(notification) : Repeat::now;
            }) {}

  bool offer(OutgoingNotification notification) {
    const bool taken = sender.offer("c", std::move(notification), now);
    take();
    return taken;
  }
  void take() {
    for (SenderAction& action : sender.take_actions()) {
      if (auto* send = std::get_if<SendNotification>(&action)) {
        under_way[send->notification.id] = send->attempt;
        left.push_back(send->notification.id);
      } else if (auto* resend = std::get_if<ResendNotifications>(&action)) {
        resends.push_back(std::move(*resend));
      } else if (auto* done = std::get_if<NotificationSettled>(&action)) {
        EXPECT_TRUE(settled.emplace(done->id, *done).second) << "settled twice";
      } else if (auto* part = std::get_if<NotificationProgress>(&action)) {
        progress.push_back(std::move(*part));
      } else if (auto* rest = std::get_if<ReceiverRest>(&action)) {
        rests.push_back(std::move(*rest));
      } else if (auto* fetch = std::get_if<FetchMore>(&action)) {
        fetches.push_back(*fetch);
      }
    }
  }
  void answer(std::uint64_t id, const Answer& with) {
    const std::uint64_t attempt = under_way.at(id);
    under_way.erase(id);
    sender.answered(attempt, with, now);
    take();
  }
  // Time passes, with a turn whenever one is wanted.
  void pass(Micros span) {
    const Time end = now + span;
    while (true) {
      const auto next = sender.next_turn(now);
      if (!next || *next > end) break;
      // A turn that has nothing to do would spin.
      ASSERT_LT(++turns, 100'000u);
      now = std::max(now, *next);
      sender.turn(now);
      take();
    }
    now = end;
  }
  std::size_t turns = 0;
  ChannelState state() const { return sender.state("c"); }
  Settlement outcome(std::uint64_t id) const { return settled.at(id).settlement; }

  std::function<Repeat(const OutgoingNotification&)> may_repeat;
  Time now = test_time;
  NotificationSender sender;
  std::map<std::uint64_t, std::uint64_t> under_way;
  std::vector<std::uint64_t> left;
  std::map<std::uint64_t, NotificationSettled> settled;
  std::vector<ResendNotifications> resends;
  std::vector<FetchMore> fetches;
  std::vector<NotificationProgress> progress;
  std::vector<ReceiverRest> rests;
};

using Ids = std::vector<std::uint64_t>;

}  // namespace hastur
