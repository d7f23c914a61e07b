#pragma once

// One trigger as the supervisor knows it: where it stands in the stream, what of it is stored, what
// must be compared instead of emitted after a crash.
//
// `cursor`: all inputs up to here have been taken and accepted. `stored`: the checkpoint in the
// store. After a restore the cursor goes back to the memory's sequence, and effects of inputs at or
// below `effects_sequence` come out again: they are folded into a hash and compared with the stored
// one when the cursor reaches effects_sequence. The class holds no socket, clock or database;
// Dispatcher drives it.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "message/router.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/failure_watch.h"
#include "supervisor/dispatch/pause.h"
#include "supervisor/dispatch/warm_start.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// What a script and the files it may require are, as one thing with an identity.
struct ScriptVersion {
  VersionId id;
  ScriptFile script;
  std::vector<ScriptFile> libraries;
  friend bool operator==(const ScriptVersion&, const ScriptVersion&) = default;
};

// The id is a hash of every path and text; the same files have the same id everywhere.
ScriptVersion make_version(ScriptFile script, std::vector<ScriptFile> libraries);

// The identity of a script alone, whatever its libraries hold.
std::string file_id(const ScriptFile& script);
// "web.lua:3: text", without the line if it is of none.
std::string told(const ScriptError& error);

class Trigger {
 public:
  // Where a trigger is between its store record and its worker.
  enum class Phase : std::uint8_t {
    waiting,    // no worker has it yet
    loading,    // LoadCommand is under way
    restoring,  // RestoreCommand is under way
    running,    // takes inputs
    judging,    // JudgeCommand is under way: its version ends here, or a pause begins
    failed,     // its stored version does not load; `load_error` says why
  };

  // A trigger that starts with a checkpoint: a stored one, or a new run's.
  Trigger(TriggerName name, ScriptVersion version, CountedLimits limits, Checkpoint checkpoint,
          std::vector<Skip> skips, std::vector<Pause> pauses = {});

  const TriggerName& name() const { return name_; }
  const ScriptVersion& version() const { return version_; }
  Run run() const { return stored_.run; }
  Phase phase = Phase::waiting;
  TriggerHandle handle;
  std::uint32_t worker = 0;
  Loaded loaded;
  std::optional<ScriptError> load_error;
  // The stored position has passed inputs that it has not taken, and does not hold for it before
  // its checkpoint is here. The journal says so ("behind").
  std::optional<Sequence> left_behind;

  const CountedLimits& limits() const { return limits_; }
  // The runtime that its run began with.
  std::string runtime_build;
  Sequence cursor() const { return cursor_; }
  // Inputs up to here have been handed to the worker; at least cursor().
  Sequence dispatched() const { return dispatched_; }
  const Checkpoint& stored() const { return stored_; }
  // The stored state is that of exactly the inputs up to here: beyond its checkpoint if nothing
  // since then has touched it.
  Sequence stored_through() const;
  const std::vector<Skip>& skips() const { return skips_; }

  // The memory to load or restore with, after restart(): the newest judged one. Nothing: a first
  // start.
  std::optional<Memory> memory() const;
  // After a crash: the supervisor's stored position. All inputs after its checkpoint up to there
  // left it untouched, which was made sure of when that was stored; it goes on from there.
  void untouched_through(Sequence position);

  // Goes back to the newest judged memory; inputs after it will be fed again.
  void restart();
  void dispatch_through(Sequence sequence) { dispatched_ = sequence; }
  // Inputs up to here meant nothing to it (no match, no tick that it needs), or are lost.
  void pass(Sequence sequence);

  // Whether a tick can matter to it: it has periodic callbacks, or a judgement may be due, or it
  // its runtime asks for them, or it has seen no tick yet (at the first one its memory is taken, so
  // that a restart knows that there was one).
  bool needs_ticks() const {
    return loaded.periodic > 0 || touched_ || wants_ticks_ || unanswered_ > 0 || is_fresh();
  }

