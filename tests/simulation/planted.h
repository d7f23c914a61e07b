#pragma once

// Bugs that tests plant between the logic and its databases, to see that the campaign finds them.

#include <memory>

#include "state/checkpoint_store.h"
#include "state/history/history.h"

namespace hastur::test {

enum class Planted : std::uint8_t {
  nothing,
  // What a commit holds is handed out before it is stored: that happens with the commit after it.
  release_before_commit,
  // A state is stored as that of one input more than it is of.
  wrong_sequence,
  // Nobody knows any more which effects are out already.
  effects_not_compared,
  // Decisions are stored some commits after the one they belong to.
  decisions_late,
  // How far a trigger's messages have been appended is stored with the append after.
  marks_apart,
};

std::unique_ptr<CheckpointStore> plant(Planted bug, std::unique_ptr<CheckpointStore> store);
std::unique_ptr<History> plant(Planted bug, std::unique_ptr<History> history);

}  // namespace hastur::test
