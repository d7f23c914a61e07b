#pragma once

// What may leave, and on which channel.
//
// Three modes stand over each notification: the supervisor's, its channel's and its trigger's; an
// order takes the place of what is configured. The strictest decides: `on` lets it leave, `record`
// keeps it, `off` drops it. A silence of its trigger or incident keeps it, too.

#include <map>
#include <string>
#include <vector>

#include "state/notification.h"
#include "state/notify_order.h"
#include "supervisor/notify/channel.h"

namespace hastur {

// The reasons of what is kept until an order ends begin with this; those are pending.
inline constexpr std::string_view held_reason = "held by ";

class NotifyPolicy {
 public:
  // `mode` is the supervisor's. The channels outlive the policy. `platform_channel` takes what the
  // platform asks for of itself; empty: nobody is told.
  NotifyPolicy(NotifyMode mode, const std::map<std::string, Channel>& channels,
               std::string platform_channel = {})
      : mode_(mode), channels_(channels), platform_channel_(std::move(platform_channel)) {}

  // What is configured is another now.
  void configure(NotifyMode mode, std::string platform_channel) {
    mode_ = mode;
    platform_channel_ = std::move(platform_channel);
  }
  // Those in force, in place of those before.
  void set_orders(std::vector<NotifyOrder> orders) { orders_ = std::move(orders); }
  const std::vector<NotifyOrder>& orders() const { return orders_; }
  // The order in force; nothing: as configured.
  const NotifyOrder* order(OrderScope scope, std::string_view name) const;
  // By order or as configured.
  NotifyMode supervisor_mode() const;
  NotifyMode channel_mode(const std::string& channel) const;

  // Of one that a trigger has just asked for: finds its channel by its payload, then as
  // decide_again(). Without a channel it is closed where it would have to leave.
  void decide(NotificationRecord& record) const;
  // Sets status and reason of one whose channel stands: waiting, recorded, closed, or pending where
  // the order that holds it will end.
  void decide_again(NotificationRecord& record) const;

 private:
  NotifyMode mode_;
  const std::map<std::string, Channel>& channels_;
  std::string platform_channel_;
  std::vector<NotifyOrder> orders_;
};

}  // namespace hastur
