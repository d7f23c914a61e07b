#pragma once

// A test stand: one worker that runs one trigger after another, on one stream after another.
//
// Every command of trigger-test works through it. A worker that dies takes only the run with it:
// the next one starts another.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/stream.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// What came out of a run, in order: an effect or an error, at an input.
struct Seen {
  Sequence input;
  Time time;
  // One of the two.
  std::optional<Effect> effect;
  std::optional<CallError> error;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Outcome {
  // The script did not load; nothing else is set.
  std::optional<ScriptError> load_error;
  // The worker had to be killed, or killed itself, with the sentence that says at what; what came
  // out before stands in `seen`.
  std::optional<std::string> killed;
  Loaded loaded;
  std::vector<Seen> seen;
  // Canonical JSON of the state at the end, and what the runtime remembers there (Memory).
  std::string state;
  std::string runtime;
  // After each batch, if they were asked for.
  std::vector<std::string> states;
  std::uint64_t matched = 0;
  std::uint64_t stops = 0;
  // It had cost enough before the end, at this stream time.
  bool cut = false;
  Time cut_at;
  // About what it took to write out its state at ticks (RunOptions::cost_of_state).
  std::uint64_t state_cost = 0;
  StreamCost cost;
  // vm/observation.h; null unless asked for.
  Json observed;
};

// What is wrong with a run of which effects were over a counted limit (cost.effects_cut), which
// limit that was, and what to do.
std::string words_of_cut(const Outcome& outcome);

struct RunOptions {
  // What the trigger remembers when it begins; nothing: a first run.
  std::optional<Memory> memory = std::nullopt;
  std::function<Restore(Sequence)> restore_after = {};
  ObserveCommand::What observe = ObserveCommand::What::nothing;
  bool states_after_batches = false;
  // With these: one of so many bytes is enough, and the rest is not fed.
  std::size_t state_bytes_enough = SIZE_MAX;
  // If it is set: whether it has cost enough; the rest is then not fed (StreamRun::Options).
  std::function<bool(const StreamCost&)> is_enough = {};
  // If it is set: what it takes to judge a state once, which each tick does that a callback ran
  // before. It is asked every so many ticks, and with `state_cost_max` for all ticks the run has
  // cost enough, too.
  std::function<std::uint64_t(const std::string& state)> cost_of_state = {};
  std::uint64_t state_cost_max = UINT64_MAX;
};

class Stand {
 public:
  static Result<std::unique_ptr<Stand>> make();

  // An error is one of the machine; what the trigger does wrong is in the outcome.
  Result<Outcome> run(const TriggerFiles& trigger, const Stream& stream,
                      const RunOptions& options = {});

  // The data that a script returns.
  Result<std::variant<Json, ScriptError>> evaluate(const ScriptFile& script,
                                                   const std::vector<ScriptFile>& libraries);

  // CPU time of its worker under way.
  Micros worker_cpu() const;

 private:
  explicit Stand(std::unique_ptr<SharedInputs> inputs) : inputs_(std::move(inputs)) {}
  Result<void> ready();

  std::unique_ptr<SharedInputs> inputs_;
  // Null before the first run and after a death.
  std::unique_ptr<Worker> worker_;
  std::uint32_t last_handle_ = 0;
};

}  // namespace hastur
