#pragma once

// What the supervisor (or trigger-test) and a worker say to one another (DESIGN §7–§9).
//
// These are plain values. trigger-runtime/host turns commands into control messages and shared
// memory and validates what comes back; a simulation hands the same values to a fake worker. A
// worker answers every command with exactly one reply, in order.
//
// A trigger is a function (state, input) → (state, effects). What it remembers between inputs is a
// Memory: the script's JSON state and the runtime's own few facts (time of the last tick and of the
// last judgement, counts of the running minute). A Memory is only ever taken at a judgement.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.h"
#include "message/batch.h"
#include "message/ids.h"
#include "message/router.h"

namespace hastur {

// Counts up whenever the same script on the same inputs may give other results: part of every run.
// Each helper has a number of its own, which stands in its header (vm_test holds them together).
inline constexpr std::string_view runtime_revision = "luajit-6 keyed-3 window-5 throttle-2 alert-5";

// A loaded trigger within one worker: chosen by whoever drives the worker, unused before.
struct TriggerHandle {
  std::uint32_t value = 0;
  friend auto operator<=>(const TriggerHandle&, const TriggerHandle&) = default;
};

// Limits that are counted, so that they are part of a run: the same on every machine.
struct CountedLimits {
  std::uint64_t instructions_max = 5'000'000;  // a callback
  std::uint32_t effects_max = 1'000;           // a callback
  std::uint32_t notifications_max = 50;        // a callback
  std::uint32_t messages_per_minute_max = 10'000;
  std::uint32_t log_bytes_per_minute_max = 64 * 1024;
  // What a script gets without asking, and the most that it may ask for with
  // hastur.trigger{state_bytes_max=…}.
  std::uint64_t state_bytes_max = 1 << 20;
  std::uint64_t state_bytes_ceiling = 128u << 20;

  friend bool operator==(const CountedLimits&, const CountedLimits&) = default;
};

// Limits that only protect the machine; where they strike is a decision that is journalled.
struct GuardLimits {
  std::uint64_t memory_bytes_min = 64u << 20;  // or 3 × the state limit, whichever is more
};

struct ScriptFile {
  // Path within the repo: "billing/variable_load.lua", "lib/pages.lua".
  std::string path;
  std::string text;
  friend bool operator==(const ScriptFile&, const ScriptFile&) = default;
};

// A trigger's memory at a judged point.
struct Memory {
  // All inputs up to here are in it, none after.
  Sequence sequence;
  // Stream time there.
  Time time;
  // Canonical JSON of ctx.state.
  std::string state;
  // Canonical JSON of what the runtime itself remembers. Opaque to everybody else; empty at a first
  // start.
  std::string runtime;
  friend bool operator==(const Memory&, const Memory&) = default;
};

// A fault of the script: data, to be counted and shown.
struct ScriptError {
  // Without the position: "attempt to compare nil with number".
  std::string text;
  // Path of the file and 1-based line; empty and 0 where there is none.
  std::string script;
  std::uint32_t line = 0;
  friend bool operator==(const ScriptError&, const ScriptError&) = default;
};

// One callback of one input that is not to be run: it was journalled as skipped.
struct Skip {
  Sequence sequence;
  std::uint32_t callback = 0;
  // How it failed when it was run; it is counted as such.
  ScriptError error = {};

