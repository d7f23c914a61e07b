// table.sort, concat, insert, remove and unpack, charged before they work. The sort is a stable
// merge sort, bounded whatever the comparison says; the table is written only when all comparisons
// are done.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/arguments.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

class Sorter {
 public:
  // The table stands at 1, the comparison (or nil) at 2; the list of values is put at 3.
  explicit Sorter(lua_State* lua) : lua_(lua), own_order_(!lua_isnil(lua, 2)) {
    const std::size_t count = lua_objlen(lua, 1);
    // Half an instruction a comparison; those of the comparison function count themselves.
    vm_of(lua).budget.charge(lua, count * static_cast<unsigned>(std::bit_width(count)) / 2 + count);
    lua_createtable(lua, static_cast<int>(count), 0);
    order_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      order_[i] = static_cast<int>(i) + 1;
      lua_rawgeti(lua, 1, order_[i]);
      lua_rawseti(lua, 3, order_[i]);
    }
  }

  void run() {
    std::vector<int> other(order_.size());
    for (std::size_t width = 1; width < order_.size(); width *= 2) {
      for (std::size_t begin = 0; begin < order_.size(); begin += 2 * width)
        merge(begin, width, other);
      order_.swap(other);
    }
    for (std::size_t i = 0; i < order_.size(); ++i) {
      lua_rawgeti(lua_, 3, order_[i]);
      lua_rawseti(lua_, 1, static_cast<int>(i) + 1);
    }
  }

 private:
  void merge(std::size_t begin, std::size_t width, std::vector<int>& to) {
    const std::size_t middle = std::min(begin + width, order_.size());
    const std::size_t end = std::min(begin + 2 * width, order_.size());
    std::size_t left = begin;
    std::size_t right = middle;
    for (std::size_t i = begin; i < end; ++i) {
      const bool take_right = right < end && (left == middle || less(order_[right], order_[left]));
      to[i] = order_[take_right ? right++ : left++];
    }
  }

  bool less(int a, int b) {
    if (own_order_) {
      lua_pushvalue(lua_, 2);
      lua_rawgeti(lua_, 3, a);
      lua_rawgeti(lua_, 3, b);
      lua_call(lua_, 2, 1);
      const bool result = lua_toboolean(lua_, -1) != 0;
      lua_pop(lua_, 1);
      return result;
    }
    lua_rawgeti(lua_, 3, a);
    lua_rawgeti(lua_, 3, b);
    const int type = lua_type(lua_, -1);
    if (type != lua_type(lua_, -2) ||
        (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TTABLE)) {
      raise(lua_,
            fmt::format("attempt to compare {} with {}", describe(lua_, -2), describe(lua_, -1)));
    }
    if (type == LUA_TSTRING) {
      const std::size_t bytes = std::min(text_at(lua_, -1).size(), text_at(lua_, -2).size());
      if (bytes > 64) vm_of(lua_).budget.charge(lua_, bytes / 64);
    }
    const bool result = lua_lessthan(lua_, -2, -1) != 0;
    lua_pop(lua_, 2);
    return result;
  }

  lua_State* lua_;
  bool own_order_;
  std::vector<int> order_;
};

int sort(lua_State* lua) {
  writable_table_at(lua, 1, "table.sort");
  lua_settop(lua, 2);
  if (!lua_isnil(lua, 2) && !lua_isfunction(lua, 2))
    refuse_argument(lua, 2, "table.sort", "function");
  const Nesting nesting(lua);
  Sorter(lua).run();
  return 0;
}

