#pragma once

// ctx:keyed, ctx:window, ctx:alert, ctx:throttle, and the functions of what they make.

#include <string_view>

#include "trigger-runtime/vm/effects.h"
#include "trigger-runtime/vm/helpers/alert.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

// Adds the constructors to the table of ctx's methods on top of the stack; `context` is ctx.
void add_helper_functions(lua_State* lua, int context);

// Each pushes a table with the functions of its kind.
void push_keyed_functions(lua_State* lua);
void push_window_functions(lua_State* lua);
void push_throttle_functions(lua_State* lua);
void push_alert_functions(lua_State* lua);

// What ctx:alert was given in its table of options at `index`.
Alert::Options alert_options(lua_State* lua, int index);
// A page as it goes out; `page` outlives it.
Notification alert_notification(const Alert& alert, std::string_view trigger,
                                const AlertPage& page);

// Whether it is the step of an each(), which walks on from call to call.
bool is_keyed_step(lua_CFunction function);
bool is_window_step(lua_CFunction function);
// Whether the metatable at `index` is that of what each() of a window yields.
bool is_window_view(lua_State* lua, int index);

}  // namespace hastur
