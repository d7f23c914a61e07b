#pragma once

// Files of messages: our own recordings (JSON Lines) and Hastur's replay files (a JSON array), as
// numbered batches with the ticks that belong between them (DESIGN §4).

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "message/batch.h"

namespace hastur {

// The sender of a line that names none: in a file there is no syndicator whose own uuid could stand
// for it.
inline constexpr std::string_view recording_uuid = "00000000-0000-0000-0000-000000000000";

// Reads a file of either form, told apart by its first character ('[' begins a Hastur replay file).
class RecordingReader {
 public:
  // A decision of a journal, as it stands in the file.
  struct JournalLine {
    // Valid during the call.
    std::string_view text;
    std::uint64_t line = 0;
    // No message or tick stands before it.
    bool is_at_head = false;
  };
  struct Options {
    // Rows a batch, ticks included.
    std::uint32_t rows_max = 4096;
    StreamId stream;
    // Told each of them while next() reads.
    std::function<void(const JournalLine&)> journal = {};
  };
  // `input` outlives the reader. `source` names it in errors ("metrics.jsonl"). It is read as it
  // comes, a line or array element of at most 1 MiB at a time.
  RecordingReader(std::istream& input, std::string source, Options options);
  ~RecordingReader();

  // The next batch; nothing at the end. Rows are numbered from 1, ticks included; `seq` in lines
  // says nothing. Lines that cannot be decoded become `error` messages as at the door, so the only
  // errors are a file that cannot be read and one that is no recording at all (`invalid`). An
  // absent `received_at` is the timestamp (a line without either takes the receive time of the line
  // before; if none before it has one, that of the first that has, or 2024-01-01T00:00:00Z if there
  // is none within 1,000 lines and 4 MiB); a received_at that goes back is raised to the one
  // before. Missing ticks are inserted (StreamTime), but none for what History
  // had lost; a tick line of a second that has had its tick
  // is left out. A registration gives its sender's later messages their hostname, unless a line has
  // its own. `origin` of a line of JSON Lines is taken: a derived message stays one. ack and noop
  // get no row, nor do lines of a journal (objects with `journal` and without `type`). Before a
  // line that says what History had lost a batch ends.
  Result<std::optional<Batch>> next();

  // For each row of the batch that next() returned last: how many lines or elements that were not
  // ticks had been read with it. Of a message that is its own number, counted from 1; of a tick
  // that of the message before it.
  const std::vector<std::uint64_t>& row_messages() const;
  // For each row of the same batch: the `seq` that its line bears, its place in the stream that was
  // recorded; Sequence{} where there is none, and of ticks that were put in.
  const std::vector<Sequence>& row_sequences() const;

  // Lines or array elements read so far that were not ticks, and how many of them were refused.
  std::uint64_t messages() const;
  std::uint64_t refused() const;
  // The place of the first of these and why ("metrics.jsonl:12: …"); empty if there is none.
  const std::string& first_refused() const;
  // Lines of a journal with a decision, and those that say what History had lost.
  std::uint64_t journal_lines() const;
  std::uint64_t lost_lines() const;
  // Inputs that are not in the file since History did not have them.
  struct Lost {
    Sequence first, last;
    std::string why;
  };
  // Those that stood before the batch that next() returned last; at the end, after the last one.
  const std::vector<Lost>& lost_before() const;
  // 1-based line (JSON Lines) or element (array) of the last message read, for error texts.
  std::uint64_t line() const;

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace hastur
