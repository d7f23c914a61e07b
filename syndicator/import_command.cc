#include "syndicator/import_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/output.h"
#include "core/progress.h"
#include "message/recording_file.h"
#include "syndicator/import.h"

namespace hastur {
namespace {

int refuse(const std::string& sentence) {
  print_error("syndicator import: {}\n", sentence);
  return 1;
}

void say(const Imported& imported, const std::string& source, const SqliteHistoryOptions& history,
         Time now) {
  const std::uint64_t inputs = imported.last.value - imported.first.value + 1;
  fmt::print("{}: {} inputs, {} of them messages, are the History in {}; numbers {} to {}\n",
             source, inputs, imported.messages, history.directory, imported.first.value,
             imported.last.value);
  if (imported.refused > 0)
    fmt::print("  {} lines could not be decoded and are error messages\n", imported.refused);
  if (imported.renumbered) {
    fmt::print("  numbers are missing in it: from {} on they are other than there\n",
               imported.renumbered->value);
  }
  if (imported.lost_lines > 0) {
    fmt::print("  {} lines say what the other History had lost; this one goes on without a hole\n",
               imported.lost_lines);
  }
  if (imported.journal_lines > 0) {
    fmt::print("  {} lines of a journal were passed over; it belongs to a state file\n",
               imported.journal_lines);
  }
  if (imported.received_at < now - history.keep_for) {
    fmt::print(
        "  the newest is of {}, older than keep_for ({}): a syndicator that runs on it lets go of "
        "all files but the newest; raise keep_for first\n",
        format_time(imported.received_at), format_span(history.keep_for));
  }
}

}  // namespace

int import_command(const ImportCommandOptions& options, const SqliteHistoryOptions& history,
                   Clock& clock) {
  const auto file = RecordingFile::open(options.file);
  if (!file) return refuse(file.error().message);
  const std::string& source = (*file)->name();
  const std::uint64_t size = (*file)->bytes();

  ImportOptions importing;
  importing.history = history;
  importing.keep_bad = options.keep_bad;
  Progress progress(stderr, isatty(STDERR_FILENO) == 1, size, "bytes");
  const Micros started = clock.monotonic();
  if (size > 0) {
    importing.progress = [&](std::uint64_t done) {
      progress.show(done, clock.monotonic() - started);
    };
  }
  const auto imported = import_recording((*file)->stream(), source, importing);
  progress.clear();
  if (!imported) return refuse(fmt::format("{}. Nothing was imported.", imported.error().message));
  say(*imported, source, history, clock.now());
  return 0;
}

}  // namespace hastur
