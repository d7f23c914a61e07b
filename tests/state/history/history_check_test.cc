// What a check of a History folder finds, and that it finds nothing in one that is sound.

#include "state/history/history_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "state/history/history_folder.h"
#include "state/sqlite/database.h"
#include "tests/state/history/disk.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

using testing::StreamWriter;

class HistoryChecked : public ::testing::Test {
 protected:
  // Two files, the first with joined rows, and a syndicator that has ended.
  HistoryChecked() {
    options_.directory = folder_.file("history");
    options_.file_span = std::chrono::seconds{40};
    options_.boot_id = "boot-1";
    StreamWriter writer;
    auto history = open_history(options_).value();
    writer.write(*history, 60);
    testing::maintain_all(*history, writer.now() + std::chrono::hours{1});
    writer.write(*history, 10);
    last_ = history->last();
  }
  std::string newest() const { return file(history_files(options_.directory).value().back()); }
  std::string oldest() const { return file(history_files(options_.directory).value().front()); }
  std::string file(Sequence first) const {
    return fmt::format("{}/{:020}.db", options_.directory, first.value);
  }
  static void change(const std::string& path, const std::string& sql) {
    auto database = Database::open({.path = path});
    ASSERT_TRUE(database);
    const auto done = database->run_script(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  HistoryCheck check() { return check_history(options_.directory).value(); }
  std::string only_finding() {
    const HistoryCheck found = check();
    EXPECT_EQ(found.findings.size(), 1u);
    return found.findings.empty() ? "" : found.findings[0];
  }

  TemporaryFolder folder_;
  SqliteHistoryOptions options_;
  Sequence last_;
};

TEST_F(HistoryChecked, FindsNothingInASoundOne) {
  const HistoryCheck found = check();
  EXPECT_EQ(found.findings, std::vector<std::string>());
  EXPECT_GE(found.files, 2u);
  EXPECT_EQ(found.messages, last_.value);
  EXPECT_EQ(found.last, last_);
  EXPECT_EQ(found.oldest, Sequence{1});
}

TEST_F(HistoryChecked, FindsNothingWhileItIsWritten) {
  auto history = open_history(options_).value();
  StreamWriter writer(2);
  std::uint64_t looks = 0;
  const auto look = [&](Sequence) {
    // It would follow the stream for ever.
    if (++looks > 100) return;
    BatchBuilder builder;
    builder.add_tick(*history->stream_time() + std::chrono::seconds{1},
                     *history->received_at() + std::chrono::seconds{1}, {});
    ASSERT_TRUE(history->append(
        builder.finish(history->stream(), history->last().next(), *history->stream_time()), {}));
    ASSERT_TRUE(history->maintain(*history->received_at() + std::chrono::minutes{1}));
  };
  EXPECT_EQ(check_history(options_.directory, look).value().findings, std::vector<std::string>());
  EXPECT_GT(looks, 1u);
}

TEST_F(HistoryChecked, FindsABatchThatIsNotWhatWasStored) {
  change(oldest(), "UPDATE batch SET stored = zeroblob(length(stored)) WHERE first = 1");
  EXPECT_NE(only_finding().find(oldest()), std::string::npos);
}

TEST_F(HistoryChecked, FindsARowThatIsNotThere) {
  change(newest(),
         "DELETE FROM batch WHERE first = (SELECT first FROM batch ORDER BY first DESC "
         "LIMIT 1 OFFSET 2)");
  EXPECT_NE(only_finding().find("are missing, and are not known as lost"), std::string::npos);
}

TEST_F(HistoryChecked, KnowsWhatIsKnownAsLost) {
  change(newest(),
         "INSERT INTO lost SELECT first, first + count - 1, 'corrupt' FROM batch ORDER "
         "BY first DESC LIMIT 1 OFFSET 2; DELETE FROM batch WHERE first IN (SELECT first "
         "FROM lost)");
  const HistoryCheck found = check();
  EXPECT_EQ(found.findings, std::vector<std::string>());
  EXPECT_GT(found.lost, 0u);
}

TEST_F(HistoryChecked, FindsAnIndexOfOtherNames) {
  change(oldest(), "UPDATE names SET hashes = x'00000000' WHERE first = 1");
  EXPECT_NE(only_finding().find("other names"), std::string::npos);
}

TEST_F(HistoryChecked, ComesToItsEndWhateverTheNumbersOfRowsAre) {
  for (const char* change : {"count = 0", "count = -1", "first = 0, count = 0", "first = -5",
                             "first = 9223372036854775807", "count = count + 100000"}) {
    for (const bool last : {true, false}) {
      SCOPED_TRACE(fmt::format("{} {}", change, last));
      const std::string copy = folder_.file("copy");
      std::filesystem::copy_file(newest(), copy);
      this->change(newest(), fmt::format("UPDATE batch SET {} WHERE first = (SELECT {}(first) FROM "
                                         "batch)",
                                         change, last ? "max" : "min"));
      const HistoryCheck found = check();
      EXPECT_FALSE(found.findings.empty());
      EXPECT_LE(found.last, last_.plus(200'000));
      std::filesystem::rename(copy, newest());
    }
  }
}

TEST_F(HistoryChecked, ComesToItsEndWhereverTheNewestFileIsCut) {
  std::string sound;
  {
    std::ifstream file(newest(), std::ios::binary);
    sound.assign(std::istreambuf_iterator<char>(file), {});
  }
  for (std::size_t at = 4'096; at < sound.size(); at += 1'331) {
    SCOPED_TRACE(at);
    std::ofstream file(newest(), std::ios::binary);
    file << sound.substr(0, at) << std::string(sound.size() - at, '\0');
    file.close();
    EXPECT_FALSE(check().findings.empty());
  }
}

TEST_F(HistoryChecked, CountsWhatIsLostBetweenFilesOnce) {
  {
    auto history = open_history(options_).value();
    for (int second = 0; second < 60; ++second) {
      BatchBuilder builder;
      const Time at = *history->stream_time() + std::chrono::seconds{1};
      builder.add_tick(at, std::max(at, *history->received_at()), {});
      ASSERT_TRUE(history->append(
          builder.finish(history->stream(), history->last().next(), *history->stream_time()), {}));
    }
  }
  const auto firsts = history_files(options_.directory).value();
  ASSERT_GE(firsts.size(), 3u);
  ASSERT_TRUE(remove_database(file(firsts[1])));
  // The syndicator finds it gone at its start.
  open_history(options_).value().reset();
  const HistoryCheck found = check();
  EXPECT_EQ(found.findings, std::vector<std::string>());
  EXPECT_EQ(found.lost, firsts[2].value - firsts[1].value);
}

TEST_F(HistoryChecked, FindsAFileThatIsNotThere) {
  ASSERT_TRUE(remove_database(newest()));
  EXPECT_NE(only_finding().find("a newer file was begun after it"), std::string::npos);
}

TEST_F(HistoryChecked, DoesNotCallTheFileOfANewerProgramDamaged) {
  change(newest(), "UPDATE meta SET value = 99 WHERE key = 'schema_version'");
  const auto found = check_history(options_.directory);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("the newer program that wrote it"), std::string::npos);
}

TEST_F(HistoryChecked, SaysThatThereIsNone) {
  EXPECT_FALSE(check_history(folder_.file("nothing")));
  EXPECT_FALSE(check_history(folder_.file("")));
}

}  // namespace
}  // namespace hastur
