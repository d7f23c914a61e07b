#pragma once

// The files of a History in the stream's order, and what is known of each without opening it.
// The last one is the tail; it is always open. Of the others the few used last are kept open.

#include <memory>
#include <optional>
#include <vector>

#include "state/history/history_file.h"
#include "state/history/history_folder.h"

namespace hastur {

struct FileEntry {
  // `first` as in its name; `last` is the number before it while it has no row. Where damage hides
  // which the last one is: the last before the next file.
  Sequence first{}, last{};
  // Stream time after its first row, and after its last.
  Time stream_time_begin{}, stream_time{};
  // Of its last message.
  Time received_at{};
  std::uint64_t bytes = 0, rows = 0;
  std::optional<Sequence> joined_to = {};
  // It cannot be read: its messages are lost.
  bool damaged = false;

  void ends_with(const RowHead& head);
};

class FileSet {
 public:
  explicit FileSet(HistoryFolder folder) : folder_(std::move(folder)) {}

  // Finds the files, opens the tail, and reads what entries say. A damaged tail is an error;
  // another damaged file is an entry marked so. Files whose beginning was never committed are
  // removed. False when there is no file.
  Result<bool> load();
  // Makes the file that begins with `first` (removing what an attempt before left there); it is not
  // in the set until `add_tail`. A failed attempt is undone by `discard`.
  Result<HistoryFile> make(Sequence first);
  void discard(HistoryFile file, Sequence first);
  void add_tail(HistoryFile file, const FileEntry& entry);

  std::vector<FileEntry>& entries() { return entries_; }
  const std::vector<FileEntry>& entries() const { return entries_; }
  FileEntry& tail_entry() { return entries_.back(); }
  HistoryFile& tail() { return *open_.front().file; }
  // Of the tail as it was loaded: see TailEnd.
  const std::vector<std::int64_t>& strays() const { return strays_; }
  // The entry that may hold `sequence`: the last one that begins at or before it, else the first.
  std::size_t index_of(Sequence sequence) const;
  // The open file of an entry. Valid until two others have been asked for.
  Result<HistoryFile*> file(std::size_t index);
  // Unlinks the oldest file; there is more than one.
  Result<void> remove_oldest();

 private:
  struct Open {
    Sequence first;
    std::unique_ptr<HistoryFile> file;
  };
  static Result<void> read_entry(FileEntry& entry, HistoryFile& file);
  Result<void> read_tail_entry(FileEntry& entry);
  // `entry.last` is `last_max` where it is not to be believed.
  static Result<void> read_older_entry(FileEntry& entry, HistoryFile& file, Sequence last_max);

  HistoryFolder folder_;
  std::vector<FileEntry> entries_;
  // The tail, then the others, the one used last in front.
  std::vector<Open> open_;
  std::vector<std::int64_t> strays_;
};

}  // namespace hastur
