#pragma once

// What the platform left behind, held against one pass in this process over the History as it
// finally stands.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "message/message.h"
#include "state/checkpoint_store.h"
#include "state/history/history.h"
#include "tests/integration/platform.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// A derived message and where it stands.
struct DerivedRow {
  Sequence sequence;
  Message message;
};

// History read from its beginning to its end.
struct Census {
  // Rows that came of a datagram, by the datagram's number: how often each stands there.
  std::vector<std::uint8_t> times;
  std::uint64_t datagrams = 0;
  // Of those, the ones that bear a number.
  std::uint64_t numbered = 0;
  std::uint64_t refused = 0;
  std::uint64_t ticks = 0;
  std::map<TriggerName, std::vector<DerivedRow>> derived;
};

// Gives the inputs in (after, until] to the run. False, and a failure of the test, if that does not
// go to the end.
bool feed_history(History& history, StreamRun& stream, Sequence after, Sequence until);

// Both daemons' files, once they have ended.
class Remains {
 public:
  // Failures of the test if a file cannot be opened.
  explicit Remains(Platform& platform);

  History& history() const { return *history_; }
  CheckpointStore& store() const { return *store_; }
  const std::vector<StoredTrigger>& triggers() const { return triggers_; }
  const Census& census() const { return census_; }

  // History is dense from 1 to its end, knows of nothing lost, and holds each of the `sent`
  // datagrams at most once, and as many as were counted as received.
  void expect_every_datagram_once(std::uint64_t sent);
  // For each trigger that is in its first run: state, derived messages and notifications are those
  // of one pass. The number of effects that were compared.
  std::uint64_t expect_one_pass();
  // The same of these triggers, in a pass without the others.
  std::uint64_t expect_one_pass_of(const std::set<TriggerName>& names);

 private:
  struct Pass {
    std::vector<std::vector<Effect>> effects;
    std::vector<Memory> memories;
  };
  void take_census();
  Pass pass(const std::vector<const StoredTrigger*>& triggers, Sequence after, Sequence until);
  std::uint64_t compare_effects(const StoredTrigger& stored, const std::vector<Effect>& effects);
  void compare_messages(const StoredTrigger& stored, const std::vector<Effect>& expected);
  void compare_notifications(const StoredTrigger& stored, const std::vector<Effect>& expected);

  std::unique_ptr<History> history_;
  std::unique_ptr<CheckpointStore> store_;
  std::vector<StoredTrigger> triggers_;
  Census census_;
};

}  // namespace hastur
