#include "message/recording.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "message/json_codec.h"
#include "message/recording_items.h"
#include "message/stream_time.h"
#include "tests/message/generators.h"

namespace hastur {
namespace {

constexpr std::int64_t base = 1'700'000'000'000'000;
constexpr std::string_view uuid_a = "00000000-0000-4000-8000-00000000000a";

StreamId stream_id() {
  StreamId stream;
  stream.bytes.fill(7);
  return stream;
}

// A whole file, read.
struct Read {
  std::vector<Batch> batches;
  std::vector<Message> rows;
  std::uint64_t messages = 0, refused = 0, journal_lines = 0, line = 0;
  std::string error;

  // One word a row: ticks by their second, messages by name or type.
  std::string shape() const {
    std::string out;
    for (const Message& row : rows) {
      const MessageView& view = row.view();
      if (!out.empty()) out += ' ';
      if (view.type != MessageType::tick) {
        out += view.name.value_or(type_name(view.type));
        continue;
      }
      out += fmt::format("t{}", (to_us(view.timestamp) - base) / us_per_second);
      if (view.deaf > Micros{0}) out += fmt::format("~{}", view.deaf.count());
    }
    return out;
  }
};

Read read_stream(std::istream& input, std::uint32_t rows_max = 4096) {
  RecordingReader reader(input, "some.jsonl", {rows_max, stream_id()});
  Read read;
  Sequence expected{1};
  Time stream_time{};
  Time received_at{};
  std::vector<Label> scratch;
  while (true) {
    Result<std::optional<Batch>> next = reader.next();
    if (!next) {
      read.error = next.error().message;
      break;
    }
    if (!*next) break;
    const Batch& batch = read.batches.emplace_back(std::move(**next));
    EXPECT_EQ(batch.header.stream, stream_id());
    EXPECT_EQ(batch.header.first, expected);
    EXPECT_GT(batch.header.count, 0u);
    EXPECT_LE(batch.header.count, rows_max);
    EXPECT_EQ(batch.header.stream_time_before, stream_time);
    expected = batch.header.last().next();
    const auto view = BatchView::open(batch.header, batch.body);
    EXPECT_TRUE(view.has_value());
    for (std::uint32_t row = 0; row < view->count(); ++row) {
      read.rows.emplace_back(view->message(row, scratch));
      const MessageView& message = read.rows.back().view();
      EXPECT_GE(message.received_at, received_at);
      received_at = message.received_at;
      stream_time = std::max(stream_time, std::min(message.timestamp, message.received_at));
    }
  }
  read.messages = reader.messages();
  read.refused = reader.refused();
  read.journal_lines = reader.journal_lines();
  read.line = reader.line();
  return read;
}

Read read(const std::string& text, std::uint32_t rows_max = 4096) {
  std::istringstream input(text);
  return read_stream(input, rows_max);
}

std::string mark(std::string_view name, double second, std::string_view more = "") {
  return fmt::format("{{\"type\":\"mark\",\"name\":\"{}\",\"value\":null,\"timestamp\":{}{}}}\n",
                     name, base + static_cast<std::int64_t>(second * 1e6), more);
}
std::string tick(double second, std::string_view more = "") {
  return fmt::format("{{\"type\":\"tick\",\"time\":{}{}}}\n",
                     base + static_cast<std::int64_t>(second * 1e6), more);
}

TEST(Recording, NumbersLinesWithTheTicksBetweenThem) {
  const Read file = read(mark("a", 0.5) + mark("b", 0.7) + mark("c", 3.0) + mark("d", 2.0));
  EXPECT_EQ(file.error, "");
  EXPECT_EQ(file.shape(), "t0 a b t1 t2 t3 c d");
  EXPECT_EQ(file.messages, 4u);
  EXPECT_EQ(file.refused, 0u);
  EXPECT_EQ(file.line, 4u);
  EXPECT_EQ(file.rows[1].view().received_at, file.rows[1].view().timestamp);
  EXPECT_EQ(file.rows[1].view().uuid, recording_uuid);
}

TEST(Recording, TakesTickLinesAsTheyStandAndAddsOnlyTheMissing) {
  const Read file = read(tick(0) + mark("a", 0.5) + tick(1) + tick(2, ",\"deaf\":900000") +
                         mark("b", 4.5) + tick(4) + tick(5));
  EXPECT_EQ(file.shape(), "t0 a t1 t2~900000 t3 t4 b t5");
  EXPECT_EQ(file.messages, 2u);
  EXPECT_EQ(file.refused, 0u);
}

TEST(Recording, RefusesTickLinesThatSayNoTime) {
  const Read file =
      read(mark("a", 0.5) + "{\"type\":\"tick\"}\n" + tick(1, ",\"deaf\":-1") +
           tick(1, ",\"deaf\":\"x\"") + tick(1, ",\"deaf\":9000000000000000000") + tick(1.5));
  EXPECT_EQ(file.shape(), "t0 a error error error error error");
  EXPECT_EQ(file.refused, 5u);
  EXPECT_EQ(field_of(file.rows.back().view(), "error"),
            "some.jsonl:6: \"time\" of a tick must be a whole second");
}

TEST(Recording, KeepsBatchesToTheirSizeEvenInTheMiddleOfAGap) {
  const std::string text = mark("a", 0) + mark("b", 100) + mark("c", 100.5);
  const Read whole = read(text);
  EXPECT_EQ(whole.batches.size(), 1u);
  ASSERT_EQ(whole.rows.size(), 104u);
  for (const std::uint32_t rows_max : {1u, 2u, 7u, 103u, 104u}) {
    const Read parts = read(text, rows_max);
    EXPECT_EQ(parts.rows, whole.rows);
    EXPECT_EQ(parts.batches.size(), (104 + rows_max - 1) / rows_max);
  }
}

TEST(Recording, TurnsBadLinesIntoErrorMessages) {
  const Read file = read(mark("a", 0.5) + "{\"type\":\"mark\"}\n\n{\"half\n" + mark("b", 0.6));
  EXPECT_EQ(file.shape(), "t0 a error error b");
  EXPECT_EQ(file.messages, 4u);
  EXPECT_EQ(file.refused, 2u);
  EXPECT_EQ(field_of(file.rows[2].view(), "error"), "some.jsonl:2: \"name\" of a mark is missing");
  EXPECT_EQ(field_of(file.rows[3].view(), "data"), "{\"half");
  EXPECT_EQ(to_us(file.rows[2].view().timestamp), base + 500'000);
  EXPECT_EQ(file.line, 5u);
}

TEST(Recording, CutsALineThatIsTooLongAndGoesOn) {
  std::string huge = mark("huge", 1);
  huge.insert(huge.size() - 2, ",\"x\":\"" + std::string(1'200'000, 'x') + "\"");
  const Read file = read(mark("a", 0.5) + huge + mark("b", 0.6));
  EXPECT_EQ(file.shape(), "t0 a error b");
  EXPECT_NE(
      field_of(file.rows[2].view(), "error")->get<std::string>().find("more than 1048576 bytes"),
      std::string::npos);
}

TEST(Recording, PassesOverNoopAndAckAndTheJournal) {
  const Read file =
      read(mark("a", 0.5) +
           "{\"type\":\"noop\"}\n{\"type\":\"ack\"}\n{\"journal\":\"skip\",\"sequence\":1}\n" +
           "{\"first\":2,\"journal\":\"stretch\",\"last\":3}\n" + mark("b", 0.6, ",\"journal\":1") +
           "{\"type\":\"log\",\"data\":\"tick\"}\n");
  EXPECT_EQ(file.shape(), "t0 a b log");
  EXPECT_EQ(file.messages, 5u);
  EXPECT_EQ(file.journal_lines, 1u);
}

TEST(Recording, HandsOutTheLinesOfAJournalAndSaysWhichStandAtItsHead) {
  std::istringstream input("{\"journal\":\"skip\"}\n\n{\"journal\":\"lost\",\"trigger\":\"t\"}\n" +
                           mark("a", 0.5) + "{\"journal\":\"pause\"}\n");
  std::vector<std::string> seen;
  RecordingReader::Options options;
  options.journal = [&](const RecordingReader::JournalLine& line) {
    seen.push_back(fmt::format("{}{} {}", line.line, line.is_at_head ? "*" : "", line.text));
  };
  RecordingReader reader(input, "some.jsonl", options);
  while (*reader.next()) {
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"1* {\"journal\":\"skip\"}",
                                            "3* {\"journal\":\"lost\",\"trigger\":\"t\"}",
                                            "5 {\"journal\":\"pause\"}"}));
  EXPECT_EQ(reader.journal_lines(), 3u);
}

TEST(Recording, EndsABatchBeforeWhatHistoryHadLost) {
  const auto lost = [](int first, int last) {
    return fmt::format("{{\"first\":{},\"journal\":\"lost\",\"last\":{},\"why\":\"power\"}}\n",
                       first, last);
  };
  std::istringstream input(lost(1, 2) + mark("a", 0.5) + mark("b", 0.6) + lost(5, 9) +
                           lost(10, 11) + mark("c", 0.7) + lost(13, 13));
  RecordingReader reader(input, "some.jsonl", {});
  // Names of a batch, and what was lost before it.
  std::vector<std::string> parts;
  while (true) {
    const auto batch = reader.next();
    ASSERT_TRUE(batch);
    std::string part;
    for (const auto& range : reader.lost_before())
      part += fmt::format("{}-{} {}, ", range.first.value, range.last.value, range.why);
    parts.push_back(part + (*batch ? fmt::format("{} rows", (*batch)->header.count) : "end"));
    if (!*batch) break;
  }
  EXPECT_EQ(parts, (std::vector<std::string>{"1-2 power, 2 rows", "5-9 power, 10-11 power, 1 rows",
                                             "13-13 power, end"}));
  EXPECT_EQ(reader.lost_lines(), 4u);
  EXPECT_EQ(reader.journal_lines(), 0u);
  EXPECT_EQ(read(mark("a", 0.5) + lost(7, 6)).shape(), "t0 a error");
}

TEST(Recording, GivesALineWithoutATimeThatOfTheLineBefore) {
  const Read file = read("{\"type\":\"log\"}\n");
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(format_time(file.rows[1].view().timestamp), "2024-01-01T00:00:00Z");
  const Read after =
      read(mark("a", 0.5) + "{\"type\":\"log\"}\n" + tick(2) + "{\"type\":\"log\"}\n");
  EXPECT_EQ(after.shape(), "t0 a log t1 t2 log");
  EXPECT_EQ(to_us(after.rows[2].view().timestamp), base + 500'000);
  EXPECT_EQ(to_us(after.rows[5].view().timestamp), base + 2'000'000);
}

TEST(Recording, RaisesAReceiveTimeThatGoesBack) {
  const auto received = [](double second) {
    return fmt::format(",\"received_at\":{}", base + static_cast<std::int64_t>(second * 1e6));
  };
  // A sender's clock that runs ahead does not move stream time past when it was heard.
  const Read file = read(mark("a", 100, received(0.5)) + mark("b", 0.2, received(0.3)) +
                         mark("c", 1, received(1)));
  EXPECT_EQ(file.shape(), "t0 a b t1 c");
  EXPECT_EQ(to_us(file.rows[2].view().received_at), base + 500'000);
}

TEST(Recording, LeavesNoTickOutBeforeAFileOlderThanTheDefaultTime) {
  const Read file = read(
      "{\"type\":\"log\",\"timestamp\":1335826232}\n{\"type\":\"log\",\"timestamp\":1335826233}\n");
  EXPECT_EQ(file.rows.size(), 4u);
  EXPECT_EQ(to_us(file.rows[1].view().received_at), 1'335'826'232'000'000);
}

// History has no ticks there, and a replay of the file must see what one over History sees.
TEST(Recording, PutsInNoTicksForWhatHistoryHadLost) {
  const std::string lost = "{\"first\":5,\"journal\":\"lost\",\"last\":9,\"why\":\"power\"}\n";
  EXPECT_EQ(read(mark("a", 0.5) + lost + mark("b", 5.5) + mark("c", 7.5)).shape(),
            "t0 a b t6 t7 c");
  EXPECT_EQ(read(mark("a", 0.5) + lost + tick(5) + mark("b", 5.5)).shape(), "t0 a t5 b");
}

TEST(Recording, GivesMessagesTheHostNameLastRegistered) {
  const auto by = [](std::string_view uuid) { return fmt::format(",\"uuid\":\"{}\"", uuid); };
  const auto registers = [&](std::string_view host) {
    return fmt::format("{{\"type\":\"reg_agent\",\"hostname\":\"{}\"{}}}\n", host, by(uuid_a));
  };
  const Read file = read(mark("a", 0, by(uuid_a)) + registers("old") + mark("b", 0, by(uuid_a)) +
                         mark("c", 0, by(uuid_a) + ",\"hostname\":\"own\"") + registers("new") +
                         mark("d", 0, by(uuid_a)) + mark("e", 0));
  std::vector<std::string> hostnames;
  for (const Message& row : file.rows) hostnames.emplace_back(row.view().hostname.value_or("-"));
  // A registration has the name that it gives.
  EXPECT_EQ(hostnames,
            (std::vector<std::string>{"-", "-", "old", "old", "own", "new", "new", "-"}));
}

// As a syndicator has it: what nobody was named is no name, and triggers are on no host.
TEST(Recording, AnEmptyHostNameIsNoneAndADerivedMessageHasNone) {
  const std::string by = fmt::format(",\"uuid\":\"{}\"", uuid_a);
  const std::string origin = R"(,"origin":{"trigger":"t","depth":1})";
  const auto registers = [&](std::string_view type, std::string_view host,
                             std::string_view more = "") {
    return fmt::format("{{\"type\":\"{}\",\"hostname\":{}{}{}}}\n", type, host, by, more);
  };
  const Read file =
      read(registers("reg_agent", "\"\"") + mark("a", 0, by) + registers("reg_process", "\"web\"") +
           mark("b", 0, by) + registers("reg_agent", "\"\"") + registers("reg_agent", "null") +
           mark("c", 0, by + ",\"hostname\":\"\"") + mark("d", 0, by + origin) +
           mark("e", 0, by + origin + ",\"hostname\":\"own\"") +
           registers("reg_agent", "\"derived\"", origin) + mark("f", 0, by));
  std::string hostnames;
  for (const Message& row : file.rows) {
    if (!row.view().name) continue;
    hostnames += fmt::format("{}={} ", *row.view().name, row.view().hostname.value_or("-"));
  }
  EXPECT_EQ(hostnames, "a=- b=web c=web d=- e=- f=web ");
  EXPECT_EQ(file.refused, 0u);
}

TEST(Recording, ReadsHastursReplayFile) {
  const auto element = [](std::string_view payload, std::string_view type) {
    Json json{{"payload", payload},
              {"timestamp", base + 500'000},
              {"type", type},
              {"from", uuid_a},
              {"to", "00000000-0000-4000-8000-00000000000b"}};
    return json.dump();
  };
  const std::string text =
      " [\n " + element(R"({"name":"a","value":1})", "gauge") + ",\n" +
      element(fmt::format(R"({{"name":"b","value":"}}]\"","timestamp":{}}})", base + 2'000'000),
              "mark") +
      "," + element(R"({"hostname":"web-1"})", "reg_agent") + "," + element("{}", "hb_agent") +
      " ]\n";
  const Read file = read(text);
  EXPECT_EQ(file.error, "");
  EXPECT_EQ(file.shape(), "t0 a t1 t2 b reg_agent hb_agent");
  EXPECT_EQ(file.messages, 4u);
  EXPECT_EQ(file.line, 3u);
  const MessageView& gauge = file.rows[1].view();
  EXPECT_EQ(gauge.type, MessageType::gauge);
  EXPECT_EQ(gauge.uuid, uuid_a);
  EXPECT_EQ(to_us(gauge.timestamp), base + 500'000);
  EXPECT_EQ(gauge.received_at, gauge.timestamp);
  EXPECT_EQ(file.rows[4].view().value, Value::of("}]\""));
  EXPECT_EQ(file.rows[6].view().hostname, "web-1");
}

TEST(Recording, TurnsBadElementsIntoErrorMessages) {
  const Read file =
      read(R"([5, "x]", {}, {"payload":{}}, {"payload":"{","type":"gauge","from":")" +
           std::string(uuid_a) +
           R"("}, {"payload":"{}","type":"gauge"}, {"payload":"{}","type":"gaug","from":")" +
           std::string(uuid_a) + R"("}, {"payload":"{\"type\":\"log\"}"}, {"payload":"{\"ty)");
  EXPECT_EQ(file.shape().substr(file.shape().find(' ') + 1),
            "error error error error error error error log error");
  EXPECT_EQ(file.messages, 9u);
  EXPECT_EQ(file.refused, 8u);
}

