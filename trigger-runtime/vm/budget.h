#pragma once

// What one trigger may use: instructions, counted exactly, and memory, capped by the allocator.
//
// Instructions are counted by a hook that is set anew for every callback, so that a callback stops
// at the same instruction in every VM whatever ran before it. Our own native functions charge for
// their work before they do it. A verdict cannot be swallowed: the hook goes on raising and the
// sandbox's pcall passes it on.

#include <cstddef>
#include <cstdint>
#include <string>

#include "trigger-runtime/vm/lua.h"

namespace hastur {

class Budget {
 public:
  // `stack`: LuaJIT's own stack was full, which is memory, too.
  enum class Verdict : std::uint8_t { none, instructions, memory, stack };

  // The hook counts in steps of so many instructions.
  static constexpr int step = 1'000;

  // Values that the calls under way may keep on the Lua stack, looked at at each step: more is an
  // error that a script may catch, at the same depth in every VM. LuaJIT ends at 65,500, but
  // sooner or later by how its stack has grown and by what a hook takes; only frames of some
  // hundred values can get there within a step. That is a verdict.
  static constexpr int stack_values_max = 30'000;

  // Begins a callback (or the chunk) that may use `instructions_max`.
  void arm(lua_State* lua, std::uint64_t instructions_max) {
    used_ = 0;
    max_ = instructions_max;
    verdict_ = Verdict::none;
    script_.clear();
    line_ = 0;
    single_ = 0;
    chain_ = kept_chain_;
    lua_sethook(lua, on_count, LUA_MASKCOUNT | (observed_ ? LUA_MASKLINE : 0),
                observed_ ? 1 : step);
  }

  // From the next arm() on, the Vm's observation is told each line, and instructions are counted
  // one by one; they are charged in the same steps all the same.
  void observe(bool observed) { observed_ = observed; }

  // Counts work that is about to be done; raises if it is more than what is left.
  void charge(lua_State* lua, std::uint64_t instructions) {
    used_ += instructions;
    if (used_ > max_) [[unlikely]]
      raise_over(lua);
  }

  // A metatable was set behind which so many tables follow each other by __index or __newindex. One
  // instruction may walk them all, unseen by the hook, so from a few on each counts as several.
  void note_chain(std::uint64_t tables) {
    if (tables > chain_) chain_ = tables;
  }
  // What the chunk has made lasts.
  void keep_chain() { kept_chain_ = chain_; }

  // Used since arm(): in whole steps and charges, unless it is observed.
  std::uint64_t used() const { return used_ + single_; }
  Verdict verdict() const { return verdict_; }
  void set_verdict(Verdict verdict) { verdict_ = verdict; }
  // Where the script was when its instructions ran out: what passes the verdict on stands
  // elsewhere. Empty and 0 if no line of a script was under way.
  const std::string& script() const { return script_; }
  std::uint32_t line() const { return line_; }
  // "more than 5000000 instructions in one call"
  std::string text() const;

 private:
  static void on_count(lua_State* lua, lua_Debug* at);
  void count_step(lua_State* lua, const lua_Debug* at);
  [[noreturn]] void raise_over(lua_State* lua);
  std::uint64_t charge_of_step() const {
    // Of four instructions about one reads a field, and a table of its chain takes about as long as
    // an instruction. Short chains, as of classes, are free.
    return chain_ < 8 ? step : step * (chain_ / 4);
  }

  std::uint64_t used_ = 0;
  std::uint64_t max_ = 0;
  Verdict verdict_ = Verdict::none;
  std::string script_;
  std::uint32_t line_ = 0;
  bool observed_ = false;
  // Instructions counted one by one, since the last whole step.
  int single_ = 0;
  std::uint64_t chain_ = 0;
  std::uint64_t kept_chain_ = 0;
};

// The allocator of one Lua state.
class LuaMemory {
 public:
  void set_cap(std::size_t bytes) { cap_ = bytes; }
  std::size_t cap() const { return cap_; }
  std::size_t used() const { return used_; }
  // While lifted, nothing is refused: a state that was once judged can always be put back.
  void lift(bool lifted) { lifted_ = lifted; }

  void* allocate(void* block, std::size_t old_size, std::size_t new_size);

  // Counts what native structures of the trigger take, who took `before` and take `now`. Whether it
  // is within the cap.
  bool count_native(std::size_t before, std::size_t now) {
    used_ += now - before;
    return lifted_ || used_ <= cap_;
  }

 private:
  std::size_t cap_ = SIZE_MAX;
  std::size_t used_ = 0;
  bool lifted_ = false;
};

// The memory cap does not hold while this stands: for what the runtime itself must be able to make.
class CapLifted {
 public:
  explicit CapLifted(LuaMemory& memory) : memory_(memory) { memory_.lift(true); }
  ~CapLifted() { memory_.lift(false); }
  CapLifted(const CapLifted&) = delete;
  CapLifted& operator=(const CapLifted&) = delete;

 private:
  LuaMemory& memory_;
};

}  // namespace hastur
