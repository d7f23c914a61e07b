#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/json.h"
#include "core/number.h"
#include "message/json_codec.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

void append_integer(std::string& out, std::int64_t number) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

void append_finite(std::string& out, double number) {
  if (std::isfinite(number)) {
    append_number(out, number);
  } else {
    out += "null";
  }
}

// Appends the next value of `reader` as JSON. Depth is bounded by whoever checked the bytes.
void append_next(std::string& out, MsgpackReader& reader) {
  using Kind = MsgpackItem::Kind;
  MsgpackItem item;
  const bool whole = reader.next(item);
  HASTUR_CHECK(whole, "what a message carries is not msgpack");
  switch (item.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += item.truth ? "true" : "false";
      return;
    case Kind::integer:
      append_integer(out, item.integer);
      return;
    case Kind::unsigned_integer:
      fmt::format_to(std::back_inserter(out), "{}", item.unsigned_integer);
      return;
    case Kind::number:
      append_finite(out, item.number);
      return;
    case Kind::string:
    case Kind::bytes:
      append_json_string(out, item.text);
      return;
    case Kind::array:
      out += '[';
      for (std::uint32_t i = 0; i < item.size; ++i) {
        if (i > 0) out += ',';
        append_next(out, reader);
      }
      out += ']';
      return;
    case Kind::map:
      out += '{';
      for (std::uint32_t i = 0; i < item.size; ++i) {
        if (i > 0) out += ',';
        append_next(out, reader);
        out += ':';
        append_next(out, reader);
      }
      out += '}';
      return;
  }
}

void append_value(std::string& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::absent:
    case Value::Kind::null:
      out += "null";
      return;
    case Value::Kind::boolean:
      out += value.number != 0 ? "true" : "false";
      return;
    case Value::Kind::number:
      append_finite(out, value.number);
      return;
    case Value::Kind::string:
      append_json_string(out, value.text);
      return;
    case Value::Kind::tree: {
      MsgpackReader reader(value.text);
      append_next(out, reader);
      return;
    }
  }
}

void append_labels(std::string& out, std::span<const Label> labels) {
  out += '{';
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, labels[i].key);
    out += ':';
    append_value(out, labels[i].value);
  }
  out += '}';
}

void append_origin(std::string& out, const Origin& origin) {
  out += '{';
  if (origin.correction) out += R"("correction":true,)";
  fmt::format_to(std::back_inserter(out),
                 R"("depth":{},"ordinal":{},"run":{},"sequence":{},"trigger":)", origin.depth,
                 origin.ordinal, origin.run.value, origin.sequence.value);
  append_json_string(out, origin.trigger);
  out += '}';
}

void append_tick(std::string& out, const MessageView& tick, std::optional<Sequence> sequence) {
  fmt::format_to(std::back_inserter(out), R"({{"deaf":{},)", tick.deaf.count());
  if (sequence) fmt::format_to(std::back_inserter(out), R"("seq":{},)", sequence->value);
  fmt::format_to(std::back_inserter(out), R"("time":{},"type":"tick"}})", to_us(tick.timestamp));
}

// Merges the entries of `fields`, which are sorted, with the message's own, which come sorted too.
class ObjectWriter {
 public:
  ObjectWriter(std::string& out, std::string_view fields) : out_(out), reader_(fields) {
    out_ += '{';
    if (fields.empty()) return;
    MsgpackItem map;
    HASTUR_CHECK(reader_.next(map) && map.kind == MsgpackItem::Kind::map,
                 "a message's fields are no msgpack map");
    left_ = map.size;
    read_key();
  }

  // Writes what comes before `key` and the key; the value is to follow.
  void own(std::string_view key) {
    leave_out(key);
    append_key(key);
  }

  // The sender's own field of this name stays out.
  void leave_out(std::string_view key) {
    while (has_field_ && field_ < key) append_field();
    if (has_field_ && field_ == key) pass_over_field();
  }

  void finish() {
    while (has_field_) append_field();
    out_ += '}';
  }

 private:
  void append_key(std::string_view key) {
    if (out_.back() != '{') out_ += ',';
    append_json_string(out_, key);
    out_ += ':';
  }
  void append_field() {
    append_key(field_);
    append_next(out_, reader_);
    read_key();
  }
  void pass_over_field() {
    std::string_view value;
    HASTUR_CHECK(reader_.skip(value), "what a message carries is not msgpack");
    read_key();
  }
  void read_key() {
    has_field_ = left_ > 0;
    if (!has_field_) return;
    --left_;
    MsgpackItem key;
    HASTUR_CHECK(reader_.next(key), "what a message carries is not msgpack");
    field_ = key.text;
  }

  std::string& out_;
  MsgpackReader reader_;
  std::uint32_t left_ = 0;
  bool has_field_ = false;
  std::string_view field_;
};

}  // namespace

void append_message_json(std::string& out, const MessageView& message,
                         std::optional<Sequence> sequence) {
  if (message.type == MessageType::tick) return append_tick(out, message, sequence);
  ObjectWriter object(out, message.fields);
  if (message.hostname && !is_registration(message.type)) {
    object.own("hostname");
    append_json_string(out, *message.hostname);
  } else if (!is_registration(message.type)) {
    // A reader of recordings would take it for what the stream knew.
    object.leave_out("hostname");
  }
  if (!message.labels.empty()) {
    object.own("labels");
    append_labels(out, message.labels);
  }
  if (message.name) {
    object.own("name");
    append_json_string(out, *message.name);
  }
  if (message.origin) {
    object.own("origin");
    append_origin(out, *message.origin);
  }
  if (message.received_at != Time{}) {
    object.own("received_at");
    append_integer(out, to_us(message.received_at));
  }
  if (sequence) {
    object.own("seq");
    fmt::format_to(std::back_inserter(out), "{}", sequence->value);
  }
  object.own("timestamp");
  append_integer(out, to_us(message.timestamp));
  object.own("type");
  append_json_string(out, type_name(message.type));
  object.own("uuid");
  append_json_string(out, message.uuid);
  if (message.value.kind != Value::Kind::absent) {
    object.own("value");
    append_value(out, message.value);
  }
  object.finish();
}

Json message_to_json(const MessageView& message) {
  std::string text;
  append_message_json(text, message);
  // Own text: it parses, and nests no deeper than what was decoded.
  return Json::parse(text);
}

Message refused_message(const JsonDecoder::Refused& refused, std::string_view original,
                        std::string_view uuid, Time received_at) {
  constexpr std::size_t shown_max = 1024;
  std::string error;
  append_utf8(error, refused.text);
  std::string data;
  append_utf8(data, original.substr(0, shown_max));
  std::string fields;
  MsgpackWriter writer(fields);
  writer.map(3);
  writer.string("class");
  writer.string("undecodable");
  writer.string("data");
  writer.string(data);
  writer.string("error");
  writer.string(error);

  MessageView message;
  message.type = MessageType::error;
  message.timestamp = received_at;
  message.received_at = received_at;
  message.uuid = uuid;
  message.fields = fields;
  return Message(message);
}

}  // namespace hastur
