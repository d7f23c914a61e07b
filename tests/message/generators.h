#pragma once

// Generated messages for property tests: every type with the fields that DESIGN §4 gives it,
// labels, unknown fields, host names, origins. Names and hosts come from small sets, so that
// dictionaries repeat and filters hit.

#include <rapidcheck.h>

#include <array>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "core/json.h"
#include "message/message.h"

namespace hastur::testing {

// What a generated Message is built from; keeps the bytes that a view borrows.
struct MessageParts {
  MessageType type = MessageType::gauge;
  std::optional<std::string> name;
  // discarded where the type has no value
  Json value = Json::value_t::discarded;
  std::int64_t timestamp_us = 0;
  std::int64_t received_us = 0;
  std::string uuid;
  std::optional<std::string> hostname;
  std::map<std::string, Json> labels;
  Json fields = Json::object();
  struct From {
    std::string trigger;
    std::uint64_t run = 1;
    std::uint64_t sequence = 1;
    std::uint32_t ordinal = 0;
    std::uint8_t depth = 1;
    bool correction = false;
  };
  std::optional<From> origin;
  std::int64_t deaf_us = 0;
};

std::string to_msgpack(const Json& json);

// `text` receives the bytes of a tree; strings borrow from `json`.
Value value_of_json(const Json& json, std::string& text);

Message build_message(const MessageParts& parts);

// Short texts, mostly of a small set; some empty, not ASCII, or in need of escapes. Always UTF-8.
rc::Gen<std::string> gen_text();

rc::Gen<std::string> gen_name();

rc::Gen<std::string> gen_uuid();

// Finite; small whole ones often, so that they meet filters' bounds.
rc::Gen<double> gen_number();

rc::Gen<Json> gen_scalar();

// An object or array of at most 4 elements a level. Containers are drawn by hand: rapidcheck's own
// grow to a hundred elements a level, which makes trees of trees explode.
rc::Gen<Json> gen_tree(int depth = 2);

rc::Gen<std::map<std::string, Json>> gen_labels();

// One of the types that stand in a stream, ticks excepted.
rc::Gen<MessageType> gen_type();

// The own fields of a type (DESIGN §4). Registrations bear their host name in `fields`, as their
// JSON does.
void add_own_fields(MessageParts& parts);

rc::Gen<MessageParts> gen_parts();

// A message that the door could have decoded: no tick, no origin.
rc::Gen<Message> gen_message();

// Anything that may stand in a batch: derived messages and ticks too.
rc::Gen<Message> gen_row();

// At most 16 rows; received_at never falls along them, as in a stream.
rc::Gen<std::vector<Message>> gen_rows();

}  // namespace hastur::testing

namespace hastur {

// rapidcheck prints a counterexample with this.
void showValue(const Message& message, std::ostream& out);

}  // namespace hastur
