#pragma once

// One feed under way: the rows of a batch become calls, their effects and judgements a
// TriggerProgress.

#include <cstdint>
#include <span>

#include "message/batch.h"
#include "trigger-runtime/vm/loaded_trigger.h"
#include "trigger-runtime/vm/script_vm.h"

namespace hastur {

class Feed {
 public:
  // As ScriptVm::feed; everything outlives the feed.
  Feed(LoadedTrigger& trigger, const BatchView& batch, std::span<const std::int64_t> stream_times,
       std::span<const Skip> skips, CallObserver* observer);

  TriggerProgress run(std::uint32_t from_row, std::uint32_t end_row,
                      std::span<const Match> matches);

 private:
  void begin_input(std::uint32_t row);
  void report_failures();
  void count_failure(const ScriptError& error);
  // These return false where the feed stops.
  bool take_message(std::uint32_t row, std::span<const Match>& matches);
  bool take_tick(std::uint32_t row);
  bool take_deadlines();
  void add_deaf(std::uint32_t callback);
  void judge_tick(bool is_first);
  void send(std::span<const HelperSet::Page> pages);
  bool call_with_silence(const DueKey& due, std::uint32_t id, std::uint32_t call);
  bool call_with_message(std::uint32_t callback, std::uint32_t row);
  bool call_with_tick(std::uint32_t callback, const Firing& firing);
  // Whether the observer wants the feed to end before the input at hand. Asked once so much work
  // has been done since it was asked last that reading a clock costs nothing beside it.
  bool must_yield();
  // One call of a callback. A callback of ctx:every or of a subscription is called once an input
  // and its call has its number; calls for keys go on behind the numbers of all callbacks.
  struct Call {
    std::uint32_t callback = 0;
    std::uint32_t number = 0;
    // Stand on the stack above the function.
    int arguments = 1;
  };
  // Before a call: false if it was journalled as skipped. `input_time` is Vm's.
  bool begin_call(const Call& call, Time event_time, Time input_time);
  // Calls what was pushed.
  bool finish_call(const Call& call);
  // Notes a change of what the script keeps outside of its state.
  void compare(std::uint32_t callback);
  bool answer_error(int status, const Call& call);

  LoadedTrigger& trigger_;
  Vm& vm_;
  lua_State* lua_;
  const BatchView& batch_;
  std::span<const std::int64_t> stream_times_;
  std::span<const Skip> skips_;
  CallObserver* observer_;
  TriggerProgress progress_;
  bool guarded_ = false;
  // Of the tick under way.
  Micros deaf_{0};
  // As they were before the input under way.
  bool touched_before_ = false;
  std::size_t errors_before_ = 0;
  std::uint64_t looked_at_instructions_ = 0;
};

}  // namespace hastur
