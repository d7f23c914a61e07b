#include "trigger-runtime/vm/constants.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/bytecode.h"
#include "trigger-runtime/vm/key_order.h"
#include "trigger-runtime/vm/least_text.h"
#include "trigger-runtime/vm/registry.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

constexpr std::size_t bytes_each = 32;

// What stands in a frozen table's userdata; its content is the userdata's environment. Where the
// frozen one is an empty table, the userdata stands in its metatable, under a key that no script
// has: the address of frozen_kind.
struct Frozen {
  const void* kind;
  std::size_t number;
};
char frozen_kind = 0;

void push_new_frozen(lua_State* lua, std::size_t number, int content) {
  content = absolute(lua, content);
  auto* frozen = static_cast<Frozen*>(lua_newuserdata(lua, sizeof(Frozen)));
  *frozen = {&frozen_kind, number};
  lua_pushvalue(lua, content);
  lua_setfenv(lua, -2);
}

// Pushes the userdata of the frozen table at `index`; null, with nothing pushed, if it is none.
const Frozen* push_frozen(lua_State* lua, int index) {
  if (lua_type(lua, index) == LUA_TTABLE) {
    if (lua_getmetatable(lua, index) == 0) return nullptr;
    lua_pushlightuserdata(lua, &frozen_kind);
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
  } else {
    lua_pushvalue(lua, index);
  }
  // No other userdata that a script can hold has this size and this first word.
  if (lua_type(lua, -1) == LUA_TUSERDATA && lua_objlen(lua, -1) == sizeof(Frozen)) {
    const auto* frozen = static_cast<const Frozen*>(lua_touserdata(lua, -1));
    if (frozen->kind == &frozen_kind) return frozen;
  }
  lua_pop(lua, 1);
  return nullptr;
}

// Lives as long as the frozen table.
const Frozen* frozen_at(lua_State* lua, int index) {
  const Frozen* frozen = push_frozen(lua, index);
  if (frozen != nullptr) lua_pop(lua, 1);
  return frozen;
}

// Whether the metatable of the table at `index` says how tables are compared.
bool is_compared(lua_State* lua, int index) {
  if (lua_getmetatable(lua, index) == 0) return false;
  bool compared = false;
  for (const char* event : {"__eq", "__lt", "__le"}) {
    lua_pushstring(lua, event);
    lua_rawget(lua, -2);
    compared = compared || !lua_isnil(lua, -1);
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return compared;
}

// The number of a table that was not made while the script was loaded (push_read_only).
constexpr std::size_t no_node = SIZE_MAX;

[[noreturn]] void raise_frozen(lua_State* lua, const Frozen& frozen) {
  if (frozen.number == no_node)
    raise(lua, "what a helper keeps cannot be written: use its functions");
  raise(lua, fmt::format("the table '{}' was made while the script was loaded and cannot be "
                         "written: what changes must be in ctx.state",
                         vm_of(lua).constants.name(frozen.number)));
}

int refuse_write(lua_State* lua) {
  refuse_frozen(lua, 1);
  return 0;
}

int length(lua_State* lua) {
  open_frozen(lua, 1);
  lua_pushnumber(lua, static_cast<double>(lua_objlen(lua, 1)));
  return 1;
}

// (frozen table, key), where the table's metatable has a function as __index: it is given the
// frozen table, never the content. upvalue 1: that function.
int index_by_function(lua_State* lua) {
  lua_settop(lua, 2);
  lua_pushvalue(lua, 1);
  open_frozen(lua, 3);
  lua_pushvalue(lua, 2);
  lua_rawget(lua, 3);
  if (!lua_isnil(lua, -1)) return 1;
  lua_settop(lua, 2);
  const Nesting nesting(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, 2, 1);
  return 1;
}

// Whether the values at `a` and `b` are one and the same, numbers bit by bit.
bool same(lua_State* lua, int a, int b) {
  if (lua_type(lua, a) != LUA_TNUMBER || lua_type(lua, b) != LUA_TNUMBER)
    return lua_rawequal(lua, a, b) != 0;
  const double numbers[2] = {lua_tonumber(lua, a), lua_tonumber(lua, b)};
  if (std::isnan(numbers[0])) return std::isnan(numbers[1]);
  return std::memcmp(&numbers[0], &numbers[1], sizeof(double)) == 0;
}

const void* metatable_of(lua_State* lua, int index) {
  if (lua_getmetatable(lua, index) == 0) return nullptr;
  const void* address = lua_topointer(lua, -1);
  lua_pop(lua, 1);
  return address;
}

std::string child_name(const std::string& parent, const Key& key) {
  if (key.type == LUA_TNUMBER) return fmt::format("{}[{}]", parent, key.number);
  if (key.type == LUA_TBOOLEAN) return fmt::format("{}[{}]", parent, key.number != 0);
  return fmt::format("{}.{}", parent, key.text);
}

}  // namespace

