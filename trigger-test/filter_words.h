#pragma once

// A filter's judgement of a message as people read it: which keys held, and how near the others
// were.

#include <string>
#include <vector>

#include "core/json.h"
#include "message/filter.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// "above 10 and at most 20", "one of 1, 2", "any", "absent", "\"load\"".
std::string wanted_words(const Json& condition);

// How far `found` is from what was wanted: "0.3 too low", "a text, not a number"; empty if there is
// nothing to say.
std::string how_far(const Json& condition, const Json& found);

struct KeyVerdict {
  // "value", "labels.status"
  std::string key;
  bool holds = false;
  // JSON, or "absent"; of none_of the numbers of the filters that match, from 1.
  std::string found;
  // Words; of what does not hold also how far it is.
  std::string wanted;
  std::string far;
  // "value is 9.7, wanted above 10: 0.3 too low"
  std::string sentence() const;
};

// A subscription's filter against one message.
struct Judgement {
  const SubscriptionSpec* subscription = nullptr;
  bool takes_type = false;
  // In the filter's order. Empty if the type is not taken.
  std::vector<KeyVerdict> keys;

  std::size_t refused() const;
  // Type and all keys hold. Its own derived messages may be kept from it all the same.
  bool takes() const { return takes_type && refused() == 0; }
  // One more key that holds would do; if that is the name or the only key, what was found is a step
  // from what was wanted (`far`).
  bool is_near() const;
  // Its name is what does not hold.
  bool is_of_another_name() const;
};

// The subscriptions of a trigger, to judge messages with.
class FilterJudge {
 public:
  // `loaded` outlives it.
  explicit FilterJudge(const Loaded& loaded);
  // In the order of the script.
  std::vector<Judgement> judge(const MessageView& message) const;
  // Whether any takes it, without the reasons.
  bool any_takes(const MessageView& message) const;

 private:
  struct One {
    const SubscriptionSpec* spec;
    Filter filter;
  };
  std::vector<One> all_;
};

}  // namespace hastur
