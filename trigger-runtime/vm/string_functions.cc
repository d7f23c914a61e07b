// String functions that stock Lua would run in one uncounted C call: each charges for its work
// before it does it.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/arguments.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/pattern.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

constexpr std::uint64_t bytes_per_instruction = 16;
// Longer texts are refused by name rather than by running out of memory somewhere.
constexpr std::uint64_t text_bytes_max = 32u << 20;

void charge_bytes(lua_State* lua, std::uint64_t bytes) {
  vm_of(lua).budget.charge(lua, bytes / bytes_per_instruction);
}

// upvalue 1: the stock function, which takes one text.
int charged(lua_State* lua, std::string_view function) {
  charge_bytes(lua, string_at(lua, 1, function).size());
  const int arguments = lua_gettop(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, LUA_MULTRET);
  return lua_gettop(lua);
}

int lower(lua_State* lua) { return charged(lua, "string.lower"); }
int upper(lua_State* lua) { return charged(lua, "string.upper"); }
int reverse(lua_State* lua) { return charged(lua, "string.reverse"); }

// A place in a text as string.sub takes it: 1 is the first byte, -1 the last. Clipped to 0 …
// size+1.
double place_argument(lua_State* lua, int index, double absent, std::size_t size) {
  double place = std::trunc(number_at(lua, index, "string.sub", absent));
  const auto end = static_cast<double>(size) + 1;
  if (place < 0) place += end;
  return place >= 0 ? std::min(place, end) : 0;  // not a number: 0
}

int part(lua_State* lua) {
  const std::string_view text = string_at(lua, 1, "string.sub");
  number_at(lua, 2, "string.sub");
  const double from = std::max(place_argument(lua, 2, 1, text.size()), 1.0);
  const double to =
      std::min(place_argument(lua, 3, -1, text.size()), static_cast<double>(text.size()));
  const std::string_view found = to >= from ? text.substr(static_cast<std::size_t>(from) - 1,
                                                          static_cast<std::size_t>(to - from) + 1)
                                            : std::string_view{};
  charge_bytes(lua, found.size());
  push_text(lua, found);
  return 1;
}

// upvalue 1: stock string.byte or string.char, which takes or gives a value for each byte.
int charged_by_value(lua_State* lua, std::string_view function) {
  const int arguments = lua_gettop(lua);
  // The stock function gives no more bytes than the Lua stack holds.
  vm_of(lua).budget.charge(lua, static_cast<std::uint64_t>(arguments) / 4);
  const int results = call_stock(lua, function);
  vm_of(lua).budget.charge(lua, static_cast<std::uint64_t>(results) / 4);
  return results;
}

int byte(lua_State* lua) { return charged_by_value(lua, "string.byte"); }
int character(lua_State* lua) { return charged_by_value(lua, "string.char"); }

// upvalue 1: stock string.rep.
int repeat(lua_State* lua) {
  constexpr std::string_view name = "string.rep";
  const std::string_view text = string_at(lua, 1, name);
  const double times = number_at(lua, 2, name);
  const std::size_t separator = lua_isnoneornil(lua, 3) ? 0 : string_at(lua, 3, name).size();
  if (times > 0) {
    const double bytes = times * static_cast<double>(text.size() + separator);
    refuse_huge_text(lua, name,
                     bytes < 1e18 ? static_cast<std::uint64_t>(bytes) : std::uint64_t{1} << 60);
    // Nothing repeated a billion times is no work.
    if (bytes < 1) {
      lua_pushliteral(lua, "");
      return 1;
    }
    charge_bytes(lua, static_cast<std::uint64_t>(bytes));
  }
  const int arguments = lua_gettop(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, 1);
  return 1;
}

// upvalue 1: stock string.format. %s and %q take what tostring() makes of a value; %p would show an
// address.
int format(lua_State* lua) {
  const std::string_view form = string_at(lua, 1, "string.format");
  std::uint64_t bytes = form.size();
  int argument = 1;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%') continue;
    if (++i < form.size() && form[i] == '%') continue;
    while (i < form.size() &&
           !((form[i] >= 'a' && form[i] <= 'z') || (form[i] >= 'A' && form[i] <= 'Z')))
      ++i;
    if (i == form.size()) break;
    ++argument;
    bytes += 128;
    if (form[i] == 'p')
      raise(lua, "string.format: %p would show an address, which differs from run to run");
    if ((form[i] == 's' || form[i] == 'q') && argument <= lua_gettop(lua) &&
        lua_type(lua, argument) != LUA_TSTRING) {
      push_tostring(lua, argument);
      lua_replace(lua, argument);
    }
    if (lua_type(lua, argument) == LUA_TSTRING) bytes += 2 * text_at(lua, argument).size();
  }
  charge_bytes(lua, bytes);
  return call_stock(lua, "string.format");
}

