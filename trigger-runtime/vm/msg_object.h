#pragma once

// `msg`, as a callback sees the message under way: reads the batch's columns, builds nothing
// (DESIGN §7).
//
// A field is found by comparing the key's address, since Lua interns strings; strings of the
// batch's dictionary are made once and then found by their id. A msg is dead after its callback.
// Where the callback's bytecode shows that the msg cannot outlive the call, one object serves all
// calls; otherwise each call gets its own.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "message/batch.h"
#include "trigger-runtime/vm/lua.h"

namespace hastur {

class Messages {
 public:
  // Makes the metatables and pushes the object that serves calls which it cannot outlive. Once per
  // Lua state.
  void install(lua_State* lua);

  // `batch` must live until the next call or end_batch().
  void begin_batch(const BatchView& batch);
  void end_batch() { batch_ = nullptr; }

  // The message that msg stands for from now on. Revives the object of install().
  void begin_call(std::uint32_t row) {
    row_ = row;
    shared_->call = ++call_;
  }
  // Pushes an object for this call alone.
  void push_own(lua_State* lua);
  // From here on the msg is dead.
  void end_call() { ++call_; }

 private:
  struct Handle {
    Messages* messages;
    std::uint64_t call;
  };
  enum class Field : std::uint8_t {
    type,
    name,
    value,
    timestamp,
    received_at,
    uuid,
    hostname,
    host,
    labels,
    to_table,
    to_json,
    other
  };
  struct KnownKey {
    const char* interned = nullptr;
    Field field = Field::other;
  };
  static constexpr std::size_t known_keys = 64;
  static constexpr std::size_t cached_strings = 256;

  static int index(lua_State* lua);
  static int to_table(lua_State* lua);
  static int to_json(lua_State* lua);
  static Messages& alive(lua_State* lua) {
    const auto& handle = *static_cast<const Handle*>(lua_touserdata(lua, 1));
    if (handle.call != handle.messages->call_) [[unlikely]]
      refuse_dead(lua);
    return *handle.messages;
  }
  [[noreturn]] static void refuse_dead(lua_State* lua);

  Field field_of(const char* key) const;
  static std::size_t place_of(const char* key) {
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(key) >> 4) % known_keys;
  }
  void push_string(lua_State* lua, std::uint32_t id);
  void push_value(lua_State* lua);
  void push_labels(lua_State* lua);
  void push_body_field(lua_State* lua, std::string_view key);
  std::string json() const;

  const BatchView* batch_ = nullptr;
  std::uint32_t row_ = 0;
  // Counts up at the beginning and the end of each call: a handle of another call is dead.
  std::uint64_t call_ = 0;
  Handle* shared_ = nullptr;
  std::array<KnownKey, known_keys> keys_{};
  // Which dictionary id stands in each place of the cache, which is a Lua table.
  std::array<std::uint32_t, cached_strings> cached_{};
  int metatable_ = LUA_NOREF;
  // The labels object of the call under way, once it was asked for.
  std::uint64_t labels_call_ = 0;
  int labels_ = LUA_NOREF;
};

bool is_msg(lua_State* lua, int index);
// msg.labels: an object of its own, which stays right after the msg is dead.
bool is_labels(lua_State* lua, int index);
// Pushes the table behind a labels object. It must not reach the script.
void push_labels_table(lua_State* lua, int index);

// Pushes one msgpack value, trees as fresh tables.
void push_msgpack(lua_State* lua, std::string_view value);

}  // namespace hastur
