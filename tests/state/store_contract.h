#pragma once

// A store of each implementation, for the contract that all of them keep: in memory, in a file, and
// on a disk that can fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "state/checkpoint_store.h"
#include "tests/state/faulty_vfs.h"
#include "tests/support/commit_builder.h"

namespace hastur {

enum class StoreKind { memory, file, faulty_disk, faulty_disk_synced };

class CheckpointStoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::string name = "hastur_store_" + test;
    std::replace(name.begin(), name.end(), '/', '_');
    folder_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    if (GetParam() == StoreKind::memory) {
      store_ = make_memory_store();
      return;
    }
    SqliteStoreOptions options{.path = folder_ / "state.db", .vfs = {}};
    if (GetParam() != StoreKind::file) options.vfs = disk_.name();
    options.synced = GetParam() == StoreKind::faulty_disk_synced;
    auto opened = open_store(options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  // Closes and opens again, where that keeps anything.
  void reopen() {
    if (GetParam() == StoreKind::memory) return;
    store_.reset();
    open();
  }

  CheckpointStore& store() { return *store_; }
  static void commit(CheckpointStore& store, CommitBuilder& builder) {
    const auto done = builder.into(store);
    ASSERT_TRUE(done) << done.error().message;
  }
  void commit(CommitBuilder& builder) { commit(*store_, builder); }
  // The batch is refused with the code, nothing changes, also on disk.
  void expect_refused(CommitBuilder& builder, ErrorCode code = ErrorCode::conflict) {
    const std::string before = describe(store());
    const auto done = builder.into(store());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_EQ(describe(store()), before);
    reopen();
    EXPECT_EQ(describe(store()), before);
  }
  StoredTrigger loaded(const TriggerName& trigger) {
    auto found = store().load(trigger);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : StoredTrigger{};
  }

  std::filesystem::path folder_;
  FaultyVfs disk_;
  std::unique_ptr<CheckpointStore> store_;
};

inline const auto all_stores = testing::Values(
    StoreKind::memory, StoreKind::file, StoreKind::faulty_disk, StoreKind::faulty_disk_synced);

inline std::string store_kind_name(const testing::TestParamInfo<StoreKind>& kind) {
  constexpr const char* names[] = {"Memory", "File", "FaultyDisk", "FaultyDiskSynced"};
  return names[static_cast<std::size_t>(kind.param)];
}

}  // namespace hastur
