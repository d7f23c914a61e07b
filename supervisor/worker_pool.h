#pragma once

// The worker processes, by slot, on the loop.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "trigger-runtime/host/worker.h"

namespace hastur {

class WorkerPool {
 public:
  struct Calls {
    std::function<void(std::uint32_t slot, WorkerReply reply)> replied;
    // Nothing comes from it any more. A worker that cannot be started has died, too; that is told
    // after start() has returned.
    std::function<void(std::uint32_t slot, const WorkerDied& died)> died;
    // All that has come for now has been handed over.
    std::function<void()> pumped;
  };

  // The loop and the clock outlive it.
  static Result<std::unique_ptr<WorkerPool>> make(Loop& loop, Clock& clock, Worker::Options options,
                                                  Calls calls);

  // Whatever was in the slot before is killed.
  void start(std::uint32_t slot);
  void end(std::uint32_t slot);
  // To a slot without a worker: dropped.
  void send(std::uint32_t slot, WorkerCommand command);
  // To be called every 100 ms or so: kills those whose callbacks use more CPU than they may.
  void check_guards();
  const SharedInputs& inputs() const { return *inputs_; }

 private:
  struct Slot {
    std::unique_ptr<Worker> worker;
    std::unique_ptr<Loop::Handle> readable;
  };

  WorkerPool(Loop& loop, Clock& clock, Worker::Options options, Calls calls);
  void pump(std::uint32_t slot);

  Loop& loop_;
  Clock& clock_;
  Worker::Options options_;
  Calls calls_;
  // Outlives the workers.
  std::unique_ptr<SharedInputs> inputs_;
  std::vector<Slot> slots_;
};

}  // namespace hastur
