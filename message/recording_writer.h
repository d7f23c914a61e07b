#pragma once

// A stretch of a stream as a recording of our own (docs/formats/messages.md): what RecordingReader
// reads back as the same inputs.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message/batch.h"
#include "message/filter.h"

namespace hastur {

class RecordingWriter {
 public:
  // Messages that `filter` does not match are left out. Ticks never are: they are the time of
  // whatever is run over the recording.
  explicit RecordingWriter(Filter filter = {}) : filter_(std::move(filter)) {}

  // Appends the lines of the batch's rows in [first, last], each with its number as `seq`. Batches
  // come in order. If the first row of all is no tick, a tick line of its second stands before it,
  // with the number before its own: a reader would put one there.
  void add(std::string& out, const Batch& batch, Sequence first, Sequence last);

  // Appends the line that says which part of its stream the recording is:
  // {"first":…,"journal":"stretch","last":…}. The tick that add() may put before the first row is
  // no input of it.
  static void add_stretch(std::string& out, Sequence first, Sequence last);

  // Appends the line that says that [first, last] is not in the stream:
  // {"first":…,"journal":"lost", "last":…,"why":…}.
  static void add_lost(std::string& out, Sequence first, Sequence last, std::string_view why);

  // Written so far.
  std::uint64_t messages() const { return messages_; }
  std::uint64_t ticks() const { return ticks_; }

 private:
  void add_first_tick(std::string& out, const BatchView& view, std::uint32_t row);

  Filter filter_;
  bool begun_ = false;
  std::uint64_t messages_ = 0;
  std::uint64_t ticks_ = 0;
  std::vector<Label> labels_;
};

}  // namespace hastur
