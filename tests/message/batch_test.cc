#include "message/batch.h"
#include "core/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "core/hash.h"
#include "message/batch_layout.h"
#include "message/msgpack.h"
#include "tests/message/generators.h"

namespace hastur {
namespace {

using testing::build_message;
using testing::MessageParts;

const StreamId stream_of_test{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
const Time time_before = time_from_us(1'700'000'000'000'000);

MessageParts gauge(std::string name, double value) {
  MessageParts parts;
  parts.name = std::move(name);
  parts.value = value;
  parts.timestamp_us = parts.received_us = 1'700'000'000'500'000;
  parts.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
  return parts;
}

Batch batch_of(const std::vector<Message>& rows, Sequence first = {7}) {
  BatchBuilder builder;
  for (const Message& row : rows) builder.add(row.view());
  return builder.finish(stream_of_test, first, time_before);
}

std::vector<Message> rows_of(const BatchView& view) {
  std::vector<Message> rows;
  std::vector<Label> scratch;
  for (std::uint32_t row = 0; row < view.count(); ++row)
    rows.emplace_back(view.message(row, scratch));
  return rows;
}

std::vector<Message> rows_of(const Batch& batch) {
  const auto view = BatchView::open(batch.header, batch.body);
  EXPECT_TRUE(view) << view.error().message;
  return view ? rows_of(*view) : std::vector<Message>{};
}

// A batch with something in every table.
Batch full_batch() {
  MessageParts labelled = gauge("cpu.load", 0.5);
  labelled.labels = {{"app", "x"}, {"canary", false}, {"gone", nullptr}, {"pid", 17}};
  MessageParts tree = gauge("deploy", 0);
  tree.type = MessageType::compound;
  tree.value = Json{{"a", {1, 2}}};
  tree.fields = Json{{"x_unknown", "y"}};
  tree.hostname = "web-1";
  MessageParts derived = gauge("cpu.load.mean", -0.0);
  derived.origin = MessageParts::From{"billing/load", 3, 42, 1, 2};
  MessageParts mark = gauge("deploy", 0);
  mark.type = MessageType::mark;
  mark.value = "v1.2";
  MessageParts tick;
  tick.type = MessageType::tick;
  tick.timestamp_us = tick.received_us = 1'700'000'001'000'000;
  tick.deaf_us = 5;
  return batch_of({build_message(labelled), build_message(tree), build_message(derived),
                   build_message(mark), build_message(tick)});
}

TEST(Batch, EmptyBatchOpensAndHasNoRows) {
  const Batch batch = batch_of({});
  const auto view = BatchView::open(batch.header, batch.body);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->count(), 0u);
  EXPECT_EQ(batch.header.last(), Sequence{6});
  const auto decoded = decode_frame(encode_frame(batch));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->header, batch.header);
}

TEST(Batch, StringsStandOnce) {
  const Batch batch = batch_of(
      {build_message(gauge("a", 1)), build_message(gauge("a", 2)), build_message(gauge("b", 3))});
  const auto view = BatchView::open(batch.header, batch.body);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->string_count(), 3u);
  EXPECT_EQ(view->names()[0], view->names()[1]);
  EXPECT_EQ(view->string(view->names()[2]), "b");
  EXPECT_EQ(view->label_set_count(), 1u);
  EXPECT_EQ(view->sequence(2), Sequence{9});
}

TEST(Batch, LabelSetsAreToldApartByTypeAndByWhereTextsEnd) {
  MessageParts number = gauge("a", 1), text = number, shifted = number, again = number;
  number.labels = {{"k", 5}};
  text.labels = {{"k", "5"}};
  shifted.labels = {{"k5", ""}};
  again.labels = {{"k", 5.0}};
  const Batch batch = batch_of(
      {build_message(number), build_message(text), build_message(shifted), build_message(again)});
  const auto view = BatchView::open(batch.header, batch.body);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->label_set_count(), 4u);
  EXPECT_EQ(view->labels()[0], view->labels()[3]);
  EXPECT_EQ(view->label(view->labels()[1], 0), (Label{"k", Value::of(std::string_view("5"))}));
  EXPECT_EQ(view->label_value_id(view->labels()[0], 0), BatchView::none);
  EXPECT_EQ(view->string(view->label_value_id(view->labels()[1], 0)), "5");
}

