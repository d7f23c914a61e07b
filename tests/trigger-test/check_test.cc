// trigger-test [PATHS], as people and CI servers call it.

#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

class TriggerTestCheck : public testing::TriggerTestCommand {
 protected:
  bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
};

const char* silence = R"(local ctx = hastur.trigger{ state = { seen = {} } }

ctx:agent_heartbeats({ labels = { watched = true } }, function(msg)
  ctx.state.seen[msg.uuid] = hastur.now()
end)

ctx:every("second", function(tick)
  for uuid, seen in pairs(ctx.state.seen) do
    if tick.time - seen >= hastur.us("10s") then
      pager_duty("silent/" .. uuid, "silent: " .. uuid)
      ctx.state.seen[uuid] = nil
    end
  end
end)
)";

std::string silence_test(const std::string& page_at) {
  return R"(return {
  name = "a silent host pages",
  messages = { { type = "hb_agent", uuid = "u1", labels = { watched = 1 }, every = "5s", times = 6 } },
  expect = {
    { at = ")" +
         page_at + R"(", page = "silent/u1", text = "silent: u1" },
    { at = "30s", state = { seen = { u1 = "1704067225000000" } }, never = true },
  },
  nothing_else = true,
})";
}

TEST_F(TriggerTestCheck, GoodTriggersEndWithNought) {
  write("a/silence.lua", silence);
  write("a/silence.test.lua", silence_test("35s"));
  write("a/untested.lua", "hastur.trigger{}");
  run("a");
  EXPECT_EQ(exit_code_, 0) << output_ << error_;
  EXPECT_TRUE(says("ok    a/silence")) << output_;
  EXPECT_TRUE(says("no tests")) << output_;
  EXPECT_TRUE(says("2 triggers, 1 test: all good")) << output_;
}

TEST_F(TriggerTestCheck, WhatTestsAndMessagesSayDoesNotCommandTheTerminal) {
  write("named.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg) slack("\27[2J" .. msg.name) end)
)");
  write("named.test.lua", R"(return {
  name = "a\27[31mred\nok    named",
  messages = { { type = "gauge", name = "\27]0;x", value = 1 } },
  expect = { { at = "0s", page = "\27[1mother" } },
  nothing_else = true,
})");
  run("--no-hunt named.lua");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_TRUE(says("a?[31mred?ok    named")) << output_;
  EXPECT_FALSE(says("\033")) << output_;
  run("--no-hunt --filter green .");
  EXPECT_TRUE(error_.find("a?[31mred?ok") != std::string::npos) << error_;
  EXPECT_EQ(error_.find('\033'), std::string::npos) << error_;
}

TEST_F(TriggerTestCheck, AFilterThatNothingGoesBySaysWhatThereIs) {
  write("silence.lua", silence);
  write("silence.test.lua", silence_test("35s"));
  run("--filter slient .");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_EQ(output_, "");
  EXPECT_EQ(error_,
            "trigger-test: --filter slient: no trigger's path holds it, and no test's name does; "
            "the tests are\n  silence: a silent host pages\n");
  write("other.lua", "hastur.trigger{}");
  run("--filter pages .");
  EXPECT_EQ(exit_code_, 0);
  EXPECT_FALSE(says("other")) << output_;
}

TEST_F(TriggerTestCheck, OutputThatCannotBeWrittenIsAnError) {
  write("silence.lua", silence);
  for (const char* arguments : {"--help", "--version", "run --help", "--no-hunt .", "new later"}) {
    run(std::string(arguments) + " >/dev/full");
    EXPECT_EQ(exit_code_, 3) << arguments;
    EXPECT_EQ(error_.find("trigger-test: cannot write the "), 0u) << arguments << ": " << error_;
    EXPECT_EQ(error_.find("cannot write", 20), std::string::npos) << error_;
  }
}

TEST_F(TriggerTestCheck, EffectsThatALimitCutsFailATestAtTheirLine) {
  write("burst.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  for i = 1, 300 do print(i) end
  for i = 1, msg.value do
    hastur.gauge("burst", i)
  end
end)
)");
  const auto test = [](const char* value) {
    return std::string(R"(return { messages = { { type = "gauge", name = "a", value = )") + value +
           " } } }";
  };
  write("burst.test.lua", test("700"));
  run("--no-hunt burst.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  write("burst.test.lua", test("701"));
  run("--no-hunt burst.lua");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_TRUE(says("one call has more effects than it may, and 1 of them are left out")) << output_;
  EXPECT_TRUE(says("at burst.lua:5")) << output_;
}

