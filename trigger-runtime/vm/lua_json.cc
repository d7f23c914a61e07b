#include "trigger-runtime/vm/lua_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "core/number.h"
#include "message/json_codec.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/helper_functions.h"
#include "trigger-runtime/vm/least_text.h"
#include "trigger-runtime/vm/msg_object.h"
#include "trigger-runtime/vm/utf8_keys.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

bool is_plain_ascii(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\') return false;
  }
  return true;
}

bool is_identifier(std::string_view key) {
  if (key.empty() || (key[0] >= '0' && key[0] <= '9')) return false;
  return std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// A key in a path, as a script would write it: what is not UTF-8 by the numbers of its bytes.
std::string key_in_path(std::string_view key) {
  if (is_identifier(key)) return fmt::format(".{}", key);
  if (is_utf8(key)) return fmt::format("[\"{}\"]", key);
  std::string bytes;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      bytes += fmt::format("\\{:03}", byte);
    } else {
      bytes += c;
    }
  }
  return fmt::format("[\"{}\"]", bytes);
}

std::size_t hash_of(const void* pointer) {
  return static_cast<std::size_t>(
      (reinterpret_cast<std::uintptr_t>(pointer) * 0x9E3779B97F4A7C15u) >> 20);
}

}  // namespace

std::string describe(lua_State* lua, int index) {
  switch (lua_type(lua, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
      return "nil";
    case LUA_TLIGHTUSERDATA:
      return "hastur.null";
    case LUA_TUSERDATA:
      if (is_frozen(lua, index)) return "a table";
      if (is_loading_state(lua, index)) return "ctx.state";
      if (is_msg(lua, index)) return "a msg";
      if (is_labels(lua, index)) return "msg.labels";
      return "an object of the runtime";
    default:
      return fmt::format("a {}", lua_typename(lua, lua_type(lua, index)));
  }
}

std::optional<std::string> LuaJsonWriter::write(lua_State* lua, int index, Form form,
                                                std::string_view root, std::size_t bytes_max,
                                                std::string& out) {
  // Also when a charge raises.
  struct Writing {
    LuaJsonWriter& writer;
    ~Writing() { writer.writing_ = writer.in_order_ = false; }
  };
  HASTUR_CHECK(!writing_, "JSON was to be written within JSON");
  const Writing until_end{*this};
  writing_ = true;
  lua_ = lua;
  form_ = form;
  is_whole_state_ = form == Form::state && lua_topointer(lua, index) == vm_of(lua).state;
  bytes_max_ = bytes_max;
  const std::size_t before = out.size();
  const int top = lua_gettop(lua);
  index = absolute(lua, index);
  const auto write_whole = [&] {
    charged_ = 0;
    if (visited_count_ > 0) {
      std::ranges::fill(visited_, nullptr);
      visited_count_ = 0;
    }
    bool written = write_value(index, 0, out);
    if (written && out.size() - before > bytes_max_) written = fault("is too large");
    lua_settop(lua, top);
    if (!written) out.resize(before);
    return written;
  };
  const bool written = write_whole();
  if (!written) {
    // The VM's own order of keys decided which fault that was, and how much was done before it.
    in_order_ = true;
    HASTUR_CHECK(!write_whole(), "a fault depends on the order of keys");
  }
  if (vm_of(lua).phase != Vm::Phase::idle) vm_of(lua).budget.charge(lua, charged_);
  if (written) return std::nullopt;
  if (fault_ == "is too large") {
    // Which part was being written says nothing: the whole is judged.
    return fmt::format("{} is larger than {} bytes of JSON", root, bytes_max_);
  }
  return fmt::format("{}{} {}", root, fault_path_, fault_);
}

LuaJsonWriter::Level& LuaJsonWriter::level(int depth) {
  while (levels_.size() <= static_cast<std::size_t>(depth))
    levels_.push_back(std::make_unique<Level>());
  return *levels_[static_cast<std::size_t>(depth)];
}

bool LuaJsonWriter::fault(std::string what) {
  fault_ = std::move(what);
  fault_path_.clear();
  return false;
}

bool LuaJsonWriter::fault_below(std::string_view key) {
  fault_path_.insert(0, key_in_path(key));
  return false;
}

bool LuaJsonWriter::fault_below(std::size_t position) {
  fault_path_.insert(0, fmt::format("[{}]", position));
  return false;
}

bool LuaJsonWriter::first_visit(const void* table) {
  if (visited_.empty()) visited_.resize(64, nullptr);
  if (2 * (visited_count_ + 1) > visited_.size()) {
    std::vector<const void*> old(2 * visited_.size(), nullptr);
    old.swap(visited_);
    visited_count_ = 0;
    for (const void* entry : old) {
      if (entry != nullptr) first_visit(entry);
    }
  }
  const std::size_t mask = visited_.size() - 1;
  std::size_t at = hash_of(table) & mask;
  while (visited_[at] != nullptr) {
    if (visited_[at] == table) return false;
    at = (at + 1) & mask;
  }
  visited_[at] = table;
  ++visited_count_;
  return true;
}

bool LuaJsonWriter::write_text(std::string_view text, std::string& out) {
  if (out.size() + text.size() > 2 * bytes_max_ + 64) return fault("is too large");
  charge(1 + text.size() / 16);
  if (is_plain_ascii(text)) {
    out += '"';
    out += text;
    out += '"';
    return true;
  }
  if (form_ == Form::state && !is_utf8(text)) return fault("is a string that is not UTF-8");
  append_json_string(out, text);
  return true;
}

bool LuaJsonWriter::write_value(int index, int depth, std::string& out) {
  switch (lua_type(lua_, index)) {
    case LUA_TBOOLEAN:
      out += lua_toboolean(lua_, index) != 0 ? "true" : "false";
      return true;
    case LUA_TNUMBER: {
      const double number = lua_tonumber(lua_, index);
      if (!std::isfinite(number))
        return fault(std::isnan(number) ? "is not a number (nan)" : "is infinite");
      append_number(out, number);
      return true;
    }
    case LUA_TSTRING:
      return write_text(text_at(lua_, index), out);
    case LUA_TLIGHTUSERDATA:
      out += "null";
      return true;
    case LUA_TTABLE:
      return is_frozen(lua_, index) ? write_frozen(index, depth, out)
                                    : write_table(index, depth, out);
    case LUA_TUSERDATA:
      if (Helper* helper = helper_view_at(lua_, index)) {
        if (form_ == Form::state)
          return fault("is what a helper keeps: keep what you need of it in a table of your own");
        helper->settle(vm_of(lua_).effects.now());
        return write_helper(*helper, depth, out);
      }
      if (is_frozen(lua_, index)) return write_frozen(index, depth, out);
      if (is_labels(lua_, index)) {
        if (form_ == Form::state)
          return fault("is msg.labels: keep the labels that you need, one by one");
        push_labels_table(lua_, index);
        const bool written = write_object(lua_gettop(lua_), depth, out);
        lua_pop(lua_, 1);
        return written;
      }
      if (is_msg(lua_, index)) return fault("is a msg: use msg:to_table()");
      [[fallthrough]];
    default:
      return fault("is " + describe(lua_, index));
  }
}

bool LuaJsonWriter::write_frozen(int index, int depth, std::string& out) {
  // In a state it would be a table of its own after a restart.
  if (form_ == Form::state)
    return fault(
        "is a table that was made while the script was loaded, or part of what a helper "
        "keeps: write a new one");
  if (lua_checkstack(lua_, 6) == 0) return fault("is nested too deep");
  lua_pushvalue(lua_, index);
  open_frozen(lua_, -1);
  const bool written = write_table(lua_gettop(lua_), depth, out);
  lua_pop(lua_, 1);
  return written;
}

bool LuaJsonWriter::write_table(int index, int depth, std::string& out) {
  const int depth_max = form_ == Form::effect ? json_depth_max : lua_json_depth_max;
  if (depth >= depth_max) return fault(fmt::format("is nested deeper than {} levels", depth_max));
  charge(4);
  // Room for a table, its key and its value, and to look at what that is.
  if (lua_checkstack(lua_, 6) == 0) return fault("is nested too deep");
  if (form_ == Form::state) {
    if (!first_visit(lua_topointer(lua_, index)))
      return fault("is a table that stands elsewhere in the state, too");
    if (lua_getmetatable(lua_, index) != 0) {
      const bool is_view = is_window_view(lua_, lua_gettop(lua_));
      lua_pop(lua_, 1);
      return fault(is_view ? "is what each() of a window yields: keep those of its fields that you "
                             "need"
                           : "has a metatable");
    }
  }
  if (in_order_ && !fault_of_keys(index)) return false;
  lua_pushnil(lua_);
  if (lua_next(lua_, index) == 0) {
    if (depth == 0 && is_whole_state_) return write_object(index, depth, out);
    out += "{}";
    return true;
  }
  const bool numbered = lua_type(lua_, -2) == LUA_TNUMBER;
  if (!numbered) {
    lua_pop(lua_, 2);
    return write_object(index, depth, out);
  }
  // An array has n keys, all of them whole numbers in 1..n.
  std::size_t count = 0;
  double highest = 0;
  do {
    if (lua_type(lua_, -2) != LUA_TNUMBER) {
      lua_pop(lua_, 2);
      return fault("has both numbers and other things as keys");
    }
    const double key = lua_tonumber(lua_, -2);
    if (!(key >= 1) || std::floor(key) != key) {
      lua_pop(lua_, 2);
      return fault(fmt::format(
          "has the key {}: a list is numbered 1 to n, other tables have strings as keys", key));
    }
    highest = std::max(highest, key);
    lua_pop(lua_, 1);
    charge(1);
    // Each is at least `1,`, whatever it is.
    if (++count > bytes_max_ / 2 + 1) {
      lua_pop(lua_, 1);
      return fault("is too large");
    }
  } while (lua_next(lua_, index) != 0);
  if (form_ == Form::state && depth == 0) {
    return fault("is a list: its own keys must be strings");
  }
  if (highest != static_cast<double>(count)) {
    return fault("is a list with holes: use strings as keys, or hastur.null for what is missing");
  }
  return write_array(index, depth, count, out);
}

bool LuaJsonWriter::write_array(int index, int depth, std::size_t count, std::string& out) {
  out += '[';
  for (std::size_t i = 1; i <= count; ++i) {
    if (i > 1) out += ',';
    lua_rawgeti(lua_, index, static_cast<int>(i));
    if (!write_value(lua_gettop(lua_), depth + 1, out)) return fault_below(i);
    lua_pop(lua_, 1);
    if (out.size() > 2 * bytes_max_ + 64) return fault("is too large");
  }
  out += ']';
  return true;
}

bool LuaJsonWriter::is_own_place(const Helper* helper, std::string_view key) {
  if (helper != nullptr && helper->state_key() == key) return true;
  fault("cannot be written: keys that begin with '@' are those of helpers, which only they write");
  return fault_below(key);
}

bool LuaJsonWriter::write_helper(Helper& helper, int depth, std::string& out) {
  helper_depth_ = depth;
  charge(helper.keys().count());
  bool first = true;
  out += '{';
  for (const std::uint32_t id : helper.keys().in_order()) {
    if (!first) out += ',';
    first = false;
    if (!write_text(helper.keys().key(id), out)) return false;
    out += ':';
    if (!helper.write(id, out)) {
      if (fault_ == "is too large") return false;
      fault_below(std::string_view("v"));
      return fault_below(helper.keys().key(id));
    }
    if (out.size() > 2 * bytes_max_ + 64) return fault("is too large");
  }
  out += '}';
  return true;
}

// False if a table has keys of which it can have only one kind, or none: told the same in whatever
// order they come.
bool LuaJsonWriter::fault_of_keys(int index) {
  bool has_texts = false, has_numbers = false;
  std::optional<double> bad_number;
  LeastText others;
  for (lua_pushnil(lua_); lua_next(lua_, index) != 0; lua_pop(lua_, 1)) {
    charge(1);
    const int key = lua_gettop(lua_) - 1;
    if (lua_type(lua_, key) == LUA_TSTRING) {
      has_texts = true;
    } else if (lua_type(lua_, key) == LUA_TNUMBER) {
      has_numbers = true;
      const double number = lua_tonumber(lua_, key);
      const bool is_place = number >= 1 && std::floor(number) == number;
      if (!is_place && (!bad_number || number < *bad_number)) bad_number = number;
    } else {
      others.add(describe(lua_, key));
    }
  }
  if (has_numbers && (has_texts || others))
    return fault("has both numbers and other things as keys");
  if (others) return fault(fmt::format("has {} as a key: only strings can be", *others));
  if (!bad_number) return true;
  return fault(fmt::format(
      "has the key {}: a list is numbered 1 to n, other tables have strings as keys", *bad_number));
}

// Reads one value of an object into its entry; `value` is its place on the stack.
bool LuaJsonWriter::take(Entry& entry, int value, int depth, std::size_t& helpers) {
  Level& own = level(depth);
  entry.type = lua_type(lua_, value);
  if (depth == 0 && is_whole_state_ && entry.key.starts_with('@')) {
    entry.helper = helper_view_at(lua_, value);
    if (!is_own_place(entry.helper, entry.key)) return false;
    ++helpers;
    // As if it had never been used.
    entry.is_left_out = entry.helper->keys().count() == 0;
    return true;
  }
  switch (entry.type) {
    case LUA_TBOOLEAN:
      entry.truth = lua_toboolean(lua_, value) != 0;
      return true;
    case LUA_TNUMBER:
      entry.number = lua_tonumber(lua_, value);
      if (std::isfinite(entry.number)) return true;
      write_value(value, depth, own.side);
      return fault_below(entry.key);
    case LUA_TSTRING:
      entry.text = text_at(lua_, value);
      return true;
    default:
      entry.begin = own.side.size();
      if (!write_value(value, depth + 1, own.side)) return fault_below(entry.key);
      entry.end = own.side.size();
      return entry.end <= bytes_max_ || fault("is too large");
  }
}

bool LuaJsonWriter::collect(int index, int depth, std::size_t& helpers) {
  Level& own = level(depth);
  lua_pushnil(lua_);
  while (lua_next(lua_, index) != 0) {
    const int value = lua_gettop(lua_);
    if (lua_type(lua_, value - 1) != LUA_TSTRING) {
      return fault(fmt::format("has {} as a key: only strings can be", describe(lua_, value - 1)));
    }
    Entry& entry = own.entries.emplace_back();
    charge(2);
    // Each is at least `"":1`, whatever it is.
    if (own.entries.size() > bytes_max_ / 4 + 1) return fault("is too large");
    entry.key = text_at(lua_, value - 1);
    if (!take(entry, value, depth, helpers)) return false;
    if (entry.is_left_out) own.entries.pop_back();
    lua_pop(lua_, 1);
  }
  std::ranges::sort(own.entries, {}, &Entry::key);
  return true;
}

bool LuaJsonWriter::collect_in_order(int index, int depth, std::size_t& helpers) {
  Level& own = level(depth);
  lua_pushnil(lua_);
  for (; lua_next(lua_, index) != 0; lua_pop(lua_, 1)) {
    own.entries.emplace_back().key = text_at(lua_, lua_gettop(lua_) - 1);
    charge(2);
    if (own.entries.size() > bytes_max_ / 4 + 1) return fault("is too large");
  }
  std::ranges::sort(own.entries, {}, &Entry::key);
  for (std::size_t i = 0; i < own.entries.size(); ++i) {
    Entry& entry = own.entries[i];
    lua_pushlstring(lua_, entry.key.data(), entry.key.size());
    lua_rawget(lua_, index);
    if (!take(entry, lua_gettop(lua_), depth, helpers)) return false;
    lua_pop(lua_, 1);
  }
  std::erase_if(own.entries, [](const Entry& entry) { return entry.is_left_out; });
  return true;
}

bool LuaJsonWriter::write_object(int index, int depth, std::string& out) {
  Level& own = level(depth);
  std::size_t helpers = 0;
  own.entries.clear();
  own.side.clear();
  const bool collected =
      in_order_ ? collect_in_order(index, depth, helpers) : collect(index, depth, helpers);
  if (!collected) return false;
  if (form_ == Form::effect) make_keys_utf8(own.entries, own.repaired);
  if (depth == 0 && is_whole_state_ && helpers != vm_of(lua_).helpers.size())
    return fault("lacks a key that begins with '@', which a helper keeps and only it may remove");
  out += '{';
  bool first = true;
  for (const Entry& entry : own.entries) {
    if (!first) out += ',';
    first = false;
    if (!write_text(entry.key, out)) {
      if (fault_ == "is too large") return false;
      fault("is a key that is not UTF-8");
      return fault_below(entry.key);
    }
    out += ':';
    if (entry.helper != nullptr) {
      if (!write_helper(*entry.helper, depth + 1, out)) return fault_below(entry.key);
      continue;
    }
    switch (entry.type) {
      case LUA_TBOOLEAN:
        out += entry.truth ? "true" : "false";
        break;
      case LUA_TNUMBER:
        append_number(out, entry.number);
        break;
      case LUA_TSTRING:
        if (!write_text(entry.text, out)) return fault_below(entry.key);
        break;
      default:
        out.append(own.side, entry.begin, entry.end - entry.begin);
    }
  }
  out += '}';
  return true;
}

}  // namespace hastur
