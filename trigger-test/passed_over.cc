#include "trigger-test/passed_over.h"

#include <fmt/format.h>

namespace hastur {

std::string journal_text(const RecordingReader& reader) {
  const std::uint64_t journal = reader.journal_lines();
  const std::uint64_t lost = reader.lost_lines();
  std::string text;
  if (journal > 0) {
    text = fmt::format(
        "{} line{} of a journal {} passed over (pauses, calls that were not run again): only a "
        "replay obeys them",
        journal, journal == 1 ? "" : "s", journal == 1 ? "is" : "are");
  }
  if (lost > 0) {
    text += fmt::format("{}{} span{} that History had lost {} no messages and no ticks",
                        text.empty() ? "" : "; ", lost, lost == 1 ? "" : "s",
                        lost == 1 ? "has" : "have");
  }
  return text;
}

std::string left_out_text(std::uint64_t effects_cut) {
  if (effects_cut == 0) return "";
  return fmt::format(
      "{} over a limit, and left out as in production: of a minute 10,000 messages and 64 KiB of "
      "log stand, of a call 1,000 of both and 50 notifications",
      effects_cut == 1 ? "1 effect was" : fmt::format("{} effects were", effects_cut));
}

}  // namespace hastur