// One freeze under way. Nodes are found breadth first, callbacks in the order of their making,
// upvalues by number, keys in order: names do not depend on addresses.
class Freezer {
 public:
  Freezer(lua_State* lua, std::vector<Constants::Node>& nodes) : lua_(lua), nodes_(nodes) {
    for (const Registered place : {Registered::frozen_objects, Registered::frozen_metatables,
                                   Registered::frozen_copies, Registered::frozen_tables}) {
      lua_newtable(lua);
      lua_pushvalue(lua, -1);
      set_registered(lua, place);
    }
    tables_ = lua_gettop(lua);
    copies_ = tables_ - 1;
    metatables_ = tables_ - 2;
    objects_ = tables_ - 3;
  }

  std::optional<ScriptError> run(int functions) {
    const auto count = static_cast<int>(lua_objlen(lua_, functions));
    for (int i = 1; i <= count && !error_; ++i) {
      lua_rawgeti(lua_, functions, i);
      lua_pushvalue(lua_, -1);
      where_ = take_begin_of_function(lua_);
      visit("a callback");
      lua_pop(lua_, 1);
    }
    for (std::size_t number = 0; number < nodes_.size() && !error_; ++number) {
      lua_rawgeti(lua_, objects_, place(number));
      if (nodes_[number].is_table) {
        take_table(number);
      } else {
        take_function(number);
      }
      lua_settop(lua_, tables_);
    }
    // Only now are all metatables as they will stay.
    for (std::size_t number = 0; number < nodes_.size() && !error_; ++number) {
      if (nodes_[number].is_table) make_metatable(number);
      lua_settop(lua_, tables_);
    }
    return std::move(error_);
  }

 private:
  static int place(std::size_t number) { return static_cast<int>(number) + 1; }

  void fail(const std::string& text) {
    if (!error_) error_ = ScriptError{text, where_.script, where_.line};
  }