TEST(Batch, TickBearsItsTimeAndDeafnessAlone) {
  BatchBuilder builder;
  builder.add_tick(time_before, time_before + Micros{5}, Micros{17});
  const std::vector<Message> rows = rows_of(builder.finish(stream_of_test, {1}, Time{}));
  ASSERT_EQ(rows.size(), 1u);
  MessageView tick;
  tick.type = MessageType::tick;
  tick.timestamp = time_before;
  tick.received_at = time_before + Micros{5};
  tick.deaf = Micros{17};
  EXPECT_TRUE(same_message(rows[0].view(), tick));
}

TEST(Batch, StreamTimesNeverFallAndASenderCannotRunThemAhead) {
  MessageParts late = gauge("a", 1), ahead = late, now = late;
  late.timestamp_us -= 60'000'000;
  ahead.timestamp_us += 3'600'000'000;
  now.timestamp_us += 10;
  now.received_us += 20;
  const Batch batch = batch_of({build_message(late), build_message(ahead), build_message(now)});
  const auto view = BatchView::open(batch.header, batch.body);
  std::vector<std::int64_t> times;
  stream_times(*view, times);
  const std::int64_t base = 1'700'000'000'500'000;
  EXPECT_EQ(times, (std::vector<std::int64_t>{to_us(time_before), base, base + 10}));
}

TEST(Batch, BytesForetellsTheBody) {
  BatchBuilder builder;
  const auto rows = rows_of(full_batch());
  for (const Message& row : rows) builder.add(row.view());
  const std::size_t foretold = builder.bytes();
  EXPECT_EQ(builder.finish(stream_of_test, {1}, Time{}).body.size(), foretold);
  EXPECT_EQ(builder.count(), 0u);
}

TEST(Batch, HasNoRoomAfterItsLastRow) {
  BatchBuilder builder;
  for (std::uint32_t i = 0; i < batch_rows_max; ++i) {
    ASSERT_TRUE(builder.has_room());
    builder.add_tick(time_before, time_before, Micros{0});
  }
  EXPECT_FALSE(builder.has_room());
  const Batch batch = builder.finish(stream_of_test, {1}, Time{});
  EXPECT_TRUE(decode_frame(encode_frame(batch)));
}

TEST(Batch, HasNoRoomWhenAMessageOfOneMebibyteCouldPassTheBound) {
  BatchBuilder builder;
  MessageParts big;
  big.type = MessageType::log;
  big.uuid = "u";
  for (int i = 0; builder.has_room(); ++i) {
    big.fields =
        Json{{"data", std::string(1u << 20, static_cast<char>('a' + i % 26)) + std::to_string(i)}};
    builder.add(build_message(big).view());
  }
  const Batch batch = builder.finish(stream_of_test, {1}, Time{});
  EXPECT_LE(batch.body.size(), batch_bytes_max);
  EXPECT_GT(batch.body.size(), batch_bytes_max / 10 * 9);
  EXPECT_TRUE(BatchView::open(batch.header, batch.body));
}

RC_GTEST_PROP(Batch, FrameGivesBackTheSameMessages, ()) {
  const auto rows = *testing::gen_rows();
  const Batch batch = batch_of(rows, {*rc::gen::inRange<std::uint64_t>(1, 1ull << 40)});
  const auto decoded = decode_frame(encode_frame(batch));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->header == batch.header);
  RC_ASSERT(decoded->body == batch.body);
  RC_ASSERT(rows_of(*decoded) == rows);
}

RC_GTEST_PROP(Batch, BuilderUsedAgainMakesTheSameBytes, ()) {
  const auto first = *testing::gen_rows();
  const auto second = *testing::gen_rows();
  BatchBuilder builder;
  for (const Message& row : first) builder.add(row.view());
  builder.finish(stream_of_test, {1}, Time{});
  for (const Message& row : second) builder.add(row.view());
  RC_ASSERT(builder.finish(stream_of_test, {7}, time_before).body == batch_of(second).body);
}

