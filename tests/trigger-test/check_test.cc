// trigger-test [PATHS], as people and CI servers call it.

#include <gtest/gtest.h>

#include "core/clock.h"
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

TEST_F(TriggerTestCheck, ALibraryIsThereAsInProduction) {
  write("lib/u.lua", "return { n = 1 }");
  write("lib/v.lua", "return { n = 2 }");
  write("long.lua", "local u = require [[lib.u]]  hastur.trigger{ state = { n = u.n } }");
  write("long.test.lua",
        "local v = require [==[lib.v]==] return { expect = { { state = { n = v.n - 1 } } } }");
  run("--no-hunt long.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  write("dyn.lua", "local name = 'lib.u'\nlocal u = require(name)\nhastur.trigger{}");
  run("--no-hunt dyn.lua");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_TRUE(says("there is no library 'lib.u'")) << output_;
  EXPECT_TRUE(
      says("lib/u.lua is there, but what a script requires is found by reading it: write "
           "require \"lib.u\""))
      << output_;
  EXPECT_TRUE(says("at dyn.lua:2")) << output_;
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

TEST_F(TriggerTestCheck, AnotherKeyAtAnAllowedTimeDoesNotHideWhyOneDidNotFire) {
  write("hot.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({ name = "g", value = { above = 10 } }, function(msg)
  pager_duty("temp/" .. msg.uuid, "hot", {})
end)
)");
  write("hot.test.lua", R"(return {
  messages = { { type="gauge", name="g", uuid="u1", value=50 }, { type="gauge", name="g", uuid="u2", value=9.7 } },
  expect = { { page="temp/u2" } } })");
  run("--no-hunt hot.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("timeline of temp/u2")) << output_;
  EXPECT_TRUE(says("9.7")) << output_;
  EXPECT_TRUE(says("wanted above 10")) << output_;
}

TEST_F(TriggerTestCheck, AKeyThatBeginsWithTheTriggersNameIsToldAsItIsAskedFor) {
  write("sil.lua", R"(local ctx = hastur.trigger{ state = { last = {} } }
ctx:process_heartbeats({ name = "w" }, function(msg) ctx.state.last[msg.uuid] = hastur.now() end)
ctx:every("5s", function(tick)
  for u, t in pairs(ctx.state.last) do
    if tick.time - t >= hastur.us("30s") then pager_duty("sil/" .. u, "silent", {}) ctx.state.last[u] = nil end
  end
end)
)");
  write("sil.test.lua", R"(return {
  messages = { { type="hb_process", name="w", uuid="u1", every="5s", times=3 } },
  expect = { { at="30s", page="sil/u1" } } })");
  run("--no-hunt sil.lua");
  EXPECT_TRUE(says("- 00:00:30  page sil/u1")) << output_;
  EXPECT_TRUE(says("+ 00:00:40  page sil/u1")) << output_;
  EXPECT_TRUE(says("→ page sil/u1")) << output_;
}

TEST_F(TriggerTestCheck, NamesOfFilesDoNotCommandTheTerminal) {
  const std::string odd = "a\33]0;owned\7b";
  write(odd + ".lua", "hastur.trigger{}");
  write(odd + "/ok.lua", "hastur.trigger{}");
  write(odd + "/ok.test.lua", "return { messages = {}, expect = { { page = 'x' } } }");
  write(odd + "/gone.test.lua", "return { messages = {} }");
  run("--no-hunt .");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("a?]0;owned?b")) << output_;
  EXPECT_EQ(output_.find('\33'), std::string::npos) << output_;
  for (const char* arguments : {"--no-hunt $(printf 'q\\033]0;x')", "new $(printf 'q\\033]0;x')",
                                "run $(printf 'q\\033]0;x.lua') --input nix"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments << output_;
    EXPECT_EQ(error_.find('\33'), std::string::npos) << error_;
    EXPECT_NE(error_.find("q?]0;x"), std::string::npos) << error_;
  }
}

TEST_F(TriggerTestCheck, JunitHoldsNothingThatIsNoCharacterOfXml) {
  write("a.lua", "hastur.trigger{}");
  write("a.test.lua",
        "return { name = 'a\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBDz', messages = {}, "
        "expect = { { page = '\xEF\xBF\xBF' } } }");
  run("--no-hunt --format junit .");
  EXPECT_TRUE(says("a??\xEF\xBF\xBDz")) << output_;
  EXPECT_FALSE(says("\xEF\xBF\xBE") || says("\xEF\xBF\xBF")) << output_;
}

