// Runs the real trigger-test, which runs the real trigger-worker.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

constexpr std::int64_t start_us = 1'704'067'200'000'000;
constexpr const char* u1 = "8e58af00-708c-012f-e468-64ce8f3a9dc2";

std::string gauge(const char* name, std::int64_t second, double value,
                  const char* labels = R"({"host":"shop1"})") {
  return fmt::format(
      R"({{"type":"gauge","name":"{}","value":{},"timestamp":{},"uuid":"{}","labels":{}}})"
      "\n",
      name, value, start_us + second * us_per_second, u1, labels);
}
std::string tick(std::int64_t second) {
  return fmt::format("{{\"type\":\"tick\",\"time\":{}}}\n", start_us + second * us_per_second);
}

class TriggerTestExplain : public testing::TriggerTestCommand {
 protected:
  bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
};

const char* spike = R"(local ctx = hastur.trigger{ state = { total = 0 } }
ctx:gauges({ name = "load", value = { above = 10 } }, function(msg)
  local twice = msg.value * 2
  if twice > 100 then
    pager_duty("spike/" .. msg.labels.host, "load is " .. msg.value)
    ctx.state.total = ctx.state.total + 1
  end
  if ctx.state.total > 1 then error("too many") end
end)
)";

TEST_F(TriggerTestExplain, TellsFiltersLinesLocalsChangesAndEffects) {
  write("spike.lua", spike);
  write("in.jsonl", gauge("load", 1, 9.7) + gauge("load", 2, 20) + gauge("load", 3, 60) +
                        gauge("cpu", 4, 99) + gauge("load", 5, 70));
  run("explain spike.lua --input in.jsonl --at 2024-01-01T00:00:04Z --around 3s");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(says("✗ line 2 did not take it")) << output_;
  EXPECT_TRUE(says("✗ value  9.7, wanted above 10 (0.3 too low)")) << output_;
  EXPECT_TRUE(says("✓ name   \"load\"")) << output_;
  EXPECT_TRUE(says("✓ line 2 took it: name \"load\", value 20 (above 10)")) << output_;
  EXPECT_TRUE(says("msg.value = 20")) << output_;
  EXPECT_TRUE(says("4  if twice > 100 then")) << output_;
  EXPECT_TRUE(says("twice = 40")) << output_;
  EXPECT_TRUE(says("nothing came of it")) << output_;
  EXPECT_TRUE(says("∆ total  0 → 1")) << output_;
  EXPECT_TRUE(says("→ pager_duty spike/shop1: load is 60")) << output_;
  EXPECT_TRUE(says("and failed")) << output_;
  EXPECT_TRUE(says("✗ spike.lua:8: too many")) << output_;
  EXPECT_TRUE(says("── 00:00:04 ──")) << output_;
  EXPECT_FALSE(says("cpu")) << output_;
  EXPECT_FALSE(says("\033[")) << "colours are for terminals";
}

// By whatever name, and also after it was written in the same call.
TEST_F(TriggerTestExplain, TellsKeysOfTheStateAsTheyAreAtEachLine) {
  write("count.lua", R"(local ctx = hastur.trigger{ state = { n = 0, hosts = {} } }
local s = ctx.state
ctx:gauges({ name = "load" }, function(msg)
  s.n = s.n + 1
  if ctx.n > 1 and s.n > 1 then
    ctx.state.n = 0
    s.hosts.a = { x = 1 }
  end
  local t = ctx.state
  if t.n == 0 and ctx.state.hosts.a then print("x") end
end)
)");
  write("in.jsonl", gauge("load", 1, 1) + gauge("load", 2, 1));
  run("explain count.lua --input in.jsonl --at 1s");
  EXPECT_TRUE(says("s.n = 1   ctx.n = 1\n")) << output_;
  EXPECT_TRUE(says("s.n = 2   ctx.n = 2\n")) << output_;
  EXPECT_TRUE(says("t.n = 1   ctx.state.hosts.a = nil\n")) << output_;
  EXPECT_TRUE(says("t.n = 0   ctx.state.hosts.a = {\"x\":1}\n")) << output_;
}