RC_GTEST_PROP(Batch, SliceIsTheSameRowsAtTheSameSequencesAndTimes, ()) {
  const auto rows = *testing::gen_rows();
  const Batch batch = batch_of(rows);
  const auto view = BatchView::open(batch.header, batch.body);
  const auto from = *rc::gen::inRange<std::uint32_t>(0, view->count() + 1);
  const auto count = *rc::gen::inRange<std::uint32_t>(0, view->count() - from + 1);
  const Batch part = slice(*view, from, count);
  const auto part_view = BatchView::open(part.header, part.body);
  RC_ASSERT(part_view.has_value());
  RC_ASSERT(part.header.first == batch.header.first.plus(from));
  RC_ASSERT(part.header.stream == batch.header.stream);
  RC_ASSERT(rows_of(*part_view) ==
            std::vector<Message>(rows.begin() + from, rows.begin() + from + count));
  std::vector<std::int64_t> whole_times, part_times;
  stream_times(*view, whole_times);
  stream_times(*part_view, part_times);
  RC_ASSERT(part_times == std::vector<std::int64_t>(whole_times.begin() + from,
                                                    whole_times.begin() + from + count));
}

TEST(BatchFrame, EveryTruncationIsAnError) {
  const std::string frame = encode_frame(full_batch());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const std::string cut = frame.substr(0, size);
    const auto decoded = decode_frame(cut);
    ASSERT_FALSE(decoded) << size;
    ASSERT_EQ(decoded.error().code, ErrorCode::corrupt);
  }
  EXPECT_FALSE(decode_frame(frame + "x"));
}

TEST(BatchFrame, EveryFlippedBitIsAnErrorOrChangesNothing) {
  const Batch batch = full_batch();
  const std::string frame = encode_frame(batch);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string flipped = frame;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    if (const auto decoded = decode_frame(flipped)) {
      ASSERT_EQ(decoded->header, batch.header) << bit;
      ASSERT_EQ(decoded->body, batch.body) << bit;
    }
  }
}

// The checksum keeps accidents out of open(); these come with a checksum that is right. Whatever
// opens must be readable to the last byte, and fit for a builder.
void read_everything(const BatchHeader& header, const std::string& body) {
  const auto view = BatchView::open(header, body);
  if (!view) return;
  BatchBuilder builder;
  std::size_t size = 0;
  for (const Message& row : rows_of(*view)) {
    builder.add(row.view());
    size += row.view().fields.size();
    if (!row.view().fields.empty()) {
      const Json fields = Json::from_msgpack(row.view().fields, true, false);
      ASSERT_TRUE(fields.is_object());
    }
  }
  for (std::uint32_t id = 0; id < view->string_count(); ++id) size += view->string(id).size();
  const Batch again = builder.finish(header.stream, header.first, header.stream_time_before);
  ASSERT_EQ(rows_of(again), rows_of(*view)) << size;
}

TEST(BatchBody, EveryFlippedBitIsAnErrorOrReadable) {
  const Batch batch = full_batch();
  for (std::size_t bit = 0; bit < batch.body.size() * 8; ++bit) {
    std::string flipped = batch.body;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    read_everything(batch.header, flipped);
  }
}

TEST(BatchBody, RandomDamageIsAnErrorOrReadable) {
  const Batch batch = full_batch();
  std::mt19937_64 random(20240101);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = batch.body;
    for (std::uint64_t i = random() % 4 + 1; i > 0; --i) {
      const std::size_t at = random() % damaged.size();
      constexpr std::array<unsigned char, 6> extremes{0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
      damaged[at] = static_cast<char>(random() % 2 == 0 ? extremes[random() % extremes.size()]
                                                        : random() & 0xFF);
    }
    if (random() % 8 == 0) damaged.resize(random() % damaged.size());
    BatchHeader header = batch.header;
    if (random() % 16 == 0) header.count = static_cast<std::uint32_t>(random() % 8);
    read_everything(header, damaged);
  }
}

// One named field of a good body broken at a time: each promise of open() has its own way to fail.
class BrokenBody : public ::testing::Test {
 protected:
  BrokenBody() {
    std::memcpy(&counts, batch.body.data(), sizeof counts);
    layout = BatchLayout::of(counts);
  }
  template <class T>
  void put(std::uint64_t section, std::size_t index, T value) {
    std::memcpy(batch.body.data() + section + index * sizeof value, &value, sizeof value);
  }
  std::string why() const {
    const auto view = BatchView::open(batch.header, batch.body);
    return view ? "" : view.error().message;
  }
  Batch batch = full_batch();
  BatchCounts counts;
  BatchLayout layout{};
};

