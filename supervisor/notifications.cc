#include "supervisor/notifications.h"

#include <utility>

#include "core/log.h"
#include "core/random.h"

namespace hastur {
namespace {

// The watchdog's URL as a channel, which nobody else knows.
constexpr std::string_view watchdog_channel = "hastur/watchdog";

NotifyMode configured_mode(const SupervisorConfig& config) {
  return notify_mode_from_name(config.notify).value_or(NotifyMode::record);
}

void log_changes(const std::map<std::string, Channel>& before,
                 const std::map<std::string, Channel>& after) {
  for (const auto& [name, channel] : after) {
    const auto old = before.find(name);
    if (old == before.end()) {
      log_info("SIGHUP: the channel {} is new", name);
    } else if (!(old->second == channel)) {
      log_info("SIGHUP: the channel {} is another", name);
    }
  }
  for (const auto& [name, channel] : before) {
    if (!after.contains(name)) log_info("SIGHUP: the channel {} is gone", name);
  }
}

}  // namespace

Result<std::unique_ptr<Notifications>> Notifications::open(Loop& loop, Clock& clock,
                                                           CheckpointStore& store,
                                                           const SupervisorConfig& config) {
  auto channels = config.channels.open();
  if (!channels) return fail(channels.error());
  std::unique_ptr<Notifications> all(
      new Notifications(loop, clock, store, config, std::move(*channels)));
  HASTUR_TRY(all->orders_->start());
  HASTUR_TRY(all->delivery_->start());
  return all;
}

Notifications::Notifications(Loop& loop, Clock& clock, CheckpointStore& store,
                             const SupervisorConfig& config,
                             std::map<std::string, Channel> channels)
    : clock_(clock),
      store_(store),
      watchdog_url_(config.watchdog_url),
      channels_(std::move(channels)),
      policy_(configured_mode(config), channels_, config.platform_notify) {
  Notifier::Calls calls;
  calls.settled = [this](const NotificationSettled& done) { delivery_->settled(done); };
  calls.progressed = [this](const NotificationProgress& progress) {
    delivery_->progressed(progress);
  };
  calls.rests = [this](const ReceiverRest& rest) { delivery_->rests(rest); };
  calls.fetch = [this](const FetchMore& more) { delivery_->fetch(more); };
  calls.may_repeat = [this](const std::string& channel, const OutgoingNotification& notification) {
    return delivery_->may_repeat(channel, notification);
  };
  calls.tried = [this](const std::string& channel, const Answer& answer) {
    const Tell tell = std::move(tries_[channel].front());
    tries_[channel].pop_front();
    tell(answer);
  };
  notifier_ = std::make_unique<Notifier>(loop, clock, ways(),
                                         Notifier::Options{store.owner().to_string(), random_u64()},
                                         std::move(calls));
  delivery_ = std::make_unique<Delivery>(store, clock, *notifier_, policy_, channels_,
                                         Delivery::Options{.late_after = config.late_after});
  orders_ = std::make_unique<NotifyOrders>(store, clock, policy_, *delivery_);
}

std::map<std::string, Channel> Notifications::ways() const {
  std::map<std::string, Channel> all = channels_;
  if (watchdog_url_.empty()) return all;
  Channel& way = all[std::string(watchdog_channel)];
  way.name = watchdog_channel;
  way.kind = "web_hook";
  WebHookChannel url;
  url.url = watchdog_url_;
  way.way = std::move(url);
  return all;
}

// The order matters: nothing may leave that is forbidden now.
Result<void> Notifications::reload(const SupervisorConfig& fresh) {
  auto channels = fresh.channels.open();
  if (!channels) return fail(channels.error());
  log_changes(channels_, *channels);
  channels_ = std::move(*channels);
  policy_.configure(configured_mode(fresh), fresh.platform_notify);
  const auto closed = delivery_->channels_changed();
  notifier_->configure(ways());
  const auto released = delivery_->release_held();
  for (const Result<void>* done : {&closed, &released}) {
    if (!*done) {
      log_error("SIGHUP: what waits for the channels is not all looked through: {}",
                done->error().message);
    }
  }
  return {};
}

void Notifications::turn() {
  delivery_->turn();
  orders_->turn();
}

void Notifications::try_once(const std::string& channel, const OutgoingNotification& notification,
                             Tell tell) {
  tries_[channel].push_back(std::move(tell));
  notifier_->try_once(channel, notification);
}

void Notifications::call_watchdog(Tell tell) {
  if (watchdog_url_.empty()) return;
  try_once(std::string(watchdog_channel), watchdog_call(watchdog_url_, clock_.now()),
           std::move(tell));
}

std::unique_ptr<NotifyApi> Notifications::make_api(
    std::function<bool(const TriggerName&)> is_trigger) {
  NotifyApi::Calls calls;
  calls.is_trigger = std::move(is_trigger);
  calls.channel_state = [this](const std::string& channel) { return state(channel); };
  calls.try_channel = [this](const std::string& channel, Tell tell) {
    try_once(channel, test_notification(channel, clock_.now()), std::move(tell));
  };
  return std::make_unique<NotifyApi>(store_, clock_, channels_, policy_, *orders_, *delivery_,
                                     std::move(calls));
}

}  // namespace hastur
