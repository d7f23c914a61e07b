#include "state/checkpoint_store.h"

#include <array>

namespace hastur {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 5> status_names = {"recorded", "waiting", "sent", "pending",
                                                          "closed"};

}  // namespace

std::string_view status_name(NotificationStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}

std::optional<NotificationStatus> status_from_name(std::string_view name) {
  for (std::size_t at = 0; at < status_names.size(); ++at) {
    if (status_names[at] == name) return static_cast<NotificationStatus>(at);
  }
  return std::nullopt;
}

bool CommitBatch::empty() const {
  return starts.empty() && checkpoints.empty() && marks.empty() && messages.empty() &&
         notifications.empty() && logs.empty() && journal.empty() && removals.empty() && !position;
}

}  // namespace hastur
