// What is particular to History in files: joining, the index of names, retention, damage, the
// folder.

#include "state/history/sqlite_history.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "state/sqlite/database.h"
#include "tests/message/generators.h"
#include "tests/state/history/disk.h"

namespace hastur {
namespace {

using testing::HistoryDisk;
using testing::StreamWriter;

// --- joining
// ----------------------------------------------------------------------------------------------

TEST(SqliteHistory, JoiningKeepsEveryGeneratedMessageAtEveryStep) {
  const auto keeps = [] {
    HistoryDisk disk;
    disk.options.file_span = std::chrono::hours{24 * 365 * 200};
    auto history = disk.open();
    std::vector<Batch> written;
    std::int64_t received_us = 1'700'000'000'000'000;
    for (int left = *rc::gen::inRange(1, 12); left > 0; --left) {
      BatchBuilder builder;
      for (int rows = *rc::gen::inRange(1, 20); rows > 0; --rows) {
        auto parts = *testing::gen_parts();
        received_us += *rc::gen::inRange(0, 2'000'000);
        parts.received_us = received_us;
        const Message message = testing::build_message(parts);
        builder.add(message.view());
        if (*rc::gen::inRange(0, 5) == 0) {
          const Time second = whole_second(time_from_us(received_us));
          builder.add_tick(second, time_from_us(received_us), Micros{*rc::gen::inRange(0, 100)});
        }
      }
      written.push_back(builder.finish(history->stream(), history->last().next(),
                                       history->stream_time().value_or(Time{})));
      RC_ASSERT(history->append(written.back(), {}).has_value());
    }
    const auto wanted = testing::unpack(written);
    const Time later = time_from_us(received_us) + std::chrono::hours{1};
    for (bool more = true; more;) {
      more = history->maintain(later).value();
      const auto held = testing::unpack(testing::read_all(*history));
      RC_ASSERT(held == wanted);
    }
    RC_ASSERT(history->size().batches == 1u);
  };
  EXPECT_TRUE(rc::check("joined messages are equal", keeps));
}

TEST(SqliteHistory, JoinedBatchesAreLargeAndWeighLittle) {
  HistoryDisk disk;
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 2'000);
  testing::maintain_all(*history, writer.now() + std::chrono::minutes{11});
  const auto batches = testing::read_all(*history);
  EXPECT_LT(batches.size(), 12u);
  EXPECT_EQ(history->size().batches, batches.size());
  testing::expect_holds(*history, writer.written());
  const double messages = static_cast<double>(history->last().value);
  RecordProperty("bytes_per_message",
                 static_cast<int>(static_cast<double>(history->size().bytes) / messages));
}

TEST(SqliteHistory, TheNewestMessagesAreLeftAsTheyCame) {
  HistoryDisk disk;
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 800);
  const Time now = writer.now();
  testing::maintain_all(*history, now);
  std::size_t young = 0;
  for (const Batch& batch : testing::read_all(*history)) {
    if (batch.header.count == 61) ++young;
  }
  EXPECT_GE(young, 5u);
  EXPECT_LT(history->size().batches, 800u);
}

TEST(SqliteHistory, JoiningGoesOnAfterAReopenAndInOlderFiles) {
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{100};
  StreamWriter writer;
  for (int i = 0; i < 4; ++i) {
    auto history = disk.open();
    writer.write(*history, 130);
    for (int step = 0; step < i; ++step) {
      ASSERT_TRUE(history->maintain(writer.now()));
    }
  }
  auto history = disk.open();
  testing::maintain_all(*history, writer.now() + std::chrono::minutes{11});
  EXPECT_EQ(history->size().batches, history->size().files);
  testing::expect_holds(*history, writer.written());
}

TEST(SqliteHistory, ASearchByNameSkipsJoinedBatchesWithoutIt) {
  HistoryDisk disk;
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 600);
  BatchBuilder builder;
  MessageView rare;
  rare.type = MessageType::mark;
  rare.name = "deployed";
  rare.value = Value::of_null();
  rare.timestamp = rare.received_at = writer.now();
  rare.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
  builder.add(rare);
  const Batch batch =
      builder.finish(history->stream(), history->last().next(), *history->stream_time());
  ASSERT_TRUE(history->append(batch, {}));
  const Sequence rare_sequence = history->last();
  writer.write(*history, 600);
  testing::maintain_all(*history, writer.now() + std::chrono::minutes{11});
  const auto all = testing::read_all(*history);
  const std::vector<std::string> names = {"deployed"};
  const auto some = testing::read_all(*history, {1}, {.names = names});
  ASSERT_GT(all.size(), 3u);
  ASSERT_EQ(some.size(), 1u);
  EXPECT_LE(some.front().header.first, rare_sequence);
  EXPECT_GE(some.front().header.last(), rare_sequence);
}

