#include "trigger-runtime/vm/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/cut_text.h"
#include "core/suggest.h"
#include "trigger-runtime/vm/bytecode.h"
#include "trigger-runtime/vm/registry.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

int print(lua_State* lua) {
  require_callback(lua, "a log line is");
  Vm& vm = vm_of(lua);
  std::string text;
  const int arguments = lua_gettop(lua);
  for (int i = 1; i <= arguments; ++i) {
    if (i > 1) text += '\t';
    push_tostring(lua, i);
    const std::string_view part = text_at(lua, -1);
    if (text.size() + part.size() > effect_bytes_max)
      raise(lua, "a log line cannot be larger than 256 KiB");
    vm.budget.charge(lua, 1 + part.size() / 8);
    text += part;
    lua_pop(lua, 1);
  }
  vm.effects.add_log(text);
  return 0;
}

// "lib.pages" → "lib/pages.lua"; empty if it names no library.
std::string library_path(std::string_view name) {
  if (!name.starts_with("lib.") || name.size() == 4) return {};
  std::string path;
  for (const char c : name) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (!allowed) return {};
    path += c == '.' ? '/' : c;
  }
  return path + ".lua";
}

int require(lua_State* lua) {
  Vm& vm = vm_of(lua);
  const std::string_view name = text_argument(lua, 1, "require", "the name of a library");
  if (vm.phase != Vm::Phase::loading) {
    raise(
        lua,
        "require works only while the script is loaded: put it in a local at the top of the file");
  }
  push_registered(lua, Registered::libraries);
  lua_pushvalue(lua, 1);
  lua_rawget(lua, -2);
  if (lua_type(lua, -1) == LUA_TLIGHTUSERDATA)
    raise(lua, fmt::format("{} requires itself", cut_text(name)));
  if (!lua_isnil(lua, -1)) return 1;
  lua_pop(lua, 1);

  const std::string path = library_path(name);
  const ScriptFile* file = nullptr;
  for (const ScriptFile& library : vm.libraries) {
    if (library.path == path) file = &library;
  }
  if (path.empty() || file == nullptr) {
    raise(lua, fmt::format("there is no library '{}': require \"lib.x\" loads lib/x.lua of this "
                           "repo, and nothing else",
                           cut_text(name)));
  }
  lua_pushvalue(lua, 1);
  push_null(lua);
  lua_rawset(lua, -3);
  if (std::optional<ScriptError> error = push_chunk(lua, *file)) {
    push_text(lua, fmt::format("{}:{}: {}", error->script, error->line, error->text));
    vm.chunk_fault = std::move(error);
    lua_error(lua);
  }
  {
    const Nesting nesting(lua);
    lua_call(lua, 0, 1);
  }
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    lua_pushboolean(lua, 1);
  }
  lua_pushvalue(lua, 1);
  lua_pushvalue(lua, -2);
  lua_rawset(lua, -4);
  return 1;
}

}  // namespace

std::optional<ScriptError> push_chunk(lua_State* lua, const ScriptFile& file) {
  const std::string chunk_name = "@" + file.path;
  if (file.text.starts_with('\x1b'))
    return ScriptError{"this is bytecode: a script is deployed as its text", file.path, 1};
  if (luaL_loadbufferx(lua, file.text.data(), file.text.size(), chunk_name.c_str(), "t") != 0) {
    // "file:12: what is wrong"; a long file name is cut in it, but the line is there.
    std::string_view text = text_at(lua, -1);
    ScriptError error{std::string(text), file.path, 0};
    for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
         colon = text.find(':', colon + 1)) {
      std::uint32_t line = 0;
      const auto [end, status] =
          std::from_chars(text.data() + colon + 1, text.data() + text.size(), line);
      const auto after = static_cast<std::size_t>(end - text.data());
      if (status != std::errc{} || !text.substr(after).starts_with(": ")) continue;
      error.line = line;
      error.text = text.substr(after + 2);
      break;
    }
    lua_pop(lua, 1);
    return error;
  }
  if (std::optional<ScriptError> fault = chunk_fault(lua, file.path)) {
    lua_pop(lua, 1);
    return fault;
  }
  Observation& observation = vm_of(lua).observation;
  if (observation.is_on()) [[unlikely]]
    observation.note_code(file.path, function_lines(lua));
  Window::Kept& kept = vm_of(lua).kept;
  const Window::Kept more = kept_by_script(file.text);
  kept = {kept.squares || more.squares, kept.extremes || more.extremes, kept.sketch || more.sketch};
  push_registered(lua, Registered::environment);
  lua_setfenv(lua, -2);
  return std::nullopt;
}

void require_callback(lua_State* lua, std::string_view what) {
  if (vm_of(lua).phase != Vm::Phase::callback) {
    raise(lua, fmt::format("{} possible only in a callback, not while the script is loaded", what));
  }
}

std::string_view text_argument(lua_State* lua, int index, std::string_view function,
                               std::string_view argument) {
  if (lua_type(lua, index) != LUA_TSTRING) {
    raise(lua,
          fmt::format("{}: {} must be a string, got {}", function, argument, describe(lua, index)));
  }
  const std::string_view text = text_at(lua, index);
  vm_of(lua).budget.charge(lua, text.size() / 16);
  return text;
}

std::string nearest_word(lua_State* lua, std::string_view word,
                         std::span<const std::string> known) {
  // Each letter is compared with each of every known word, of which some ten make an instruction.
  vm_of(lua).budget.charge(lua, 2 * known.size() * std::min<std::size_t>(word.size(), 100));
  return nearest(word, known);
}

void charge_walk(lua_State* lua, int index) {
  constexpr std::uint64_t entries_between = 1'024;
  Budget& budget = vm_of(lua).budget;
  index = absolute(lua, index);
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  for (lua_pushnil(lua); lua_next(lua, index) != 0; lua_pop(lua, 1)) {
    if (++entries % entries_between == 0) budget.charge(lua, 2 * entries_between);
    if (is_text(lua, -2)) bytes += text_at(lua, -2).size();
  }
  budget.charge(lua, 2 * (entries % entries_between) + bytes / 16);
}

void add_log_functions(lua_State* lua) { add_function(lua, "print", print); }

void add_require(lua_State* lua) {
  lua_newtable(lua);
  set_registered(lua, Registered::libraries);
  add_function(lua, "require", require);
}

void add_hastur(lua_State* lua) {
  add_log_functions(lua);
  add_notification_functions(lua);
  add_require(lua);
  lua_newtable(lua);
  add_trigger_functions(lua);
  add_time_functions(lua);
  add_derived_functions(lua);
  add_function(lua, "log", print);
  push_null(lua);
  lua_setfield(lua, -2, "null");
  seal(lua, "hastur");
  lua_setfield(lua, -2, "hastur");
}

}  // namespace hastur
