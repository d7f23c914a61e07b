#include "supervisor/dispatch/stored_run.h"

#include <algorithm>

#include "core/json.h"

namespace hastur {

ScriptVersion version_from(const VersionRecord& record) {
  ScriptVersion version{record.id, {record.files[0].path, record.files[0].text}, {}};
  for (std::size_t i = 1; i < record.files.size(); ++i)
    version.libraries.push_back({record.files[i].path, record.files[i].text});
  return version;
}

std::vector<Skip> skips_from_journal(const std::vector<JournalRecord>& journal) {
  std::vector<Skip> skips;
  for (const JournalRecord& record : journal) {
    if (record.decision != "skip") continue;
    const auto detail = parse_json(record.detail);
    if (!detail || !detail->contains("callback")) continue;
    skips.push_back({record.sequence,
                     (*detail)["callback"].get<std::uint32_t>(),
                     {detail->value("text", std::string()), detail->value("script", std::string()),
                      detail->value("line", std::uint32_t{0})}});
  }
  std::ranges::sort(skips);
  return skips;
}

Result<RunEnd> end_of(CheckpointStore& store, const StoredTrigger& removed) {
  const auto journal = store.journal(removed.run.trigger, removed.run.run);
  if (!journal) return fail(journal.error());
  RunEnd end{removed.checkpoint.state_sequence.next(), {}};
  for (const JournalRecord& record : *journal) {
    if (record.decision != "forget") continue;
    const auto detail = parse_json(record.detail);
    end = {record.sequence, detail ? detail->value("heir", "") : ""};
  }
  return end;
}

}  // namespace hastur
