#pragma once

// ctx:keyed, ctx:window, ctx:throttle, and the functions of what they make.

#include "trigger-runtime/vm/lua.h"

namespace hastur {

// Adds the constructors to the table of ctx's methods on top of the stack; `context` is ctx.
void add_helper_functions(lua_State* lua, int context);

// Each pushes a table with the functions of its kind.
void push_keyed_functions(lua_State* lua);
void push_window_functions(lua_State* lua);
void push_throttle_functions(lua_State* lua);

// Whether it is the step of an each(), which walks on from call to call.
bool is_keyed_step(lua_CFunction function);
bool is_window_step(lua_CFunction function);

}  // namespace hastur
