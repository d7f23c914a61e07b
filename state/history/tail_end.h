#pragma once

// Where the newest file of a History ends, as far as its rows can be believed.
//
// The stream goes on after the last row, so its numbers must be those that were written: a row is
// believed there only with its seal. One that damage has moved away from the end is looked for,
// too, or its numbers would be given out again.

#include <optional>
#include <vector>

#include "state/history/history_file.h"

namespace hastur {

struct TailEnd {
  // The last row that bears its seal; nothing if there is none.
  std::optional<RowHead> last;
  std::uint64_t rows = 0;
  // Keys of rows that are not what was written and may have been the last: behind `last`, or among
  // rows where they do not belong. What they held is not known any more.
  std::vector<std::int64_t> strays;
};

// `corrupt`, with the file's name and the way out, if the rows do not stand in their order: then
// its pages are damaged, and nothing may be written into it.
Result<TailEnd> find_tail_end(HistoryFile& file, Sequence file_first);

}  // namespace hastur