  void count(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > Constants::bytes_max) {
      fail(
          fmt::format("the constants that the callbacks use are larger than {} bytes: what is "
                      "data belongs in ctx.state or in messages",
                      Constants::bytes_max));
    }
  }

  // The value on top, reached as `name`: a table is replaced by its frozen one. True if it was.
  bool visit(const std::string& name) {
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        count(text_at(lua_, -1).size());
        return false;
      case LUA_TTABLE:
        if (lua_topointer(lua_, -1) == vm_of(lua_).state) return false;
        if (!is_known()) add_table(name);
        lua_pushvalue(lua_, -1);
        lua_rawget(lua_, tables_);
        lua_remove(lua_, -2);
        return true;
      case LUA_TUSERDATA:
        if (!is_loading_state(lua_, -1)) return false;
        lua_pop(lua_, 1);
        push_state(lua_);
        return true;
      case LUA_TFUNCTION:
        if (lua_iscfunction(lua_, -1) == 0) {
          if (!is_known()) add_node(false, name);
        } else if (is_iterator(lua_tocfunction(lua_, -1))) {
          fail(
              fmt::format("'{}' holds a walk that pairs or gmatch has begun, which moves on from "
                          "call to call: begin it in the callback",
                          name));
        }
        return false;
      default:
        return false;
    }
  }

  // Whether the object on top is a node already.
  bool is_known() {
    lua_pushvalue(lua_, -1);
    lua_rawget(lua_, tables_);
    const bool known = !lua_isnil(lua_, -1);
    lua_pop(lua_, 1);
    return known;
  }

  // The object on top becomes a node and, as far as is_known() goes, stands for itself.
  void add_node(bool is_table, const std::string& name) {
    count(bytes_each);
    nodes_.push_back({is_table, name, 0, nullptr});
    lua_pushvalue(lua_, -1);
    lua_rawseti(lua_, objects_, place(nodes_.size() - 1));
    lua_pushvalue(lua_, -1);
    lua_pushboolean(lua_, 1);
    lua_rawset(lua_, tables_);
  }

  void add_table(const std::string& name) {
    add_node(true, name);
    const int content = lua_gettop(lua_);
    lua_pushvalue(lua_, content);
    if (!is_compared(lua_, content)) {
      push_new_frozen(lua_, nodes_.size() - 1, content);
    } else {
      // The VM compares only a table with a table.
      if (lua_objlen(lua_, content) > 0) {
        fail(
            fmt::format("the table '{}' is a list whose metatable has __eq, __lt or __le, which "
                        "cannot be a constant: keep the list in a field of it, or make it in the "
                        "callback",
                        name));
      }
      lua_newtable(lua_);
      // Wherever it is met again it stands for itself.
      lua_pushvalue(lua_, -1);
      lua_pushvalue(lua_, -1);
      lua_rawset(lua_, tables_);
    }
    lua_rawset(lua_, tables_);
  }

  // The table on top: replaces the tables in it, and copies it.
  void take_table(std::size_t number) {
    const int content = lua_gettop(lua_);
    const std::string name = nodes_[number].name;
    std::vector<Key> keys;
    LeastText bad;
    lua_pushnil(lua_);
    while (lua_next(lua_, content) != 0) {
      lua_pop(lua_, 1);
      const std::optional<Key> key = key_of(lua_, -1);
      if (!key) {
        bad.add(describe(lua_, -1));
        continue;
      }
      keys.push_back(*key);
      count(bytes_each + key->text.size());
    }
    if (bad) {
      fail(fmt::format("the table '{}' has {} as a key: keys are strings, numbers and booleans",
                       name, *bad));
      return;
    }
    std::ranges::sort(keys, before);
    lua_createtable(lua_, 0, static_cast<int>(keys.size()));
    const int copy = lua_gettop(lua_);
    for (const Key& key : keys) {
      push_key(lua_, key);
      lua_pushvalue(lua_, -1);
      lua_rawget(lua_, content);
      if (visit(child_name(name, key))) {
        lua_pushvalue(lua_, -2);
        lua_pushvalue(lua_, -2);
        lua_rawset(lua_, content);
      }
      lua_rawset(lua_, copy);
      if (error_) return;
    }
    if (lua_getmetatable(lua_, content) != 0) {
      nodes_[number].metatable = lua_topointer(lua_, -1);
      lua_pushvalue(lua_, -1);
      lua_rawseti(lua_, metatables_, place(number));
      visit(name + "'s metatable");
      lua_pop(lua_, 1);
    }
    nodes_[number].entries = keys.size();
    lua_rawseti(lua_, copies_, place(number));
  }

  // The function on top: replaces the tables in its upvalues, and copies those.
  void take_function(std::size_t number) {
    const int function = lua_gettop(lua_);
    lua_pushvalue(lua_, function);
    where_ = take_begin_of_function(lua_);
    if (std::optional<ScriptError> fault = upvalue_fault(lua_, function)) {
      error_ = std::move(fault);
      return;
    }
    lua_newtable(lua_);
    const int copy = lua_gettop(lua_);
    for (int i = 1;; ++i) {
      const char* name = lua_getupvalue(lua_, function, i);
      if (name == nullptr) break;
      count(bytes_each);
      if (visit(name)) {
        lua_pushvalue(lua_, -1);
        lua_setupvalue(lua_, function, i);
      }
      lua_rawseti(lua_, copy, i);
      nodes_[number].entries = static_cast<std::size_t>(i);
      if (error_) return;
    }
    lua_rawseti(lua_, copies_, place(number));
  }

  // What the frozen table does: reads its content, refuses to be written, and acts as its content's
  // own metatable says.
  void make_metatable(std::size_t number) {
    lua_rawgeti(lua_, objects_, place(number));
    const int content = lua_gettop(lua_);
    lua_newtable(lua_);
    const int metatable = lua_gettop(lua_);
    lua_pushvalue(lua_, content);
    lua_setfield(lua_, metatable, "__index");
    if (lua_getmetatable(lua_, content) != 0) {
      for (const char* event : {"__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm",
                                "__concat", "__eq", "__lt", "__le", "__call", "__tostring"}) {
        lua_pushstring(lua_, event);
        lua_rawget(lua_, -2);
        lua_setfield(lua_, metatable, event);
      }
      lua_pushliteral(lua_, "__index");
      lua_rawget(lua_, -2);
      if (lua_isfunction(lua_, -1)) {
        lua_pushcclosure(lua_, index_by_function, 1);
        lua_setfield(lua_, metatable, "__index");
      }
    }
    lua_settop(lua_, metatable);
    add_function(lua_, "__newindex", refuse_write);
    add_function(lua_, "__len", length);
    lua_pushboolean(lua_, 0);
    lua_setfield(lua_, metatable, "__metatable");
    lua_pushvalue(lua_, content);
    lua_rawget(lua_, tables_);
    if (lua_istable(lua_, -1)) {
      lua_pushlightuserdata(lua_, &frozen_kind);
      push_new_frozen(lua_, number, content);
      lua_rawset(lua_, metatable);
    }
    lua_insert(lua_, -2);
    lua_setmetatable(lua_, -2);
  }

  lua_State* lua_;
  std::vector<Constants::Node>& nodes_;
  // Places on the stack: the nodes, their metatables and copies, and by its content
  // each frozen table.
  int objects_ = 0;
  int metatables_ = 0;
  int copies_ = 0;
  int tables_ = 0;
  std::size_t bytes_ = 0;
  // The function through which the present node was reached.
  ScriptError where_;
  std::optional<ScriptError> error_;
};

