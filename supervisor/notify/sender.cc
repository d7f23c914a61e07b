#include "supervisor/notify/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace hastur {
namespace {

// One notification that keeps failing is tried after about a second, then two …
constexpr Micros lane_wait_first = std::chrono::seconds{1};
constexpr Micros lane_wait_max = std::chrono::minutes{5};
// A receiver that fails for everybody is left alone, one attempt at a time.
constexpr std::uint32_t channel_failures_max = 8;
constexpr Micros channel_wait_first = std::chrono::milliseconds{100};
constexpr Micros channel_wait_max = std::chrono::seconds{30};
// No receiver silences us for longer.
constexpr Micros retry_after_max = std::chrono::hours{1};
constexpr Micros expiry_every = std::chrono::seconds{10};
// Alerts in one repetition.
constexpr std::size_t resend_max = 64;

}  // namespace

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

struct NotificationSender::Way {
  SenderChannel options;
  TokenBucket* bucket = nullptr;
  std::unordered_map<std::string, Lane> lanes;
  // Lanes that are not under way, by when they may be and then by age.
  std::set<std::tuple<Time, std::uint64_t, std::string>> ready;
  std::unordered_set<std::uint64_t> ids;
  std::size_t in_flight = 0;
  std::uint64_t bytes = 0;
  std::uint32_t failures = 0;
  Time not_before{};
  // The first id that was refused for want of room.
  std::optional<std::uint64_t> refused_from;

  struct Firing {
    OutgoingNotification notification;
    Time resend_at;
  };
  std::map<std::string, Firing> firing;
  // By when they are due.
  std::set<std::pair<Time, std::string>> due;

  ChannelState counts;

  void make_ready(Lane& lane) {
    ready.emplace(lane.not_before, lane.waiting.front().id, lane.name);
  }
  void unmake_ready(Lane& lane) {
    ready.erase({lane.not_before, lane.waiting.front().id, lane.name});
  }
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
  bool limit_reached() const {
    return in_flight >= (failures > channel_failures_max ? 1 : options.in_flight_max);
  }
  bool has_room() const {
    return ids.size() < options.queue_max && bytes < options.queue_bytes_max;
  }
};

namespace {

std::string lane_name(const OutgoingNotification& notification) {
  if (!notification.key) return fmt::format("#{}", notification.id);
  return notification.trigger + '\n' + *notification.key;
}

}  // namespace

NotificationSender::NotificationSender(const std::vector<SenderChannel>& channels,
                                       std::uint64_t seed, Time now)
    : lane_wait_(lane_wait_first, lane_wait_max, seed),
      channel_wait_(channel_wait_first, channel_wait_max, ~seed),
      next_expiry_(now + expiry_every) {
  for (const SenderChannel& options : channels) {
    HASTUR_CHECK(options.resend_every == Micros{0} || options.in_flight_max == 1,
                 "a channel that repeats has one attempt under way");
    auto way = std::make_unique<Way>();
    way->options = options;
    if (!options.bucket.empty()) {
      way->bucket =
          &buckets_.try_emplace(options.bucket, options.per_minute_max, now).first->second;
    }
    ways_[options.name] = std::move(way);
  }
}
NotificationSender::~NotificationSender() = default;

NotificationSender::Way& NotificationSender::way(const std::string& channel) {
  const auto found = ways_.find(channel);
  HASTUR_CHECK(found != ways_.end(), "the channel is configured");
  return *found->second;
}

bool NotificationSender::offer(const std::string& channel, OutgoingNotification notification,
                               Time now) {
  Way& to = way(channel);
  if (to.ids.contains(notification.id)) return true;
  if (to.refused_from || !to.has_room()) {
    to.refused_from = std::min(to.refused_from.value_or(notification.id), notification.id);
    return false;
  }
  to.ids.insert(notification.id);
  to.bytes += notification.bytes();
  const std::string name = lane_name(notification);
  Lane& lane = to.lanes[name];
  const bool was_empty = lane.waiting.empty();
  if (was_empty) lane.name = name;
  lane.waiting.push_back(std::move(notification));
  if (was_empty) to.make_ready(lane);
  start(to, now);
  return true;
}

bool NotificationSender::holds(const std::string& channel, std::uint64_t id) const {
  const auto found = ways_.find(channel);
  return found != ways_.end() && found->second->ids.contains(id);
}

bool NotificationSender::withdraw(const std::string& channel, std::uint64_t id) {
  Way& from = way(channel);
  if (!from.ids.contains(id)) return false;
  for (auto& [name, lane] : from.lanes) {
    const auto found = std::ranges::find(lane.waiting, id, &OutgoingNotification::id);
    if (found == lane.waiting.end()) continue;
    const bool at_head = found == lane.waiting.begin();
    if (at_head && lane.in_flight) return false;
    from.bytes -= found->bytes();
    from.ids.erase(id);
    if (at_head) from.unmake_ready(lane);
    lane.waiting.erase(found);
    if (lane.waiting.empty()) {
      from.lanes.erase(name);
    } else if (at_head) {
      lane.failures = 0;
      lane.not_before = {};
      from.make_ready(lane);
    }
    refill(from);
    return true;
  }
  return false;
}

