#include "trigger-runtime/vm/loaded_trigger.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/settings.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/helpers/json_cursor.h"
#include "trigger-runtime/vm/registry.h"
#include "trigger-runtime/vm/sandbox.h"

namespace hastur {
namespace {

// Larger states are not serialised before a callback: an error is then answered with a stop.
constexpr std::size_t guarded_state_bytes_max = 4'096;
// A state is judged once a second, a large one only every second for each so many bytes.
constexpr std::size_t judged_bytes_per_second = 4u << 20;
// So long after a judgement that failed, alerts speak only where one passes.
constexpr Micros alerts_wait = std::chrono::hours{1};

void* allocate(void* owner, void* block, std::size_t old_size, std::size_t new_size) {
  return static_cast<Vm*>(owner)->memory.allocate(block, old_size, new_size);
}

std::size_t memory_cap(const GuardLimits& guards, std::uint64_t state_bytes_max) {
  return std::max<std::size_t>(guards.memory_bytes_min, 3 * state_bytes_max);
}

// An error may quote what a script made: the text of error(), a key of the state.
constexpr std::size_t error_text_bytes_max = 4'096;

ScriptError shortened(ScriptError error) {
  if (error.text.size() <= error_text_bytes_max) return error;
  // The middle goes: after a long path stands what is wrong. No character of UTF-8 is cut.
  const auto within = [&](std::size_t at) {
    return (static_cast<unsigned char>(error.text[at]) & 0xC0) == 0x80;
  };
  std::size_t begin = error_text_bytes_max * 3 / 4;
  std::size_t end = error.text.size() - error_text_bytes_max / 4;
  while (begin > 0 && within(begin)) --begin;
  while (end < error.text.size() && within(end)) ++end;
  error.text.replace(begin, end - begin, " … ");
  return error;
}

struct ChunkCall {
  const ScriptFile* file;
  std::optional<ScriptError> error;
};

// Loads and runs the script's chunk; its argument is a ChunkCall.
int run_chunk(lua_State* lua) {
  auto& call = *static_cast<ChunkCall*>(lua_touserdata(lua, 1));
  call.error = push_chunk(lua, *call.file);
  if (call.error) return 0;
  lua_call(lua, 0, 1);
  return 1;
}

// What the script waits for, as far as it says so while it is loaded.
std::vector<Micros> declared_spans(const Vm& vm) {
  std::vector<Micros> spans = vm.helpers.spans();
  for (const Callback& callback : vm.declared.callbacks) {
    if (callback.period) spans.push_back(callback.period->length);
  }
  return spans;
}

}  // namespace

LoadedTrigger::~LoadedTrigger() {
  if (vm.lua != nullptr) lua_close(vm.lua);
}

// Leaves the fixed stack of vm.h.
void LoadedTrigger::set_up() {
  vm.lua = lua_newstate(allocate, &vm);
  HASTUR_CHECK(vm.lua != nullptr, "no memory for a Lua state");
  lua_State* lua = vm.lua;
  luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_pushcfunction(lua, error_position);
  push_environment(lua);
  set_registered(lua, Registered::environment);
  push_registered(lua, Registered::callbacks);
  push_state(lua);
  vm.messages.install(lua);
  HASTUR_CHECK(lua_gettop(lua) == stack_base,
               "the fixed part of the Lua stack is not as vm.h says");
}

void LoadedTrigger::observe(ObserveCommand::What what) {
  vm.observation.observe(what);
  vm.budget.observe(vm.observation.is_on());
}

std::optional<ScriptError> LoadedTrigger::load(const LoadCommand& command) {
  std::optional<ScriptError> error = load_script(command);
  if (error) error = shortened(std::move(*error));
  return error;
}

std::optional<ScriptError> LoadedTrigger::load_script(const LoadCommand& command) {
  vm.handle = command.handle;
  vm.name = command.name;
  vm.run = command.run;
  vm.uuid = trigger_uuid(command.name);
  vm.limits = command.limits;
  vm.libraries = command.libraries;
  vm.declared.state_bytes_max = command.limits.state_bytes_max;
  vm.effects.configure(command.name, command.limits);
  script_path_ = command.script.path;
  compare_each_call = command.compare_each_call;
  set_up();

  vm.memory.set_cap(memory_cap(command.guards, command.limits.state_bytes_max));
  ChunkCall call{&command.script, std::nullopt};
  vm.phase = Vm::Phase::loading;
  vm.random.begin(Sequence{});
  if (compare_each_call) observe(ObserveCommand::What::lines);
  vm.budget.arm(vm.lua, command.limits.instructions_max);
  lua_pushcfunction(vm.lua, run_chunk);
  lua_pushlightuserdata(vm.lua, &call);
  const int status = lua_pcall(vm.lua, 1, 0, error_position_index);
  vm.phase = Vm::Phase::idle;
  if (compare_each_call) observe(ObserveCommand::What::nothing);
  if (status != 0) {
    ScriptError error = call_error(status, std::nullopt).error;
    if (error.script.empty()) error.script = script_path_;
    return error;
  }
  if (call.error) return call.error;
  if (compare_each_call) vm.observation.note_waits(declared_spans(vm));
  vm.budget.keep_chain();
  if (!vm.declared.made) {
    return ScriptError{"the script makes no trigger: it must call hastur.trigger{ … } once",
                       script_path_, 0};
  }
  vm.memory.set_cap(memory_cap(command.guards, vm.declared.state_bytes_max));
  show_state(vm.lua);
  if (std::optional<ScriptError> fault = freeze()) return fault;
  std::optional<Memory> memory = command.memory;
  if (memory && command.migrate_from && vm.declared.migrates) {
    if (std::optional<ScriptError> fault = migrate(*memory, *command.migrate_from)) return fault;
    loaded.migrated = memory->state;
  }
  vm.helpers.keep(vm.kept);
  open_state(vm.lua);
  judged_state_ = vm.declared.start_state;
  put_state_back(judged_state_, Time{});
  runtime.slots = vm.helpers.slots();

  loaded.handle = command.handle;
  loaded.subscriptions = vm.declared.subscriptions;
  loaded.periodic = static_cast<std::uint32_t>(std::ranges::count_if(
      vm.declared.callbacks, [](const Callback& callback) { return callback.period.has_value(); }));
  // A deadline needs every tick, as a period does.
  loaded.periodic += vm.helpers.with_deadlines();
  loaded.state_bytes_max = vm.declared.state_bytes_max;
  loaded.isolated = vm.declared.isolated;
  loaded.was = vm.declared.was;
  loaded.helpers = vm.helpers.specs();
  if (memory) {
    if (std::optional<ScriptError> fault = take(*memory)) {
      if (!loaded.migrated)
        return ScriptError{"of the stored state, " + fault->text, script_path_, fault->line};
      push_registered(vm.lua, Registered::migration);
      const ScriptError begin = take_begin_of_function(vm.lua);
      return ScriptError{"of what ctx:migrate returned, " + fault->text, begin.script, begin.line};
    }
  }
  if (command.warm) warm(*command.warm, memory);
  return std::nullopt;
}

// On top of what has been taken; where that cannot be, it is put back.
void LoadedTrigger::warm(const WarmHelpers& given, const std::optional<Memory>& memory) {
  std::optional<std::string> fault;
  std::string text;
  {
    const CapLifted lifted(vm.memory);
    JsonCursor in(given.helpers);
    const bool whole = in.object([&](std::string_view key) {
      const std::string own(key);
      const std::optional<std::string_view> value = in.value();
      if (!value) return false;
      if (!fault) fault = vm.helpers.warm(vm.lua, own, *value, given.at, given.now);
      return true;
    });
    if (!whole) fault = "they are no JSON object";
    vm.helpers.settle(given.now);
    vm.helpers.account_all(vm.lua);
    if (!fault)
      fault = vm.writer.write(vm.lua, state_index, LuaJsonWriter::Form::state, "state",
                              vm.declared.state_bytes_max, text);
  }
  if (!fault) {
    judged_state_ = std::move(text);
    judged_time_ = given.now;
    loaded.warmed =
        Memory{memory ? memory->sequence : Sequence{}, given.now, judged_state_, to_json(runtime)};
  } else if (memory) {
    HASTUR_CHECK(!take(*memory), "a memory that was taken is none");
  } else {
    put_state_back(judged_state_, Time{});
  }
}

// The functions that outlive the load: those of callbacks, then that of ctx:migrate.
std::optional<ScriptError> LoadedTrigger::freeze() {
  lua_State* lua = vm.lua;
  const CapLifted lifted(vm.memory);
  lua_newtable(lua);
  const auto count = static_cast<int>(vm.declared.callbacks.size());
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(lua, callbacks_index, i);
    lua_rawseti(lua, -2, i);
  }
  push_registered(lua, Registered::migration);
  lua_rawseti(lua, -2, count + 1);
  std::optional<ScriptError> fault = vm.constants.freeze(lua, -1);
  lua_settop(lua, stack_base);
  return fault;
}