// --- retention
// --------------------------------------------------------------------------------------------

TEST(SqliteHistory, FilesPastTheirAgeGoAndTheirNumbersAreKnownAsTrimmed) {
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{10};
  disk.options.keep_for = std::chrono::seconds{35};
  StreamWriter writer;
  auto history = disk.open();
  writer.write(*history, 100);
  const auto files_before = history->size().files;
  testing::maintain_all(*history, writer.now());
  EXPECT_LT(history->size().files, files_before);
  EXPECT_EQ(disk.files().size(), history->size().files);
  const Sequence oldest = history->oldest();
  EXPECT_GT(oldest, Sequence{1});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(history->oldest(), oldest);
    const auto lost = history->lost({1}, {1}).value();
    ASSERT_EQ(lost.size(), 1u);
    EXPECT_EQ(lost.front(), (LostRange{{1}, {oldest.value - 1}, "trimmed"}));
    EXPECT_TRUE(history->lost(oldest, history->last()).value().empty());
    EXPECT_EQ(history->read({1}, {}).value().front().header.first, oldest);
    EXPECT_EQ(history->find(time_from_us(1)).value(), oldest);
    testing::expect_accounted(*history);
    history.reset();
    history = disk.open();
  }
}

TEST(SqliteHistory, FilesGoWhenAllTogetherWeighTooMuch) {
  HistoryDisk disk;
  disk.options.keep_bytes = 400'000;
  StreamWriter writer;
  auto history = disk.open();
  for (int i = 0; i < 40; ++i) {
    writer.write(*history, 40);
    testing::maintain_all(*history, writer.now());
    ASSERT_LE(history->size().bytes, 400'000u + 200'000u);
  }
  EXPECT_GT(history->oldest(), Sequence{1});
  EXPECT_LE(disk.files().size(), 6u);
  testing::expect_accounted(*history);
}

// --- damage
// -----------------------------------------------------------------------------------------------

TEST(SqliteHistory, ADamagedFileCostsOnlyItsOwnMessages) {
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{10};
  StreamWriter writer;
  writer.write(*disk.open(), 50);
  const auto files = disk.files();
  ASSERT_GE(files.size(), 3u);
  disk.vfs.bytes(files[1])->assign(5'000, 'g');
  auto history = disk.open();
  testing::expect_accounted(*history);
  const auto lost = history->lost({1}, history->last()).value();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost.front().why, "corrupt");
  testing::maintain_all(*history, writer.now() + std::chrono::minutes{11});
  testing::expect_accounted(*history);
  writer.write(*history, 20);
}

// Runs a statement on a file of a History that is closed.
void damage(const HistoryDisk& disk, const std::string& file, const std::string& sql) {
  auto database = Database::open({.path = file, .vfs = disk.vfs.name()});
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->run(sql));
}

// A History of three files and more, of ten batches each but the last.
struct DamagedMiddle {
  HistoryDisk disk;
  StreamWriter writer;
  std::string middle;
  // The first numbers of the middle file's batches, and of the file after it.
  std::vector<std::uint64_t> firsts;

  DamagedMiddle() {
    disk.options.file_span = std::chrono::seconds{10};
    writer.write(*disk.open(), 35);
    const auto files = disk.files();
    HASTUR_CHECK(files.size() >= 3, "the span of a file does not fit the test");
    middle = files[1];
    const auto first_of = [](const std::string& name) {
      return std::stoull(name.substr(name.rfind('/') + 1));
    };
    for (std::uint64_t first = first_of(files[1]); first <= first_of(files[2]); first += 61) {
      firsts.push_back(first);
    }
  }
  // What is lost is what the batches [from, to) of the middle file held.
  void expect_lost(History& history, std::size_t from, std::size_t to) const {
    testing::expect_accounted(history);
    EXPECT_EQ(history.lost({1}, history.last()).value(),
              (std::vector<LostRange>{{{firsts[from]}, {firsts[to] - 1}, "corrupt"}}));
  }
};

