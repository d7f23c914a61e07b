#include "supervisor/cli/demo_screen.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

Json json(std::string_view text) { return parse_json(text).value(); }

DemoLook look_at(std::int64_t second) {
  DemoLook look;
  look.now = time_from_us((1'700'006'400 + second) * us_per_second);
  return look;
}

bool has(const std::vector<std::string>& lines, std::string_view begin) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.starts_with(begin); });
}

TEST(DemoScreen, CountsWhatComesEachSecond) {
  DemoScreen screen(80);
  DemoLook first = look_at(0);
  first.received_total = 1000;
  screen.lines(first);
  EXPECT_EQ(screen.status(), "00:00:00  in -/s  derived -/s  would notify 0  behind 0");
  DemoLook second = look_at(2);
  second.received_total = 1100;
  second.refused_total = 3;
  second.messages = {json(R"({"type":"gauge","name":"d","value":1,"origin":{"trigger":"t"}})")};
  second.notifications = {json(R"({"kind":"slack","text":"x","trigger":"t","status":"recorded"})")};
  const auto lines = screen.lines(second);
  EXPECT_EQ(screen.status(), "00:00:02  in 50/s  derived 0/s  would notify 1  behind 0  refused 3");
  EXPECT_TRUE(has(lines, "  derived       "));
  EXPECT_TRUE(has(lines, "  would notify  "));
}

TEST(DemoScreen, ShowsTheNewestValuesOfTheHost) {
  DemoScreen screen(80);
  DemoLook look = look_at(0);
  look.messages = {json(R"({"type":"gauge","name":"zz","value":123456})"),
                   json(R"({"type":"gauge","name":"system.load.1m","value":0.41})"),
                   json(R"({"type":"gauge","name":"system.load.1m","value":0.52})")};
  EXPECT_EQ(screen.lines(look),
            (std::vector<std::string>{"  values        load.1m 0.52  zz 123k"}));
  EXPECT_TRUE(screen.lines(look_at(1)).empty());
  EXPECT_EQ(screen.lines(look_at(5)).size(), 1u);
}

TEST(DemoScreen, ShowsWhatBecomesOfSavedFiles) {
  DemoScreen screen(0);
  DemoLook look = look_at(0);
  look.triggers = json(
      R"([{"name":"a","version":"1"},{"name":"b","refused":{"script":"b.lua","line":2,"text":"no"}}])");
  EXPECT_EQ(screen.lines(look), (std::vector<std::string>{"  refused       b: b.lua:2: no"}));
  look.triggers =
      json(R"([{"name":"a","version":"2"},{"name":"b","version":"1"},{"name":"c","version":"1"}])");
  EXPECT_EQ(screen.lines(look),
            (std::vector<std::string>{"  loaded        a: the saved file runs now",
                                      "  loaded        b: the saved file runs now",
                                      "  new trigger   c"}));
  look.triggers = json(R"([{"name":"a","version":"2"}])");
  EXPECT_EQ(screen.lines(look).size(), 2u);
}

TEST(DemoScreen, AFloodIsCutToWhatCanBeRead) {
  DemoScreen screen(40);
  DemoLook look = look_at(0);
  for (int i = 0; i < 1000; ++i) {
    look.messages.push_back(
        json(R"({"type":"gauge","name":"a.very.long.name.of.a.statistic","value":1,"origin":{}})"));
    look.notifications.push_back(json(R"({"kind":"slack","text":"x"})"));
  }
  look.passed_over = true;
  const auto lines = screen.lines(look);
  EXPECT_LE(lines.size(), 20u);
  EXPECT_TRUE(has(lines, "  derived       … and 996 more"));
  for (const std::string& line : lines) EXPECT_LE(line.size(), 44u) << line;
}

}  // namespace
}  // namespace hastur
