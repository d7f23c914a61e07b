// math.random from the trigger's own generator; math.min and max that treat nan alike wherever it
// stands.

#include <fmt/format.h>

#include <cmath>

#include "trigger-runtime/vm/arguments.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

double whole_argument(lua_State* lua, int index) {
  const double number = number_at(lua, index, "math.random");
  if (std::floor(number) != number || std::fabs(number) > 9007199254740992.0) {
    raise(lua, fmt::format("math.random takes whole numbers, got {}", number));
  }
  return number;
}

// (): in [0, 1). (m): 1..m. (m, n): m..n.
int random_number(lua_State* lua) {
  Vm& vm = vm_of(lua);
  const int arguments = lua_gettop(lua);
  // 53 bits are what a double holds.
  const double unit = static_cast<double>(vm.random.next(vm.name, vm.run) >> 11) * 0x1p-53;
  if (arguments == 0) {
    lua_pushnumber(lua, unit);
    return 1;
  }
  const double low = arguments == 1 ? 1 : whole_argument(lua, 1);
  const double high = whole_argument(lua, arguments == 1 ? 1 : 2);
  if (low > high)
    raise(lua, fmt::format("math.random: there is no number from {} to {}", low, high));
  lua_pushnumber(lua, low + std::floor(unit * (high - low + 1)));
  return 1;
}

int refuse_seed(lua_State* lua) {
  raise(lua,
        "math.randomseed does not exist here: math.random is seeded for every callback from the "
        "trigger, its run "
        "and the input, so that a replay draws the same numbers");
}

// Any nan among the arguments is the result: stock min and max give one or the other, depending on
// the order and on how they were compiled.
int extreme(lua_State* lua, bool greatest) {
  const std::string_view name = greatest ? "math.max" : "math.min";
  const int arguments = lua_gettop(lua);
  double best = number_at(lua, 1, name);
  for (int i = 2; i <= arguments; ++i) {
    const double number = number_at(lua, i, name);
    if (std::isnan(best)) continue;
    if (std::isnan(number) || (greatest ? number > best : number < best)) best = number;
  }
  lua_pushnumber(lua, best);
  return 1;
}
int least(lua_State* lua) { return extreme(lua, false); }
int greatest(lua_State* lua) { return extreme(lua, true); }

}  // namespace

void add_math_functions(lua_State* lua) {
  add_function(lua, "min", least);
  add_function(lua, "max", greatest);
  add_function(lua, "random", random_number);
  add_function(lua, "randomseed", refuse_seed);
}

}  // namespace hastur
