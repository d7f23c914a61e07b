#include "trigger-runtime/vm/msg_object.h"

#include <bit>

#include "message/json_codec.h"
#include "message/msgpack.h"
#include "trigger-runtime/vm/lua_json.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

// Addresses of these are the keys of the two metatables in the registry.
char msg_kind;
char labels_kind;

// Longer strings are made anew each time rather than held by the cache.
constexpr std::size_t cached_length_max = 512;

bool is_kind(lua_State* lua, int index, void* kind) {
  if (lua_type(lua, index) != LUA_TUSERDATA || lua_getmetatable(lua, index) == 0) return false;
  lua_pushlightuserdata(lua, kind);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  const bool same = lua_rawequal(lua, -1, -2) != 0;
  lua_pop(lua, 2);
  return same;
}

int refuse_write(lua_State* lua) {
  raise(lua, "a message is read-only: keep what you need in ctx.state");
}

int labels_index(lua_State* lua) {
  lua_getfenv(lua, 1);
  lua_pushvalue(lua, 2);
  lua_rawget(lua, -2);
  return 1;
}

int labels_equal(lua_State* lua) {
  // Two objects of the same labels are equal, however often they were made.
  Vm& vm = vm_of(lua);
  std::string texts[2];
  for (int i = 0; i < 2; ++i) {
    if (vm.writer.write(lua, i + 1, LuaJsonWriter::Form::effect, "labels", SIZE_MAX / 4, texts[i]))
      return 0;
  }
  lua_pushboolean(lua, texts[0] == texts[1]);
  return 1;
}

void push_label_value(lua_State* lua, const Value& value) {
  switch (value.kind) {
    case Value::Kind::boolean:
      lua_pushboolean(lua, value.number != 0);
      return;
    case Value::Kind::number:
      lua_pushnumber(lua, value.number);
      return;
    case Value::Kind::string:
      push_text(lua, value.text);
      return;
    default:
      push_null(lua);
      return;
  }
}

void push_item(lua_State* lua, MsgpackReader& reader) {
  MsgpackItem item;
  luaL_checkstack(lua, 4, "a message is nested too deep");
  HASTUR_CHECK(reader.next(item), "a batch that was checked holds bytes that are no msgpack");
  switch (item.kind) {
    case MsgpackItem::Kind::null:
      push_null(lua);
      return;
    case MsgpackItem::Kind::boolean:
      lua_pushboolean(lua, item.truth);
      return;
    case MsgpackItem::Kind::integer:
    case MsgpackItem::Kind::unsigned_integer:
    case MsgpackItem::Kind::number:
      lua_pushnumber(lua, item.number);
      return;
    case MsgpackItem::Kind::string:
    case MsgpackItem::Kind::bytes:
      push_text(lua, item.text);
      return;
    case MsgpackItem::Kind::array:
      lua_createtable(lua, static_cast<int>(item.size), 0);
      for (std::uint32_t i = 1; i <= item.size; ++i) {
        push_item(lua, reader);
        lua_rawseti(lua, -2, static_cast<int>(i));
      }
      return;
    case MsgpackItem::Kind::map:
      lua_createtable(lua, 0, static_cast<int>(item.size));
      for (std::uint32_t i = 0; i < item.size; ++i) {
        push_item(lua, reader);
        push_item(lua, reader);
        lua_rawset(lua, -3);
      }
      return;
  }
}

}  // namespace

bool is_msg(lua_State* lua, int index) { return is_kind(lua, index, &msg_kind); }
bool is_labels(lua_State* lua, int index) { return is_kind(lua, index, &labels_kind); }
void push_labels_table(lua_State* lua, int index) { lua_getfenv(lua, index); }

void push_msgpack(lua_State* lua, std::string_view value) {
  // Building tables is work in proportion to the bytes.
  vm_of(lua).budget.charge(lua, value.size() / 8);
  MsgpackReader reader(value);
  push_item(lua, reader);
}

