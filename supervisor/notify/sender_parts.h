#pragma once

// What the sender is made of; only its own sources see it.

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "supervisor/notify/sender.h"

namespace hastur {

// A receiver that fails for everybody is left alone, one attempt at a time.
inline constexpr std::uint32_t receiver_failures_max = 8;
// No receiver silences us for longer.
inline constexpr Micros retry_after_max = std::chrono::hours{1};

// What waits of one incident; a keyless notification has a lane of its own.
struct NotificationSender::Lane {
  std::string name;
  std::deque<OutgoingNotification> waiting;
  std::uint32_t failures = 0;
  Time not_before{};
  bool in_flight = false;
  std::string last_answer;
  // Whether all triggers since the incident opened were dropped before any attempt: then the
  // receiver does not know of it.
  bool unknown_to_receiver = false;
};

// Whoever answers: a host, a routing key, a mail server.
struct NotificationSender::Receiver {
  std::string name;
  std::uint32_t failures = 0;
  Time not_before{};
  // What is kept over a restart says so.
  bool rests = false;
  std::optional<Time> trouble_since;
  std::string last_trouble;
};

// What waits on a channel for one receiver.
struct NotificationSender::Route {
  Receiver* receiver = nullptr;
  // Lanes that are not under way, by when they may be and then by age.
  std::set<std::tuple<Time, std::uint64_t, std::string>> ready;
  std::size_t in_flight = 0;
};

struct NotificationSender::Way {
  SenderChannel options;
  TokenBucket* bucket = nullptr;
  std::unordered_map<std::string, Lane> lanes;
  // By the receiver's name; those for whom something waits or is under way.
  std::map<std::string, Route> routes;
  std::unordered_set<std::uint64_t> ids;
  std::size_t in_flight = 0;
  std::uint64_t bytes = 0;
  // The first id that was refused for want of room.
  std::optional<std::uint64_t> refused_from;
  // Not configured any more: what is under way ends.
  bool gone = false;
  // Receivers at which attempts have failed.
  std::set<std::string> troubled;

  struct Firing {
    OutgoingNotification notification;
    Time resend_at;
  };
  std::map<std::string, Firing> firing;
  // By when they are due.
  std::set<std::pair<Time, std::string>> due;

  ChannelState counts;

  void repeat(const std::string& name, OutgoingNotification notification, Time at) {
    forget(name);
    if (firing.size() >= options.firing_max) forget(due.begin()->second);
    due.emplace(at, name);
    firing.emplace(name, Firing{std::move(notification), at});
  }
  void forget(const std::string& name) {
    const auto found = firing.find(name);
    if (found == firing.end()) return;
    due.erase({found->second.resend_at, name});
    firing.erase(found);
  }
  void postpone(const std::string& name, Time at) {
    const auto found = firing.find(name);
    if (found == firing.end()) return;
    due.erase({found->second.resend_at, name});
    found->second.resend_at = at;
    due.emplace(at, name);
  }
  bool limit_reached() const {
    return in_flight >= (options.in_flight_max == 1 ? 1 : 4 * options.in_flight_max);
  }
  bool limit_reached(const Route& route) const {
    const bool fails = route.receiver->failures > receiver_failures_max;
    return route.in_flight >= (fails ? 1 : options.in_flight_max);
  }
  bool has_room() const {
    return ids.size() < options.queue_max && bytes < options.queue_bytes_max;
  }
};

}  // namespace hastur
