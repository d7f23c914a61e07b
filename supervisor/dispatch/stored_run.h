#pragma once

// A run as it was stored, in the terms in which it is fed again: its files and the decisions about
// its calls.

#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/trigger.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

ScriptVersion version_from(const VersionRecord& record);

// The calls that were skipped, in the order of the stream. Rows of other decisions are passed over.
std::vector<Skip> skips_from_journal(const std::vector<JournalRecord>& journal);

// Where a removed trigger ended, as the journal says.
struct RunEnd {
  // The input before which it did.
  Sequence at;
  // Its state went on under this name; empty: it is still to be had.
  TriggerName heir;
};
Result<RunEnd> end_of(CheckpointStore& store, const StoredTrigger& removed);

}  // namespace hastur
