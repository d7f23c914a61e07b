#pragma once

// A stretch of the stream that a trigger does not see, since people or the platform paused it.
//
// A pause is a decision: it stands in the journal (docs/formats/state.md) and recovery obeys it. It
// begins before the input `from`, with a judgement there, so that the memory of before is that of
// all of the pause, and ends before the input `until`.

#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "message/ids.h"
#include "state/checkpoint_store.h"

namespace hastur {

struct Pause {
  Sequence from;
  // Nothing: it has not ended.
  std::optional<Sequence> until;
  // Whether somebody asked for it; then only somebody ends it, and it outlasts a new version.
  bool by_person = false;
  std::string why;
  Time since{};
  // Of one that the platform made: how many it is in a row, from 1; and the stream time at which
  // the trigger is tried again. Nothing: it has been tried often enough.
  std::uint32_t in_a_row = 0;
  std::optional<Time> retry_at;
};

// The detail of its journal row, and back from the rows of a run. Rows of other decisions are
// passed over; a resume without its pause too.
std::string pause_detail(const Pause& pause);
std::vector<Pause> pauses_from_journal(const std::vector<JournalRecord>& journal);

// When the platform tries again the trigger that it paused for the `in_a_row`-th time: after 1, 5
// and 15 minutes, then no more.
std::optional<Micros> retry_after(std::uint32_t in_a_row);

}  // namespace hastur