TEST(Recording, NamesTheLineThatABadElementBeginsIn) {
  const Read file = read("[\n{\"payload\":\n\"{\\\"type\\\":\\\"log\\\"}\"},\n\n5]");
  EXPECT_EQ(file.shape(), "t4067200 log error");
  const auto why = field_of(file.rows[2].view(), "error");
  ASSERT_TRUE(why.has_value());
  EXPECT_TRUE(why->get<std::string>().starts_with("some.jsonl:5: ")) << *why;
}

TEST(Recording, NamesTheLineOfAFaultWithinAnElement) {
  const Read file = read("[\n{\"payload\":\"{\\\"type\\\":\\\"log\\\"}\"},\n{\n\"payload\":\n,}]");
  EXPECT_EQ(file.shape(), "t4067200 log error");
  const auto why = field_of(file.rows[2].view(), "error");
  ASSERT_TRUE(why.has_value());
  EXPECT_TRUE(why->get<std::string>().starts_with("some.jsonl:5: not JSON: ")) << *why;
  EXPECT_EQ(why->get<std::string>().find("at line"), std::string::npos) << *why;
  EXPECT_EQ(why->get<std::string>().find("column"), std::string::npos) << *why;
}

TEST(Recording, RefusesAnElementWhoseTimeIsNone) {
  const auto element = [](std::string_view timestamp) {
    return fmt::format(R"([{{"payload":"{{\"type\":\"log\"}}","timestamp":{}}}])", timestamp);
  };
  for (const char* bad : {"\"x\"", "1335826232.5", "true", "{}"}) {
    const Read file = read(element(bad));
    EXPECT_EQ(file.refused, 1u) << bad;
    ASSERT_EQ(file.rows.size(), 2u);
    EXPECT_EQ(
        field_of(file.rows[1].view(), "error"),
        "some.jsonl:1: \"timestamp\" of an element must be a whole number of s, ms, µs or ns");
  }
  for (const char* good : {"1335826232", "1335826232.0"}) {
    const Read file = read(element(good));
    ASSERT_EQ(file.rows.size(), 2u) << good;
    EXPECT_EQ(to_us(file.rows[1].view().timestamp), 1'335'826'232'000'000) << good;
  }
  // A core whose clock was not set.
  for (const char* absent : {"0", "-1", "1e300", "18446744073709551615", "null"}) {
    const Read file = read(element(absent));
    EXPECT_EQ(file.shape(), "t4067200 log") << absent;
    EXPECT_EQ(file.refused, 0u) << absent;
  }
}