  // By place.
  auto place() const { return std::pair(sequence, callback); }
  friend bool operator==(const Skip& a, const Skip& b) { return a.place() == b.place(); }
  friend auto operator<=>(const Skip& a, const Skip& b) { return a.place() <=> b.place(); }
};

// What helpers remember that a trigger is to begin with.
struct WarmHelpers {
  // Stream times: up to which they have seen the inputs, and where the trigger begins. Between the
  // two they count as deaf.
  Time at;
  Time now;
  // A JSON object by key in the state: {"@keyed.hosts":{…}}. This version has written it.
  std::string helpers;
  friend bool operator==(const WarmHelpers&, const WarmHelpers&) = default;
};

// ---- commands ----

struct LoadCommand {
  TriggerHandle handle;
  TriggerName name;
  Run run;
  ScriptFile script;
  // Everything below lib/ of the same version that `require` may load.
  std::vector<ScriptFile> libraries;
  CountedLimits limits;
  GuardLimits guards;
  // Nothing: a first run, which starts with the state that the script gives.
  std::optional<Memory> memory;
  // `memory` was written by this other version of the script: ctx:migrate, if the script has it,
  // makes it this one's. Only with `memory`.
  std::optional<std::string> migrate_from = std::nullopt;
  // For tests: what the script keeps outside of its state is compared after every callback, not
  // only at judged ticks; a change is then the error of that callback.
  bool compare_each_call = false;
  // Helpers that begin with this, whatever `memory` says of them. If they cannot, as the state
  // would become too large, there is none of it.
  std::optional<WarmHelpers> warm = std::nullopt;
};

// Puts a loaded trigger back to `memory`, in place: a script's `local s = ctx.state` stays the same
// table.
struct RestoreCommand {
  TriggerHandle handle;
  Memory memory;
  // For so many callbacks the state is serialised before each (if it is ≤ 4 KiB), so that an error
  // in it need not be answered with a stop.
  std::uint32_t guarded_callbacks = 0;
};

struct InputBatch {
  Batch batch;
  // hastur.now() at each row, in µs (stream_times()).
  std::vector<std::int64_t> stream_times;
};

struct TriggerFeed {
  TriggerHandle handle;
  // Rows before it are not this trigger's any more (or not its version's).
  std::uint32_t from_row = 0;
  // Rows from it on are not (yet): a version ends there. At most the batch's count.
  std::uint32_t end_row = 0;
  // By row, then callback; ticks are not among them: every trigger takes all ticks in its rows.
  std::vector<Match> matches;
  // Sorted.
  std::vector<Skip> skips;
  // No feed of this trigger is under way: one that has yielded goes on.
  bool goes_on = true;
};

struct FeedCommand {
  // Two owners: whoever dispatches keeps it while any trigger may need it, the command while it is
  // under way.
  std::shared_ptr<const InputBatch> input;
  std::vector<TriggerFeed> triggers;
  // How long a trigger may run before it leaves the rest of its rows (TriggerProgress::yielded); it
  // takes one input at least. 0: until it has taken all.
  Micros slice{0};
  // The same in instructions that its callbacks take: the rest is left at the same row on every
  // machine. 0: any number.
  std::uint64_t instructions_slice = 0;
};

// Judges the state now, outside the schedule of ticks, and takes it: a version or a run ends at
// this point of the stream, or a pause begins.
struct JudgeCommand {
  TriggerHandle handle;
  // The trigger, or who takes over its memory, may stand still from here on: if more than a second
  // of stream time passes until its next tick, it counts as time in which nothing could be heard.
  bool may_stand_still = false;
};

struct UnloadCommand {
  TriggerHandle handle;
};

// Answers with what was observed of a trigger's callbacks since the last time, and goes on
// observing, or not. Observing changes no result; it costs time.
struct ObserveCommand {
  enum class What : std::uint8_t { nothing, lines, calls };
  TriggerHandle handle;
  What what = What::nothing;
};

// Runs a script that returns data, such as a test file, in a Lua state of its own: no trigger, no
// callbacks.
struct EvaluateCommand {
  ScriptFile script;
  std::vector<ScriptFile> libraries;
  std::uint64_t instructions_max = CountedLimits{}.instructions_max;
};

using WorkerCommand = std::variant<LoadCommand, RestoreCommand, FeedCommand, JudgeCommand,
                                   UnloadCommand, ObserveCommand, EvaluateCommand>;

// ---- replies ----

struct SubscriptionSpec {
  std::uint32_t callback = 0;
  std::vector<MessageType> types;
  // The filter's table as JSON; Filter::parse takes it (the worker has tried).
  std::string filter;
  bool own = false;
  // Where in the script it was made.
  std::uint32_t line = 0;
  friend bool operator==(const SubscriptionSpec&, const SubscriptionSpec&) = default;
};

// A helper that remembers what was in the stream; not what was told of it, as alerts do.
struct HelperSpec {
  // Where it stands in the state: "@keyed.hosts".
  std::string state_key;
  // Its declaration, in words that are equal if and only if that is.
  std::string declared;
  // How far back what it remembers reaches; zero: without end.
  Micros reach{0};
  friend bool operator==(const HelperSpec&, const HelperSpec&) = default;
};

struct Loaded {
  TriggerHandle handle;
  std::vector<SubscriptionSpec> subscriptions;
  // Number of ctx:every callbacks.
  std::uint32_t periodic = 0;
  std::uint64_t state_bytes_max = 0;
  // It asked for a process of its own: hastur.trigger{ isolation = "process" }.
  bool isolated = false;
  // The names that the trigger had before (ctx:was), in the order of the script.
  std::vector<std::string> was = {};
  // What ctx:migrate made of the state of `migrate_from`: canonical JSON. The trigger stands at the
  // sequence of the memory that it was loaded with, with this state; nothing if there was nothing
  // to migrate.
  std::optional<std::string> migrated = std::nullopt;
  // It begins with the `warm` helpers: the memory that holds them too. Its sequence is that of the
  // memory that it was loaded with, 0 if there was none.
  std::optional<Memory> warmed = std::nullopt;
  // Of its helpers those that remember the stream: ctx:keyed and ctx:window.
  std::vector<HelperSpec> helpers = {};
};

struct LoadFailed {
  TriggerHandle handle;
  ScriptError error;
};

enum class EffectKind : std::uint8_t {
  message = 1,
  notification = 2,
  log = 3,
  // A message too, made by the platform: that calls failed in a minute that is over.
  report = 4,
};
// Whether it goes back into the stream.
constexpr bool is_message(EffectKind kind) {
  return kind == EffectKind::message || kind == EffectKind::report;
}

struct Effect {
  // The input that caused it, and its place among that input's effects of this trigger, from 0.
  Sequence sequence;
  std::uint32_t ordinal = 0;
  // Stream time of the input.
  Time time;
  EffectKind kind = EffectKind::log;
  // Derived from messages whose greatest depth was depth - 1. Only of what is_message.
  std::uint8_t depth = 1;
  // Canonical JSON. message, report: as append_message_json writes it. notification: {kind, key,
  // to, text, details, options}. log: {text}.
  std::string payload;
  friend bool operator==(const Effect&, const Effect&) = default;
};

// What went wrong in a callback or a judgement that has left no trace in the state.
struct CallError {
  enum class Kind : std::uint8_t { raised, instructions, memory, judgement };
  Kind kind = Kind::raised;
  Sequence sequence;
  Time time;
  std::uint32_t callback = 0;
  ScriptError error;
  friend bool operator==(const CallError&, const CallError&) = default;
};

// A callback raised on a state that had not been serialised before it. Effects and errors of the
// reply are those of the inputs before `sequence`, complete; the trigger takes no more inputs until
// it is restored. Feeds that were on their way are answered all the same, with nothing in them and
// `reached` at the input before their first.
struct Stopped {
  CallError error;
  friend bool operator==(const Stopped&, const Stopped&) = default;
};

struct TriggerProgress {
  TriggerHandle handle;
  // All inputs up to here have been taken.
  Sequence reached;
  std::vector<Effect> effects;
  std::vector<CallError> errors;
  // The newest judgement in these inputs, if there was one.
  std::optional<Memory> judged;
  std::optional<Stopped> stopped;
  // Its time was over before its rows: it has taken those up to `reached`. Feeds that were on their
  // way are answered as after a `stopped`, until one comes that `goes_on`.
  bool yielded = false;
  // Folded hash (fold_effect) of the effects of all inputs after the newest judged point (of this
  // feed or an earlier one) up to `reached`. 0 if there were none.
  std::uint64_t effects_hash = 0;
  // Whether a callback ran since that point: if none did, the memory is still right at `reached`.
  bool touched = false;
  // The next tick may matter to it although it has no ctx:every and was not touched.
  bool wants_ticks = false;
  // For people: callbacks run, instructions counted, CPU time.
  std::uint64_t callbacks = 0;
  std::uint64_t instructions = 0;
  // Effects that were over a counted limit and left out.
  std::uint64_t effects_cut = 0;
  // Calls that returned and of which nothing is left in the state, since a judgement put it back.
  std::uint64_t callbacks_undone = 0;
  // What helpers left out: values too old for their window, keys over the most.
  std::uint64_t helpers_dropped = 0;
  Micros cpu{0};
};

struct FeedReply {
  std::vector<TriggerProgress> triggers;
};

// The judgement that was asked for. If the state failed it, `error` says so and `memory` is the
// last judged state, at the present position all the same.
struct Judged {
  TriggerHandle handle;
  Memory memory;
  std::optional<CallError> error;
};

struct Restored {
  TriggerHandle handle;
};

struct Unloaded {
  TriggerHandle handle;
};

struct Observed {
  TriggerHandle handle;
  // A JSON object (vm/observation.h).
  std::string json;
};

// What a script returned, as canonical JSON; or why it returned none.
struct Evaluated {
  std::string json;
  std::optional<ScriptError> error;
};

using WorkerReply =
    std::variant<Loaded, LoadFailed, Restored, FeedReply, Judged, Unloaded, Observed, Evaluated>;

// hash of an effect, folded into the hash of those before it (0 at the start).
std::uint64_t fold_effect(std::uint64_t before, const Effect& effect);

}  // namespace hastur
