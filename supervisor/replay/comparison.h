#pragma once

// What a replay changes: the messages and notifications that came of the same inputs before it,
// beside those that come of them now.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "message/batch.h"
#include "supervisor/dispatch/run_order.h"
#include "supervisor/replay/plan.h"

namespace hastur {

class Comparison {
 public:
  // `store` outlives it.
  Comparison(const ReplayPlan& plan, CheckpointStore& store);

  // What the triggers derived before, as it stands in History.
  Result<void> take_before(const BatchView& batch);
  // What they asked for before, up to this input: once.
  Result<void> take_notifications_before(Sequence through);
  void take_now(std::size_t trigger, Sequence input, const Effect& effect);

  struct Change {
    std::uint64_t same = 0, differ = 0, appear = 0, vanish = 0;
  };
  Change messages(std::size_t trigger) const { return compare(sides_[trigger].messages); }
  Change notifications(std::size_t trigger) const { return compare(sides_[trigger].notifications); }

 private:
  // By input and ordinal: hashes of before and of now; 0 where there is none.
  using Place = std::pair<std::uint64_t, std::uint32_t>;
  struct Hashes {
    std::uint64_t before = 0, now = 0;
  };
  using Effects = std::map<Place, Hashes>;
  struct Sides {
    Effects messages, notifications;
  };
  static Change compare(const Effects& effects);

  CheckpointStore& store_;
  RunOrder order_;
  Sequence begin_;
  std::map<TriggerName, std::size_t, std::less<>> numbers_;
  std::vector<Sides> sides_;
};

// "120 derived messages: 117 as before, 3 differ, 2 are new, 1 is gone".
std::string change_text(std::string_view what, const Comparison::Change& change);

}  // namespace hastur
