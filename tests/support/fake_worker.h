#pragma once

// A trigger-worker without a process or Lua: it answers commands as the protocol says, for scripts
// of a few words.
//
// A script's text is words of the form key=number; other words mean nothing:
//   match=NAME    counts messages of this name (any type)
//   emit=K        derives a gauge at each K-th of them
//   notify=K      notifies at each K-th of them
//   resolve=K     each K-th notification resolves the incident of the others
//   keyless=1     notifications are of no incident
//   key=1         the key of their incident has the trigger's name before it, as an alert's
//   raise=K       raises where the input's sequence is a multiple of K
//   spoils=1      its state fails each judgement after a call
//   every=S       a periodic callback of S seconds, which derives a gauge
//   broken=1      does not load
//   migrate=K     adds K to the count of another version; refuses to for 13
//   refuses=K     refuses to migrate a count of K and more
//   pad=K         its state is K bytes larger
//   was=NAME      takes over the state of NAME
// Everything it does is a function of state and input, as of a real trigger.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur::test {

class FakeWorker {
 public:
  // The one reply to a command.
  WorkerReply execute(const WorkerCommand& command);

  // How many inputs a slice is worth; a trigger that took as many of a feed with a slice yields.
  std::uint32_t inputs_a_slice = UINT32_MAX;
  // Plants a bug: the trigger's state then depends on how often it was restored.
  bool forgets_determinism = false;

 private:
  struct Program {
    std::string match;
    std::uint64_t emit = 0, notify = 0, resolve = 0, keyless = 0, key = 0, raise = 0, every = 0,
                  migrate = 0, refuses = 0, pad = 0, spoils = 0;
    std::vector<std::string> was;
  };
  struct Instance {
    TriggerName name;
    Program program;
    Json state;
    std::optional<std::int64_t> last_tick, judged_at, still_since;
    std::string judged_state = "{}";
    bool touched = false;
    // Calls that returned since it was judged.
    std::uint64_t calls = 0;
    bool stopped = false;
    bool yielded = false;
    std::uint32_t guarded = 0;
    std::uint64_t hash = 0;
    Sequence reached;
    std::uint32_t restores = 0;
  };
  struct Input;

  WorkerReply load(const LoadCommand& command);
  TriggerProgress feed(const TriggerFeed& feed, const InputBatch& input, std::uint32_t inputs_max);
  static void put_back(Instance& instance, const Memory& memory);
  static Memory memory_of(const Instance& instance, Sequence sequence, std::int64_t time);

  std::map<TriggerHandle, Instance> instances_;
};

}  // namespace hastur::test
