#include "core/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace hastur {

Result<LockFile> LockFile::take(const std::string& path, const std::string& guarded) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.is_open()) {
    return fail(ErrorCode::failed, fmt::format("cannot open {}, the lock of {}: {}", path, guarded,
                                               std::strerror(errno)));
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const int cause = errno;
    if (cause != EWOULDBLOCK) {
      return fail(ErrorCode::failed, fmt::format("cannot lock {}, the lock of {}: {}", path,
                                                 guarded, std::strerror(cause)));
    }
    std::array<char, 24> holder{};
    const ssize_t length = ::pread(fd.get(), holder.data(), holder.size() - 1, 0);
    const std::string id(holder.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return fail(ErrorCode::unavailable,
                fmt::format("cannot use {}: process {} has it open; stop that one first, or name "
                            "another file",
                            guarded, id.empty() ? "?" : id));
  }
  const std::string id = std::to_string(::getpid());
  // Only for the message above: the lock holds without it, on a full disk too.
  if (::ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(fd.get(), id.data(), id.size(), 0);
  }
  return LockFile(std::move(fd));
}

}  // namespace hastur
