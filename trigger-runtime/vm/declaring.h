#pragma once

// What a script may ask of ctx while it is loaded, and only then.

#include <cstdint>
#include <string_view>

#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {

// Raises unless ctx, which is the function's first upvalue, stands at 1 and the script is loaded.
void check_declaring(lua_State* lua, std::string_view method);

// Keeps the function at `index` as the next callback; returns its number.
std::uint32_t add_callback(lua_State* lua, int index, Callback callback);

// The line of the script that called; 0 if none did.
std::uint32_t calling_line(lua_State* lua);

}  // namespace hastur
