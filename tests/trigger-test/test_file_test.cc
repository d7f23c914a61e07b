#include "trigger-test/test_file.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "trigger-test/nicknames.h"
#include "trigger-test/stream.h"

namespace hastur {
namespace {

struct Read {
  TestFile file;
  std::optional<TestFileError> error;
};

Read read(const std::string& json) {
  Read result;
  const Result<Json> data = parse_json(json);
  EXPECT_TRUE(data) << json;
  result.error = read_test_file(*data, SourcePlaces::of_json(json), result.file);
  return result;
}

std::string fault(const std::string& json) {
  const Read result = read(json);
  EXPECT_TRUE(result.error) << json;
  return result.error ? result.error->text : "";
}

TEST(TestFile, IsOneTestOrAList) {
  const Read one =
      read(R"({"messages":[{"type":"gauge","name":"g","value":1}],"nothing_else":true})");
  ASSERT_FALSE(one.error) << one.error->text;
  ASSERT_EQ(one.file.cases.size(), 1u);
  EXPECT_EQ(one.file.cases[0].name, "test 1");
  EXPECT_TRUE(one.file.cases[0].nothing_else);
  const Read two = read(R"([{"name":"a","expect":[]},{"expect":{}}])");
  ASSERT_FALSE(two.error) << two.error->text;
  ASSERT_EQ(two.file.cases.size(), 2u);
  EXPECT_EQ(two.file.cases[1].name, "test 2");
}

TEST(TestFile, ReadsTimesOfMessagesAndExpectations) {
  const Read result = read(R"({
    "start": "2026-01-01T00:00:00Z", "ends": "1h",
    "messages": [{"type":"hb_agent","uuid":"u1","at":"1s","every":"5s","times":6,"timestamp":"500ms"},
                 {"type":"gauge","name":"g","at":1.5,"values":[1,2,3]},
                 {"recording":"x.jsonl","at":"2m"}],
    "expect": [{"page":"k/u1","at":"35s","details":{"a":1}},
               {"resolve":"k/u1","between":["1m","2m"]},
               {"message":"m","value":3,"at":"1m","every":"1m","times":3},
               {"state":{"n":1},"whole":true},
               {"log":"x*","never":true}]})");
  ASSERT_FALSE(result.error) << result.error->text;
  const TestCase& test = result.file.cases[0];
  EXPECT_EQ(format_time(test.start), "2026-01-01T00:00:00Z");
  ASSERT_EQ(test.messages.size(), 3u);
  EXPECT_EQ(test.messages[0].at, std::chrono::seconds{1});
  EXPECT_EQ(test.messages[0].every, std::chrono::seconds{5});
  EXPECT_EQ(test.messages[0].times, 6u);
  EXPECT_EQ(test.messages[0].timestamp, std::chrono::milliseconds{500});
  EXPECT_EQ(test.messages[1].at, std::chrono::milliseconds{1500});
  EXPECT_EQ(test.messages[1].times, 3u);
  EXPECT_EQ(test.messages[2].recording, "x.jsonl");
  ASSERT_EQ(test.expect.size(), 7u);
  EXPECT_EQ(test.expect[0].wanted, Json({{"key", "k/u1"},
                                         {"action", "trigger"},
                                         {"kind", "pager_duty"},
                                         {"details", {{"a", 1}}}}));
  EXPECT_EQ(test.expect[1].wanted, Json({{"key", "k/u1"}, {"action", "resolve"}}));
  EXPECT_EQ(test.expect[1].to, std::chrono::minutes{2});
  EXPECT_EQ(test.expect[4].from, std::chrono::minutes{3});
  EXPECT_TRUE(test.expect[5].whole);
  EXPECT_FALSE(test.expect[5].from);
  EXPECT_TRUE(test.expect[6].never);
}

TEST(TestFile, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(fault("[]").find("a test file holds"), std::string::npos);
  EXPECT_NE(fault(R"({"mesages":[]})").find("did you mean 'messages'?"), std::string::npos);
  EXPECT_NE(fault(R"({"messages":[{"name":"g"}]})").find("needs a type"), std::string::npos);
  EXPECT_NE(fault(R"({"messages":[{"type":"gauge","at":"soon"}]})").find("at: a time counts"),
            std::string::npos);
  EXPECT_NE(fault(R"({"messages":[{"type":"gauge","times":0}]})").find("times must be"),
            std::string::npos);
  EXPECT_NE(fault(R"({"expect":[{"pge":"x"}]})").find("did you mean 'page'?"), std::string::npos);
  EXPECT_NE(fault(R"({"expect":[{"page":"x","log":"y"}]})").find("either page or log"),
            std::string::npos);
  EXPECT_NE(fault(R"({"expect":[{"page":"x","vlaue":1}]})").find("has no key 'vlaue'"),
            std::string::npos);
  EXPECT_NE(fault(R"({"expect":[{"page":"x","between":["2m","1m"]}]})").find("the earlier first"),
            std::string::npos);
  EXPECT_NE(fault(R"({"expect":[{"page":"x","times":3,"at":"1s"}]})").find("needs an every"),
            std::string::npos);
  const auto message = [](const std::string& key) {
    return fault(R"({"messages":[{"type":"gauge","name":"g","value":1,")" + key + R"(":3}]})");
  };
  EXPECT_NE(message("tims").find("did you mean 'times'?"), std::string::npos);
  EXPECT_NE(message("evry").find("did you mean 'every'?"), std::string::npos);
  EXPECT_NE(message("timestmap").find("did you mean 'timestamp'?"), std::string::npos);
  // What senders may mean is theirs.
  EXPECT_FALSE(
      read(R"({"messages":[{"type":"gauge","name":"g","value":1,"duration":3,"time":4}]})").error);
  const Read second = read("{\"expect\":[\n{\"page\":\"x\"},\n{\"page\":5}]}");
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->line, 3u);
}

