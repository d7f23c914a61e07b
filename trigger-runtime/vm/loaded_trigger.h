#pragma once

// A trigger after its script was loaded: its Lua state, its memory, and judging it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trigger-runtime/protocol/commands.h"
#include "trigger-runtime/vm/runtime_memory.h"
#include "trigger-runtime/vm/vm.h"

namespace hastur {

class LoadedTrigger {
 public:
  LoadedTrigger() = default;
  ~LoadedTrigger();
  LoadedTrigger(const LoadedTrigger&) = delete;
  LoadedTrigger& operator=(const LoadedTrigger&) = delete;

  // Once, first of all. Nothing on success.
  std::optional<ScriptError> load(const LoadCommand& command);

  void restore(const Memory& memory, std::uint32_t guarded_callbacks);

  // From the next callback on.
  void observe(ObserveCommand::What what);

  // Whether the schedule asks for a judgement at a tick with this stream time, which may be the
  // first that the trigger saw.
  bool is_judgement_due(Time time, bool first_tick) const;
  // Whether alerts decide at a tick with this stream time what they say. They do at each, since
  // most states are judged at each and what they say falls with a state that fails. What is said
  // between the judgements of a big state stands; so for an hour after one that failed they wait
  // for the next, or they would say the same again and again.
  bool may_alerts_speak(Time time) const;

  // A judgement, in two steps, since effects of the input may depend on the first. This one looks
  // at the state and, if it fails, puts the last judged one back and says why …
  std::optional<CallError> examine(Sequence at, Time time);
  // … and this one, after the last effect of the input, makes what stands the judged state.
  Memory conclude(Sequence at, Time time);
  // It may take no input from then on (JudgeCommand::may_stand_still).
  void stand_still(Time since);
  // What could not be heard before a tick, of which that says `deaf`. Once for each tick.
  Micros take_deaf(Micros deaf, Time tick);

  // Both at once. What was wrong with the state goes to `error`.
  Memory judge(Sequence at, Time time, std::optional<CallError>& error);

  // Serialises the state before a callback if the guard asks for it; whether put_back() can undo
  // the callback.
  bool guard() { return guarded_left_ > 0 && serialise_guard(); }
  // Undoes the callback that was guarded; false if it cannot, because what is no state has changed,
  // too: then only restore() helps.
  bool put_back();

  // The error of `callback`, which returned, if what is no state has changed; it is put back.
  std::optional<CallError> hidden_change(std::uint32_t callback);

  // The error of a call that returned `status` (not 0), with its place: if there is none, where
  // `callback` begins (nothing: it was no callback). Cleans up after it.
  CallError call_error(int status, std::optional<std::uint32_t> callback);

  Vm vm;
  Loaded loaded;
  RuntimeMemory runtime;
  // Whether a callback ran (or was skipped) since the last judged point.
  bool touched = false;
  // Calls that have returned since then; and those, since it was last asked for, whose changes a
  // failed judgement took back.
  std::uint64_t calls = 0;
  std::uint64_t undone = 0;
  // After an error that nothing could undo: only restore() helps.
  bool stopped = false;
  bool compare_each_call = false;

 private:
  friend Evaluated evaluate(const EvaluateCommand& command);
  void set_up();
  std::optional<ScriptError> load_script(const LoadCommand& command);
  std::optional<ScriptError> freeze();
  // Runs ctx:migrate on the state of `memory`, which is that of `version`; its result takes the
  // state's place there.
  std::optional<ScriptError> migrate(Memory& memory, const std::string& version);
  void warm(const WarmHelpers& given, const std::optional<Memory>& memory);
  bool serialise_guard();
  bool is_judgement_time(Time time) const;
  // The state becomes what `text` says, which was written at `now` with slots of these widths. Says
  // what is wrong with what helpers are to keep.
  std::optional<ScriptError> replace_state(std::string_view text, Time now,
                                           const std::map<std::string, std::int64_t>& slots);
  // The same for a state that this script has written.
  void put_state_back(std::string_view text, Time now);
  std::optional<ScriptError> fill_state(std::string_view text, Time now,
                                        const std::map<std::string, std::int64_t>& slots);
  std::optional<ScriptError> take(const Memory& memory);

  std::string script_path_;
  // The last judged state, to which a failed judgement goes back.
  std::string judged_state_;
  Time judged_time_{};
  std::uint32_t guarded_left_ = 0;
  std::uint32_t guarded_span_ = 0;
  std::string guard_text_;
};

// Runs a script that returns data in a Lua state of its own.
Evaluated evaluate(const EvaluateCommand& command);

}  // namespace hastur
