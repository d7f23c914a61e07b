// hastur.gauge, counter, mark, event, heartbeat, compound: messages that a trigger derives.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/msgpack.h"
#include "trigger-runtime/vm/api.h"
#include "trigger-runtime/vm/constants.h"
#include "trigger-runtime/vm/sandbox.h"
#include "trigger-runtime/vm/utf8_keys.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

constexpr std::size_t labels_max = 64;

double number_argument(lua_State* lua, int index, std::string_view function,
                       std::string_view argument) {
  if (lua_type(lua, index) != LUA_TNUMBER) {
    raise(lua,
          fmt::format("{}: {} must be a number, got {}", function, argument, describe(lua, index)));
  }
  const double number = lua_tonumber(lua, index);
  if (!std::isfinite(number)) raise(lua, fmt::format("{}: {} is not finite", function, argument));
  return number;
}

Value label_value(lua_State* lua, std::string_view function, std::string_view key) {
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
      return Value::of(text_at(lua, -1));
    case LUA_TNUMBER:
      return Value::of(number_argument(lua, -1, function, fmt::format("labels.{}", key)));
    case LUA_TBOOLEAN:
      return Value::of_boolean(lua_toboolean(lua, -1) != 0);
    case LUA_TLIGHTUSERDATA:
      return Value::of_null();
    default:
      raise(lua, fmt::format("{}: labels.{} must be a string, number or boolean, got {}", function,
                             key, describe(lua, -1)));
  }
}

// Collects a message; its texts stand on the Lua stack until it is sent.
class Derived {
 public:
  Derived(lua_State* lua, MessageType type, std::string_view function)
      : lua_(lua), vm_(vm_of(lua)), function_(function) {
    require_callback(lua, fmt::format("{} is", function));
    if (vm_.effects.depth() > derived_depth_max) {
      raise(lua, fmt::format("{}: this message was derived {} times over; more is refused, since "
                             "triggers that feed "
                             "one another would never end",
                             function, derived_depth_max));
    }
    view_.type = type;
    view_.name = counted(text_argument(lua, 1, function, "the name"));
    if (view_.name->empty()) raise(lua, fmt::format("{}: the name is empty", function));
    view_.timestamp = vm_.effects.event_time();
    view_.received_at = vm_.effects.now();
    view_.uuid = vm_.uuid;
  }

  void value(const Value& value) { view_.value = value; }
  void fields(std::string_view msgpack) { view_.fields = msgpack; }

  void labels(int index) {
    labels_.push_back({"trigger", Value::of(vm_.name)});
    open_frozen(lua_, index);
    if (!lua_isnoneornil(lua_, index)) {
      if (is_labels(lua_, index)) {
        push_labels_table(lua_, index);
        lua_replace(lua_, index);
      } else if (!lua_istable(lua_, index)) {
        raise(lua_,
              fmt::format("{}: labels must be a table, got {}", function_, describe(lua_, index)));
      }
      own_labels(index);
    }
    std::ranges::sort(labels_, {}, &Label::key);
    view_.labels = labels_;
  }

  // In the order of the keys, so that of several faults every VM tells the same.
  void own_labels(int index) {
    std::array<std::string_view, labels_max> keys;
    std::size_t count = 0;
    bool texts = true;
    lua_pushnil(lua_);
    while (lua_next(lua_, index) != 0) {
      lua_pop(lua_, 1);
      const bool text = is_text(lua_, -1);
      texts = texts && text;
      if (text && text_at(lua_, -1) == "trigger") continue;
      // One of them is the platform's.
      if (count + 1 == labels_max)
        raise(lua_, fmt::format("{}: more than {} labels", function_, labels_max));
      keys[count++] = text ? text_at(lua_, -1) : std::string_view{};
    }
    if (!texts) raise(lua_, fmt::format("{}: the keys of labels must be strings", function_));
    std::sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      lua_pushlstring(lua_, keys[i].data(), keys[i].size());
      lua_rawget(lua_, index);
      const Value value = label_value(lua_, function_, keys[i]);
      labels_.push_back({counted(keys[i]), value});
      counted(value.text);
      lua_pop(lua_, 1);
    }
    make_keys_utf8(labels_, repaired_);
  }

  // Every text that goes into the message is counted before it is copied.
  std::string_view counted(std::string_view text) {
    bytes_ += text.size();
    if (bytes_ > effect_bytes_max) refuse_large();
    return text;
  }

  // Counts work that the bytes of the message do not show.
  void charge(std::uint64_t instructions) { vm_.budget.charge(lua_, instructions); }

  int send() {
    // Work that is left out costs what it has cost so far.
    vm_.budget.charge(lua_, bytes_ / 8 + labels_.size());
    if (!vm_.effects.room_for_message(bytes_)) return 0;
    std::string payload;
    append_message_json(payload, view_);
    if (payload.size() > effect_bytes_max) refuse_large();
    if (!vm_.effects.room_for_message(payload.size())) return 0;
    vm_.effects.add_message(std::move(payload));
    return 0;
  }

 private:
  [[noreturn]] void refuse_large() {
    raise(lua_, fmt::format("{}: the message is larger than 256 KiB", function_));
  }

  lua_State* lua_;
  Vm& vm_;
  std::string_view function_;
  std::size_t bytes_ = 0;
  MessageView view_;
  std::vector<Label> labels_;
  std::deque<std::string> repaired_;  // never moved: labels_ points into it
};