// Otherwise it would hold for ever that they never come.
TEST(TestFile, RefusesWhatCanNeverComeAndSaysWhatCan) {
  const auto says = [](const std::string& expectation, const std::string& text) {
    const Read result = read("{\"expect\":[\n{" + expectation + "}]}");
    ASSERT_TRUE(result.error) << expectation;
    EXPECT_EQ(result.error->line, 2u) << expectation;
    EXPECT_NE(result.error->text.find(text), std::string::npos) << result.error->text;
  };
  says(R"("notification":"pagerduty","never":true)",
       "notification can never be \"pagerduty\"; did you mean 'pager_duty'?: it is one of "
       "pager_duty, send_email, web_hook, slack, alertmanager");
  says(R"("page":"x","kind":"mail","never":true)", "kind can never be \"mail\"");
  says(R"("page":"x","severity":"criticl","never":true)", "did you mean 'critical'?");
  says(R"("page":"x","severity":3)", "severity can never be 3");
  says(R"("notification":"slack","action":"close","never":true)",
       "it is one of trigger, acknowledge, resolve");
  says(R"("message":"m","type":"gague","never":true)", "did you mean 'gauge'?");
  // It can come in, but nobody derives it.
  says(R"("message":"m","type":"hb_agent","never":true)", "counter, mark, event, hb_process");
  says(R"("page":"x","kind":"*mail*oops")", "kind can never be");
  for (const char* good :
       {R"("notification":"*")", R"("page":"x","severity":"crit*","never":true)",
        R"("message":"m","type":"compound","never":true)", R"("page":"x","kind":null)"})
    EXPECT_FALSE(read(std::string("{\"expect\":[{") + good + "}]}").error) << good;
}

TEST(TestFile, SaysWhichTypesMessagesHave) {
  const Read read_one = read("{\"messages\":[\n{\"type\":\"guage\",\"name\":\"g\"}]}");
  ASSERT_TRUE(read_one.error);
  EXPECT_EQ(read_one.error->line, 2u);
  const std::string& said = read_one.error->text;
  EXPECT_NE(said.find("no message has the type \"guage\"; did you mean 'gauge'?: it is one of "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("hb_process"), std::string::npos) << said;
}

TEST(TestFile, SaysThatATimeIsTooFarOff) {
  for (const char* at : {R"("9000d")", "777600000", R"("9000d1s")"}) {
    const std::string said = fault(
        fmt::format(R"({{"messages":[{{"type":"mark","name":"m","value":"x","at":{}}}]}})", at));
    EXPECT_NE(said.find("is too far from the start: a test spans at most 3660 days"),
              std::string::npos)
        << said;
    EXPECT_EQ(said.find("a time counts"), std::string::npos) << said;
  }
  EXPECT_NE(fault(R"({"expect":[{"page":"x","between":["1s","9000d"]}]})").find("too far"),
            std::string::npos);
  EXPECT_NE(fault(R"({"messages":[{"type":"mark","name":"m","value":"x","every":"3000d",)"
                  R"("times":1000000}]})")
                .find("the last of 1000000, as far apart as they are, is too far"),
            std::string::npos);
  EXPECT_NE(
      fault(R"({"expect":[{"page":"x","at":"1d","every":"3000d","times":3}]})").find("too far"),
      std::string::npos);
}

// In another century its microseconds would be taken for something else.
TEST(TestFile, SaysWhenATestMayBegin) {
  for (const char* start : {"1960-01-01T00:00:00Z", "2150-01-01T00:00:00Z", "2999-01-01T00:00:00Z"})
    EXPECT_NE(fault(fmt::format(R"({{"start":"{}","messages":[]}})", start))
                  .find("a test begins between 1971 and 2100"),
              std::string::npos)
        << start;
}

TEST(TestFile, OffsetsReadAsAClock) {
  EXPECT_EQ(format_offset(std::chrono::seconds{250}), "00:04:10");
  EXPECT_EQ(format_offset(std::chrono::milliseconds{250}), "00:00:00.25");
  EXPECT_EQ(format_offset(std::chrono::hours{49}), "2d 01:00:00");
}

TEST(Nicknames, AreUuidsThatSortAsTheyDoAndReadBack) {
  Nicknames names;
  const std::string u1 = *names.uuid_of("u1");
  const std::string u2 = *names.uuid_of("u2");
  EXPECT_EQ(u1.size(), 36u);
  EXPECT_LT(u1, u2);
  EXPECT_EQ(*names.uuid_of("u1"), u1);
  EXPECT_NE(*names.uuid_of("a-name-that-is-longer-than-a-uuid"), u1);
  EXPECT_EQ(names.read("key/" + u2 + " and " + u1 + u1), "key/u2 and u1u1");
  EXPECT_EQ(*names.uuid_of("8E58AF00-708C-012F-E468-64CE8F3A9DC2"),
            "8e58af00-708c-012f-e468-64ce8f3a9dc2");
  EXPECT_FALSE(names.uuid_of("no nickname"));
}

TEST(TestStream, BeginsAtTheStartAndEndsWithTheLastExpectation) {
  const Read result = read(R"({
    "messages": [{"type":"gauge","name":"g","at":"3s","value":3},
                 {"type":"gauge","name":"g","at":"1s","values":[1,2],"every":"5s"},
                 {"type":"gauge","name":"late","at":"4s","timestamp":"2s","value":0}],
    "expect": [{"page":"x","at":"9s"}]})");
  const auto made = make_test_stream(result.file.cases[0], "");
  ASSERT_TRUE(std::holds_alternative<TestStream>(made));
  const TestStream& test = std::get<TestStream>(made);
  std::string rows;
  std::vector<Label> scratch;
  for (Sequence at{1}; const auto input = test.stream.input(at, scratch); at = at.next()) {
    const auto second = (to_us(test.stream.time_at(at)) - test_start_us) / us_per_second;
    rows += fmt::format("{}{}:{} ", input->message.type == MessageType::tick ? "t" : "m", second,
                        input->number);
  }
  // The late one does not move stream time: the tick of second 4 comes with what follows.
  EXPECT_EQ(rows, "t0:0 t1:0 m1:1 t2:1 t3:1 m3:2 m3:3 t4:3 t5:3 t6:3 m6:4 t7:4 t8:4 t9:4 ");
  const Stream part = cut_after(test.stream, time_from_us(test_start_us + 3 * us_per_second));
  EXPECT_EQ(part.row_messages, (std::vector<std::uint64_t>{0, 0, 1, 1, 1, 2, 3}));
}