void NotificationSender::more_from(const std::string& channel, std::uint64_t id) {
  Way& to = way(channel);
  to.refused_from = to.refused_from ? std::min(*to.refused_from, id) : id;
  refill(to);
}

void NotificationSender::restore_firing(const std::string& channel,
                                        OutgoingNotification notification, Time now) {
  Way& to = way(channel);
  const std::string name = lane_name(notification);
  if (to.options.resend_every > Micros{0}) to.repeat(name, std::move(notification), now);
}

void NotificationSender::refill(Way& to) {
  // Half empty, so that not each sent one costs a look into the store.
  if (!to.refused_from || to.ids.size() > to.options.queue_max / 2 ||
      to.bytes > to.options.queue_bytes_max / 2) {
    return;
  }
  actions_.push_back(FetchMore{to.options.name, *std::exchange(to.refused_from, std::nullopt)});
}

void NotificationSender::leave(Way& from, Lane& lane) {
  const OutgoingNotification& head = lane.waiting.front();
  from.bytes -= head.bytes();
  from.ids.erase(head.id);
  lane.waiting.pop_front();
  lane.failures = 0;
  lane.not_before = {};
  lane.last_answer.clear();
}

void NotificationSender::settle(Way& from, Lane& lane, Settlement settlement, std::string text,
                                Time now) {
  const OutgoingNotification head = lane.waiting.front();
  leave(from, lane);
  if (settlement == Settlement::sent) {
    ++from.counts.sent;
    took_effect(from, lane.name, head, now);
  } else {
    ++(settlement == Settlement::failed ? from.counts.failed : from.counts.closed);
  }
  actions_.push_back(NotificationSettled{head.id, settlement, std::move(text)});
}

void NotificationSender::took_effect(Way& at, const std::string& lane,
                                     const OutgoingNotification& notification, Time now) {
  if (at.options.resend_every == Micros{0} || !notification.key) return;
  if (notification.action == NotificationAction::resolve) {
    at.forget(lane);
  } else {
    at.repeat(lane, notification, now + at.options.resend_every);
  }
}

bool NotificationSender::drop_what_is_over(Way& from, Lane& lane, Time now) {
  const auto over = [&](const OutgoingNotification& head) {
    if (head.action == NotificationAction::resolve || now - head.time < from.options.over_after)
      return false;
    return std::ranges::any_of(lane.waiting, [](const OutgoingNotification& other) {
      return other.action == NotificationAction::resolve;
    });
  };
  while (!lane.waiting.empty()) {
    const OutgoingNotification& head = lane.waiting.front();
    if (head.expires_at <= now) {
      std::string text = "it could not be delivered in time";
      if (!lane.last_answer.empty()) text += "; the last answer was: " + lane.last_answer;
      settle(from, lane, Settlement::failed, std::move(text), now);
    } else if (over(head)) {
      const bool untried = lane.failures == 0;
      lane.unknown_to_receiver = untried && (head.opens || lane.unknown_to_receiver);
      settle(from, lane, Settlement::closed, "its incident was over before it could be sent", now);
    } else if (head.action == NotificationAction::resolve && lane.unknown_to_receiver) {
      lane.unknown_to_receiver = false;
      settle(from, lane, Settlement::closed, "the receiver never heard of its incident", now);
    } else {
      return true;
    }
  }
  return false;
}

bool NotificationSender::start_one(Way& from, Time now) {
  const auto [at, id, name] = *from.ready.begin();
  if (at > now) return false;
  Lane& lane = from.lanes.at(name);
  from.unmake_ready(lane);
  if (!drop_what_is_over(from, lane, now)) {
    from.lanes.erase(name);
    refill(from);
    return true;
  }
  if (from.bucket != nullptr) from.bucket->take(now);
  lane.in_flight = true;
  lane.unknown_to_receiver = false;
  ++from.in_flight;
  const std::uint64_t attempt = next_attempt_++;
  attempts_[attempt] = {&from, name, {}};
  actions_.push_back(SendNotification{from.options.name, attempt, lane.waiting.front()});
  return true;
}

void NotificationSender::start(Way& from, Time now) {
  while (!from.ready.empty() && !from.limit_reached() && from.not_before <= now) {
    if (from.bucket != nullptr && from.bucket->next(now) > now) break;
    if (!start_one(from, now)) break;
  }
  start_resend(from, now);
}

