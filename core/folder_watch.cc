#include "core/folder_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/log.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

// Long enough for an editor to write, rename and set modes; short enough to feel immediate.
constexpr Micros quiet_span = std::chrono::milliseconds{50};
// A file that is written all the time keeps nothing else from being told.
constexpr Micros patience_span = std::chrono::milliseconds{150};

constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

// All folders below one that are to be watched with it.
std::vector<std::string> folders_below(const std::string& top) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator walk(top, fs::directory_options::skip_permission_denied, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    std::error_code ignored;
    if (walk->is_symlink(ignored) || !walk->is_directory(ignored)) continue;
    if (walk->path().filename().string().starts_with('.')) {
      walk.disable_recursion_pending();
    } else {
      found.push_back(walk->path().string());
    }
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::make(Loop& loop, Changed changed) {
  Fd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.is_open()) {
    return fail(ErrorCode::failed,
                fmt::format("files cannot be watched: {} (fs.inotify.max_user_instances may be too "
                            "low)",
                            std::strerror(errno)));
  }
  return std::unique_ptr<FolderWatch>(
      new FolderWatch(loop, std::move(inotify), std::move(changed)));
}

FolderWatch::FolderWatch(Loop& loop, Fd inotify, Changed changed)
    : loop_(loop), inotify_(std::move(inotify)), changed_(std::move(changed)) {
  readable_ = loop_.watch_readable(inotify_.get(), [this] { read_changes(); });
}

void FolderWatch::watch(std::map<std::string, Depth> folders) {
  folders_ = std::move(folders);
  cover();
}

void FolderWatch::cover() {
  std::map<int, Interest> covered;
  const auto cover_one = [&](const std::string& folder, const std::string& only) {
    // The parent of a name without a slash is empty.
    const char* at = folder.empty() ? "." : folder.c_str();
    const int watch = inotify_add_watch(inotify_.get(), at, events | IN_ONLYDIR);
    if (watch < 0) {
      if (errno == ENOENT || errno == ENOTDIR || refused_) return;
      refused_ = true;
      log_warn("changes in {} will not be seen: {}{}", folder, std::strerror(errno),
               errno == ENOSPC ? " (fs.inotify.max_user_watches may be too low)" : "");
      return;
    }
    Interest& interest = covered[watch];
    // Under the name by which all of it is wanted, if it has several.
    if (!interest.everything) interest.folder = folder;
    if (only.empty()) {
      interest.everything = true;
    } else {
      interest.names.insert(only);
    }
  };
  for (const auto& [folder, depth] : folders_) {
    cover_one(folder, "");
    if (depth != Depth::tree) continue;
    for (const std::string& below : folders_below(folder)) cover_one(below, "");
    // Where it comes back if it vanishes.
    const fs::path path(folder);
    if (path.has_filename()) cover_one(path.parent_path().string(), path.filename().string());
  }
  for (const auto& [watch, interest] : interests_) {
    if (!covered.contains(watch)) inotify_rm_watch(inotify_.get(), watch);
  }
  interests_ = std::move(covered);
}

void FolderWatch::read_changes() {
  alignas(inotify_event) char buffer[16384];
  bool any = false;
  ssize_t bytes = 0;
  while ((bytes = read(inotify_.get(), buffer, sizeof buffer)) > 0) {
    for (const char* at = buffer; at < buffer + bytes;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [folder, depth] : folders_) paths_.insert(folder);
        any = true;
      }
      const auto found = interests_.find(event->wd);
      if (found == interests_.end() || (event->mask & IN_IGNORED) != 0) continue;
      const Interest& interest = found->second;
      const std::string name = event->len == 0 ? "" : event->name;
      if (!interest.everything && !interest.names.contains(name)) continue;
      paths_.insert(name.empty() ? interest.folder : (fs::path(interest.folder) / name).string());
      any = true;
    }
  }
  if (!any) return;
  quiet_ = loop_.after(quiet_span, [this] { tell(); });
  if (!patience_) patience_ = loop_.after(patience_span, [this] { tell(); });
}

void FolderWatch::tell() {
  quiet_.reset();
  patience_.reset();
  // First, so that whoever reads the files now sees what came to folders that are not yet watched.
  cover();
  changed_(std::exchange(paths_, {}));
}

}  // namespace hastur
