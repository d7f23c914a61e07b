#include "trigger-runtime/vm/budget.h"

#include <fmt/format.h>

#include <cstdlib>

#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// Native functions one above the other, before a line of the script comes.
constexpr int levels_max = 200;

}  // namespace

std::string Budget::text() const {
  return fmt::format("more than {} instructions in one call", max_);
}

void Budget::on_count(lua_State* lua, lua_Debug* at) {
  Vm& vm = vm_of(lua);
  if (at->event == LUA_HOOKLINE) [[unlikely]] {
    vm.observation.at_line(lua, at);
  } else if (vm.budget.observed_) [[unlikely]] {
    if (++vm.budget.single_ < step) return;
    vm.budget.single_ = 0;
    vm.budget.count_step(lua, at);
  } else {
    vm.budget.count_step(lua, at);
  }
}

void Budget::count_step(lua_State* lua, const lua_Debug* at) {
  charge(lua, charge_of_step());
  // In a hook LuaJIT keeps here where the function stands on the stack; nothing else tells it.
  if (at->i_ci <= stack_values_max) [[likely]]
    return;
  luaL_where(lua, 0);
  push_text(lua, "stack overflow: calls are nested too deep");
  lua_concat(lua, 2);
  lua_error(lua);
}

void Budget::raise_over(lua_State* lua) {
  if (verdict_ == Verdict::none) {
    lua_Debug at;
    for (int level = 0; level < levels_max && lua_getstack(lua, level, &at) != 0; ++level) {
      lua_getinfo(lua, "Sl", &at);
      if (at.source[0] != '@' || at.currentline <= 0) continue;
      script_ = at.source + 1;
      line_ = static_cast<std::uint32_t>(at.currentline);
      break;
    }
  }
  verdict_ = Verdict::instructions;
  push_text(lua, text());
  lua_error(lua);
  __builtin_unreachable();
}

void* LuaMemory::allocate(void* block, std::size_t old_size, std::size_t new_size) {
  if (block == nullptr) old_size = 0;
  if (new_size == 0) {
    std::free(block);
    used_ -= old_size;
    return nullptr;
  }
  const std::size_t growth = new_size > old_size ? new_size - old_size : 0;
  if (growth > 0 && !lifted_ && (used_ >= cap_ || growth > cap_ - used_)) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) used_ += new_size - old_size;
  return moved;
}

}  // namespace hastur
