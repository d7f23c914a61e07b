#include "state/sqlite/database.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/state/faulty_vfs.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

Result<Database> open_on(const FaultyVfs& disk, bool synced = false) {
  return Database::open({.path = "/db/x.db", .synced = synced, .vfs = disk.name()});
}

Result<void> make_table(Database& database) {
  return database.run("CREATE TABLE IF NOT EXISTS item(key INTEGER PRIMARY KEY, bytes BLOB)");
}

Result<void> insert(Database& database, int key, const std::string& bytes) {
  Transaction transaction(database);
  HASTUR_TRY(transaction.begin());
  HASTUR_TRY(database.run("INSERT INTO item VALUES (?1, ?2)", key, Blob{bytes}));
  HASTUR_TRY(database.run("INSERT INTO item VALUES (?1, ?2)", key + 1, Blob{bytes}));
  return transaction.commit();
}

std::int64_t count(Database& database) {
  Query query = database.query("SELECT count(*) FROM item");
  const auto row = query.step();
  return row && *row ? query.integer(0) : -1;
}

TEST(Database, ReadsBackWhatWasWritten) {
  FaultyVfs disk;
  auto database = open_on(disk);
  ASSERT_TRUE(database) << database.error().message;
  ASSERT_TRUE(database->run("CREATE TABLE t(a, b, c, d)"));
  const std::string zero_bytes("\0x\0", 3);
  ASSERT_TRUE(database->run("INSERT INTO t VALUES (?1, ?2, ?3, ?4)", ~std::uint64_t{0}, 1.5,
                            std::string_view{}, Blob{zero_bytes}));
  Query query = database->query("SELECT a, b, c, d, NULL FROM t");
  ASSERT_TRUE(query.step().value());
  EXPECT_EQ(query.unsigned_integer(0), ~std::uint64_t{0});
  EXPECT_EQ(query.number(1), 1.5);
  EXPECT_FALSE(query.is_null(2));
  EXPECT_EQ(query.blob(3), zero_bytes);
  EXPECT_TRUE(query.is_null(4));
  EXPECT_FALSE(query.step().value());
}

