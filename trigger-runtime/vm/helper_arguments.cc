#include "trigger-runtime/vm/helper_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/cut_text.h"
#include "core/number.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/least_text.h"

namespace hastur {

HelperOptions::HelperOptions(lua_State* lua, int index, std::string_view function,
                             std::initializer_list<std::string_view> known)
    : lua_(lua), index_(index), function_(function) {
  if (!lua_istable(lua, index)) {
    raise(lua, fmt::format("{}: the options must be a table with {}, got {}", function,
                           fmt::join(known, ", "), describe(lua, index)));
  }
  charge_walk(lua, index);
  LeastText unknown;
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    lua_pop(lua, 1);
    std::string key(is_text(lua, -1) ? text_at(lua, -1) : describe(lua, -1));
    if (std::ranges::find(known, key) == known.end()) unknown.add(std::move(key));
  }
  if (!unknown) return;
  const std::string meant =
      nearest_word(lua, *unknown, std::vector<std::string>(known.begin(), known.end()));
  raise(lua, fmt::format("{} does not know '{}': it takes {}{}", function, cut_text(*unknown),
                         fmt::join(known, ", "),
                         meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
}

bool HelperOptions::has(const char* key) const {
  lua_getfield(lua_, index_, key);
  const bool has = !lua_isnil(lua_, -1);
  lua_pop(lua_, 1);
  return has;
}

std::optional<Micros> HelperOptions::span(const char* key) const {
  if (!has(key)) return std::nullopt;
  lua_getfield(lua_, index_, key);
  const Result<Micros> span =
      is_text(lua_, -1) ? parse_span(text_at(lua_, -1))
                        : Result<Micros>(fail(ErrorCode::invalid, "it is " + describe(lua_, -1)));
  if (!span || *span < std::chrono::seconds{1}) {
    raise(lua_,
          fmt::format("{}: {} must be a span of a second or more, such as \"10s\" or \"5m\"{}",
                      function_, key, span ? "" : ": " + span.error().message));
  }
  lua_pop(lua_, 1);
  return *span;
}

std::optional<std::uint32_t> HelperOptions::count(const char* key, std::uint32_t most,
                                                  std::uint32_t least) const {
  if (!has(key)) return std::nullopt;
  lua_getfield(lua_, index_, key);
  const double number = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
  if (!(number >= least && number <= most) || std::floor(number) != number) {
    raise(lua_,
          fmt::format("{}: {} must be a whole number, {} to {}", function_, key, least, most));
  }
  lua_pop(lua_, 1);
  return static_cast<std::uint32_t>(number);
}

std::optional<std::string> HelperOptions::text(const char* key) const {
  if (!has(key)) return std::nullopt;
  lua_getfield(lua_, index_, key);
  std::string text(text_argument(lua_, lua_gettop(lua_), function_, key));
  lua_pop(lua_, 1);
  return text;
}

std::optional<std::string> HelperOptions::json(const char* key) const {
  constexpr std::size_t bytes_max = 16 * 1024;
  if (!has(key)) return std::nullopt;
  lua_getfield(lua_, index_, key);
  std::string json;
  if (const auto fault = vm_of(lua_).writer.write(
          lua_, lua_gettop(lua_), LuaJsonWriter::Form::effect, key, bytes_max, json)) {
    raise(lua_, fmt::format("{}: {}", function_, *fault));
  }
  lua_pop(lua_, 1);
  return json;
}

std::string called(const ScriptHelper& self, std::string_view function) {
  return fmt::format("{}:{}", self.helper->name(), function);
}

ScriptHelper& helper_self(lua_State* lua, std::string_view function,
                          std::initializer_list<HelperKind> kinds) {
  ScriptHelper* self = helper_object_at(lua, 1);
  if (self == nullptr || std::ranges::find(kinds, self->kind) == kinds.end()) {
    raise(lua, fmt::format("call it as name:{}(…), with a colon, on what made it", function));
  }
  Vm& vm = vm_of(lua);
  if (vm.phase != Vm::Phase::callback) [[unlikely]] {
    raise(lua, fmt::format("{} is possible only in a callback, not while the script is loaded",
                           called(*self, function)));
  }
  vm.budget.charge(lua, instructions_per_helper_call);
  return *self;
}

std::string_view key_argument(lua_State* lua, int index, const ScriptHelper& self,
                              std::string_view function) {
  const int type = lua_type(lua, index);
  if (type == LUA_TSTRING) [[likely]]
    return text_at(lua, index);
  if (type != LUA_TNUMBER || !std::isfinite(lua_tonumber(lua, index))) {
    raise(lua,
          fmt::format("{}: the key must be a string or a number, got {}", called(self, function),
                      type == LUA_TNUMBER ? "one that is not finite" : describe(lua, index)));
  }
  // Whole: tostring() gives 14 digits, which would make different numbers one key.
  std::string text;
  const double number = lua_tonumber(lua, index);
  append_number(text, number == 0 ? 0 : number);
  lua_pushlstring(lua, text.data(), text.size());
  lua_replace(lua, index);
  return text_at(lua, index);
}

std::string_view made_key_argument(lua_State* lua, int index, const ScriptHelper& self,
                                   std::string_view function) {
  const std::string_view key = key_argument(lua, index, self, function);
  if (!fits_as_key(key)) [[unlikely]] {
    raise(lua, fmt::format("{}: a key has 1 to {} bytes, this one has {}", called(self, function),
                           Helper::key_bytes_max, key.size()));
  }
  vm_of(lua).ahead.learn(*self.helper, key);
  return key;
}

void refuse_key(lua_State* lua, const ScriptHelper& self) {
  raise(lua, fmt::format("a key of {} is not UTF-8", self.helper->name()));
}

double number_argument(lua_State* lua, int index, const ScriptHelper& self,
                       std::string_view function, std::string_view argument) {
  const double number = lua_type(lua, index) == LUA_TNUMBER ? lua_tonumber(lua, index) : NAN;
  if (!std::isfinite(number)) {
    raise(lua, fmt::format("{}: {} must be a number, got {}", called(self, function), argument,
                           lua_type(lua, index) == LUA_TNUMBER ? "one that is not finite"
                                                               : describe(lua, index)));
  }
  return number;
}

Micros span_argument(lua_State* lua, int index, const ScriptHelper& self, std::string_view function,
                     std::string_view argument) {
  const std::string where = called(self, function);
  const Result<Micros> span = parse_span(text_argument(lua, index, where, argument));
  if (!span || *span <= Micros{0}) {
    raise(lua, fmt::format("{}: {} must be a span such as \"5m\"{}", where, argument,
                           span ? "" : ": " + span.error().message));
  }
  return *span;
}

}  // namespace hastur