std::optional<ScriptError> LoadedTrigger::migrate(Memory& memory, const std::string& version) {
  lua_State* lua = vm.lua;
  push_registered(lua, Registered::migration);
  const ScriptError begin = take_begin_of_function(lua);
  push_registered(lua, Registered::migration);
  {
    const CapLifted lifted(vm.memory);
    HASTUR_CHECK(push_json(lua, memory.state),
                 "a state was to be migrated that no judgement wrote");
    push_text(lua, version);
  }
  vm.phase = Vm::Phase::migrating;
  vm.random.begin(memory.sequence);
  vm.budget.arm(lua, vm.limits.instructions_max);
  const int status = lua_pcall(lua, 2, 1, error_position_index);
  vm.phase = Vm::Phase::idle;
  if (status != 0) {
    ScriptError error = call_error(status, std::nullopt).error;
    if (!error.script.empty()) return error;
    return ScriptError{std::move(error.text), begin.script, begin.line};
  }
  std::optional<std::string> fault;
  std::string text;
  if (!lua_istable(lua, -1)) {
    fault = fmt::format("the result of ctx:migrate must be a table, got {}", describe(lua, -1));
  } else {
    fault = vm.writer.write(lua, -1, LuaJsonWriter::Form::state, "the result of ctx:migrate",
                            vm.declared.state_bytes_max, text);
  }
  lua_settop(lua, stack_base);
  if (fault) return ScriptError{std::move(*fault), begin.script, begin.line};
  memory.state = std::move(text);
  return std::nullopt;
}

