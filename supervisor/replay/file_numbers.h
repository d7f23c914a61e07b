#pragma once

// The numbers under which the rows of a recording run.
//
// A recording of a stream says of each input the number that it had there (`seq`), and a trigger
// that runs under these numbers does what it did there: decisions name inputs by them, and
// math.random is seeded with them. Where they leave a hole, something was left out.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "message/batch.h"

namespace hastur {

class FileNumbers {
 public:
  // Rows [from, from + count) of a batch, of which the first runs under the number `first` and the
  // others under those after it.
  struct Piece {
    std::uint32_t from = 0;
    std::uint32_t count = 0;
    Sequence first;
  };

  // Whether the file has numbers, judged by its first rows (RecordingReader::row_sequences);
  // without them, rows keep those that the reader gave them.
  explicit FileNumbers(const std::vector<Sequence>& first_rows);
  bool are_there() const { return are_there_; }

  // Batch after batch, with its rows' numbers. `exactly`: a batch is parted at each hole, and a row
  // that cannot have its number, since one before it has that or a higher one, is an error
  // (`conflict`). Else the batch stays whole: the numbers of its rows then are not all those that
  // number() gives, and such a row gets the next one that is free.
  Result<std::vector<Piece>> take(const BatchHeader& header,
                                  const std::vector<Sequence>& row_sequences, bool exactly);
  // Of each row of that batch: its number in the stream that was recorded. A tick that was put in
  // has one that is free before the row after it. Empty if there are none.
  const std::vector<std::uint64_t>& numbers() const { return numbers_; }

 private:
  bool are_there_;
  std::uint64_t last_ = 0;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace hastur
