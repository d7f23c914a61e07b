#include "supervisor/dispatch/memory_line.h"

#include <algorithm>
#include <limits>

#include "core/json.h"

namespace hastur {
namespace {

// The newest run before this one that is kept; 0 if there is none.
Result<Run> run_before(CheckpointStore& store, const TriggerName& trigger, Run run) {
  while (run.value > 1) {
    --run.value;
    const auto record = store.run(trigger, run);
    if (!record) return fail(record.error());
    if (*record) return run;
  }
  return Run{};
}

std::uint64_t number_in(const Json& detail, const char* key) {
  const auto found = detail.find(key);
  return found != detail.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

Result<MemoryLine> MemoryLine::of(CheckpointStore& store, const TriggerName& trigger, Run run) {
  MemoryLine line;
  Sequence through{std::numeric_limits<std::uint64_t>::max()};
  while (run.value > 0) {
    line.parts_.push_back({run, through});
    const auto record = store.run(trigger, run);
    if (!record) return fail(record.error());
    const auto journal = store.journal(trigger, run);
    if (!journal) return fail(journal.error());
    const auto began = std::ranges::find_if(*journal, [](const JournalRecord& each) {
      return each.decision == "start" || each.decision == "switch" || each.decision == "restore" ||
             each.decision == "replay";
    });
    const auto detail =
        began == journal->end() ? Result<Json>(Json::object()) : parse_json(began->detail);
    if (!detail) return fail(detail.error());
    if (began != journal->end() && began->decision == "restore") {
      run = Run{number_in(*detail, "run")};
      through = std::min(through, Sequence{number_in(*detail, "sequence")});
    } else if (began != journal->end() && began->decision == "replay") {
      // What stands before the answer of one that began anew, it has gone through as well.
      const Sequence after{number_in(*detail, "after")};
      if (const auto from = fresh_from(*began, after)) line.after_ = std::max(line.after_, *from);
      run = Run{number_in(*detail, "run")};
      through = std::min(through, after);
    } else {
      // One that took over another name's memory has none of its own from before.
      if (began != journal->end() && (began->decision == "start" || detail->contains("was"))) break;
      if (*record) through = std::min(through, (*record)->after);
      const auto before = run_before(store, trigger, run);
      if (!before) return fail(before.error());
      run = *before;
    }
  }
  return line;
}

bool MemoryLine::holds(Run run, Sequence sequence) const {
  return sequence > after_ && std::ranges::any_of(parts_, [&](const Part& part) {
           return part.run == run && sequence <= part.through;
         });
}

std::optional<Sequence> fresh_from(const JournalRecord& replay, Sequence after) {
  const auto detail = parse_json(replay.detail);
  if (!detail || !detail->value("fresh", false)) return std::nullopt;
  const auto from = detail->find("from");
  return from != detail->end() && from->is_number_unsigned() ? Sequence{from->get<std::uint64_t>()}
                                                             : after;
}

}  // namespace hastur
