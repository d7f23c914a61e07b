#pragma once

// The journal as lines of a recording (docs/formats/messages.md).

#include <cstdint>
#include <string>

#include "core/result.h"
#include "state/checkpoint_store.h"

namespace hastur {

// Appends a line for each decision about a trigger that took effect in [first, last], and for each
// pause that lasted at `first`; by sequence, at one sequence by trigger. A line bears the version
// of its run, if that is still kept. Left out are decisions about triggers that are no more, and
// those about inputs that a newer run has taken again (RunOrder). Returns how many lines these are.
Result<std::uint64_t> append_journal_lines(std::string& out, CheckpointStore& store, Sequence first,
                                           Sequence last);

}  // namespace hastur
