#pragma once

// A file that one process at a time may hold: what guards a database or a folder against a second
// daemon.
//
// The lock (flock) goes with the process, however it ends; the file stays and holds the holder's
// process id.

#include <string>

#include "core/fd.h"
#include "core/result.h"

namespace hastur {

class LockFile {
 public:
  // `guarded` is what the lock is for, as an operator knows it. Fails at once with `unavailable`,
  // naming the holder, if somebody holds it (this process too).
  static Result<LockFile> take(const std::string& path, const std::string& guarded);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace hastur
