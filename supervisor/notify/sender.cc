#include "supervisor/notify/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "supervisor/notify/sender_parts.h"

namespace hastur {
namespace {

// One notification that keeps failing is tried after about a second, then two …
constexpr Micros lane_wait_first = std::chrono::seconds{1};
constexpr Micros lane_wait_max = std::chrono::minutes{5};
constexpr Micros receiver_wait_first = std::chrono::milliseconds{100};
constexpr Micros receiver_wait_max = std::chrono::seconds{30};
constexpr Micros expiry_every = std::chrono::seconds{10};
// Alerts in one repetition.
constexpr std::size_t resend_max = 64;

std::string lane_name(const OutgoingNotification& notification) {
  if (!notification.key) return fmt::format("#{}", notification.id);
  return notification.trigger + '\n' + *notification.key;
}

}  // namespace

NotificationSender::NotificationSender(const std::vector<SenderChannel>& channels,
                                       std::uint64_t seed, Time now, MayRepeat may_repeat)
    : may_repeat_(std::move(may_repeat)),
      lane_wait_(lane_wait_first, lane_wait_max, seed),
      receiver_wait_(receiver_wait_first, receiver_wait_max, ~seed),
      next_expiry_(now + expiry_every) {
  configure(channels, {}, now);
}
NotificationSender::~NotificationSender() = default;

void NotificationSender::make_ready(Way& way, Lane& lane) {
  Receiver& of = receiver(way, lane.waiting.front());
  Route& route = way.routes[of.name];
  route.receiver = &of;
  route.ready.emplace(lane.not_before, lane.waiting.front().id, lane.name);
}

void NotificationSender::unmake_ready(Way& way, Lane& lane) {
  const auto found = way.routes.find(receiver(way, lane.waiting.front()).name);
  HASTUR_CHECK(found != way.routes.end(), "a lane that is ready has a route");
  found->second.ready.erase({lane.not_before, lane.waiting.front().id, lane.name});
  if (found->second.ready.empty() && found->second.in_flight == 0) way.routes.erase(found);
}

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
  if (was_empty) make_ready(to, lane);
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
    if (at_head) unmake_ready(from, lane);
    lane.waiting.erase(found);
    if (lane.waiting.empty()) {
      from.lanes.erase(name);
    } else if (at_head) {
      lane.failures = 0;
      lane.not_before = {};
      make_ready(from, lane);
    }
    refill(from);
    return true;
  }
  return false;
}