// (name, value, labels)
int gauge(lua_State* lua) {
  Derived message(lua, MessageType::gauge, "hastur.gauge");
  message.value(Value::of(number_argument(lua, 2, "hastur.gauge", "the value")));
  message.labels(3);
  return message.send();
}

// (name, value or nil for 1, labels)
int counter(lua_State* lua) {
  Derived message(lua, MessageType::counter, "hastur.counter");
  message.value(Value::of(
      lua_isnoneornil(lua, 2) ? 1 : number_argument(lua, 2, "hastur.counter", "the value")));
  message.labels(3);
  return message.send();
}

// (name, value or nil, labels)
int mark(lua_State* lua) {
  Derived message(lua, MessageType::mark, "hastur.mark");
  message.value(
      lua_isnoneornil(lua, 2) || is_null(lua, 2)
          ? Value::of_null()
          : Value::of(message.counted(text_argument(lua, 2, "hastur.mark", "the value"))));
  message.labels(3);
  return message.send();
}

// (name, subject, body, attn, labels)
int event(lua_State* lua) {
  Derived message(lua, MessageType::event, "hastur.event");
  std::string fields;
  MsgpackWriter writer(fields);
  lua_settop(lua, 5);
  std::vector<std::string_view> attn;
  open_frozen(lua, 4);
  if (!lua_isnil(lua, 4)) {
    if (!lua_istable(lua, 4))
      raise(lua, "hastur.event: attn must be a list of strings, got " + describe(lua, 4));
    for (int i = 1;; ++i) {
      lua_rawgeti(lua, 4, i);
      if (lua_isnil(lua, -1)) break;
      if (i > 1'000) raise(lua, "hastur.event: attn has more than 1,000 entries");
      message.charge(8);
      if (!is_text(lua, -1))
        raise(lua,
              fmt::format("hastur.event: attn[{}] must be a string, got {}", i, describe(lua, -1)));
      attn.push_back(message.counted(text_at(lua, -1)));
      lua_pop(lua, 1);
    }
    lua_settop(lua, 5);
  }
  const bool with_subject = !lua_isnil(lua, 2);
  const bool with_body = !lua_isnil(lua, 3);
  writer.map(1 + (with_subject ? 1 : 0) + (with_body ? 1 : 0));
  writer.string("attn");
  writer.array(static_cast<std::uint32_t>(attn.size()));
  for (const std::string_view one : attn) writer.string(one);
  if (with_body) {
    writer.string("body");
    writer.string(message.counted(text_argument(lua, 3, "hastur.event", "the body")));
  }
  if (with_subject) {
    writer.string("subject");
    writer.string(message.counted(text_argument(lua, 2, "hastur.event", "the subject")));
  }
  message.fields(fields);
  message.labels(5);
  return message.send();
}

// (name, value or nil, timeout in seconds or nil, labels); labels may stand third.
int heartbeat(lua_State* lua) {
  Derived message(lua, MessageType::hb_process, "hastur.heartbeat");
  lua_settop(lua, 4);
  open_frozen(lua, 3);
  if (lua_istable(lua, 3) || is_labels(lua, 3)) lua_insert(lua, 3);
  std::string fields;
  if (!lua_isnil(lua, 2))
    message.value(Value::of(number_argument(lua, 2, "hastur.heartbeat", "the value")));
  if (lua_type(lua, 3) == LUA_TNUMBER) {
    MsgpackWriter writer(fields);
    writer.map(1);
    writer.string("timeout");
    writer.number(number_argument(lua, 3, "hastur.heartbeat", "the timeout"));
  } else if (!lua_isnil(lua, 3)) {
    raise(lua,
          "hastur.heartbeat: the timeout must be a number of seconds, got " + describe(lua, 3));
  }
  message.fields(fields);
  message.labels(4);
  return message.send();
}

// (name, table, labels)
int compound(lua_State* lua) {
  Derived message(lua, MessageType::compound, "hastur.compound");
  open_frozen(lua, 2);
  if (!lua_istable(lua, 2))
    raise(lua, "hastur.compound: the value must be a table, got " + describe(lua, 2));
  std::string text;
  if (const auto fault = vm_of(lua).writer.write(lua, 2, LuaJsonWriter::Form::effect, "the value",
                                                 effect_bytes_max, text)) {
    raise(lua, "hastur.compound: " + *fault);
  }
  const Result<Json> json = parse_json(text);
  HASTUR_CHECK(json.has_value(), "a table's JSON cannot be read back");
  std::string tree;
  Json::to_msgpack(*json, tree);
  message.value(Value::of_tree(tree));
  message.labels(3);
  return message.send();
}

}  // namespace

void add_derived_functions(lua_State* lua) {
  add_function(lua, "gauge", gauge);
  add_function(lua, "counter", counter);
  add_function(lua, "mark", mark);
  add_function(lua, "event", event);
  add_function(lua, "heartbeat", heartbeat);
  add_function(lua, "hb_process", heartbeat);
  add_function(lua, "compound", compound);
}

}  // namespace hastur
