#pragma once

// What a script can see: a list of what is allowed, in an environment of its own.
//
// Nothing that shows the time, the machine, an address, the order of a hash table or the garbage
// collector; nothing that loads code; nothing whose cost the instruction budget does not see.
// Library tables are read through objects that cannot be written.
//
// This file owns the list of the ways in which the same script and inputs could give other
// results, and says what closes each. The tests are in sandbox_test.cc unless another is named.
//
// - Compiled code differs from the interpreter: the JIT is off (loaded_trigger.cc).
// - Order of pairs and next: one order of keys, ordered_pairs.cc.
// - Tables and functions as keys: pairs, next, constants and the state refuse them.
// - Addresses in tostring, print, %s and %p: base_functions.cc, string_functions.cc.
// - Digits: tostring is %.14g everywhere; states and JSON round-trip (state_test.cc).
// - nan and inf out of words: tonumber gives nil, base_functions.cc.
// - nan in math.min and math.max: nan wherever it stands, math_functions.cc.
// - math.random: seeded by trigger, run and sequence, random.h.
// - Last bits of exp, pow, ^, sin, cos, tan, log(x, 2): workers are exec'd with GLIBC_TUNABLES.
// - table.sort, unstable, in any order if inconsistent: a stable merge sort, table_functions.cc.
// - Time, date, CPU clock: os.* refuse and name hastur.now().
// - Files, environment, machine: no io, os, package, module, dofile, loadfile.
// - Code from elsewhere: no load, loadstring, string.dump, bytecode; require reads lib/, api.cc.
// - The runtime's inside: no debug, jit, ffi, newproxy, getfenv, setfenv.
// - 1LL and 1i make cdata without ffi: refused, bytecode.cc.
// - Garbage collection: no collectgarbage, gcinfo; setmetatable refuses __gc and __mode,
//   bytecode.cc refuses `t.__mode =` after it.
// - Coroutines, which can also crash the VM: absent.
// - Changed libraries and string methods: objects that cannot be written, __metatable = false.
// - Globals: bytecode.cc refuses their assignment, with the line.
// - What lasts outside of ctx.state: bytecode.cc, constants.cc (docs/determinism.md,
//   constants_test.cc).
// - Where a budget of instructions ends: counted anew for each call, budget.h (limits_test.cc).
// - How deep calls may be nested: the stack is measured at each step, budget.h (limits_test.cc).
// - Long work within one native function: charged in proportion before it is done (limits_test.cc).
//
// - Which of several faults is told, and what was done before it: the first in the order of keys,
//   and as much is charged in any order (lua_json.cc, state_test.cc, limits_test.cc).
//
// Not closed, because the interpreter shows it to nobody:
// - `#` of a list that has a hole: any of its ends, by how the table grew. A hole that stays is
//   refused by the judgement of the state; one within a call is for its author. The hunt finds it,
//   as it restores between all calls.
//
// Not closed, because nothing can see it in time; each ends in a verdict that is journalled:
// - Where memory ends. The cap protects the machine.
// - Where LuaJIT's stack is full, for what gets there between two steps.
// - Long work of one instruction: `a .. b`, `a < b` and `a + 0` on long texts, and what
//   docs/determinism.md measures. Functions make no text longer than 32 MiB, the memory cap bounds
//   the rest, the parent's guard of CPU time ends it.
// - A walk over what is left of a table that was large and has been emptied: the empty places are
//   passed over uncounted. The same guard ends it.
// - "__mode" put together at run time. It shows within one call, and in a state no longer than
//   until its judgement, which refuses metatables.

#include <string_view>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/helper_functions.h"
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

// Whether the function walks on from call to call: what pairs, string.gmatch and each() return.
bool is_pairs_step(lua_CFunction function);
bool is_gmatch_step(lua_CFunction function);
inline bool is_iterator(lua_CFunction function) {
  return is_pairs_step(function) || is_gmatch_step(function) || is_keyed_step(function) ||
         is_window_step(function);
}

// Pops the table on top and pushes an object that reads it and cannot be written; `name` is for the
// error.
void seal(lua_State* lua, std::string_view name);

// Pushes the text that tostring() gives for `index`: no addresses. May call __tostring.
void push_tostring(lua_State* lua, int index);

// Whether the text of an error is LuaJIT's own that its stack is full. A script that raises that
// text itself has the same verdict.
bool is_full_stack(std::string_view text);

// Pops the function on top: where it begins, with an empty text.
ScriptError take_begin_of_function(lua_State* lua);

// The outermost error handler: notes where the error was raised in Vm::fault and passes it on.
int error_position(lua_State* lua);

inline void add_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

}  // namespace hastur
