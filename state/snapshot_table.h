#pragma once

// The table of snapshots in a state file, thinned as it grows.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "state/snapshot.h"
#include "state/sqlite/database.h"

namespace hastur {

class SnapshotTable {
 public:
  // `database` outlives it.
  explicit SnapshotTable(Database& database) : database_(database) {}

  // Keeps the checkpoint that is stored of the trigger, in the caller's transaction, and drops what
  // the schedule does not hold any more. A trigger without checkpoint, one that has not been judged
  // yet, and a checkpoint that is kept already are passed over.
  Result<void> keep(std::uint64_t trigger, std::string_view why);

  // Newest first.
  Result<std::vector<SnapshotRecord>> of(std::uint64_t trigger);
  Result<std::optional<Snapshot>> read(std::uint64_t number);

 private:
  Database& database_;
};

}  // namespace hastur