void Messages::install(lua_State* lua) {
  constexpr std::pair<const char*, Field> fields[] = {
      {"type", Field::type},
      {"name", Field::name},
      {"value", Field::value},
      {"timestamp", Field::timestamp},
      {"received_at", Field::received_at},
      {"uuid", Field::uuid},
      {"hostname", Field::hostname},
      {"host", Field::host},
      {"labels", Field::labels},
      {"to_table", Field::to_table},
      {"to_json", Field::to_json},
  };
  // __index has the cache of strings, then the two methods as upvalues.
  lua_newtable(lua);  // metatable
  lua_createtable(lua, static_cast<int>(cached_strings), 0);
  for (std::size_t i = 1; i <= cached_strings; ++i) {
    lua_pushboolean(lua, 0);
    lua_rawseti(lua, -2, static_cast<int>(i));
  }
  lua_pushcfunction(lua, to_table);
  lua_pushcfunction(lua, to_json);
  lua_pushcclosure(lua, index, 3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_write);
  lua_setfield(lua, -2, "__newindex");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  // The interned keys stay where they are as long as something holds them.
  for (const auto& [name, field] : fields) {
    lua_pushstring(lua, name);
    const char* interned = lua_tostring(lua, -1);
    luaL_ref(lua, LUA_REGISTRYINDEX);
    std::size_t place = place_of(interned);
    while (keys_[place].interned != nullptr) place = (place + 1) % known_keys;
    keys_[place] = {interned, field};
  }
  lua_pushlightuserdata(lua, &msg_kind);
  lua_pushvalue(lua, -2);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  metatable_ = luaL_ref(lua, LUA_REGISTRYINDEX);

  lua_newtable(lua);
  lua_pushcfunction(lua, labels_index);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_write);
  lua_setfield(lua, -2, "__newindex");
  lua_pushcfunction(lua, labels_equal);
  lua_setfield(lua, -2, "__eq");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_pushlightuserdata(lua, &labels_kind);
  lua_insert(lua, -2);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  lua_pushboolean(lua, 0);
  labels_ = luaL_ref(lua, LUA_REGISTRYINDEX);

  cached_.fill(BatchView::none);
  push_own(lua);
  shared_ = static_cast<Handle*>(lua_touserdata(lua, -1));
}

void Messages::push_own(lua_State* lua) {
  auto* handle = static_cast<Handle*>(lua_newuserdata(lua, sizeof(Handle)));
  *handle = {this, call_};
  lua_rawgeti(lua, LUA_REGISTRYINDEX, metatable_);
  lua_setmetatable(lua, -2);
}

void Messages::begin_batch(const BatchView& batch) {
  batch_ = &batch;
  cached_.fill(BatchView::none);
}

void Messages::refuse_dead(lua_State* lua) {
  raise(lua,
        "this msg is dead: a message can be read only in its own callback (keep what you need in "
        "ctx.state)");
}

Messages::Field Messages::field_of(const char* key) const {
  for (std::size_t place = place_of(key);; place = (place + 1) % known_keys) {
    if (keys_[place].interned == key) return keys_[place].field;
    if (keys_[place].interned == nullptr) return Field::other;
  }
}

int Messages::index(lua_State* lua) {
  Messages& self = alive(lua);
  std::size_t size = 0;
  const char* key = lua_tolstring(lua, 2, &size);
  if (key == nullptr) return 0;
  const BatchView& batch = *self.batch_;
  const std::uint32_t row = self.row_;
  switch (self.field_of(key)) {
    case Field::value:
      self.push_value(lua);
      return 1;
    case Field::name:
      self.push_string(lua, batch.names()[row]);
      return 1;
    case Field::uuid:
      self.push_string(lua, batch.uuids()[row]);
      return 1;
    case Field::timestamp:
      lua_pushnumber(lua, static_cast<double>(batch.timestamps()[row]));
      return 1;
    case Field::received_at:
      lua_pushnumber(lua, static_cast<double>(batch.received_ats()[row]));
      return 1;
    case Field::labels:
      self.push_labels(lua);
      return 1;
    case Field::type:
      push_text(lua, type_name(static_cast<MessageType>(batch.types()[row])));
      return 1;
    case Field::host: {
      const std::uint32_t hostname = batch.hostnames()[row];
      self.push_string(lua, hostname != BatchView::none ? hostname : batch.uuids()[row]);
      return 1;
    }
    case Field::hostname:
      if (batch.hostnames()[row] != BatchView::none) {
        self.push_string(lua, batch.hostnames()[row]);
      } else {
        self.push_body_field(lua, {key, size});
      }
      return 1;
    case Field::to_table:
      lua_pushvalue(lua, lua_upvalueindex(2));
      return 1;
    case Field::to_json:
      lua_pushvalue(lua, lua_upvalueindex(3));
      return 1;
    case Field::other:
      self.push_body_field(lua, {key, size});
      return 1;
  }
  return 0;
}

