#include "syndicator/leases.h"

#include <fmt/format.h>

#include <algorithm>

#include "message/message.h"

namespace hastur {

Leases::Leases(History& history, Time now) : history_(history) {
  for (LeaseRecord& record : history.leases()) {
    newest_ = std::max(newest_, record.epoch);
    std::string name = record.trigger;
    leases_[std::move(name)] = {std::move(record), now + lease_span};
  }
}

Result<Epoch> Leases::grant(const LeaseRequest& request, Time now) {
  std::size_t added = 0;
  Epoch epoch{0};
  std::vector<LeaseRecord> changed;
  for (const TriggerName& name : request.names) {
    HASTUR_TRY(check_trigger_name(name));
    const auto held = leases_.find(name);
    if (held == leases_.end()) {
      ++added;
    } else if (held->second.record.owner == request.owner) {
      epoch = std::max(epoch, held->second.record.epoch);
      continue;
    } else if (held->second.until > now) {
      return fail(ErrorCode::conflict, fmt::format("trigger '{}' is run by another supervisor ({}) "
                                                   "for {} more; stop that one, or give this "
                                                   "one other triggers",
                                                   name, held->second.record.owner.to_string(),
                                                   format_span(held->second.until - now)));
    }
    changed.push_back({name, request.owner, {newest_.value + 1}});
  }
  if (leases_.size() + added > names_max) {
    return fail(
        ErrorCode::full,
        fmt::format("there are leases for {} trigger names, and no room for more", names_max));
  }
  if (!changed.empty()) {
    HASTUR_TRY(history_.save_leases(changed));
    epoch = newest_ = {newest_.value + 1};
    for (LeaseRecord& record : changed) {
      std::string name = record.trigger;
      leases_[std::move(name)].record = std::move(record);
    }
  }
  for (const TriggerName& name : request.names) leases_[name].until = now + lease_span;
  return epoch;
}

Result<void> Leases::check(const TriggerName& trigger, const OwnerId& owner, Epoch epoch) const {
  const auto held = leases_.find(trigger);
  if (held == leases_.end()) {
    return fail(ErrorCode::stale,
                fmt::format("nobody has a lease for trigger '{}'; ask for one first", trigger));
  }
  const LeaseRecord& record = held->second.record;
  if (record.owner == owner && epoch >= record.epoch) return {};
  return fail(ErrorCode::stale,
              fmt::format("the lease of trigger '{}' has passed to {} with epoch {}; what comes "
                          "with epoch {} is refused",
                          trigger, record.owner.to_string(), record.epoch.value, epoch.value));
}

}  // namespace hastur
