// ctx.state: what may stand in it, how it is written, and that it comes back the same.

#include <rapidcheck.h>

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

// The fault that a judgement finds after `body` ran.
std::string fault_of(const std::string& body) {
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nlocal s = ctx.state\nctx:gauges({}, function(msg) " + body +
      " end)");
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) return "stopped: " + progress.stopped->error.error.text;
  const Judged judged = trigger.vm().judge(Sequence{1}, at_second(0.1));
  return judged.error ? judged.error->error.text : judged.memory.state;
}

TEST(State, IsCanonicalJson) {
  EXPECT_EQ(
      fault_of(
          R"(s.b = 1 s.a = 'x"\n' s.c = { 3, 2, { z = true, y = hastur.null } } s.d = {} s.e = 0.1 s.f = 1e300)"),
      R"({"a":"x\"\n","b":1,"c":[3,2,{"y":null,"z":true}],"d":{},"e":0.1,"f":1e+300})");
  EXPECT_EQ(fault_of("s.a = { 'a', 'b' }"), R"({"a":["a","b"]})");
  EXPECT_EQ(fault_of("s['\xC3\xA9'] = '\xE2\x82\xAC'"), "{\"\xC3\xA9\":\"\xE2\x82\xAC\"}");
  EXPECT_EQ(fault_of("s.n = -0.0"), R"({"n":-0.0})");
}

TEST(State, IsRefusedWithThePathOfTheOffender) {
  EXPECT_EQ(fault_of("s.servers = { web1 = { callback = print } }"),
            "state.servers.web1.callback is a function");
  EXPECT_EQ(fault_of("s.list = { 1, 2, msg }"), "state.list[3] is a msg: use msg:to_table()");
  EXPECT_EQ(fault_of("s.a = { ['b c'] = 0/0 }"), "state.a[\"b c\"] is not a number (nan)");
  EXPECT_EQ(fault_of("s.a = math.huge"), "state.a is infinite");
  EXPECT_EQ(fault_of("s.a = { 1, nil, 3 }").substr(0, 30), "state.a is a list with holes: ");
  EXPECT_EQ(fault_of("s.a = { 1, x = 2 }"), "state.a has both numbers and other things as keys");
  EXPECT_EQ(fault_of("s[1] = 'a' s[2] = 'b'"), "state is a list: its own keys must be strings");
  EXPECT_EQ(fault_of("s.a = { [0] = 1 }").substr(0, 23), "state.a has the key 0: ");
  EXPECT_EQ(fault_of("s.a = { [true] = 1 }"),
            "state.a has a boolean as a key: only strings can be");
  EXPECT_EQ(fault_of("local t = {} s.a = t s.b = t"),
            "state.b is a table that stands elsewhere in the state, too");
  EXPECT_EQ(fault_of("s.a = { s }"),
            "state.a[1] is a table that stands elsewhere in the state, too");
  EXPECT_EQ(fault_of("s.a = setmetatable({}, {})"), "state.a has a metatable");
  EXPECT_EQ(fault_of("setmetatable(s, {})"), "state has a metatable");
  EXPECT_EQ(fault_of("s.a = '\\255'"), "state.a is a string that is not UTF-8");
  EXPECT_EQ(fault_of("s['\\255'] = 1"), R"(state["\255"] is a key that is not UTF-8)");
  EXPECT_EQ(fault_of("s.a = { b = { ['caf\\233'] = 1 } }"),
            R"(state.a.b["caf\233"] is a key that is not UTF-8)");
  EXPECT_EQ(fault_of("s['caf\\233'] = { f = print }"), R"(state["caf\233"].f is a function)");
  EXPECT_EQ(fault_of("s.a = msg.labels").substr(0, 22), "state.a is msg.labels:");
  EXPECT_EQ(fault_of("local t = s for i = 1, 200 do t.a = {} t = t.a end").substr(0, 12),
            "state.a.a.a.");
  EXPECT_EQ(fault_of("s.a = hastur"), "state.a is an object of the runtime");
}

// The VM keeps keys in an order of its own, which differs from VM to VM.
TEST(State, OfSeveralFaultsTheFirstInTheOrderOfKeysIsTold) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(
        fault_of(
            "local t = {} for c in ('qwertyuiopasdfghjklzxcvbnm'):gmatch('.') do s[c] = t end"),
        "state.b is a table that stands elsewhere in the state, too");
    EXPECT_EQ(fault_of("for c in ('qwertyuiop'):gmatch('.') do s[c] = { x = print } end"),
              "state.e.x is a function");
    EXPECT_EQ(fault_of("s.a = { x = 1, y = 2, [7] = 3, [true] = 4 }"),
              "state.a has both numbers and other things as keys");
    EXPECT_EQ(fault_of("s.a = { [0.5] = 1, [-3] = 2, [0] = 3 }").substr(0, 24),
              "state.a has the key -3: ");
  }
}

TEST(State, HasALimitInBytesOfItsJson) {
  EXPECT_EQ(fault_of("s.a = ('x'):rep(1024 * 1024)"), "state is larger than 1048576 bytes of JSON");
  EXPECT_EQ(fault_of("s.a = {} for i = 1, 600000 do s.a[i] = 1 end"),
            "state is larger than 1048576 bytes of JSON");
  EXPECT_EQ(fault_of("s.a = ('x'):rep(1024 * 1024 - 8)").size(), 1024u * 1024);
}

