#pragma once

// A trigger-worker process as its parent sees it: commands go in, replies come out, it may die at
// any moment.
//
// The process is the trust boundary (DESIGN §8). Inputs lie in one memory file that workers can
// only read; a worker's outputs lie in a memory file of its own, are copied out and only then
// validated. A reply that speaks for a trigger the worker was not given, about inputs it was not
// handed, or out of order, is used in no part: the worker is killed and `died` says why.

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct WorkerDied {
  enum class Cause : std::uint8_t {
    ended,           // from outside: a signal of somebody else, a machine out of memory, no start
    overran,         // one callback used more CPU than it may
    broke_protocol,  // it said what it may not say
    crashed,         // it did what no process survives
  };
  // "killed by signal 9", "broke the protocol: …", "used more than 2 s of CPU in one callback"
  std::string why;
  // The trigger and input it was working on when it died, if it had begun one.
  std::optional<TriggerHandle> trigger;
  std::optional<Sequence> sequence;
  std::optional<std::uint32_t> callback;
  Cause cause = Cause::ended;
};

// The input memory shared by all workers of a parent. Outlives every Worker made from it.
class SharedInputs {
 public:
  // `bytes` of address space; memory is used as batches are placed.
  static Result<std::unique_ptr<SharedInputs>> make(std::size_t bytes = 256u << 20);
  virtual ~SharedInputs() = default;

  // What the cages of its workers lack on this machine; empty before the first has said hello.
  virtual const std::vector<std::string>& cage_missing() const = 0;
};

class Worker {
 public:
  struct Options {
    // The trigger-worker binary; beside the running program if empty.
    std::string binary;
    // Guard against what the counted limits do not see: CPU time of one callback.
    Micros callback_cpu_max = std::chrono::seconds{2};
    // Guard against a process that does nothing (it was stopped, or waits for what never comes):
    // how long a command may be without an answer while nothing begins in it and little CPU is
    // used. Counted by looks, so that the time does not pass while this process itself stands
    // still.
    Micros silent_max = std::chrono::seconds{30};
    // "required": refuses to start where a part of the cage cannot be had. Otherwise that is said
    // in the log.
    bool cage_required = false;
  };

  // Starts the process; it is ready for commands at once (they queue). `inputs` outlives the
  // worker, and the thread that calls this lives as long as the worker shall: its end kills it.
  static Result<std::unique_ptr<Worker>> spawn(SharedInputs& inputs, const Options& options);

  // Kills the process if it still runs, and reaps it.
  virtual ~Worker() = default;

  virtual pid_t pid() const = 0;
  // Readable when pump() has something to do.
  virtual int fd() const = 0;

  // Never blocks: what the channel does not take now is queued. Commands sent to a dead worker are
  // dropped.
  virtual void send(WorkerCommand command) = 0;
  // Commands that have not been answered yet; 0 once it has died.
  virtual std::size_t pending() const = 0;

  // Hands over the replies that have come, then `died` at most once, after which nothing comes any
  // more. The callbacks may send; `died` may also destroy this worker.
  virtual void pump(const std::function<void(WorkerReply)>& reply,
                    const std::function<void(WorkerDied)>& died) = 0;

  // Waits until pump() has something to do, and guards meanwhile: for trigger-test, which has no
  // loop. False after `limit`.
  virtual bool wait(Micros limit) = 0;

  // When the parent must look again (check_guards) even if nothing comes, on the clock of
  // `now_monotonic`; nothing while it is idle.
  virtual std::optional<Micros> next_check(Micros now_monotonic) const = 0;
  // Kills a worker whose current callback has used more CPU than it may, or that is silent for too
  // long: that one counts as ended from outside (Cause::ended).
  virtual void check_guards(Micros now_monotonic) = 0;
};

}  // namespace hastur
