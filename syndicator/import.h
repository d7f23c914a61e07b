#pragma once

// Fills a new History from a recording: the stream that was recorded goes on from its end.
//
// All or nothing: the History is made in a folder beside its place and moved there once it is
// whole. An import that fails, or dies, leaves the place as it was.

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>

#include "core/result.h"
#include "state/history/sqlite_history.h"

namespace hastur {

struct ImportOptions {
  // Where it comes to be. Nothing may be there yet but a History without a message.
  SqliteHistoryOptions history;
  // Lines that cannot be decoded become `error` messages, as at the door; else the first one ends
  // the import.
  bool keep_bad = false;
  // Called now and then with how many bytes of the input have been read.
  std::function<void(std::uint64_t)> progress = {};
};

struct Imported {
  StreamId stream;
  // Numbers of the first and the last input.
  Sequence first, last;
  // Messages among them, and how many lines became `error` messages; the rest are ticks.
  std::uint64_t messages = 0, refused = 0;
  // Lines of a journal, which says what triggers did: History has no place for them.
  std::uint64_t journal_lines = 0;
  // Lines that say what the History that was recorded had lost.
  std::uint64_t lost_lines = 0;
  // The first input that has another number than in the file, since numbers are missing there: a
  // part of a stream was recorded, or some of it was lost. Nothing if all have theirs, or the file
  // has no numbers.
  std::optional<Sequence> renumbered;
  // The newest.
  Time received_at;
};

// `source` names the input in errors. Numbers are those of the file as long as it has them without
// a hole, and go on from there. `conflict` if the place is taken or in use; `invalid` for a line
// that cannot be decoded, with its number, and for an input without a message.
Result<Imported> import_recording(std::istream& input, const std::string& source,
                                  const ImportOptions& options);

}  // namespace hastur
