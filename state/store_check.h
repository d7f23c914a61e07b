#pragma once

// Whether a state file is sound: each page, and its rows against each other.
//
// Nothing is written, and the supervisor may go on meanwhile.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "message/ids.h"
#include "state/checkpoint_store.h"

namespace hastur {

struct StoreCheck {
  // What is wrong, a sentence each; none if the file is sound. Of one kind at most 20 are told.
  std::vector<std::string> findings;
  std::uint64_t triggers = 0;
  std::uint64_t notifications = 0;
  std::optional<StreamId> stream;
  // The furthest input that was taken.
  Sequence furthest;
};

// An error means that the file cannot be read at all.
Result<StoreCheck> check_store(const SqliteStoreOptions& options);

}  // namespace hastur
