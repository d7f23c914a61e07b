// Runs the real trigger-test backtest: many pairs of versions on one recording.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

constexpr std::int64_t start_us = 1'704'067'200'000'000;

class BacktestCommandTest : public testing::TriggerTestCommand {
 protected:
  BacktestCommandTest() {
    std::string recording;
    for (int second = 1; second <= 60; ++second)
      recording += fmt::format(
          R"({{"type":"gauge","name":"load","value":{},"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2",)"
          R"("timestamp":{},"received_at":{},"seq":{}}})"
          "\n",
          second, start_us + second * us_per_second, start_us + second * us_per_second,
          1'000 + second);
    write("r.jsonl", recording);
    std::filesystem::create_directories(folder_ / ".hastur");
    std::filesystem::create_directories(folder_ / "before/.hastur");
  }
  void pair(const std::string& name, const std::string& before, const std::string& after) {
    Json line = {{"new", "./" + name}, {"old", nullptr}};
    write(name, after);
    if (!before.empty()) {
      write("before/" + name, before);
      line["old"] = name;
    }
    pairs_ += canonical_json(line) + "\n";
  }
  std::vector<Json> compare(const std::string& flags = "") {
    write("before/pairs.jsonl", pairs_);
    run("backtest before/pairs.jsonl --input - " + flags + " < r.jsonl");
    EXPECT_EQ(exit_code_, 0) << error_;
    return lines();
  }

  std::string pairs_;
};

std::string pages(int above) {
  return fmt::format(
      "local ctx = hastur.trigger{{}}\n"
      "ctx:gauges({{ name = 'load' }}, function(msg)\n"
      "  if msg.value > {} then pager_duty('load-' .. msg.value, 'high load') end\n"
      "end)\n",
      above);
}

std::string keeps(const std::string& helpers) {
  return "local ctx = hastur.trigger{ state = { n = 0 } }\n" + helpers +
         "ctx:gauges({ name = 'load' }, function(msg)\n"
         "  ctx.state.n = ctx.state.n + 1\n"
         "  if hosts then hosts:at(msg.uuid).seen = msg.value end\n"
         "  if loads then loads:add(msg.uuid, msg.value) end\n"
         "end)\n";
}
constexpr const char* no_helpers = "local hosts, loads\n";
constexpr const char* keyed = "local loads\nlocal hosts = ctx:keyed('hosts', { forget = '1h' })\n";
constexpr const char* window = "local hosts\nlocal loads = ctx:window('loads', { span = '30s' })\n";
constexpr const char* wider = "local hosts\nlocal loads = ctx:window('loads', { span = '40s' })\n";
constexpr const char* day = "local hosts\nlocal loads = ctx:window('loads', { span = '1d' })\n";

TEST_F(BacktestCommandTest, ComparesEachWithWhatRunsAndWhatIsNewWithNothing) {
  pair("a.lua", pages(58), pages(57));
  pair("b/c.lua", "", pages(58));
  pair("d.lua", pages(50), pages(50));
  const auto said = compare();
  ASSERT_EQ(said.size(), 3u) << error_;
  EXPECT_EQ(said[0]["new"], "./a.lua");
  EXPECT_EQ(said[0]["notifications"]["appear"], 1);
  EXPECT_EQ(said[0]["notifications"]["same"], 2);
  EXPECT_EQ(said[0]["messages"], 60);
  EXPECT_EQ(said[0]["last"], 1'060);
  ASSERT_EQ(said[0]["shown"].size(), 1u);
  const std::string shown = said[0]["shown"][0];
  EXPECT_TRUE(shown.starts_with("+ 2024-01-01T00:00:58Z  pager_duty load-58: high load")) << shown;
  EXPECT_EQ(said[1]["new"], "./b/c.lua");
  EXPECT_EQ(said[1]["notifications"]["appear"], 2);
  EXPECT_EQ(said[1]["shown"].size(), 2u);
  EXPECT_EQ(said[2]["differ"], false);
}

TEST_F(BacktestCommandTest, OneThatDoesNotLoadLeavesTheOthers) {
  pair("a.lua", pages(58), "count = 1\n");
  pair("b.lua", pages(58), pages(57));
  pair("gone.lua", "", "local ctx = hastur.trigger{}\nwhile true do end\n");
  const auto said = compare();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_NE(said[0]["failed"].get<std::string>().find("a.lua:1 does not load"), std::string::npos)
      << said[0];
  EXPECT_EQ(said[1]["notifications"]["appear"], 1);
  EXPECT_TRUE(said[2].contains("failed")) << said[2];
}

TEST_F(BacktestCommandTest, GivesWhatHelpersRememberThatAreNewOrChanged) {
  pair("new.lua", "", keeps(keyed));
  pair("added.lua", keeps(no_helpers), keeps(window));
  pair("same.lua", keeps(window), keeps(window) + "-- otherwise\n");
  pair("wider.lua", keeps(window), keeps(wider));
  // The one that runs may remember a day.
  pair("day.lua", keeps(window), keeps(day));
  const auto said = compare();
  ASSERT_EQ(said.size(), 5u);
  for (const Json& line : said) ASSERT_FALSE(line.contains("failed")) << line;
  EXPECT_EQ(said[0]["helpers"]["@keyed.hosts"].size(), 1u) << said[0];
  EXPECT_EQ(said[0]["helpers"].size(), 1u);
  EXPECT_TRUE(said[1]["helpers"].contains("@window.loads")) << said[1];
  EXPECT_FALSE(said[2].contains("helpers")) << said[2];
  EXPECT_TRUE(said[3]["helpers"].contains("@window.loads")) << said[3];
  EXPECT_FALSE(said[4].contains("helpers")) << said[4];
}

TEST_F(BacktestCommandTest, TakesHundredsOfTriggersOnOneReadingOfTheRecording) {
  for (int i = 0; i < 300; ++i) pair(fmt::format("n{}.lua", i), pages(59), pages(58));
  const auto said = compare();
  ASSERT_EQ(said.size(), 300u);
  for (const Json& line : said) EXPECT_EQ(line["notifications"]["appear"], 1) << line;
}

TEST_F(BacktestCommandTest, ASlowOneIsStoppedAndComparedUpToThereAndTheOthersAreComparedWhole) {
  std::string recording;
  for (int second = 1; second <= 1'000; ++second)
    recording += fmt::format(
        R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"received_at":{},"seq":{}}})"
        "\n",
        second, start_us + second * us_per_second, start_us + second * us_per_second, second);
  write("r.jsonl", recording);
  // Minutes for all of them.
  const std::string slow =
      "local ctx = hastur.trigger{}\n"
      "ctx:gauges({ name = 'load' }, function(msg)\n"
      "  local x = 1 for i = 1, 300000 do x = (x + i) % 7 end\n"
      "  pager_duty('slow-' .. msg.value, 'one more')\n"
      "end)\n";
  pair("slow.lua", pages(900), slow);
  pair("quick.lua", pages(900), pages(800));
  // It is too long for a callback, each time.
  pair("over.lua", "",
       "local ctx = hastur.trigger{}\n"
       "ctx:gauges({ name = 'load' }, function(msg)\n"
       "  local x = 1 for i = 1, 20000000 do x = (x + i) % 7 end\n"
       "end)\n");
  const auto said = compare("--time-max 3s --until 1000");
  ASSERT_EQ(said.size(), 3u);
  ASSERT_FALSE(said[0].contains("failed")) << said[0];
  EXPECT_EQ(said[0]["stopped"], true);
  const int covered = said[0]["last"];
  EXPECT_GT(covered, 0);
  EXPECT_LT(covered, 1'000);
  EXPECT_EQ(said[0]["to"], start_us + covered * us_per_second);
  // Of the inputs that it came to.
  EXPECT_EQ(said[0]["notifications"]["appear"], covered);
  EXPECT_EQ(said[0]["notifications"]["vanish"], 0);
  EXPECT_FALSE(said[1].contains("stopped")) << said[1];
  EXPECT_EQ(said[1]["last"], 1'000);
  EXPECT_EQ(said[1]["notifications"]["appear"], 100);
  EXPECT_FALSE(said[1].contains("unread"));
  EXPECT_EQ(said[2]["stopped"], true);
}

TEST_F(BacktestCommandTest, AListThatIsNoneIsSaid) {
  write("before/pairs.jsonl", "{\"old\":1}\n");
  run("backtest before/pairs.jsonl --input r.jsonl");
  EXPECT_NE(exit_code_, 0);
  EXPECT_NE(error_.find("before/pairs.jsonl:1: a line is"), std::string::npos) << error_;
}

}  // namespace
}  // namespace hastur