TEST_F(TriggerTestExplain, SaysWhatOfTheRecordingCannotBeDecoded) {
  write("spike.lua", spike);
  write("in.jsonl", gauge("load", 1, 20) + "{\"type\":\"gauge\"}\nnonsense\n");
  run("explain spike.lua --input in.jsonl --at 1s");
  EXPECT_EQ(exit_code_, 0);
  EXPECT_TRUE(says("msg.value = 20")) << output_;
  EXPECT_EQ(error_,
            "trigger-test: 2 of 3 messages cannot be decoded, and came in as error messages, as "
            "they would in production; the first is in.jsonl:2: \"name\" of a gauge is missing\n");
  write("in.jsonl", gauge("load", 1, 20));
  run("explain spike.lua --input in.jsonl --at 1s");
  EXPECT_EQ(error_, "");
}

TEST_F(TriggerTestExplain, TellsNearMissesOfAFilterWithOneKey) {
  write("over.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({ value = { above = 10 } }, function(msg) print("x") end)
)");
  write("in.jsonl", gauge("load", 1, 9.7));
  run("explain over.lua --input in.jsonl --at 1s");
  EXPECT_TRUE(says("✗ value  9.7, wanted above 10 (0.3 too low)")) << output_;
}

// Not the first ones of a loop; and locals only where they have values.
TEST_F(TriggerTestExplain, OfALoopTellsTheRoundOfTheKey) {
  write("loop.lua", R"(local ctx = hastur.trigger{ state = { v = {} } }
ctx:gauges({ name = "load" }, function(msg) ctx.state.v[msg.labels.host] = msg.value end)
ctx:every("10s", function()
  for host, v in pairs(ctx.state.v) do
    local over = v - 10
    if over > 0 then
      pager_duty("load/" .. host, "over " .. over)
    end
  end
  local host = nil
  print(host)
end)
)");
  std::string in;
  for (int i = 1; i <= 20; ++i)
    in += gauge("load", i > 9 ? 2 : 1, i, fmt::format(R"({{"host":"h{}"}})", i).c_str());
  write("in.jsonl", in + tick(11));
  for (const char* key : {"h17", "load/h17", "loop/load/h17"}) {
    run(fmt::format("explain loop.lua --input in.jsonl --at 9s --around 1s --key {}", key));
    EXPECT_TRUE(
        says("   5  local over = v - 10                            v = 17   host = \"h17\"\n"
             "           6  if over > 0 then                               over = 7\n"
             "           7  pager_duty(\"load/\" .. host, \"over \" .. over)   "
             "host = \"h17\"   over = 7\n"))
        << key << output_;
    EXPECT_TRUE(says("lines more")) << output_;
    EXPECT_FALSE(says("= 16   host")) << output_;
    EXPECT_TRUE(says("   host = nil\n")) << output_;
  }
  run("explain loop.lua --input in.jsonl --at 9s --around 1s");
  EXPECT_FALSE(says("local over = v - 10                            over")) << output_;
}

TEST_F(TriggerTestExplain, NothingCommandsTheTerminal) {
  write("load.lua", R"(local ctx = hastur.trigger{ state = { hosts = {} } }
ctx:gauges({ name = "load", value = { above = 1 } }, function(msg)
  local host = msg.host
  ctx.state.hosts[host] = msg.value
  if msg.value > 8 then pager_duty(host, "high on " .. host) else error("low on " .. host) end
end)
)");
  std::string in;
  for (const char* value : {"1", "7", "9"}) {
    in += fmt::format(R"({{"type":"gauge","name":"load","value":{},"timestamp":1704067201000000,)"
                      R"("hostname":"a\u001b]0;x\u009b2J","labels":{{"k\u009b":"\u001b"}}}})"
                      "\n",
                      value);
  }
  write("in.jsonl", in);
  write("new.lua", "local ctx = hastur.trigger{}\n");
  for (const char* command :
       {"explain load.lua --input in.jsonl --at 1s",
        "explain load.lua --input in.jsonl --at 1s --key $(printf '\\302\\2332J')",
        "run load.lua --input in.jsonl --format text", "diff load.lua new.lua --input in.jsonl",
        "trace load.lua --input in.jsonl --format text"}) {
    run(command);
    for (const std::string& text : {output_, error_}) {
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << command << text;
      EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos) << command << text;
    }
    EXPECT_TRUE(says("2J")) << command << output_ << error_;
  }
}

