// Runs the real trigger-test, which runs the real trigger-worker.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

constexpr std::int64_t start_us = 1'704'067'200'000'000;

std::string gauge(std::int64_t second, double value) {
  return fmt::format(
      R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2"}})"
      "\n",
      value, start_us + second * us_per_second);
}

class TriggerTestTrace : public testing::TriggerTestCommand {};

const char* rising = R"(local ctx = hastur.trigger{ own = true, state = { last = 0, seen = {} } }
local high = ctx:alert("high", { raise = { above = 10 }, raise_after = "5s" })
ctx:gauges({ name = "load" }, function(msg)
  if msg.value == 13 then error("unlucky") end
  if msg.value > ctx.state.last then hastur.gauge("rise", msg.value - ctx.state.last) end
  ctx.state.last = msg.value
  high:set("load", msg.value, "it is high")
end)
ctx:gauges({ name = "rise" }, function(msg) ctx.state.seen[#ctx.state.seen + 1] = msg.value end)
)";

TEST_F(TriggerTestTrace, AddsInputsAndChangesToWhatRunPrints) {
  write("rising.lua", rising);
  std::string in = gauge(1, 13) + "{\"type\":\"mark\",\"name\":\"m\",\"timestamp\":1704067201}\n";
  for (int i = 2; i < 60; ++i) in += gauge(i, i % 17);
  write("in.jsonl", in + gauge(70, 3));
  run("run rising.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1);
  const std::vector<Json> ran = lines();
  run("trace rising.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1) << error_;
  std::vector<Json> kept;
  std::size_t inputs = 0;
  for (const Json& line : lines()) {
    if (line.contains("input")) {
      ++inputs;
      EXPECT_NE(line["input"]["type"], "mark");
    } else if (!line.contains("change")) {
      kept.push_back(line);
    }
  }
  EXPECT_EQ(kept, ran);
  EXPECT_GE(inputs, 60u);
}

TEST_F(TriggerTestTrace, OfAnInputStandsBeforeItsEffectsAndTheChangeBehindThem) {
  write("rising.lua", rising);
  write("in.jsonl", gauge(1, 3) + gauge(2, 4));
  run("trace rising.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 11u) << output_;
  EXPECT_EQ(all[0]["input"]["value"], 3);
  EXPECT_EQ(all[0]["seq"], 1);
  EXPECT_EQ(all[1]["effect"], "message");
  EXPECT_EQ(all[2]["change"], Json::parse(R"([{"path":"last","before":0,"after":3}])"));
  EXPECT_EQ(all[3]["input"]["name"], "rise");
  EXPECT_EQ(all[3]["seq"], 1);
  EXPECT_EQ(all[4]["change"], Json::parse(R"([{"path":"seen","before":{},"after":[3]}])"));
  EXPECT_EQ(all[5]["input"]["value"], 4);
  EXPECT_EQ(all[6]["seq"], 2);
  EXPECT_EQ(all[10]["state"]["last"], 4);
}

TEST_F(TriggerTestTrace, TellsWhatTicksChangeInHelpers) {
  write("rising.lua", rising);
  write("in.jsonl", gauge(1, 12) + "{\"type\":\"tick\",\"time\":1704067210000000}\n");
  run("trace rising.lua --input in.jsonl --format text");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_NE(output_.find("input        gauge load 12 from 8e58af00"), std::string::npos) << output_;
  EXPECT_NE(output_.find("state        last  0 → 12"), std::string::npos) << output_;
  EXPECT_NE(
      output_.find("2024-01-01T00:00:06Z  #1      pager_duty   rising/high/load: it is high\n"
                   "2024-01-01T00:00:06Z  #1      state        alert high[\"load\"]  paged at "
                   "2024-01-01T00:00:06Z"),
      std::string::npos)
      << output_;
}

TEST_F(TriggerTestTrace, AddsTheMessagesThatATriggerTakesOfItsOwn) {
  write("self.lua", R"(local ctx = hastur.trigger{ own = true, state = { n = 0 } }
ctx:gauges({ name = "load*" }, function(msg)
  ctx.state.n = ctx.state.n + 1
  if ctx.state.n % 3 > 0 then hastur.gauge("load.next", ctx.state.n) end
  hastur.gauge("other", 1)
end)
)");
  write("in.jsonl", gauge(1, 3) + gauge(2, 4));
  run("run self.lua --input in.jsonl");
  const std::vector<Json> ran = lines();
  run("trace self.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  std::vector<Json> kept;
  std::string story;
  for (const Json& line : lines()) {
    if (line.contains("input")) {
      story += " " + line["input"]["name"].get<std::string>();
    } else if (line.contains("change")) {
      story += "=" + line["change"][0]["after"].dump();
    } else {
      kept.push_back(line);
    }
  }
  EXPECT_EQ(story, " load=1 load.next=2 load.next=3 load=4 load.next=5 load.next=6");
  EXPECT_EQ(kept, ran);
}

TEST_F(TriggerTestTrace, OfAStateThatIsTooLargeThereIsNoChange) {
  write("big.lua", R"(local ctx = hastur.trigger{ state = { big = "" } }
ctx:gauges({}, function(msg) ctx.state.big = ("x"):rep(msg.value) end)
)");
  write("in.jsonl", gauge(1, 70'000) + gauge(2, 70'000) + gauge(3, 1) + gauge(4, 2));
  run("trace big.lua --input in.jsonl");
  std::vector<bool> unknown;
  for (const Json& line : lines()) {
    if (line.contains("change")) unknown.push_back(line["change"].is_null());
  }
  EXPECT_EQ(unknown, (std::vector<bool>{true, true, true, false})) << output_;
  run("trace big.lua --input in.jsonl --format text");
  EXPECT_NE(output_.find("state        has become larger than 64 KiB or no JSON\n"),
            std::string::npos)
      << output_;
}

TEST_F(TriggerTestTrace, EndsWithTheExitCodesOfTheTool) {
  write("rising.lua", rising);
  write("bad.lua", "local x =\n");
  write("in.jsonl", gauge(1, 3));
  run("trace bad.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(error_.find("bad.lua:2 does not load"), std::string::npos) << error_;
  for (const char* arguments : {"trace", "trace rising.lua", "trace rising.lua --input nowhere",
                                "trace rising.lua --input in.jsonl --format junit"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
  }
}

// ---- coverage and cost ----

const char* branches = R"(local ctx = hastur.trigger{ state = { n = 0 } }
local function twice(x)
  return x * 2
end
local limit = twice(5)
ctx:gauges({ name = "load" }, function(msg)
  if msg.value > limit then
    slack("high")
  else
    ctx.state.n = ctx.state.n + 1
    ctx.state.m = 1
  end
end)
)";

TEST_F(TriggerTestTrace, CoverageNamesTheLinesThatNoTestRuns) {
  write("a.lua", branches);
  write("a.test.lua",
        R"(return { messages = { { type = "gauge", name = "load", value = 11, times = 4 } } })");
  run("--coverage");
  EXPECT_EQ(exit_code_, 0) << output_;
  EXPECT_NE(output_.find("60 % of 5 lines, never 10-11; for 1,000 messages"), std::string::npos)
      << output_;
  EXPECT_NE(output_.find("1,000 effects; state 7 bytes"), std::string::npos) << output_;
  run("--coverage-min 60");
  EXPECT_EQ(exit_code_, 0) << output_;
  run("--coverage-min 61");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_NE(output_.find("its tests run 60 % of its lines, wanted 61 %: never 10-11"),
            std::string::npos)
      << output_;
  run("--coverage --format json");
  const Result<Json> json = parse_json(output_);
  ASSERT_TRUE(json) << output_;
  const Json& measured = (*json)["triggers"][0]["measured"];
  EXPECT_EQ(measured["missed"], Json::parse("[10,11]"));
  EXPECT_EQ(measured["messages"], 4);
  EXPECT_EQ(measured["callbacks"], 4);
  EXPECT_EQ(measured["effects"], 4);
  EXPECT_GT(measured["instructions"], 4 * 3);
  EXPECT_LT(measured["instructions"], 4 * 100);
  run("--coverage-min 101");
  EXPECT_EQ(exit_code_, 2);
}

TEST_F(TriggerTestTrace, WithoutTestsNoCoverageIsEnough) {
  write("a.lua", branches);
  run("--coverage-min 1");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(output_.find("it has no tests"), std::string::npos) << output_;
}

}  // namespace
}  // namespace hastur
