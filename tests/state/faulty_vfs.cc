#include "tests/state/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "core/check.h"

namespace hastur {
namespace {

constexpr std::size_t sector_bytes = 512;
constexpr int shm_locks = SQLITE_SHM_NLOCK;

struct File {
  std::string now;      // what every process sees
  std::string durable;  // what is on the platter
  std::set<std::size_t> unsynced;
  bool was_synced = false;

  int shared = 0;
  bool reserved = false, exclusive = false, pending = false;
  std::vector<std::unique_ptr<std::uint8_t[]>> shm;
  int shm_users = 0;
  std::array<int, shm_locks> shm_shared{};
  std::array<bool, shm_locks> shm_exclusive{};

  void drop_locks() {
    shared = 0;
    reserved = exclusive = pending = false;
    shm.clear();
    shm_users = 0;
    shm_shared.fill(0);
    shm_exclusive.fill(false);
  }
  void touch(std::size_t from, std::size_t to) {
    for (std::size_t sector = from / sector_bytes; sector * sector_bytes < to; ++sector) {
      unsynced.insert(sector);
    }
  }
  void sync() {
    durable.resize(now.size());
    for (const std::size_t sector : unsynced) copy_sector(sector);
    unsynced.clear();
    was_synced = true;
  }
  void copy_sector(std::size_t sector) {
    const std::size_t from = sector * sector_bytes;
    if (from >= now.size()) return;
    const std::size_t length = std::min(sector_bytes, now.size() - from);
    if (durable.size() < from + length) durable.resize(from + length);
    std::memcpy(durable.data() + from, now.data() + from, length);
  }
};

}  // namespace

struct FaultyVfs::Disk {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::string name;
  mutable std::recursive_mutex mutex;
  std::map<std::string, std::shared_ptr<File>>
      files;  // shared with open handles, which outlive a deletion
  std::map<std::string, std::shared_ptr<File>> deleted;  // and not known to the platter
  std::uint64_t epoch = 1;
  bool down = false;
  std::uint64_t changes = 0, syncs = 0;
  std::optional<std::uint64_t> kill_at, room;
  bool reads_fail = false, writes_fail = false, syncs_fail = false;

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [path, file] : files) sum += file->now.size();
    return sum;
  }
  void kill() {
    down = true;
    ++epoch;
    for (auto& [path, file] : files) file->drop_locks();
  }
  // Counts a change; true if the process dies at it.
  bool dies_here() {
    ++changes;
    if (!kill_at || changes < *kill_at) return false;
    kill_at.reset();
    kill();
    return true;
  }
};

namespace {

using Disk = FaultyVfs::Disk;
using Guard = std::lock_guard<std::recursive_mutex>;

struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<File>* file;
  std::uint64_t epoch;
  int lock;
  bool delete_on_close, has_shm;
  std::array<int, shm_locks>* shm_held;  // 0 none, 1 shared, 2 exclusive
  std::string* path;

  bool dead() const { return disk->down || epoch != disk->epoch; }
};

Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
std::size_t size_of(sqlite3_int64 n) { return static_cast<std::size_t>(n); }

int vfs_read(sqlite3_file* f, void* out, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead() || handle.disk->reads_fail) return SQLITE_IOERR_READ;
  const std::string& now = (*handle.file)->now;
  const std::size_t wanted = size_of(amount), from = size_of(offset);
  const std::size_t got = from >= now.size() ? 0 : std::min(wanted, now.size() - from);
  if (got > 0) std::memcpy(out, now.data() + from, got);
  if (got == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + got, 0, wanted - got);
  return SQLITE_IOERR_SHORT_READ;
}

