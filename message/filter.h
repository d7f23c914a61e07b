#pragma once

// Which messages a subscription wants (DESIGN §4, Filters).
//
// A filter is written as a table by a script's author and travels as JSON. All of its keys must
// hold; an empty one matches everything. It is compiled once; what depends only on a name, a uuid,
// a host name or a label set is decided once per distinct one in a batch (message/router.h).
//
// An empty table may arrive as [] or as {}, since Lua does not tell them apart. The filter itself
// and `labels` may be one and ask nothing; elsewhere it is refused, since a reader could take it
// for "none of these". Conditions compare as JSON does: 5 is not "5", 1 is 1.0; an object or array
// equals nothing.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_fwd.h"
#include "core/result.h"
#include "message/message.h"

namespace hastur {

// '*' stands for any run of characters, anything else for itself. Linear in text + pattern.
bool wildcard_match(std::string_view pattern, std::string_view text);

// What one key of a filter asks of one JSON value. Immutable.
class Condition {
 public:
  // `wildcards`: '*' in strings is special. `ranges`: {above=…} is allowed, alone and within lists.
  // An error names what is wrong, without the key (the caller knows it).
  static Result<Condition> parse(const Json& spec, bool wildcards, bool ranges);

  // `value.kind` absent: the field does not exist.
  bool holds(const Value& value) const;

  // The one string that can satisfy it, if there is exactly one (then an index can find it).
  std::optional<std::string_view> exact_string() const;
  // All strings that can satisfy it, if they are finitely many and nothing but strings can; else
  // nothing.
  std::optional<std::vector<std::string_view>> exact_strings() const;

 private:
  enum class Kind : std::uint8_t { anything, equals, wildcard, exists, absent, any_of, range };

  Condition() = default;
  static Condition equal_to(const Json& scalar, bool wildcards);
  static Result<Condition> parse_range(const Json& spec);
  static Result<Condition> parse_list(const Json& spec, bool wildcards, bool ranges);

  Kind kind_ = Kind::anything;
  Value::Kind value_kind_ = Value::Kind::absent;
  double number_ = 0;
  std::string text_;
  std::vector<Condition> options_;
  std::optional<double> above_, below_, at_least_, at_most_;
};

class Filter {
 public:
  // Matches everything.
  Filter();

  // The error is a sentence that names the key, what it was given and what it takes; for an unknown
  // key, the known ones and the nearest.
  static Result<Filter> parse(const Json& spec);

  bool matches(const MessageView& message) const;

  // The parts, for an index: each says what it asks of one thing, absent if nothing.
  const std::optional<Condition>& name() const;
  const std::optional<Condition>& uuid() const;
  const std::optional<Condition>& hostname() const;
  bool labels_match(std::span<const Label> labels) const;
  bool asks_labels() const;
  // Whether `type` alone excludes it. Cheap.
  bool type_matches(MessageType type) const;
  // Whatever name, uuid, hostname, labels and type do not say: value, attn, subject, none_of. Only
  // value and fields of the message are looked at, unless asks_whole().
  bool rest_matches(const MessageView& message) const;
  bool asks_rest() const;
  // A none_of may look at anything.
  bool asks_whole() const;
  // What it asks under one of its keys, as canonical JSON; empty if nothing. Filters with equal
  // texts ask the same.
  std::string_view asked(std::string_view key) const;

  // For each key of the filter, whether it holds for `message` and what was found: for `explain`. A
  // label's key is "labels.KEY"; what was found is JSON, or "absent"; for none_of, which of its
  // filters match, counted from 1.
  struct Verdict {
    std::string key;
    bool holds = false;
    std::string found;
  };
  std::vector<Verdict> explain(const MessageView& message) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;  // shared by copies of the same filter; never changed
};

}  // namespace hastur
