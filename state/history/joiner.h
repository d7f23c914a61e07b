#pragma once

// Joins neighbouring small batches of one file into large dense ones, a step of a few milliseconds
// at a time.
//
// Messages are collected in memory until they make a large batch; then one transaction replaces the
// rows that they came from. A crash before it costs nothing: the rows are still there. Sequences
// never change.

#include <optional>
#include <vector>

#include "state/history/file_set.h"

namespace hastur {

class Joiner {
 public:
  // One step on the oldest file that has something to join. Messages heard within the last seconds
  // are left alone, and so are damaged rows and those in `lost`. Whether something was done: then
  // there may be more to do now.
  Result<bool> step(FileSet& files, const LostRanges& lost, BatchPacker& packer, Time now);

 private:
  Result<bool> collect(FileSet& files, std::size_t index, const LostRanges& lost,
                       BatchPacker& packer, Time now);
  Result<void> write(FileSet& files, std::size_t index, BatchPacker& packer);
  void add(const Batch& batch);
  void reset();
  bool has_waited(Time now) const;

  // The file that the group is of, and up to where it was read.
  std::optional<Sequence> file_;
  Sequence read_to_;
  // The group: the messages of `rows_` rows, as one row. `whole_` instead of the builder while it
  // is one row.
  BatchBuilder builder_;
  std::optional<Batch> whole_;
  std::optional<RowHead> head_;
  Time oldest_;  // received_at of its first row
  std::uint64_t rows_ = 0;
  bool ready_ = false;
  std::vector<Label> scratch_;
};

}  // namespace hastur
