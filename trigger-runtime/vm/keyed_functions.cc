// The functions of what ctx:keyed makes: at, touch, swap, peek, drop, each, count, silent.

#include <fmt/format.h>

#include "core/json.h"
#include "trigger-runtime/vm/declaring.h"
#include "trigger-runtime/vm/helper_arguments.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/sandbox.h"

namespace hastur {
namespace {

struct Self {
  ScriptHelper& made;
  Keyed& keyed;
};

Self self_of(lua_State* lua, std::string_view function) {
  ScriptHelper& made = helper_self(lua, function, {HelperKind::keyed});
  return {made, static_cast<Keyed&>(*made.helper)};
}

std::uint32_t touched(lua_State* lua, const Self& self, std::string_view function) {
  const std::string_view key = made_key_argument(lua, 2, self.made, function);
  Vm& vm = vm_of(lua);
  if (const auto id = self.keyed.touch(key, vm.effects.now())) [[likely]]
    return *id;
  vm.budget.charge(lua, instructions_per_helper_call + key.size() / 16);
  if (!is_utf8(key)) refuse_key(lua, self.made);
  const std::uint32_t id = self.keyed.make(key, vm.effects.now());
  vm.helpers.account(lua, self.made);
  return id;
}

// (key): makes and touches the key.
int touch(lua_State* lua) {
  touched(lua, self_of(lua, "touch"), "touch");
  return 0;
}

// (key) → its value; that of a new key is `new`.
int at(lua_State* lua) {
  const Self self = self_of(lua, "at");
  const std::uint32_t id = touched(lua, self, "at");
  if (!self.keyed.has_value(id)) {
    vm_of(lua).budget.charge(lua, 16 + self.made.new_value.size() / 4);
    self.made.values->read(id, self.made.new_value);
    self.keyed.set_has_value(id, true);
  }
  self.made.values->push(id);
  return 1;
}

// (key, value) → the value before
int swap(lua_State* lua) {
  const Self self = self_of(lua, "swap");
  lua_settop(lua, 3);
  const std::uint32_t id = touched(lua, self, "swap");
  self.made.values->push(id);
  lua_pushvalue(lua, 3);
  self.keyed.set_has_value(id, self.made.values->set(id));
  return 1;
}

// (key) → its value, or nil
int peek(lua_State* lua) {
  const Self self = self_of(lua, "peek");
  const std::uint32_t id = self.keyed.keys().find(key_argument(lua, 2, self.made, "peek"));
  if (id == KeyTable::none) {
    lua_pushnil(lua);
    return 1;
  }
  self.made.values->push(id);
  return 1;
}

int drop(lua_State* lua) {
  const Self self = self_of(lua, "drop");
  const std::uint32_t id = self.keyed.keys().find(key_argument(lua, 2, self.made, "drop"));
  if (id != KeyTable::none) self.keyed.drop(id);
  return 0;
}

int count(lua_State* lua) {
  lua_pushnumber(lua, self_of(lua, "count").keyed.keys().count());
  return 1;
}

// A walk under way: the keys that were there when it began, by id.
struct Walk {
  std::uint64_t births;
  std::uint32_t count;
  std::uint32_t next;
  // `count` ids follow.
  std::uint32_t* ids() { return reinterpret_cast<std::uint32_t*>(this + 1); }
};

// → next key, value. upvalues: the object, Walk.
int step(lua_State* lua) {
  ScriptHelper& made = *helper_object_at(lua, lua_upvalueindex(1));
  auto* walk = static_cast<Walk*>(lua_touserdata(lua, lua_upvalueindex(2)));
  const KeyTable& keys = made.helper->keys();
  while (walk->next < walk->count) {
    const std::uint32_t id = walk->ids()[walk->next++];
    if (!keys.holds(id) || keys.birth(id) > walk->births) continue;
    push_text(lua, keys.key(id));
    made.values->push(id);
    return 2;
  }
  return 0;
}

// () → for k, v in hosts:each() do
int each(lua_State* lua) {
  const Self self = self_of(lua, "each");
  KeyTable& keys = self.keyed.keys();
  vm_of(lua).budget.charge(lua, keys.count());
  lua_pushvalue(lua, 1);
  auto* walk =
      static_cast<Walk*>(lua_newuserdata(lua, sizeof(Walk) + keys.count() * sizeof(std::uint32_t)));
  *walk = {keys.births(), keys.count(), 0};
  std::ranges::copy(keys.in_order(), walk->ids());
  lua_pushcclosure(lua, step, 2);
  return 1;
}

// (after, function(k, v, info)): while the script is loaded.
int silent(lua_State* lua) {
  ScriptHelper* made = helper_object_at(lua, 1);
  if (made == nullptr || made->kind != HelperKind::keyed)
    raise(lua, "call it as name:silent(…), with a colon, on what ctx:keyed made");
  if (vm_of(lua).phase != Vm::Phase::loading) {
    raise(lua, called(*made, "silent") +
                   " is possible only while the script is loaded, not in a callback");
  }
  if (lua_gettop(lua) != 3 || !lua_isfunction(lua, 3)) {
    raise(lua, fmt::format("{0} takes a span and a function: {0}(\"10s\", function(k, v, info) … "
                           "end)",
                           called(*made, "silent")));
  }
  auto& keyed = static_cast<Keyed&>(*made->helper);
  if (keyed.silence())
    raise(lua, called(*made, "silent") + " was called before: a ctx:keyed has one silence");
  const Micros after = span_argument(lua, 2, *made, "silent", "the span");
  if (after < std::chrono::seconds{1})
    raise(lua, called(*made, "silent") + ": the span must be a second or more");
  if (keyed.options().forget && *keyed.options().forget <= after) {
    raise(lua, fmt::format("{}: keys are forgotten after {}, before they would be silent for {}",
                           called(*made, "silent"), format_span(*keyed.options().forget),
                           format_span(after)));
  }
  keyed.set_silence(after);
  made->silence_callback = add_callback(lua, 3, {});
  return 0;
}

}  // namespace

bool is_keyed_step(lua_CFunction function) { return function == step; }

void push_keyed_functions(lua_State* lua) {
  constexpr luaL_Reg functions[] = {{"at", at},       {"touch", touch},  {"swap", swap},
                                    {"peek", peek},   {"drop", drop},    {"each", each},
                                    {"count", count}, {"silent", silent}};
  lua_newtable(lua);
  for (const luaL_Reg& function : functions) add_function(lua, function.name, function.func);
}

}  // namespace hastur