TEST(SqliteHistory, ARowWhoseNumberFellIntoTheBatchBeforeItCostsOnlyItself) {
  DamagedMiddle made;
  damage(made.disk, made.middle,
         fmt::format("UPDATE batch SET first = {} WHERE first = {}", made.firsts[4] - 5,
                     made.firsts[4]));
  auto history = made.disk.open();
  // A reader that stands where the row was, and finds it before where it stands.
  const auto read = history->read({made.firsts[4]}, {}).value();
  EXPECT_EQ(read.front().header.first, Sequence{made.firsts[5]});
  made.expect_lost(*history, 4, 5);
}

TEST(SqliteHistory, ARowWhoseNumberFellIntoAJoinedBatchDoesNotHideIt) {
  DamagedMiddle made;
  testing::maintain_all(*made.disk.open(), made.writer.now() + std::chrono::minutes{11});
  // Empty copies of the joined row, each as a damaged number might leave it.
  for (const int offset : {20, 40}) {
    damage(made.disk, made.middle,
           fmt::format("INSERT INTO batch SELECT first + {}, 3, checksum, stream_time_before, "
                       "stream_time_after, received_at, x'' FROM batch ORDER BY first LIMIT 1",
                       offset));
  }
  auto history = made.disk.open();
  const auto read = history->read({made.firsts[0] + 100}, {}).value();
  EXPECT_EQ(read.front().header.first, Sequence{made.firsts[0]});
  testing::expect_holds(*history, made.writer.written());
  EXPECT_TRUE(history->lost({1}, history->last()).value().empty());
}

TEST(SqliteHistory, ARowThatClaimsTooManyMessagesCostsOnlyItself) {
  for (const std::size_t row : {std::size_t{4}, std::size_t{9}}) {
    for (const char* count : {"1000", "30", "1", "0"}) {
      SCOPED_TRACE(fmt::format("row {}, count {}", row, count));
      DamagedMiddle made;
      ASSERT_EQ(made.firsts.size(), 11u);
      damage(made.disk, made.middle,
             fmt::format("UPDATE batch SET count = {} WHERE first = {}", count, made.firsts[row]));
      auto history = made.disk.open();
      made.expect_lost(*history, row, row + 1);
      testing::maintain_all(*history, made.writer.now() + std::chrono::minutes{11});
      made.expect_lost(*history, row, row + 1);
      history.reset();
      history = made.disk.open();
      made.expect_lost(*history, row, row + 1);
    }
  }
}

TEST(SqliteHistory, ALastRowWhoseNumberIsOfAnotherFileCostsOnlyItself) {
  for (const char* first : {"7", "100000"}) {
    SCOPED_TRACE(first);
    DamagedMiddle made;
    damage(made.disk, made.middle,
           fmt::format("UPDATE batch SET first = {} WHERE first = {}", first, made.firsts[9]));
    auto history = made.disk.open();
    made.expect_lost(*history, 9, 10);
    testing::maintain_all(*history, made.writer.now() + std::chrono::minutes{11});
    made.expect_lost(*history, 9, 10);
  }
}

TEST(SqliteHistory, AFileWhoseTablesAreNotThoseOfAHistoryCostsOnlyItsOwnMessages) {
  DamagedMiddle made;
  std::string& bytes = *made.disk.vfs.bytes(made.middle);
  const auto column = bytes.find("stored BLOB");
  ASSERT_NE(column, std::string::npos);
  bytes[column] = 'x';
  auto history = made.disk.open();
  made.expect_lost(*history, 0, made.firsts.size() - 1);
}

TEST(SqliteHistory, AFileThatIsGoneIsKnownAsLostBeforeAnythingIsRead) {
  DamagedMiddle made;
  ASSERT_TRUE(remove_database(made.middle, made.disk.vfs.name()));
  auto history = made.disk.open();
  EXPECT_EQ(history->lost({1}, history->last()).value().size(), 1u);
  made.expect_lost(*history, 0, made.firsts.size() - 1);
}

