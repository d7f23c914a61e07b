// What a check of a state file finds, and that it finds nothing in one that is sound.

#include "state/store_check.h"

#include <gtest/gtest.h>

#include "state/sqlite/database.h"
#include "tests/state/faulty_vfs.h"
#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

// A state file of two triggers that run and one that is gone.
struct Sound {
  Sound() {
    auto store = open_store(options()).value();
    EXPECT_TRUE(store->bind(StreamId{{7}}));
    CommitBuilder batch;
    batch.start("a", 1, 10).start("b", 1, 10).start("gone", 1, 10);
    commit(*store, batch);
    CommitBuilder more;
    more.checkpoint("a", 1, 20, "{\"n\":5}", 25, 5).message("a", 1, 21).message("a", 1, 22);
    more.notification("b", 1, 22, NotificationStatus::waiting, "key").journal("a", 1, 26, "skip");
    more.remove("gone").position(25);
    commit(*store, more);
  }
  static void commit(CheckpointStore& store, CommitBuilder& builder) {
    CommitBatch batch = builder.batch();
    const auto done = store.commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  SqliteStoreOptions options() const { return {.path = "/state.db", .vfs = disk.name()}; }
  Database database() const {
    return Database::open({.path = "/state.db", .vfs = disk.name()}).value();
  }
  StoreCheck check() const { return check_store(options()).value(); }

  FaultyVfs disk;
};

TEST(StoreChecked, FindsNothingInASoundOne) {
  const Sound sound;
  const StoreCheck found = sound.check();
  EXPECT_EQ(found.findings, std::vector<std::string>());
  EXPECT_EQ(found.triggers, 2u);
  EXPECT_EQ(found.notifications, 1u);
  EXPECT_EQ(found.furthest, Sequence{25});
  EXPECT_EQ(found.stream, (StreamId{{7}}));
}

TEST(StoreChecked, FindsNothingWhileItIsOpen) {
  const Sound sound;
  const auto store = open_store(sound.options()).value();
  EXPECT_EQ(sound.check().findings, std::vector<std::string>());
}

// Each of these makes one row lie.
TEST(StoreChecked, FindsRowsThatDoNotFitTogether) {
  const std::vector<std::pair<std::string, std::string>> lies = {
      {"DELETE FROM memory WHERE trigger = 1", "a has a checkpoint without its memory"},
      {"DELETE FROM checkpoint WHERE trigger = 1", "a is marked as running without a state"},
      {"UPDATE checkpoint SET run = 2 WHERE trigger = 1", "a is at another run"},
      {"DELETE FROM run WHERE trigger = 1", "a has a run that is not recorded"},
      {"UPDATE checkpoint SET effects_sequence = 3 WHERE trigger = 1", "end before its state"},
      {"UPDATE memory SET state = '{\"n\":' WHERE trigger = 1", "a has a state that is no JSON"},
      {"DELETE FROM version WHERE id = 'v-b-1'", "b, run 1 has a run whose version is not there"},
      {"DELETE FROM version_file WHERE version = 'v-b-1'", "v-b-1 is a version without its files"},
      {"UPDATE outbox SET sequence = 20 WHERE sequence = 22", "do not leave in their order"},
      {"UPDATE notification SET status = 'lost'", "n-0001 is a notification that cannot be read"},
      {"UPDATE incident SET newest = 9", "b/key is an incident that is newer"},
      {"UPDATE journal SET detail = ''", "a at 26 has a decision that cannot be read"},
      {"DELETE FROM trigger WHERE number = 2", "nr. 2 is spoken of and not known"}};
  for (const auto& [sql, text] : lies) {
    SCOPED_TRACE(sql);
    const Sound sound;
    ASSERT_TRUE(sound.database().run_script(sql));
    std::string all;
    for (const std::string& finding : sound.check().findings) all += finding + "\n";
    EXPECT_NE(all.find(text), std::string::npos) << all;
  }
}

TEST(StoreChecked, FindsADamagedPage) {
  Sound sound;
  // Written back into the file, so that there is a page to damage.
  ASSERT_TRUE(sound.database().checkpoint());
  std::string& bytes = *sound.disk.bytes("/state.db");
  ASSERT_GT(bytes.size(), 4 * 8192u);
  std::fill_n(bytes.begin() + 3 * 8192, 8192, 'Z');
  const auto found = check_store(sound.options());
  EXPECT_TRUE(!found || !found->findings.empty());
}

}  // namespace
}  // namespace hastur