std::optional<ScriptError> Constants::freeze(lua_State* lua, int functions) {
  const int top = lua_gettop(lua);
  functions = absolute(lua, functions);
  const CapLifted lifted(vm_of(lua).memory);
  HASTUR_CHECK(lua_checkstack(lua, 40) != 0, "the Lua stack cannot grow");
  std::optional<ScriptError> error = Freezer(lua, nodes_).run(functions);
  lua_settop(lua, top);
  return error;
}

bool Constants::is_as_it_was(lua_State* lua, std::size_t number) const {
  const Node& node = nodes_[number];
  const int top = lua_gettop(lua);
  push_registered(lua, Registered::frozen_objects);
  lua_rawgeti(lua, -1, static_cast<int>(number) + 1);
  push_registered(lua, Registered::frozen_copies);
  lua_rawgeti(lua, -1, static_cast<int>(number) + 1);
  const int object = top + 2;
  const int copy = top + 4;
  bool equal = true;
  std::size_t entries = 0;
  if (node.is_table) {
    equal = metatable_of(lua, object) == node.metatable;
    lua_pushnil(lua);
    while (equal && lua_next(lua, object) != 0) {
      ++entries;
      lua_pushvalue(lua, -2);
      lua_rawget(lua, copy);
      equal = same(lua, -1, -2);
      lua_pop(lua, 2);
    }
  } else {
    for (; equal && entries < node.entries; ++entries) {
      const int place = static_cast<int>(entries) + 1;
      lua_getupvalue(lua, object, place);
      lua_rawgeti(lua, copy, place);
      equal = same(lua, -1, -2);
      lua_pop(lua, 2);
    }
  }
  lua_settop(lua, top);
  return equal && entries == node.entries;
}

