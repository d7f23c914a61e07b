#pragma once

// The tables of a state file (docs/formats/state.md), and how one is opened, made or refused.

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "state/sqlite/database.h"

namespace hastur {

// Opens the file, or makes it with a new owner. A file of an older schema is brought to ours, in
// one transaction. Fails for a file that is not a state file or of a newer schema, and leaves it as
// it is.
Result<Database> open_state_file(const SqliteStoreOptions& options);

}  // namespace hastur
