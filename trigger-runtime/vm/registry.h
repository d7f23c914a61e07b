#pragma once

// Lua values that native code comes back to, by name instead of by number.

#include "trigger-runtime/vm/lua.h"

namespace hastur {

// Places of LuaJIT's registry; luaL_ref hands out small numbers, so these begin far above.
enum class Registered : int {
  environment = 1 << 20,
  state,
  context_methods,
  libraries,
  callbacks,
  migration,
  // Of vm/constants.h.
  frozen_objects,
  frozen_metatables,
  frozen_copies,
  frozen_tables,
  // Of vm/helper_set.h: lists by the helper's number, from 1.
  helper_views,
  helper_values
};

// Pops the value on top and keeps it.
inline void set_registered(lua_State* lua, Registered place) {
  lua_rawseti(lua, LUA_REGISTRYINDEX, static_cast<int>(place));
}
inline void push_registered(lua_State* lua, Registered place) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, static_cast<int>(place));
}

}  // namespace hastur
