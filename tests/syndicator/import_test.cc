#include "syndicator/import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "message/recording_writer.h"
#include "tests/syndicator/syndicator_driver.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view sender = "8e58af00-708c-012f-e468-64ce8f3a9dc2";

// All of a History from `from` on, as export writes it.
std::string recording_of(History& history, Sequence from) {
  RecordingWriter writer;
  std::string text;
  for (Sequence next = from; next <= history.last();) {
    const auto batches = history.read(next, {});
    EXPECT_TRUE(batches && !batches->empty());
    if (!batches || batches->empty()) break;
    for (const Batch& batch : *batches) {
      writer.add(text, batch, from, history.last());
      next = batch.header.last().next();
    }
  }
  return text;
}

// What a syndicator made of a minute: every kind of message, what cannot be decoded, late and
// early times, a registration, derived messages, a second in which nothing was heard.
void record_a_minute(SyndicatorDriver& driver) {
  for (int i = 0; i < 60; ++i) {
    const std::int64_t now = to_us(driver.clock.now());
    driver.hears(
        fmt::format(R"({{"type":"gauge","name":"load","value":{},"uuid":"{}"}})", 0.1 * i, sender));
    driver.hears(
        fmt::format(R"({{"type":"counter","name":"n{}","timestamp":{},"extra":[{},"\u00e9"]}})",
                    i % 7, now - 3'000'000 + 700'000 * (i % 9), i));
    driver.hears(
        R"({"type":"compound","name":"c","value":{"b":[1,null],"a":"x"},"labels":{"k":5}})");
    if (i == 20) {
      driver.hears(fmt::format(R"({{"type":"reg_agent","hostname":"web1","uuid":"{}"}})", sender));
    }
    if (i % 10 == 3) driver.hears("\xff no JSON");
    driver.turn();
    if (i % 15 == 7) driver.syndicator->add_deaf(seconds{2});
    driver.clock.advance(milliseconds{i == 40 ? 12'345 : 990});
    driver.turn();
  }
}

class Import : public testing::Test {
 protected:
  Import() {
    std::string name = fs::temp_directory_path() / "hastur-import-XXXXXX";
    HASTUR_CHECK(mkdtemp(name.data()) != nullptr, "no folder for a test");
    folder_ = name;
    options_.history.directory = folder_ / "history";
    options_.history.boot_id = "boot";
  }
  ~Import() override { fs::remove_all(folder_); }

  Result<Imported> import(const std::string& text) {
    std::istringstream in(text);
    return import_recording(in, "some.jsonl", options_);
  }
  std::unique_ptr<History> open() {
    auto history = open_history(options_.history);
    EXPECT_TRUE(history) << history.error().message;
    return history ? std::move(*history) : nullptr;
  }
  // Names in the folder around the place.
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  ImportOptions options_;
};

TEST_F(Import, OfAnExportGivesTheSameBytesWhenExportedAgain) {
  SyndicatorDriver driver;
  record_a_minute(driver);
  const std::string text = recording_of(driver.history, {1});
  const auto imported = import(text);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->first, Sequence{1});
  EXPECT_EQ(imported->last, driver.history.last());
  EXPECT_FALSE(imported->renumbered);
  EXPECT_EQ(imported->refused, 0u);
  const auto history = open();
  ASSERT_TRUE(history);
  EXPECT_EQ(recording_of(*history, {1}), text);
  EXPECT_EQ(history->stream(), imported->stream);
  EXPECT_EQ(history->stream_time(), driver.history.stream_time());
  EXPECT_EQ(history->hostname(std::string(sender)), "web1");
  EXPECT_EQ(history->lost({1}, history->last()).value(), std::vector<LostRange>{});
  EXPECT_EQ(files(), 1u) << "nothing is left beside it";
}

TEST_F(Import, OfALaterStretchKeepsItsNumbers) {
  SyndicatorDriver driver;
  record_a_minute(driver);
  // Neither begins with a tick.
  for (const std::uint64_t from : {std::uint64_t{4}, driver.history.last().value / 2}) {
    const std::string text = recording_of(driver.history, {from});
    fs::remove_all(options_.history.directory);
    const auto imported = import(text);
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_LE(imported->first, Sequence{from});
    EXPECT_GE(imported->first.value + 1, from) << "at most the tick that stands first";
    EXPECT_EQ(imported->last, driver.history.last());
    EXPECT_FALSE(imported->renumbered);
    const auto history = open();
    ASSERT_TRUE(history);
    EXPECT_EQ(history->oldest(), imported->first);
    EXPECT_EQ(recording_of(*history, history->oldest()), text);
  }
}

TEST_F(Import, GoesOnAfterAHoleWithNumbersOfItsOwn) {
  SyndicatorDriver driver;
  record_a_minute(driver);
  std::string text = recording_of(driver.history, {1});
  const std::size_t second = text.find('\n') + 1;
  text.erase(second, text.find('\n', second) + 1 - second);
  const auto imported = import(text);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->renumbered, Sequence{2});
  EXPECT_EQ(imported->last.next(), driver.history.last());
}

TEST_F(Import, KnowsHowFarTriggersHadCome) {
  const auto derived = [](std::uint64_t run, std::uint64_t sequence, std::uint32_t ordinal) {
    return fmt::format(
        R"({{"name":"d","origin":{{"depth":1,"ordinal":{},"run":{},"sequence":{},"trigger":"a/b"}},)"
        R"("timestamp":1700000000000000,"type":"gauge","uuid":"{}","value":1}})"
        "\n",
        ordinal, run, sequence, trigger_uuid("a/b"));
  };
  ASSERT_TRUE(import(derived(2, 7, 0) + derived(3, 1, 4) + derived(3, 1, 2)));
  const auto mark = open()->mark("a/b");
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->run.value, 3u);
  EXPECT_EQ(mark->sequence, Sequence{1});
  EXPECT_EQ(mark->ordinal, 4u);
}

constexpr std::string_view good_line =
    R"({"name":"a","timestamp":1700000000,"type":"gauge","value":1})"
    "\n";

TEST_F(Import, StopsAtALineThatCannotBeDecodedAndLeavesNothing) {
  const std::string text = fmt::format("{0}{0}\n{{\"type\":\"gauge\"}}\n{0}", good_line);
  const auto refused = import(text);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_EQ(refused.error().message.find("some.jsonl:4: \"name\" of a gauge is missing"), 0u)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("--keep-bad"), std::string::npos);
  EXPECT_EQ(files(), 0u);

  options_.keep_bad = true;
  const auto kept = import(text);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->messages, 4u);
  EXPECT_EQ(kept->refused, 1u);
  // A tick before them.
  EXPECT_EQ(kept->last, Sequence{5});
}

