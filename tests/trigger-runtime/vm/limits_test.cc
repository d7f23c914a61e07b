// The counted limits and the memory cap.

#include <set>

#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/vm/effects.h"

namespace hastur::testing {
namespace {

// What stopped `body`, and at which of its lines.
CallError stopped_by(const std::string& body, const TriggerOptions& options = {}) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{} local state = ctx.state\nctx:gauges({}, function(msg)\n" +
          body + "\nend)\n",
      options);
  if (!trigger.is_loaded()) return {};
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  if (!progress.stopped) return {};
  CallError error = progress.stopped->error;
  error.error.line -= 2;
  return error;
}

constexpr auto instructions = CallError::Kind::instructions;

TEST(Instructions, StopAnEndlessLoopAtItsLine) {
  const CallError error = stopped_by("\nwhile true do end");
  EXPECT_EQ(error.kind, instructions);
  EXPECT_EQ(error.error,
            (ScriptError{"more than 5000000 instructions in one call", "billing/load.lua", 2}));
}

TEST(Instructions, CountTheTablesThatAMetatableLeadsThrough) {
  const std::string make =
      "local t = { v = 1 } for i = 1, %d do t = setmetatable({}, { __index = t }) end ";
  const auto body = [&](const char* depth, const char* rounds) {
    std::string text = make;
    text.replace(text.find("%d"), 2, depth);
    return text + "local sum = 0 for i = 1, " + rounds + " do sum = sum + t.v end";
  };
  EXPECT_EQ(stopped_by(body("95", "200000")).kind, instructions);
  EXPECT_EQ(stopped_by(body("4", "200000")).error.text, "");
  EXPECT_EQ(stopped_by(body("95", "2000")).error.text, "");
  EXPECT_EQ(stopped_by("local t = {} for i = 1, 90 do t = setmetatable({}, { __newindex = t }) end "
                       "for i = 1, 1000000 do t.v = i end")
                .kind,
            instructions);
}

TEST(Instructions, CannotBeSwallowedByPcall) {
  for (const char* body :
       {"pcall(function() while true do end end)", "while true do pcall(function() end) end",
        "while true do pcall(error) end", "pcall(pcall, pcall, function() while true do end end)",
        "xpcall(function() while true do end end, function() while true do end end)",
        "xpcall(error, function() while true do end end)",
        "pcall(string.gsub, ('x'):rep(100), '.', function() while true do end end)",
        "pcall(table.sort, { 1, 2, 3 }, function() while true do end end)",
        "tostring(setmetatable({}, { __tostring = function() while true do end end }))"}) {
    const CallError error = stopped_by(body);
    EXPECT_EQ(error.kind, instructions) << body << ": " << error.error.text;
  }
}

TEST(Instructions, CountTheWorkOfNativeFunctions) {
  for (const char* body :
       {"local s = ('a'):rep(300000) s:match('.-b')",
        "local s = ('a'):rep(30000) s:match('.-.-.-b')",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:find('b', 1, true) end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:upper() end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:rep(2) end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:gsub('a', 'b') end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do (('%s%s')):format(s, s) end",
        "local t = {} for i = 1, 30000 do t[i] = 'x' end for i = 1, 1e9 do table.concat(t) end",
        "local t = {} for i = 1, 30000 do t[i] = -i end for i = 1, 1e9 do table.sort(t) end",
        "local t = {} for i = 1, 30000 do t[i] = i end for i = 1, 1e9 do table.insert(t, 1, i) end",
        "local t = {} for i = 1, 30000 do t[i] = i end for i = 1, 1e9 do pairs(t) end",
        "local t = {} for i = 1, 30000 do t[i] = i end for i = 1, 1e9 do next(t) end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:lower() end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:reverse() end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do s:sub(2) end",
        "local s = ('a'):rep(7000) for i = 1, 1e9 do s:byte(1, -1) end",
        "local t = {} for i = 1, 7000 do t[i] = 65 end for i = 1, 1e9 do string.char(unpack(t)) "
        "end",
        "local s = ('1'):rep(300000) for i = 1, 1e9 do tonumber(s) end",
        "local t = {} for i = 1, 7000 do t[i] = i end for i = 1, 1e9 do unpack(t) end",
        "local t = {} for i = 1, 30000 do t[i] = i end for i = 1, 1e9 do table.remove(t, 1) "
        "t[30000] = i end",
        "local t = {} for i = 1, 100 do t[i] = ('x'):rep(100000) .. i end for i = 1, 1e9 do "
        "table.sort(t) end",
        "local s = ('a'):rep(300000) for w in s:gmatch('.-b') do end",
        "local s = ('a'):rep(300000) for i = 1, 1e9 do tostring(s):find('^(a-)b') end",
        "for i = 1, 1e9 do local j = msg:to_json() end",
        "for i = 1, 1e9 do hastur.utc(0, ('%Y'):rep(1000)) end",
        "for i = 1, 1e9 do slack(('x'):rep(60000)) end",
        "for i = 1, 1e9 do print(('x'):rep(60000)) end",
        "for i = 1, 1e9 do msg:to_table() end",
        "for i = 1, 1e9 do hastur.gauge('x', 1) end",
        "local s = ('5m'):rep(1000000) while true do pcall(hastur.us, s) end",
        "local s = ('x'):rep(3000000) while true do pcall(slack, 'x', { action = s }) end",
        "local s = ('x'):rep(3000000) while true do pcall(slack, 'x', { severity = s }) end",
        "local o = { [('x'):rep(3000000)] = 1 } while true do pcall(slack, 'x', o) end",
        "local o = {} for i = 1, 100000 do o[i] = 1 end while true do pcall(slack, 'x', o) end",
        "local o = {} for i = 1, 100000 do o['a' .. i] = 1 end while true do "
        "pcall(alertmanager, o) end",
        "local o = {} for i = 1, 80000 do o[i] = '' end while true do pcall(send_email, o) end",
        "local o = {} for i = 1, 100000 do o[i] = 1 end while true do "
        "pcall(web_hook, 'http://a', { headers = o }) end",
        "local s = ('x'):rep(200000) while true do pcall(print, s, s) end"}) {
    EXPECT_EQ(stopped_by(body).kind, instructions) << body;
  }
}

TEST(Instructions, CountTheWorkOfNativeFunctionsAtLoad) {
  for (const char* body : {"local s = ('x'):rep(100) local c = hastur.trigger{} while true do "
                           "pcall(function() return c[s] end) end",
                           "local o = { [('x'):rep(100)] = 1 } local c = hastur.trigger{} "
                           "while true do pcall(c.gauges, c, o, print) end",
                           "local s = ('5m'):rep(1000000) while true do pcall(hastur.us, s) end",
                           "local s = ('x'):rep(3000000) while true do pcall(require, s) end",
                           "local s = ('x'):rep(3000000) local c = hastur.trigger{} while true do "
                           "pcall(c.every, c, s, print) end",
                           "local s = ('x'):rep(3000000) local c = hastur.trigger{} while true do "
                           "pcall(function() return c[s] end) end",
                           "local o = {} for i = 1, 100000 do o[i] = 1 end while true do "
                           "pcall(hastur.trigger, o) end"}) {
    EXPECT_EQ(load_error(body).text, "more than 5000000 instructions in one call") << body;
  }
}

// What stood in the script stands there still.
TEST(Errors, QuoteTheBeginningOfALongText) {
  for (const char* body :
       {"hastur.us(('x'):rep(10000))", "slack('x', { action = ('x'):rep(10000) })",
        "slack('x', { severity = ('x'):rep(10000) })", "slack('x', { [('x'):rep(10000)] = 1 })"}) {
    const std::string text = stopped_by(body).error.text;
    EXPECT_NE(text.find("xxxxxxxxxx …"), std::string::npos) << text;
    EXPECT_LT(text.size(), 500u) << body;
  }
  for (const char* script :
       {"hastur.us(('x'):rep(10000))", "require(('x'):rep(10000))",
        "hastur.trigger{ [('x'):rep(10000)] = 1 }",
        "hastur.trigger{}:every(('x'):rep(10000), print)", "hastur.trigger{}:was(('x'):rep(10000))",
        "hastur.trigger{}:keyed(('x'):rep(10000), {})",
        "hastur.trigger{}:keyed('a', { [('x'):rep(10000)] = 1 })",
        "hastur.trigger{}:alert('a', { severity = ('x'):rep(10000) })"}) {
    const std::string text = load_error(script).text;
    EXPECT_NE(text.find("xxxxxxxxxx …"), std::string::npos) << text;
    EXPECT_LT(text.size(), 500u) << script;
  }
}

// What a call of `body` leaves as state, or how it was stopped; `what` is observed.
std::string seen_by(const std::string& body, ObserveCommand::What what) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{} local state = ctx.state\nctx:gauges({}, function(msg)\n" +
      body + "\nend)\n");
  if (!trigger.is_loaded()) return "not loaded";
  trigger.vm().observe(what);
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) {
    const CallError& error = progress.stopped->error;
    return fmt::format("{} {}:{} {}", static_cast<int>(error.kind), error.error.script,
                       error.error.line, error.error.text);
  }
  return trigger.state();
}

