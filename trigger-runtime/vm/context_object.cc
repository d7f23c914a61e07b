// hastur.trigger{…} and the ctx that it returns: subscriptions, ctx:every, ctx.state.
//
// ctx is an object without content. Its methods come from a table, what that does not have from
// ctx.state, so that ctx["total"] reads the state at the cost of two table reads.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/cut_text.h"
#include "core/json.h"
#include "core/settings.h"
#include "message/filter.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/bytecode.h"
#include "trigger-runtime/vm/declaring.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/least_text.h"
#include "trigger-runtime/vm/registry.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

using enum MessageType;

constexpr std::size_t callbacks_max = 1'000;
// Each is compiled into a filter here and by the parent: far more work than a call.
constexpr std::uint64_t instructions_per_callback = 100;
// Read here as the parent will read it; a word that is no key is compared with all that are.
constexpr std::uint64_t instructions_per_filter = 500;
constexpr std::size_t filter_bytes_max = 64 * 1024;
constexpr std::size_t former_names_max = 100;
constexpr std::size_t former_name_bytes_max = 1'024;

struct Method {
  const char* name;
  std::vector<MessageType> types;
};

// Which messages each spelling asks for; none named means all but ticks.
const std::vector<Method>& subscription_methods() {
  static const std::vector<Method> methods{{"gauges", {gauge}},
                                           {"counters", {counter}},
                                           {"marks", {mark}},
                                           {"compounds", {compound}},
                                           {"compound", {compound}},
                                           {"events", {event}},
                                           {"logs", {log}},
                                           {"errors", {error}},
                                           {"process_heartbeats", {hb_process}},
                                           {"hb_processes", {hb_process}},
                                           {"agent_heartbeats", {hb_agent}},
                                           {"hb_agents", {hb_agent}},
                                           {"registrations", {reg_agent, reg_process}},
                                           {"infos", {info_process, info_agent, info_ohai}},
                                           {"messages", {}}};
  return methods;
}

// Removes `key` of the table at `index`, which must be a boolean if it is there.
std::optional<bool> take_boolean(lua_State* lua, int index, const char* key,
                                 std::string_view function) {
  lua_getfield(lua, index, key);
  std::optional<bool> truth;
  if (!lua_isnil(lua, -1)) {
    if (!lua_isboolean(lua, -1)) {
      raise(lua,
            fmt::format("{}: {} must be true or false, got {}", function, key, describe(lua, -1)));
    }
    truth = lua_toboolean(lua, -1) != 0;
    lua_pushnil(lua);
    lua_setfield(lua, index, key);
  }
  lua_pop(lua, 1);
  return truth;
}

// upvalues: ctx, index of the method.
int subscribe(lua_State* lua) {
  const Method& method =
      subscription_methods()[static_cast<std::size_t>(lua_tointeger(lua, lua_upvalueindex(2)))];
  check_declaring(lua, method.name);
  Vm& vm = vm_of(lua);
  if (!lua_istable(lua, 2) || !lua_isfunction(lua, 3) || lua_gettop(lua) != 3) {
    raise(lua, fmt::format("ctx:{0} takes a filter and a function: ctx:{0}({{ name = \"…\" }}, "
                           "function(msg) … end)",
                           method.name));
  }
  const std::string where = fmt::format("ctx:{}", method.name);
  // A copy, since `own` is no part of the filter.
  charge_walk(lua, 2);
  lua_newtable(lua);
  lua_pushnil(lua);
  while (lua_next(lua, 2) != 0) {
    lua_pushvalue(lua, -2);
    lua_insert(lua, -2);
    lua_rawset(lua, 4);
  }
  const bool own = take_boolean(lua, 4, "own", where).value_or(vm.declared.own);
  std::string text;
  if (const auto fault = vm.writer.write(lua, 4, LuaJsonWriter::Form::effect, "the filter",
                                         filter_bytes_max, text)) {
    raise(lua, fmt::format("{}: {}", where, *fault));
  }
  vm.budget.charge(lua, instructions_per_filter + text.size() / 4);
  const Result<Json> json = parse_json(text);
  HASTUR_CHECK(json.has_value(), "a filter's JSON cannot be read back");
  if (const Result<Filter> filter = Filter::parse(*json); !filter) {
    raise(lua, fmt::format("{}: {}", where, filter.error().message));
  }
  SubscriptionSpec spec;
  spec.callback = add_callback(lua, 3, {});
  spec.types = method.types;
  spec.filter = std::move(text);
  spec.own = own;
  spec.line = calling_line(lua);
  vm.declared.subscriptions.push_back(std::move(spec));
  return 0;
}