int vfs_write(sqlite3_file* f, const void* bytes, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(f);
  Disk& disk = *handle.disk;
  const Guard guard(disk.mutex);
  if (handle.dead() || disk.writes_fail) return SQLITE_IOERR_WRITE;
  File& file = **handle.file;
  const std::size_t from = size_of(offset);
  std::size_t length = size_of(amount);
  if (disk.room && from + length > file.now.size() &&
      disk.used() + (from + length - file.now.size()) > *disk.room) {
    return SQLITE_FULL;
  }
  const bool dies = disk.dies_here();
  if (dies) length /= 2;
  if (file.now.size() < from + length) {
    file.touch(file.now.size(), from + length);
    file.now.resize(from + length);
  }
  std::memcpy(file.now.data() + from, bytes, length);
  file.touch(from, from + length);
  return dies ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int vfs_truncate(sqlite3_file* f, sqlite3_int64 size) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead() || handle.disk->writes_fail || handle.disk->dies_here()) {
    return SQLITE_IOERR_TRUNCATE;
  }
  (*handle.file)->now.resize(size_of(size));
  return SQLITE_OK;
}

int vfs_sync(sqlite3_file* f, int) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead() || handle.disk->syncs_fail || handle.disk->dies_here()) {
    return SQLITE_IOERR_FSYNC;
  }
  ++handle.disk->syncs;
  // The first sync of a new file syncs its folder, as SQLite's own VFS does.
  if (!(*handle.file)->was_synced) handle.disk->deleted.clear();
  (*handle.file)->sync();
  return SQLITE_OK;
}

int vfs_size(sqlite3_file* f, sqlite3_int64* size) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>((*handle.file)->now.size());
  return SQLITE_OK;
}

int vfs_unlock(sqlite3_file* f, int level) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead()) return SQLITE_OK;
  File& file = **handle.file;
  if (handle.lock > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
    file.reserved = file.pending = file.exclusive = false;
  }
  if (handle.lock >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) --file.shared;
  handle.lock = std::min(handle.lock, level);
  return SQLITE_OK;
}

int vfs_lock(sqlite3_file* f, int level) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead()) return SQLITE_IOERR_LOCK;
  File& file = **handle.file;
  if (level <= handle.lock) return SQLITE_OK;
  if (handle.lock == SQLITE_LOCK_NONE) {
    if (file.pending || file.exclusive) return SQLITE_BUSY;
    ++file.shared;
    handle.lock = SQLITE_LOCK_SHARED;
  }
  if (level >= SQLITE_LOCK_RESERVED && handle.lock < SQLITE_LOCK_RESERVED) {
    if (file.reserved || file.pending) return SQLITE_BUSY;
    file.reserved = true;
    handle.lock = SQLITE_LOCK_RESERVED;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE) {
    file.pending = true;
    handle.lock = SQLITE_LOCK_PENDING;
    if (file.shared > 1) return SQLITE_BUSY;
    file.exclusive = true;
    handle.lock = SQLITE_LOCK_EXCLUSIVE;
  }
  return SQLITE_OK;
}

int vfs_is_reserved(sqlite3_file* f, int* out) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  *out = (*handle.file)->reserved ? 1 : 0;
  return SQLITE_OK;
}

int vfs_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int vfs_sector_size(sqlite3_file*) { return static_cast<int>(sector_bytes); }
int vfs_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int vfs_shm_map(sqlite3_file* f, int region, int bytes, int extend, void volatile** out) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  *out = nullptr;
  if (handle.dead()) return SQLITE_IOERR_SHMMAP;
  File& file = **handle.file;
  if (!handle.has_shm) {
    handle.has_shm = true;
    ++file.shm_users;
  }
  while (file.shm.size() <= size_of(region)) {
    if (extend == 0) return SQLITE_OK;
    file.shm.push_back(std::make_unique<std::uint8_t[]>(size_of(bytes)));
  }
  *out = file.shm[size_of(region)].get();
  return SQLITE_OK;
}

int vfs_shm_lock(sqlite3_file* f, int first, int count, int flags) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead()) return SQLITE_IOERR_SHMLOCK;
  File& file = **handle.file;
  const auto from = size_of(first), to = size_of(first + count);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (auto i = from; i < to; ++i) {
      int& held = (*handle.shm_held)[i];
      if (held == 1) --file.shm_shared[i];
      if (held == 2) file.shm_exclusive[i] = false;
      held = 0;
    }
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (auto i = from; i < to; ++i) {
    if ((*handle.shm_held)[i] != 0) continue;
    if (file.shm_exclusive[i] || (exclusive && file.shm_shared[i] > 0)) return SQLITE_BUSY;
  }
  for (auto i = from; i < to; ++i) {
    int& held = (*handle.shm_held)[i];
    if (held != 0) continue;
    held = exclusive ? 2 : 1;
    if (exclusive) file.shm_exclusive[i] = true;
    if (!exclusive) ++file.shm_shared[i];
  }
  return SQLITE_OK;
}

