#pragma once

// A message: one thing that a system reported, as it stands in the stream (DESIGN §4).
//
// There are two forms with the same fields. MessageView borrows every byte: it is what the door
// decodes a datagram into and what a Batch hands out, without an allocation. Message owns its
// bytes: for tests, files and whatever is not on the hot path. `fields` holds what has no column of
// its own (subject, data, timeout, unknown fields …) as one msgpack map with its keys sorted by
// bytes.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_fwd.h"
#include "core/time.h"
#include "message/ids.h"

namespace hastur {

// The number is Hastur's wire id. `tick` is ours: it carries stream time and nothing else.
enum class MessageType : std::uint8_t {
  event = 1,
  log = 2,
  ack = 3,
  error = 4,
  noop = 5,
  mark = 10,
  gauge = 11,
  counter = 12,
  compound = 13,
  reg_agent = 20,
  reg_process = 21,
  hb_agent = 30,
  hb_process = 31,
  info_process = 50,
  info_agent = 51,
  info_ohai = 52,
  tick = 255,
};

// The name that stands in JSON ("hb_process"). `ack` and `noop` have one too.
std::string_view type_name(MessageType type);
// Nothing for a name or id that no type has. "tick" is found.
std::optional<MessageType> type_from_name(std::string_view name);
std::optional<MessageType> type_from_wire_id(std::uint8_t id);
// Of an agent or a process: it says under which host name its sender is known from then on.
constexpr bool is_registration(MessageType type) {
  return type == MessageType::reg_agent || type == MessageType::reg_process;
}

// The fields of the body that a message of the type may have or lack, besides its labels: those of
// DESIGN §4. A sender that was not given one may write null for it, which is the same as to lack
// it. Empty for the types that have none.
std::span<const std::string_view> optional_fields(MessageType type);

// A JSON value as a message carries it. `tree` is an object or array.
struct Value {
  enum class Kind : std::uint8_t { absent, null, boolean, number, string, tree };

  Kind kind = Kind::absent;
  // The number; 1 or 0 for a boolean; otherwise 0.
  double number = 0;
  // string: its bytes; tree: one msgpack object; otherwise empty. Borrowed.
  std::string_view text;

  static Value of_null() { return {Kind::null, 0, {}}; }
  static Value of(double number) { return {Kind::number, number, {}}; }
  static Value of_boolean(bool truth) { return {Kind::boolean, truth ? 1.0 : 0.0, {}}; }
  static Value of(std::string_view text) { return {Kind::string, 0, text}; }
  static Value of_tree(std::string_view msgpack) { return {Kind::tree, 0, msgpack}; }

  // -0 equals 0, as in JSON's and Lua's comparison.
  friend bool operator==(const Value&, const Value&) = default;
};

// One entry of the one-level `labels` map; the value is never absent and never a tree.
struct Label {
  std::string_view key;
  Value value;
  friend bool operator==(const Label&, const Label&) = default;
};

// Who derived a message. Only the append socket can set it, never a field of a datagram.
struct Origin {
  std::string_view trigger;
  Run run;
  // The input that it was derived from, and its place among that input's effects, from 0.
  Sequence sequence;
  std::uint32_t ordinal = 0;
  // 1 for a message derived from messages that were not derived themselves.
  std::uint8_t depth = 0;
  // Derived by a replay, in place of what an earlier run derived from these inputs: for those who
  // read History; no trigger receives it.
  bool correction = false;
  friend bool operator==(const Origin&, const Origin&) = default;
};

// Depth and correction as one number, the form of batches, requests and the state file.
inline constexpr std::uint64_t correction_bit = 0x100;
constexpr std::uint64_t pack_depth(std::uint8_t depth, bool correction) {
  return depth | (correction ? correction_bit : 0);
}
constexpr std::uint8_t depth_of(std::uint64_t packed) { return packed & 0xFF; }
constexpr bool is_correction(std::uint64_t packed) { return (packed & correction_bit) != 0; }
inline constexpr std::uint64_t packed_depth_max = correction_bit | 0xFF;

struct MessageView {
  MessageType type = MessageType::noop;
  std::optional<std::string_view> name;
  Value value;
  // The sender's time; a tick's own time.
  Time timestamp;
  // When the syndicator heard it; never falls along the stream.
  Time received_at;
  // 36 lowercase characters; empty only in a tick.
  std::string_view uuid;
  // The sender's host name as last registered when the message was numbered.
  std::optional<std::string_view> hostname;
  // Sorted by key, no key twice.
  std::span<const Label> labels;
  // msgpack map, sorted by key; empty when the message has no other field.
  std::string_view fields;
  std::optional<Origin> origin;
  // A tick's own: how long the syndicator could not hear before it.
  Micros deaf{0};

  // The named label's value; nullptr if there is none.
  const Value* label(std::string_view key) const;
};

// Owns every byte of one message. Movable; views stay right across a move.
class Message {
 public:
  explicit Message(const MessageView& view);
  Message(const Message& other) : Message(other.view()) {}
  Message& operator=(const Message& other);
  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;

  // Valid while this object lives and is not assigned to.
  const MessageView& view() const { return view_; }

  // Field by field, bytes by bytes.
  friend bool operator==(const Message& a, const Message& b);

 private:
  // One block holds all bytes and the labels, so that moving the owner moves no byte.
  std::vector<std::string> kept_;
  std::vector<Label> labels_;
  MessageView view_;
};

bool same_message(const MessageView& a, const MessageView& b);

// The named entry of `fields`, or nothing. A nested value comes as JSON.
std::optional<Json> field_of(const MessageView& message, std::string_view key);

// The host name that a registration gives its sender's messages, borrowed from its fields; nothing
// if it names none, which an empty one is. Derived messages register nothing, and have no host name
// themselves: they come from a trigger.
std::optional<std::string_view> registered_hostname(const MessageView& message);

// A name that a trigger may have: parts of [A-Za-z0-9_.-] joined by '/', none empty, none "." or
// "..", at most 200 characters, and no last part `state` or `snapshots` (they are paths of the
// API). An error names what is wrong.
Result<void> check_trigger_name(std::string_view name);

// The uuid of a name, the same everywhere: version 5 (RFC 4122) in the DNS namespace.
std::string dns_uuid(std::string_view name);

// The uuid under which a trigger's derived messages stand: version 5 (RFC 4122), in the DNS
// namespace, of `NAME.trigger.hastur`.
std::string trigger_uuid(std::string_view trigger);

// Lowercases `text` into `out` if it is a uuid of 36 characters (8-4-4-4-12 hex digits); false
// otherwise.
bool normalise_uuid(std::string_view text, std::span<char, 36> out);

// Microseconds from an integer that may be seconds, milli-, micro- or nanoseconds, told apart by
// range (inclusive): 31536000…4102444800 are seconds, the next three decades of thousand ms, µs,
// ns. Nothing for what lies in none of them.
std::optional<Time> normalise_timestamp(std::int64_t number);

}  // namespace hastur
