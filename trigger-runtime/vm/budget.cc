#include "trigger-runtime/vm/budget.h"

#include <fmt/format.h>

#include <cstdlib>

#include "trigger-runtime/vm/vm.h"

namespace hastur {

void Budget::on_count(lua_State* lua, lua_Debug*) { vm_of(lua).budget.charge(lua, step); }

void Budget::raise_over(lua_State* lua) {
  verdict_ = Verdict::instructions;
  push_text(lua, fmt::format("more than {} instructions in one call", max_));
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
