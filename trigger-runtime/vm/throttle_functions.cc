// The function of what ctx:throttle makes: allow.

#include "core/json.h"
#include "trigger-runtime/vm/helper_arguments.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/helpers/throttle.h"

namespace hastur {
namespace {

// (key) → whether it may pass
int allow(lua_State* lua) {
  ScriptHelper& self = helper_self(lua, "allow", {HelperKind::throttle});
  const std::string_view key = made_key_argument(lua, 2, self, "allow");
  Vm& vm = vm_of(lua);
  auto& throttle = static_cast<Throttle&>(*self.helper);
  const std::uint64_t births = throttle.keys().births();
  lua_pushboolean(lua, throttle.allow(key, vm.effects.now()));
  if (throttle.keys().births() != births) {
    vm.helpers.account(lua, self);
    if (!is_utf8(key)) {
      throttle.keys().remove(throttle.keys().find(key));
      refuse_key(lua, self);
    }
  }
  return 1;
}

}  // namespace

void push_throttle_functions(lua_State* lua) {
  lua_newtable(lua);
  lua_pushcfunction(lua, allow);
  lua_setfield(lua, -2, "allow");
}

}  // namespace hastur
