#pragma once

// What a function's bytecode shows before it runs (LuaJIT's dump format, version 2).
//
// Hidden state is refused where a line can be named: writes of globals, and writes from a function
// to a local that outlives the callback outside of ctx.state.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

// The first fault of the chunk on top of the stack (a Lua function that was just loaded from
// `path`), if it has one.
std::optional<ScriptError> chunk_fault(lua_State* lua, const std::string& path);

// The lines of the chunk on top of the stack that have code in a function, sorted: those that a
// callback may run.
std::vector<std::uint32_t> function_lines(lua_State* lua);

// Where the Lua function at `index`, or one within it, writes an upvalue of the former: what is
// written would last as long as that function. Nothing if it does not.
std::optional<ScriptError> upvalue_fault(lua_State* lua, int index);

// Whether the Lua function at `index` only ever reads fields of its first parameter, so that
// nothing can hold it when the call is over. False when in doubt.
bool first_parameter_stays(lua_State* lua, int index);

}  // namespace hastur
