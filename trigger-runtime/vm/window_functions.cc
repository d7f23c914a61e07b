// The functions of what ctx:window makes: add, count … rate, each, percentile, predict, full, drop.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/cut_text.h"
#include "core/json.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/helper_arguments.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/helpers/last_window.h"
#include "trigger-runtime/vm/helpers/span_window.h"
#include "trigger-runtime/vm/sandbox.h"

namespace hastur {
namespace {

using enum HelperKind;

struct Self {
  ScriptHelper& made;
  Window& window;
};

Self self_of(lua_State* lua, std::string_view function) {
  ScriptHelper& made = helper_self(lua, function, {span_window, last_window});
  auto& window = static_cast<Window&>(*made.helper);
  return {made, window};
}

[[noreturn]] void refuse(lua_State* lua, const Self& self, std::string_view function,
                         std::string_view why) {
  raise(lua, fmt::format("{}: {}", called(self.made, function), why));
}

void push_optional(lua_State* lua, std::optional<double> number) {
  if (number) {
    lua_pushnumber(lua, *number);
  } else {
    lua_pushnil(lua);
  }
}

// (key, number or boolean[, weight])
int add(lua_State* lua) {
  const Self self = self_of(lua, "add");
  const std::string_view key = key_argument(lua, 2, self.made, "add");
  double value = 0;
  if (lua_isboolean(lua, 3)) {
    value = lua_toboolean(lua, 3) != 0 ? 1 : 0;
  } else {
    value = number_argument(lua, 3, self.made, "add", "the value");
  }
  double weight = 1;
  if (!lua_isnoneornil(lua, 4)) {
    weight = number_argument(lua, 4, self.made, "add", "the weight");
    if (self.made.kind == last_window)
      refuse(lua, self, "add", "a window of the last values has no weights");
    // Nothing happened so often: a counter's delta may be 0, and below 0 where it takes back what a
    // window cannot give back.
    if (weight < 0) self.window.note_dropped();
    if (weight <= 0) return 0;
  }
  // A rule counts for all services: one sender's label that can be no key must not fail it.
  if (!fits_as_key(key)) [[unlikely]] {
    self.window.note_dropped();
    return 0;
  }
  Vm& vm = vm_of(lua);
  vm.ahead.learn(self.window, key);
  const std::uint64_t births = self.window.keys().births();
  const Window::Added added = self.window.add(key, value, weight, vm.input_time, vm.effects.now());
  if (self.window.keys().births() != births && !is_utf8(key)) {
    self.window.drop(self.window.keys().find(key));
    refuse_key(lua, self.made);
  }
  vm.helpers.account(lua, self.made);
  if (added == Window::Added::too_large) {
    refuse(lua, self, "add",
           self.made.kind == last_window
               ? fmt::format("the value must be within {0} and -{0}", LastWindow::value_max)
               : "the sum would be infinite");
  }
  return 0;
}

// The shorter span at `index`, if there is one.
std::optional<Micros> sub_argument(lua_State* lua, int index, const Self& self,
                                   std::string_view function) {
  if (lua_isnoneornil(lua, index)) return std::nullopt;
  if (self.made.kind == last_window)
    refuse(lua, self, function, "a window of the last values knows no times");
  const Micros sub = span_argument(lua, index, self.made, function, "the span");
  const Micros span = static_cast<const SpanWindow&>(self.window).options().span;
  if (sub > span) {
    refuse(lua, self, function,
           fmt::format("the span {} is longer than that of the window, {}", format_span(sub),
                       format_span(span)));
  }
  return sub;
}

enum class What { count, sum, mean, lowest, highest, stddev, rate };
constexpr const char* names[] = {"count", "sum", "mean", "min", "max", "stddev", "rate"};

// `covered` is how long the span is, of which `sum` is; only a rate needs it.
std::optional<double> part_of(What what, const Summary& sum, Micros covered) {
  switch (what) {
    case What::count:
      return sum.count;
    case What::sum:
      return sum.sum;
    case What::mean:
      return sum.mean();
    case What::lowest:
      return sum.count > 0 ? std::optional(sum.lowest) : std::nullopt;
    case What::highest:
      return sum.count > 0 ? std::optional(sum.highest) : std::nullopt;
    case What::stddev:
      return sum.stddev();
    case What::rate:
      return sum.sum / (static_cast<double>(covered.count()) / static_cast<double>(us_per_second));
  }
  return std::nullopt;
}

// Whether it is there: of a span only what the script names somewhere is kept.
bool is_kept(const Self& self, What what) {
  if (self.made.kind == last_window) return what != What::rate;
  if (what == What::stddev) return self.window.kept().squares;
  if (what == What::lowest || what == What::highest) return self.window.kept().extremes;
  return true;
}

Micros covered(lua_State* lua, const Self& self, std::optional<Micros> sub) {
  if (self.made.kind == last_window) return Micros{0};
  return static_cast<const SpanWindow&>(self.window).covered(sub, vm_of(lua).effects.now());
}

Summary summary_of(lua_State* lua, const Self& self, std::uint32_t id, std::optional<Micros> sub) {
  vm_of(lua).budget.charge(lua, self.window.parts() / 4);
  return self.window.summary(id, sub, vm_of(lua).effects.now());
}

// (key[, span]) → number or nil. upvalue 1: which.
int read(lua_State* lua) {
  const auto what = static_cast<What>(lua_tointeger(lua, lua_upvalueindex(1)));
  const char* name = names[static_cast<std::size_t>(what)];
  const Self self = self_of(lua, name);
  const std::string_view key = key_argument(lua, 2, self.made, name);
  const std::optional<Micros> sub = sub_argument(lua, 3, self, name);
  if (!is_kept(self, what)) {
    refuse(lua, self, name,
           what == What::rate
               ? "a window of the last values knows no times"
               : "it is kept only if the script names it: write w.min, errors:max …");
  }
  const std::uint32_t id = self.window.keys().find(key);
  push_optional(lua,
                part_of(what, id == KeyTable::none ? Summary{} : summary_of(lua, self, id, sub),
                        covered(lua, self, sub)));
  return 1;
}

// (key, percent[, span]) → number or nil
int percentile(lua_State* lua) {
  const Self self = self_of(lua, "percentile");
  const std::string_view key = key_argument(lua, 2, self.made, "percentile");
  const double percent = number_argument(lua, 3, self.made, "percentile", "the percentage");
  if (percent < 0 || percent > 100)
    refuse(lua, self, "percentile", "the percentage must be within 0 and 100");
  const std::optional<Micros> sub = sub_argument(lua, 4, self, "percentile");
  if (self.made.kind == span_window && !self.window.kept().sketch)
    refuse(lua, self, "percentile", "it is kept only if the script names it: errors:percentile(…)");
  const std::uint32_t id = self.window.keys().find(key);
  if (id == KeyTable::none) {
    lua_pushnil(lua);
    return 1;
  }
  vm_of(lua).budget.charge(lua, 8 * self.window.parts());
  push_optional(lua, self.window.percentile(id, percent, sub, vm_of(lua).effects.now()));
  return 1;
}

// (key, ahead) → number or nil
int predict(lua_State* lua) {
  const Self self = self_of(lua, "predict");
  const std::string_view key = key_argument(lua, 2, self.made, "predict");
  const Micros ahead = span_argument(lua, 3, self.made, "predict", "how far ahead");
  if (self.made.kind == last_window)
    refuse(lua, self, "predict", "a window of the last values knows no times");
  const std::uint32_t id = self.window.keys().find(key);
  if (id == KeyTable::none) {
    lua_pushnil(lua);
    return 1;
  }
  vm_of(lua).budget.charge(lua, self.window.parts());
  push_optional(
      lua,
      static_cast<const SpanWindow&>(self.window).predict(id, ahead, vm_of(lua).effects.now()));
  return 1;
}

// (key) → whether there are N values
int full(lua_State* lua) {
  ScriptHelper& made = helper_self(lua, "full", {span_window, last_window});
  const Self self{made, static_cast<Window&>(*made.helper)};
  const std::string_view key = key_argument(lua, 2, made, "full");
  if (made.kind != last_window)
    refuse(lua, self, "full", "only a window of the last values can be full");
  const std::uint32_t id = self.window.keys().find(key);
  lua_pushboolean(lua,
                  id != KeyTable::none && static_cast<const LastWindow&>(self.window).is_full(id));
  return 1;
}

int drop(lua_State* lua) {
  const Self self = self_of(lua, "drop");
  const std::uint32_t id = self.window.keys().find(key_argument(lua, 2, self.made, "drop"));
  if (id != KeyTable::none) self.window.drop(id);
  return 0;
}

// A walk under way: the keys that were there when it began, by id.
struct Walk {
  std::uint64_t births;
  std::optional<Micros> sub;
  std::uint32_t count;
  std::uint32_t next;
  // `count` ids follow.
  std::uint32_t* ids() { return reinterpret_cast<std::uint32_t*>(this + 1); }
};

// (view, field): a field that it has not.
int refuse_field(lua_State* lua) {
  std::vector<std::string_view> fields;
  for (const char* name : names) {
    lua_pushstring(lua, name);
    lua_rawget(lua, 1);
    if (!lua_isnil(lua, -1)) fields.emplace_back(name);
    lua_pop(lua, 1);
  }
  const std::string asked =
      is_text(lua, 2) ? fmt::format("'{}'", cut_text(text_at(lua, 2))) : describe(lua, 2);
  const bool is_known =
      is_text(lua, 2) && std::ranges::find(names, text_at(lua, 2)) != std::end(names);
  raise(lua,
        fmt::format("each: there is no field {} here, only {}{}", asked, fmt::join(fields, ", "),
                    is_known ? "; others are kept only if the script names them: write w.min, "
                               "errors:max …, and no window of the last values has a rate"
                             : ""));
}

// → next key that has anything in the span, and what: a table. upvalues: the object, Walk, the
// views' metatable.
int step(lua_State* lua) {
  ScriptHelper& made = *helper_object_at(lua, lua_upvalueindex(1));
  const Self self{made, static_cast<Window&>(*made.helper)};
  auto* walk = static_cast<Walk*>(lua_touserdata(lua, lua_upvalueindex(2)));
  const KeyTable& keys = self.window.keys();
  while (walk->next < walk->count) {
    const std::uint32_t id = walk->ids()[walk->next++];
    if (!keys.holds(id) || keys.birth(id) > walk->births) continue;
    const Summary sum = summary_of(lua, self, id, walk->sub);
    if (sum.count == 0) continue;
    push_text(lua, keys.key(id));
    lua_createtable(lua, 0, static_cast<int>(std::size(names)));
    for (std::size_t i = 0; i < std::size(names); ++i) {
      const auto what = static_cast<What>(i);
      if (!is_kept(self, what)) continue;
      push_optional(lua, part_of(what, sum, covered(lua, self, walk->sub)));
      lua_setfield(lua, -2, names[i]);
    }
    lua_pushvalue(lua, lua_upvalueindex(3));
    lua_setmetatable(lua, -2);
    return 2;
  }
  return 0;
}

// ([span]) → for k, w in errors:each() do
int each(lua_State* lua) {
  const Self self = self_of(lua, "each");
  const std::optional<Micros> sub = sub_argument(lua, 2, self, "each");
  KeyTable& keys = self.window.keys();
  vm_of(lua).budget.charge(lua, keys.count());
  lua_pushvalue(lua, 1);
  auto* walk =
      static_cast<Walk*>(lua_newuserdata(lua, sizeof(Walk) + keys.count() * sizeof(std::uint32_t)));
  *walk = {keys.births(), sub, keys.count(), 0};
  std::ranges::copy(keys.in_order(), walk->ids());
  lua_newtable(lua);
  add_function(lua, "__index", refuse_field);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_pushcclosure(lua, step, 3);
  return 1;
}

}  // namespace

bool is_window_step(lua_CFunction function) { return function == step; }

bool is_window_view(lua_State* lua, int index) {
  lua_getfield(lua, index, "__index");
  const bool is_view = lua_tocfunction(lua, -1) == refuse_field;
  lua_pop(lua, 1);
  return is_view;
}

void push_window_functions(lua_State* lua) {
  constexpr luaL_Reg functions[] = {{"add", add},   {"percentile", percentile},
                                    {"full", full}, {"predict", predict},
                                    {"drop", drop}, {"each", each}};
  lua_newtable(lua);
  for (const luaL_Reg& function : functions) add_function(lua, function.name, function.func);
  for (std::size_t i = 0; i < std::size(names); ++i) {
    lua_pushinteger(lua, static_cast<lua_Integer>(i));
    lua_pushcclosure(lua, read, 1);
    lua_setfield(lua, -2, names[i]);
  }
}

}  // namespace hastur
