// Runs the real trigger-test, which runs the real trigger-worker.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

class TriggerTestRun : public testing::TriggerTestCommand {};

constexpr std::int64_t start_us = 1'704'067'200'000'000;

std::string gauge(int second, double value) {
  return fmt::format(
      R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2"}})"
      "\n",
      value, start_us + second * us_per_second);
}

const char* spike = R"(
local limits = require "lib.limits"
local ctx = hastur.trigger{ state = { total = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  if msg.value == 13 then error("unlucky") end
  if msg.value > limits.load then
    pager_duty("spike", "load is " .. msg.value, { load = msg.value })
    print("spike")
    ctx.state.total = ctx.state.total + 1
  end
end)
ctx:every("minute", function(tick) hastur.gauge("spikes", ctx.state.total) end)
)";

TEST_F(TriggerTestRun, PrintsOneObjectALineAsTheContractSays) {
  write("lib/limits.lua", "return { load = 10 }");
  write("billing/spike.lua", spike);
  write("in.jsonl", gauge(0, 5) + gauge(1, 11) + "{\"type\":\"noop\"}\n" + gauge(2, 13) +
                        R"({"type":"tick","time":)" + std::to_string(start_us + 60'000'000) +
                        "}\n" + gauge(70, 12));
  run("run billing/spike.lua --input in.jsonl --format json");
  EXPECT_EQ(exit_code_, 1) << error_;
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 7u) << output_;

  EXPECT_EQ(all[0]["effect"], "notification");
  EXPECT_EQ(all[0]["seq"], 2);
  EXPECT_EQ(all[0]["time"], start_us + 1'000'000);
  EXPECT_EQ(all[0]["kind"], "pager_duty");
  EXPECT_EQ(all[0]["key"], "spike");
  EXPECT_EQ(all[0]["text"], "load is 11");
  EXPECT_EQ(all[0]["details"], Json({{"load", 11}}));
  EXPECT_EQ(all[0]["options"], Json::object());
  EXPECT_TRUE(all[0].contains("to"));

  EXPECT_EQ(all[1]["effect"], "log");
  EXPECT_EQ(all[1]["text"], "spike");

  EXPECT_EQ(all[2]["effect"], "error");
  EXPECT_EQ(all[2]["seq"], 4);
  EXPECT_EQ(all[2]["text"], "unlucky");
  EXPECT_EQ(all[2]["script"], "billing/spike.lua");
  EXPECT_EQ(all[2]["line"], 5);

  EXPECT_EQ(all[3]["effect"], "message");
  EXPECT_EQ(all[3]["seq"], 4);
  EXPECT_EQ(all[3]["message"]["name"], "spikes");
  EXPECT_EQ(all[3]["message"]["value"], 1);
  EXPECT_EQ(all[3]["message"]["timestamp"], start_us + 60'000'000);
  EXPECT_EQ(all[3]["message"]["labels"]["trigger"], "billing/spike");

  EXPECT_EQ(all[4]["seq"], 5);
  EXPECT_EQ(all.back(),
            Json({{"state", {{"total", 2}}}, {"messages", 5}, {"matched", 4}, {"errors", 1}}));
}

