#pragma once

// Decides what leaves next on which channel, and what becomes of what does not arrive. Pure logic:
// stepped by (event) → (actions), with the time handed in.
//
// Always holds:
// - Of one incident at most one notification is under way on a channel, and the next leaves only
//   after the one before has arrived, was refused or has expired: a resolve never overtakes its
//   trigger. Others pass by meanwhile.
// - Everything taken is settled once: sent, failed or closed with a reason; or it is withdrawn.
// - A receiver that fails or asks for patience holds back only what goes to it: a channel may have
//   many.
// - Memory is bounded: a full channel refuses, and asks for what it refused (FetchMore) once there
//   is room. What it refuses stays in the store.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "supervisor/notify/notification.h"
#include "supervisor/notify/request.h"
#include "supervisor/notify/retry.h"

namespace hastur {

struct SenderChannel {
  std::string name;
  // Attempts at once to one receiver, and four times as many on the channel. 1: one on the channel,
  // which keeps the order of all that leaves.
  std::uint32_t in_flight_max = 8;
  // Each notification has its own receiver, which is named where it is in trouble.
  bool many_receivers = false;
  std::uint32_t queue_max = 10'000;
  std::uint64_t queue_bytes_max = 16u << 20;
  // What its incident has outlived by so long, unsent, is not sent any more.
  Micros over_after = std::chrono::minutes{5};
  // Channels with the same name here share its tokens; empty: no limit.
  std::string bucket;
  std::uint32_t per_minute_max = 120;
  // What has arrived is sent again this often until it is resolved; zero: once. Needs in_flight_max
  // 1, so that a repetition cannot overtake the resolve.
  Micros resend_every{0};
  // Of those that are repeated. Beyond, the oldest are repeated no more.
  std::uint32_t firing_max = 10'000;

  bool operator==(const SenderChannel&) const = default;
};

// Start this attempt. Its answer is awaited: answered().
struct SendNotification {
  std::string channel;
  std::uint64_t attempt = 0;
  OutgoingNotification notification;
};
// The same for alerts that still fire.
struct ResendNotifications {
  std::string channel;
  std::uint64_t attempt = 0;
  std::vector<OutgoingNotification> notifications;
};
enum class Settlement : std::uint8_t {
  sent,
  failed,  // refused, or expired
  closed,  // over before it could be sent
};
struct NotificationSettled {
  std::uint64_t id = 0;
  Settlement settlement = Settlement::sent;
  // The receiver's answer, or the reason.
  std::string text;
  // Sent, but not to everybody: OutgoingNotification::progress says to whom.
  std::optional<std::string> progress = {};
};
// An attempt did not reach all whom the notification is for, and it is tried again. To be kept for
// people, and for the case that the next attempt is another process's.
struct NotificationProgress {
  std::uint64_t id = 0;
  // Whom it has reached (OutgoingNotification::progress).
  std::string progress;
  // What was answered.
  std::string text;
};
// There is room: offer what waits for this channel from this id on, in order, before anything new.
struct FetchMore {
  std::string channel;
  std::uint64_t from_id = 0;
};
using SenderAction = std::variant<SendNotification, ResendNotifications, NotificationSettled,
                                  NotificationProgress, ReceiverRest, FetchMore>;

// Whether what fires at a receiver is repeated to it.
enum class Repeat : std::uint8_t {
  now,
  later,  // not now: asked again when the next is due
  never,  // it does not fire any more
};

// How a channel is, for people.
struct ChannelState {
  std::size_t waiting = 0;
  std::uint64_t waiting_bytes = 0;
  std::size_t in_flight = 0;
  std::size_t firing = 0;
  std::uint64_t sent = 0, failed = 0, closed = 0, attempts_failed = 0;
  // Since when nothing has got through to a receiver, which if there are many, and what was said
  // last; nothing while all is well.
  std::optional<Time> trouble_since;
  std::string trouble_at;
  std::string last_trouble;
};

class NotificationSender {
 public:
  // Asked right before a repetition.
  using MayRepeat =
      std::function<Repeat(const std::string& channel, const OutgoingNotification& notification)>;