// Where string.find and match begin: 0-based, clipped to the text.
std::size_t start_of(lua_State* lua, int index, std::string_view function, std::size_t size) {
  double at = number_at(lua, index, function, 1);
  if (at < 0) at += static_cast<double>(size) + 1;
  if (!(at >= 1)) at = 1;
  return std::min(static_cast<std::size_t>(std::min(at - 1, 1e15)), size);
}

int find_plain(lua_State* lua, std::string_view text, std::string_view wanted, std::size_t at) {
  charge_bytes(lua, text.size() - at + wanted.size());
  // Linear in both, unlike std::string_view::find.
  const void* place = memmem(text.data() + at, text.size() - at, wanted.data(), wanted.size());
  if (place == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  const auto found = static_cast<std::size_t>(static_cast<const char*>(place) - text.data());
  lua_pushnumber(lua, static_cast<double>(found + 1));
  lua_pushnumber(lua, static_cast<double>(found + wanted.size()));
  return 2;
}

int find_or_match(lua_State* lua, bool find) {
  const std::string_view name = find ? "string.find" : "string.match";
  const std::string_view text = string_at(lua, 1, name);
  const std::string_view wanted = string_at(lua, 2, name);
  const std::size_t at = start_of(lua, 3, name, text.size());
  if (find && (lua_toboolean(lua, 4) != 0 ||
               wanted.find_first_of("^$*+?.([%-") == std::string_view::npos)) {
    return find_plain(lua, text, wanted, at);
  }
  Pattern pattern(lua, wanted, text);
  Pattern::Match match;
  const bool found = pattern.find(at, match);
  pattern.settle();
  if (!found) {
    lua_pushnil(lua);
    return 1;
  }
  if (!find) return pattern.push_captures(match);
  lua_pushnumber(lua, static_cast<double>(match.begin + 1));
  lua_pushnumber(lua, static_cast<double>(match.end));
  return pattern.captures() == 0 ? 2 : 2 + pattern.push_captures(match);
}

int find(lua_State* lua) { return find_or_match(lua, true); }
int match(lua_State* lua) { return find_or_match(lua, false); }

// upvalues: text, pattern, where to go on (0-based).
int match_next(lua_State* lua) {
  const std::string_view text = text_at(lua, lua_upvalueindex(1));
  const auto at = static_cast<std::size_t>(lua_tonumber(lua, lua_upvalueindex(3)));
  if (at > text.size()) return 0;
  Pattern pattern(lua, text_at(lua, lua_upvalueindex(2)), text);
  Pattern::Match match;
  const bool found = pattern.find(at, match);
  pattern.settle();
  if (!found) return 0;
  // An empty match moves on by one, or it would be found for ever.
  lua_pushnumber(lua, static_cast<double>(match.end == match.begin ? match.end + 1 : match.end));
  lua_replace(lua, lua_upvalueindex(3));
  return pattern.push_captures(match);
}

int match_each(lua_State* lua) {
  string_at(lua, 1, "string.gmatch");
  if (string_at(lua, 2, "string.gmatch").starts_with('^'))
    raise(lua, "string.gmatch: a pattern with '^' would match only once");
  lua_settop(lua, 2);
  lua_pushnumber(lua, 0);
  lua_pushcclosure(lua, match_next, 3);
  return 1;
}

// Appends what replaces `match`: the replacement text or table or function stands at 3.
void append_replacement(lua_State* lua, std::string& out, std::string_view text, Pattern& pattern,
                        const Pattern::Match& match) {
  const std::string_view whole = text.substr(match.begin, match.end - match.begin);
  switch (lua_type(lua, 3)) {
    case LUA_TFUNCTION: {
      const Nesting nesting(lua);
      lua_pushvalue(lua, 3);
      lua_call(lua, pattern.push_captures(match), 1);
      break;
    }
    case LUA_TTABLE:
    case LUA_TUSERDATA:
      if (pattern.captures() == 0) {
        push_text(lua, whole);
      } else {
        pattern.push_capture(0);
      }
      lua_gettable(lua, 3);
      break;
    default: {
      const std::string_view replacement = text_at(lua, 3);
      for (std::size_t i = 0; i < replacement.size(); ++i) {
        if (replacement[i] != '%' || i + 1 == replacement.size()) {
          out += replacement[i];
          continue;
        }
        // A short replacement can be a long text many times over.
        refuse_huge_text(lua, "string.gsub", out.size());
        const char code = replacement[++i];
        if (code < '0' || code > '9') {
          out += code;
        } else if (code == '0' || (code == '1' && pattern.captures() == 0)) {
          out += whole;
        } else {
          pattern.push_capture(static_cast<std::size_t>(code - '1'));
          out += text_at(lua, -1);
          lua_pop(lua, 1);
        }
      }
      return;
    }
  }
  if (lua_toboolean(lua, -1) == 0) {
    out += whole;
  } else if (lua_type(lua, -1) == LUA_TSTRING || lua_type(lua, -1) == LUA_TNUMBER) {
    out += text_at(lua, -1);
  } else {
    raise(lua, fmt::format("string.gsub: the replacement is {}, not a string", describe(lua, -1)));
  }
  lua_pop(lua, 1);
}

int substitute(lua_State* lua) {
  constexpr std::string_view name = "string.gsub";
  const std::string_view text = string_at(lua, 1, name);
  const std::string_view wanted = string_at(lua, 2, name);
  refuse_loading_state(lua, 3);
  const int type = lua_type(lua, 3);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TTABLE && type != LUA_TFUNCTION &&
      !is_frozen(lua, 3)) {
    raise(lua, fmt::format("string.gsub replaces by a string, table or function, got {}",
                           describe(lua, 3)));
  }
  const double most = number_at(lua, 4, name, static_cast<double>(text.size() + 1));
  lua_settop(lua, 3);
  charge_bytes(lua, text.size());
  Pattern pattern(lua, wanted, text);
  std::string out;
  double count = 0;
  std::size_t at = 0;
  std::size_t charged_bytes = 0;
  while (count < most) {
    Pattern::Match match;
    const bool found = pattern.match_at(at, match);
    if (found) {
      ++count;
      append_replacement(lua, out, text, pattern, match);
      refuse_huge_text(lua, "string.gsub", out.size());
      if (out.size() > charged_bytes + 4096) {
        charge_bytes(lua, out.size() - charged_bytes);
        charged_bytes = out.size();
      }
    }
    if (found && match.end > at) {
      at = match.end;
    } else if (at < text.size()) {
      out += text[at++];
    } else {
      break;
    }
    if (pattern.anchored()) break;
  }
  pattern.settle();
  if (at < text.size()) out += text.substr(at);
  push_text(lua, out);
  lua_pushnumber(lua, count);
  return 2;
}

}  // namespace

bool is_gmatch_step(lua_CFunction function) { return function == match_next; }

void refuse_huge_text(lua_State* lua, std::string_view function, std::uint64_t bytes) {
  if (bytes > text_bytes_max) {
    raise(lua,
          fmt::format("{} would make a text of more than {} MiB", function, text_bytes_max >> 20));
  }
}

void add_string_functions(lua_State* lua) {
  const int library = lua_gettop(lua);
  lua_getfield(lua, LUA_GLOBALSINDEX, "string");
  const auto wrap = [lua, library](const char* name, lua_CFunction function) {
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, function, 1);
    lua_setfield(lua, library, name);
  };
  wrap("lower", lower);
  wrap("upper", upper);
  wrap("reverse", reverse);
  wrap("rep", repeat);
  wrap("byte", byte);
  wrap("char", character);
  wrap("format", format);
  lua_pop(lua, 1);
  add_function(lua, "sub", part);
  add_function(lua, "find", find);
  add_function(lua, "match", match);
  add_function(lua, "gmatch", match_each);
  add_function(lua, "gsub", substitute);
}

}  // namespace hastur
