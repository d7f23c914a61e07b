#pragma once

// Tells when anything in a directory tree has changed, after it has been quiet for a moment.

#include <functional>
#include <memory>
#include <string>

#include "core/fd.h"
#include "core/loop.h"
#include "core/result.h"

namespace hastur {

class DirectoryWatch {
 public:
  // Calls `changed` on the loop, once for a burst of changes: an editor's save is several. `loop`
  // outlives the watch. Fails if the kernel gives no inotify instance (the sentence names the limit
  // to raise).
  static Result<std::unique_ptr<DirectoryWatch>> make(Loop& loop, std::string directory,
                                                      std::function<void()> changed);

 private:
  DirectoryWatch(Loop& loop, Fd inotify, std::string directory, std::function<void()> changed);
  // Folders come and go: each burst ends with watches on all that are there.
  void watch_tree();
  void drain();

  Loop& loop_;
  Fd inotify_;
  std::string directory_;
  std::function<void()> changed_;
  std::unique_ptr<Loop::Handle> readable_;
  std::unique_ptr<Loop::Handle> quiet_;
};

}  // namespace hastur