  NotificationSender(
      const std::vector<SenderChannel>& channels, std::uint64_t seed, Time now,
      MayRepeat may_repeat = [](const auto&, const auto&) { return Repeat::now; });
  ~NotificationSender();

  // These are the channels from now on. What waits on one that is `changed` is asked for anew, by
  // FetchMore; what waits on one that is gone is forgotten here. What is under way ends as it
  // began, and is settled if it arrives or is refused.
  void configure(const std::vector<SenderChannel>& channels, const std::set<std::string>& changed,
                 Time now);

  // Takes a notification, in the order of ids. False if the channel has no room: then it and all
  // after it come again by FetchMore. One that is there already is not taken twice.
  bool offer(const std::string& channel, OutgoingNotification notification, Time now);
  // Whether it is there: waits, or is under way.
  bool holds(const std::string& channel, std::uint64_t id) const;
  // Takes back what has not left; false if it is under way or not there.
  bool withdraw(const std::string& channel, std::uint64_t id);
  // Says, in answer to FetchMore, that there is more in the store from this id on.
  void more_from(const std::string& channel, std::uint64_t id);
  // After a start: an alert that fires at the receiver and is to be sent again.
  void restore_firing(const std::string& channel, OutgoingNotification notification, Time now);
  // After a start: a receiver that was to be left alone.
  void restore_rest(const ReceiverRest& rest, Time now);

  void answered(std::uint64_t attempt, const Answer& answer, Time now);
  // Does what is due.
  void turn(Time now);
  // When turn() has something to do next, if no other event comes.
  std::optional<Time> next_turn(Time now) const;
  std::vector<SenderAction> take_actions();

  // HASTUR_CHECKs that there is such a channel, as do offer() and withdraw().
  ChannelState state(const std::string& channel) const;

 private:
  struct Lane;
  struct Receiver;
  struct Route;
  struct Way;
  struct Attempt {
    Way* way = nullptr;
    std::string receiver;
    std::string lane;
    // Of a repetition instead.
    std::vector<std::string> repeated;
  };

  Way& way(const std::string& channel);
  void set_options(Way& way, const SenderChannel& options, Time now);
  void forget_waiting(Way& way);
  Receiver& receiver(const Way& way, const OutgoingNotification& notification);
  void forget_receivers(Time now);
  void make_ready(Way& way, Lane& lane);
  void unmake_ready(Way& way, Lane& lane);
  void start(Way& way, Time now);
  // The route whose head is to leave next; null if none may now.
  Route* next_route(Way& way, Time now);
  void start_one(Way& way, Route& route, Time now);
  void start_resend(Way& way, Time now);
  void expire(Way& way, Time now);
  // Settles what stands at the head of a lane without being sent; false if the lane is empty then.
  bool drop_what_is_over(Way& way, Lane& lane, Time now);
  void settle(Way& way, Lane& lane, Settlement settlement, std::string text, Time now);
  void leave(Way& way, Lane& lane);
  void refill(Way& way);
  void failed_attempt(Way& way, Receiver& receiver, const Answer& answer, Time now);
  void works(Receiver& receiver);
  void repeated_answered(Way& way, const Attempt& attempt, const Answer& answer, Time now);
  void lane_answered(Way& way, const std::string& name, const Answer& answer, Time now);
  void took_effect(Way& way, const std::string& lane, const OutgoingNotification& notification,
                   Time now);

  std::map<std::string, std::unique_ptr<Way>> ways_;
  std::map<std::string, TokenBucket> buckets_;
  std::map<std::string, Receiver> receivers_;
  MayRepeat may_repeat_;
  std::unordered_map<std::uint64_t, Attempt> attempts_;
  std::vector<SenderAction> actions_;
  BackOff lane_wait_, receiver_wait_;
  std::uint64_t next_attempt_ = 1;
  Time next_expiry_;
};

}  // namespace hastur