TEST(TestStream, HasTicksThatSayWhatCouldNotBeHeardOrDidNotRun) {
  const Read result = read(R"({
    "messages": [{"type":"gauge","name":"g","at":"1s","value":3},
                 {"type":"tick","at":"100s","deaf":"90s"},
                 {"type":"gauge","name":"g","at":"101s","value":3},
                 {"type":"tick","at":"200s","lost":"98s"},
                 {"type":"gauge","name":"g","at":"201s","value":3}]})");
  ASSERT_FALSE(result.error) << result.error->text;
  const auto made = make_test_stream(result.file.cases[0], "");
  ASSERT_TRUE(std::holds_alternative<TestStream>(made));
  const TestStream& test = std::get<TestStream>(made);
  EXPECT_EQ(test.messages.size(), 3u);
  std::string rows;
  std::vector<Label> scratch;
  for (Sequence at{1}; const auto input = test.stream.input(at, scratch); at = at.next()) {
    const auto second = (to_us(test.stream.time_at(at)) - test_start_us) / us_per_second;
    const bool is_tick = input->message.type == MessageType::tick;
    if (is_tick && second > 1 && second < 10) continue;
    rows += fmt::format("{}{}:{} ", is_tick ? "t" : "m", second, input->number);
    if (input->message.deaf > Micros{0}) rows += format_span(input->message.deaf) + " ";
  }
  EXPECT_EQ(rows, "t0:0 t1:0 m1:1 t10:1 t100:1 1m30s t101:1 m101:2 t102:2 t200:2 t201:2 m201:3 ");
}

TEST(TestFile, ATickIsOneOfWhatItSays) {
  const auto tick = [](const std::string& entries) {
    return fault(R"({"messages":[{"type":"tick",)" + entries + "}]}");
  };
  EXPECT_NE(tick(R"("at":"1h","name":"x")").find("a tick has no key 'name'"), std::string::npos);
  EXPECT_NE(tick(R"("at":"1h","deaf":"2h")").find("longer than its `at`"), std::string::npos);
  EXPECT_NE(tick(R"("at":"1h","deaf":"1h","lost":"1h")").find("either deaf or lost"),
            std::string::npos);
}

TEST(TestStream, RefusesWhatNoMessageCanBe) {
  const Read result =
      read("{\"messages\":[\n{\"type\":\"gauge\",\"name\":\"g\",\"value\":\"x\"}]}");
  const auto made = make_test_stream(result.file.cases[0], "");
  ASSERT_TRUE(std::holds_alternative<TestFileError>(made));
  EXPECT_NE(std::get<TestFileError>(made).text.find("must be a number"), std::string::npos);
  EXPECT_EQ(std::get<TestFileError>(made).line, 2u);
}

}  // namespace
}  // namespace hastur
