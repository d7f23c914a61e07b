#include "trigger-runtime/vm/arguments.h"

#include <fmt/format.h>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {

void refuse_argument(lua_State* lua, int index, std::string_view function,
                     std::string_view expected) {
  const char* got = lua_isnone(lua, index)  ? "no value"
                    : is_frozen(lua, index) ? "table"
                                            : lua_typename(lua, lua_type(lua, index));
  raise(lua, fmt::format("bad argument #{} to '{}' ({} expected, got {})", index, function,
                         expected, got));
}

void value_at(lua_State* lua, int index, std::string_view function) {
  if (lua_isnone(lua, index)) refuse_argument(lua, index, function, "value");
}

double number_at(lua_State* lua, int index, std::string_view function) {
  if (lua_isnumber(lua, index) == 0) refuse_argument(lua, index, function, "number");
  return lua_tonumber(lua, index);
}

double number_at(lua_State* lua, int index, std::string_view function, double absent) {
  return lua_isnoneornil(lua, index) ? absent : number_at(lua, index, function);
}

std::string_view string_at(lua_State* lua, int index, std::string_view function) {
  if (lua_isstring(lua, index) == 0) refuse_argument(lua, index, function, "string");
  return text_at(lua, index);
}

void table_at(lua_State* lua, int index, std::string_view function) {
  refuse_loading_state(lua, index);
  open_frozen(lua, index);
  if (!lua_istable(lua, index)) refuse_argument(lua, index, function, "table");
}

void writable_table_at(lua_State* lua, int index, std::string_view function) {
  refuse_loading_state(lua, index);
  refuse_frozen(lua, index);
  if (!lua_istable(lua, index)) refuse_argument(lua, index, function, "table");
}

int call_stock(lua_State* lua, std::string_view function) {
  const int arguments = lua_gettop(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  const int status = lua_pcall(lua, arguments, LUA_MULTRET, 0);
  if (status == 0) return lua_gettop(lua);
  if (status == LUA_ERRMEM) {
    vm_of(lua).budget.set_verdict(Budget::Verdict::memory);
    lua_error(lua);
  }
  std::string text(text_at(lua, -1));
  constexpr std::string_view nameless = " to '?'";
  if (const std::size_t at = text.find(nameless); at != std::string::npos)
    text.replace(at, nameless.size(), fmt::format(" to '{}'", function));
  raise(lua, text);
}

}  // namespace hastur