// As on a disk that is mounted read-only, or of somebody else.
TEST(Database, AFileAtRestIsReadWhereNothingCanBeWritten) {
  TemporaryFolder folder;
  const std::string inner = folder.file("a%b?c#");
  std::filesystem::create_directory(inner);
  const std::string path = inner + "/x.db";
  {
    auto database = Database::open({.path = path});
    ASSERT_TRUE(make_table(*database));
    ASSERT_TRUE(insert(*database, 1, "x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
  for (const std::string& each : {folder.file(""), inner})
    std::filesystem::permissions(each, std::filesystem::perms{0555});
  const uid_t us = geteuid();
  // Root may write anywhere.
  if (us == 0) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  auto read = Database::open({.path = path, .access = DatabaseOptions::Access::read_only});
  const std::int64_t rows = read ? count(*read) : -1;
  ASSERT_EQ(seteuid(us), 0);
  for (const std::string& each : {folder.file(""), inner})
    std::filesystem::permissions(each, std::filesystem::perms{0755});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(rows, 2);
}

TEST(Database, AFolderIsNoFile) {
  TemporaryFolder folder;
  const auto opened = Database::open({.path = folder.file("")});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("it is a folder"), std::string::npos);
}

TEST(Database, AStatementMayRunWithinItself) {
  FaultyVfs disk;
  auto database = open_on(disk);
  ASSERT_TRUE(make_table(*database));
  ASSERT_TRUE(insert(*database, 1, "x"));
  int seen = 0;
  Query outer = database->query("SELECT key FROM item");
  while (outer.step().value()) {
    Query inner = database->query("SELECT key FROM item");
    while (inner.step().value()) ++seen;
  }
  EXPECT_EQ(seen, 4);
}

TEST(Database, AnErrorNamesTheFileAndLeavesTheConnectionUsable) {
  FaultyVfs disk;
  auto database = open_on(disk);
  ASSERT_TRUE(make_table(*database));
  const auto failed = database->run("SELECT nonsense FROM item");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("/db/x.db"), std::string::npos);
  EXPECT_TRUE(insert(*database, 1, "x"));
  EXPECT_FALSE(insert(*database, 1, "x"));
  EXPECT_TRUE(insert(*database, 3, "x"));
  EXPECT_EQ(count(*database), 4);
}

TEST(Database, AFullDiskIsFullChangesNothingAndCanBeTriedAgain) {
  FaultyVfs disk;
  auto database = open_on(disk);
  ASSERT_TRUE(make_table(*database));
  disk.set_room(disk.used_bytes() + 8192);
  const auto failed = insert(*database, 1, std::string(50'000, 'x'));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::full);
  EXPECT_EQ(count(*database), 0);
  disk.set_room({});
  EXPECT_TRUE(insert(*database, 1, std::string(50'000, 'x')));
  EXPECT_EQ(count(*database), 2);
}

TEST(Database, AFailedWriteOrSyncIsAnErrorAndCanBeTriedAgain) {
  FaultyVfs disk;
  auto database = open_on(disk, true);
  ASSERT_TRUE(make_table(*database));
  disk.fail_writes(true);
  EXPECT_FALSE(insert(*database, 1, "x"));
  disk.fail_writes(false);
  disk.fail_syncs(true);
  EXPECT_FALSE(insert(*database, 1, "x"));
  disk.fail_syncs(false);
  EXPECT_TRUE(insert(*database, 1, "x"));
  EXPECT_EQ(count(*database), 2);
}

TEST(Database, GarbageIsCorrupt) {
  FaultyVfs disk;
  {
    auto database = open_on(disk);
    ASSERT_TRUE(make_table(*database));
  }
  disk.bytes("/db/x.db")->replace(0, 100, std::string(100, 'g'));
  const auto opened = open_on(disk);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
}

TEST(Database, ATransactionIsAllOrNothingWhenKilledAtAnyChange) {
  for (std::uint64_t change = 1;; ++change) {
    FaultyVfs disk;
    {
      auto database = open_on(disk);
      ASSERT_TRUE(make_table(*database));
      ASSERT_TRUE(insert(*database, 1, std::string(9'000, 'x')));
      disk.kill_at_change(change);
      (void)insert(*database, 3, std::string(9'000, 'y'));
      (void)database->checkpoint();
    }
    const bool died = disk.is_down();
    disk.restart();
    auto database = open_on(disk);
    ASSERT_TRUE(database) << change << ": " << database.error().message;
    const std::int64_t rows = count(*database);
    EXPECT_TRUE(rows == 2 || rows == 4) << change << ": " << rows;
    if (!died) break;
    ASSERT_LT(change, 1000u);
  }
}

TEST(Database, ASyncedCommitSurvivesAPowerCutAndAnUnsyncedOneIsAllOrNothing) {
  int lost = 0, kept = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    FaultyVfs disk;
    {
      auto database = open_on(disk, true);
      ASSERT_TRUE(make_table(*database));
      ASSERT_TRUE(insert(*database, 1, std::string(9'000, 'x')));
      ASSERT_TRUE(database->set_synced(false));
      ASSERT_TRUE(insert(*database, 3, std::string(9'000, 'y')));
      disk.cut_power(seed);
    }
    disk.restart();
    auto database = open_on(disk);
    ASSERT_TRUE(database) << seed << ": " << database.error().message;
    const std::int64_t rows = count(*database);
    EXPECT_TRUE(rows == 2 || rows == 4) << seed << ": " << rows;
    ++(rows == 2 ? lost : kept);
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(kept, 0);
}

TEST(Database, ACheckpointMakesAllCommitsDurable) {
  FaultyVfs disk;
  {
    auto database = open_on(disk);
    ASSERT_TRUE(make_table(*database));
    ASSERT_TRUE(insert(*database, 1, "x"));
    ASSERT_TRUE(database->checkpoint());
    disk.cut_power(0);
  }
  disk.restart();
  auto database = open_on(disk);
  EXPECT_EQ(count(*database), 2);
}

TEST(Database, ARemovedDatabaseLeavesNoFile) {
  FaultyVfs disk;
  {
    auto database = open_on(disk);
    ASSERT_TRUE(make_table(*database));
    disk.kill();
  }
  disk.restart();
  EXPECT_EQ(disk.list("/db").size(), 2u);
  ASSERT_TRUE(remove_database("/db/x.db", disk.name()));
  EXPECT_TRUE(disk.list("/db").empty());
}

TEST(Database, WorksOnRealFiles) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "hastur_database_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    auto database = Database::open({.path = folder / "x.db", .synced = true});
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(make_table(*database));
    ASSERT_TRUE(insert(*database, 1, "x"));
    EXPECT_GT(database->bytes().value(), 0u);
  }
  {
    auto database =
        Database::open({.path = folder / "x.db", .access = DatabaseOptions::Access::read_only});
    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 2);
  }
  ASSERT_TRUE(remove_database(folder / "x.db"));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hastur
