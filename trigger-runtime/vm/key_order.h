#pragma once

// The one order in which the keys of a table are walked: numbers ascending, then strings by bytes,
// then false, true.

#include <optional>
#include <string_view>

#include "trigger-runtime/vm/lua.h"

namespace hastur {

struct Key {
  int type = LUA_TNIL;
  double number = 0;  // a boolean's is 0 or 1
  std::string_view text;
  int position = 0;  // for the caller
};

inline bool before(const Key& a, const Key& b) {
  const auto rank = [](int type) { return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2; };
  if (a.type != b.type) return rank(a.type) < rank(b.type);
  return a.type == LUA_TSTRING ? a.text < b.text : a.number < b.number;
}

// The key at `index`, its text borrowed from there; nothing for one that has no place in the order.
inline std::optional<Key> key_of(lua_State* lua, int index) {
  switch (const int type = lua_type(lua, index)) {
    case LUA_TNUMBER:
      return Key{type, lua_tonumber(lua, index), {}};
    case LUA_TSTRING:
      return Key{type, 0, text_at(lua, index)};
    case LUA_TBOOLEAN:
      return Key{type, lua_toboolean(lua, index) != 0 ? 1.0 : 0.0, {}};
    default:
      return std::nullopt;
  }
}

inline void push_key(lua_State* lua, const Key& key) {
  if (key.type == LUA_TNUMBER) {
    lua_pushnumber(lua, key.number);
  } else if (key.type == LUA_TSTRING) {
    push_text(lua, key.text);
  } else {
    lua_pushboolean(lua, key.number != 0);
  }
}

}  // namespace hastur
