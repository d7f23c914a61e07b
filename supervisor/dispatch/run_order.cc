#include "supervisor/dispatch/run_order.h"

#include <algorithm>
#include <limits>

namespace hastur {

Result<const std::vector<RunOrder::Kept>*> RunOrder::runs(const TriggerName& trigger) {
  const auto known = runs_.find(trigger);
  if (known != runs_.end()) return &known->second;
  std::vector<Kept> kept;
  Sequence newer_after{std::numeric_limits<std::uint64_t>::max()};
  for (Run run = store_.newest_run(trigger); run.value > 0; --run.value) {
    const auto record = store_.run(trigger, run);
    if (!record) return fail(record.error());
    if (!*record) continue;
    kept.push_back({run, (*record)->after, (*record)->why == "replay", newer_after});
    newer_after = std::min(newer_after, (*record)->after);
  }
  std::ranges::reverse(kept);
  return &runs_.emplace(trigger, std::move(kept)).first->second;
}

Result<bool> RunOrder::is_superseded(const TriggerName& trigger, Run run, Sequence sequence) {
  const auto kept = runs(trigger);
  if (!kept) return fail(kept.error());
  // A run that is not kept any more is older than all that are.
  const auto at = std::ranges::lower_bound(**kept, run, {}, &Kept::run);
  if (at == (*kept)->end()) return false;
  const Sequence newer = at->run == run ? at->newer_after : std::min(at->newer_after, at->after);
  return newer < sequence;
}

Result<std::vector<RunOrder::Replay>> RunOrder::replays(const TriggerName& trigger) {
  const auto kept = runs(trigger);
  if (!kept) return fail(kept.error());
  std::vector<Replay> found;
  for (const Kept& run : **kept) {
    if (!run.is_replay) continue;
    const auto journal = store_.journal(trigger, run.run);
    if (!journal) return fail(journal.error());
    const auto took_over = std::ranges::find(*journal, "replay", &JournalRecord::decision);
    if (took_over != journal->end())
      found.push_back({run.run, run.after.next(), took_over->sequence});
  }
  return found;
}

}  // namespace hastur
