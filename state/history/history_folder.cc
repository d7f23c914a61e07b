#include "state/history/history_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace hastur {
namespace {

constexpr std::size_t digits = 20;

std::optional<Sequence> sequence_of(std::string_view name) {
  if (name.size() != digits + 3 || !name.ends_with(".db")) return {};
  Sequence first;
  const auto [end, error] = std::from_chars(name.data(), name.data() + digits, first.value);
  if (error != std::errc{} || end != name.data() + digits) return {};
  return first;
}

}  // namespace

Result<std::vector<Sequence>> history_files(const std::string& directory) {
  std::vector<Sequence> firsts;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    if (const auto first = sequence_of(entry->path().filename().string())) firsts.push_back(*first);
  }
  if (error) {
    return fail(ErrorCode::failed,
                fmt::format("cannot list the History folder {}: {}", directory, error.message()));
  }
  std::ranges::sort(firsts);
  return firsts;
}

Result<HistoryFolder> HistoryFolder::open(const SqliteHistoryOptions& options) {
  HistoryFolder folder;
  folder.directory_ = options.directory;
  folder.vfs_ = options.vfs;
  folder.synced_ = options.durability == Durability::synced;
  folder.list_files_ = options.list_files;
  // A VFS of its own has no folders, and no other process.
  if (!options.vfs.empty()) return folder;

  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return fail(ErrorCode::failed,
                fmt::format("cannot make the History folder {}: {}; name a folder with `history` "
                            "or --history that can be made and written",
                            options.directory, error.message()));
  }
  const std::string lock = options.directory + "/lock";
  folder.lock_ = Fd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!folder.lock_.is_open()) {
    return fail(ErrorCode::failed,
                fmt::format("cannot open the lock {}: {}", lock, std::strerror(errno)));
  }
  if (::flock(folder.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot open the History in {}: another process holds {}; stop that "
                            "process or give this one another folder",
                            options.directory, lock));
  }
  return folder;
}

Result<std::vector<Sequence>> HistoryFolder::list() const {
  if (!list_files_) return history_files(directory_);
  std::vector<Sequence> firsts;
  for (const std::string& name : list_files_()) {
    if (const auto first = sequence_of(name)) firsts.push_back(*first);
  }
  std::ranges::sort(firsts);
  return firsts;
}

std::string HistoryFolder::path(Sequence first) const {
  return fmt::format("{}/{:020}.db", directory_, first.value);
}

DatabaseOptions HistoryFolder::database(Sequence first) const {
  return {.path = path(first), .synced = synced_, .wal_pages_max = 4000, .vfs = vfs_};
}

Result<void> HistoryFolder::remove(Sequence first) const {
  return remove_database(path(first), vfs_);
}

}  // namespace hastur