std::optional<std::string> Constants::change(lua_State* lua) const {
  for (std::size_t number = 0; number < nodes_.size(); ++number) {
    if (is_as_it_was(lua, number)) continue;
    return fmt::format(
        "{} '{}' was changed, which would be lost in a restart: what lasts longer than a callback "
        "must be in ctx.state",
        nodes_[number].is_table ? "the table" : "a local of the function", nodes_[number].name);
  }
  return std::nullopt;
}

void Constants::put_back(lua_State* lua) const {
  const CapLifted lifted(vm_of(lua).memory);
  const int top = lua_gettop(lua);
  for (std::size_t number = 0; number < nodes_.size(); ++number) {
    if (is_as_it_was(lua, number)) continue;
    push_registered(lua, Registered::frozen_objects);
    push_registered(lua, Registered::frozen_copies);
    lua_rawgeti(lua, top + 1, static_cast<int>(number) + 1);
    lua_rawgeti(lua, top + 2, static_cast<int>(number) + 1);
    const int object = top + 3;
    const int copy = top + 4;
    if (!nodes_[number].is_table) {
      for (int i = 1; i <= static_cast<int>(nodes_[number].entries); ++i) {
        lua_rawgeti(lua, copy, i);
        lua_setupvalue(lua, object, i);
      }
      lua_settop(lua, top);
      continue;
    }
    lua_pushnil(lua);
    while (lua_next(lua, object) != 0) {
      lua_pop(lua, 1);
      lua_pushvalue(lua, -1);
      lua_pushnil(lua);
      lua_rawset(lua, object);
    }
    lua_pushnil(lua);
    while (lua_next(lua, copy) != 0) {
      lua_pushvalue(lua, -2);
      lua_insert(lua, -2);
      lua_rawset(lua, object);
    }
    push_registered(lua, Registered::frozen_metatables);
    lua_rawgeti(lua, -1, static_cast<int>(number) + 1);
    lua_setmetatable(lua, object);
    lua_settop(lua, top);
  }
}

void push_read_only(lua_State* lua) {
  if (!lua_istable(lua, -1)) return;
  luaL_checkstack(lua, 8, "too much is nested");
  const int content = lua_gettop(lua);
  lua_pushnil(lua);
  while (lua_next(lua, content) != 0) {
    if (lua_istable(lua, -1)) {
      push_read_only(lua);
      lua_pushvalue(lua, -2);
      lua_insert(lua, -2);
      lua_rawset(lua, content);
    } else {
      lua_pop(lua, 1);
    }
  }
  push_new_frozen(lua, no_node, content);
  lua_newtable(lua);
  lua_pushvalue(lua, content);
  lua_setfield(lua, -2, "__index");
  add_function(lua, "__newindex", refuse_write);
  add_function(lua, "__len", length);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_replace(lua, content);
}

bool is_frozen(lua_State* lua, int index) {
  return frozen_at(lua, index) != nullptr || helper_view_at(lua, index) != nullptr;
}

void open_frozen(lua_State* lua, int index) {
  if (Helper* helper = helper_view_at(lua, index)) {
    index = absolute(lua, index);
    push_helper_content(lua, *helper);
    lua_replace(lua, index);
    return;
  }
  index = absolute(lua, index);
  if (push_frozen(lua, index) == nullptr) return;
  lua_getfenv(lua, -1);
  lua_replace(lua, index);
  lua_pop(lua, 1);
}

void refuse_frozen(lua_State* lua, int index) {
  if (const Frozen* frozen = frozen_at(lua, index)) raise_frozen(lua, *frozen);
  if (const Helper* helper = helper_view_at(lua, index)) raise_helper_view(lua, *helper);
}

void close_frozen(lua_State* lua) {
  if (!lua_istable(lua, -1)) return;
  push_registered(lua, Registered::frozen_tables);
  if (!lua_istable(lua, -1)) {
    lua_pop(lua, 1);
    return;
  }
  lua_pushvalue(lua, -2);
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
  } else {
    lua_replace(lua, -2);
  }
}

}  // namespace hastur