void NotificationSender::start_resend(Way& from, Time now) {
  if (from.in_flight > 0 || from.not_before > now) return;
  ResendNotifications resend{from.options.name, next_attempt_, {}};
  Attempt attempt{&from, {}, {}};
  for (const auto& [at, name] : from.due) {
    if (at > now || resend.notifications.size() == resend_max) break;
    const auto lane = from.lanes.find(name);
    // What waits of the same incident says it anew.
    if (lane != from.lanes.end()) continue;
    resend.notifications.push_back(from.firing.at(name).notification);
    attempt.repeated.push_back(name);
  }
  if (resend.notifications.empty()) return;
  ++next_attempt_;
  ++from.in_flight;
  attempts_[resend.attempt] = std::move(attempt);
  actions_.push_back(std::move(resend));
}

void NotificationSender::failed_attempt(Way& at, const Answer& answer, Time now) {
  ++at.counts.attempts_failed;
  if (at.failures++ == 0) at.counts.trouble_since = now;
  at.counts.last_trouble = answer.text;
  if (answer.retry_after) {
    at.not_before = std::max(at.not_before, now + std::min(*answer.retry_after, retry_after_max));
  }
  if (at.failures > channel_failures_max) {
    at.not_before =
        std::max(at.not_before, now + channel_wait_.wait(at.failures - channel_failures_max));
  }
}

void NotificationSender::answered(std::uint64_t number, const Answer& answer, Time now) {
  const auto found = attempts_.find(number);
  HASTUR_CHECK(found != attempts_.end(), "an answer is of an attempt under way");
  const Attempt attempt = std::move(found->second);
  attempts_.erase(found);
  Way& at = *attempt.way;
  --at.in_flight;
  if (answer.verdict == Answer::Verdict::again) {
    failed_attempt(at, answer, now);
  } else {
    // It answers: whatever it thinks of this one.
    at.failures = 0;
    at.counts.trouble_since.reset();
    at.counts.last_trouble.clear();
  }
  for (const std::string& name : attempt.repeated) {
    const auto firing = at.firing.find(name);
    if (firing == at.firing.end()) continue;
    OutgoingNotification notification = firing->second.notification;
    const Micros wait =
        answer.verdict == Answer::Verdict::again ? lane_wait_first : at.options.resend_every;
    at.repeat(name, std::move(notification), now + wait);
  }
  if (attempt.repeated.empty()) {
    Lane& lane = at.lanes.at(attempt.lane);
    lane.in_flight = false;
    if (answer.verdict == Answer::Verdict::again) {
      ++lane.failures;
      lane.not_before = now + lane_wait_.wait(lane.failures);
      if (answer.retry_after) {
        lane.not_before =
            std::max(lane.not_before, now + std::min(*answer.retry_after, retry_after_max));
      }
      lane.last_answer = answer.text;
    } else {
      settle(at, lane,
             answer.verdict == Answer::Verdict::arrived ? Settlement::sent : Settlement::failed,
             answer.text, now);
    }
    if (lane.waiting.empty()) {
      at.lanes.erase(attempt.lane);
    } else {
      at.make_ready(lane);
    }
    refill(at);
  }
  start(at, now);
}

void NotificationSender::expire(Way& from, Time now) {
  std::vector<std::string> names;
  for (const auto& [name, lane] : from.lanes) {
    if (!lane.in_flight) names.push_back(name);
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    Lane& lane = from.lanes.at(name);
    from.unmake_ready(lane);
    if (drop_what_is_over(from, lane, now)) {
      from.make_ready(lane);
    } else {
      from.lanes.erase(name);
    }
  }
  refill(from);
}

void NotificationSender::turn(Time now) {
  const bool expiry = now >= next_expiry_;
  if (expiry) next_expiry_ = now + expiry_every;
  for (auto& [name, each] : ways_) {
    if (expiry) expire(*each, now);
    start(*each, now);
  }
}

std::optional<Time> NotificationSender::next_turn(Time now) const {
  std::optional<Time> next;
  const auto sooner = [&](Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [name, each] : ways_) {
    if (!each->lanes.empty()) sooner(next_expiry_);
    if (!each->ready.empty() && !each->limit_reached()) {
      Time at = std::max(std::get<Time>(*each->ready.begin()), each->not_before);
      if (each->bucket != nullptr) at = std::max(at, each->bucket->next(now));
      sooner(at);
    }
    if (!each->due.empty() && each->in_flight == 0) {
      // Those that wait anew are passed over, and need no turn.
      for (const auto& [at, due] : each->due) {
        if (each->lanes.contains(due)) continue;
        sooner(std::max(at, each->not_before));
        break;
      }
    }
  }
  return next;
}

std::vector<SenderAction> NotificationSender::take_actions() { return std::exchange(actions_, {}); }

ChannelState NotificationSender::state(const std::string& channel) const {
  const auto found = ways_.find(channel);
  HASTUR_CHECK(found != ways_.end(), "the channel is configured");
  const Way& at = *found->second;
  ChannelState state = at.counts;
  state.waiting = at.ids.size();
  state.waiting_bytes = at.bytes;
  state.in_flight = at.in_flight;
  state.firing = at.firing.size();
  return state;
}

}  // namespace hastur
