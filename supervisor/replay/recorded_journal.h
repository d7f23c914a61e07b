#pragma once

// The journal that stands at the head of a recording (journal_lines.h), for a replay of the file.
//
// A decision holds for the version that it was made about: a call of another script is another
// call. So a trigger that runs over the file obeys the lines of its own version, and no others.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "message/recording.h"
#include "supervisor/replay/plan.h"

namespace hastur {

class RecordedJournal {
 public:
  // Only lines about triggers of the plan are kept. `source` names the file in errors.
  RecordedJournal(const ReplayPlan& plan, std::string source);

  // As RecordingReader hands them out. Decisions that say nothing about what runs are passed over.
  void take(const RecordingReader::JournalLine& line);
  // The first line that was none, with its place: the replay would not be what it seems.
  const Result<void>& status() const { return status_; }

  // Once all at the head have been taken: puts into the plan what is to be skipped and paused, and
  // where the recording begins if it says so: what stands before only tells the time.
  void obey(ReplayPlan& plan);

  // Skips, pauses and resumes: those that are obeyed; those at the head that are of another
  // version, or of none that is known; and those behind the first input, which came too late.
  std::uint64_t obeyed() const { return obeyed_; }
  std::uint64_t of_other_versions() const { return of_other_versions_; }
  std::uint64_t too_late() const { return too_late_; }

 private:
  struct Lines {
    // The version that runs.
    VersionId version;
    std::vector<JournalRecord> decisions;
    std::vector<Skip> skips;
    // With which input each run begins, or (`forget`) the trigger ends.
    std::multimap<Run, Sequence> begins;
    std::multimap<Run, Sequence> forgotten;
  };
  Result<void> keep(std::string_view text, bool is_at_head);
  static std::vector<StreamPause> pauses(const Lines& lines);

  std::string source_;
  std::map<TriggerName, Lines, std::less<>> triggers_;
  // The first input of the stretch that the recording is.
  std::optional<Sequence> first_;
  Result<void> status_;
  std::uint64_t obeyed_ = 0, of_other_versions_ = 0, too_late_ = 0;
};

}  // namespace hastur