void LoadedTrigger::restore(const Memory& memory, std::uint32_t guarded_callbacks) {
  const std::optional<ScriptError> fault = take(memory);
  HASTUR_CHECK(!fault, "a memory was to be restored that no judgement of this script wrote");
  guarded_left_ = guarded_callbacks;
  guarded_span_ = guarded_callbacks;
}

std::optional<ScriptError> LoadedTrigger::take(const Memory& memory) {
  const Result<RuntimeMemory> read = runtime_memory_from_json(memory.runtime);
  HASTUR_CHECK(read.has_value(), "a memory was to be restored that no judgement wrote");
  std::optional<ScriptError> fault = replace_state(memory.state, memory.time, read->slots);
  runtime = *read;
  runtime.slots = vm.helpers.slots();
  vm.effects.set_minute(runtime.minute);
  vm.effects.reset_hash();
  judged_state_ = memory.state;
  judged_time_ = memory.time;
  vm.constants.put_back(vm.lua);
  touched = false;
  calls = 0;
  stopped = false;
  guarded_left_ = 0;
  guarded_span_ = 0;
  return fault;
}

void LoadedTrigger::put_state_back(std::string_view text, Time now) {
  const std::optional<ScriptError> fault = replace_state(text, now, vm.helpers.slots());
  HASTUR_CHECK(!fault, "a helper's state cannot be read back");
}

std::optional<ScriptError> LoadedTrigger::replace_state(
    std::string_view text, Time now, const std::map<std::string, std::int64_t>& slots) {
  lua_State* lua = vm.lua;
  const CapLifted lifted(vm.memory);
  lua_pushnil(lua);
  lua_setmetatable(lua, state_index);
  lua_pushnil(lua);
  while (lua_next(lua, state_index) != 0) {
    lua_pop(lua, 1);
    lua_pushvalue(lua, -1);
    lua_pushnil(lua);
    lua_rawset(lua, state_index);
  }
  vm.helpers.clear(lua);
  std::optional<ScriptError> fault = fill_state(text, now, slots);
  vm.helpers.put_views(lua, state_index);
  return fault;
}