TEST(State, MayAskForMoreUnderTheCeiling) {
  const auto declare = [](const std::string& bytes) {
    return load_error("hastur.trigger{ state_bytes_max = " + bytes + " }").text;
  };
  EXPECT_EQ(declare("'128MiB'"), "");
  EXPECT_EQ(declare("65536"), "");
  EXPECT_NE(declare("'129MiB'").find("more than this platform allows"), std::string::npos);
  EXPECT_NE(declare("'lots'").find("16MiB"), std::string::npos);
  EXPECT_NE(declare("0").find("16MiB"), std::string::npos);
  EXPECT_NE(declare("{}").find("16MiB"), std::string::npos);
}

TEST(State, IsReadAndWrittenThroughCtxToo) {
  EXPECT_EQ(run_body("ctx['total'] = 4 ctx.state.total = ctx['total'] + 1 ctx.x = ctx.total"),
            R"({"total":5,"x":5})");
  EXPECT_EQ(run_body("ctx.gauges = 1"),
            "error at 1: ctx.gauges cannot be written: it is a method of ctx");
  EXPECT_EQ(run_body("ctx.state = {}"),
            "error at 1: ctx.state cannot be written: it is the state itself; write its keys");
}

TEST(State, HasNoContentWhileTheScriptIsLoaded) {
  const std::string head = "local ctx = hastur.trigger{ state = { n = 1 } }\n";
  for (const char* line :
       {"local a = ctx.state.n", "ctx.state.n = 2", "local a = ctx.n", "ctx.n = 2",
        "for k in pairs(ctx.state) do end", "local a = next(ctx.state)",
        "table.insert(ctx.state, 1)", "for i in ipairs(ctx.state) do end", "local a = #ctx.state",
        "local a = unpack(ctx.state)", "local a = table.concat(ctx.state)",
        "local a = rawget(ctx.state, 'n')", "table.sort(ctx.state)", "table.remove(ctx.state)",
        "setmetatable(ctx.state, {})", "setmetatable({}, ctx.state)",
        "local a = ('n'):gsub('n', ctx.state)"}) {
    const ScriptError error = load_error(head + line);
    EXPECT_NE(error.text.find("ctx.state has no content while the script is loaded"),
              std::string::npos)
        << line;
    EXPECT_EQ(error.line, 2u) << line;
  }
  EXPECT_EQ(load_error(head + "local s = ctx.state").text, "");
  EXPECT_EQ(
      load_error(head + "assert(type(ctx.state) .. tostring(ctx.state) == 'tabletable')").text, "");
}

// Wherever the script has put it while it was loaded.
TEST(State, HasItsContentInEveryPlaceOnceTheScriptIsLoaded) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ state = { n = 1 } }
local state = ctx.state
local holder = { deep = { state = ctx.state } }
local object = setmetatable({}, { __index = ctx.state })
local function made(s) return function() s.made = true end end
local make = made(ctx.state)
ctx:gauges({}, function(msg)
  assert(state == ctx.state and holder.deep.state == state and rawequal(state, ctx.state))
  holder.deep.state.n = object.n + 1
  make()
end)
)lua");
  Stream stream;
  stream.gauge(0.1, 1);
  EXPECT_FALSE(trigger.feed(stream).stopped);
  EXPECT_EQ(trigger.state(), R"({"made":true,"n":2})");
}

TEST(State, OfTheStartMustBeJson) {
  const ScriptError error =
      load_error("local ctx = hastur.trigger{\n state = { a = { f = print } } }");
  EXPECT_EQ(error.text, "hastur.trigger: state.a.f is a function");
  EXPECT_EQ(error.script, "billing/load.lua");
}

TEST(State, StaysOneTableAcrossRestores) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ state = { n = 0, gone = { 1 } } }
local s = ctx.state
ctx:gauges({}, function(msg) s.n = s.n + 1 s.same = s == ctx.state end)
)lua");
  trigger.vm().restore(
      {Sequence{1}, at_second(0), R"({"n":10,"list":[1,[],{"a":"\u00e9\n"}]})", ""}, 0);
  Stream stream;
  stream.gauge(0.1, 1);
  trigger.feed(stream);
  EXPECT_EQ(trigger.state(), "{\"list\":[1,{},{\"a\":\"\xC3\xA9\\n\"}],\"n\":11,\"same\":true}");
}

Json arbitrary_json(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 7 : 5);
  switch (kind) {
    case 0:
      return *rc::gen::arbitrary<bool>();
    case 1:
      return static_cast<double>(*rc::gen::arbitrary<std::int32_t>());
    case 2:
      return *rc::gen::arbitrary<std::int32_t>() / 1024.0;
    case 3:
      return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    case 4:
      return nullptr;
    case 5: {
      Json list = Json::array();
      for (int i = *rc::gen::inRange(1, 5); i > 0; --i) list.push_back(arbitrary_json(depth - 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        object[*rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127))] =
            arbitrary_json(depth - 1);
      }
      return object;
    }
  }
}

TEST(State, ComesBackByteForByteWhateverItIs) {
  TestTrigger trigger("local ctx = hastur.trigger{} ctx:gauges({}, function() end)");
  Stream stream;
  stream.gauge(0.1, 1);
  const Batch batch = stream.take();
  EXPECT_TRUE(rc::check([&] {
    Json state = Json::object();
    for (int i = 0; i < 4; ++i)
      state[std::string(1, static_cast<char>('a' + i))] = arbitrary_json(4);
    const std::string text = canonical_json(state);
    trigger.vm().restore({Sequence{0}, at_second(0), text, ""}, 0);
    trigger.feed(batch);  // or the state would not be written anew
    const Judged judged = trigger.vm().judge(Sequence{1}, at_second(1));
    RC_ASSERT(!judged.error);
    RC_ASSERT(judged.memory.state == text);
  }));
}

}  // namespace
}  // namespace hastur::testing