// ctx:every(period[, { at = "07:30" }], fn). upvalue 1: ctx.
int every(lua_State* lua) {
  check_declaring(lua, "every");
  const int function = lua_gettop(lua);
  if (function < 3 || function > 4 || !lua_isfunction(lua, function) ||
      (function == 4 && !lua_istable(lua, 3))) {
    raise(lua,
          "ctx:every takes a period and a function: ctx:every(\"minute\", function(tick) … end), "
          "or a period, "
          "{ at = \"07:30\" } and a function");
  }
  const std::string_view period = text_argument(lua, 2, "ctx:every", "the period");
  std::optional<std::string_view> at;
  if (function == 4) {
    lua_pushnil(lua);
    while (lua_next(lua, 3) != 0) {
      lua_pop(lua, 1);
      if (!is_text(lua, -1) || text_at(lua, -1) != "at")
        raise(lua, "ctx:every: the only option is at = \"07:30\"");
    }
    lua_getfield(lua, 3, "at");
    if (!lua_isnil(lua, -1)) at = text_argument(lua, -1, "ctx:every", "at");
  }
  const Result<Period> parsed = parse_period(period, at);
  if (!parsed) raise(lua, "ctx:every: " + parsed.error().message);
  Callback callback;
  callback.period = *parsed;
  add_callback(lua, function, std::move(callback));
  return 0;
}

// ctx:migrate(function(state, version) … return state end). upvalue 1: ctx.
int migrate(lua_State* lua) {
  check_declaring(lua, "migrate");
  Vm& vm = vm_of(lua);
  if (!lua_isfunction(lua, 2) || lua_gettop(lua) != 2) {
    raise(lua,
          "ctx:migrate takes a function: ctx:migrate(function(state, version) … return state end)");
  }
  if (vm.declared.migrates) raise(lua, "ctx:migrate was called before: one function converts all");
  vm.declared.migrates = true;
  set_registered(lua, Registered::migration);
  return 0;
}

// ctx:was("old/name"). upvalue 1: ctx.
int was(lua_State* lua) {
  check_declaring(lua, "was");
  Vm& vm = vm_of(lua);
  const std::string_view name = text_argument(lua, 2, "ctx:was", "the former name");
  if (lua_gettop(lua) != 2) raise(lua, "ctx:was takes one name: ctx:was(\"billing/old_name\")");
  if (name.empty() || name.size() > former_name_bytes_max || name == vm.name)
    raise(lua, fmt::format("ctx:was: '{}' is not a name that this trigger can have had",
                           cut_text(name)));
  std::vector<std::string>& names = vm.declared.was;
  if (std::ranges::find(names, name) != names.end()) return 0;
  if (names.size() == former_names_max)
    raise(lua, fmt::format("ctx:was: more than {} former names", former_names_max));
  names.emplace_back(name);
  return 0;
}

// (ctx, key, value). upvalue 1: the table of methods.
int write_context(lua_State* lua) {
  if (is_text(lua, 2) && text_at(lua, 2).starts_with('@')) {
    raise(lua,
          fmt::format("ctx.state[\"{}\"] cannot be written: keys that begin with '@' are those "
                      "of helpers, which only they write",
                      text_at(lua, 2)));
  }
  lua_pushvalue(lua, 2);
  lua_rawget(lua, lua_upvalueindex(1));
  if (!lua_isnil(lua, -1)) {
    raise(lua, fmt::format("ctx.{} cannot be written: it is {}", text_at(lua, 2),
                           text_at(lua, 2) == "state" ? "the state itself; write its keys"
                                                      : "a method of ctx"));
  }
  push_state(lua);
  lua_pushvalue(lua, 2);
  lua_pushvalue(lua, 3);
  lua_settable(lua, -3);
  return 0;
}

int refuse_loading(lua_State* lua) {
  raise(lua,
        "ctx.state has no content while the script is loaded: read and write it in callbacks, and "
        "give its start "
        "with hastur.trigger{ state = { … } }");
}

// What is no method of ctx is looked for in the state: a name that is nearly one is taken for it.
int refuse_reading_loading(lua_State* lua) {
  if (is_text(lua, 2)) {
    std::vector<std::string> methods = {"every",  "migrate", "was",     "keyed",
                                        "window", "alert",   "throttle"};
    for (const Method& method : subscription_methods()) methods.emplace_back(method.name);
    const std::string word(text_argument(lua, 2, "ctx", "a key"));
    if (const std::string meant = nearest_word(lua, word, methods); !meant.empty()) {
      raise(lua, fmt::format("ctx has no function '{}'; did you mean '{}'?", word, meant));
    }
  }
  return refuse_loading(lua);
}

