#pragma once

// Arguments of the functions that take those of stock Lua, and calls of stock functions.
//
// Stock Lua finds a function's name at the place that calls it: called by another function of ours,
// or by pcall, it has none, and its errors are about '?'. Here each says who it is.

#include <string_view>

#include "trigger-runtime/vm/lua.h"

namespace hastur {

// "bad argument #2 to 'string.rep' (number expected, got nil)"
[[noreturn]] void refuse_argument(lua_State* lua, int index, std::string_view function,
                                  std::string_view expected);

// Each raises unless there is a value of its type at `index`; as in stock Lua a text that is a
// number is one, and a number is a text (which it then becomes).
void value_at(lua_State* lua, int index, std::string_view function);
double number_at(lua_State* lua, int index, std::string_view function);
std::string_view string_at(lua_State* lua, int index, std::string_view function);
// `absent` if there is nothing or nil.
double number_at(lua_State* lua, int index, std::string_view function, double absent);

// The table at `index`, to be read: a frozen one is opened, ctx.state must have its content.
void table_at(lua_State* lua, int index, std::string_view function);
// The same for a table that is about to be written, which a frozen one cannot be.
void writable_table_at(lua_State* lua, int index, std::string_view function);

// Calls the stock function that is the running closure's first upvalue with all that stands on the
// stack; its results take its place. `function` is what its errors call it.
int call_stock(lua_State* lua, std::string_view function);

}  // namespace hastur
