#pragma once

// The folder of a History: which files are in it, and the lock that keeps a second writer out.
//
// A file is named by the sequence of its first message, 20 digits and ".db", so that names sort as
// the stream does.

#include <string>
#include <vector>

#include "core/fd.h"
#include "message/ids.h"
#include "state/history/sqlite_history.h"
#include "state/sqlite/database.h"

namespace hastur {

// First sequences of the files in a folder, in order; of anybody's, whoever has it locked.
Result<std::vector<Sequence>> history_files(const std::string& directory);

class HistoryFolder {
 public:
  // Makes the folder, and its parents, if there is none. `conflict` when another process has locked
  // it.
  static Result<HistoryFolder> open(const SqliteHistoryOptions& options);

  // First sequences of the files, in order.
  Result<std::vector<Sequence>> list() const;
  std::string path(Sequence first) const;
  // Options to open one of the files with.
  DatabaseOptions database(Sequence first) const;
  Result<void> remove(Sequence first) const;

 private:
  HistoryFolder() = default;

  std::string directory_, vfs_;
  bool synced_ = false;
  std::function<std::vector<std::string>()> list_files_;
  Fd lock_;
};

}  // namespace hastur
