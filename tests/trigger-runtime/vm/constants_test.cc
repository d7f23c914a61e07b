// What a script keeps outside of ctx.state: constants stay readable, nothing of it can change.

#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/vm/loaded_trigger.h"

namespace hastur::testing {
namespace {

const std::string constants = R"lua(
local ctx = hastur.trigger{}
local state = ctx.state
local limits = { cpu = { warn = 5, crit = 9 }, disk = 80, on = true, [7] = "seven" }
local names = { "a", "b", "c" }
local box = { 0 }
local empty = {}
local same = limits.cpu
local shared = { first = names, second = names }
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return Point.new(a.x + b.x) end
Point.__tostring = function(p) return "point " .. p.x end
function Point.new(x) return setmetatable({ x = x }, Point) end
function Point:twice() return self.x * 2 end
local origin = Point.new(21)
local defaults = setmetatable({}, { __index = function(t, k) return k .. "?" .. type(t) end })
local function filled() local t = {} for i = 1, 40 do t[i] = i * i end return t end
local squares = filled()
local handlers = { up = function(n) return n + 1 end }
local labels, options = { app = "x", n = 1 }, { severity = "info" }
)lua";

// Runs `body` in one callback that sees the constants; its state, or what it raised.
std::string with_constants(const std::string& body) {
  TestTrigger trigger(constants + "ctx:gauges({}, function(msg)\n" + body + "\nend)\n");
  if (!trigger.is_loaded()) return "not loaded";
  Stream stream;
  stream.gauge(0.5, 20);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) {
    const ScriptError& error = progress.stopped->error.error;
    return fmt::format("error at {}: {}", error.line - 22, error.text);
  }
  std::string out;
  for (const Effect& effect : progress.effects) out += effect.payload;
  const Judged judged = trigger.vm().judge(Sequence{1}, at_second(0.5));
  if (judged.error) return "judged: " + judged.error->error.text;
  return out + judged.memory.state;
}

TEST(Constants, AreReadAsTables) {
  EXPECT_EQ(
      with_constants(
          "state.a = limits.cpu.warn state.b = limits[7] state.c = names[2] state.d = #names "
          "state.e = #empty state.f = #squares state.g = squares[40] state.h = limits.none == nil"),
      R"({"a":5,"b":"seven","c":"b","d":3,"e":0,"f":40,"g":1600,"h":true})");
  EXPECT_EQ(with_constants(
                "state.a = type(limits) state.b = tostring(limits) state.c = same == limits.cpu "
                "state.d = shared.first == names and shared.second == names "
                "state.e = rawequal(names, shared.first) state.f = rawget(limits, 'disk') "
                "state.g = getmetatable(limits) == nil"),
            R"({"a":"table","b":"table","c":true,"d":true,"e":true,"f":80,"g":true})");
}

