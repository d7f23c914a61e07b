#pragma once

// The one wrapper of LuaJIT.
//
// Debian's x86-64 build unwinds with the C++ unwinder: a Lua error that passes through our frames
// runs their destructors (vm_test holds it to that), so native functions may own memory while they
// raise.

#include <cstddef>
#include <lua.hpp>
#include <string_view>

namespace hastur {

inline void push_text(lua_State* lua, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
}

// The bytes of the string (or number, which becomes one) at `index`; valid while it stands on the
// stack.
inline std::string_view text_at(lua_State* lua, int index) {
  std::size_t size = 0;
  const char* bytes = lua_tolstring(lua, index, &size);
  return bytes == nullptr ? std::string_view{} : std::string_view(bytes, size);
}

inline bool is_text(lua_State* lua, int index) { return lua_type(lua, index) == LUA_TSTRING; }

// An index that stays right when more is pushed.
inline int absolute(lua_State* lua, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(lua) + index + 1;
}

// Raises `text` as a Lua error with the position of the Lua function that called. Does not return.
[[noreturn]] inline void raise(lua_State* lua, std::string_view text) {
  luaL_where(lua, 1);
  push_text(lua, text);
  lua_concat(lua, 2);
  lua_error(lua);
  __builtin_unreachable();
}

}  // namespace hastur