TEST(Recording, RefusesAnOriginThatIsNone) {
  const auto line = [](std::string_view origin) {
    return mark("a", 0.5, fmt::format(",\"origin\":{}", origin));
  };
  for (const char* bad : {"5", "{}", R"({"trigger":"","depth":1})", R"({"trigger":"t"})",
                          R"({"trigger":"t","depth":"1"})", R"({"trigger":"t","depth":0})",
                          R"({"trigger":"t","depth":255})", R"({"trigger":"t","depth":1,"run":-1})",
                          R"({"trigger":"t","depth":1,"run":1.5})",
                          R"({"trigger":"t","depth":1,"ordinal":4294967296})",
                          R"({"trigger":"t","depth":1,"sequence":"7"})",
                          R"({"trigger":"t","depth":1,"correction":1})"}) {
    const Read file = read(mark("z", 0) + line(bad));
    EXPECT_EQ(file.shape(), "t0 z error") << bad;
    EXPECT_EQ(file.refused, 1u) << bad;
    EXPECT_TRUE(field_of(file.rows[2].view(), "error")
                    ->get<std::string>()
                    .starts_with("some.jsonl:2: \"origin\" must be"));
  }
  const Read file = read(line(R"({"trigger":"t","depth":1,"run":2.0,"ordinal":4294967295})"));
  ASSERT_EQ(file.shape(), "t0 a");
  EXPECT_EQ(file.rows[1].view().origin, (Origin{"t", {2}, {}, 4'294'967'295, 1}));
  EXPECT_FALSE(read(line("null")).rows[1].view().origin);
}

TEST(Recording, AnArrayThatDoesNotEndWasCutShort) {
  const std::string element = R"({"payload":"{\"type\":\"log\"}"})";
  for (const std::string& text : {"[" + element, "[" + element + ",\n", "[" + element + ",\n5",
                                  "[" + element + "][", "[" + element + ",{\"payload\":\"{"}) {
    const Read file = read(text);
    EXPECT_NE(file.error.find("was cut short"), std::string::npos) << text << ": " << file.error;
    EXPECT_GE(file.messages, 1u) << text;
  }
  for (const std::string& text : {"[" + element + "]", "[" + element + ",]\n",
                                  "[" + element + "]\n[" + element + "]", std::string("[5]")})
    EXPECT_EQ(read(text).error, "") << text;
}

TEST(Recording, OfNothingIsEmpty) {
  for (const char* text : {"", " \n\n", "[]", "[ ]\n"}) {
    const Read file = read(text);
    EXPECT_EQ(file.error, "") << text;
    EXPECT_TRUE(file.rows.empty());
  }
}

// In 2023, before what stands for a time that nothing says.
TEST(Recording, WhatStandsBeforeTheFirstTimeTakesIt) {
  const std::string junk = "{not json\n";
  const std::string timeless = "{\"type\":\"mark\",\"name\":\"x\",\"value\":null}\n";
  const std::string cut = "{\"a\":\"" + std::string(RecordingItems::item_bytes_max, 'x') + "\"}\n";
  const Read file = read(junk + timeless + cut + mark("a", 0.5) + mark("b", 3.5));
  EXPECT_EQ(file.shape(), "t0 error x error a t1 t2 t3 b");
  for (const std::size_t row : {1u, 2u, 3u, 4u}) {
    EXPECT_EQ(to_us(file.rows[row].view().timestamp), base + 500'000) << row;
  }
  EXPECT_EQ(file.refused, 2u);
  EXPECT_EQ(file.line, 5u);
  const auto why = field_of(file.rows[3].view(), "error");
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->get<std::string>().substr(0, 13), "some.jsonl:3:");

  EXPECT_EQ(read(timeless + tick(2) + mark("a", 4.5)).shape(), "t2 x t3 t4 a");
  // One that is refused says no time.
  EXPECT_EQ(read(timeless + tick(2.5) + mark("a", 4.5)).shape(), "t4 x error a");
  const std::string received = fmt::format(",\"received_at\":{}", base + 2'500'000);
  EXPECT_EQ(read(timeless + mark("a", 0.5, received)).shape(), "t2 x a");
  EXPECT_EQ(
      read("[{\"payload\":\"{}\"}," +
           fmt::format(R"({{"payload":"{{\"type\":\"noop\"}}","timestamp":{}}},)", base) +
           fmt::format(R"({{"payload":"{{\"type\":\"log\"}}","timestamp":{}}}])", base + 1'000'000))
          .shape(),
      "t0 error t1 log");
}

TEST(Recording, ALongRunOfTimelessLinesIsNotKept) {
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += "{\"type\":\"log\"}\n";
  const Read file = read(text + mark("a", 0.5));
  EXPECT_EQ(file.messages, 2'001u);
  EXPECT_EQ(format_time(file.rows[1].view().timestamp), "2024-01-01T00:00:00Z");
}

TEST(Recording, IsToldFromAnyOtherFile) {
  EXPECT_EQ(read("hello\n").error,
            "some.jsonl is no recording: it must begin with '{' (JSON Lines, one message a line) "
            "or '[' (a Hastur replay "
            "file)");
}

// A disk that fails after some bytes.
class FailingBuffer : public std::streambuf {
 public:
  explicit FailingBuffer(std::string text) : text_(std::move(text)) {
    setg(text_.data(), text_.data(), text_.data() + text_.size());
  }

 protected:
  int_type underflow() override { throw std::ios_base::failure("the disk is gone"); }

 private:
  std::string text_;
};

TEST(Recording, SaysThatAFileCannotBeRead) {
  for (const std::string& text : {std::string(), mark("a", 0.5), std::string("[{}")}) {
    FailingBuffer buffer(text);
    std::istream input(&buffer);
    EXPECT_NE(read_stream(input).error.find("some.jsonl cannot be read"), std::string::npos)
        << text;
  }
}

// What was read and written as lines again is read to the same rows, ticks and all.
RC_GTEST_PROP(RecordingProperty, ComesBackAsItWasWritten, ()) {
  std::string text;
  std::int64_t now = base;
  for (const Message& generated :
       *rc::gen::container<std::vector<Message>>(testing::gen_message())) {
    MessageView message = generated.view();
    now += *rc::gen::inRange<std::int64_t>(0, 3'000'000);
    message.received_at = time_from_us(now);
    message.timestamp = time_from_us(now + *rc::gen::inRange<std::int64_t>(-5'000'000, 5'000'000));
    append_message_json(text, message);
    text += '\n';
  }
  const Read once = read(text);
  RC_ASSERT(once.error.empty() && once.refused == 0);
  std::string written;
  for (std::size_t i = 0; i < once.rows.size(); ++i) {
    append_message_json(written, once.rows[i].view(), Sequence{i + 1});
    written += '\n';
  }
  const Read twice = read(written, 5);
  RC_ASSERT(twice.rows == once.rows);
}

}  // namespace
}  // namespace hastur
