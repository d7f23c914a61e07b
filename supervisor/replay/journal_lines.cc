#include "supervisor/replay/journal_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <vector>

#include "core/json.h"
#include "supervisor/dispatch/pause.h"

namespace hastur {
namespace {

void append_line(std::string& out, const JournalRecord& record) {
  fmt::format_to(std::back_inserter(out), R"({{"decided_at":{},"detail":{},"journal":)",
                 to_us(record.decided_at), record.detail.empty() ? "{}" : record.detail);
  append_json_string(out, record.decision);
  fmt::format_to(std::back_inserter(out), R"(,"run":{},"sequence":{},"trigger":)", record.run.value,
                 record.sequence.value);
  append_json_string(out, record.trigger);
  out += "}\n";
}

// Those of one run that say something about [first, last]. `over`: it ended before that.
void take_run(const std::vector<JournalRecord>& journal, Sequence first, Sequence last, bool over,
              std::vector<JournalRecord>& taken) {
  std::set<Sequence> lasting;
  for (const Pause& pause : pauses_from_journal(journal)) {
    if (!over && pause.from < first && (!pause.until || *pause.until > first))
      lasting.insert(pause.from);
  }
  for (const JournalRecord& record : journal) {
    const bool within = record.sequence >= first && record.sequence <= last;
    const bool lasts = record.decision == "pause" && lasting.contains(record.sequence);
    if (within || lasts) taken.push_back(record);
  }
}

}  // namespace

Result<std::uint64_t> append_journal_lines(std::string& out, CheckpointStore& store, Sequence first,
                                           Sequence last) {
  const auto triggers = store.load_all();
  if (!triggers) return fail(triggers.error());
  std::vector<JournalRecord> taken;
  for (const StoredTrigger& trigger : *triggers) {
    const TriggerName& name = trigger.run.trigger;
    for (Run run{1}; run <= trigger.run.run; ++run.value) {
      const auto journal = store.journal(name, run);
      if (!journal) return fail(journal.error());
      const auto next = store.run(name, Run{run.value + 1});
      if (!next) return fail(next.error());
      const bool over = *next && (*next)->after < first;
      take_run(*journal, first, last, over, taken);
    }
  }
  std::ranges::stable_sort(taken, [](const JournalRecord& a, const JournalRecord& b) {
    return std::tie(a.sequence, a.trigger) < std::tie(b.sequence, b.trigger);
  });
  for (const JournalRecord& record : taken) append_line(out, record);
  return std::uint64_t{taken.size()};
}

}  // namespace hastur