void read_state_bytes_max(lua_State* lua, Vm& vm) {
  lua_getfield(lua, 1, "state_bytes_max");
  if (!lua_isnil(lua, -1)) {
    std::string text;
    if (lua_type(lua, -1) == LUA_TNUMBER || is_text(lua, -1)) text = text_at(lua, -1);
    const Result<std::uint64_t> bytes = parse_bytes(text);
    if (!bytes || *bytes == 0) {
      raise(lua,
            "hastur.trigger: state_bytes_max must be a number of bytes or a text like \"16MiB\"");
    }
    if (*bytes > vm.limits.state_bytes_ceiling) {
      raise(lua,
            fmt::format("hastur.trigger: state_bytes_max is more than this platform allows ({})",
                        format_bytes(vm.limits.state_bytes_ceiling)));
    }
    vm.declared.state_bytes_max = *bytes;
  }
  lua_pop(lua, 1);
}

void read_isolation(lua_State* lua, Vm& vm) {
  lua_getfield(lua, 1, "isolation");
  if (!lua_isnil(lua, -1)) {
    const std::string_view text = is_text(lua, -1) ? text_at(lua, -1) : std::string_view{};
    if (text != "process" && text != "shared") {
      raise(lua, "hastur.trigger: isolation is \"process\" (a process of its own) or \"shared\"");
    }
    vm.declared.isolated = text == "process";
  }
  lua_pop(lua, 1);
}

// upvalue 1: ctx.
int trigger(lua_State* lua) {
  Vm& vm = vm_of(lua);
  if (vm.phase != Vm::Phase::loading)
    raise(lua, "hastur.trigger is possible only while the script is loaded");
  if (vm.declared.made) raise(lua, "hastur.trigger was called before: one file is one trigger");
  if (lua_gettop(lua) == 0) lua_newtable(lua);
  if (!lua_istable(lua, 1) || lua_gettop(lua) != 1) {
    raise(lua, "hastur.trigger takes one table: hastur.trigger{ state = { total = 0 } }");
  }
  charge_walk(lua, 1);
  LeastText unknown;
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    lua_pop(lua, 1);
    push_tostring(lua, -1);
    const std::string_view key = text_at(lua, -1);
    const bool known = is_text(lua, -2) && (key == "state" || key == "state_bytes_max" ||
                                            key == "own" || key == "isolation");
    if (!known) unknown.add(std::string(key));
    lua_pop(lua, 1);
  }
  if (unknown) {
    raise(lua, fmt::format("hastur.trigger does not know '{}': it takes state, state_bytes_max, "
                           "own and isolation",
                           cut_text(*unknown)));
  }
  read_state_bytes_max(lua, vm);
  read_isolation(lua, vm);
  vm.declared.own = take_boolean(lua, 1, "own", "hastur.trigger").value_or(false);
  lua_getfield(lua, 1, "state");
  if (!lua_isnil(lua, -1)) {
    if (!lua_istable(lua, -1))
      raise(lua, "hastur.trigger: state must be a table, got " + describe(lua, -1));
    vm.declared.start_state.clear();
    if (const auto fault = vm.writer.write(lua, -1, LuaJsonWriter::Form::state, "state",
                                           vm.declared.state_bytes_max, vm.declared.start_state)) {
      raise(lua, "hastur.trigger: " + *fault);
    }
    std::string_view of_helpers;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
      lua_pop(lua, 1);
      const std::string_view key = text_at(lua, -1);
      if (key.starts_with('@') && (of_helpers.empty() || key < of_helpers)) of_helpers = key;
    }
    if (!of_helpers.empty()) {
      raise(lua, fmt::format("hastur.trigger: state[\"{}\"] cannot be given: keys that begin with "
                             "'@' are those of helpers",
                             of_helpers));
    }
  }
  vm.declared.made = true;
  lua_pushvalue(lua, lua_upvalueindex(1));
  return 1;
}

void push_loading_state(lua_State* lua) {
  lua_newuserdata(lua, 0);
  vm_of(lua).loading_state = lua_topointer(lua, -1);
  lua_newtable(lua);
  for (const char* event : {"__index", "__newindex", "__len"})
    add_function(lua, event, refuse_loading);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
}

void push_loading_metatable(lua_State* lua) {
  lua_newtable(lua);
  add_function(lua, "__index", refuse_reading_loading);
  add_function(lua, "__newindex", refuse_loading);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
}

}  // namespace