  // ---- pauses (pause.h) ----
  // Journalled, by `from`; the last may be open.
  const std::vector<Pause>& pauses() const { return pauses_; }
  // The pause that has begun or will, and has no end yet.
  const Pause* open_pause() const;
  void begin_pause(Pause pause) { pauses_.push_back(std::move(pause)); }
  // `until` is the first input that it takes again.
  void end_pause(Sequence until) { pauses_.back().until = until; }
  // The inputs from `next` to the end of what is alike in [next, last].
  struct Stretch {
    Sequence last;
    bool paused = false;
  };
  Stretch stretch(Sequence next, Sequence last) const;
  // A pause begins before the next input, and the memory there has not been taken: until it has
  // been, nothing goes on.
  bool stands_before_pause() const;
  // The judgement that a pause begins with.
  void judged_here(Memory memory);

  // ---- slices ----
  // It gave up its turn, and feeds that were on their way are still to come back untaken.
  bool yields() const { return yields_; }
  // Since when it has not kept up for want of time, by the monotonic clock.
  std::optional<Micros> slow_since;
  // The last time it gave up its turn.
  std::optional<Micros> yielded_at;
  // Is a member of a read of History.
  bool catching_up = false;
  // How often its worker was lost by its doing.
  std::uint32_t overruns = 0;
  FailureWatch failures;
  // The stream time at which it was let go on after a pause of its own doing, and which pause in a
  // row that was.
  std::optional<Time> resumed_at;
  // Stream time of the newest input that it has answered; nothing: none since the start.
  std::optional<Time> reached_at;
  std::uint32_t pauses_in_a_row = 0;
  // Routes to this trigger alone (slot 0). Made when first asked for after a load.
  Router& alone();
  void forget_router() { alone_.reset(); }

  // What a worker's answer amounts to, once duplicates of the time before a crash are taken out.
  struct Accepted {
    std::vector<Effect> effects;    // not committed before
    std::vector<CallError> errors;  // of inputs not passed before
    std::optional<Stopped> stopped;
    bool yielded = false;
    // The effects that came out again were not those that are stored.
    bool diverged = false;
    // Calls that were run for the first time, for the FailureWatch; the inputs' stream time.
    std::uint64_t calls = 0;
    // Calls that returned and were taken back by a judgement.
    std::uint64_t undone = 0;
    Time at{};
  };
  Accepted accept(TriggerProgress progress);
  // A feed whose last input has this stream time is under way.
  void fed(Time at) {
    ++unanswered_;
    fed_times_.push_back(at);
  }
  // It was answered with nothing, since the trigger had stopped or yielded.
  void answered();
  std::uint32_t unanswered() const { return unanswered_; }
  // Its worker died: nothing more will be answered.
  void forget_feeds() {
    unanswered_ = 0;
    fed_times_.clear();
    yields_ = false;
  }

  void add_skip(Skip skip);
  // An error that stopped it, for people.
  void failed_call(const CallError& error);
  // Its subscriptions under the number `slot`, for a Router.
  void add_subscriptions(std::uint32_t slot, std::vector<Subscription>& out) const;

  // The checkpoint worth storing now: judged later than the stored one. Nothing if there is none.
  std::optional<Checkpoint> fresh_checkpoint() const;
  // effects_sequence and its hash have moved since the last commit.
  std::optional<EffectsMark> fresh_mark() const;
  // Effects of inputs up to here have been emitted.
  Sequence emitted_through() const { return emitted_through_; }
  // The store has taken them.
  void committed(const Checkpoint& checkpoint);
  void committed(const EffectsMark& mark);

  // The bytes of its state; 0: there is none.
  std::size_t fresh_bytes() const { return judged_ && !comparing_ ? judged_->state.size() : 0; }

  // A crash need not run it again from before here, as the store stands: its checkpoint's sequence
  // if a callback ran since, else the cursor. With `once_stored`, as it stands once it has
  // fresh_checkpoint() (if there is one).
  Sequence safe_position(bool once_stored) const;

