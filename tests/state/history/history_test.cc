// The contract of History, over every implementation.

#include "state/history/history.h"

#include <gtest/gtest.h>

#include "state/history/memory_history.h"
#include "state/history/sqlite_history.h"
#include "tests/state/faulty_vfs.h"
#include "tests/state/history/stream.h"

namespace hastur {
namespace {

using testing::StreamWriter;

struct Subject {
  std::unique_ptr<FaultyVfs> disk;  // outlives the history on it
  std::unique_ptr<History> history;
};

Subject in_memory() { return {nullptr, make_memory_history({{1, 2, 3}})}; }

Subject on_sqlite(Micros file_span, Durability durability) {
  auto disk = std::make_unique<FaultyVfs>();
  auto history = open_history({.directory = "/h",
                               .durability = durability,
                               .file_span = file_span,
                               .vfs = disk->name(),
                               .list_files = [&disk = *disk] { return disk.list("/h"); }});
  HASTUR_CHECK(history, "a history opens on a sound disk");
  return {std::move(disk), std::move(*history)};
}

struct Kind {
  const char* name;
  std::function<Subject()> make;
};

class HistoryContract : public ::testing::TestWithParam<Kind> {
 protected:
  Subject subject_ = GetParam().make();
  History& history_ = *subject_.history;
  StreamWriter writer_;
};

TEST_P(HistoryContract, BeginsEmpty) {
  EXPECT_EQ(history_.last(), Sequence{0});
  EXPECT_EQ(history_.oldest(), Sequence{1});
  EXPECT_FALSE(history_.stream_time());
  EXPECT_FALSE(history_.received_at());
  EXPECT_TRUE(history_.read({1}, {}).value().empty());
  EXPECT_EQ(history_.find(time_from_us(5)).value(), Sequence{1});
  EXPECT_TRUE(history_.lost({1}, {1000}).value().empty());
  EXPECT_TRUE(history_.counters().empty());
  EXPECT_TRUE(history_.hosts().empty());
  EXPECT_TRUE(history_.leases().empty());
}

TEST_P(HistoryContract, GoesOnBehindWhatSomebodyHasSeen) {
  const auto lost = [&] { return history_.lost({1}, history_.last()).value(); };
  EXPECT_EQ(history_.skip_behind({0}).value(), std::nullopt);
  EXPECT_EQ(history_.skip_behind(sequence_max).error().code, ErrorCode::invalid);
  EXPECT_TRUE(lost().empty());
  const LostRange hole{{1}, Sequence{70}.plus(numbers_skipped), "set_back"};
  EXPECT_EQ(history_.skip_behind({70}).value(), hole);
  EXPECT_EQ(history_.last(), hole.last);
  EXPECT_EQ(lost(), std::vector{hole});
  EXPECT_EQ(history_.skip_behind({70}).value(), std::nullopt);
}

TEST_P(HistoryContract, HoldsEveryMessageUnderItsNumber) {
  writer_.write(history_, 30);
  EXPECT_EQ(history_.last(), writer_.written().back().header.last());
  EXPECT_EQ(history_.oldest(), Sequence{1});
  EXPECT_EQ(history_.received_at(), writer_.now());
  testing::expect_holds(history_, writer_.written());
  EXPECT_EQ(history_.size().batches, 30u);
}

TEST_P(HistoryContract, ReadsFromTheBatchThatHoldsTheSequence) {
  writer_.write(history_, 10);
  for (const Batch& batch : writer_.written()) {
    for (const Sequence from :
         {batch.header.first, batch.header.first.plus(7), batch.header.last()}) {
      const auto read = history_.read(from, {});
      ASSERT_TRUE(read);
      ASSERT_FALSE(read->empty());
      EXPECT_EQ(read->front().header, batch.header);
    }
  }
  EXPECT_TRUE(history_.read(history_.last().next(), {}).value().empty());
  EXPECT_TRUE(history_.read({~std::uint64_t{0} >> 1}, {}).value().empty());
  EXPECT_EQ(history_.read({0}, {}).value().front().header.first, Sequence{1});
}

TEST_P(HistoryContract, ReadsNoMoreThanTheLimitsButAtLeastOneBatch) {
  writer_.write(history_, 100);
  EXPECT_EQ(history_.read({1}, {.batches_max = 3, .names = {}}).value().size(), 3u);
  EXPECT_EQ(history_.read({1}, {.batches_max = 1000, .names = {}}).value().size(), 64u);
  EXPECT_EQ(history_.read({1}, {.bytes_max = 1, .names = {}}).value().size(), 1u);
}

TEST_P(HistoryContract, FindsTheFirstSequenceAtATime) {
  writer_.write(history_, 20);
  const auto all = testing::unpack(writer_.written());
  std::int64_t stream_time = 0;
  for (const auto& each : all) {
    const MessageView& view = each.message.view();
    const std::int64_t at = std::min(to_us(view.timestamp), to_us(view.received_at));
    if (at <= stream_time) continue;
    stream_time = at;
    ASSERT_EQ(history_.find(time_from_us(at)).value(), each.sequence);
  }
  EXPECT_EQ(history_.stream_time(), time_from_us(stream_time));
  EXPECT_EQ(history_.find(time_from_us(stream_time + 1)).value(), history_.last().next());
  EXPECT_EQ(history_.find(time_from_us(0)).value(), Sequence{1});
}

TEST_P(HistoryContract, FactsBecomeTrueWithTheirBatch) {
  const std::vector<HostName> hosts = {{"u1", "a.example.com"}, {"u2", "b.example.com"}};
  const std::vector<DerivedMark> marks = {{"load/spike", {3}, {77}, 2}};
  const std::vector<std::pair<std::string, std::uint64_t>> counters = {{"received", 61}};
  writer_.write(history_, 1, {.hosts = hosts, .marks = marks, .counters = counters});
  EXPECT_EQ(history_.hostname("u1"), "a.example.com");
  EXPECT_FALSE(history_.hostname("u3"));
  EXPECT_EQ(history_.hosts().size(), 2u);
  EXPECT_EQ(history_.counters().at("received"), 61u);
  const auto mark = history_.mark("load/spike");
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->sequence, Sequence{77});
  EXPECT_FALSE(history_.mark("other"));