TEST_F(BrokenBody, GoodOneOpens) { EXPECT_EQ(why(), ""); }
TEST_F(BrokenBody, UnknownType) {
  put<std::uint8_t>(layout.types, 0, 99);
  EXPECT_EQ(why(), "a batch cannot be read: row 0 has the unknown type 99");
}
TEST_F(BrokenBody, UnknownValueKind) {
  put<std::uint8_t>(layout.value_kinds, 0, 6);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, NumberThatIsNotFinite) {
  put(layout.values, 0, std::numeric_limits<double>::infinity());
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, StringBeyondTheTable) {
  put(layout.names, 0, counts.strings);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, ValueStringBeyondTheTable) {
  put<std::uint64_t>(layout.values, 3, counts.strings);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, LabelSetBeyondTheTable) {
  put(layout.labels, 0, BatchView::none);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, OriginBeyondTheTable) {
  put(layout.origins, 2, counts.origins);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, FieldsWithinAnEntry) {
  put<std::uint32_t>(layout.fields, 1, 2);
  EXPECT_NE(why(), "");
  put<std::uint32_t>(layout.fields, 1, counts.blob_bytes);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, BlobEntryLongerThanTheBlob) {
  put<std::uint32_t>(layout.blob_bytes, 0, counts.blob_bytes);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, StringEndsThatFall) {
  put<std::uint32_t>(layout.string_ends, 0, counts.string_bytes);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, FirstLabelSetNotEmpty) {
  put<std::uint32_t>(layout.label_set_ends, 0, 1);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, LabelKeysOutOfOrder) {
  std::uint32_t key = 0;
  std::memcpy(&key, batch.body.data() + layout.label_keys, sizeof key);
  put(layout.label_keys, 1, key);
  EXPECT_EQ(why(), "a batch cannot be read: the keys of a label set are not in order");
}
TEST_F(BrokenBody, LabelValueThatIsATree) {
  put(layout.label_kinds, 0, Value::Kind::tree);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, BooleanThatIsNeither) {
  put(layout.label_values, 1, 0.5);
  EXPECT_NE(why(), "");
}
TEST_F(BrokenBody, TickWithAName) {
  put<std::uint32_t>(layout.names, 4, 0);
  EXPECT_EQ(why(), "a batch cannot be read: row 4 is a tick with more than its time");
}
TEST_F(BrokenBody, TimeThatOverflows) {
  put(layout.timestamps, 0, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(why(), "a batch cannot be read: a time is out of range");
}
TEST_F(BrokenBody, CountsThatOverflow) {
  for (const std::size_t field : {1u, 2u, 3u, 4u, 5u, 6u, 7u}) {
    std::uint32_t before = 0;
    std::memcpy(&before, batch.body.data() + field * 4, 4);
    put<std::uint32_t>(0, field, 0xFFFFFFFF);
    EXPECT_NE(why(), "") << field;
    put(0, field, before);
  }
  EXPECT_EQ(why(), "");
}
TEST_F(BrokenBody, NewerFormatIsNamed) {
  put<std::uint32_t>(0, 0, 2);
  EXPECT_EQ(why(), "a batch cannot be read: its body has format 2, this program reads 1");
}
TEST_F(BrokenBody, SequencesThatOverflow) {
  batch.header.first = {UINT64_MAX - 1};
  EXPECT_NE(why(), "");
}

TEST(BatchBody, BlobThatIsNoJsonIsRefused) {
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {"\x81\x01\x01"sv, "\x81\xA1x"sv, "\xC4\x01x"sv, "\xD4\x01x"sv, "\xC1"sv, "\x92\x01\x02"sv,
        "\x82\xA1y\x01\xA1x\x01"sv, "\x81\xA1x\xCB\x7F\xF0\0\0\0\0\0\0"sv}) {
    MessageView view;
    view.type = MessageType::log;
    view.uuid = "u";
    view.fields = bad;
    BatchBuilder builder;
    builder.add(view);
    const Batch batch = builder.finish(stream_of_test, {1}, Time{});
    EXPECT_FALSE(BatchView::open(batch.header, batch.body));
  }
}

}  // namespace
}  // namespace hastur