std::optional<ScriptError> LoadedTrigger::fill_state(
    std::string_view text, Time now, const std::map<std::string, std::int64_t>& slots) {
  lua_State* lua = vm.lua;
  constexpr const char* broken = "a state was to be restored that no judgement wrote";
  if (text.find("\"@") == std::string_view::npos) {
    HASTUR_CHECK(fill_from_json(lua, state_index, text), broken);
    return std::nullopt;
  }
  std::optional<ScriptError> fault;
  JsonCursor in(text);
  const bool whole = in.object([&](std::string_view key) {
    const std::string own(key);
    const std::optional<std::string_view> value = in.value();
    if (!value) return false;
    if (own.starts_with('@')) {
      if (!fault) fault = vm.helpers.read(lua, own, *value, now, slots);
      return true;
    }
    push_text(lua, own);
    if (!push_json(lua, *value)) return false;
    lua_rawset(lua, state_index);
    return true;
  });
  lua_settop(lua, stack_base);
  HASTUR_CHECK(whole && in.at_end(), broken);
  vm.helpers.account_all(lua);
  return fault;
}

bool LoadedTrigger::is_judgement_time(Time time) const {
  if (!runtime.judged_at) return true;
  const auto parts = (judged_state_.size() + judged_bytes_per_second - 1) / judged_bytes_per_second;
  return time - *runtime.judged_at >= std::chrono::seconds{std::max<std::size_t>(parts, 1)};
}

bool LoadedTrigger::may_alerts_speak(Time time) const {
  return !runtime.failed_at || is_judgement_time(time);
}

bool LoadedTrigger::is_judgement_due(Time time, bool first_tick) const {
  // The first tick is remembered even if no callback ran: from then on ctx:every counts. What was
  // judged before it, at a pause, does not know it.
  if (first_tick || !runtime.judged_at) return true;
  return touched && is_judgement_time(time);
}

std::optional<CallError> LoadedTrigger::examine(Sequence at, Time time) {
  HASTUR_CHECK(!stopped, "a stopped trigger was judged before it was restored");
  if (runtime.failed_at && time - *runtime.failed_at >= alerts_wait) runtime.failed_at.reset();
  if (!touched) return std::nullopt;
  std::string text;
  text.reserve(judged_state_.size() + judged_state_.size() / 8);
  vm.helpers.settle(time);
  std::optional<std::string> fault = vm.writer.write(
      vm.lua, state_index, LuaJsonWriter::Form::state, "state", vm.declared.state_bytes_max, text);
  if (std::optional<std::string> change = vm.constants.change(vm.lua)) {
    fault = std::move(change);
    vm.constants.put_back(vm.lua);
  }
  if (!fault) {
    judged_state_ = std::move(text);
    judged_time_ = time;
    return std::nullopt;
  }
  CallError error{CallError::Kind::judgement, at, time, 0,
                  shortened({std::move(*fault), script_path_, 0})};
  put_state_back(judged_state_, judged_time_);
  runtime.failures.count(time, error.error, 1);
  runtime.failed_at = time;
  undone += calls;
  return error;
}

Memory LoadedTrigger::conclude(Sequence at, Time time) {
  runtime.judged_at = time;
  runtime.minute = vm.effects.minute();
  vm.effects.reset_hash();
  touched = false;
  calls = 0;
  return Memory{at, time, judged_state_, to_json(runtime)};
}

Memory LoadedTrigger::judge(Sequence at, Time time, std::optional<CallError>& error) {
  // What helpers keep may have become void since it was judged, though nothing was called: what is
  // asked for here and now does not depend on when that was.
  touched = touched || !vm.helpers.empty();
  error = examine(at, time);
  undone = 0;  // of feeds
  return conclude(at, time);
}

// What has stood still already was judged then.
void LoadedTrigger::stand_still(Time since) {
  if (!runtime.still_since) runtime.still_since = since;
}

Micros LoadedTrigger::take_deaf(Micros deaf, Time tick) {
  // A stream that goes on has a tick a second.
  constexpr Micros goes_on = std::chrono::seconds{1};
  if (!runtime.still_since) return deaf;
  const Micros still = tick - *std::exchange(runtime.still_since, std::nullopt);
  // The memory does not say so any more.
  touched = true;
  return still > goes_on ? std::max(deaf, still) : deaf;
}

