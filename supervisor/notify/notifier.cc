#include "supervisor/notify/notifier.h"

#include <fmt/format.h>

#include <utility>

#include "core/hash.h"

namespace hastur {
namespace {

constexpr std::uint32_t pager_duty_per_minute_max = 120;

SenderChannel sender_channel(const Channel& channel) {
  SenderChannel sender;
  sender.name = channel.name;
  if (const auto* pager_duty = std::get_if<PagerDutyChannel>(&channel.way)) {
    // The limit is the routing key's, and two channels may have the same.
    sender.bucket = fmt::format("{:016x}", hash64(pager_duty->routing_key.value.reveal()));
    sender.per_minute_max = pager_duty_per_minute_max;
  } else if (const auto* alertmanager = std::get_if<AlertmanagerChannel>(&channel.way)) {
    sender.in_flight_max = 1;
    sender.resend_every = alertmanager->resend_every;
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

Notifier::Notifier(Loop& loop, Clock& clock, std::map<std::string, Channel> channels,
                   Options options, Calls calls)
    : loop_(loop),
      clock_(clock),
      channels_(std::move(channels)),
      options_(std::move(options)),
      calls_(std::move(calls)),
      sender_(sender_channels(channels_), options_.seed, clock.now()),
      alive_(std::make_shared<bool>(true)) {
  transfers_ = std::make_unique<Transfers>([this](std::uint64_t attempt, Answer answer) {
    loop_.post([this, alive = alive_, attempt, answer = std::move(answer)]() mutable {
      if (*alive) done(attempt, std::move(answer));
    });
  });
}

Notifier::~Notifier() { *alive_ = false; }

RequestContext Notifier::context() { return {options_.owner, clock_.now()}; }

bool Notifier::offer(const std::string& channel, OutgoingNotification notification) {
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
  sender_.restore_firing(channel, std::move(notification), clock_.now());
  carry_out();
}

void Notifier::try_once(const std::string& channel, const OutgoingNotification& notification) {
  begin(channel, next_try_--, make_request(channels_.at(channel), notification, context()));
}

void Notifier::begin(const std::string& channel, std::uint64_t attempt,
                     Result<OutgoingRequest> request) {
  channel_of_attempt_[attempt] = channel;
  if (request) return transfers_->start(attempt, std::move(*request));
  loop_.post([this, alive = alive_, attempt, why = request.error().message] {
    if (*alive) done(attempt, {Answer::Verdict::refused, why, {}});
  });
}

void Notifier::done(std::uint64_t attempt, Answer answer) {
  const auto found = channel_of_attempt_.find(attempt);
  const std::string channel = std::move(found->second);
  channel_of_attempt_.erase(found);
  answer.text = channels_.at(channel).redact(std::move(answer.text));
  if (attempt > next_try_) {
    calls_.tried(channel, answer);
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
              make_request(channels_.at(send->channel), send->notification, context()));
      } else if (const auto* resend = std::get_if<ResendNotifications>(&action)) {
        begin(resend->channel, resend->attempt,
              make_resend(channels_.at(resend->channel), resend->notifications, context()));
      } else if (const auto* settled = std::get_if<NotificationSettled>(&action)) {
        calls_.settled(*settled);
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