TEST_F(TriggerTestExplain, WidensToTheLastMessagesThatWereTaken) {
  write("spike.lua", spike);
  write("in.jsonl", gauge("load", 1, 60) + gauge("cpu", 600, 1));
  run("explain spike.lua --input in.jsonl --at 10m");
  EXPECT_TRUE(says("→ pager_duty spike/shop1: load is 60")) << output_;
  run("explain spike.lua --input in.jsonl --at 10m --around 5s");
  EXPECT_TRUE(says("No input touched it")) << output_;
}

TEST_F(TriggerTestExplain, WritesTheSameAsJson) {
  write("spike.lua", spike);
  write("in.jsonl", gauge("load", 1, 9.7) + gauge("load", 3, 60));
  run("explain spike.lua --input in.jsonl --at 2s --format json");
  EXPECT_EQ(exit_code_, 0) << error_;
  const Result<Json> json = parse_json(output_);
  ASSERT_TRUE(json) << output_;
  EXPECT_EQ((*json)["trigger"], "spike");
  ASSERT_EQ((*json)["inputs"].size(), 2u) << output_;
  const Json& low = (*json)["inputs"][0];
  EXPECT_EQ(low["seq"], 1);
  EXPECT_EQ(low["input"]["value"], 9.7);
  EXPECT_EQ(low["subscriptions"][0]["takes"], false);
  EXPECT_EQ(low["subscriptions"][0]["filter"][1], Json({{"key", "value"},
                                                        {"holds", false},
                                                        {"found", 9.7},
                                                        {"wanted", "above 10"},
                                                        {"far", "0.3 too low"}}));
  const Json& high = (*json)["inputs"][1];
  EXPECT_EQ(high["calls"][0]["subscribed_at"], 2);
  EXPECT_EQ(high["calls"][0]["lines"][1]["source"], "if twice > 100 then");
  EXPECT_EQ(high["calls"][0]["lines"][1]["values"], Json({{"twice", "120"}}));
  EXPECT_EQ(high["calls"][0]["lines"][2]["effects"], 1);
  EXPECT_EQ(high["state"], Json::parse(R"([{"path":"total","before":0,"after":1}])"));
  EXPECT_EQ(high["effects"][0]["key"], "spike/shop1");
}

const char* alerts = R"(local ctx = hastur.trigger()
local busy = ctx:alert("busy", { raise = { above = 0.10 }, raise_after = "5m", again = "1h", burst = 2 })
ctx:gauges({ name = "load" }, function(msg)
  busy:set(msg.labels.host, msg.value, "it is busy")
end)
)";

TEST_F(TriggerTestExplain, TellsWhyAnAlertIsQuiet) {
  write("busy.lua", alerts);
  std::string in = gauge("load", 1, 0.08) + gauge("load", 60, 0.2);
  for (const char* host : {"a", "b", "c", "d"})
    in += gauge("load", 3000, 0.5, fmt::format(R"({{"host":"{}"}})", host).c_str());
  write("in.jsonl", in + tick(4000));
  run("explain busy.lua --input in.jsonl --at 10s");
  EXPECT_TRUE(says("busy/shop1 is quiet: 0.08 is not above 0.10")) << output_ << error_;
  EXPECT_TRUE(says("busy[\"shop1\"] ← 0.08")) << output_;
  run("explain busy.lua --input in.jsonl --at 5m");
  EXPECT_TRUE(says("busy/shop1 is quiet: held 4 of 5 min")) << output_;
  EXPECT_TRUE(says("alert busy[\"shop1\"]  opens at 2024-01-01T00:06:00Z if it stays so"));
  // Paged at 6 min.
  run("explain busy.lua --input in.jsonl --at 25m1s");
  EXPECT_TRUE(says("busy/shop1 is quiet: again in 41 min")) << output_;
  run("explain busy.lua --input in.jsonl --at 3310s --key c");
  EXPECT_TRUE(says("busy/c is quiet: burst")) << output_;
  EXPECT_FALSE(says("busy/d")) << output_;
}