void vfs_shm_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int vfs_shm_unmap(sqlite3_file* f, int) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  if (handle.dead() || !handle.has_shm) return SQLITE_OK;
  vfs_shm_lock(f, 0, shm_locks, SQLITE_SHM_UNLOCK);
  handle.has_shm = false;
  File& file = **handle.file;
  if (--file.shm_users == 0) file.shm.clear();
  return SQLITE_OK;
}

int vfs_close(sqlite3_file* f) {
  Handle& handle = handle_of(f);
  const Guard guard(handle.disk->mutex);
  vfs_unlock(f, SQLITE_LOCK_NONE);
  vfs_shm_unmap(f, 0);
  if (handle.delete_on_close && !handle.dead()) handle.disk->files.erase(*handle.path);
  delete handle.file;
  delete handle.shm_held;
  delete handle.path;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods = {
    2,
    vfs_close,
    vfs_read,
    vfs_write,
    vfs_truncate,
    vfs_sync,
    vfs_size,
    vfs_lock,
    vfs_unlock,
    vfs_is_reserved,
    vfs_control,
    vfs_sector_size,
    vfs_characteristics,
    vfs_shm_map,
    vfs_shm_lock,
    vfs_shm_barrier,
    vfs_shm_unmap,
    nullptr,
    nullptr,
};

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

int vfs_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out_flags) {
  Disk& disk = disk_of(vfs);
  const Guard guard(disk.mutex);
  f->pMethods = nullptr;
  if (disk.down) return SQLITE_CANTOPEN;
  static std::atomic<std::uint64_t> temporaries{0};
  const std::string name = path != nullptr ? path : "temporary-" + std::to_string(++temporaries);
  auto found = disk.files.find(name);
  if (found == disk.files.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0 || disk.dies_here()) return SQLITE_CANTOPEN;
    found = disk.files.emplace(name, std::make_shared<File>()).first;
  }
  auto& handle = *new (f) Handle{};
  handle.base.pMethods = &methods;
  handle.disk = &disk;
  handle.file = new std::shared_ptr<File>(found->second);
  handle.epoch = disk.epoch;
  handle.lock = SQLITE_LOCK_NONE;
  handle.delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  handle.shm_held = new std::array<int, shm_locks>{};
  handle.path = new std::string(name);
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  Disk& disk = disk_of(vfs);
  const Guard guard(disk.mutex);
  if (disk.down) return SQLITE_IOERR_DELETE;
  const auto found = disk.files.find(path);
  if (found == disk.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (disk.dies_here()) return SQLITE_IOERR_DELETE;
  disk.deleted.erase(path);
  if (sync_directory == 0 && found->second->was_synced) disk.deleted[path] = found->second;
  disk.files.erase(found);
  return SQLITE_OK;
}

int vfs_access(sqlite3_vfs* vfs, const char* path, int, int* out) {
  Disk& disk = disk_of(vfs);
  const Guard guard(disk.mutex);
  if (disk.down) return SQLITE_IOERR_ACCESS;
  *out = disk.files.contains(path) ? 1 : 0;
  return SQLITE_OK;
}

int vfs_full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

int vfs_randomness(sqlite3_vfs* vfs, int size, char* out) {
  return disk_of(vfs).real->xRandomness(disk_of(vfs).real, size, out);
}
// A lock that is held stays held while this thread waits: waiting takes no time here.
int vfs_sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
int vfs_time(sqlite3_vfs*, double* out) {
  *out = 2460000.5;
  return SQLITE_OK;
}
int vfs_last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

