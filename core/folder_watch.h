#pragma once

// Tells which files of some folders have changed, once they have been quiet for a moment.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/fd.h"
#include "core/loop.h"
#include "core/result.h"

namespace hastur {

class FolderWatch {
 public:
  enum class Depth {
    // The files of the folder itself.
    files,
    // And all below it, but for folders whose name begins with a dot: those belong to other tools.
    // The folder itself may vanish and come back.
    tree,
  };
  // Paths of files and folders, each below a watched folder as that was named. Of a folder in the
  // set anything may have changed.
  using Changed = std::function<void(const std::set<std::string>& paths)>;

  // Calls `changed` on the loop, once for a burst of changes: an editor's save is several. `loop`
  // outlives the watch. Fails if the kernel gives no inotify instance (the sentence names the limit
  // to raise).
  static Result<std::unique_ptr<FolderWatch>> make(Loop& loop, Changed changed);

  // Watches these instead of what was watched before. A folder need not be there; what is made and
  // removed below one is followed. What cannot be watched is logged.
  void watch(std::map<std::string, Depth> folders);

 private:
  // What a kernel's watch is for: everything in a folder, or only the entries with these names.
  struct Interest {
    std::string folder;
    bool everything = false;
    std::set<std::string> names;
  };

  FolderWatch(Loop& loop, Fd inotify, Changed changed);
  // Brings the kernel's watches in line with the folders that are there now.
  void cover();
  void read_changes();
  void tell();

  Loop& loop_;
  Fd inotify_;
  Changed changed_;
  std::map<std::string, Depth> folders_;
  std::map<int, Interest> interests_;
  // Seen and not told yet.
  std::set<std::string> paths_;
  std::unique_ptr<Loop::Handle> readable_;
  std::unique_ptr<Loop::Handle> quiet_;
  std::unique_ptr<Loop::Handle> patience_;
  // The kernel refused a watch, and that has been logged.
  bool refused_ = false;
};

}  // namespace hastur
