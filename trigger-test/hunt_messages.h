#pragma once

// Messages that a trigger's own filters let through, for the hunt.
//
// What is made could come from a real sender: a message has what its type cannot be without
// (docs/formats/messages.md) and what the filter asks; anything else it may have or lack. Labels
// that the script reads but does not ask for are sometimes absent, and a label that may be anything
// is sometimes a text where the script expects a number, an empty text, or a number. Texts are
// often those that the script compares with, and sometimes long, or of letters of several bytes. A
// label is a whole number if those of tests are, or if the filter's ends are and the script looks
// something up by it. What no sender is known to send
// (labels that are null or a boolean, a tree whose shape only its sender knows) is made only when
// it is asked for.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "message/filter.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-test/dice.h"
#include "trigger-test/script_words.h"

namespace hastur {

class MessageMaker {
 public:
  enum class Kind : std::uint8_t {
    // As senders send them: an error that one causes is the script's.
    real,
    // Anything that the wire admits.
    odd,
  };

  // `examples`: messages of tests and recordings, as JSON. All outlive it.
  MessageMaker(const std::vector<SubscriptionSpec>& subscriptions, const ScriptWords& words,
               const std::vector<Json>& examples);

  std::size_t subscriptions() const { return subscriptions_.size(); }
  // Whether what the trigger derives comes back to it: then each input is fed alone, which takes
  // long.
  bool takes_own() const { return takes_own_; }
  // Whether messages for it can be made whose shape is sure.
  bool has_real(std::size_t subscription) const;

  // Whether any number may stand for the value of a message: no filter that takes it says which,
  // and neither tests nor the script say that it is a whole one.
  bool has_free_value(const Json& message) const;

  // The fields of a message without its times; nothing if none was found that the filter takes.
  std::optional<Json> make(std::size_t subscription, Kind kind, Dice& dice) const;
  // Gives it a value that sums are not exact of. False, and nothing has changed, if it has no
  // number, or no filter takes such a one.
  bool make_inexact(Json& message, Dice& dice) const;

 private:
  struct Subscription {
    std::vector<MessageType> types;
    Json spec;
    Filter filter;
    // Of `examples`, those that it takes.
    std::vector<const Json*> examples;
    // Paths of what is known to be a whole number if it is one: "value", "labels.shard".
    std::set<std::string> whole;
  };

  std::set<std::string> whole_ones(const Subscription& subscription) const;

  Json draw(const Subscription& subscription, Kind kind, Dice& dice) const;
  Json new_message(const Subscription& subscription, MessageType type, Dice& dice) const;
  void add_own_fields(Json& message, MessageType type, Dice& dice) const;
  void vary(Json& message, const Subscription& subscription, Kind kind, Dice& dice) const;
  void vary_value(Json& message, const Subscription& subscription, Dice& dice) const;
  void vary_fields(Json& message, const Subscription& subscription, Dice& dice) const;
  void vary_labels(Json& message, const Subscription& subscription, Kind kind, Dice& dice) const;
  Json number(Dice& dice) const;
  // One that the script knows, or a free one.
  std::string word(Dice& dice) const;
  // The same for a field or label, by the texts that the script compares it with.
  std::string word_for(const ScriptWords::Texts& texts, std::string_view name, Dice& dice) const;
  std::string long_text(std::string_view name, Dice& dice) const;
  // A value that `condition`, a part of a filter, takes; nothing: the field is to be absent.
  // `free` is one of those it may be if anything will do.
  std::optional<Json> meeting(const Json& condition, const Json& free, Dice& dice) const;
  Json in_range(const Json& range, Dice& dice) const;

  const ScriptWords& words_;
  // Texts of the script that may stand in a field.
  std::vector<std::string> known_words_;
  std::vector<Subscription> subscriptions_;
  bool takes_own_ = false;
};

// Whether `filter` takes the message with these fields, at whatever time.
bool takes(const Filter& filter, const std::vector<MessageType>& types, const Json& fields);

}  // namespace hastur
