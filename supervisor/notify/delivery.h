#pragma once

// Between the store and the channels: hands what is stored as waiting to the sender, and stores
// what became of it.
//
// What is stored as waiting and not yet marked as sent is offered again after a crash: each leaves
// at least once, always under its one id, and those of an incident in the order of their ids.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/notify/channel.h"
#include "supervisor/notify/policy.h"
#include "supervisor/notify/sender.h"
#include "supervisor/notify/sink.h"

namespace hastur {

class Delivery {
 public:
  struct Options {
    // After a start, what is older and belongs to an incident waits until its trigger has caught
    // up: its incident may be over.
    Micros late_after = std::chrono::minutes{5};
  };

  // All but `options` outlive it.
  Delivery(CheckpointStore& store, Clock& clock, NotificationSink& sink, const NotifyPolicy& policy,
           const std::map<std::string, Channel>& channels, const Options& options);

  // Reads back what waits. Once, before anything else is committed to the store.
  Result<void> start();
  // These are stored as waiting since now.
  void stored(const std::vector<NotificationRecord>& records);
  // What the sink says.
  void settled(const NotificationSettled& done);
  void progressed(const NotificationProgress& progress);
  void rests(const ReceiverRest& rest);
  void fetch(const FetchMore& more);
  // Whether what fires at a receiver is repeated: not while it may not leave, and not if its
  // incident is over.
  Repeat may_repeat(const std::string& channel, const OutgoingNotification& notification);
  // Time has passed: to be called at least every 100 ms.
  void turn();

  // The channels or their modes are others now, and the sink does not know yet: what waits on one
  // that is gone is closed, and what may not leave any more is held back. Once the sink knows,
  // release_held() is due.
  Result<void> channels_changed();
  // The policy has become stricter: what waits and may not leave any more is kept or dropped.
  Result<void> hold_back();
  // The policy has become more lenient, or an order has ended: of what was held until then, the
  // incidents that are still open go out, and the rest is closed with the reason.
  Result<void> release_held();
  // The same for untold() incidents, on request. How many go.
  Result<std::size_t> release_untold();
  // Incidents of which their receiver holds something else, for good: open ones whose newest
  // `trigger` was only recorded, refused or given up, and closed ones whose resolve was. At most
  // `max`.
  Result<std::vector<Incident>> untold(std::size_t max);

  // By somebody, one that is kept or was given up. `not_found`; `conflict` if it is on its way or
  // has left, or if the policy does not let it leave.
  Result<void> release(std::uint64_t id);
  // Not to be sent any more. `not_found`; `conflict` if it is under way or has left.
  Result<void> close(std::uint64_t id, const std::string& why);

 private:
  // An incident, and its notification that would set its receiver right.
  struct Untold {
    Incident incident;
    NotificationRecord record;
  };
  Result<std::vector<Untold>> find_untold(std::size_t max);
  Result<NotificationRecord> find(std::uint64_t id);
  std::optional<NotificationChange> after_hold(NotificationRecord record);
  Result<void> review();
  Result<void> restore_rests();
  Result<void> let_out(const std::vector<std::uint64_t>& ids);
  Result<void> restore_firing();
  Result<void> offer_from(const std::string& channel, std::uint64_t id);
  // False if there is no room for it.
  bool offer(const NotificationRecord& record, bool opens, Time expires_at);
  OutgoingNotification outgoing(const NotificationRecord& record);
  bool opens_incident(const NotificationRecord& record);
  std::optional<NotificationChange> change_at_start(NotificationRecord record) const;
  Result<void> store_changes();

  CheckpointStore& store_;
  Clock& clock_;
  NotificationSink& sink_;
  const NotifyPolicy& policy_;
  const std::map<std::string, Channel>& channels_;
  Options options_;
  Time started_;
  // Not yet stored.
  std::map<std::uint64_t, NotificationChange> changes_;
  std::map<std::string, ReceiverRest> rests_;
  // Held back while they were under way, on these channels.
  std::map<std::uint64_t, std::string> to_withdraw_;
  bool storing_fails_ = false;
  // Reads that failed and are done again.
  std::map<std::string, std::uint64_t> fetch_again_;
  // Of (trigger, run); as many as there are runs with something to send.
  std::map<std::pair<TriggerName, Run>, std::string> versions_;
};

}  // namespace hastur
