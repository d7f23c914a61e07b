// triggers/.hastur/meta.lua tells editors what the sandbox has: all of it and nothing else.

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "core/json.h"
#include "tests/docs/every_message.h"
#include "trigger-runtime/vm/loaded_trigger.h"
#include "trigger-runtime/vm/registry.h"

namespace hastur::testing {
namespace {

using Names = std::set<std::string>;

struct Annotations {
  std::string text;
  Names functions;  // "hastur.gauge", "ctx.gauges", "print"
  Names values;     // "hastur.null"
  Names fields;     // "msg.name", "filter.labels"
  std::vector<std::string> faults;
};

// The name that the tests use for a class of the file; empty for one that no object has exactly
// (options are open tables).
std::string short_name(const std::string& name) {
  static const std::map<std::string, std::string> names{
      {"hastur.Msg", "msg"},     {"Msg", "msg"},
      {"hastur.Ctx", "ctx"},     {"Ctx", "ctx"},
      {"hastur.Tick", "tick"},   {"hastur.Filter", "filter"},
      {"hastur.Range", "range"}, {"hastur.TriggerOptions", "options"},
      {"Keyed", "keyed"},        {"Window", "window"},
      {"Throttle", "throttle"},  {"Alert", "alert"}};
  const auto found = names.find(name);
  return found == names.end() ? "" : found->second;
}

// What stands above a function.
struct Doc {
  bool sentence = false;
  Names params;
};

Annotations read_annotations() {
  Annotations all;
  std::ifstream in(HASTUR_TRIGGERS "/.hastur/meta.lua");
  all.text.assign(std::istreambuf_iterator<char>(in), {});
  const std::regex function(R"(function (?:(\w+)[.:])?(\w+)\((.*)\) end)");
  const std::regex value(R"((\w+)\.(\w+) = nil)");
  const std::regex type(R"(---@class ([\w.]+).*)");
  const std::regex field(R"(---@field (\w+) .+)");
  const std::regex param(R"(---@param (\w+|\.\.\.)\?? .+)");
  std::istringstream lines(all.text);
  std::string current;
  Doc doc;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, function)) {
      const std::string prefix = match[1];
      const std::string known = short_name(prefix);
      const std::string name =
          (known.empty() ? prefix : known) + (prefix.empty() ? "" : ".") + match[2].str();
      if (!all.functions.insert(name).second) all.faults.push_back(name + " stands twice");
      if (!doc.sentence) all.faults.push_back(name + " has no sentence");
      std::istringstream params(match[3]);
      Names given;
      for (std::string one; std::getline(params >> std::ws, one, ',');) given.insert(one);
      if (given != doc.params) all.faults.push_back(name + ": its @param are not its parameters");
    } else if (std::regex_match(line, match, value)) {
      all.values.insert(match[1].str() + "." + match[2].str());
    } else if (std::regex_match(line, match, type)) {
      current = short_name(match[1]);
    } else if (std::regex_match(line, match, field)) {
      if (!current.empty()) all.fields.insert(current + "." + match[1].str());
    } else if (std::regex_match(line, match, param)) {
      doc.params.insert(match[1]);
    } else if (line.starts_with("---") && !line.starts_with("---@")) {
      doc.sentence = true;
    }
    if (!line.starts_with("---")) doc = {};
  }
  return all;
}

// Sorts the entries of the table on top, and of the sealed tables in it, into functions and values.
void walk(lua_State* lua, const std::string& prefix, Names& functions, Names& values) {
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    const std::string name = prefix + lua_tostring(lua, -2);
    if (lua_isfunction(lua, -1)) {
      functions.insert(name);
    } else if (lua_type(lua, -1) == LUA_TUSERDATA && luaL_getmetafield(lua, -1, "__index") != 0) {
      walk(lua, name + ".", functions, values);
      lua_pop(lua, 1);
    } else {
      values.insert(name);
    }
    lua_pop(lua, 1);
  }
}

struct SandboxNames {
  Names functions;
  Names values;
};

SandboxNames names_of_sandbox() {
  SandboxNames names;
  LoadedTrigger trigger;
  const auto error = trigger.load(load_command(
      "local ctx = hastur.trigger{}\nlocal keyed = ctx:keyed('k', { max = 1 })\n"
      "local window = ctx:window('w', { last = 1 })\n"
      "local throttle = ctx:throttle('t', { n = 1, per = '1m' })\n"
      "local alert = ctx:alert('a', {})\n"
      "ctx:every('minute', function() return ctx, keyed, window, throttle, alert end)"));
  EXPECT_FALSE(error) << error->text;
  lua_State* lua = trigger.vm.lua;
  const int top = lua_gettop(lua);
  push_registered(lua, Registered::environment);
  walk(lua, "", names.functions, names.values);
  // What the callback refers to.
  push_registered(lua, Registered::callbacks);
  lua_rawgeti(lua, -1, 1);
  const int callback = lua_gettop(lua);
  for (int i = 1; const char* name = lua_getupvalue(lua, callback, i); ++i) {
    EXPECT_NE(luaL_getmetafield(lua, -1, "__index"), 0) << name;
    walk(lua, std::string(name) + ".", names.functions, names.values);
  }
  EXPECT_TRUE(names.functions.contains("ctx.gauges"));
  EXPECT_TRUE(names.functions.contains("keyed.touch"));
  lua_settop(lua, top);
  return names;
}

