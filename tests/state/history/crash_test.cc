// What a History holds after its process or its power failed, or its disk was full.

#include <gtest/gtest.h>

#include "tests/state/history/disk.h"

namespace hastur {
namespace {

using testing::HistoryDisk;
using testing::StreamWriter;

using Counters = std::vector<std::pair<std::string, std::uint64_t>>;

// Appends batches with the number of messages so far as a counter, and joins old ones between,
// until something fails or all is done. Returns the batches whose append was acknowledged; `tried`
// gets one more if it failed.
struct Progress {
  std::vector<Batch> held;
  std::optional<Batch> tried;
};

void work(History& history, StreamWriter& writer, int batches, Progress& progress) {
  for (int i = 0; i < batches; ++i) {
    const Batch batch = writer.next(history);
    const Counters counters = {{"received", batch.header.last().value}};
    progress.tried = batch;
    if (!history.append(batch, {.hosts = {}, .marks = {}, .counters = counters})) return;
    progress.held.push_back(batch);
    progress.tried.reset();
    if (i % 4 == 3) {
      for (int step = 0; step < 4; ++step) {
        if (!history.maintain(writer.now() + std::chrono::minutes{11})) return;
      }
    }
  }
}

// The history holds what was acknowledged and perhaps the batch that was under way, and its facts
// are of the same transaction.
void expect_all_or_nothing(History& history, Progress& progress) {
  if (progress.tried && history.last() == progress.tried->header.last()) {
    progress.held.push_back(*progress.tried);
  }
  testing::expect_holds(history, progress.held);
  const auto counters = history.counters();
  const std::uint64_t received = counters.contains("received") ? counters.at("received") : 0;
  EXPECT_EQ(received, history.last().value);
}

TEST(HistoryCrash, AppendsRollOversAndJoinsAreAllOrNothingWhenKilledAtAnyChange) {
  std::uint64_t change = 1;
  for (;; ++change) {
    SCOPED_TRACE(change);
    HistoryDisk disk;
    disk.options.file_span = std::chrono::seconds{4};
    StreamWriter writer;
    Progress progress;
    disk.vfs.kill_at_change(change);
    if (auto history = disk.try_open()) work(**history, writer, 10, progress);
    const bool died = disk.vfs.is_down();
    disk.vfs.restart();
    auto history = disk.open();
    ASSERT_NO_FATAL_FAILURE(expect_all_or_nothing(*history, progress));
    EXPECT_TRUE(history->lost({1}, history->last()).value().empty());
    // It goes on, and the numbers are dense.
    Progress rest;
    work(*history, writer, 2, rest);
    EXPECT_EQ(rest.held.size(), 2u);
    if (!died || ::testing::Test::HasFailure()) break;
  }
  // A scenario this long has many places to die at.
  EXPECT_GT(change, 100u);
}

TEST(HistoryCrash, APowerLossReusesNoNumberAndRecordsTheHole) {
  int lost_something = 0;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE(seed);
    HistoryDisk disk;
    disk.options.file_span = std::chrono::seconds{5};
    StreamWriter writer(seed);
    std::vector<Batch> expected;
    for (int cut = 0; cut < 3; ++cut) {
      disk.options.boot_id = "boot-" + std::to_string(cut);
      auto history = disk.open();
      const Sequence before = history->last();
      Progress progress;
      work(*history, writer,
           1 + static_cast<int>((seed * 7 + static_cast<std::uint64_t>(cut) * 5) % 13), progress);
      const Sequence handed_out = history->last();
      disk.vfs.cut_power(seed * 31 + static_cast<std::uint64_t>(cut));
      history.reset();
      disk.vfs.restart();

      disk.options.boot_id = "boot-" + std::to_string(cut + 1);
      history = disk.open();
      ASSERT_GE(history->last(), handed_out);
      ASSERT_GE(history->last(), before.plus(std::uint64_t{1} << 32));
      // A beginning of what was written is there, and nothing else.
      const auto held = testing::read_all(*history, before.next());
      const std::uint64_t last_held = held.empty() ? before.value : held.back().header.last().value;
      if (last_held < handed_out.value) ++lost_something;
      for (const Batch& batch : progress.held) {
        if (batch.header.last().value <= last_held) expected.push_back(batch);
      }
      ASSERT_NO_FATAL_FAILURE(testing::expect_holds(*history, expected));
      ASSERT_NO_FATAL_FAILURE(testing::expect_accounted(*history));
      const auto lost = history->lost({last_held + 1}, {last_held + 1}).value();
      ASSERT_EQ(lost.size(), 1u);
      EXPECT_EQ(lost.front().why, "power");
      EXPECT_EQ(lost.front().last, history->last());
    }
  }
  EXPECT_GT(lost_something, 0);
}

TEST(HistoryCrash, SyncedAppendsSurviveAPowerLossWithoutAHole) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    HistoryDisk disk;
    disk.options.durability = Durability::synced;
    disk.options.file_span = std::chrono::seconds{5};
    StreamWriter writer(seed);
    Progress progress;
    {
      auto history = disk.open();
      work(*history, writer, 3 + static_cast<int>(seed % 10), progress);
      disk.vfs.cut_power(seed);
    }
    disk.vfs.restart();
    disk.options.boot_id = "boot-2";
    auto history = disk.open();
    ASSERT_NO_FATAL_FAILURE(expect_all_or_nothing(*history, progress));
    EXPECT_TRUE(history->lost({1}, history->last()).value().empty());
  }
}