void NotificationSender::more_from(const std::string& channel, std::uint64_t id) {
  const auto found = ways_.find(channel);
  if (found == ways_.end() || found->second->gone) return;
  Way& to = *found->second;
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
  NotificationSettled settled{head.id, settlement, std::move(text)};
  if (!head.progress.empty()) settled.progress = head.progress;
  actions_.push_back(std::move(settled));
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
      std::string text = head.reached ? "it could not be delivered to everybody in time"
                                      : "it could not be delivered in time";
      if (!lane.last_answer.empty()) text += "; the last answer was: " + lane.last_answer;
      settle(from, lane, head.reached ? Settlement::sent : Settlement::failed, std::move(text),
             now);
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

NotificationSender::Route* NotificationSender::next_route(Way& from, Time now) {
  if (from.limit_reached() || (from.bucket != nullptr && from.bucket->next(now) > now))
    return nullptr;
  Route* next = nullptr;
  for (auto& [name, route] : from.routes) {
    if (route.ready.empty() || from.limit_reached(route) || route.receiver->not_before > now ||
        std::get<Time>(*route.ready.begin()) > now)
      continue;
    if (next == nullptr || *route.ready.begin() < *next->ready.begin()) next = &route;
  }
  return next;
}

void NotificationSender::start_one(Way& from, Route& route, Time now) {
  const std::string name = std::get<std::string>(*route.ready.begin());
  Lane& lane = from.lanes.at(name);
  unmake_ready(from, lane);
  const std::uint64_t head = lane.waiting.front().id;
  if (!drop_what_is_over(from, lane, now)) {
    from.lanes.erase(name);
    return refill(from);
  }
  // Its turn may not have come yet, and its receiver may be another.
  if (lane.waiting.front().id != head) return make_ready(from, lane);
  Receiver& to = receiver(from, lane.waiting.front());
  Route& taken = from.routes[to.name];
  taken.receiver = &to;
  if (from.bucket != nullptr) from.bucket->take(now);
  lane.in_flight = true;
  lane.unknown_to_receiver = false;
  ++from.in_flight;
  ++taken.in_flight;
  const std::uint64_t attempt = next_attempt_++;
  attempts_[attempt] = {&from, to.name, name, {}};
  actions_.push_back(SendNotification{from.options.name, attempt, lane.waiting.front()});
}

void NotificationSender::start(Way& from, Time now) {
  while (Route* route = next_route(from, now)) start_one(from, *route, now);
  start_resend(from, now);
}

void NotificationSender::start_resend(Way& from, Time now) {
  if (from.in_flight > 0) return;
  ResendNotifications resend{from.options.name, next_attempt_, {}};
  Attempt attempt{&from, {}, {}, {}};
  std::vector<std::string> later, never;
  for (const auto& [at, name] : from.due) {
    if (at > now || resend.notifications.size() == resend_max) break;
    // What waits of the same incident says it anew.
    if (from.lanes.contains(name)) continue;
    const OutgoingNotification& notification = from.firing.at(name).notification;
    const Receiver& to = receiver(from, notification);
    if (to.not_before > now) break;
    const Repeat repeat = may_repeat_(from.options.name, notification);
    if (repeat != Repeat::now) {
      (repeat == Repeat::later ? later : never).push_back(name);
      continue;
    }
    attempt.receiver = to.name;
    attempt.repeated.push_back(name);
    resend.notifications.push_back(notification);
  }
  for (const std::string& name : later) from.postpone(name, now + from.options.resend_every);
  for (const std::string& name : never) from.forget(name);
  if (resend.notifications.empty()) return;
  ++next_attempt_;
  ++from.in_flight;
  attempts_[resend.attempt] = std::move(attempt);
  actions_.push_back(std::move(resend));
}

void NotificationSender::answered(std::uint64_t number, const Answer& answer, Time now) {
  const auto found = attempts_.find(number);
  HASTUR_CHECK(found != attempts_.end(), "an answer is of an attempt under way");
  const Attempt attempt = std::move(found->second);
  attempts_.erase(found);
  Way& at = *attempt.way;
  --at.in_flight;
  const bool fails = answer.verdict == Answer::Verdict::again;
  if (fails) ++at.counts.attempts_failed;
  Receiver& of = receivers_[attempt.receiver];
  of.name = attempt.receiver;
  if (fails && !(answer.part && answer.part->works)) {
    failed_attempt(at, of, answer, now);
  } else {
    // It answers: whatever it thinks of this one.
    works(of);
  }
  if (attempt.repeated.empty()) {
    const auto route = at.routes.find(attempt.receiver);
    if (--route->second.in_flight == 0 && route->second.ready.empty()) at.routes.erase(route);
    lane_answered(at, attempt.lane, answer, now);
  } else {
    repeated_answered(at, attempt, answer, now);
  }
  if (!at.gone) return start(at, now);
  if (at.in_flight == 0) ways_.erase(at.options.name);
}

void NotificationSender::repeated_answered(Way& at, const Attempt& attempt, const Answer& answer,
                                           Time now) {
  const Micros wait =
      answer.verdict == Answer::Verdict::again ? lane_wait_first : at.options.resend_every;
  for (const std::string& name : attempt.repeated) at.postpone(name, now + wait);
}

void NotificationSender::lane_answered(Way& at, const std::string& name, const Answer& answer,
                                       Time now) {
  Lane& lane = at.lanes.at(name);
  lane.in_flight = false;
  OutgoingNotification& head = lane.waiting.front();
  if (answer.part) {
    head.progress = answer.part->progress;
    head.reached = answer.part->reached;
  } else if (answer.verdict == Answer::Verdict::arrived) {
    head.progress.clear();
  }
  if (answer.verdict != Answer::Verdict::again) {
    settle(at, lane,
           answer.verdict == Answer::Verdict::arrived ? Settlement::sent : Settlement::failed,
           answer.text, now);
  } else if (at.gone) {
    leave(at, lane);
  } else {
    if (answer.part || answer.text != lane.last_answer)
      actions_.push_back(NotificationProgress{head.id, head.progress, answer.text});
    ++lane.failures;
    lane.not_before = now + lane_wait_.wait(lane.failures);
    if (answer.retry_after) {
      lane.not_before =
          std::max(lane.not_before, now + std::min(*answer.retry_after, retry_after_max));
    }
    lane.last_answer = answer.text;
  }
  if (lane.waiting.empty()) {
    at.lanes.erase(name);
  } else {
    make_ready(at, lane);
  }
  refill(at);
}

void NotificationSender::expire(Way& from, Time now) {
  std::vector<std::string> names;
  for (const auto& [name, lane] : from.lanes) {
    if (!lane.in_flight) names.push_back(name);
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    Lane& lane = from.lanes.at(name);
    unmake_ready(from, lane);
    if (drop_what_is_over(from, lane, now)) {
      make_ready(from, lane);
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
    if (each->gone) continue;
    if (expiry) expire(*each, now);
    start(*each, now);
  }
  if (expiry) forget_receivers(now);
}

std::optional<Time> NotificationSender::next_turn(Time now) const {
  std::optional<Time> next;
  const auto sooner = [&](Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [name, each] : ways_) {
    if (each->gone) continue;
    if (!each->lanes.empty()) sooner(next_expiry_);
    for (const auto& [receiver, route] : each->routes) {
      if (route.ready.empty() || each->limit_reached() || each->limit_reached(route)) continue;
      Time at = std::max(std::get<Time>(*route.ready.begin()), route.receiver->not_before);
      if (each->bucket != nullptr) at = std::max(at, each->bucket->next(now));
      sooner(at);
    }
    if (!each->due.empty() && each->in_flight == 0) {
      // Those that wait anew are passed over, and need no turn.
      for (const auto& [at, due] : each->due) {
        if (each->lanes.contains(due)) continue;
        const OutgoingNotification& firing = each->firing.at(due).notification;
        const auto of =
            receivers_.find(firing.receiver.empty() ? each->options.name : firing.receiver);
        sooner(of == receivers_.end() ? at : std::max(at, of->second.not_before));
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
  for (const std::string& name : at.troubled) {
    const auto of = receivers_.find(name);
    if (of == receivers_.end() || !of->second.trouble_since) continue;
    // Where nothing is to get through any more, nobody is kept from it.
    if (!at.routes.contains(name) && at.firing.empty()) continue;
    if (state.trouble_since && *state.trouble_since <= *of->second.trouble_since) continue;
    state.trouble_since = of->second.trouble_since;
    state.trouble_at = at.options.many_receivers ? name : "";
    state.last_trouble = of->second.last_trouble;
  }
  return state;
}

}  // namespace hastur
