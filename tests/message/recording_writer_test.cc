#include "message/recording_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/json.h"
#include "message/recording.h"

namespace hastur {
namespace {

constexpr std::int64_t base = 1'700'000'000'000'000;
constexpr std::string_view uuid = "00000000-0000-4000-8000-00000000000a";

// Batches of a stream of one gauge "a" and one counter "b" every 400 ms, with its ticks.
std::vector<Batch> stream(std::uint32_t rows_a_batch) {
  std::string text;
  for (int i = 0; i < 50; ++i) {
    fmt::format_to(std::back_inserter(text),
                   R"({{"type":"{}","name":"{}","value":{},"timestamp":{},"uuid":"{}"}})"
                   "\n",
                   i % 2 == 0 ? "gauge" : "counter", i % 2 == 0 ? "a" : "b", i, base + 400'000 * i,
                   uuid);
  }
  std::istringstream in(text);
  RecordingReader reader(in, "x", {rows_a_batch, {}});
  std::vector<Batch> batches;
  for (auto batch = reader.next(); batch && *batch; batch = reader.next())
    batches.push_back(std::move(**batch));
  return batches;
}

std::string written(RecordingWriter& writer, const std::vector<Batch>& batches,
                    Sequence first = {1}, Sequence last = {1'000}) {
  std::string text;
  for (const Batch& batch : batches) writer.add(text, batch, first, last);
  return text;
}

std::vector<Json> lines(const std::string& text) {
  std::vector<Json> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(parse_json(line).value());
  return all;
}

struct Read {
  std::vector<Message> rows;
  std::vector<Sequence> sequences;
};
Read read(const std::string& text) {
  std::istringstream in(text);
  RecordingReader reader(in, "x", {7, {}});
  Read all;
  std::vector<Label> scratch;
  for (auto batch = reader.next(); batch && *batch; batch = reader.next()) {
    const BatchView view = BatchView::trusted((*batch)->header, (*batch)->body);
    for (std::uint32_t row = 0; row < view.count(); ++row)
      all.rows.emplace_back(view.message(row, scratch));
    EXPECT_EQ(reader.row_sequences().size(), view.count());
    for (const Sequence sequence : reader.row_sequences()) all.sequences.push_back(sequence);
  }
  return all;
}

TEST(RecordingWriter, WritesWhatAReaderTakesForTheSameInputsWithTheirNumbers) {
  const std::vector<Batch> batches = stream(9);
  RecordingWriter writer;
  const Read back = read(written(writer, batches));
  std::vector<Label> scratch;
  std::size_t at = 0;
  for (const Batch& batch : batches) {
    const BatchView view = BatchView::trusted(batch.header, batch.body);
    for (std::uint32_t row = 0; row < view.count(); ++row, ++at) {
      ASSERT_LT(at, back.rows.size());
      EXPECT_TRUE(same_message(back.rows[at].view(), view.message(row, scratch)));
      EXPECT_EQ(back.sequences[at], view.sequence(row));
    }
  }
  EXPECT_EQ(back.rows.size(), at);
  EXPECT_EQ(writer.messages(), 50u);
  EXPECT_EQ(writer.messages() + writer.ticks(), at);
}

TEST(RecordingWriter, LeavesOutMessagesButNoTick) {
  RecordingWriter all;
  const std::vector<Batch> batches = stream(1'000);
  written(all, batches);
  RecordingWriter writer(Filter::parse(Json{{"name", "b"}, {"type", "counter"}}).value());
  std::size_t messages = 0, ticks = 0;
  for (const Json& line : lines(written(writer, batches))) {
    const bool tick = line["type"] == "tick";
    ++(tick ? ticks : messages);
    EXPECT_TRUE(tick || line["name"] == "b") << line;
  }
  EXPECT_EQ(messages, 25u);
  EXPECT_EQ(ticks, all.ticks());
  EXPECT_EQ(writer.messages(), 25u);
}

TEST(RecordingWriter, WritesOnlyTheStretchAndBeginsItWithATick) {
  const std::vector<Batch> batches = stream(4);
  const auto is_tick = [&](std::uint64_t number) {
    for (const Batch& batch : batches) {
      if (batch.header.first.value <= number && number <= batch.header.last().value)
        return BatchView::trusted(batch.header, batch.body)
                   .types()[number - batch.header.first.value] ==
               static_cast<std::uint8_t>(MessageType::tick);
    }
    return false;
  };
  for (std::uint64_t first = 1; first < 20; ++first) {
    RecordingWriter writer;
    const std::vector<Json> all = lines(written(writer, batches, {first}, {30}));
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.front()["type"], "tick") << first;
    EXPECT_EQ(all.front()["seq"], is_tick(first) ? first : first - 1);
    EXPECT_EQ(all.front()["time"].get<std::int64_t>() % us_per_second, 0);
    EXPECT_EQ(all.back()["seq"], 30);
    // A reader puts nothing before it.
    std::string text;
    for (const Json& line : all) text += line.dump() + "\n";
    EXPECT_EQ(read(text).rows.size(), all.size()) << first;
  }
}

TEST(RecordingWriter, SaysWhatIsLostInALineOfItsOwn) {
  std::string text;
  RecordingWriter::add_lost(text, {5}, {9}, "power");
  EXPECT_EQ(text, "{\"first\":5,\"journal\":\"lost\",\"last\":9,\"why\":\"power\"}\n");
}

}  // namespace
}  // namespace hastur