TEST_F(TriggerTestCheck, AMissSaysWhenItFiredWithBothLinesAndWhy) {
  write("silence.lua", silence);
  write("silence.test.lua", silence_test("30s"));
  run("silence.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("page silent/u1: fired at 00:00:35, expected 00:00:30 (5s late)")) << output_;
  EXPECT_TRUE(says("asked for at silence.test.lua:5")) << output_;
  EXPECT_TRUE(says("caused at silence.lua:10")) << output_;
  EXPECT_TRUE(says("- 00:00:30  page silent/u1")) << output_;
  EXPECT_TRUE(says("+ 00:00:35  page silent/u1")) << output_;
  // The condition that did not hold then.
  EXPECT_TRUE(says("9: if tick.time - seen >= hastur.us(\"10s\") then   seen = 1704067225000000"))
      << output_;
}

TEST_F(TriggerTestCheck, ATimelineSaysWhichFilterRefused) {
  write("silence.lua", silence);
  write("silence.test.lua", R"(return {
    messages = { { type = "hb_agent", uuid = "u1", labels = { watch = 1 } } },
    expect = { { at = "10s", page = "silent/u1" } } })");
  run("silence.test.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("not taken by line 3: labels.watched is absent, wanted any")) << output_;
}

// The end of a test is a judgement, which a test that goes on has somewhere else.
TEST_F(TriggerTestCheck, AStateThatIsNoneAtTheEndFailsTheTest) {
  write("f.lua",
        "local ctx = hastur.trigger()\n"
        "ctx:gauges({ name = \"a\" }, function(msg) ctx.state.f = function() end end)\n");
  for (const char* at : {"", ", at = \"3s\"", ", every = \"1s\", times = 3"}) {
    write("f.test.lua",
          std::string("return { messages = { { type = \"gauge\", name = \"a\", value = 1") + at +
              " } }, expect = {} }");
    run("--no-hunt f.lua");
    EXPECT_EQ(exit_code_, 1) << at << output_;
    EXPECT_TRUE(says("error state.f is a function came at")) << output_;
    EXPECT_TRUE(says("+ 00:00:0")) << output_;
  }
}

TEST_F(TriggerTestCheck, AStateIsComparedByItsPaths) {
  write("count.lua", R"(local ctx = hastur.trigger{ state = { total = 0 } }
    ctx:counters({}, function(msg) ctx.state.total = ctx.state.total + msg.value end))");
  write("count.test.json",
        R"({ "messages": [{ "type": "counter", "name": "c", "every": "10s", "times": 6 }],
  "expect": [
    { "at": "25s", "state": { "total": 3 } },
    { "at": "25s", "state": { "total": 4 } },
    { "state": { "total": 6 } } ] })");
  run("count.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("state.total at 00:00:25 is 3, expected 4")) << output_;
  EXPECT_TRUE(says("count.test.json:4")) << output_;
  EXPECT_FALSE(says("at the end")) << output_;
}

TEST_F(TriggerTestCheck, WhatDoesNotLoadIsSaidWithItsLine) {
  write("bad.lua", "local ctx = hastur.trigger{}\ntotal = 5\n");
  run("bad.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("the global 'total' cannot be assigned")) << output_;
  EXPECT_TRUE(says("at bad.lua:2")) << output_;
}

TEST_F(TriggerTestCheck, ATestFileThatIsNoneFailsWithItsLine) {
  write("t.lua", "hastur.trigger{}");
  for (const auto& [text, why, place] :
       {std::tuple{"return {\n  messages = {},\n  expct = {} }", "has no key 'expct'",
                   "t.test.lua:3"},
        std::tuple{"return {\n", "unexpected symbol", "t.test.lua:2"},
        std::tuple{"local x = os.time()\nreturn {}", "os.time does not exist here", "t.test.lua:1"},
        std::tuple{"return nil", "it returns nothing", "t.test.lua"},
        std::tuple{"while true do end", "instructions", "t.test.lua:1"},
        std::tuple{"return { messages = {\n{ recording = 'no.jsonl' } } }",
                   "the recording: cannot read no.jsonl: No such file or directory",
                   "t.test.lua:2"},
        std::tuple{"return { messages = { f = function() end } }", "is a function",
                   "t.test.lua"}}) {
    write("t.test.lua", text);
    run("t.lua");
    EXPECT_EQ(exit_code_, 1) << text;
    EXPECT_TRUE(says(why)) << output_;
    EXPECT_TRUE(says(place)) << output_;
  }
}

TEST_F(TriggerTestCheck, ATriggerThatKillsItsWorkerTakesNoOtherWithIt) {
  // What nothing counts and nothing bounds but the guard of CPU time.
  write("a_killer.lua", R"(local ctx = hastur.trigger{}
    ctx:gauges({}, function(msg)
      local a, b = ("x"):rep(8e6), ("x"):rep(8e6)
      for i = 1, 4e6 do if a .. "1" < b .. "2" then end end
    end))");
  write("a_killer.test.lua", "return { messages = { { type = 'gauge', name = 'g', value = 1 } } }");
  write("silence.lua", silence);
  write("silence.test.lua", silence_test("35s"));
  run(". --jobs 1");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("FAIL  a_killer")) << output_;
  EXPECT_TRUE(says("ok    silence")) << output_;
}

TEST_F(TriggerTestCheck, WritesJsonForTools) {
  write("silence.lua", silence);
  write("silence.test.lua", silence_test("30s"));
  run(". --format json");
  EXPECT_EQ(exit_code_, 1);
  const Result<Json> report = parse_json(output_);
  ASSERT_TRUE(report) << output_;
  EXPECT_EQ((*report)["good"], false);
  const Json& trigger = (*report)["triggers"][0];
  EXPECT_EQ(trigger["name"], "silence");
  const Json& test = trigger["checks"][1];
  EXPECT_EQ(test["name"], "a silent host pages");
  EXPECT_EQ(test["failures"][0]["expected_at"], Json({{"path", "silence.test.lua"}, {"line", 5}}));
  EXPECT_EQ(test["failures"][0]["caused_at"], Json({{"path", "silence.lua"}, {"line", 10}}));
}

TEST_F(TriggerTestCheck, ATimelineCutsALongConditionBeforeWhatItFound) {
  write("silence.lua", R"(local ctx = hastur.trigger{ state = { last = {}, paged = {} } }
ctx:agent_heartbeats({}, function(msg) ctx.state.last[msg.uuid] = hastur.now() end)
ctx:every("5s", function(tick)
  for u, t in pairs(ctx.state.last) do
    if hastur.now() - t >= hastur.us("30s") and not ctx.state.paged[u] then ctx.state.paged[u] = true; pager_duty("silent/" .. u, "silent: " .. u, {}) end
  end
end)
)");
  write("silence.test.lua", silence_test("30s"));
  run("--no-hunt silence.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("5: if hastur.now() - t >= hastur.us(\"30s\") and not ctx")) << output_;
  EXPECT_TRUE(says(" …   t = 17040672")) << output_;
  EXPECT_TRUE(says("   u = \"u1\"")) << output_;
}

TEST_F(TriggerTestCheck, WritesJunitForCiServers) {
  write("silence.lua", silence);
  write("silence.test.lua", silence_test("30s"));
  run(". --format junit");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("<testsuite name=\"silence\" file=\"silence.lua\" tests=\"3\" failures=\"1\""))
      << output_;
  EXPECT_TRUE(says("<failure message=\"page silent/u1: fired at")) << output_;
  EXPECT_TRUE(says("silence.test.lua:5  a silent host pages")) << output_;
  EXPECT_TRUE(says("- 00:00:30  page silent/u1")) << output_;
  EXPECT_TRUE(says("timeline of silent/u1")) << output_;
}