// upvalue 1: stock table.concat.
int concat(lua_State* lua) {
  constexpr std::string_view name = "table.concat";
  table_at(lua, 1, name);
  const double from = number_at(lua, 3, name, 1);
  const double to = number_at(lua, 4, name, static_cast<double>(lua_objlen(lua, 1)));
  const std::size_t separator = lua_isnoneornil(lua, 2) ? 0 : string_at(lua, 2, name).size();
  std::uint64_t bytes = 0;
  std::uint64_t steps = 0;
  for (double i = from; i <= to; ++i) {
    lua_rawgeti(lua, 1, static_cast<int>(i));
    if (lua_isnil(lua, -1)) break;  // the stock function says where
    bytes += (lua_type(lua, -1) == LUA_TSTRING ? text_at(lua, -1).size() : 16) + separator;
    lua_pop(lua, 1);
    if (++steps % 1024 == 0) vm_of(lua).budget.charge(lua, 1024);
  }
  lua_settop(lua, 4);
  refuse_huge_text(lua, name, bytes);
  vm_of(lua).budget.charge(lua, steps % 1024 + bytes / 16);
  return call_stock(lua, name);
}

int insert(lua_State* lua) {
  writable_table_at(lua, 1, "table.insert");
  const int count = static_cast<int>(lua_objlen(lua, 1));
  if (lua_gettop(lua) == 2) {
    lua_rawseti(lua, 1, count + 1);
    return 0;
  }
  if (lua_gettop(lua) != 3)
    raise(lua, "table.insert takes (table, value) or (table, position, value)");
  const double position = number_at(lua, 2, "table.insert");
  if (!(position >= 1 && position <= count + 1)) {
    raise(lua, fmt::format("table.insert: position {} is not within 1 to {}", position, count + 1));
  }
  vm_of(lua).budget.charge(lua, static_cast<std::uint64_t>(count - static_cast<int>(position) + 1));
  for (int i = count; i >= static_cast<int>(position); --i) {
    lua_rawgeti(lua, 1, i);
    lua_rawseti(lua, 1, i + 1);
  }
  lua_rawseti(lua, 1, static_cast<int>(position));
  return 0;
}

// (table, position or nil for the last): what stood there; those behind it move up.
int remove(lua_State* lua) {
  writable_table_at(lua, 1, "table.remove");
  const int count = static_cast<int>(lua_objlen(lua, 1));
  const double position = number_at(lua, 2, "table.remove", count);
  if (count == 0 && (position == 0 || lua_isnoneornil(lua, 2))) return 0;
  if (!(position >= 1 && position <= count + 1) || std::floor(position) != position)
    raise(lua, fmt::format("table.remove: position {} is not within 1 to {}", position, count + 1));
  const int at = static_cast<int>(position);
  vm_of(lua).budget.charge(lua, static_cast<std::uint64_t>(count - std::min(at, count)));
  lua_rawgeti(lua, 1, at);
  for (int i = at; i <= count; ++i) {
    lua_rawgeti(lua, 1, i + 1);
    lua_rawseti(lua, 1, i);
  }
  return 1;
}

// upvalue 1: stock unpack.
int unpack(lua_State* lua) {
  table_at(lua, 1, "unpack");
  lua_settop(lua, 3);
  const double from = number_at(lua, 2, "unpack", 1);
  const double to = number_at(lua, 3, "unpack", static_cast<double>(lua_objlen(lua, 1)));
  // The stock function refuses more than the stack holds.
  if (to >= from && to - from < 1e6)
    vm_of(lua).budget.charge(lua, static_cast<std::uint64_t>(to - from) / 2);
  return call_stock(lua, "unpack");
}

}  // namespace

void add_unpack(lua_State* lua) {
  lua_getfield(lua, LUA_GLOBALSINDEX, "unpack");
  lua_pushcclosure(lua, unpack, 1);
  lua_setfield(lua, -2, "unpack");
}

void add_table_functions(lua_State* lua) {
  add_function(lua, "sort", sort);
  add_function(lua, "insert", insert);
  add_function(lua, "remove", remove);
  lua_getfield(lua, LUA_GLOBALSINDEX, "table");
  lua_getfield(lua, -1, "concat");
  lua_remove(lua, -2);
  lua_pushcclosure(lua, concat, 1);
  lua_setfield(lua, -2, "concat");
}

}  // namespace hastur
