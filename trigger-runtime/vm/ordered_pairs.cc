// pairs and next in an order that every VM has: numbers ascending, then strings by bytes, then
// false, true.
//
// Stock order follows addresses and hash seeds. pairs fixes the list of keys when the walk starts;
// what is removed meanwhile is passed over, what is added is not seen. next finds the successor of
// a key by looking at all keys.

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/key_order.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// A walk over a large table is charged as it goes.
constexpr int keys_per_charge = 1'024;

// The key at `index`; raises for one that has no place in the order.
Key key_at(lua_State* lua, int index) {
  const std::optional<Key> key = key_of(lua, index);
  if (!key) {
    raise(lua, std::string("a table with ") + describe(lua, index) +
                   " as a key cannot be walked: keys are strings, numbers and booleans");
  }
  return *key;
}

// Where a walk stands: the order of the keys, as positions in the list that is the closure's first
// upvalue.
struct Walk {
  int count;
  int at;
  // `count` positions follow.
  int* order() { return reinterpret_cast<int*>(this + 1); }
};

// (object, key) → next key, value. upvalues: list of keys, Walk.
int step(lua_State* lua) {
  auto* walk = static_cast<Walk*>(lua_touserdata(lua, lua_upvalueindex(2)));
  open_frozen(lua, 1);
  const bool table = lua_type(lua, 1) == LUA_TTABLE;
  if (!table && !is_labels(lua, 1)) raise(lua, "the step of pairs() was called without its table");
  lua_settop(lua, 1);
  if (!table) {
    push_labels_table(lua, 1);
    lua_replace(lua, 1);
  }
  while (walk->at < walk->count) {
    lua_rawgeti(lua, lua_upvalueindex(1), walk->order()[walk->at++]);
    lua_pushvalue(lua, -1);
    lua_rawget(lua, 1);
    if (!lua_isnil(lua, -1)) return 2;
    lua_settop(lua, 1);
  }
  lua_pushnil(lua);
  return 1;
}

int ordered_pairs(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_settop(lua, 1);
  if (helper_view_at(lua, 1) != nullptr) {
    // All of it once, not at each step.
    open_frozen(lua, 1);
    push_read_only(lua);
  }
  if (is_labels(lua, 1)) {
    push_labels_table(lua, 1);
  } else {
    lua_pushvalue(lua, 1);
    open_frozen(lua, 2);
    if (lua_type(lua, 2) != LUA_TTABLE) raise(lua, "pairs takes a table, got " + describe(lua, 1));
    refuse_loading_state(lua, 2);
  }
  std::vector<Key> keys;
  lua_newtable(lua);
  const int list = 3;
  bool sorted = true;
  std::uint64_t bytes = 0;
  lua_pushnil(lua);
  while (lua_next(lua, 2) != 0) {
    lua_pop(lua, 1);
    Key key = key_at(lua, -1);
    key.position = static_cast<int>(keys.size()) + 1;
    sorted = sorted && (keys.empty() || before(keys.back(), key));
    bytes += key.text.size();
    if (key.position % keys_per_charge == 0) vm_of(lua).budget.charge(lua, keys_per_charge);
    keys.push_back(key);
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, list, key.position);
  }
  // Half an instruction a comparison, and more where keys are long.
  const auto rounds = static_cast<unsigned>(sorted ? 1 : std::bit_width(keys.size()));
  vm_of(lua).budget.charge(lua, (keys.size() / 2 + bytes / 64) * rounds);
  if (!sorted) std::ranges::sort(keys, before);
  auto* walk = static_cast<Walk*>(lua_newuserdata(lua, sizeof(Walk) + keys.size() * sizeof(int)));
  walk->count = static_cast<int>(keys.size());
  walk->at = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) walk->order()[i] = keys[i].position;
  lua_pushcclosure(lua, step, 2);
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int ordered_next(lua_State* lua) {
  open_frozen(lua, 1);
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  refuse_loading_state(lua, 1);
  const bool first = lua_isnil(lua, 2);
  const Key after = first ? Key{} : key_at(lua, 2);
  bool found = false;
  Key best{};
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;
  lua_pushnil(lua);  // the best key so far, at 3
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    lua_pop(lua, 1);
    ++seen;
    const Key key = key_at(lua, -1);
    bytes += key.text.size();
    if ((first || before(after, key)) && (!found || before(key, best))) {
      best = key;
      found = true;
      lua_pushvalue(lua, -1);
      lua_replace(lua, 3);
    }
  }
  vm_of(lua).budget.charge(lua, seen + bytes / 64);
  if (!found) {
    lua_pushnil(lua);
    return 1;
  }
  lua_pushvalue(lua, 3);
  lua_pushvalue(lua, 3);
  lua_rawget(lua, 1);
  return 2;
}

}  // namespace

bool is_pairs_step(lua_CFunction function) { return function == step; }

void add_pairs_functions(lua_State* lua) {
  add_function(lua, "pairs", ordered_pairs);
  add_function(lua, "next", ordered_next);
}

}  // namespace hastur