FaultyVfs::FaultyVfs() : disk_(std::make_unique<Disk>()) {
  static std::atomic<std::uint64_t> made{0};
  Disk& disk = *disk_;
  disk.name = "faulty-" + std::to_string(++made);
  disk.real = sqlite3_vfs_find(nullptr);
  disk.vfs.iVersion = 1;
  disk.vfs.szOsFile = sizeof(Handle);
  disk.vfs.mxPathname = 512;
  disk.vfs.zName = disk.name.c_str();
  disk.vfs.pAppData = &disk;
  disk.vfs.xOpen = vfs_open;
  disk.vfs.xDelete = vfs_delete;
  disk.vfs.xAccess = vfs_access;
  disk.vfs.xFullPathname = vfs_full_path;
  disk.vfs.xRandomness = vfs_randomness;
  disk.vfs.xSleep = vfs_sleep;
  disk.vfs.xCurrentTime = vfs_time;
  disk.vfs.xGetLastError = vfs_last_error;
  HASTUR_CHECK(sqlite3_vfs_register(&disk.vfs, 0) == SQLITE_OK, "SQLite takes a VFS");
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&disk_->vfs); }

const std::string& FaultyVfs::name() const { return disk_->name; }

void FaultyVfs::kill() {
  const Guard guard(disk_->mutex);
  disk_->kill();
}

void FaultyVfs::kill_at_change(std::uint64_t n) {
  const Guard guard(disk_->mutex);
  disk_->kill_at = disk_->changes + n;
}

void FaultyVfs::cut_power(std::uint64_t seed) {
  const Guard guard(disk_->mutex);
  Disk& disk = *disk_;
  disk.kill();
  std::mt19937_64 random(seed);
  // Some cuts lose all that was not synced, some nothing, most a part.
  const std::uint64_t kept_of_four = random() % 5;
  const auto kept = [&] { return random() % 4 < kept_of_four; };
  for (auto& [path, file] : disk.deleted) {
    if (!disk.files.contains(path) && !kept()) disk.files[path] = file;
  }
  disk.deleted.clear();
  for (auto entry = disk.files.begin(); entry != disk.files.end();) {
    File& file = *entry->second;
    const std::size_t size = kept() ? file.now.size() : file.durable.size();
    if (!file.was_synced && !kept()) {
      entry = disk.files.erase(entry);
      continue;
    }
    for (const std::size_t sector : file.unsynced) {
      if (kept()) file.copy_sector(sector);
    }
    file.durable.resize(size);
    file.now = file.durable;
    file.unsynced.clear();
    file.was_synced = true;
    ++entry;
  }
}

bool FaultyVfs::is_down() const {
  const Guard guard(disk_->mutex);
  return disk_->down;
}

void FaultyVfs::restart() {
  const Guard guard(disk_->mutex);
  Disk& disk = *disk_;
  disk.down = false;
  ++disk.epoch;
  for (auto& [path, file] : disk.files) file->drop_locks();
  disk.kill_at.reset();
  disk.room.reset();
  disk.reads_fail = disk.writes_fail = disk.syncs_fail = false;
}

std::uint64_t FaultyVfs::changes() const { return disk_->changes; }
std::uint64_t FaultyVfs::syncs() const { return disk_->syncs; }

void FaultyVfs::set_room(std::optional<std::uint64_t> bytes) {
  const Guard guard(disk_->mutex);
  disk_->room = bytes;
}
std::uint64_t FaultyVfs::used_bytes() const {
  const Guard guard(disk_->mutex);
  return disk_->used();
}
void FaultyVfs::fail_reads(bool on) { disk_->reads_fail = on; }
void FaultyVfs::fail_writes(bool on) { disk_->writes_fail = on; }
void FaultyVfs::fail_syncs(bool on) { disk_->syncs_fail = on; }

std::vector<std::string> FaultyVfs::list(std::string_view directory) const {
  const Guard guard(disk_->mutex);
  const std::string prefix = std::string(directory) + "/";
  std::vector<std::string> names;
  for (const auto& [path, file] : disk_->files) {
    if (path.starts_with(prefix)) names.push_back(path.substr(prefix.size()));
  }
  return names;
}

std::string* FaultyVfs::bytes(const std::string& path) {
  const Guard guard(disk_->mutex);
  const auto found = disk_->files.find(path);
  return found == disk_->files.end() ? nullptr : &found->second->now;
}

}  // namespace hastur