// Hooks take of the stack, and it has grown otherwise in every VM.
TEST(Calls, AreNestedAsDeepInEveryVm) {
  const std::string wide = [] {
    std::string names = "a1";
    for (int i = 2; i <= 60; ++i) names += fmt::format(", a{}", i);
    return "local function f() d = d + 1 local " + names + " return 1 + f() end ";
  }();
  const std::string note = "local ok, text = pcall(f) state.depth = d state.text = text";
  for (const std::string& body : std::vector<std::string>{
           "local d = 0 local function f() d = d + 1 return 1 + f() end " + note,
           "local d = 0 " + wide + note,
           "local d = 0 local function f(...) d = d + 1 return 1 + f(...) end "
           "local g = f f = function() g(unpack({}, 1, 50)) end " +
               note,
           "local d = 0 local t = {} setmetatable(t, { __index = function(t, k) d = d + 1 return "
           "1 + t[k .. 'x'] end }) local function f() return t.x end " +
               note,
           "local d = 0 local mt = {} mt.__eq = function(a, b) d = d + 1 return not (a == b) end "
           "local function f() return setmetatable({}, mt) == setmetatable({}, mt) end " +
               note,
           "local d = 0 local function g() d = d + 1 return 1 + g() end local function f() "
           "for i = 1, 3 do pcall(g) end return g() end " +
               note}) {
    const std::string plain = seen_by(body, ObserveCommand::What::nothing);
    EXPECT_NE(plain.find("stack overflow: calls are nested too deep"), std::string::npos) << plain;
    EXPECT_EQ(seen_by(body, ObserveCommand::What::lines), plain) << body;
    EXPECT_EQ(seen_by(body, ObserveCommand::What::calls), plain) << body;
  }
}

