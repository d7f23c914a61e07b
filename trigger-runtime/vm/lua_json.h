#pragma once

// Lua values as canonical JSON and back: states, details of notifications, filters.
//
// A table is an array if its keys are 1..n without a hole, else an object, whose keys must be
// strings. An empty table is {}. Equal values give equal bytes: keys sorted, numbers as
// append_number writes them.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trigger-runtime/vm/lua.h"

namespace hastur {

class Helper;

// Of states; what goes out is bounded as messages are (json_depth_max).
inline constexpr int lua_json_depth_max = 100;

// Writes in one pass over each table. Allocates no Lua memory. Reusable; keeps its memory. While a
// script runs its work, which `bytes_max` bounds, is charged at the end, the same in whatever order
// this VM keeps keys; that may raise. Otherwise it never raises.
class LuaJsonWriter {
 public:
  enum class Form {
    // What must come back the same: an object, in which a table stands once and has no metatable,
    // and strings are UTF-8.
    state,
    // What only goes out: bytes that are not UTF-8 become U+FFFD, msg.labels is an object.
    effect,
  };

  // Appends the value at `index` to `out`. Returns the fault if it is no JSON or more than
  // `bytes_max`, with the path of the offender ("state.servers.web1.callback is a function");
  // `root` begins that path. Then `out` is as it was. Of several faults it is the first in the
  // order of the keys, in whatever order this VM keeps them.
  std::optional<std::string> write(lua_State* lua, int index, Form form, std::string_view root,
                                   std::size_t bytes_max, std::string& out);

  // While a helper writes its part of what is being written: appends the value at `index`, which a
  // script has put into one of its keys. False for a fault.
  bool write_part(int index, std::string& out) {
    return write_value(index, helper_depth_ + 2, out);
  }
  bool is_writing() const { return writing_; }

 private:
  struct Entry {
    std::string_view key;
    int type;
    bool truth;
    double number;
    std::string_view text;
    std::size_t begin, end;  // of a nested value in the level's side text
    Helper* helper;          // whose state stands here
    bool is_left_out = false;
  };
  // What one level of nesting needs: kept from write to write.
  struct Level {
    std::vector<Entry> entries;
    std::string side;
    std::deque<std::string> repaired;  // keys that were not UTF-8; entries point into it
  };

  bool write_value(int index, int depth, std::string& out);
  bool write_table(int index, int depth, std::string& out);
  bool write_frozen(int index, int depth, std::string& out);
  bool write_object(int index, int depth, std::string& out);
  bool collect(int index, int depth, std::size_t& helpers);
  bool collect_in_order(int index, int depth, std::size_t& helpers);
  bool take(Entry& entry, int value, int depth, std::size_t& helpers);
  bool fault_of_keys(int index);
  bool write_array(int index, int depth, std::size_t count, std::string& out);
  bool write_helper(Helper& helper, int depth, std::string& out);
  bool is_own_place(const Helper* helper, std::string_view key);
  bool write_text(std::string_view text, std::string& out);
  bool first_visit(const void* table);
  void charge(std::uint64_t instructions) { charged_ += instructions; }
  bool fault(std::string what);
  bool fault_below(std::string_view key);
  bool fault_below(std::size_t position);
  Level& level(int depth);

  lua_State* lua_ = nullptr;
  Form form_ = Form::state;
  // Of the pass under way.
  std::uint64_t charged_ = 0;
  bool writing_ = false;
  // What is written is ctx.state itself: helpers' keys are theirs.
  bool is_whole_state_ = false;
  // Tables are walked in the order of their keys, for the sake of the fault that is told.
  bool in_order_ = false;
  int helper_depth_ = 0;
  std::size_t bytes_max_ = 0;
  std::vector<std::unique_ptr<Level>> levels_;
  std::vector<const void*> visited_;  // open addressing, a power of two
  std::size_t visited_count_ = 0;
  std::string fault_;       // "is a function"
  std::string fault_path_;  // ".servers.web1.callback"
};

// Pushes what canonical JSON says; false, with nothing pushed, if `text` is none. null becomes
// hastur.null. May raise for want of memory.
[[nodiscard]] bool push_json(lua_State* lua, std::string_view text);

// The same into the (cleared) table at `index`; `text` must be an object or an array.
[[nodiscard]] bool fill_from_json(lua_State* lua, int index, std::string_view text);

// hastur.null: one light userdata, so that it equals itself everywhere.
inline void push_null(lua_State* lua) { lua_pushlightuserdata(lua, nullptr); }
inline bool is_null(lua_State* lua, int index) {
  return lua_type(lua, index) == LUA_TLIGHTUSERDATA && lua_touserdata(lua, index) == nullptr;
}

// "number", "msg", "a table" …: what stands at `index`, for an error text.
std::string describe(lua_State* lua, int index);

}  // namespace hastur
