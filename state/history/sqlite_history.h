#pragma once

// History as a folder of SQLite files by time (docs/formats/history.md).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "state/history/history.h"

namespace hastur {

struct SqliteHistoryOptions {
  std::string directory;
  Durability durability = Durability::standard;
  // Retention; whole files go when their newest batch is older, or when all files together weigh
  // more.
  Micros keep_for = std::chrono::hours{24 * 7};
  std::uint64_t keep_bytes = 10ull << 30;
  // A new file is begun when the newest one spans this much stream time or weighs this much.
  Micros file_span = std::chrono::hours{6};
  std::uint64_t file_bytes = 512ull << 20;
  // Identifies this boot of the machine (/proc/sys/kernel/random/boot_id). If it is another than
  // the one that the last writer stored, and it did not close cleanly or sync, the power may have
  // been lost: numbering skips ahead by 2^32 and the hole is recorded.
  std::string boot_id = {};
  // Where the numbers of a History that is made here begin; those before count as trimmed. At least
  // 1; says nothing to a History that is there.
  Sequence first = {1};
  // Name of the SQLite VFS; empty for the default. Tests put a faulty one here, and how to list the
  // names of the files in `directory` on it; no folder is made and no lock taken then.
  std::string vfs = {};
  std::function<std::vector<std::string>()> list_files = {};
};

// Creates the folder and the stream id if there is none. Fails with a sentence that names the file
// and the way out if another process has it open (one writer; an flock on `DIR/lock`), if it is of
// a newer schema, or damaged.
Result<std::unique_ptr<History>> open_history(const SqliteHistoryOptions& options);

}  // namespace hastur
