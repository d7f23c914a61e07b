#pragma once

// Orders of people about notifications: given, kept over restarts, ended in time, and what follows
// from each.

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/notify/delivery.h"
#include "supervisor/notify/policy.h"

namespace hastur {

class NotifyOrders {
 public:
  // All outlive it.
  NotifyOrders(CheckpointStore& store, Clock& clock, NotifyPolicy& policy, Delivery& delivery)
      : store_(store), clock_(clock), policy_(policy), delivery_(delivery) {}

  // Puts the stored orders into force. Before Delivery::start().
  Result<void> start();
  // Ends what is over: to be called at least each second.
  void turn();

  // Replaces the order of that scope and name; without a mode, what is configured is in force
  // again. `span`: how long.
  Result<void> set_mode(OrderScope scope, const std::string& name, std::optional<NotifyMode> mode,
                        std::optional<Micros> span, const std::string& why);
  // Returns its number. `key`: empty for all that the trigger asks for.
  Result<std::uint64_t> silence(const TriggerName& trigger, const std::string& key, Time until,
                                const std::string& why);
  // `not_found` if there is no such silence in force.
  Result<void> end_silence(std::uint64_t number, const std::string& why);

 private:
  Result<void> change(std::vector<NotifyOrder> orders);
  Result<void> end_over();
  Result<void> read();

  CheckpointStore& store_;
  Clock& clock_;
  NotifyPolicy& policy_;
  Delivery& delivery_;
  // What was held may still lie in a commit to come when its order ends: it is looked for until
  // then.
  std::optional<Time> look_until_;
  Time looked_at_{};
};

}  // namespace hastur
