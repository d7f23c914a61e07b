#include "supervisor/deploy/directory_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/log.h"

namespace hastur {
namespace {

// Long enough for an editor to write, rename and set modes; short enough to feel immediate.
constexpr Micros quiet_span = std::chrono::milliseconds{50};

constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

}  // namespace

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::make(Loop& loop, std::string directory,
                                                             std::function<void()> changed) {
  Fd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.is_open()) {
    return fail(
        ErrorCode::failed,
        fmt::format("{} cannot be watched: {} (fs.inotify.max_user_instances may be too low)",
                    directory, std::strerror(errno)));
  }
  return std::unique_ptr<DirectoryWatch>(
      new DirectoryWatch(loop, std::move(inotify), std::move(directory), std::move(changed)));
}

DirectoryWatch::DirectoryWatch(Loop& loop, Fd inotify, std::string directory,
                               std::function<void()> changed)
    : loop_(loop),
      inotify_(std::move(inotify)),
      directory_(std::move(directory)),
      changed_(std::move(changed)) {
  watch_tree();
  readable_ = loop_.watch_readable(inotify_.get(), [this] { drain(); });
}

void DirectoryWatch::watch_tree() {
  namespace fs = std::filesystem;
  const auto watch = [this](const std::string& path) {
    if (inotify_add_watch(inotify_.get(), path.c_str(), events | IN_ONLYDIR) < 0 &&
        errno != ENOENT) {
      log_warn("changes below {} will not be seen: {}", path, std::strerror(errno));
    }
  };
  watch(directory_);
  std::error_code error;
  for (fs::recursive_directory_iterator walk(directory_,
                                             fs::directory_options::skip_permission_denied, error);
       !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (walk->is_directory(error)) watch(walk->path().string());
  }
}

void DirectoryWatch::drain() {
  alignas(inotify_event) char buffer[4096];
  while (read(inotify_.get(), buffer, sizeof buffer) > 0) {
  }
  quiet_ = loop_.after(quiet_span, [this] {
    watch_tree();
    changed_();
  });
}

}  // namespace hastur
