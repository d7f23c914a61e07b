#include "trigger-runtime/vm/sandbox.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

void open_library(lua_State* lua, const char* name, lua_CFunction open) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

// Copies entries of the stock table at `from` into the table on top.
void copy(lua_State* lua, int from, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    lua_getfield(lua, from, name);
    lua_setfield(lua, -2, name);
  }
}

int refuse_library_write(lua_State* lua) {
  raise(lua, fmt::format("{} cannot be changed: keep your own things in a local",
                         text_at(lua, lua_upvalueindex(1))));
}

int refuse_clock(lua_State* lua) {
  raise(
      lua,
      fmt::format(
          "os.{} does not exist here: a trigger's time is hastur.now(), in microseconds (UTC), and "
          "hastur.utc(t, format) writes it",
          text_at(lua, lua_upvalueindex(1))));
}

int null_text(lua_State* lua) {
  lua_pushliteral(lua, "null");
  return 1;
}

}  // namespace

void seal(lua_State* lua, std::string_view name) {
  lua_newuserdata(lua, 0);
  lua_newtable(lua);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  push_text(lua, name);
  lua_pushcclosure(lua, refuse_library_write, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

void push_environment(lua_State* lua) {
  open_library(lua, "", luaopen_base);
  open_library(lua, LUA_TABLIBNAME, luaopen_table);
  open_library(lua, LUA_STRLIBNAME, luaopen_string);
  open_library(lua, LUA_MATHLIBNAME, luaopen_math);
  open_library(lua, LUA_BITLIBNAME, luaopen_bit);
  const int stock = LUA_GLOBALSINDEX;

  lua_newtable(lua);
  const int environment = lua_gettop(lua);
  copy(lua, stock, {"assert", "rawequal", "select"});
  add_base_functions(lua);
  add_pairs_functions(lua);
  add_unpack(lua);

  lua_newtable(lua);
  lua_getfield(lua, stock, "string");
  lua_insert(lua, -2);
  copy(lua, lua_gettop(lua) - 1, {"len"});
  add_string_functions(lua);
  lua_remove(lua, -2);
  // ("x"):rep(3) finds its method through the metatable of strings.
  lua_pushliteral(lua, "");
  lua_newtable(lua);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
  seal(lua, "string");
  lua_setfield(lua, environment, "string");

  lua_newtable(lua);
  add_table_functions(lua);
  seal(lua, "table");
  lua_setfield(lua, environment, "table");

  lua_newtable(lua);
  lua_getfield(lua, stock, "math");
  lua_insert(lua, -2);
  copy(lua, lua_gettop(lua) - 1,
       {"abs", "acos",  "asin", "atan",  "atan2", "ceil",  "cos", "cosh",  "deg",
        "exp", "floor", "fmod", "frexp", "huge",  "ldexp", "log", "log10", "modf",
        "pi",  "pow",   "rad",  "sin",   "sinh",  "sqrt",  "tan", "tanh"});
  add_math_functions(lua);
  lua_remove(lua, -2);
  seal(lua, "math");
  lua_setfield(lua, environment, "math");

  lua_newtable(lua);
  lua_getfield(lua, stock, "bit");
  lua_insert(lua, -2);
  copy(lua, lua_gettop(lua) - 1,
       {"tobit", "tohex", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol",
        "ror", "bswap"});
  lua_remove(lua, -2);
  seal(lua, "bit");
  lua_setfield(lua, environment, "bit");

  lua_newtable(lua);
  for (const char* name : {"time", "date", "clock", "difftime"}) {
    lua_pushstring(lua, name);
    lua_pushcclosure(lua, refuse_clock, 1);
    lua_setfield(lua, -2, name);
  }
  seal(lua, "os");
  lua_setfield(lua, environment, "os");

  push_null(lua);
  lua_newtable(lua);
  add_function(lua, "__tostring", null_text);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);

  add_hastur(lua);
  // What is written here at run time anyway (the loader refuses it with its line) must not be lost
  // silently.
  lua_newtable(lua);
  push_text(lua, "the environment");
  lua_pushcclosure(lua, refuse_library_write, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
}

bool is_full_stack(std::string_view text) {
  return text == "stack overflow" || text.ends_with(": stack overflow");
}

ScriptError take_begin_of_function(lua_State* lua) {
  lua_Debug at;
  lua_getinfo(lua, ">S", &at);
  ScriptError begin;
  if (at.source[0] == '@') begin.script = at.source + 1;
  begin.line = at.linedefined > 0 ? static_cast<std::uint32_t>(at.linedefined) : 0;
  return begin;
}

int error_position(lua_State* lua) {
  Vm& vm = vm_of(lua);
  ScriptError& fault = vm.fault;
  fault = {};
  std::string_view text;
  if (lua_type(lua, 1) == LUA_TSTRING) {
    text = text_at(lua, 1);
  } else {
    vm.scratch = fmt::format("error() was called with {} instead of a text", describe(lua, 1));
    text = vm.scratch;
  }
  if (vm.chunk_fault) {
    const ScriptError chunk_fault = *std::exchange(vm.chunk_fault, std::nullopt);
    if (text == fmt::format("{}:{}: {}", chunk_fault.script, chunk_fault.line, chunk_fault.text)) {
      fault = chunk_fault;
      return 1;
    }
  }
  lua_Debug at;
  for (int level = 1; level < 200 && lua_getstack(lua, level, &at) != 0; ++level) {
    lua_getinfo(lua, "Sl", &at);
    if (at.source[0] != '@' || at.currentline <= 0) continue;
    const std::string_view source = at.source + 1;
    if (fault.script.empty()) {
      fault.script = source;
      fault.line = static_cast<std::uint32_t>(at.currentline);
    }
    // "short_src:12: text": an error that was raised with a position of its own, maybe passed on by
    // pcall.
    const std::string_view prefix = at.short_src;
    if (!text.starts_with(prefix) || text.size() <= prefix.size() || text[prefix.size()] != ':')
      continue;
    std::uint32_t line = 0;
    const char* begin = text.data() + prefix.size() + 1;
    const auto [end, status] = std::from_chars(begin, text.data() + text.size(), line);
    if (status != std::errc{} || std::string_view(end, 2) != ": ") continue;
    fault.script = source;
    fault.line = line;
    text = std::string_view(end + 2, static_cast<std::size_t>(text.data() + text.size() - end - 2));
    break;
  }
  fault.text = text;
  return 1;
}

}  // namespace hastur
