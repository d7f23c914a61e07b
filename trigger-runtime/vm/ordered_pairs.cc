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
#include "trigger-runtime/vm/arguments.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/key_order.h"
#include "trigger-runtime/vm/least_text.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// A walk over a large table is charged as it goes.
constexpr int keys_per_charge = 1'024;

// Raises if there is a key that has no place in the order.
void refuse_keys(lua_State* lua, const LeastText& bad) {
  if (!bad) return;
  raise(lua, "a table with " + *bad +
                 " as a key cannot be walked: keys are strings, numbers and booleans");
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

// Half an instruction a comparison, and more where keys are long. In which order a VM happens to
// have them must not count: of a list's numbers it is taken that they come in order, of others that
// they do not.
void charge_for_order(lua_State* lua, const std::vector<Key>& keys, std::uint64_t bytes) {
  const auto is_place = [&keys](const Key& key) {
    return key.type == LUA_TNUMBER && key.number >= 1 &&
           key.number <= static_cast<double>(keys.size());
  };
  const auto places = static_cast<std::uint64_t>(std::ranges::count_if(keys, is_place));
  const std::uint64_t others = keys.size() - places;
  vm_of(lua).budget.charge(
      lua, places / 2 + (others / 2 + bytes / 64) * static_cast<unsigned>(std::bit_width(others)));
}

int ordered_pairs(lua_State* lua) {
  value_at(lua, 1, "pairs");
  lua_settop(lua, 1);
  refuse_loading_state(lua, 1);
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
  }
  std::vector<Key> keys;
  lua_newtable(lua);
  const int list = 3;
  LeastText bad;
  bool sorted = true;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  lua_pushnil(lua);
  while (lua_next(lua, 2) != 0) {
    lua_pop(lua, 1);
    if (++count % keys_per_charge == 0) vm_of(lua).budget.charge(lua, keys_per_charge);
    std::optional<Key> key = key_of(lua, -1);
    if (!key) {
      bad.add(describe(lua, -1));
      continue;
    }
    key->position = static_cast<int>(keys.size()) + 1;
    sorted = sorted && (keys.empty() || before(keys.back(), *key));
    bytes += key->text.size();
    keys.push_back(*key);
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, list, key->position);
  }
  refuse_keys(lua, bad);
  charge_for_order(lua, keys, bytes);
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
  table_at(lua, 1, "next");
  lua_settop(lua, 2);
  const bool first = lua_isnil(lua, 2);
  const std::optional<Key> after = first ? Key{} : key_of(lua, 2);
  LeastText bad;
  if (!after) bad.add(describe(lua, 2));
  refuse_keys(lua, bad);
  bool found = false;
  Key best{};
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;
  lua_pushnil(lua);  // the best key so far, at 3
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    lua_pop(lua, 1);
    if (++seen % keys_per_charge == 0) vm_of(lua).budget.charge(lua, keys_per_charge);
    const std::optional<Key> key = key_of(lua, -1);
    if (!key) {
      bad.add(describe(lua, -1));
      continue;
    }
    bytes += key->text.size();
    if ((first || before(*after, *key)) && (!found || before(*key, best))) {
      best = *key;
      found = true;
      lua_pushvalue(lua, -1);
      lua_replace(lua, 3);
    }
  }
  refuse_keys(lua, bad);
  vm_of(lua).budget.charge(lua, seen % keys_per_charge + bytes / 64);
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
