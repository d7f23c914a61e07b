#pragma once

// What Lua itself does not have: hastur.…, ctx, notifications, print and require (DESIGN §7).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "message/message.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

// Adds all of it to the environment on top of the stack.
void add_hastur(lua_State* lua);

// Each adds its functions to the table on top of the stack: hastur's …
void add_trigger_functions(lua_State* lua);
void add_time_functions(lua_State* lua);
void add_derived_functions(lua_State* lua);
// … and the environment's.
void add_notification_functions(lua_State* lua);
void add_log_functions(lua_State* lua);
void add_require(lua_State* lua);

// Loads a chunk into the environment (which must be set up) and pushes it; nothing if it is no Lua
// text or breaks a rule that its bytecode shows (hidden state, globals).
std::optional<ScriptError> push_chunk(lua_State* lua, const ScriptFile& file);

// Pushes ctx.state. It is one table for ever. While the script is loaded, another object stands for
// it that refuses all: `#` of a table could not be refused. vm/constants.h puts the table in the
// places that it has got to.
void push_state(lua_State* lua);
bool is_loading_state(lua_State* lua, int index);
// The script is loaded: ctx.state gives the table.
void show_state(lua_State* lua);
// Makes ctx.state a plain table: from now on its keys may be read and written.
void open_state(lua_State* lua);
// Raises if ctx.state stands at `index` and has no content yet.
void refuse_loading_state(lua_State* lua, int index);

// Raises unless a callback runs: `what` may not be done while the script is loaded.
void require_callback(lua_State* lua, std::string_view what);
// Raises if a function would make a text longer than any sensible one.
void refuse_huge_text(lua_State* lua, std::string_view function, std::uint64_t bytes);

// No payload of an effect is larger.
inline constexpr std::size_t effect_bytes_max = 256 * 1024;

// The argument as a string, whose bytes are charged, or an error that names function and argument.
std::string_view text_argument(lua_State* lua, int index, std::string_view function,
                               std::string_view argument);

// As nearest() of core/suggest.h, charged.
std::string nearest_word(lua_State* lua, std::string_view word, std::span<const std::string> known);

// Charges for a walk over the table at `index` in which each entry is looked at and each key may be
// copied. In whatever order a VM keeps keys it is as much, and raises alike.
void charge_walk(lua_State* lua, int index);

}  // namespace hastur