  // A version that takes over before the input `at`, when the cursor has come to the one before it.
  // A memory of before that a new run begins with, in place of the state that is there.
  struct Restoration {
    // Its number, and the run, input and version that it is of.
    std::uint64_t snapshot = 0;
    Run run;
    Sequence sequence;
    Time time;  // stream time there
    VersionId version;
    std::string state, runtime;
    // What somebody said.
    std::string why;
    // In place of a snapshot's memory it begins with that of a replay, which comes later.
    bool by_replay = false;
  };
  struct Switch {
    Sequence at;
    // Nothing: the trigger is removed there.
    std::optional<ScriptVersion> version;
    TriggerHandle handle;
    std::uint32_t worker = 0;
    Run run;
    Loaded loaded;
    std::string why;
    std::optional<Restoration> restoration = std::nullopt;
    // The name that it goes on under, if that is another.
    TriggerName as = {};
    // The deployment that it is part of.
    std::uint64_t deployment = 0;
    // Its worker has it: it could take over at once.
    bool is_loaded = true;
    // Nothing after a crash: what helpers begin with is not decided before the switch itself.
    std::optional<WarmStart> warm = std::nullopt;
    // How far stream time had come when `at` was chosen: no input from there on is of before.
    std::optional<Time> decided_at = std::nullopt;

    // The version that wrote the state it begins with; `before` is the one that ends here.
    const VersionId& state_of(const VersionId& before) const {
      return restoration ? restoration->version : before;
    }
  };
  std::optional<Switch> next_switch;

  // For people.
  struct Counts {
    std::uint64_t callbacks = 0;
    std::uint64_t instructions = 0;
    std::uint64_t effects = 0;
    // Effects beyond a limit, and what helpers had no room for: left out.
    std::uint64_t effects_cut = 0;
    std::uint64_t helpers_dropped = 0;
    std::uint64_t errors = 0;
    std::uint64_t diverged = 0;
    std::uint64_t restarts = 0;
    Micros cpu{0};
  };
  Counts counts;
  std::optional<CallError> last_error;
  // The call in which its worker was lost last.
  std::optional<Skip> fatal_call;
  // A newer file was refused; the present version runs on.
  std::optional<ScriptError> refused;
  VersionId refused_version;
  std::string refused_file;  // file_id() of it

 private:
  // No memory of it has been taken yet.
  bool is_fresh() const { return stored_.state.empty() && !judged_; }
  // Whether memory() is right at the cursor too: no callback ran since.
  bool is_settled() const;
  // Ends the comparison once `reached` is past what was emitted; false if the effects were not the
  // same.
  bool settle_comparison(Sequence reached);

  TriggerName name_;
  ScriptVersion version_;
  CountedLimits limits_;
  Checkpoint stored_;
  std::vector<Skip> skips_;
  Sequence cursor_;
  Sequence dispatched_;
  std::uint32_t unanswered_ = 0;
  std::deque<Time> fed_times_;
  bool yields_ = false;
  std::vector<Pause> pauses_;
  std::unique_ptr<Router> alone_;

  // The newest judged memory if it is newer than the stored one, and the hash of all effects after
  // it.
  std::optional<Memory> judged_;
  std::uint64_t judged_hash_ = 0;
  // The hash of all effects after the stored checkpoint that were emitted.
  std::uint64_t hash_ = 0;
  // Whether a callback ran since the stored checkpoint / since the newest judgement.
  bool dirty_ = false;
  bool touched_ = false;
  // The input before which it was judged outside of ticks last, by its present worker.
  Sequence judged_before_;
  // What its worker said last; until it has said something after a restart, it might.
  bool wants_ticks_ = true;

  // Effects of inputs up to here have been emitted, by this process or the one before it: what
  // comes out again is only compared. `expected_hash_` is what it must fold to, from the memory
  // that was restored to here.
  Sequence untouched_through_;
  Sequence emitted_through_;
  std::uint64_t expected_hash_ = 0;
  std::uint64_t compared_hash_ = 0;
  bool comparing_ = false;
  // Effects or errors were emitted since the store last heard of emitted_through_.
  bool mark_fresh_ = false;
};

}  // namespace hastur
