#pragma once

// Streams that a hunt feeds: made of messages from MessageMaker, with the times that find faults.

#include <optional>
#include <vector>

#include "trigger-test/hunt_messages.h"
#include "trigger-test/stream.h"
#include "trigger-test/test_file.h"

namespace hastur {

// `test`, which made `stream`, with single messages in the order in which they came in: recordings
// and repetitions resolved.
TestCase resolved(const TestCase& test, const TestStream& stream);

// `test`, whose messages are in order of time, with the first so many and the ticks until `end`.
TestCase begin_of(TestCase test, std::uint64_t messages, Micros end);

class CaseMaker {
 public:
  // Both outlive it.
  CaseMaker(const MessageMaker& messages, const ScriptWords& words)
      : messages_(messages), words_(words) {}

  // A steady flow, bursts within one instant, duplicates, late messages and some that are ahead,
  // gaps around the spans that the script waits for, and silence at the end. Without messages if
  // none can be made.
  TestCase flow(MessageMaker::Kind kind, Dice dice) const;

  // A flow between whose parts lies all that the script waits for, however long: as deafness of the
  // platform, as a span that the trigger did not run, or, if it is short enough, as silence.
  TestCase interrupted(Dice dice) const;

  // Groups of messages from different senders at the same instant, all of a group for the same
  // subscription.
  TestCase ties(Dice dice) const;

  // A message from each of so many senders within seconds, and ticks for a while: all that
  // the script does once in a minute, an hour and a day. Without messages if none can be made.
  static constexpr std::size_t senders_many = 1'000;
  TestCase of_many_senders(Dice dice, std::size_t senders = senders_many) const;

  // A few messages of a few senders, at no time in particular; one without fields, which is a tick,
  // if no messages can be made.
  std::vector<MessageSpec> few(Dice dice) const;
  // Whether any number may be the value of such a message (MessageMaker).
  bool has_free_value(const MessageSpec& spec) const {
    return messages_.has_free_value(spec.fields);
  }
  // The longest span that the script waits, of those up to a week; nothing if there is none.
  std::optional<Micros> longest_span() const;

 private:
  std::optional<MessageSpec> message(MessageMaker::Kind kind, Micros at, Dice& dice) const;
  Micros gap(Dice& dice) const;
  std::vector<Micros> interruptions(Dice& dice) const;
  Time start(Dice& dice) const;

  const MessageMaker& messages_;
  const ScriptWords& words_;
};

}  // namespace hastur
