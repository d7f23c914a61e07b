// NotificationSender: its channels, which may become others, and what it knows of receivers.

#include <algorithm>

#include "core/check.h"
#include "supervisor/notify/sender_parts.h"

namespace hastur {
namespace {

// Beyond, those are forgotten that have been left alone for longest and to whom nothing waits.
constexpr std::size_t receivers_max = 1'000;

}  // namespace

void NotificationSender::configure(const std::vector<SenderChannel>& channels,
                                   const std::set<std::string>& changed, Time now) {
  for (auto& [name, old] : ways_) {
    if (std::ranges::find(channels, name, &SenderChannel::name) != channels.end()) continue;
    forget_waiting(*old);
    old->firing.clear();
    old->due.clear();
    old->refused_from.reset();
    old->gone = true;
  }
  std::erase_if(
      ways_, [](const auto& entry) { return entry.second->gone && entry.second->in_flight == 0; });
  for (const SenderChannel& options : channels) {
    auto& way = ways_[options.name];
    const bool is_new = way == nullptr;
    if (is_new) way = std::make_unique<Way>();
    const bool asks_anew = !is_new && (way->gone || changed.contains(options.name));
    way->gone = false;
    set_options(*way, options, now);
    if (!asks_anew) continue;
    forget_waiting(*way);
    way->refused_from = 1;
    refill(*way);
  }
}

void NotificationSender::set_options(Way& way, const SenderChannel& options, Time now) {
  HASTUR_CHECK(options.resend_every == Micros{0} || options.in_flight_max == 1,
               "a channel that repeats has one attempt under way");
  way.options = options;
  way.bucket = nullptr;
  if (!options.bucket.empty()) {
    way.bucket = &buckets_.try_emplace(options.bucket, options.per_minute_max, now).first->second;
  }
  if (options.resend_every > Micros{0}) return;
  way.firing.clear();
  way.due.clear();
}

// But for what is under way.
void NotificationSender::forget_waiting(Way& way) {
  for (auto& [name, lane] : way.lanes) {
    if (!lane.in_flight) unmake_ready(way, lane);
    while (lane.waiting.size() > (lane.in_flight ? 1 : 0)) {
      way.bytes -= lane.waiting.back().bytes();
      way.ids.erase(lane.waiting.back().id);
      lane.waiting.pop_back();
    }
  }
  std::erase_if(way.lanes, [](const auto& entry) { return entry.second.waiting.empty(); });
}

NotificationSender::Receiver& NotificationSender::receiver(
    const Way& way, const OutgoingNotification& notification) {
  const std::string& name =
      notification.receiver.empty() ? way.options.name : notification.receiver;
  const auto [found, is_new] = receivers_.try_emplace(name);
  if (is_new) found->second.name = name;
  return found->second;
}

void NotificationSender::restore_rest(const ReceiverRest& rest, Time now) {
  Receiver& of = receivers_[rest.name];
  of.name = rest.name;
  of.failures = rest.failures;
  of.not_before = std::min(rest.until, now + retry_after_max);
  of.rests = true;
}

void NotificationSender::forget_receivers(Time now) {
  if (receivers_.size() <= receivers_max) return;
  std::set<std::string> needed;
  for (const auto& [name, way] : ways_) {
    for (const auto& [receiver, route] : way->routes) needed.insert(receiver);
  }
  std::vector<std::pair<Time, std::string>> idle;
  for (const auto& [name, each] : receivers_) {
    if (!needed.contains(name) && each.not_before <= now) idle.emplace_back(each.not_before, name);
  }
  std::ranges::sort(idle);
  for (const auto& [since, name] : idle) {
    if (receivers_.size() <= receivers_max) break;
    works(receivers_.at(name));
    receivers_.erase(name);
  }
}

void NotificationSender::failed_attempt(Way& at, Receiver& of, const Answer& answer, Time now) {
  if (of.failures++ == 0 || !of.trouble_since) of.trouble_since = now;
  of.last_trouble = answer.text;
  at.troubled.insert(of.name);
  const Time before = of.not_before;
  if (answer.retry_after)
    of.not_before = std::max(of.not_before, now + std::min(*answer.retry_after, retry_after_max));
  if (of.failures > receiver_failures_max) {
    of.not_before =
        std::max(of.not_before, now + receiver_wait_.wait(of.failures - receiver_failures_max));
  }
  if (of.not_before == before) return;
  of.rests = true;
  actions_.push_back(ReceiverRest{of.name, of.failures, of.not_before});
}

void NotificationSender::works(Receiver& of) {
  of.failures = 0;
  of.trouble_since.reset();
  of.last_trouble.clear();
  if (std::exchange(of.rests, false)) actions_.push_back(ReceiverRest{of.name, 0, {}, true});
}

}  // namespace hastur
