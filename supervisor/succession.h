#pragma once

// What becomes of open incidents when another memory takes a trigger's place: after a restoration,
// a rollback, a replay, a removal, a new name.
//
// An incident that the present memory does not hold is resolved: nobody would ever do it otherwise.
// Of a trigger that got another name its incidents go on under that. They are looked through after
// a start and after each such change, a page at a time, so that a crash in between loses none.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/memory_line.h"

namespace hastur {

class Succession {
 public:
  struct Calls {
    // The run that it has now; nothing if there is no such trigger.
    std::function<std::optional<Run>(const TriggerName&)> run_of;
    // The platform has paused it, now.
    std::function<bool(const TriggerName&)> is_paused;
    // A replay is to give it another memory soon.
    std::function<bool(const TriggerName&)> awaits_replay;
    // To be stored and let out, if it may leave.
    std::function<void(NotificationRecord)> notify;
    // To be stored with the status that it has.
    std::function<void(NotificationRecord)> store;
  };

  // `store` and `clock` outlive it.
  Succession(CheckpointStore& store, Clock& clock, Calls calls)
      : store_(store), clock_(clock), calls_(std::move(calls)) {}

  // Memories may have changed: looks through all incidents again.
  void begin();
  // The next page, if there is one; true if more are left.
  Result<bool> turn();
  // Some wait for the end of a replay: begin() again when that may have come.
  bool waits() const { return waits_; }

 private:
  using Key = std::pair<std::string, std::string>;  // channel, key
  struct Known {
    std::optional<Run> run;
    bool awaits_replay = false;
    std::optional<MemoryLine> line;
    // Those that are open by what the present memory holds; nothing if it was not needed yet.
    std::optional<std::set<Key>> open;
  };

  Result<void> look(const Incident& incident);
  Result<void> look_at_end(const Incident& incident,
                           const std::optional<NotificationRecord>& newest);
  Result<NotificationRecord> last_asked(const Incident& incident,
                                        const std::optional<NotificationRecord>& newest);
  Result<Known*> known(const TriggerName& trigger);
  Result<bool> is_held(Known& known, const Incident& incident, const NotificationRecord& newest);
  Result<std::set<Key>> open_by(const MemoryLine& line, const TriggerName& trigger);
  static bool is_pause(const Incident& incident, const NotificationRecord& asked);
  Result<TriggerName> heir_of(TriggerName trigger, Run run);
  Result<std::optional<NotificationRecord>> record_of(std::uint64_t id);
  void resolve(const Incident& incident, const NotificationRecord& asked, const std::string& why,
               bool is_told, NotificationStatus otherwise = NotificationStatus::closed);
  void go_on_as(const TriggerName& heir, const Incident& incident, const NotificationRecord& asked);

  CheckpointStore& store_;
  Clock& clock_;
  Calls calls_;
  // The number of the last incident that was looked at; nothing when all were.
  std::optional<std::uint64_t> looked_through_;
  bool waits_ = false;
  std::map<TriggerName, Known> known_;
};

}  // namespace hastur