TEST_F(TriggerTestCheck, EffectsThatAMinuteCutSaySo) {
  write("dm.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({ name = "g" }, function(msg) for i = 1, 900 do hastur.gauge("x", i) end end)
)");
  const auto test = [](int times) {
    return fmt::format(
        "return {{ messages = {{ {{ type='gauge', name='g', value=1, every='1s', "
        "times={} }} }} }}",
        times);
  };
  write("dm.test.lua", test(11));
  run("--no-hunt dm.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  write("dm.test.lua", test(15));
  run("--no-hunt dm.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(
      says("it derives more than 10000 messages in one minute, and 3500 effects are left out"))
      << output_;
  EXPECT_FALSE(says("one call has more")) << output_;
  write("lg.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({ name = "g" }, function(msg) for i = 1, 100 do print(("x"):rep(1000)) end end)
)");
  write("lg.test.lua", test(1));
  run("--no-hunt lg.lua");
  EXPECT_TRUE(says("it logs more than 64 KiB in one minute")) << output_;
  write("pd.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({ name = "g" }, function(msg) for i = 1, 60 do pager_duty("k" .. i, "t") end end)
)");
  write("pd.test.lua", test(1));
  run("--no-hunt pd.lua");
  EXPECT_TRUE(says("one call has more effects than it may, and 10 of them")) << output_;
}

TEST_F(TriggerTestCheck, CoverageWithoutTestsIsNotOfAllLines) {
  write("a.lua", "local ctx = hastur.trigger{}\nctx:gauges({}, function(msg) print(1) end)\n");
  run("--no-hunt --coverage a.lua");
  EXPECT_EQ(exit_code_, 0);
  EXPECT_TRUE(says("no test runs any of its lines")) << output_;
  EXPECT_FALSE(says("100 %")) << output_;
}

TEST_F(TriggerTestCheck, AStateThatMustNeverBeSaysWhenItWasLookedAt) {
  write("a.lua", "local ctx = hastur.trigger{ state = { n = 1 } }");
  write("a.test.lua",
        "return { messages = {}, expect = { { state = { n = 1 }, never = true },\n"
        "{ state = { n = 1 }, at = '3s', never = true } } }");
  run("--no-hunt a.lua");
  EXPECT_TRUE(says("the state at the end is what it must never be")) << output_;
  EXPECT_TRUE(says("the state at 00:00:03 is what it must never be")) << output_;
}

TEST_F(TriggerTestCheck, StatesAtManyTimesAreReadInOneRun) {
  write("n.lua", R"(local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "g" }, function(msg) ctx.state.n = ctx.state.n + 1 end)
ctx:gauges({ name = "bad" }, function(msg) ctx.state.f = function() end end)
)");
  write("n.test.lua", R"(local expect = {}
for i = 0, 9000 do expect[#expect + 1] = { state = { n = i + 1 }, at = i } end
expect[11].state.n = 77
return { messages = { { type = "gauge", name = "g", value = 1, times = 9900 } }, expect = expect })");
  SystemClock clock;
  const Micros begin = clock.monotonic();
  run("--no-hunt n.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("state.n at 00:00:10 is 11, expected 77")) << output_;
  EXPECT_FALSE(says("more")) << output_;
  EXPECT_LT(clock.monotonic() - begin, std::chrono::seconds{15}) << "a run for each takes a minute";
  // Where a state is refused, each is the end of a run of its own.
  write("n.test.lua", R"(local expect = { { error = "*" } }
for i = 0, 9 do expect[#expect + 1] = { state = { n = 0 }, at = i + 0.5 } end
return { messages = { { type = "gauge", name = "bad", value = 1, at = 3.2 } }, expect = expect })");
  run("--no-hunt n.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
}

TEST_F(TriggerTestCheck, ATestThatIsTooLongSaysWhatToDo) {
  write("a.lua", "hastur.trigger{}");
  write("a.test.lua",
        "return { messages = { { type = 'gauge', name = 'g', value = 1, every = '1d', times = 365 "
        "} } }");
  run("--no-hunt a.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("the test is too long: it may have 5000000 messages and ticks")) << output_;
  EXPECT_TRUE(says("lost = ")) << output_;
}

TEST_F(TriggerTestCheck, ANameOfThePlatformIsNoTriggersHereEither) {
  write("hastur/x.lua", "hastur.trigger{}");
  run("--no-hunt hastur");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("names that begin with hastur/ are the platform's own")) << output_;
  run("new hastur/y");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "hastur/y.lua"));
}

TEST_F(TriggerTestCheck, ARecordingThatTheGateDoesNotReadIsRefused) {
  write("a.lua", "hastur.trigger{}");
  write("data/r.txt", "{}");
  write("a.test.lua", "return { messages = { { recording = 'data/r.txt' } } }");
  run("--no-hunt a.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("the recording data/r.txt is no NAME.jsonl or NAME.json")) << output_;
}

TEST_F(TriggerTestCheck, AFullOrClosedStandardErrorEndsNothing) {
  write("silence.lua", silence);
  // run() redirects standard error last, so a shell of its own does it here.
  const auto with = [&](const std::string& arguments, const std::string& error) {
    const std::string command =
        fmt::format("sh -c 'cd {} && {} {} {}' 2>/dev/null", folder_.string(),
                    testing::beside_us("trigger-test"), arguments, error);
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  for (const char* error : {"2>/dev/full", "2>&-"}) {
    EXPECT_EQ(with("--bogus", error), 2) << error;
    EXPECT_EQ(with("--no-hunt nix.lua", error), 2) << error;
    EXPECT_EQ(with("run silence.lua --input nix.jsonl", error), 2) << error;
    EXPECT_EQ(with("--no-hunt silence.lua >/dev/full", error), 3) << error;
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
