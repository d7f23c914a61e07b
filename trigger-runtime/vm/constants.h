#pragma once

// What a script keeps outside of ctx.state from call to call: constants, made while it was loaded.
//
// Everything that the callbacks can reach through upvalues is frozen after the load. A reached
// table becomes an object that reads it and cannot be written (the script still sees a table: `#`,
// ipairs, pairs, next, type … know it), in every place where the table stood. One whose metatable
// compares tables becomes an empty table that reads it, since the VM compares only a table with a
// table; a list cannot, as the VM would find it empty. A reached function
// may not write an upvalue of its own, which its bytecode shows; a reached iterator, which moves
// on, is refused. So nothing reached can change. A copy of all of it is compared at judged ticks
// and restores all the same: should something have changed after all, it is said and put back.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

class Constants {
 public:
  // More is refused: all of it is compared at judged ticks. A table, a function or an entry counts
  // 32 bytes, a text its length.
  static constexpr std::size_t bytes_max = 1u << 20;

  // Once, when the script's chunk has run. Freezes what the functions of the list at `functions`
  // reach. An error is the script's; its Lua state is then of no further use.
  std::optional<ScriptError> freeze(lua_State* lua, int functions);

  // The sentence about the first thing that is not as it was; nothing if all is.
  std::optional<std::string> change(lua_State* lua) const;
  // Makes all as it was after the load.
  void put_back(lua_State* lua) const;

  // The name of a frozen table as the script reaches it: "limits.cpu".
  const std::string& name(std::size_t number) const { return nodes_[number].name; }

 private:
  friend class Freezer;
  // A table or function; it and its copy stand in lists in Lua's registry at number + 1.
  struct Node {
    bool is_table = false;
    std::string name;
    // Of a table: how many entries. Of a function: how many upvalues.
    std::size_t entries = 0;
    // Of a table; nothing: it has none.
    const void* metatable = nullptr;
  };
  bool is_as_it_was(lua_State* lua, std::size_t number) const;

  std::vector<Node> nodes_;
};

bool is_frozen(lua_State* lua, int index);

// Makes the table on top, which nothing else holds, and the tables in it frozen ones; does nothing
// to other values. May raise for want of memory.
void push_read_only(lua_State* lua);

// If a frozen table, or what a helper shows of its state, stands at `index`, its content takes its
// place there, to be read only: it must not reach the script.
void open_frozen(lua_State* lua, int index);

// Raises, with its name, if a frozen table stands at `index`.
void refuse_frozen(lua_State* lua, int index);

// The content at the top of the stack, if it is that of a frozen table, becomes that table again.
void close_frozen(lua_State* lua);

}  // namespace hastur
