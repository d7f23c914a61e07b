#pragma once

// A disk in memory for SQLite, whose process can be killed, whose power can fail, and which can be
// full.
//
// Each object is one disk with one process on it; its files live as long as it. Databases are
// opened with its name() as their VFS. What was written and not synced survives kill() and only
// partly survives cut_power(). After either, everything that a connection still open does fails;
// drop those objects, then go on with restart().

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hastur {

class FaultyVfs {
 public:
  FaultyVfs();
  // No database may be open on it.
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // Unique in the process.
  const std::string& name() const;

  // The process dies now, or at the n-th change of a file from now (1 is the next one); a write
  // then reaches the file by half. What was written stays.
  void kill();
  void kill_at_change(std::uint64_t n);
  // The power fails now. Each sector of 512 bytes that was not synced may be as written or as
  // before, a file that was never synced may be gone, a deleted one may be back; `seed` decides.
  void cut_power(std::uint64_t seed);
  // Whether it is killed and waits for restart().
  bool is_down() const;
  // A new process, and none of the faults below.
  void restart();

  // Changes of files so far: writes, truncations, syncs, creations, deletions.
  std::uint64_t changes() const;
  std::uint64_t syncs() const;

  // Writes that would make all files together larger than this fail as on a full disk; nothing
  // lifts it.
  void set_room(std::optional<std::uint64_t> bytes);
  std::uint64_t used_bytes() const;
  void fail_reads(bool on);
  void fail_writes(bool on);
  void fail_syncs(bool on);

  // Names of the files whose path begins with `directory` + "/", without it.
  std::vector<std::string> list(std::string_view directory) const;
  // A file's bytes, for damaging them or looking; nullptr if there is none. Valid until the next
  // change.
  std::string* bytes(const std::string& path);

  struct Disk;

 private:
  std::unique_ptr<Disk> disk_;
};

}  // namespace hastur