TEST(SqliteHistory, DamagedBytesAnywhereAreNeverReadAsMessages) {
#ifdef HASTUR_SANITIZED
  std::uint64_t seeds = 25;
#else
  std::uint64_t seeds = 500;
#endif
  if (const char* asked = std::getenv("HASTUR_SEEDS")) seeds = std::stoull(asked);
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{25};
  StreamWriter writer;
  writer.write(*disk.open(), 60);
  const auto files = disk.files();
  ASSERT_GE(files.size(), 3u);
  const auto wanted = testing::unpack(writer.written());
  const std::string sound = *disk.vfs.bytes(files[1]);
  const std::string sound_tail = *disk.vfs.bytes(files.back());
  std::uint64_t lost_something = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    *disk.vfs.bytes(files.back()) = sound_tail;
    std::string& bytes = *disk.vfs.bytes(files[1]);
    bytes = sound;
    for (std::uint64_t left = 1 + random() % 30; left > 0; --left) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    auto history = disk.try_open();
    if (!history) continue;
    for (int round = 0; round < 2; ++round) {
      for (const auto& each : testing::unpack(testing::read_all(**history))) {
        const auto& original = wanted.at(each.sequence.value - 1);
        ASSERT_EQ(each.sequence, original.sequence);
        ASSERT_TRUE(each.message == original.message);
      }
      ASSERT_NO_FATAL_FAILURE(testing::expect_accounted(**history));
      for (int step = 0; step < 50; ++step) {
        const auto more = (*history)->maintain(writer.now() + std::chrono::minutes{11});
        if (more && !*more) break;
      }
    }
    if (!(*history)->lost({1}, (*history)->last()).value().empty()) ++lost_something;
  }
  EXPECT_GT(lost_something, seeds / 3);
}

TEST(SqliteHistory, ADamagedNewestFileIsRefusedByName) {
  HistoryDisk disk;
  StreamWriter writer;
  writer.write(*disk.open(), 3);
  disk.vfs.bytes(disk.files().back())->replace(0, 50, std::string(50, 'g'));
  const auto opened = disk.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
  EXPECT_NE(opened.error().message.find(disk.files().back()), std::string::npos);
}

TEST(SqliteHistory, NumbersOfALastRowThatIsNotWhatWasWrittenAreNotGivenOutAgain) {
  for (const char* change :
       {"count = 0", "count = -1", "count = count - 1", "count = count + 100000",
        "first = first - 1", "first = first - 1000", "first = first + 1000000000000", "first = -5",
        "first = -9000000000000000000", "first = 9000000000000000000", "received_at = 0"}) {
    SCOPED_TRACE(change);
    HistoryDisk disk;
    StreamWriter writer;
    writer.write(*disk.open(), 40);
    const Sequence given = writer.written().back().header.last();
    const Sequence sound = (writer.written().end() - 2)->header.last();
    damage(disk, disk.files().back(),
           fmt::format("UPDATE batch SET {} WHERE first = (SELECT max(first) FROM batch)", change));
    auto history = disk.open();
    const Sequence last = history->last();
    EXPECT_EQ(last, sound.plus(numbers_skipped));
    EXPECT_GT(last, given);
    EXPECT_EQ(history->lost({1}, last).value(),
              (std::vector<LostRange>{{sound.next(), last, "corrupt"}}));
    writer.write(*history, 3);
    testing::expect_accounted(*history);
    testing::maintain_all(*history, writer.now() + std::chrono::minutes{11});
    testing::expect_accounted(*history);
    const Sequence stands = history->last();
    history.reset();
    EXPECT_EQ(disk.open()->last(), stands) << "once only";
  }
}

