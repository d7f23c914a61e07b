#include "supervisor/notify/notifier.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "core/hash.h"
#include "core/json.h"
#include "supervisor/notify/url.h"

namespace hastur {
namespace {

constexpr std::uint32_t pager_duty_per_minute_max = 120;

// A hash stands for what is a key itself.
std::string receiver_of_key(const PagerDutyChannel& way) {
  return fmt::format("pager_duty/{:016x}", hash64(way.routing_key.value.reveal() + way.url));
}

// OutgoingNotification::receiver; empty: the channel itself.
std::string receiver_of(const Channel& channel, const OutgoingNotification& notification) {
  if (const auto* way = std::get_if<PagerDutyChannel>(&channel.way)) return receiver_of_key(*way);
  if (const auto* way = std::get_if<EmailChannel>(&channel.way)) return way->server;
  if (const auto* way = std::get_if<AlertmanagerChannel>(&channel.way)) return way->url;
  if (const auto* way = std::get_if<SlackChannel>(&channel.way))
    return fmt::format("slack/{:016x}", hash64(way->url.value.reveal()));
  const auto* way = std::get_if<WebHookChannel>(&channel.way);
  if (way == nullptr) return "";
  const auto content = read_notification(notification.payload);
  if (!content) return "";
  const auto given = content->options.find("url");
  const bool names_one = given != content->options.end() && given->is_string();
  const auto url =
      parse_url(names_one ? given->get_ref<const std::string&>() : way->url, {"https", "http"});
  return url ? fmt::format("{}://{}:{}", url->scheme, url->host, url->port) : "";
}

SenderChannel sender_channel(const Channel& channel) {
  SenderChannel sender;
  sender.name = channel.name;
  if (const auto* pager_duty = std::get_if<PagerDutyChannel>(&channel.way)) {
    // The limit is the routing key's, and two channels may have the same.
    sender.bucket = receiver_of_key(*pager_duty);
    sender.per_minute_max = pager_duty_per_minute_max;
  } else if (const auto* alertmanager = std::get_if<AlertmanagerChannel>(&channel.way)) {
    sender.in_flight_max = 1;
    sender.resend_every = alertmanager->resend_every;
  } else if (channel.kind == "web_hook") {
    sender.many_receivers = true;
  } else if (channel.kind == "email" || channel.kind == "command") {
    // A connection or a process for each.
    sender.in_flight_max = 2;
  } else if (channel.kind == "file") {
    sender.in_flight_max = 1;
  }
  return sender;
}

std::vector<SenderChannel> sender_channels(const std::map<std::string, Channel>& channels) {
  std::vector<SenderChannel> all;
  for (const auto& [name, channel] : channels) all.push_back(sender_channel(channel));
  return all;
}

}  // namespace

Notifier::Notifier(Loop& loop, Clock& clock, const std::map<std::string, Channel>& channels,
                   Options options, Calls calls)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      calls_(std::move(calls)),
      sender_(sender_channels(channels), options_.seed, clock.now(),
              [this](const std::string& channel, const OutgoingNotification& notification) {
                return calls_.may_repeat ? calls_.may_repeat(channel, notification) : Repeat::now;
              }),
      alive_(std::make_shared<bool>(true)) {
  for (const auto& [name, channel] : channels)
    channels_[name] = std::make_shared<const Channel>(channel);
  transfers_ = std::make_unique<Transfers>([this](std::uint64_t attempt, Answer answer) {
    loop_.post([this, alive = alive_, attempt, answer = std::move(answer)]() mutable {
      if (*alive) done(attempt, std::move(answer));
    });
  });
}

Notifier::~Notifier() { *alive_ = false; }

void Notifier::configure(const std::map<std::string, Channel>& channels) {
  std::set<std::string> changed;
  std::map<std::string, ChannelInUse> before = std::exchange(channels_, {});
  for (const auto& [name, channel] : channels) {
    const auto old = before.find(name);
    const bool is_same = old != before.end() && *old->second == channel;
    channels_[name] = is_same ? old->second : std::make_shared<const Channel>(channel);
    if (!is_same) changed.insert(name);
  }
  sender_.configure(sender_channels(channels), changed, clock_.now());
  carry_out();
}

RequestContext Notifier::context() { return {options_.owner, clock_.now()}; }

bool Notifier::offer(const std::string& channel, OutgoingNotification notification) {
  notification.receiver = receiver_of(*channels_.at(channel), notification);
  const bool taken = sender_.offer(channel, std::move(notification), clock_.now());
  carry_out();
  return taken;
}

bool Notifier::withdraw(const std::string& channel, std::uint64_t id) {
  const bool withdrawn = sender_.withdraw(channel, id);
  carry_out();
  return withdrawn;
}

void Notifier::more_from(const std::string& channel, std::uint64_t id) {
  sender_.more_from(channel, id);
  carry_out();
}

void Notifier::restore_firing(const std::string& channel, OutgoingNotification notification) {
  notification.receiver = receiver_of(*channels_.at(channel), notification);
  sender_.restore_firing(channel, std::move(notification), clock_.now());
  carry_out();
}

void Notifier::restore_rest(const ReceiverRest& rest) { sender_.restore_rest(rest, clock_.now()); }

void Notifier::try_once(const std::string& channel, const OutgoingNotification& notification) {
  begin(channel, next_try_--, make_request(*channels_.at(channel), notification, context()));
}

void Notifier::begin(const std::string& channel, std::uint64_t attempt,
                     Result<OutgoingRequest> request) {
  channel_of_attempt_[attempt] = channels_.at(channel);
  if (request) return transfers_->start(attempt, std::move(*request));
  loop_.post([this, alive = alive_, attempt, why = request.error().message] {
    if (*alive) done(attempt, {Answer::Verdict::refused, why, {}});
  });
}

void Notifier::done(std::uint64_t attempt, Answer answer) {
  const auto found = channel_of_attempt_.find(attempt);
  const ChannelInUse channel = std::move(found->second);
  channel_of_attempt_.erase(found);
  answer.text = channel->redact(std::move(answer.text));
  if (answer.part) answer.part->progress = channel->redact(std::move(answer.part->progress));
  if (attempt > next_try_) {
    calls_.tried(channel->name, answer);
    return;
  }
  sender_.answered(attempt, answer, clock_.now());
  carry_out();
}

void Notifier::carry_out() {
  // A call may offer again: its actions follow.
  if (carrying_out_) return;
  carrying_out_ = true;
  for (auto actions = sender_.take_actions(); !actions.empty(); actions = sender_.take_actions()) {
    for (SenderAction& action : actions) {
      if (const auto* send = std::get_if<SendNotification>(&action)) {
        begin(send->channel, send->attempt,
              make_request(*channels_.at(send->channel), send->notification, context()));
      } else if (const auto* resend = std::get_if<ResendNotifications>(&action)) {
        begin(resend->channel, resend->attempt,
              make_resend(*channels_.at(resend->channel), resend->notifications, context()));
      } else if (const auto* settled = std::get_if<NotificationSettled>(&action)) {
        calls_.settled(*settled);
      } else if (const auto* progress = std::get_if<NotificationProgress>(&action)) {
        if (calls_.progressed) calls_.progressed(*progress);
      } else if (const auto* rest = std::get_if<ReceiverRest>(&action)) {
        if (calls_.rests) calls_.rests(*rest);
      } else if (const auto* fetch = std::get_if<FetchMore>(&action)) {
        calls_.fetch(*fetch);
      }
    }
  }
  carrying_out_ = false;
  const Time now = clock_.now();
  timer_.reset();
  if (const auto next = sender_.next_turn(now)) {
    timer_ = loop_.after(std::max(Micros{0}, *next - now), [this] {
      sender_.turn(clock_.now());
      carry_out();
    });
  }
}

}  // namespace hastur
