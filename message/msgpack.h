#pragma once

// The one wrapper of MessagePack: a writer, and a reader that walks bytes in place without
// allocating.
//
// The writer stands on msgpack-cxx. The reader is our own: the library's parser pushes into a
// visitor and keeps a stack on the heap, whereas scripts and filters pull single entries out of a
// message's `fields`. Both cover what JSON knows, and byte strings for frames; a key of a map is
// always a string.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "message/message.h"

namespace hastur {

// Values nest no deeper; as in parse_json.
inline constexpr int msgpack_depth_max = 128;

class MsgpackWriter {
 public:
  // Appends to `out`, which outlives the writer.
  explicit MsgpackWriter(std::string& out) : out_(out) {}

  void null();
  void boolean(bool truth);
  // The shortest integer form.
  void integer(std::int64_t number);
  void unsigned_integer(std::uint64_t number);
  // Always 8 bytes of IEEE 754.
  void number(double number);
  void string(std::string_view text);
  void bytes(std::string_view bytes);
  // Followed by `size` values.
  void array(std::uint32_t size);
  // Followed by `size` pairs of a string and a value.
  void map(std::uint32_t size);
  // One value that is msgpack already.
  void raw(std::string_view value) { out_ += value; }

 private:
  std::string& out_;
};

struct MsgpackItem {
  // integer: fits std::int64_t. unsigned_integer: only those above its range.
  enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    unsigned_integer,
    number,
    string,
    bytes,
    array,
    map
  };

  Kind kind = Kind::null;
  bool truth = false;
  std::int64_t integer = 0;
  std::uint64_t unsigned_integer = 0;
  // The value of all three kinds of number, rounded where a double cannot hold it.
  double number = 0;
  // string, bytes: borrowed from what is read.
  std::string_view text;
  // array: its elements, map: its pairs; they follow one by one.
  std::uint32_t size = 0;
};

// Reads item after item. Never reads past the end, whatever the bytes are.
class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  // The next item; of an array or map only its head. False if the bytes end within it or are none
  // that we know (extension types); then nothing more can be read.
  [[nodiscard]] bool next(MsgpackItem& item);

  // Passes over one whole value and sets `value` to its bytes. False as above.
  [[nodiscard]] bool skip(std::string_view& value);

 private:
  std::string_view rest_;
};

// Whether `bytes` are exactly one value as JSON knows it: no byte strings, no extensions, no number
// that is not finite, keys that are strings, nested no deeper than msgpack_depth_max.
bool is_json_msgpack(std::string_view bytes);

// Whether well-formed `bytes` are a map whose keys are sorted by bytes, none twice: what `fields`
// of a message is.
bool is_sorted_msgpack_map(std::string_view bytes);

// The bytes of the entry `key` of a map with sorted keys, or nothing. `map` may be empty, as
// `fields` may.
std::optional<std::string_view> find_in_msgpack(std::string_view map, std::string_view key);

// What one checked value says: a map or array becomes a tree. The text borrows from `value`.
Value value_of_msgpack(std::string_view value);

}  // namespace hastur
