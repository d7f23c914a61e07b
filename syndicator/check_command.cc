#include "syndicator/check_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/output.h"
#include "state/history/history_check.h"

namespace hastur {

int check_history_command(const std::string& history) {
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  const auto look = [&](Sequence at) {
    if (is_terminal) print_error("\rmessage {} … ", at.value);
  };
  const auto checked = check_history(history, look);
  if (is_terminal) print_error("\r\x1b[K");
  if (!checked) {
    fmt::print("History: {}\n", checked.error().message);
    return 1;
  }
  for (const std::string& finding : checked->findings) fmt::print("History: {}\n", finding);
  const std::string lost =
      checked->lost == 0 ? "" : fmt::format(", of which {} are known as lost", checked->lost);
  fmt::print("History in {}: {}; {} messages in {} batches and {} file{}, {} to {}{}\n", history,
             checked->findings.empty() ? "sound" : "damaged", checked->messages, checked->batches,
             checked->files, checked->files == 1 ? "" : "s", checked->oldest.value,
             checked->last.value, lost);
  if (checked->findings.empty()) return 0;
  fmt::print(
      "  what is on damaged pages is lost to readers, who go on after it; if the syndicator does "
      "not start on it, restore the newest file from a copy (docs/durability.md)\n");
  return 1;
}

}  // namespace hastur
