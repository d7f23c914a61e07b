#include "state/checkpoint_store.h"

namespace hastur {

bool CommitBatch::empty() const {
  return starts.empty() && checkpoints.empty() && marks.empty() && messages.empty() &&
         notifications.empty() && notification_changes.empty() && orders.empty() &&
         receiver_rests.empty() && logs.empty() && journal.empty() && removals.empty() &&
         deployments.empty() && outcomes.empty() && replays.empty() && pins.empty() &&
         unpins.empty() && !position;
}

}  // namespace hastur