// The part of `names` with this prefix.
Names below(const Names& names, const std::string& prefix) {
  Names out;
  for (const std::string& name : names) {
    if (name.starts_with(prefix)) out.insert(name);
  }
  return out;
}

Names without(Names names, const Names& others) {
  for (const std::string& name : others) names.erase(name);
  return names;
}

// The names after `intro` in a list like "it knows a, b, c and d".
Names listed(const std::string& text, const std::string& intro, const std::string& prefix) {
  Names names;
  const std::size_t at = text.find(intro);
  EXPECT_NE(at, std::string::npos) << text;
  if (at == std::string::npos) return names;
  const std::string list = text.substr(at + intro.size());
  const std::regex one(R"(\w+)");
  for (std::sregex_iterator word(list.begin(), list.end(), one), end; word != end; ++word) {
    if (word->str() != "and") names.insert(prefix + word->str());
  }
  return names;
}

TEST(Annotations, AreLuaWithASentenceAndTheParametersOfEachFunction) {
  const Annotations all = read_annotations();
  lua_State* lua = luaL_newstate();
  EXPECT_EQ(luaL_loadstring(lua, all.text.c_str()), 0) << lua_tostring(lua, -1);
  lua_close(lua);
  EXPECT_TRUE(all.text.starts_with("---@meta"));
  EXPECT_GT(all.functions.size(), 100u);
  EXPECT_EQ(all.faults, std::vector<std::string>{});
}

TEST(Annotations, NameTheFunctionsOfTheSandboxAndNoOthers) {
  const Annotations all = read_annotations();
  const SandboxNames sandbox = names_of_sandbox();
  EXPECT_EQ(without(all.functions, below(all.functions, "msg.")), sandbox.functions);
  Names values = all.values;
  values.merge(below(all.fields, "ctx."));
  EXPECT_EQ(values, sandbox.values);
}

TEST(Annotations, NameTheFieldsOfMessagesAndNoOthers) {
  const Annotations all = read_annotations();
  Names members = below(all.fields, "msg.");
  members.merge(below(all.functions, "msg."));
  std::string reads;
  for (const std::string& member : members) {
    reads += fmt::format("if {} ~= nil then ctx.state['{}'] = true end\n", member, member);
  }
  TestTrigger trigger(
      "local ctx = hastur.trigger{}\nctx:messages({}, function(msg)\n" + reads +
      "for key in pairs(msg:to_table()) do ctx.state['msg.' .. key] = true end\nend)");
  ASSERT_TRUE(trigger.is_loaded());
  EXPECT_FALSE(trigger.feed(every_message()).stopped);
  Names seen;
  const Json state = parse_json(trigger.state()).value();
  for (const auto& [name, truth] : state.items()) seen.insert(name);
  EXPECT_EQ(members, seen);
  // What to_table() cannot show.
  for (const char* name : {"msg.host", "msg.to_table", "msg.to_json"}) {
    EXPECT_TRUE(members.contains(name)) << name;
  }
}

TEST(Annotations, NameTheFieldsOfTicksAndNoOthers) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{}
ctx:every("second", function(tick) for key in pairs(tick) do ctx.state["tick." .. key] = true end end)
)lua");
  ASSERT_TRUE(trigger.is_loaded());
  trigger.feed(every_message());
  Names seen;
  const Json state = parse_json(trigger.state()).value();
  for (const auto& [name, truth] : state.items()) seen.insert(name);
  EXPECT_EQ(below(read_annotations().fields, "tick."), seen);
}

TEST(Annotations, NameTheKeysOfFiltersAndOptionsAndNoOthers) {
  const Annotations all = read_annotations();
  const auto error_of = [](const std::string& line) { return load_error(line).text; };
  Names filter =
      listed(error_of("hastur.trigger{}:gauges({ zzz = 1 }, print)"), "it knows", "filter.");
  filter.insert("filter.own");
  EXPECT_EQ(below(all.fields, "filter."), filter);
  EXPECT_EQ(below(all.fields, "options."),
            listed(error_of("hastur.trigger{ zzz = 1 }"), "it takes", "options."));
  EXPECT_EQ(below(all.fields, "range."),
            listed(error_of("hastur.trigger{}:gauges({ value = { zzz = 1 } }, print)"), "it knows",
                   "range."));
}

}  // namespace
}  // namespace hastur::testing
