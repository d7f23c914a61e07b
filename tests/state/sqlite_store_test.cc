// What a state file survives: kills, power cuts, full disks, damage, a second process, another
// schema.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "state/checkpoint_store.h"
#include "state/sqlite/database.h"
#include "tests/state/faulty_vfs.h"
#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

constexpr const char* path = "/state/state.db";

std::unique_ptr<CheckpointStore> open_on(const FaultyVfs& disk, bool synced = false) {
  auto opened = open_store({.path = path, .synced = synced, .vfs = disk.name()});
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

// Two triggers that run, with messages of which some were acknowledged.
CommitBuilder first_commit() {
  CommitBuilder batch;
  batch.start("a", 1, 10, std::string(3'000, 'a')).start("b", 1, 10).start("c", 1, 10);
  batch.message("a", 1, 11).message("b", 1, 12).notification("a", 1, 12).position(12);
  batch.deployment(1, 11, {"a", "c"}).pin("c", "d-c-1", 1);
  return batch;
}

// One of everything.
CommitBuilder second_commit() {
  CommitBuilder batch;
  batch.checkpoint("a", 1, 20, std::string(9'000, 'b'), 25, 5)
      .effects("b", 1, 22, 6)
      .start("b", 2, 22)
      .start("d", 1, 22)
      .message("a", 1, 21)
      .message("b", 1, 22)
      .notification("b", 1, 22, NotificationStatus::waiting)
      .log("a", 21, "hm")
      .journal("a", 1, 26, "skip")
      .remove("c")
      .outcome(1, "a", "live")
      .replay(1, "waiting")
      .deployment(2, 26, {"a", "e"})
      .unpin("c")
      .pin("a", "d-a-1", 2)
      .position(25);
  return batch;
}

// A commit of a trigger "a" in a long row of them; `at` from 1.
CommitBuilder numbered_commit(std::uint64_t at) {
  CommitBuilder batch;
  if (at == 1) return batch.start("a", 1, 0, "{\"n\":1}").position(1);
  batch.message("a", 1, at).notification("a", 1, at).position(at);
  if (at % 3 == 0) return batch.effects("a", 1, at);
  return batch.checkpoint(
      "a", 1, at, fmt::format("{{\"n\":{},\"x\":\"{}\"}}", at, std::string(at * 37 % 5'000, 'x')));
}

std::string describe_after(std::uint64_t commits) {
  const auto store = make_memory_store();
  for (std::uint64_t at = 1; at <= commits; ++at) EXPECT_TRUE(numbered_commit(at).into(*store));
  return describe(*store);
}

TEST(SqliteStore, ACommitIsAllOrNothingWhenKilledAtEveryWrite) {
  std::string before, after;
  {
    const auto model = make_memory_store();
    ASSERT_TRUE(first_commit().into(*model));
    before = describe(*model);
    ASSERT_TRUE(second_commit().into(*model));
    after = describe(*model);
  }
  ASSERT_NE(before, after);
  bool found_before = false, found_after = false;
  for (std::uint64_t change = 1;; ++change) {
    FaultyVfs disk;
    bool returned = false;
    {
      const auto store = open_on(disk);
      ASSERT_TRUE(first_commit().into(*store));
      disk.kill_at_change(change);
      returned = second_commit().into(*store).has_value();
      // Not the closing, which is after the commit.
      if (returned) disk.kill();
    }
    disk.restart();
    const auto store = open_on(disk);
    ASSERT_TRUE(store);
    const std::string found = describe(*store);
    ASSERT_TRUE(found == before || found == after) << "killed at change " << change << ":\n"
                                                   << found;
    (found == before ? found_before : found_after) = true;
    // The interrupted commit can be made again.
    if (found == before) {
      ASSERT_TRUE(second_commit().into(*store));
      EXPECT_EQ(describe(*store), after);
    }
    if (returned) {
      EXPECT_EQ(found, after);
      break;
    }
    ASSERT_LT(change, 1'000u);
  }
  EXPECT_TRUE(found_before);
  EXPECT_TRUE(found_after);
}

TEST(SqliteStore, AFileIsMadeWholeOrNotAtAllWhenKilledAtEveryWrite) {
  for (std::uint64_t change = 1;; ++change) {
    FaultyVfs disk;
    disk.kill_at_change(change);
    { const auto opened = open_store({.path = path, .vfs = disk.name()}); }
    const bool died = disk.is_down();
    disk.restart();
    const auto store = open_on(disk);
    ASSERT_TRUE(store) << change;
    ASSERT_TRUE(first_commit().into(*store)) << change;
    if (!died) break;
    ASSERT_LT(change, 1'000u);
  }
}

TEST(SqliteStore, AcknowledgedMessagesMayComeBackAfterAKillAndOnlyThose) {
  FaultyVfs disk;
  {
    const auto store = open_on(disk);
    ASSERT_TRUE(first_commit().into(*store));
    ASSERT_TRUE(store->acknowledge("a", {1}, {11}, 0));
    ASSERT_TRUE(second_commit().into(*store));
    ASSERT_TRUE(store->acknowledge("a", {1}, {21}, 0));
    EXPECT_EQ(store->outbox_size(), 2u);
    disk.kill();
  }
  disk.restart();
  const auto store = open_on(disk);
  EXPECT_EQ(store->outbox_size(), 3u) << "the first was removed with the second commit";
  ASSERT_TRUE(store->acknowledge("a", {1}, {21}, 0));
  EXPECT_EQ(store->outbox_size(), 2u);
}

TEST(SqliteStore, ASyncedCommitIsThereAfterAPowerCut) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FaultyVfs disk;
    std::uint64_t commits = 0;
    {
      const auto store = open_on(disk, true);
      disk.kill_at_change(1 + seed * 7 % 150);
      while (commits < 60 && numbered_commit(commits + 1).into(*store)) ++commits;
      disk.cut_power(seed);
    }
    disk.restart();
    const auto store = open_on(disk, true);
    ASSERT_TRUE(store) << "seed " << seed;
    const std::string found = describe(*store);
    // The commit that was under way may be there too: it was not refused.
    ASSERT_TRUE(found == describe_after(commits) || found == describe_after(commits + 1))
        << "seed " << seed << " after " << commits << " commits:\n"
        << found;
  }
}

TEST(SqliteStore, AtDefaultDurabilityAPowerCutLeavesAPrefixOfTheCommits) {
  constexpr std::uint64_t commits = 40;
  std::vector<std::string> prefixes;
  for (std::uint64_t count = 0; count <= commits; ++count)
    prefixes.push_back(describe_after(count));
  std::uint64_t shortened = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FaultyVfs disk;
    OwnerId owner;
    {
      const auto store = open_on(disk);
      owner = store->owner();
      for (std::uint64_t at = 1; at <= commits; ++at) ASSERT_TRUE(numbered_commit(at).into(*store));
      disk.cut_power(seed);
    }
    disk.restart();
    const auto store = open_on(disk);
    ASSERT_TRUE(store) << "seed " << seed;
    EXPECT_EQ(store->owner(), owner) << "the owner is on the disk from the start";
    const auto found = std::find(prefixes.begin(), prefixes.end(), describe(*store));
    ASSERT_NE(found, prefixes.end()) << "seed " << seed << ":\n" << describe(*store);
    if (found != prefixes.end() - 1) ++shortened;
  }
  EXPECT_GT(shortened, 0u) << "no cut lost anything: the test shows nothing";
}

TEST(SqliteStore, StreamAndEpochAreOnTheDiskAtOnce) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    FaultyVfs disk;
    {
      const auto store = open_on(disk);
      ASSERT_TRUE(store->bind({{1, 2}}));
      ASSERT_TRUE(store->take_epoch({9}));
      ASSERT_TRUE(numbered_commit(1).into(*store));
      disk.cut_power(seed);
    }
    disk.restart();
    const auto store = open_on(disk);
    EXPECT_EQ(store->stream(), (StreamId{{1, 2}})) << seed;
    EXPECT_EQ(store->epoch(), Epoch{9}) << seed;
  }
}

TEST(SqliteStore, AFullDiskIsFullAndTheSameCommitCanBeTriedAgain) {
  std::string after;
  {
    const auto model = make_memory_store();
    ASSERT_TRUE(first_commit().into(*model) && second_commit().into(*model));
    after = describe(*model);
  }
  for (std::uint64_t room = 0; room < 40'000; room += 1'500) {
    FaultyVfs disk;
    const auto store = open_on(disk);
    ASSERT_TRUE(first_commit().into(*store));
    const std::string before = describe(*store);
    disk.set_room(disk.used_bytes() + room);
    CommitBuilder batch = second_commit();
    const auto done = batch.into(*store);
    if (!done) {
      EXPECT_EQ(done.error().code, ErrorCode::full) << done.error().message;
      EXPECT_NE(done.error().message.find(path), std::string::npos);
      EXPECT_EQ(batch.batch().notifications[0].id, 0u);
      EXPECT_EQ(describe(*store), before) << room;
      disk.set_room({});
      ASSERT_TRUE(batch.into(*store));
    }
    EXPECT_EQ(describe(*store), after) << room;
  }
}

TEST(SqliteStore, AFailedWriteOrSyncIsAnErrorAndTheSameCommitCanBeTriedAgain) {
  FaultyVfs disk;
  const auto store = open_on(disk, true);
  ASSERT_TRUE(first_commit().into(*store));
  const std::string before = describe(*store);
  CommitBuilder batch = second_commit();
  disk.fail_writes(true);
  EXPECT_FALSE(batch.into(*store));
  disk.fail_writes(false);
  disk.fail_syncs(true);
  EXPECT_FALSE(batch.into(*store));
  disk.fail_syncs(false);
  EXPECT_EQ(describe(*store), before);
  EXPECT_TRUE(batch.into(*store));
}

TEST(SqliteStore, AgreesWithTheOneInMemoryOnAnyCommits) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    FaultyVfs disk;
    const auto memory = make_memory_store();
    auto file = open_on(disk);
    const std::vector<TriggerName> names = {"a", "b", "c"};
    for (std::uint64_t step = 1; step <= 60; ++step) {
      CommitBuilder batch;
      std::uint32_t message_ordinal = 0;
      for (std::uint64_t items = random() % 5; items > 0; --items) {
        const TriggerName& name = names[random() % names.size()];
        const std::uint64_t newest = memory->newest_run(name).value;
        // Mostly right, sometimes not.
        const std::uint64_t run = random() % 12 == 0 ? newest + 1 : newest;
        const std::uint64_t sequence = step * 10 + random() % 12;
        switch (random() % 10) {
          case 0:
          case 1:
            batch.start(name, newest + (random() % 9 == 0 ? 0 : 1), sequence);
            break;
          case 2:
            batch.remove(name);
            break;
          case 3:
            batch.effects(name, run, sequence, sequence);
            break;
          case 4:
            batch.message(name, newest, step * 10, message_ordinal++);
            break;
          case 5:
            batch.notification(
                name, run, sequence,
                random() % 2 == 0 ? NotificationStatus::sent : NotificationStatus::pending,
                random() % 3 == 0 ? "" : "key", static_cast<NotificationAction>(random() % 3));
            if (random() % 2 == 0) {
              batch.change(1 + random() % 20, static_cast<NotificationStatus>(random() % 5),
                           CommitBuilder::time(sequence));
            }
            break;
          case 6:
            batch.log(name, sequence, "text");
            break;
          case 7: {
            const char* const decisions[] = {"skip", "pause", "resume", "lost"};
            batch.journal(name, run, sequence, decisions[random() % 4]);
            break;
          }
          default:
            batch.checkpoint(name, run, sequence, fmt::format("{{\"n\":{}}}", sequence));
        }
      }
      if (random() % 3 == 0) batch.position(step * 10);
      CommitBatch copy = batch.batch();
      const auto expected = memory->commit(copy);
      const auto done = batch.into(*file);
      ASSERT_EQ(done.has_value(), expected.has_value()) << "seed " << seed << " step " << step;
      if (!done) {
        ASSERT_EQ(done.error(), expected.error());
      }
      if (random() % 4 == 0) {
        const TriggerName& name = names[random() % names.size()];
        const auto run = memory->newest_run(name);
        ASSERT_TRUE(memory->acknowledge(name, run, {step * 8}, 0));
        ASSERT_TRUE(file->acknowledge(name, run, {step * 8}, 0));
      }
      if (random() % 10 == 0) {
        const Retention retention{{step * 5}, CommitBuilder::time(step * 5), 1'000'000};
        ASSERT_TRUE(memory->prune(retention));
        ASSERT_TRUE(file->prune(retention));
      }
      if (random() % 10 == 0) {
        file.reset();
        file = open_on(disk);
      }
      ASSERT_EQ(describe(*file), describe(*memory)) << "seed " << seed << " step " << step;
      for (const TriggerName& name : names) {
        const auto one = memory->load_removed(name).value(),
                   other = file->load_removed(name).value();
        ASSERT_EQ(one ? describe(*one) : "", other ? describe(*other) : "")
            << "seed " << seed << " step " << step;
      }
    }
  }
}

// --- files of others

class SqliteStoreFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("hastur_state_") +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "state.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void expect_refused(ErrorCode code, const std::string& hint) {
    const auto opened = open_store({.path = file_, .vfs = {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(file_), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find(hint), std::string::npos) << opened.error().message;
  }

  std::filesystem::path folder_;
  std::string file_;
};

TEST_F(SqliteStoreFile, OneProcessAtATimeHasItOpen) {
  int ready[2], done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = open_store({.path = file_, .vfs = {}});
    char byte = store ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(1);
    // Without closing, as a killed process.
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  expect_refused(ErrorCode::unavailable, "process " + std::to_string(child));
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto opened = open_store({.path = file_, .vfs = {}});
  EXPECT_TRUE(opened) << "the lock went with its process";
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST_F(SqliteStoreFile, OneProcessCannotOpenItTwice) {
  const auto first = open_store({.path = file_, .vfs = {}});
  ASSERT_TRUE(first);
  expect_refused(ErrorCode::unavailable, "stop that one first");
}

TEST_F(SqliteStoreFile, ANewerSchemaIsRefused) {
  ASSERT_TRUE(open_store({.path = file_, .vfs = {}}));
  {
    auto database = Database::open({.path = file_, .vfs = {}});
    ASSERT_TRUE(database->run_script("PRAGMA user_version=99"));
  }
  expect_refused(ErrorCode::invalid, "schema is 99");
}

// A file as the program with schema 1 left it, with notifications of all sorts.
TEST_F(SqliteStoreFile, AnOlderSchemaIsBroughtToOurs) {
  {
    auto database = Database::open({.path = file_, .vfs = {}});
    std::ifstream first(HASTUR_TEST_DATA "/state_schema_1.sql");
    const std::string sql((std::istreambuf_iterator<char>(first)), {});
    ASSERT_FALSE(sql.empty());
    const auto made = database->run_script(sql);
    ASSERT_TRUE(made) << made.error().message;
  }
  for (int round = 0; round < 2; ++round) {
    auto opened = open_store({.path = file_, .vfs = {}});
    ASSERT_TRUE(opened) << opened.error().message;
    CheckpointStore& store = **opened;
    EXPECT_EQ(store.position(), Sequence{40});
    const auto loaded = store.load("a").value();
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->checkpoint.state, "{\"n\":1}");
    EXPECT_EQ(loaded->journal.size(), 1u);
    const auto kept = store.notifications({.since = {}, .status = {}, .trigger = {}}).value();
    ASSERT_EQ(kept.size(), 6u);
    EXPECT_EQ(kept[0].channel, "pager_duty");
    EXPECT_EQ(kept[0].key, "disk");
    EXPECT_EQ(kept[3].action, NotificationAction::resolve);
    EXPECT_EQ(kept[4].channel, "people") << "of a mail's options: its `to` is its recipients";
    EXPECT_EQ(kept[5].channel, "") << "what is no JSON stays as it is";
    const auto incidents = store.incidents({.trigger = {}, .closed_too = true, .max = 10}).value();
    ASSERT_EQ(incidents.size(), 2u);
    const auto disk = store.incident("a", "pager_duty", "disk").value();
    ASSERT_TRUE(disk);
    EXPECT_EQ(disk->state, IncidentState::open);
    EXPECT_EQ(to_us(disk->opened), 11'000'000);
    EXPECT_EQ(to_us(disk->changed), 12'000'000);
    const auto load = store.incident("a", "ops", "load").value();
    ASSERT_TRUE(load);
    EXPECT_EQ(load->state, IncidentState::closed);
    EXPECT_EQ(load->newest, 4u);
  }
}

TEST_F(SqliteStoreFile, AMigrationIsAllOrNothingWhenKilledAtEveryWrite) {
  std::ifstream first(HASTUR_TEST_DATA "/state_schema_1.sql");
  const std::string sql((std::istreambuf_iterator<char>(first)), {});
  for (std::uint64_t change = 1;; ++change) {
    FaultyVfs disk;
    {
      auto database = Database::open({.path = path, .vfs = disk.name()});
      ASSERT_TRUE(database->run_script(sql));
    }
    disk.kill_at_change(change);
    { const auto opened = open_store({.path = path, .vfs = disk.name()}); }
    const bool died = disk.is_down();
    disk.restart();
    const auto store = open_on(disk);
    ASSERT_TRUE(store) << "killed at change " << change;
    EXPECT_EQ(store->position(), Sequence{40});
    EXPECT_EQ(store->incidents({.trigger = {}, .closed_too = true}).value().size(), 2u);
    if (!died) break;
    ASSERT_LT(change, 1'000u);
  }
}

TEST_F(SqliteStoreFile, AnotherProgramsFileIsRefusedAndLeftAlone) {
  {
    auto database = Database::open({.path = file_, .vfs = {}});
    ASSERT_TRUE(database->run_script("CREATE TABLE theirs(x)"));
  }
  expect_refused(ErrorCode::invalid, "something else");
  auto database = Database::open({.path = file_, .vfs = {}});
  EXPECT_TRUE(database->run("INSERT INTO theirs VALUES (1)"));
}

TEST_F(SqliteStoreFile, GarbageIsCorrupt) {
  std::ofstream(file_) << std::string(10'000, 'g');
  expect_refused(ErrorCode::corrupt, "restore it from a copy");
}

TEST_F(SqliteStoreFile, AFolderThatIsNotThereIsNamed) {
  file_ = folder_ / "missing" / "state.db";
  expect_refused(ErrorCode::failed, "No such file or directory");
}

TEST_F(SqliteStoreFile, TellsWhatItWeighs) {
  auto store = open_store({.path = file_, .vfs = {}});
  ASSERT_TRUE(store);
  const std::uint64_t before = (*store)->bytes_on_disk();
  EXPECT_GT(before, 4'096u);
  CommitBuilder batch;
  ASSERT_TRUE(batch.start("a", 1, 0, std::string(1u << 20, 'x')).into(**store));
  EXPECT_GT((*store)->bytes_on_disk(), before + (1u << 20));
}

}  // namespace
}  // namespace hastur
