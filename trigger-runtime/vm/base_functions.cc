// The base functions that differ from stock Lua: no addresses in texts, verdicts that pcall cannot
// swallow, no metatables that show the garbage collector, no nan or inf out of strings.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/arguments.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// Raising and catching unwinds the stack: far more work than an ordinary instruction.
constexpr std::uint64_t instructions_per_error = 100;
constexpr std::uint64_t bytes_per_instruction = 16;

// A verdict of the budget is not an error that a script may handle. The error is on top.
void pass_on_verdict(lua_State* lua, int status) {
  Budget& budget = vm_of(lua).budget;
  if (status == LUA_ERRMEM) budget.set_verdict(Budget::Verdict::memory);
  if (is_text(lua, -1) && is_full_stack(text_at(lua, -1)))
    budget.set_verdict(Budget::Verdict::stack);
  if (budget.verdict() != Budget::Verdict::none) lua_error(lua);
  budget.charge(lua, instructions_per_error);
}

int protected_call(lua_State* lua) {
  value_at(lua, 1, "pcall");
  const Nesting nesting(lua);
  const int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  if (status != 0) pass_on_verdict(lua, status);
  lua_pushboolean(lua, status == 0);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

// (error). upvalue 1: the script's handler. It would run inside the hook that raised a verdict,
// where nothing counts its instructions: it is not called for one.
int handle_error(lua_State* lua) {
  if (is_text(lua, 1) && is_full_stack(text_at(lua, 1)))
    vm_of(lua).budget.set_verdict(Budget::Verdict::stack);
  if (vm_of(lua).budget.verdict() != Budget::Verdict::none) return 1;
  const Nesting nesting(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

int protected_call_with_handler(lua_State* lua) {
  value_at(lua, 2, "xpcall");
  const Nesting nesting(lua);
  // f, handler, args… → handler, f, args…
  lua_pushvalue(lua, 2);
  lua_pushcclosure(lua, handle_error, 1);
  lua_pushvalue(lua, 1);
  lua_replace(lua, 2);
  lua_replace(lua, 1);
  const int status = lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 1);
  if (status != 0) pass_on_verdict(lua, status);
  lua_pushboolean(lua, status == 0);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int to_string(lua_State* lua) {
  value_at(lua, 1, "tostring");
  push_tostring(lua, 1);
  return 1;
}

// upvalue 1: stock tonumber.
int to_number(lua_State* lua) {
  const bool text = lua_type(lua, 1) == LUA_TSTRING;
  if (text) vm_of(lua).budget.charge(lua, text_at(lua, 1).size() / bytes_per_instruction);
  call_stock(lua, "tonumber");
  if (text && lua_type(lua, -1) == LUA_TNUMBER && !std::isfinite(lua_tonumber(lua, -1)))
    lua_pushnil(lua);
  return 1;
}

// As stock error(), but the copy of the text behind its position is charged.
int raise_error(lua_State* lua) {
  // Deeper than any stack is as deep.
  const int level = static_cast<int>(std::clamp(number_at(lua, 2, "error", 1), 0.0, 1e6));
  lua_settop(lua, 1);
  if (lua_isstring(lua, 1) != 0 && level > 0) {
    vm_of(lua).budget.charge(lua, text_at(lua, 1).size() / bytes_per_instruction);
    luaL_where(lua, level);
    lua_pushvalue(lua, 1);
    lua_concat(lua, 2);
  }
  return lua_error(lua);
}

// upvalues: the names of the types from LUA_TNIL on.
int type_name(lua_State* lua) {
  value_at(lua, 1, "type");
  int type = lua_type(lua, 1);
  if (type == LUA_TUSERDATA && (is_frozen(lua, 1) || is_loading_state(lua, 1))) type = LUA_TTABLE;
  lua_pushvalue(lua, lua_upvalueindex(type + 1));
  return 1;
}

// (frozen table, i) → i + 1 and what stands there.
int frozen_step(lua_State* lua) {
  const int next = static_cast<int>(number_at(lua, 2, "ipairs")) + 1;
  lua_settop(lua, 1);
  table_at(lua, 1, "ipairs");
  lua_pushnumber(lua, next);
  lua_rawgeti(lua, 1, next);
  return lua_isnil(lua, -1) ? 0 : 2;
}

// upvalue 1: the stock step, which is faster and reads plain tables only.
int ipairs(lua_State* lua) {
  value_at(lua, 1, "ipairs");
  lua_settop(lua, 1);
  if (is_frozen(lua, 1)) {
    lua_pushcfunction(lua, frozen_step);
  } else {
    table_at(lua, 1, "ipairs");
    lua_pushvalue(lua, lua_upvalueindex(1));
  }
  lua_insert(lua, 1);
  lua_pushnumber(lua, 0);
  return 3;
}

int raw_get(lua_State* lua) {
  table_at(lua, 1, "rawget");
  value_at(lua, 2, "rawget");
  lua_settop(lua, 2);
  lua_rawget(lua, 1);
  return 1;
}

int get_metatable(lua_State* lua) {
  value_at(lua, 1, "getmetatable");
  lua_settop(lua, 1);
  open_frozen(lua, 1);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0) return 1;
  if (lua_getmetatable(lua, 1) == 0) return 0;
  close_frozen(lua);
  return 1;
}

// How many tables follow each other from the metatable on top of the stack on, by one of its keys;
// LuaJIT follows no more than a hundred.
std::uint64_t chain_behind(lua_State* lua, const char* key) {
  constexpr std::uint64_t tables_max = 100;
  const int top = lua_gettop(lua);
  std::uint64_t tables = 0;
  while (tables < tables_max && lua_istable(lua, -1)) {
    lua_pushstring(lua, key);
    lua_rawget(lua, -2);
    open_frozen(lua, lua_gettop(lua));
    if (!lua_istable(lua, -1)) break;
    ++tables;
    if (lua_getmetatable(lua, -1) == 0) break;
    // Whatever is deep, the stack is not.
    lua_replace(lua, top + 1);
    lua_settop(lua, top + 1);
  }
  lua_settop(lua, top);
  return tables;
}

int set_metatable(lua_State* lua) {
  writable_table_at(lua, 1, "setmetatable");
  if (lua_type(lua, 2) != LUA_TNIL) table_at(lua, 2, "setmetatable");
  if (luaL_getmetafield(lua, 1, "__metatable") != 0)
    raise(lua, "cannot change a protected metatable");
  if (lua_istable(lua, 2)) {
    for (const char* key : {"__gc", "__mode", "__metatable"}) {
      lua_pushstring(lua, key);
      lua_rawget(lua, 2);
      if (!lua_isnil(lua, -1)) {
        raise(lua, fmt::format("a metatable with {} is not allowed: what it does depends on the "
                               "garbage collector or "
                               "hides a table from the checks",
                               key));
      }
      lua_pop(lua, 1);
    }
    lua_settop(lua, 2);
    Budget& budget = vm_of(lua).budget;
    for (const char* key : {"__index", "__newindex"}) {
      const std::uint64_t tables = chain_behind(lua, key);
      budget.note_chain(tables);
      if (tables > 1) budget.charge(lua, tables);
    }
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

}  // namespace

void push_tostring(lua_State* lua, int index) {
  index = absolute(lua, index);
  switch (lua_type(lua, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
      lua_pushvalue(lua, index);
      lua_tostring(lua, -1);
      return;
    case LUA_TNIL:
      lua_pushliteral(lua, "nil");
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(lua, lua_toboolean(lua, index) != 0 ? "true" : "false");
      return;
    default:
      break;
  }
  if (luaL_getmetafield(lua, index, "__tostring") != 0) {
    const Nesting nesting(lua);
    lua_pushvalue(lua, index);
    lua_call(lua, 1, 1);
    if (lua_type(lua, -1) != LUA_TSTRING) raise(lua, "__tostring must return a string");
    return;
  }
  if (is_frozen(lua, index) || is_loading_state(lua, index)) {
    lua_pushliteral(lua, "table");
  } else if (is_msg(lua, index)) {
    lua_pushliteral(lua, "msg");
  } else if (is_labels(lua, index)) {
    lua_pushliteral(lua, "labels");
  } else {
    lua_pushstring(lua, lua_typename(lua, lua_type(lua, index)));
  }
}

void add_base_functions(lua_State* lua) {
  add_function(lua, "pcall", protected_call);
  add_function(lua, "xpcall", protected_call_with_handler);
  add_function(lua, "error", raise_error);
  add_function(lua, "tostring", to_string);
  add_function(lua, "getmetatable", get_metatable);
  add_function(lua, "setmetatable", set_metatable);
  add_function(lua, "rawget", raw_get);
  lua_getfield(lua, LUA_GLOBALSINDEX, "tonumber");
  lua_pushcclosure(lua, to_number, 1);
  lua_setfield(lua, -2, "tonumber");
  constexpr int types = LUA_TTHREAD + 1;
  for (int type = LUA_TNIL; type < types; ++type) lua_pushstring(lua, lua_typename(lua, type));
  lua_pushcclosure(lua, type_name, types);
  lua_setfield(lua, -2, "type");
  lua_getfield(lua, LUA_GLOBALSINDEX, "ipairs");
  lua_newtable(lua);
  lua_call(lua, 1, 1);
  lua_pushcclosure(lua, ipairs, 1);
  lua_setfield(lua, -2, "ipairs");
}

}  // namespace hastur