std::uint32_t calling_line(lua_State* lua) {
  lua_Debug at;
  if (lua_getstack(lua, 1, &at) == 0) return 0;
  lua_getinfo(lua, "l", &at);
  return at.currentline > 0 ? static_cast<std::uint32_t>(at.currentline) : 0;
}

void check_declaring(lua_State* lua, std::string_view method) {
  if (lua_rawequal(lua, 1, lua_upvalueindex(1)) == 0) {
    raise(lua, fmt::format("call it as ctx:{}(…), with a colon", method));
  }
  if (vm_of(lua).phase != Vm::Phase::loading) {
    raise(lua, fmt::format("ctx:{} is possible only while the script is loaded, not in a callback",
                           method));
  }
}

std::uint32_t add_callback(lua_State* lua, int index, Callback callback) {
  Vm& vm = vm_of(lua);
  if (vm.declared.callbacks.size() == callbacks_max)
    raise(lua, fmt::format("a trigger has at most {} callbacks", callbacks_max));
  vm.budget.charge(lua, instructions_per_callback);
  lua_pushvalue(lua, index);
  ScriptError begin = take_begin_of_function(lua);
  callback.script = std::move(begin.script);
  callback.line = begin.line;
  callback.message_stays = !callback.period && first_parameter_stays(lua, index);
  vm.declared.callbacks.push_back(std::move(callback));
  push_registered(lua, Registered::callbacks);
  lua_pushvalue(lua, index);
  lua_rawseti(lua, -2, static_cast<int>(vm.declared.callbacks.size()));
  lua_pop(lua, 1);
  return static_cast<std::uint32_t>(vm.declared.callbacks.size() - 1);
}

void push_state(lua_State* lua) { push_registered(lua, Registered::state); }

void open_state(lua_State* lua) {
  push_state(lua);
  lua_pushnil(lua);
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
}

bool is_loading_state(lua_State* lua, int index) {
  return lua_type(lua, index) == LUA_TUSERDATA &&
         lua_topointer(lua, index) == vm_of(lua).loading_state;
}

void show_state(lua_State* lua) {
  push_registered(lua, Registered::context_methods);
  push_state(lua);
  lua_setfield(lua, -2, "state");
  lua_pop(lua, 1);
}

void refuse_loading_state(lua_State* lua, int index) {
  const Vm& vm = vm_of(lua);
  if (vm.phase == Vm::Phase::callback) return;
  if (is_loading_state(lua, index) || lua_topointer(lua, index) == vm.state) refuse_loading(lua);
}

void add_trigger_functions(lua_State* lua) {
  lua_newtable(lua);
  vm_of(lua).state = lua_topointer(lua, -1);
  push_loading_metatable(lua);
  lua_setmetatable(lua, -2);
  set_registered(lua, Registered::state);
  for (const Registered place :
       {Registered::callbacks, Registered::helper_views, Registered::helper_values}) {
    lua_newtable(lua);
    set_registered(lua, place);
  }

  lua_newuserdata(lua, 0);
  const int context = lua_gettop(lua);
  lua_newtable(lua);
  const int methods = lua_gettop(lua);
  lua_pushvalue(lua, methods);
  set_registered(lua, Registered::context_methods);
  push_loading_state(lua);
  lua_setfield(lua, methods, "state");
  for (std::size_t i = 0; i < subscription_methods().size(); ++i) {
    lua_pushvalue(lua, context);
    lua_pushinteger(lua, static_cast<lua_Integer>(i));
    lua_pushcclosure(lua, subscribe, 2);
    lua_setfield(lua, methods, subscription_methods()[i].name);
  }
  lua_pushvalue(lua, context);
  lua_pushcclosure(lua, every, 1);
  lua_setfield(lua, methods, "every");
  lua_pushvalue(lua, context);
  lua_pushcclosure(lua, migrate, 1);
  lua_setfield(lua, methods, "migrate");
  lua_pushvalue(lua, context);
  lua_pushcclosure(lua, was, 1);
  lua_setfield(lua, methods, "was");
  add_helper_functions(lua, context);
  // What is no method is a key of the state.
  lua_newtable(lua);
  push_state(lua);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, methods);

  lua_newtable(lua);
  lua_pushvalue(lua, methods);
  lua_setfield(lua, -2, "__index");
  lua_pushvalue(lua, methods);
  lua_pushcclosure(lua, write_context, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, context);
  lua_settop(lua, context);
  lua_pushcclosure(lua, trigger, 1);
  lua_setfield(lua, -2, "trigger");
}

}  // namespace hastur