TEST(Constants, AreWalkedAsTables) {
  EXPECT_EQ(with_constants(R"lua(
    local out = {}
    for i, v in ipairs(names) do out[#out + 1] = i .. v end
    for k, v in pairs(limits) do out[#out + 1] = tostring(k) .. "=" .. tostring(v) end
    for k in next, labels do out[#out + 1] = k end
    for i in ipairs(empty) do out[#out + 1] = "none" end
    state.walk = table.concat(out, " ")
    state.first = next(limits)
    state.concat = table.concat(names, "-")
    state.unpacked = select("#", unpack(names)) .. select(3, unpack(names))
    state.replaced = ("app n z"):gsub("%a+", labels)
    state.nested = limits.cpu.crit)lua"),
            R"({"concat":"a-b-c","first":7,"nested":9,"replaced":"x 1 z","unpacked":"3c",)"
            R"("walk":"1a 2b 3c 7=seven cpu=table disk=80 on=true app n"})");
}

TEST(Constants, KeepTheirMetatables) {
  EXPECT_EQ(
      with_constants(R"lua(
    state.twice = origin:twice()
    state.new = Point.new(4):twice()
    state.sum = tostring(origin + origin) .. ", " .. tostring(origin + Point.new(1))
    state.class = getmetatable(origin) == Point and getmetatable(Point.new(1)) == Point
    state.default = defaults.colour
    state.up = handlers.up(1))lua"),
      R"({"class":true,"default":"colour?table","new":8,"sum":"point 42, point 22","twice":42,"up":2})");
}

TEST(Constants, AreTakenByTheApi) {
  EXPECT_NE(with_constants("hastur.gauge('g', 1, labels)").find(R"("app":"x","n":1)"),
            std::string::npos);
  EXPECT_NE(
      with_constants("hastur.event('e', 's', 'b', names, labels)").find(R"("attn":["a","b","c"])"),
      std::string::npos);
  EXPECT_NE(with_constants("hastur.compound('c', limits.cpu)").find(R"({"crit":9,"warn":5})"),
            std::string::npos);
  EXPECT_NE(with_constants("hastur.heartbeat('h', 1, labels)").find(R"("app":"x")"),
            std::string::npos);
  EXPECT_NE(with_constants("pager_duty('k', 'd', { l = limits.cpu, n = names }, options)")
                .find(R"("details":{"l":{"crit":9,"warn":5},"n":["a","b","c"]})"),
            std::string::npos);
  EXPECT_NE(with_constants("send_email(names, 's', 'b')").find(R"("to":["a","b","c"])"),
            std::string::npos);
  EXPECT_NE(with_constants("alertmanager(labels)").find("must be strings"), std::string::npos);
  EXPECT_NE(
      with_constants("slack('t', { details = labels })").find(R"("details":{"app":"x","n":1})"),
      std::string::npos);
}

TEST(Constants, CannotBeWritten) {
  const std::vector<std::pair<const char*, const char*>> writes{
      {"limits.disk = 1", "limits"},
      {"limits.new = 1", "limits"},
      {"limits.disk = nil", "limits"},
      {"handlers.up = nil", "handlers"},
      {"shared.first[1] = 1", "names"},
      {"limits.cpu.warn = 1", "same"},
      {"names[1] = 'z'", "names"},
      {"names[#names] = 'z'", "names"},
      {"names[#names + 1] = 'z'", "names"},
      {"box[1] = box[1] + 1", "box"},
      {"empty.x = 1", "empty"},
      {"table.insert(names, 'z')", "names"},
      {"table.insert(names, 1, 'z')", "names"},
      {"table.remove(names)", "names"},
      {"table.sort(names)", "names"},
      {"setmetatable(limits, {})", "limits"},
      {"setmetatable(origin, nil)", "origin"},
      {"origin.x = 1", "origin"},
      {"Point.new = nil", "Point"},
      {"getmetatable(Point.new(1)).__index = nil", "Point"},
      {"getmetatable(defaults).__index = nil", "defaults's metatable"},
      {"handlers.up = print", "handlers"},
      {"for _, t in pairs(shared) do t[1] = 1 end", "names"},
      {"local _, t = ipairs(names) t[1] = 1", "names"},
      {"local _, t = pairs(names) t[1] = 1", "names"},
      {"squares[3] = 1", "squares"},
  };
  for (const auto& [write, name] : writes) {
    const std::string prelude =
        "local _ = limits, names, box, empty, same, shared, Point, origin, defaults, "
        "handlers, squares\n";
    EXPECT_EQ(with_constants(prelude + write),
              fmt::format("error at 2: the table '{}' was made while the script was loaded and "
                          "cannot be written: "
                          "what changes must be in ctx.state",
                          name))
        << write;
  }
}

const std::string compared = R"lua(
local ctx = hastur.trigger{}
local state = ctx.state
local Version = {}
Version.__index = Version
Version.__eq = function(a, b) return a.n == b.n end
Version.__lt = function(a, b) return a.n < b.n end
Version.__le = function(a, b) return a.n <= b.n end
function Version.new(n) return setmetatable({ n = n, of = { "x", "y" } }, Version) end
local two, other = Version.new(2), Version.new(2)
local holder = { two = two, by = function() return two end }
)lua";

std::string with_compared(const std::string& body) {
  TestTrigger trigger(compared + "ctx:gauges({}, function(msg)\n" + body + "\nend)\n");
  if (!trigger.is_loaded()) return "not loaded";
  Stream stream;
  stream.gauge(0.5, 20);
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) return progress.stopped->error.error.text;
  std::string out;
  for (const Effect& effect : progress.effects) out += effect.payload;
  const Judged judged = trigger.vm().judge(Sequence{1}, at_second(0.5));
  return out + (judged.error ? judged.error->error.text : judged.memory.state);
}

// The VM compares a table only with a table.
TEST(Constants, AreComparedWithTablesOfACall) {
  EXPECT_EQ(with_compared(R"lua(
    local function new(n) return Version.new(n) end
    state.equal = { two == new(2), new(2) == two, two ~= new(3), two == other, holder.two == two }
    state.unequal = { two == new(3), two ~= new(2), two == 2 }
    state.less = { two < new(3), new(1) < two, two <= new(2), new(3) > two, two >= other }
    state.same = { rawequal(two, holder.by()), not rawequal(two, other) }
    local list = { new(3), two, new(1) }
    table.sort(list)
    state.sorted = { list[1].n, list[2].n, list[3].n })lua"),
            R"({"equal":[true,true,true,true,true],"less":[true,true,true,true,true],)"
            R"("same":[true,true],"sorted":[1,2,3],"unequal":[false,false,false]})");
}

TEST(Constants, ThatAreComparedAreTablesInAllElse) {
  EXPECT_NE(with_compared("hastur.compound('c', two)").find(R"({"n":2,"of":["x","y"]})"),
            std::string::npos);
  EXPECT_EQ(with_compared(R"lua(
    local keys = {}
    for k, v in pairs(two) do keys[#keys + 1] = k .. type(v) end
    for i, v in ipairs(two) do keys[#keys + 1] = i end
    for k in next, two do keys[#keys + 1] = k end
    state.keys = table.concat(keys, " ")
    state.shown = type(two) .. tostring(two) .. #two .. #two.of .. select("#", unpack(two.of))
    state.class = getmetatable(two) == Version and getmetatable(Version.new(1)) == Version
    state.raw = rawget(two, "n")
    state.missing = two.missing == nil
    state.replaced = ("n"):gsub("n", two))lua"),
            R"({"class":true,"keys":"nnumber oftable n of","missing":true,"raw":2,)"
            R"("replaced":"2","shown":"tabletable022"})");
  for (const char* write : {"two.n = 1", "two.new = 1", "table.insert(two, 1)", "table.sort(two)",
                            "setmetatable(two, nil)", "local _, t = ipairs(two) t[1] = 1"}) {
    EXPECT_EQ(with_compared(std::string("local _ = holder ") + write).substr(0, 42),
              "the table 'two' was made while the script ")
        << write;
  }
  EXPECT_EQ(with_compared("state.two = two").substr(0, 58),
            "state.two is a table that was made while the script was lo");
}

TEST(Constants, ThatAreListsCannotBeCompared) {
  const ScriptError error = load_error(R"lua(local ctx = hastur.trigger{}
local mt = { __eq = function(a, b) return #a == #b end }
local path = setmetatable({ "a", "b" }, mt)
ctx:gauges({}, function(msg)
  return path == setmetatable({}, mt)
end)
)lua");
  EXPECT_EQ(error.line, 4u);
  EXPECT_EQ(error.text,
            "the table 'path' is a list whose metatable has __eq, __lt or __le, which cannot be a "
            "constant: keep the list in a field of it, or make it in the callback");
}

TEST(Constants, CannotBecomeState) {
  EXPECT_EQ(with_constants("state.limits = limits").substr(0, 75),
            "judged: state.limits is a table that was made while the script was loaded, ");
}

TEST(Constants, OfLibrariesAreFrozenToo) {
  TriggerOptions options;
  options.libraries = {{"lib/cache.lua", R"lua(local M = { seen = {} }
function M.note(key)
  M.seen[key] = true
end
return M)lua"}};
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nlocal cache = require 'lib.cache'\n"
      "ctx:gauges({}, function(msg) cache.note(msg.name) end)\n",
      options);
  Stream stream;
  stream.gauge(0.5, 20);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.stopped);
  EXPECT_EQ(progress.stopped->error.error.script, "lib/cache.lua");
  EXPECT_EQ(progress.stopped->error.error.line, 3u);
  EXPECT_NE(progress.stopped->error.error.text.find("'cache.seen'"), std::string::npos);
}

TEST(Constants, MayNotCountInClosures) {
  const ScriptError error = load_error(R"lua(local ctx = hastur.trigger{}
local function counter()
  local n = 0
  return function()
    n = n + 1
    return n
  end
end
local next_number = counter()
ctx:gauges({}, function(msg) ctx.state.n = next_number() end)
)lua");
  EXPECT_EQ(error.line, 5u);
  EXPECT_EQ(error.script, "billing/load.lua");
  EXPECT_NE(error.text.find("the local 'n' is changed by a function that outlives the call"),
            std::string::npos);
  // The same within a call is no state.
  EXPECT_EQ(load_error(R"lua(local ctx = hastur.trigger{}
local function counter()
  local n = 0
  return function() n = n + 1 return n end
end
ctx:gauges({}, function(msg) local next_number = counter() ctx.state.n = next_number() end)
)lua")
                .text,
            "");
  // Nor is it in a function that is made by each call of one that lasts.
  EXPECT_EQ(load_error(R"lua(local ctx = hastur.trigger{}
local n = 0
ctx:gauges({}, function(msg)
  local function inner() return function() n = 1 end end
  inner()()
end)
)lua")
                .line,
            4u);
}

TEST(Constants, MayNotBeWalksUnderWay) {
  for (const char* walk : {"pairs({ 1, 2 })", "('a b c'):gmatch('%a')"}) {
    const ScriptError error =
        load_error(fmt::format("local ctx = hastur.trigger{{}}\nlocal step, t = "
                               "{}\nctx:gauges({{}}, function(msg) step(t) end)\n",
                               walk));
    EXPECT_EQ(error.line, 3u);
    EXPECT_NE(error.text.find("'step' holds a walk"), std::string::npos) << error.text;
  }
}

TEST(Constants, HaveKeysInTheOrderOfAll) {
  const ScriptError error = load_error(
      "local ctx = hastur.trigger{}\nlocal set = { [print] = true }\nctx:gauges({}, function() "
      "return set end)\n");
  EXPECT_EQ(error.text,
            "the table 'set' has a function as a key: keys are strings, numbers and booleans");
}

TEST(Constants, HaveALimit) {
  const std::string script =
      "local ctx = hastur.trigger{{}}\nlocal big = {{}}\nfor i = 1, {} do big[i] = 'entry ' .. i "
      "end\n"
      "ctx:gauges({{}}, function() return big end)\n";
  EXPECT_EQ(load_error(fmt::format(fmt::runtime(script), 20'000)).text, "");
  const ScriptError error = load_error(fmt::format(fmt::runtime(script), 30'000));
  EXPECT_NE(error.text.find("larger than 1048576 bytes"), std::string::npos);
}

TEST(Constants, AreWhatTheCallbacksReachOnly) {
  // What is used up while the script is loaded may be anything.
  EXPECT_EQ(load_error(R"lua(local ctx = hastur.trigger{}
local set = { [print] = true }
local step = pairs({ 1 })
ctx:gauges({}, function() end)
)lua")
                .text,
            "");
}

// A script cannot change a constant; a fault of ours could. Changes them behind its back.
class ChangedConstants : public ::testing::Test {
 protected:
  ChangedConstants() {
    EXPECT_FALSE(trigger_.load(load_command(R"lua(
local ctx = hastur.trigger{ state = { n = 1 } }
local limits = { cpu = { warn = 5 }, gone = 0/0 }
ctx:gauges({}, function(msg) ctx.state.limit = limits.cpu.warn end)
)lua")));
  }

  // Pushes the content of limits.
  void push_limits() {
    lua_State* lua = trigger_.vm.lua;
    lua_rawgeti(lua, callbacks_index, 1);
    ASSERT_NE(lua_getupvalue(lua, -1, 2), nullptr);
    ASSERT_TRUE(is_frozen(lua, -1));
    open_frozen(lua, -1);
  }
  std::string judged() {
    trigger_.touched = true;
    std::optional<CallError> error;
    const Memory memory = trigger_.judge(Sequence{1}, at_second(1), error);
    return (error ? error->error.text + " " : std::string()) + memory.state;
  }

  LoadedTrigger trigger_;
};

TEST_F(ChangedConstants, FailAJudgementOnceAndAreAsTheyWere) {
  EXPECT_EQ(judged(), R"({"n":1})");
  lua_State* lua = trigger_.vm.lua;
  for (int round = 0; round < 2; ++round) {
    const int top = lua_gettop(lua);
    push_limits();
    lua_pushnumber(lua, 6);
    lua_setfield(lua, -2, round == 0 ? "cpu" : "new");
    if (round == 1) {
      lua_newtable(lua);
      lua_setmetatable(lua, -2);
    }
    lua_settop(lua, top);
    EXPECT_EQ(
        judged(),
        "the table 'limits' was changed, which would be lost in a restart: what lasts longer than "
        R"(a callback must be in ctx.state {"n":1})");
    EXPECT_EQ(judged(), R"({"n":1})");
  }
  lua_rawgeti(lua, callbacks_index, 1);
  lua_pushnumber(lua, 6);
  ASSERT_NE(lua_setupvalue(lua, -2, 2), nullptr);
  lua_settop(lua, stack_base);
  EXPECT_EQ(judged().substr(0, 47), "a local of the function 'a callback' was change");
  EXPECT_EQ(judged(), R"({"n":1})");
}

TEST_F(ChangedConstants, AreAsTheyWereAfterARestore) {
  push_limits();
  lua_pushnil(trigger_.vm.lua);
  lua_setfield(trigger_.vm.lua, -2, "cpu");
  lua_settop(trigger_.vm.lua, stack_base);
  EXPECT_TRUE(trigger_.vm.constants.change(trigger_.vm.lua));
  trigger_.restore({Sequence{1}, at_second(1), R"({"n":2})", ""}, 0);
  EXPECT_FALSE(trigger_.vm.constants.change(trigger_.vm.lua));
}

}  // namespace
}  // namespace hastur::testing
