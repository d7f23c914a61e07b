#pragma once

// Who may append derived messages for which trigger.
//
// An epoch is a span in which one owner has held a name without another one between. It is kept
// before it is granted, so no restart gives it out twice; appends that come with an older one are
// refused for good. The time to which a lease runs is not kept: after a restart every lease known
// runs for one more span.

#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "state/history/history.h"
#include "syndicator/client/protocol.h"

namespace hastur {

class Leases {
 public:
  // `history` outlives this.
  Leases(History& history, Time now);

  // Grants all names or none. `conflict` if another owner holds one, `invalid` if one is no
  // trigger's name, `full` beyond names_max, else what kept History from storing them. The epoch is
  // that of the newest of the names.
  Result<Epoch> grant(const LeaseRequest& request, Time now);

  // `stale` if another owner has been granted the name since this epoch, or nobody ever.
  Result<void> check(const TriggerName& trigger, const OwnerId& owner, Epoch epoch) const;

  static constexpr std::size_t names_max = 100'000;

 private:
  struct Lease {
    LeaseRecord record;
    Time until;
  };

  History& history_;
  std::map<TriggerName, Lease> leases_;
  Epoch newest_;
};

}  // namespace hastur