TEST(HistoryCrash, ACleanCloseLeavesNoHoleEvenIfThePowerFailsAfterIt) {
  HistoryDisk disk;
  StreamWriter writer;
  writer.write(*disk.open(), 20);
  for (std::uint64_t cut = 2; cut < 20; ++cut) {
    disk.vfs.cut_power(cut);
    disk.vfs.restart();
    disk.options.boot_id = "boot-" + std::to_string(cut);
    auto history = disk.open();
    testing::expect_holds(*history, writer.written());
    EXPECT_TRUE(history->lost({1}, history->last()).value().empty());
  }
}

TEST(HistoryCrash, APowerLossRightAfterOpeningIsNoticed) {
  // The mark of the clean close is gone from the disk before a number is given out.
  HistoryDisk disk;
  StreamWriter writer;
  writer.write(*disk.open(), 3);
  for (std::uint64_t cut = 0; cut < 10; ++cut) {
    auto history = disk.open();
    const Sequence last = history->last();
    writer.write(*history, 1);
    disk.vfs.cut_power(cut);
    history.reset();
    disk.vfs.restart();
    disk.options.boot_id = "boot-after-" + std::to_string(cut);
    history = disk.open();
    ASSERT_GE(history->last(), last.plus(std::uint64_t{1} << 32));
  }
}

TEST(HistoryCrash, AnotherBootAfterAKillCountsAsAPowerLossAndTheSameBootDoesNot) {
  HistoryDisk disk;
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 3);
  disk.vfs.kill();
  history.reset();
  disk.vfs.restart();
  history = disk.open();
  EXPECT_EQ(history->last(), writer.written().back().header.last());
  disk.vfs.kill();
  history.reset();
  disk.vfs.restart();
  disk.options.boot_id = "boot-2";
  history = disk.open();
  EXPECT_EQ(history->last(), writer.written().back().header.last().plus(std::uint64_t{1} << 32));
}

TEST(HistoryCrash, LeasesAreOnTheDiskWhenSaveReturns) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    HistoryDisk disk;
    StreamWriter writer;
    auto history = disk.open();
    writer.write(*history, 2);
    const std::vector<LeaseRecord> leases = {{"a", {{1}}, {7}}};
    ASSERT_TRUE(history->save_leases(leases));
    disk.vfs.cut_power(seed);
    history.reset();
    disk.vfs.restart();
    history = disk.open();
    ASSERT_EQ(history->leases().size(), 1u);
    EXPECT_EQ(history->leases().front().epoch, Epoch{7});
    testing::expect_holds(*history, writer.written());
  }
}

TEST(HistoryCrash, AFullDiskRefusesTheAppendAndTakesItOnceThereIsRoom) {
  for (const auto file_span : {std::chrono::hours{6}, std::chrono::hours{0}}) {
    HistoryDisk disk;
    disk.options.file_span = file_span;  // 0: each append begins a new file
    StreamWriter writer;
    auto history = disk.open();
    writer.write(*history, 5);
    for (std::uint64_t room = 0; room < 20'000; room += 1'500) {
      SCOPED_TRACE(room);
      disk.vfs.set_room(disk.vfs.used_bytes() + room);
      std::optional<Batch> refused;
      for (int i = 0; i < 50 && !refused; ++i) {
        const Batch batch = writer.next(*history);
        const Sequence last = history->last();
        const Counters counters = {{"received", batch.header.last().value}};
        const auto appended =
            history->append(batch, {.hosts = {}, .marks = {}, .counters = counters});
        if (appended) {
          writer.written().push_back(batch);
          continue;
        }
        EXPECT_EQ(appended.error().code, ErrorCode::full) << appended.error().message;
        EXPECT_EQ(history->last(), last);
        refused = batch;
      }
      ASSERT_TRUE(refused);
      ASSERT_NO_FATAL_FAILURE(testing::expect_holds(*history, writer.written()));
      disk.vfs.set_room({});
      const auto appended = history->append(*refused, {});
      ASSERT_TRUE(appended) << appended.error().message;
      writer.written().push_back(*refused);
      ASSERT_NO_FATAL_FAILURE(testing::expect_holds(*history, writer.written()));
    }
  }
}

TEST(HistoryCrash, AFailedWriteOrSyncIsAnErrorAndCanBeTriedAgain) {
  HistoryDisk disk;
  disk.options.durability = Durability::synced;
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 2);
  const Batch batch = writer.next(*history);
  disk.vfs.fail_writes(true);
  EXPECT_FALSE(history->append(batch, {}));
  disk.vfs.fail_writes(false);
  disk.vfs.fail_syncs(true);
  EXPECT_FALSE(history->append(batch, {}));
  disk.vfs.fail_syncs(false);
  ASSERT_TRUE(history->append(batch, {}));
  writer.written().push_back(batch);
  testing::expect_holds(*history, writer.written());
}

}  // namespace
}  // namespace hastur