void Messages::push_string(lua_State* lua, std::uint32_t id) {
  if (id == BatchView::none) {
    lua_pushnil(lua);
    return;
  }
  const std::size_t place = id % cached_strings;
  if (cached_[place] == id) {
    lua_rawgeti(lua, lua_upvalueindex(1), static_cast<int>(place + 1));
    return;
  }
  const std::string_view text = batch_->string(id);
  push_text(lua, text);
  if (text.size() > cached_length_max) return;
  lua_pushvalue(lua, -1);
  lua_rawseti(lua, lua_upvalueindex(1), static_cast<int>(place + 1));
  cached_[place] = id;
}

void Messages::push_value(lua_State* lua) {
  const std::uint64_t bits = batch_->values()[row_];
  switch (static_cast<Value::Kind>(batch_->value_kinds()[row_])) {
    case Value::Kind::absent:
      lua_pushnil(lua);
      return;
    case Value::Kind::null:
      push_null(lua);
      return;
    case Value::Kind::boolean:
      lua_pushboolean(lua, std::bit_cast<double>(bits) != 0);
      return;
    case Value::Kind::number:
      lua_pushnumber(lua, std::bit_cast<double>(bits));
      return;
    case Value::Kind::string:
      push_string(lua, static_cast<std::uint32_t>(bits));
      return;
    case Value::Kind::tree:
      push_msgpack(lua, batch_->blob(static_cast<std::uint32_t>(bits)));
      return;
  }
}

void Messages::push_labels(lua_State* lua) {
  if (labels_call_ == call_) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, labels_);
    return;
  }
  lua_newuserdata(lua, 0);
  const std::uint32_t set = batch_->labels()[row_];
  const std::uint32_t count = batch_->label_count(set);
  lua_createtable(lua, 0, static_cast<int>(count));
  for (std::uint32_t i = 0; i < count; ++i) {
    push_string(lua, batch_->label_key_id(set, i));
    if (const std::uint32_t text = batch_->label_value_id(set, i); text != BatchView::none) {
      push_string(lua, text);
    } else {
      push_label_value(lua, batch_->label(set, i).value);
    }
    lua_rawset(lua, -3);
  }
  lua_setfenv(lua, -2);
  lua_pushlightuserdata(lua, &labels_kind);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  lua_setmetatable(lua, -2);
  lua_pushvalue(lua, -1);
  lua_rawseti(lua, LUA_REGISTRYINDEX, labels_);
  labels_call_ = call_;
}

void Messages::push_body_field(lua_State* lua, std::string_view key) {
  const std::uint32_t fields = batch_->fields()[row_];
  if (fields != BatchView::none) {
    // The field is looked for from the first on.
    vm_of(lua).budget.charge(lua, batch_->blob(fields).size() / 64);
    if (const auto value = find_in_msgpack(batch_->blob(fields), key)) {
      push_msgpack(lua, *value);
      return;
    }
  }
  lua_pushnil(lua);
}

std::string Messages::json() const {
  std::vector<Label> labels;
  std::string out;
  append_message_json(out, batch_->message(row_, labels));
  return out;
}

int Messages::to_json(lua_State* lua) {
  if (!is_msg(lua, 1)) raise(lua, "call it as msg:to_json(), with a colon");
  const std::string text = alive(lua).json();
  vm_of(lua).budget.charge(lua, text.size() / 8);
  push_text(lua, text);
  return 1;
}

int Messages::to_table(lua_State* lua) {
  if (!is_msg(lua, 1)) raise(lua, "call it as msg:to_table(), with a colon");
  const std::string text = alive(lua).json();
  vm_of(lua).budget.charge(lua, text.size() / 4);
  HASTUR_CHECK(push_json(lua, text), "a message's JSON cannot be read back");
  return 1;
}

}  // namespace hastur