// What gets to the end of LuaJIT's stack within a step is stopped alike, wherever that was.
TEST(Calls, ThatFillTheStackAtOnceCannotBeCaught) {
  for (const char* body :
       {"local function f(...) return 1 + f(...) end pcall(f, unpack({}, 1, 7000))",
        "local function f(...) return 1 + f(...) end f(unpack({}, 1, 7000))",
        "local function f(...) return 1 + f(...) end "
        "xpcall(function() f(unpack({}, 1, 7000)) end, function() state.caught = 1 end)"}) {
    for (const auto what : {ObserveCommand::What::nothing, ObserveCommand::What::lines}) {
      EXPECT_EQ(seen_by(body, what),
                "2 billing/load.lua:2 out of memory: the stack is full of calls, each with many "
                "values")
          << body;
    }
  }
}

TEST(Constructors, OfLongTablesStandAtTheTopOfTheFile) {
  const auto list = [](int entries) {
    std::string text = "{ ";
    for (int i = 0; i < entries; ++i) text += fmt::format("{}, ", i);
    return text + "}";
  };
  const auto names = [](int entries) {
    std::string text = "{ ";
    for (int i = 0; i < entries; ++i) text += fmt::format("k{} = 1, ", i);
    return text + "}";
  };
  const auto in_callback = [](const std::string& table) {
    return load_error("local ctx = hastur.trigger{}\nctx:gauges({}, function()\n  return " + table +
                      "\nend)");
  };
  EXPECT_EQ(in_callback(list(900)).text, "");
  EXPECT_EQ(in_callback(names(200)).text, "");
  EXPECT_EQ(in_callback(list(30'000)),
            (ScriptError{"a table of 30000 entries is written out in a function, and each time all "
                         "of it is copied: write it once, in a local at the top of the file",
                         "billing/load.lua", 3}));
  EXPECT_EQ(in_callback(names(600)).line, 3u);
  const std::string top = "local ctx = hastur.trigger{}\n";
  const std::string use = " ctx:gauges({}, function() return t end)";
  EXPECT_EQ(load_error(top + "local t = " + list(20'000) + use).text, "");
  for (const char* loop :
       {"local t for i = 1, 9 do t = {} end", "local t while not t do t = {} end",
        "local t repeat t = {} until t", "local t ::a:: t = {} if not t then goto a end"}) {
    std::string text = loop;
    text.replace(text.find("{}"), 2, list(20'000));
    EXPECT_NE(load_error(top + text + use).text.find("written out in a loop"), std::string::npos)
        << loop;
  }
}

// In which order a VM keeps keys is its own affair.
TEST(Instructions, OfWalksAreAsManyInEveryVm) {
  for (const char* body :
       {"local t = {} for c in ('qwertyuiop'):gmatch('.') do t[c:rep(3000)] = 1 end "
        "for k in pairs(t) do state.n = k:sub(1, 1) end",
        "local t = { warn = 1, page = 2, x = 3 } for i = 1, 100 do for k in pairs(t) do end end",
        "local t = {} for i = 40, 1, -1 do t[i] = i end for i = 1, 9 do t[i / 7] = 1 end "
        "for k in pairs(t) do end",
        "local t = { warn = 1, page = 2 } local k repeat k = next(t, k) until not k",
        "pcall(pairs, { [print] = 1, a = 2, b = 3 })"}) {
    std::set<std::uint64_t> counts;
    for (int i = 0; i < 12; ++i) {
      TestTrigger trigger(
          std::string(
              "local ctx = hastur.trigger{} local state = ctx.state ctx:gauges({}, function() ") +
          body + " end)");
      Stream stream;
      stream.gauge(0.1, 1);
      counts.insert(trigger.feed(stream).instructions);
    }
    EXPECT_EQ(counts.size(), 1u) << body;
  }
}

TEST(Instructions, StopAtTheSameLineWhateverRanBefore) {
  const std::string body = R"lua(
local n = 0
while true do
  n = n + 1
  if n % 3 == 0 then n = n + 2 end
  state.n = n
  local s = tostring(n)
  state.s = s
end)lua";
  TriggerOptions options;
  options.limits.instructions_max = 77'000;
  TestTrigger trigger(
      "local ctx = hastur.trigger{} local state = ctx.state\nctx:gauges({ value = 2 }, "
      "function(msg) " +
          body + " end)\nctx:gauges({ value = 1 }, function(msg) for i = 1, 12345 do end end)",
      options);
  std::vector<std::uint32_t> lines;
  for (int before = 0; before < 4; ++before) {
    trigger.vm().restore({Sequence{0}, at_second(0), "{}", ""}, 0);
    Stream stream;
    for (int i = 0; i < before; ++i) stream.gauge(0.1, 1);
    stream.gauge(0.2, 2);
    const TriggerProgress progress = trigger.feed(stream);
    ASSERT_TRUE(progress.stopped);
    lines.push_back(progress.stopped->error.error.line);
  }
  EXPECT_EQ(std::vector<std::uint32_t>(4, lines[0]), lines);
}

TEST(Instructions, AreCountedForTheChunkToo) {
  const ScriptError error = load_error("hastur.trigger{}\nwhile true do end");
  EXPECT_EQ(error,
            (ScriptError{"more than 5000000 instructions in one call", "billing/load.lua", 2}));
}

TEST(Instructions, AreReportedPerFeed) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{} ctx:gauges({}, function() for i = 1, 100000 do end end)");
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_GE(progress.instructions, 100'000u);
  EXPECT_LE(progress.instructions, 110'000u);
}

TEST(Memory, IsCappedAndNamesTheCallback) {
  TriggerOptions options;
  options.guards.memory_bytes_min = 8u << 20;
  for (const char* body :
       {"local t = {} for i = 1, 1e9 do t[i] = i end", "local s = 'x' while true do s = s .. s end",
        "local s = 'x' while true do pcall(function() s = s .. s end) end",
        "pcall(function() local t = {} for i = 1, 1e9 do t[i] = { i } end end)"}) {
    TriggerOptions small = options;
    small.limits.state_bytes_max = 1024;
    const CallError error = stopped_by(body, small);
    EXPECT_EQ(error.kind, CallError::Kind::memory) << body;
    EXPECT_EQ(error.error.script, "billing/load.lua");
    EXPECT_NE(error.error.text.find("out of memory"), std::string::npos);
  }
}

TEST(Memory, LeavesATriggerThatCanBeRestored) {
  TriggerOptions options;
  options.guards.memory_bytes_min = 8u << 20;
  options.limits.state_bytes_max = 1024;
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({}, function(msg)
  ctx.state.n = ctx.state.n + 1
  if msg.value == 2 then ctx.state.t = {} for i = 1, 1e9 do ctx.state.t[i] = i end end
end)
)lua",
                      options);
  for (int round = 0; round < 20; ++round) {
    Stream stream;
    stream.gauge(0.1, 1).gauge(0.2, 2);
    const TriggerProgress progress = trigger.feed(stream);
    ASSERT_TRUE(progress.stopped);
    EXPECT_EQ(progress.stopped->error.kind, CallError::Kind::memory);
    trigger.vm().restore({Sequence{0}, at_second(0), R"({"n":5})", ""}, 0);
  }
  Stream stream;
  stream.gauge(0.1, 1);
  trigger.feed(stream);
  EXPECT_EQ(trigger.state(), R"({"n":6})");
}

TEST(Memory, RefusesHugeTextsByName) {
  EXPECT_NE(stopped_by("local s = ('x'):rep(2^31)").error.text.find("string.rep would make"),
            std::string::npos);
  EXPECT_NE(stopped_by("local s = ('x'):rep(1e300)").error.text.find("string.rep would make"),
            std::string::npos);
  EXPECT_EQ(
      run_body("state.a = (''):rep(1e12) state.b = ('x'):rep(-5) state.c = ('ab'):rep(3, ',')"),
      R"({"a":"","b":"","c":"ab,ab,ab"})");
}

std::vector<Effect> effects_of(const std::string& body, std::uint64_t* cut) {
  TestTrigger trigger("local ctx = hastur.trigger{}\nctx:gauges({}, function(msg) " + body +
                      " ctx.state.done = true end)");
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_FALSE(progress.stopped);
  EXPECT_EQ(trigger.state(), R"({"done":true})") << "the state stands";
  *cut = progress.effects_cut;
  return progress.effects;
}

TEST(Effects, OverTheLimitAreLeftOutAndCounted) {
  std::uint64_t cut = 0;
  const std::vector<Effect> effects =
      effects_of("for i = 1, 1500 do hastur.gauge('g', i) end", &cut);
  EXPECT_EQ(effects.size(), 1'000u);
  EXPECT_EQ(effects.back().ordinal, 999u);
  EXPECT_EQ(cut, 500u);
}

TEST(Effects, NotificationsOverTheLimitEndInOneThatSaysHowMany) {
  std::uint64_t cut = 0;
  const std::vector<Effect> effects =
      effects_of("for i = 1, 123 do pager_duty('k' .. i, 'd', {}, { to = 'ops' }) end", &cut);
  ASSERT_EQ(effects.size(), 51u);
  EXPECT_EQ(cut, 73u);
  EXPECT_EQ(
      effects[50].payload,
      R"({"details":{"left_out":73},"key":null,"kind":"pager_duty","options":{},)"
      R"("text":"billing/load: 73 more notifications of one call were left out; 50 went out","to":"ops"})");
}

constexpr const char* flood = R"lua(
local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  for i = 1, 900 do hastur.gauge('g', i) end
  if msg.value == 13 then error("thirteen") end
end)
)lua";

TEST(Effects, DerivedMessagesHaveALimitAMinuteThatSurvivesARestore) {
  TestTrigger trigger(flood);
  Stream stream;
  stream.tick(1);
  for (int i = 0; i < 10; ++i) stream.gauge(2, 1);
  stream.tick(3);
  const TriggerProgress first = trigger.feed(stream);
  EXPECT_EQ(first.effects.size(), 9'000u);
  TestTrigger restored(flood);
  restored.vm().restore(*first.judged, 0);
  stream.gauge(4, 1).gauge(59.9, 1).gauge(60, 1);
  const Batch batch = stream.take();
  for (TestTrigger* each : {&trigger, &restored}) {
    const TriggerProgress second = each->feed(batch);
    EXPECT_EQ(second.effects.size(), 900u + 100 + 900);
    EXPECT_EQ(second.effects_cut, 800u);
  }
}

TEST(Effects, OfACallThatRaisedAreNotCounted) {
  TestTrigger trigger(flood);
  trigger.vm().restore({Sequence{0}, at_second(0), "{}", ""}, 1000);
  Stream stream;
  for (int i = 0; i < 50; ++i) stream.gauge(1, 13);
  for (int i = 0; i < 10; ++i) stream.gauge(2, 1);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(progress.errors.size(), 50u);
  EXPECT_EQ(progress.effects.size(), 9'000u);
}

TEST(Effects, LogsHaveALimitInBytesAMinute) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{} ctx:gauges({}, function() print(('x'):rep(10000)) end)");
  Stream stream;
  for (int i = 0; i < 10; ++i) stream.gauge(1, 1);
  stream.gauge(60, 1);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(progress.effects.size(), 7u);
  EXPECT_EQ(progress.effects_cut, 4u);
}

// Of all callbacks of one input, which are answered together.
TEST(Effects, OfOneInputHaveALimitInBytes) {
  std::string script = "local ctx = hastur.trigger{}\n";
  for (int i = 0; i < 12; ++i)
    script +=
        "ctx:gauges({}, function(msg) for i = 1, 40 do hastur.mark('m', ('x'):rep(250000)) end "
        "ctx.state.n = (ctx.state.n or 0) + 1 end)\n";
  TestTrigger trigger(script);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 1);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_FALSE(progress.stopped);
  EXPECT_EQ(trigger.state(), R"({"n":24})");
  std::size_t bytes = 0;
  for (const Effect& effect : progress.effects) bytes += effect.payload.size();
  EXPECT_LE(bytes, 2 * input_effects_bytes_max);
  EXPECT_GT(bytes, 2 * input_effects_bytes_max * 9 / 10);
  EXPECT_EQ(progress.effects.size() + progress.effects_cut, 960u);
}

// Whatever a script may send can be read at the other end.
TEST(Effects, NestAsDeepAsMessagesMay) {
  for (int depth = 55; depth < 75; ++depth) {
    const std::string body = fmt::format(
        "local d = {{}} for i = 2, {} do d = {{ d }} end hastur.compound('deep', d)", depth);
    TestTrigger trigger("local ctx = hastur.trigger{} ctx:gauges({}, function() " + body + " end)");
    Stream stream;
    stream.gauge(0.1, 1);
    const TriggerProgress progress = trigger.feed(stream);
    EXPECT_EQ(progress.effects.empty(), depth > json_depth_max) << depth;
    if (progress.effects.empty()) continue;
    JsonDecoder decoder;
    const auto decoded = decoder.decode(progress.effects[0].payload, {});
    EXPECT_TRUE(std::holds_alternative<MessageView>(decoded)) << depth;
  }
}

TEST(Effects, HaveALimitInBytes) {
  EXPECT_NE(stopped_by("hastur.mark('m', ('x'):rep(300000))").error.text.find("256 KiB"),
            std::string::npos);
  EXPECT_NE(stopped_by("slack(('x'):rep(300000))").error.text.find("256 KiB"), std::string::npos);
  EXPECT_NE(
      stopped_by("slack('x', { details = { ('x'):rep(300000) } })").error.text.find("262144 bytes"),
      std::string::npos);
}

}  // namespace
}  // namespace hastur::testing