TEST_F(Import, TakesNoPlaceThatHoldsMessagesOrThatASyndicatorHas) {
  ASSERT_TRUE(import(std::string(good_line)));
  const auto taken = import(std::string(good_line));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  EXPECT_NE(taken.error().message.find("1 to 2"), std::string::npos) << taken.error().message;
  EXPECT_EQ(open()->last(), Sequence{2});

  options_.history.directory = folder_ / "other";
  const auto running = open();
  const auto in_use = import(std::string(good_line));
  ASSERT_FALSE(in_use);
  EXPECT_EQ(in_use.error().code, ErrorCode::conflict);
  EXPECT_TRUE(fs::exists(options_.history.directory));
}

TEST_F(Import, TakesThePlaceOfAHistoryWithoutAMessageAndOfWhatAnImportLeftThatDied) {
  { const auto empty = open(); }
  options_.history.directory += ".import";
  { const auto left = open(); }
  options_.history.directory = folder_ / "history";
  const auto imported = import(std::string(good_line));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(open()->stream(), imported->stream);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Import, GoesWhereALinkLeads) {
  fs::create_directory(folder_ / "disk");
  fs::create_directory_symlink(folder_ / "disk", folder_ / "history");
  options_.history.directory += "/";
  ASSERT_TRUE(import(std::string(good_line)));
  EXPECT_TRUE(fs::is_symlink(folder_ / "history"));
  EXPECT_EQ(open()->last(), Sequence{2});
  EXPECT_EQ(files(), 2u);
}

TEST_F(Import, RemovesNothingThatIsNotAHistorys) {
  fs::create_directory(folder_ / "history");
  std::ofstream(folder_ / "history" / "letters.txt") << "dear";
  const auto imported = import(std::string(good_line));
  ASSERT_FALSE(imported);
  EXPECT_NE(imported.error().message.find("cannot be moved"), std::string::npos)
      << imported.error().message;
  EXPECT_TRUE(fs::exists(folder_ / "history" / "letters.txt"));
  // It can be moved by hand.
  options_.history.directory = folder_ / "history.import";
  EXPECT_EQ(open()->last(), Sequence{2});
}

TEST_F(Import, OfNothingIsRefused) {
  for (const std::string text : {"", "\n\n", "{\"journal\":\"skip\"}\n"}) {
    const auto imported = import(text);
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().message, "some.jsonl has no message in it");
  }
  EXPECT_FALSE(import("hello"));
  EXPECT_EQ(files(), 0u);
}

}  // namespace
}  // namespace hastur
