#include "supervisor/replay/journal_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/json.h"
#include "supervisor/dispatch/pause.h"
#include "supervisor/dispatch/run_order.h"

namespace hastur {
namespace {

// A decision, and the version that its run is of; empty if the run is no longer kept.
struct Taken {
  JournalRecord record;
  VersionId version;
};

void append_line(std::string& out, const Taken& taken) {
  const JournalRecord& record = taken.record;
  fmt::format_to(std::back_inserter(out), R"({{"decided_at":{},"detail":{},"journal":)",
                 to_us(record.decided_at), record.detail.empty() ? "{}" : record.detail);
  append_json_string(out, record.decision);
  fmt::format_to(std::back_inserter(out), R"(,"run":{},"sequence":{},"trigger":)", record.run.value,
                 record.sequence.value);
  append_json_string(out, record.trigger);
  if (!taken.version.empty()) {
    out += R"(,"version":)";
    append_json_string(out, taken.version);
  }
  out += "}\n";
}

// The decisions of one run that say something about [first, last] and still hold.
class RunJournal {
 public:
  RunJournal(RunOrder& order, const std::optional<RunRecord>& run, Sequence first, Sequence last)
      : order_(order), run_(run), first_(first), last_(last) {}

  Result<void> take(const std::vector<JournalRecord>& journal, std::vector<Taken>& taken) {
    std::set<Sequence> lasting;
    for (const Pause& pause : pauses_from_journal(journal)) {
      if (pause.from < first_ && (!pause.until || *pause.until > first_))
        lasting.insert(pause.from);
    }
    for (const JournalRecord& record : journal) {
      const bool lasts = record.decision == "pause" && lasting.contains(record.sequence);
      // A replay begins its run before it takes over.
      const bool replays = record.decision == "replay" && run_;
      const Sequence begin = replays ? run_->after.next() : record.sequence;
      if (!is_within(record.sequence) && !is_within(begin) && !lasts) continue;
      // What a newer run has taken again, it has decided anew.
      const auto superseded =
          order_.is_superseded(record.trigger, record.run, std::max(begin, first_));
      if (!superseded) return fail(superseded.error());
      if (!*superseded) taken.push_back({record, run_ ? run_->version : VersionId()});
    }
    return {};
  }

 private:
  bool is_within(Sequence sequence) const { return sequence >= first_ && sequence <= last_; }

  RunOrder& order_;
  const std::optional<RunRecord>& run_;
  Sequence first_, last_;
};

}  // namespace

Result<std::uint64_t> append_journal_lines(std::string& out, CheckpointStore& store, Sequence first,
                                           Sequence last) {
  const auto triggers = store.load_all();
  if (!triggers) return fail(triggers.error());
  std::vector<Taken> taken;
  RunOrder order(store);
  for (const StoredTrigger& trigger : *triggers) {
    const TriggerName& name = trigger.run.trigger;
    for (Run run{1}; run <= trigger.run.run; ++run.value) {
      const auto journal = store.journal(name, run);
      if (!journal) return fail(journal.error());
      if (journal->empty()) continue;
      const auto record = store.run(name, run);
      if (!record) return fail(record.error());
      HASTUR_TRY(RunJournal(order, *record, first, last).take(*journal, taken));
    }
  }
  std::ranges::stable_sort(taken, [](const Taken& a, const Taken& b) {
    return std::tie(a.record.sequence, a.record.trigger) <
           std::tie(b.record.sequence, b.record.trigger);
  });
  for (const Taken& each : taken) append_line(out, each);
  return std::uint64_t{taken.size()};
}

}  // namespace hastur