TEST_F(TriggerTestExplain, SaysWhichKeysThereAreWhenOneIsNot) {
  write("busy.lua", alerts);
  write("in.jsonl", gauge("load", 1, 0.08) + tick(30));
  run("explain busy.lua --input in.jsonl --at 5s --key nobody");
  EXPECT_EQ(exit_code_, 0);
  EXPECT_TRUE(says("Nothing here has to do with the key nobody")) << output_;
  EXPECT_TRUE(says("Keys that were met: shop1")) << output_;
}

TEST_F(TriggerTestExplain, LooksAtATriggerThatReceivesItsOwnMessages) {
  write("own.lua", R"(local ctx = hastur.trigger{ own = true, state = { own = 0 } }
ctx:gauges({ name = "load" }, function(msg) hastur.gauge("twice", msg.value * 2) end)
ctx:gauges({ name = "twice" }, function(msg) ctx.state.own = ctx.state.own + 1 end)
)");
  write("in.jsonl", gauge("load", 1, 3) + gauge("load", 2, 4));
  run("explain own.lua --input in.jsonl --at 2s --around 1s");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(says("→ gauge twice 8")) << output_;
  EXPECT_TRUE(says("∆ own  1 → 2")) << output_;
}

// Each message that it derives and takes is an input with a filter, fields and changes of its own.
TEST_F(TriggerTestExplain, TellsOwnMessagesAsTheInputsThatTheyAre) {
  write("chain.lua", R"(local ctx = hastur.trigger{ own = true, state = { seen = 0 } }
ctx:counters({ name = "rates" }, function(msg)
  hastur.gauge("rate", msg.value * 2)
end)
ctx:gauges({ name = "rate", value = { above = 5 } }, function(msg)
  ctx.state.seen = msg.value
  if msg.value < 30 then hastur.gauge("rate", 2 * msg.value) end
end)
)");
  const std::string counter =
      R"({"type":"counter","name":"rates","value":%,"timestamp":1704067200500000})"
      "\n";
  const auto of = [&](const char* value) {
    return std::string(counter).replace(counter.find('%'), 1, value);
  };
  // As an export has it: what it derived then, too.
  const std::string recorded =
      R"({"type":"gauge","name":"rate","value":2,"timestamp":1704067200500000,"origin":)"
      R"({"trigger":"chain","run":1,"sequence":1,"ordinal":0,"depth":1}})"
      "\n";
  write("in.jsonl", of("1") + recorded + of("9"));
  run("explain chain.lua --input in.jsonl --at 1s");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(
      says("gauge rate 2 trigger=\"chain\"  its own, at #1\n"
           "    ✗ line 5 did not take it\n"
           "        ✓ name   \"rate\"\n"
           "        ✗ value  2, wanted above 5 (3 too low)\n"))
      << output_;
  EXPECT_TRUE(
      says("gauge rate 18 trigger=\"chain\"  its own, at #3\n"
           "    ✓ line 5 took it: name \"rate\", value 18 (above 5)\n"))
      << output_;
  EXPECT_TRUE(says("msg.value = 18\n")) << output_;
  EXPECT_TRUE(says("    ∆ seen  0 → 18\n    → gauge rate 36\n")) << output_;
  EXPECT_TRUE(says("    ∆ seen  18 → 36\n")) << output_;
  EXPECT_FALSE(says("nearly the same")) << "rates is a name that it takes: " << output_;
  EXPECT_FALSE(says("own = true takes those")) << output_;

  run("explain chain.lua --input in.jsonl --at 1s --format json");
  const Result<Json> json = parse_json(output_);
  ASSERT_TRUE(json) << output_;
  ASSERT_EQ((*json)["inputs"].size(), 5u) << output_;
  const Json& own = (*json)["inputs"][3];
  EXPECT_EQ(own["derived"], true);
  EXPECT_EQ(own["input"]["value"], 18);
  EXPECT_EQ(own["calls"][0]["lines"][0]["values"]["msg.value"], "18");
  EXPECT_FALSE((*json)["inputs"][0].contains("derived"));
}

