#pragma once

// Files of messages: our own recordings (JSON Lines) and Hastur's replay files (a JSON array), as numbered
// batches with the ticks that belong between them (DESIGN §4).

#include <functional>
#include <istream>
#include <memory>
#include <string>

#include "core/result.h"
#include "message/batch.h"

namespace hastur {

// Reads a file of either form, told apart by its first character ('[' begins a Hastur replay file).
class RecordingReader {
 public:
  struct Options {
    // Rows a batch, ticks included.
    std::uint32_t rows_max = 4096;
    StreamId stream;
  };
  // `input` outlives the reader. `source` names it in errors ("metrics.jsonl").
  RecordingReader(std::istream& input, std::string source, Options options);
  ~RecordingReader();

  // The next batch; nothing at the end. Lines that cannot be decoded become `error` messages as at the door, so
  // the only errors are a file that cannot be read and one that is no recording at all.
  // An absent `received_at` is the timestamp (a line without either takes the time of the line before, or
  // 2024-01-01T00:00:00Z); a received_at that goes back is raised to the one before.
  // Missing ticks are inserted (StreamTime). A registration gives its sender's later messages their hostname.
  Result<std::optional<Batch>> next();

  // Lines or array elements read so far that were not ticks, and how many of them were refused.
  std::uint64_t messages() const;
  std::uint64_t refused() const;
  // 1-based line (JSON Lines) of the last message read, for error texts.
  std::uint64_t line() const;

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace hastur
