#pragma once

// Answers commands with the triggers' VMs.

#include <memory>
#include <optional>
#include <unordered_map>

#include "core/clock.h"
#include "trigger-runtime/protocol/encoding.h"
#include "trigger-runtime/vm/script_vm.h"
#include "trigger-runtime/worker/channel.h"

namespace hastur {

class Dispatcher final : private CallObserver {
 public:
  // `channel` outlives it.
  explicit Dispatcher(Channel& channel) : channel_(channel) {}

  // An error: the parent named a trigger or a memory that does not exist, which is a fault of ours.
  Result<WorkerReply> answer(const ReceivedCommand& command);

 private:
  struct Trigger {
    std::unique_ptr<ScriptVm> vm;
    // The last input that it has taken, and stream time there.
    Sequence reached;
    Time time;
    // It has left the rest of a feed: those behind it are not its next inputs.
    bool yielded = false;
  };

  void begins(TriggerHandle trigger, Sequence sequence, std::uint32_t callback) override;
  bool must_yield(std::uint64_t instructions, std::size_t effect_bytes) override;

  Result<WorkerReply> run(const LoadCommand& load);
  Result<WorkerReply> run(const RestoreCommand& restore);
  Result<WorkerReply> run(const PlacedFeed& feed);
  Result<WorkerReply> run(const JudgeCommand& judge);
  Result<WorkerReply> run(const UnloadCommand& unload);
  Result<WorkerReply> run(const ObserveCommand& observe);
  static Result<WorkerReply> run(const EvaluateCommand& command);
  Result<TriggerProgress> run(const TriggerFeed& feed, const BatchView& batch,
                              std::span<const std::int64_t> stream_times);
  Result<Trigger*> find(TriggerHandle handle);

  Channel& channel_;
  SystemClock clock_;
  // Of the feed under way; 0: any number.
  std::uint64_t instructions_slice_ = 0;
  // When the trigger under way has had its slice; nothing: it has all the time.
  std::optional<Micros> slice_end_;
  // Of the effects in the reply under way, of the triggers before this one.
  std::size_t effect_bytes_ = 0;
  std::unordered_map<std::uint32_t, Trigger> triggers_;
};

}  // namespace hastur