// What cannot be looked at has not become nothing.
TEST_F(TriggerTestExplain, SaysThatAStateIsTooLargeOrNoJson) {
  write("big.lua", R"(local ctx = hastur.trigger{ state = { big = "" } }
ctx:gauges({}, function(msg)
  ctx.state.big = msg.value > 0 and ("x"):rep(msg.value) or print
end)
)");
  write("in.jsonl", gauge("load", 1, 70'000) + gauge("load", 2, 70'000) + gauge("load", 3, 1) +
                        gauge("load", 4, 0));
  run("explain big.lua --input in.jsonl --at 2s --around 3s");
  EXPECT_TRUE(says("∆ state  has become larger than 64 KiB or no JSON\n\n00:00:02")) << output_;
  EXPECT_TRUE(says("∆ state  is larger than 64 KiB or no JSON\n\n")) << output_;
  EXPECT_TRUE(says("∆ state  was larger than 64 KiB or no JSON\n\n── 00:00:03")) << output_;
  EXPECT_FALSE(says("nothing")) << output_;
  run("explain big.lua --input in.jsonl --at 2s --around 3s --format json");
  const Result<Json> json = parse_json(output_);
  ASSERT_TRUE(json) << output_;
  for (const Json& input : (*json)["inputs"]) {
    EXPECT_TRUE(input["input"]["type"] == "tick" || input["state"].is_null()) << input;
  }
}

TEST_F(TriggerTestExplain, TellsThatAnAlertFallsWithAStateThatFails) {
  write("full.lua", R"(local ctx = hastur.trigger{ state_bytes_max = "4KiB" }
local up = ctx:alert("up", {})
ctx:gauges({}, function(msg)
  ctx.state.pad = ("x"):rep(msg.value)
  up:raise(msg.labels.host, "it is down")
end)
)");
  write("in.jsonl", gauge("load", 1, 5000) + tick(2) + gauge("load", 3, 10) + tick(4));
  run("explain full.lua --input in.jsonl --at 1s --around 1s --key up/shop1");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(says("✗ full.lua: state is larger than 4096 bytes of JSON")) << output_;
  EXPECT_TRUE(says("up/shop1 is quiet: what it would say falls with the state: state is larger"))
      << output_;
  EXPECT_FALSE(says("→ pager_duty")) << output_;
  run("explain full.lua --input in.jsonl --at 3s --around 1s --key up/shop1");
  EXPECT_TRUE(says("→ pager_duty")) << output_;
}

TEST_F(TriggerTestExplain, EndsWithTheExitCodesOfTheTool) {
  write("spike.lua", spike);
  write("bad.lua", "local ctx = hastur.trigger{}\nlocal x =\n");
  write("in.jsonl", gauge("load", 1, 60));
  run("explain bad.lua --input in.jsonl --at 1s");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(error_.find("bad.lua"), std::string::npos) << error_;
  for (const char* arguments : {"explain", "explain spike.lua --input in.jsonl",
                                "explain spike.lua --input in.jsonl --at x",
                                "explain spike.lua --input in.jsonl --at 2030-01-01T00:00:00Z",
                                "explain spike.lua --input nowhere.jsonl --at 1s",
                                "explain spike.lua --input in.jsonl --at 1s --format xml"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
    EXPECT_FALSE(error_.empty()) << arguments;
  }
}

}  // namespace
}  // namespace hastur
