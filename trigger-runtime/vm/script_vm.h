#pragma once

// One trigger in one Lua state: the function (state, input) → (state, effects) of DESIGN §7.
//
// Inputs are the rows of a batch that matched, and all ticks. What a callback does is held back
// until it has returned: one that raises leaves no effect, and its state is put back (or the feed
// stops, if the state was not serialised before it). Everything here is deterministic: the same
// inputs, limits and start give the same bytes, however the inputs are cut into feeds and however
// often the trigger is restored in between. Only a memory verdict is not; it protects the machine
// and is journalled.

#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "core/time.h"
#include "message/batch.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

class LoadedTrigger;

// Told before each callback what is about to run, so that a guard outside can name (and kill) what
// takes too long; and asked whether a feed has had its time.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void begins(TriggerHandle trigger, Sequence sequence, std::uint32_t callback) = 0;
  // Asked between two inputs each time that about a tenth of a millisecond has been counted, with
  // what the feed has taken so far and the bytes of what it has caused: true makes the feed yield
  // there.
  virtual bool must_yield(std::uint64_t instructions, std::size_t effect_bytes) = 0;
};

// Not thread-safe, and not movable: the Lua state points at it.
class ScriptVm {
 public:
  // Runs the script's chunk once and takes the start state, or `command.memory` if there is one.
  // What the script did wrong while loading is in LoadFailed.
  static std::variant<std::unique_ptr<ScriptVm>, LoadFailed> load(const LoadCommand& command);

  ~ScriptVm();
  ScriptVm(const ScriptVm&) = delete;
  ScriptVm& operator=(const ScriptVm&) = delete;

  const Loaded& loaded() const;

  // Puts state and runtime memory back to `memory`, in place. Before each of the next
  // `guarded_callbacks` callbacks the state is serialised (if it is at most 4 KiB), so that an
  // error costs no stop; an error among them begins the count anew.
  void restore(const Memory& memory, std::uint32_t guarded_callbacks);

  // Takes the rows [from_row, end_row): the matched ones and all ticks. `stream_times` has an entry
  // for each row of the batch. `matches` and `skips` are those of TriggerFeed; entries outside the
  // rows are passed over. After a `stopped` they are left alone until restore(): the answer has
  // reached the input before them, and nothing came out. `cpu` of the answer is left to the caller.
  // `observer` may be null.
  TriggerProgress feed(const BatchView& batch, std::span<const std::int64_t> stream_times,
                       std::uint32_t from_row, std::uint32_t end_row,
                       std::span<const Match> matches, std::span<const Skip> skips,
                       CallObserver* observer);

  // Judges the state now, outside the schedule of ticks. All inputs up to `at` must have been fed;
  // `time` is the stream time there; `may_stand_still` is as in JudgeCommand.
  Judged judge(Sequence at, Time time, bool may_stand_still = false);

  // Answers what was observed since the last time, and goes on as `what` says.
  std::string observe(ObserveCommand::What what);

  // Bytes of Lua memory in use.
  std::size_t memory_bytes() const;

 private:
  explicit ScriptVm(std::unique_ptr<LoadedTrigger> trigger);
  std::unique_ptr<LoadedTrigger> trigger_;
};

}  // namespace hastur