  const std::vector<HostName> moved = {{"u1", "c.example.com"}};
  const std::vector<std::pair<std::string, std::uint64_t>> more = {{"received", 122},
                                                                   {"lost.ring", 1}};
  writer_.write(history_, 1, {.hosts = moved, .marks = {}, .counters = more});
  EXPECT_EQ(history_.hostname("u1"), "c.example.com");
  EXPECT_EQ(history_.hostname("u2"), "b.example.com");
  EXPECT_EQ(history_.counters().at("received"), 122u);
  EXPECT_EQ(history_.counters().at("lost.ring"), 1u);
}

TEST_P(HistoryContract, AnEmptyBatchCarriesFactsAlone) {
  const Batch empty = BatchBuilder().finish(history_.stream(), {1}, Time{});
  const std::vector<std::pair<std::string, std::uint64_t>> counters = {{"refused.size", 4}};
  ASSERT_TRUE(history_.append(empty, {.hosts = {}, .marks = {}, .counters = counters}));
  EXPECT_EQ(history_.last(), Sequence{0});
  EXPECT_EQ(history_.counters().at("refused.size"), 4u);
  writer_.write(history_, 1);
}

TEST_P(HistoryContract, LeasesAreKeptByTrigger) {
  const std::vector<LeaseRecord> first = {{"a", {{1}}, {1}}, {"b", {{1}}, {1}}};
  const std::vector<LeaseRecord> second = {{"a", {{2}}, {2}}};
  ASSERT_TRUE(history_.save_leases(first));
  ASSERT_TRUE(history_.save_leases(second));
  const auto leases = history_.leases();
  ASSERT_EQ(leases.size(), 2u);
  EXPECT_EQ(leases[0].owner, (OwnerId{{2}}));
  EXPECT_EQ(leases[0].epoch, Epoch{2});
  EXPECT_EQ(leases[1].trigger, "b");
}

TEST_P(HistoryContract, ABatchThatDoesNotContinueTheStreamEndsTheProcess) {
  writer_.write(history_, 1);
  Batch batch = writer_.next(history_);
  ++batch.header.first.value;
  EXPECT_DEATH((void)history_.append(batch, {}), "continue");
  batch = writer_.next(history_);
  batch.header.stream.bytes[0] ^= 1;
  EXPECT_DEATH((void)history_.append(batch, {}), "another stream");
}

TEST_P(HistoryContract, MaintainingChangesNoMessage) {
  writer_.write(history_, 200);
  for (const Micros later : {Micros{0}, Micros{std::chrono::minutes{20}}}) {
    int steps = 0;
    while (history_.maintain(writer_.now() + later).value()) ASSERT_LT(++steps, 10'000);
    testing::expect_holds(history_, writer_.written());
  }
  writer_.write(history_, 3);
  testing::expect_holds(history_, writer_.written());
}

TEST_P(HistoryContract, ReadingByNameHidesNoMessageOfThatName) {
  writer_.write(history_, 200);
  while (history_.maintain(writer_.now() + std::chrono::minutes{20}).value()) {
  }
  const std::vector<std::string> names = {"nobody.sends.this", "host.uptime.hours"};
  const auto count = [&](const std::vector<Batch>& batches) {
    return std::ranges::count_if(testing::unpack(batches), [&](const testing::Numbered& each) {
      return each.message.view().name == names[1];
    });
  };
  EXPECT_EQ(count(testing::read_all(history_, {1}, {.names = names})), 200);
}

TEST(DerivedMark, CoversWhatWasAppendedBefore) {
  const DerivedMark mark{"t", {2}, {100}, 3};
  EXPECT_TRUE(mark.covers({2}, {100}, 3));
  EXPECT_TRUE(mark.covers({2}, {99}, 7));
  EXPECT_TRUE(mark.covers({1}, {500}, 0));
  EXPECT_FALSE(mark.covers({2}, {100}, 4));
  EXPECT_FALSE(mark.covers({2}, {101}, 0));
  EXPECT_FALSE(mark.covers({3}, {1}, 0));
}

INSTANTIATE_TEST_SUITE_P(
    All, HistoryContract,
    ::testing::Values(
        Kind{"memory", in_memory},
        Kind{"sqlite", [] { return on_sqlite(std::chrono::hours{6}, Durability::standard); }},
        Kind{"sqlite_in_small_files",
             [] { return on_sqlite(std::chrono::seconds{7}, Durability::standard); }},
        Kind{"sqlite_synced", [] { return on_sqlite(std::chrono::hours{6}, Durability::synced); }}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace hastur
