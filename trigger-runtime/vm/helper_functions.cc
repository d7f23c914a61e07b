// ctx:keyed, ctx:window, ctx:alert and ctx:throttle: read their options and make the helper.

#include "trigger-runtime/vm/helper_functions.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/cut_text.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/declaring.h"
#include "trigger-runtime/vm/helper_arguments.h"
#include "trigger-runtime/vm/helpers/last_window.h"
#include "trigger-runtime/vm/helpers/span_window.h"
#include "trigger-runtime/vm/helpers/throttle.h"

namespace hastur {
namespace {

constexpr std::size_t name_bytes_max = 100;
// More than an ordinary call: structures are made.
constexpr std::uint64_t instructions_per_helper = 100;
constexpr std::uint32_t count_max = 100'000'000;
constexpr std::uint32_t throttle_max = 1'000'000;
constexpr std::size_t new_value_bytes_max = 64 * 1024;

// What all constructors take: ctx:KIND(name, { … }). upvalue 1: ctx.
std::string name_argument(lua_State* lua, std::string_view kind) {
  check_declaring(lua, kind);
  const std::string where = fmt::format("ctx:{}", kind);
  std::string name(text_argument(lua, 2, where, "the name"));
  if (lua_gettop(lua) != 3) {
    raise(lua,
          fmt::format("{0} takes a name and a table of options: {0}(\"name\", {{ … }})", where));
  }
  const bool allowed = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (!allowed || name.empty() || name.size() > name_bytes_max) {
    raise(lua, fmt::format("{}: a name is 1 to {} letters, digits, '_', '-' and '.', got '{}'",
                           where, name_bytes_max, cut_text(name)));
  }
  Vm& vm = vm_of(lua);
  if (const ScriptHelper* other = vm.helpers.find(name)) {
    raise(lua, fmt::format("{}: the name '{}' is that of the ctx:{} in line {}: by its name a "
                           "helper finds its state, so each has one of its own",
                           where, name, other->helper->kind(), other->line));
  }
  if (vm.helpers.size() == HelperSet::helpers_max)
    raise(lua, fmt::format("a trigger has at most {} helpers", HelperSet::helpers_max));
  vm.budget.charge(lua, instructions_per_helper);
  return name;
}

int finish(lua_State* lua, std::unique_ptr<ScriptHelper> made) {
  made->line = calling_line(lua);
  vm_of(lua).helpers.add(lua, std::move(made));
  return 1;
}

int keyed(lua_State* lua) {
  std::string name = name_argument(lua, "keyed");
  const HelperOptions options(lua, 3, "ctx:keyed", {"forget", "max", "new"});
  auto made = std::make_unique<ScriptHelper>();
  made->kind = HelperKind::keyed;
  const Keyed::Options asked{options.span("forget"), options.count("max", count_max)};
  if (!asked.forget && !asked.max) {
    raise(
        lua,
        "ctx:keyed: say when keys go, or they would become ever more: forget = \"1d\" (not touched "
        "for so long) or max = 1000 (the one longest untouched makes room)");
  }
  lua_getfield(lua, 3, "new");
  if (!lua_isnil(lua, -1)) {
    made->new_value.clear();
    Vm& vm = vm_of(lua);
    if (const auto fault = vm.writer.write(lua, -1, LuaJsonWriter::Form::effect, "new",
                                           new_value_bytes_max, made->new_value)) {
      raise(lua, "ctx:keyed: " + *fault);
    }
  }
  made->values = std::make_unique<LuaValues>(lua, static_cast<int>(vm_of(lua).helpers.size()) + 1);
  made->helper = std::make_unique<Keyed>(std::move(name), asked, *made->values);
  push_keyed_functions(lua);
  return finish(lua, std::move(made));
}

int window(lua_State* lua) {
  std::string name = name_argument(lua, "window");
  const HelperOptions options(lua, 3, "ctx:window", {"span", "slot", "last"});
  auto made = std::make_unique<ScriptHelper>();
  if (options.has("span") == options.has("last")) {
    raise(lua,
          "ctx:window takes either span = \"5m\" (what came in the last five minutes) or last = 20 "
          "(the last twenty values)");
  }
  if (const auto last = options.count("last", LastWindow::last_max)) {
    if (options.has("slot")) raise(lua, "ctx:window: slot goes with span, not with last");
    made->kind = HelperKind::last_window;
    made->helper = std::make_unique<LastWindow>(std::move(name), *last);
  } else {
    constexpr std::int64_t slots = 60;
    SpanWindow::Options asked;
    asked.span = *options.span("span");
    asked.slot = options.span("slot").value_or(
        std::max<Micros>(std::chrono::seconds{1}, asked.span / slots));
    if (asked.slot > asked.span) raise(lua, "ctx:window: slot must not be longer than span");
    if (asked.span > asked.slot * SpanWindow::slots_max) {
      raise(lua, fmt::format("ctx:window: at most {} slots; slot = \"{}\" or more",
                             SpanWindow::slots_max,
                             format_span(std::chrono::ceil<std::chrono::seconds>(
                                 asked.span / SpanWindow::slots_max))));
    }
    made->kind = HelperKind::span_window;
    made->helper = std::make_unique<SpanWindow>(std::move(name), asked);
  }
  push_window_functions(lua);
  return finish(lua, std::move(made));
}

int alert(lua_State* lua) {
  std::string name = name_argument(lua, "alert");
  auto made = std::make_unique<ScriptHelper>();
  made->kind = HelperKind::alert;
  made->helper = std::make_unique<Alert>(std::move(name), alert_options(lua, 3));
  push_alert_functions(lua);
  return finish(lua, std::move(made));
}

int throttle(lua_State* lua) {
  std::string name = name_argument(lua, "throttle");
  const HelperOptions options(lua, 3, "ctx:throttle", {"n", "per"});
  const auto n = options.count("n", throttle_max);
  const auto per = options.span("per");
  if (!n || !per) {
    raise(lua, "ctx:throttle takes how often and in which span: { n = 3, per = \"1h\" }");
  }
  auto made = std::make_unique<ScriptHelper>();
  made->kind = HelperKind::throttle;
  made->helper = std::make_unique<Throttle>(std::move(name), Throttle::Options{*n, *per});
  push_throttle_functions(lua);
  return finish(lua, std::move(made));
}

}  // namespace

void add_helper_functions(lua_State* lua, int context) {
  constexpr luaL_Reg constructors[] = {
      {"keyed", keyed}, {"window", window}, {"alert", alert}, {"throttle", throttle}};
  for (const luaL_Reg& constructor : constructors) {
    lua_pushvalue(lua, context);
    lua_pushcclosure(lua, constructor.func, 1);
    lua_setfield(lua, -2, constructor.name);
  }
}

}  // namespace hastur