TEST_F(TriggerTestRun, AFieldThatItsSenderWasNotGivenIsNil) {
  write("reads.lua", R"(
    local ctx = hastur.trigger{ state = {} }
    ctx:events({ attn = false, subject = false }, function(msg)
      print(type(msg.subject), type(msg.attn), msg.other == hastur.null)
      ctx.state.copy = msg:to_table()
    end))");
  write(
      "in.jsonl",
      R"({"type":"event","name":"e","subject":null,"attn":null,"other":null,"timestamp":1704067200})"
      "\n");
  run("run reads.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 2u) << output_;
  EXPECT_EQ(all[0]["text"], "nil\tnil\ttrue");
  const Json& copy = all[1]["state"]["copy"];
  EXPECT_FALSE(copy.contains("subject") || copy.contains("attn")) << copy;
  EXPECT_TRUE(copy.contains("other")) << copy;
}

TEST_F(TriggerTestRun, EndsWithNoughtWhenAllIsGood) {
  write("quiet.lua", "local ctx = hastur.trigger{ state = {} }\n");
  write("in.jsonl", gauge(0, 5));
  run("run quiet.lua --input - < in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_EQ(output_, "{\"state\":{},\"messages\":1,\"matched\":0,\"errors\":0}\n");
}

TEST_F(TriggerTestRun, FailsWhenTheLastStateIsNoState) {
  write("bad.lua", R"(
    local ctx = hastur.trigger{ state = {} }
    ctx:gauges({ name = "load" }, function(msg) ctx.state.broken = 1/0 end))");
  write("in.jsonl", gauge(0, 5));
  run("run bad.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1);
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NE(all[0]["text"].get<std::string>().find("state.broken"), std::string::npos);
  EXPECT_EQ(all[1]["state"], Json::object());
  EXPECT_EQ(all[1]["errors"], 1);
}

TEST_F(TriggerTestRun, SaysWhatDoesNotLoad) {
  write("bad.lua", "local ctx = hastur.trigger{ state = {} }\nlocal x =\n");
  write("in.jsonl", gauge(0, 5));
  run("run bad.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(error_.find("bad.lua"), std::string::npos);
  EXPECT_EQ(lines().at(0)["effect"], "error");
}

TEST_F(TriggerTestRun, WritesForPeopleToo) {
  write("lib/limits.lua", "return { load = 10 }");
  write("spike.lua", spike);
  write("in.jsonl", gauge(0, 11));
  run("run spike.lua --input in.jsonl --format text");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_NE(output_.find("2024-01-01T00:00:00Z  #1      pager_duty   spike: load is 11"),
            std::string::npos)
      << output_;
}

TEST_F(TriggerTestRun, EndsWithThreeWhenItsOutputCannotBeWritten) {
  write("t.lua", "local ctx = hastur.trigger{}\nctx:gauges({}, function() end)\n");
  write("in.jsonl", "{\"type\":\"gauge\",\"name\":\"a\",\"value\":1,\"timestamp\":1704067200}\n");
  run("run t.lua --input in.jsonl > /dev/full");
  EXPECT_EQ(exit_code_, 3);
  EXPECT_NE(error_.find("cannot write the output"), std::string::npos) << error_;
}

TEST_F(TriggerTestRun, PassesOverNoArgument) {
  write("a.lua", "local ctx = hastur.trigger{}\n");
  write("in.jsonl", "");
  for (const auto& [arguments, named] : std::vector<std::pair<const char*, const char*>>{
           {"run a.lua b.lua --input in.jsonl", "b.lua"},
           {"diff a.lua a.lua c.lua --input in.jsonl", "c.lua"},
           {"run a.lua --input in.jsonl --no-hunt", "--no-hunt"},
           {"explain a.lua --input in.jsonl --at 1s --watch", "--watch"},
           {"new one two", "two"}}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
    EXPECT_NE(error_.find(fmt::format("\"{}\"", named)), std::string::npos) << error_;
    EXPECT_EQ(output_, "");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "one.lua"));
}

TEST_F(TriggerTestRun, SaysHowManyLinesOfAJournalAreNotObeyed) {
  write("a.lua", "local ctx = hastur.trigger{}\n");
  const std::string head = R"({"journal":"stretch","first":1,"last":9})"
                           "\n";
  const std::string pause = R"({"journal":"pause","trigger":"a","sequence":2})"
                            "\n";
  const std::string lost = R"({"journal":"lost","first":5,"last":7,"why":"damaged"})"
                           "\n";
  const std::string gauge = R"({"type":"gauge","name":"load","value":1,"timestamp":1704067200})"
                            "\n";
  for (const char* command :
       {"run a.lua", "trace a.lua", "diff a.lua a.lua", "explain a.lua --at 0s"}) {
    write("in.jsonl", head + pause + gauge + pause + lost + gauge);
    run(std::string(command) + " --input in.jsonl");
    EXPECT_EQ(exit_code_, 0) << error_;
    EXPECT_EQ(error_,
              "trigger-test: 2 lines of a journal are passed over (pauses, calls that were not run "
              "again): only a replay obeys them; 1 span that History had lost has no messages and "
              "no ticks\n");
    write("in.jsonl", head + gauge);
    run(std::string(command) + " --input in.jsonl");
    EXPECT_EQ(error_, "");
  }
}

TEST_F(TriggerTestRun, SaysHowMuchIsOverALimit) {
  write("loud.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  for i = 1, msg.value do hastur.counter("seen", 1) end
end)
)");
  const std::string gauge = R"({"type":"gauge","name":"load","value":1002,"timestamp":1704067200})"
                            "\n";
  write("in.jsonl", gauge);
  write("quiet.lua", "local ctx = hastur.trigger{}\n");
  for (const char* command : {"run loud.lua", "trace loud.lua", "diff quiet.lua loud.lua"}) {
    run(std::string(command) + " --input in.jsonl");
    EXPECT_EQ(exit_code_, 0);
    EXPECT_EQ(error_.find("trigger-test: 2 effects were over a limit, and left out"), 0u) << error_;
  }
  run("explain loud.lua --input in.jsonl --at 0s");
  EXPECT_NE(output_.find("✗ 2 effects over a limit, and left out\n"), std::string::npos) << output_;
}

TEST_F(TriggerTestRun, EndsWithTwoForWrongUsage) {
  write("quiet.lua", "local ctx = hastur.trigger{ state = {} }\n");
  write("lib/shared.lua", "return {}");
  write("in.jsonl", gauge(0, 5));
  for (const char* arguments :
       {"walk", "--format xml", "run", "run quiet.lua", "run nowhere.lua --input in.jsonl",
        "run quiet.lua --input nowhere.jsonl", "run quiet.lua --input in.jsonl --format xml",
        "run lib/shared.lua --input in.jsonl", "run in.jsonl --input in.jsonl"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
    EXPECT_FALSE(error_.empty()) << arguments;
  }
}

TEST_F(TriggerTestRun, WhatItDerivedAlreadyDoesNotComeTwice) {
  write("own.lua", R"(local ctx = hastur.trigger{ state = { own = 0 } }
    ctx:gauges({ name = "load", own = true }, function(msg)
      if msg.labels.trigger then
        ctx.state.own = ctx.state.own + 1
      else
        hastur.gauge("load", msg.value)
      end
    end))");
  const auto derived = [](const std::string& trigger) {
    return R"({"type":"gauge","name":"load","value":5,"timestamp":1704067200000000,)"
           R"("labels":{"trigger":")" +
           trigger + R"("},"origin":{"depth":1,"ordinal":0,"run":1,"sequence":1,"trigger":")" +
           trigger + "\"}}\n";
  };
  write("in.jsonl", gauge(0, 5) + derived("own") + derived("other"));
  run("run own.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  const Json end = lines().back();
  EXPECT_EQ(end["state"]["own"], 2) << output_;
  EXPECT_EQ(end["matched"], 2) << output_;
}

// Nothing is judged within a second, so that each of them has all of it run again.
TEST_F(TriggerTestRun, CallsOfOneSecondOverALimitAreToldWhileItRuns) {
  write("endless.lua", R"(local ctx = hastur.trigger{ state = { text = ("x"):rep(5000) } }
ctx:gauges({ name = "load" }, function(msg)
  while msg.value > 10 do end
end)
)");
  const std::string note = "is run again: this may take long";
  std::string apart;
  for (int second = 0; second < 4; ++second) apart += gauge(second, 11);
  write("apart.jsonl", apart);
  run("run endless.lua --input apart.jsonl");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_EQ(error_.find(note), std::string::npos) << error_;
  std::string together;
  for (int i = 0; i < 4; ++i) together += gauge(0, 11);
  write("together.jsonl", together);
  run("run endless.lua --input together.jsonl --format json");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(error_.find(note), std::string::npos) << error_;
  EXPECT_EQ(lines().size(), 5u) << output_;
}

}  // namespace
}  // namespace hastur