bool LoadedTrigger::serialise_guard() {
  --guarded_left_;
  guard_text_.clear();
  vm.helpers.settle(vm.effects.now());
  return !vm.writer.write(vm.lua, state_index, LuaJsonWriter::Form::state, "state",
                          guarded_state_bytes_max, guard_text_);
}

bool LoadedTrigger::put_back() {
  if (vm.constants.change(vm.lua)) return false;
  put_state_back(guard_text_, vm.effects.now());
  guarded_left_ = guarded_span_;
  return true;
}

std::optional<CallError> LoadedTrigger::hidden_change(std::uint32_t callback) {
  std::optional<std::string> change = vm.constants.change(vm.lua);
  if (!change) return std::nullopt;
  vm.constants.put_back(vm.lua);
  CallError error;
  error.kind = CallError::Kind::judgement;
  error.callback = callback;
  const Callback& begun = vm.declared.callbacks[callback];
  error.error = shortened({std::move(*change), begun.script, begun.line});
  return error;
}

CallError LoadedTrigger::call_error(int status, std::optional<std::uint32_t> callback) {
  lua_settop(vm.lua, stack_base);
  vm.nesting = 0;
  CallError error;
  error.callback = callback.value_or(0);
  error.error = shortened(std::move(vm.fault));
  vm.fault = {};
  // Without room on the stack the handler does not run, or not to its end.
  if (is_full_stack(error.error.text) ||
      (error.error.text.empty() && error.error.script.empty() &&
       vm.budget.verdict() == Budget::Verdict::none && status != LUA_ERRMEM))
    vm.budget.set_verdict(Budget::Verdict::stack);
  if (vm.budget.verdict() == Budget::Verdict::stack) {
    error.kind = CallError::Kind::memory;
    error.error = {"out of memory: the stack is full of calls, each with many values", "", 0};
  } else if (status == LUA_ERRMEM || vm.budget.verdict() == Budget::Verdict::memory) {
    error.kind = CallError::Kind::memory;
    // The handler does not run when memory is out.
    error.error = {
        fmt::format("out of memory: a trigger may use {}", format_bytes(vm.memory.cap())), "", 0};
    const CapLifted lifted(vm.memory);
    lua_gc(vm.lua, LUA_GCCOLLECT, 0);
  } else if (vm.budget.verdict() == Budget::Verdict::instructions) {
    error.kind = CallError::Kind::instructions;
    error.error = {vm.budget.text(), vm.budget.script(), vm.budget.line()};
  }
  if (error.error.script.empty() && callback) {
    error.error.script = vm.declared.callbacks[*callback].script;
    error.error.line = vm.declared.callbacks[*callback].line;
  }
  return error;
}

Evaluated evaluate(const EvaluateCommand& command) {
  constexpr std::size_t json_bytes_max = 32u << 20;
  LoadedTrigger data;
  Vm& vm = data.vm;
  vm.name = command.script.path;
  vm.libraries = command.libraries;
  vm.effects.configure(vm.name, vm.limits);
  data.script_path_ = command.script.path;
  data.set_up();
  vm.memory.set_cap(GuardLimits{}.memory_bytes_min);
  ChunkCall call{&command.script, std::nullopt};
  vm.phase = Vm::Phase::loading;
  vm.random.begin(Sequence{});
  vm.budget.arm(vm.lua, command.instructions_max);
  lua_pushcfunction(vm.lua, run_chunk);
  lua_pushlightuserdata(vm.lua, &call);
  const int status = lua_pcall(vm.lua, 1, 1, error_position_index);
  vm.phase = Vm::Phase::idle;
  Evaluated result;
  if (status != 0) {
    result.error = data.call_error(status, std::nullopt).error;
    if (result.error->script.empty()) result.error->script = command.script.path;
  } else if (call.error) {
    result.error = shortened(std::move(*call.error));
  } else if (lua_isnil(vm.lua, -1)) {
    result.error = ScriptError{"it returns nothing: a file of data ends with return { … }",
                               command.script.path, 0};
  } else if (auto fault = vm.writer.write(vm.lua, -1, LuaJsonWriter::Form::effect, "data",
                                          json_bytes_max, result.json)) {
    result.error = shortened({std::move(*fault), command.script.path, 0});
  }
  return result;
}

}  // namespace hastur
