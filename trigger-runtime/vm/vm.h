#pragma once

// What the native functions of one trigger share. A function finds it from its Lua state (vm_of),
// because the allocator's owner is the Vm.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/budget.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/effects.h"
#include "trigger-runtime/vm/helper_set.h"
#include "trigger-runtime/vm/keys_ahead.h"
#include "trigger-runtime/vm/lua.h"
#include "trigger-runtime/vm/lua_json.h"
#include "trigger-runtime/vm/msg_object.h"
#include "trigger-runtime/vm/observation.h"
#include "trigger-runtime/vm/periodic.h"
#include "trigger-runtime/vm/random.h"

namespace hastur {

// One ctx:gauges(…) or ctx:every(…), numbered in the order of their making.
struct Callback {
  // Only of ctx:every.
  std::optional<Period> period;
  // Whether the message cannot outlive the call, as its function's bytecode shows: then one object
  // serves all calls.
  bool message_stays = false;
  // Where its function begins.
  std::string script;
  std::uint32_t line = 0;
};

// What the script has asked for while it was loaded.
struct Declared {
  bool made = false;  // hastur.trigger{…} was called
  bool own = false;
  bool isolated = false;
  std::uint64_t state_bytes_max = 0;
  std::string start_state = "{}";
  std::vector<SubscriptionSpec> subscriptions;
  std::vector<Callback> callbacks;
  // ctx:migrate was called; the function stands in the registry.
  bool migrates = false;
  std::vector<std::string> was;
};

struct Vm {
  enum class Phase : std::uint8_t { idle, loading, migrating, callback };

  lua_State* lua = nullptr;
  TriggerHandle handle;
  TriggerName name;
  Run run;
  std::string uuid;
  CountedLimits limits;
  std::vector<ScriptFile> libraries;

  Phase phase = Phase::idle;
  Budget budget;
  LuaMemory memory;
  // Native functions that have called back into Lua and not returned.
  int nesting = 0;
  Declared declared;
  Constants constants;
  Messages messages;
  EffectSink effects;
  HelperSet helpers;
  KeysAhead ahead;
  // What the script and its libraries, as far as they are loaded, ask of windows.
  Window::Kept kept;
  // Of the input that a callback runs for: msg.timestamp, in ctx:every tick.time.
  Time input_time{};
  ScriptRandom random;
  LuaJsonWriter writer;
  Observation observation;
  // Where the error that is under way was raised; set by error_position.
  ScriptError fault;
  // A library that could not be loaded: the error that require raises is its.
  std::optional<ScriptError> chunk_fault;
  // The address of ctx.state, and of what the script has for it while it is loaded.
  const void* state = nullptr;
  const void* loading_state = nullptr;
  std::string scratch;
};

inline Vm& vm_of(lua_State* lua) {
  void* owner = nullptr;
  lua_getallocf(lua, &owner);
  return *static_cast<Vm*>(owner);
}

// Stands while a native function calls into Lua. Bounds the depth of such calls: each takes C
// stack, which Lua's own limit does not see.
class Nesting {
 public:
  explicit Nesting(lua_State* lua) : vm_(vm_of(lua)) {
    if (vm_.nesting >= nesting_max)
      raise(lua, "stack overflow: calls through native functions are nested too deep");
    ++vm_.nesting;
  }
  ~Nesting() { --vm_.nesting; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  static constexpr int nesting_max = 150;
  Vm& vm_;
};

// Fixed places on the Lua stack of every Vm.
inline constexpr int error_position_index = 1;  // the function error_position
inline constexpr int callbacks_index = 2;       // the list of callback functions
inline constexpr int state_index = 3;           // ctx.state
inline constexpr int message_index = 4;         // the msg object for calls that it cannot outlive
inline constexpr int stack_base = 4;

}  // namespace hastur
