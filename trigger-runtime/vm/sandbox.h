#pragma once

// What a script can see: a list of what is allowed, in an environment of its own (LUAJIT.md has the
// reasons).
//
// Nothing that shows the time, the machine, an address, the order of a hash table or the garbage
// collector; nothing that loads code; nothing whose cost the instruction budget does not see.
// Library tables are read through objects that cannot be written.

#include <string_view>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

// Pushes the environment that the chunks of a script run in. Once per Lua state.
void push_environment(lua_State* lua);

// Each adds its functions to the table on top of the stack.
void add_base_functions(lua_State* lua);
void add_pairs_functions(lua_State* lua);
void add_string_functions(lua_State* lua);
void add_table_functions(lua_State* lua);
void add_unpack(lua_State* lua);
void add_math_functions(lua_State* lua);

// Whether the function walks on from call to call: what pairs and string.gmatch return.
bool is_pairs_step(lua_CFunction function);
bool is_gmatch_step(lua_CFunction function);
inline bool is_iterator(lua_CFunction function) {
  return is_pairs_step(function) || is_gmatch_step(function);
}

// Pops the table on top and pushes an object that reads it and cannot be written; `name` is for the
// error.
void seal(lua_State* lua, std::string_view name);

// Pushes the text that tostring() gives for `index`: no addresses. May call __tostring.
void push_tostring(lua_State* lua, int index);

// Pops the function on top: where it begins, with an empty text.
ScriptError take_begin_of_function(lua_State* lua);

// The outermost error handler: notes where the error was raised in Vm::fault and passes it on.
int error_position(lua_State* lua);

inline void add_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

}  // namespace hastur