TEST_F(TriggerTestCheck, AFilterChoosesTriggersOrTests) {
  write("one.lua", "hastur.trigger{}");
  write("two.lua", "hastur.trigger{}");
  write("two.test.lua", "return { { name = 'red', expect = {} }, { name = 'blue', expect = {} } }");
  run(". --filter two");
  EXPECT_TRUE(says("1 trigger, 2 tests")) << output_;
  run(". --filter blue");
  EXPECT_TRUE(says("2 triggers, 1 test:")) << output_;
  run(". --filter green");
  EXPECT_EQ(exit_code_, 2) << "all good would be a lie";
  EXPECT_NE(error_.find("no test's name does"), std::string::npos) << error_;
}

TEST_F(TriggerTestCheck, ReportsInTheOrderOfThePathsWhoeverIsFirst) {
  for (int i = 0; i < 20; ++i) write(fmt::format("t{:02}.lua", i), "hastur.trigger{}");
  run(". --jobs 4");
  EXPECT_EQ(exit_code_, 0);
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    const std::size_t next = output_.find(fmt::format("ok    t{:02}", i));
    ASSERT_NE(next, std::string::npos);
    EXPECT_GE(next, at);
    at = next;
  }
}

// A name that is misspelt must not go by as good.
TEST_F(TriggerTestCheck, ATestFileWithoutItsTriggerFails) {
  write("load.lua", "local ctx = hastur.trigger{}\n");
  write("lod.test.lua", "return { messages = {}, expect = {} }");
  run("--no-hunt");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_NE(output_.find("lod.test.lua tests a trigger that is not there: lod.lua"),
            std::string::npos)
      << output_;
  EXPECT_NE(output_.find("ok    load "), std::string::npos) << output_;
}

TEST_F(TriggerTestCheck, FlagsThatDoNotGoTogetherAreWrongUsage) {
  for (const char* flags : {"--branch main", "--pre-receive .", "--pre-receive --watch"}) {
    run(std::string(flags) + " </dev/null");
    EXPECT_EQ(exit_code_, 2) << flags;
    EXPECT_NE(error_.find("--pre-receive"), std::string::npos) << error_;
  }
}

TEST_F(TriggerTestCheck, WithoutTriggersItIsWrongUsage) {
  write("readme.md", "x");
  run("");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_NE(error_.find("no triggers"), std::string::npos);
  run("nowhere");
  EXPECT_EQ(exit_code_, 2);
}

}  // namespace
}  // namespace hastur
