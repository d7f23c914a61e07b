#pragma once

// All that becomes of what triggers ask people to be told: rules, channels, delivery and orders,
// put together as the config says and changed as it changes.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/config.h"
#include "supervisor/http/notify_api.h"
#include "supervisor/notify/delivery.h"
#include "supervisor/notify/notifier.h"
#include "supervisor/notify/orders.h"
#include "supervisor/notify/policy.h"

namespace hastur {

class Notifications {
 public:
  using Tell = std::function<void(const Answer&)>;

  // What waits in the store is looked through. Loop, clock and store outlive it. Errors are of the
  // channels' secrets or of the store.
  static Result<std::unique_ptr<Notifications>> open(Loop& loop, Clock& clock,
                                                     CheckpointStore& store,
                                                     const SupervisorConfig& config);

  // [notify.NAME] and the settings of [supervisor] and [platform] that are about notifications are
  // these from now on; what is under way ends as it began. An error (of a secret, say): nothing
  // has changed.
  Result<void> reload(const SupervisorConfig& fresh);
  void turn();

  // The status of what is asked for, when it is asked for.
  void decide(NotificationRecord& record) { policy_.decide(record); }
  Delivery& delivery() { return *delivery_; }
  const std::map<std::string, Channel>& channels() const { return channels_; }
  ChannelState state(const std::string& channel) const { return notifier_->state(channel); }
  // One attempt past all queues, whose answer is told once. The channel is there.
  void try_once(const std::string& channel, const OutgoingNotification& notification, Tell tell);
  // One call of [platform] watchdog_url, if there is one.
  void call_watchdog(Tell tell);
  std::unique_ptr<NotifyApi> make_api(std::function<bool(const TriggerName&)> is_trigger);

 private:
  Notifications(Loop& loop, Clock& clock, CheckpointStore& store, const SupervisorConfig& config,
                std::map<std::string, Channel> channels);
  // The configured channels, and the watchdog's.
  std::map<std::string, Channel> ways() const;

  Clock& clock_;
  CheckpointStore& store_;
  const std::string watchdog_url_;
  std::map<std::string, Channel> channels_;
  NotifyPolicy policy_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<NotifyOrders> orders_;
  // Of attempts under way, in their order.
  std::map<std::string, std::deque<Tell>> tries_;
};

}  // namespace hastur
