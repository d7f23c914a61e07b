#pragma once

// A History folder on a disk in memory, opened, killed and opened again.

#include "state/history/sqlite_history.h"
#include "tests/state/faulty_vfs.h"
#include "tests/state/history/stream.h"

namespace hastur::testing {

struct HistoryDisk {
  FaultyVfs vfs;
  SqliteHistoryOptions options;

  HistoryDisk() {
    options.directory = "/h";
    options.boot_id = "boot-1";
    options.vfs = vfs.name();
    options.list_files = [this] { return vfs.list("/h"); };
  }
  Result<std::unique_ptr<History>> try_open() { return open_history(options); }
  std::unique_ptr<History> open() {
    auto history = try_open();
    HASTUR_CHECK(history, history ? "" : history.error().message.c_str());
    return std::move(*history);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const std::string& name : vfs.list("/h")) {
      if (name.ends_with(".db")) names.push_back("/h/" + name);
    }
    return names;
  }
};

// Every number up to the last is either held or known as lost, never both and never neither.
inline void expect_accounted(History& history) {
  std::vector<Batch> batches = read_all(history);
  const auto lost = history.lost({1}, history.last()).value();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const Batch& batch : batches) {
    ranges.emplace_back(batch.header.first.value, batch.header.last().value);
  }
  for (const LostRange& range : lost) ranges.emplace_back(range.first.value, range.last.value);
  std::ranges::sort(ranges);
  std::uint64_t next = 1;
  for (const auto& [first, last] : ranges) {
    ASSERT_EQ(first, next);
    next = last + 1;
  }
  ASSERT_EQ(next, history.last().value + 1);
}

inline void maintain_all(History& history, Time now) {
  for (int steps = 0; history.maintain(now).value(); ++steps) ASSERT_LT(steps, 100'000);
}

}  // namespace hastur::testing