// Cut, or with zeros from there on: it is refused, or no number is given out again.
TEST(SqliteHistory, ANewestFileThatIsCutGivesNoNumberOutAgain) {
  HistoryDisk disk;
  StreamWriter writer;
  writer.write(*disk.open(), 40);
  const std::string file = disk.files().back();
  const std::string sound = *disk.vfs.bytes(file);
  const Sequence given = writer.written().back().header.last();
  int refused = 0, opened = 0;
  for (std::size_t at = 4'096; at < sound.size(); at += 331) {
    for (const bool zeros : {true, false}) {
      SCOPED_TRACE(fmt::format("at {} of {}, zeros {}", at, sound.size(), zeros));
      std::string cut = sound.substr(0, at);
      if (zeros) cut.resize(sound.size(), '\0');
      *disk.vfs.bytes(file) = cut;
      const auto history = disk.try_open();
      if (!history) {
        EXPECT_NE(history.error().message.find(file), std::string::npos) << history.error().message;
        ++refused;
        continue;
      }
      ++opened;
      ASSERT_GE((*history)->last(), given);
      ASSERT_LE((*history)->last(), given.plus(numbers_skipped));
      (void)testing::read_all(**history);
      (void)(*history)->find(writer.now());
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(opened, 0);
}

TEST(SqliteHistory, WhenTheNewestFileIsTakenAwayItsNumbersAreNotUsedAgain) {
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{10};
  StreamWriter writer;
  writer.write(*disk.open(), 15);
  ASSERT_EQ(disk.files().size(), 2u);
  ASSERT_TRUE(remove_database(disk.files().back(), disk.vfs.name()));
  auto history = disk.open();
  EXPECT_GT(history->last(), writer.written().back().header.last());
  testing::expect_accounted(*history);
  // Once only.
  const Sequence last = history->last();
  history.reset();
  EXPECT_EQ(disk.open()->last(), last);
}

TEST(SqliteHistory, ANewerSchemaIsRefusedWithAClearText) {
  HistoryDisk disk;
  disk.open();
  {
    auto database = Database::open({.path = disk.files().back(), .vfs = disk.vfs.name()});
    ASSERT_TRUE(database->run("UPDATE meta SET value = 99 WHERE key = 'schema_version'"));
  }
  const auto opened = disk.try_open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("schema version 99"), std::string::npos);
}

// --- reopening, real files
// --------------------------------------------------------------------------------

TEST(SqliteHistory, EverythingIsThereAfterAReopen) {
  HistoryDisk disk;
  disk.options.file_span = std::chrono::seconds{5};
  StreamWriter writer;
  const std::vector<HostName> hosts = {{"u1", "a.example.com"}};
  const std::vector<DerivedMark> marks = {{"load/spike", {3}, {77}, 2}};
  const std::vector<std::pair<std::string, std::uint64_t>> counters = {{"received", 61}};
  const std::vector<LeaseRecord> leases = {{"a", {{5}}, {9}}};
  StreamId stream;
  std::optional<Time> stream_time;
  {
    auto history = disk.open();
    stream = history->stream();
    ASSERT_TRUE(history->save_leases(leases));
    writer.write(*history, 1, {.hosts = hosts, .marks = marks, .counters = counters});
    writer.write(*history, 20);
    stream_time = history->stream_time();
  }
  auto history = disk.open();
  EXPECT_EQ(history->stream(), stream);
  EXPECT_EQ(history->stream_time(), stream_time);
  EXPECT_EQ(history->received_at(), writer.now());
  EXPECT_EQ(history->hostname("u1"), "a.example.com");
  EXPECT_EQ(history->mark("load/spike")->run, hastur::Run{3});
  EXPECT_EQ(history->counters().at("received"), 61u);
  EXPECT_EQ(history->leases().front().owner, (OwnerId{{5}}));
  testing::expect_holds(*history, writer.written());
  writer.write(*history, 20);
  testing::expect_holds(*history, writer.written());
}

TEST(SqliteHistory, WorksInARealFolderAndRefusesASecondWriter) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "hastur_history_test" / "deep";
  std::filesystem::remove_all(folder.parent_path());
  const SqliteHistoryOptions options{
      .directory = folder, .file_span = std::chrono::seconds{10}, .boot_id = "boot-1"};
  StreamWriter writer;
  {
    auto history = open_history(options);
    ASSERT_TRUE(history) << history.error().message;
    writer.write(**history, 40);
    const auto second = open_history(options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_NE(second.error().message.find(folder.string() + "/lock"), std::string::npos);
    testing::maintain_all(**history, writer.now() + std::chrono::minutes{11});
    testing::expect_holds(**history, writer.written());
  }
  auto history = open_history(options);
  ASSERT_TRUE(history) << history.error().message;
  testing::expect_holds(**history, writer.written());
  EXPECT_GE((*history)->size().files, 4u);
  std::filesystem::remove_all(folder.parent_path());
}

}  // namespace
}  // namespace hastur
