#pragma once

// Runs one trigger on a stream and looks closely at some of its inputs: what ran, what changed,
// what came of it, and why an alert stayed quiet. Looking changes no result.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/calls.h"
#include "trigger-test/stand.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// What a trigger did with one input.
struct InputStory {
  std::vector<ObservedCall> calls;
  // Of a tick, why the keys of alerts are not paged then.
  std::vector<QuietAlert> alerts;
  // The state; null if it is too large to be looked at or no callback ran.
  Json before;
  Json after;
  // Effects and errors, in order.
  std::vector<Seen> seen;
};

class CloseRun {
 public:
  // Loads the trigger; what its script did wrong is the ScriptError. An error of any call means
  // that nothing further works (StreamRun).
  static Result<std::variant<std::unique_ptr<CloseRun>, ScriptError>> start(
      const TriggerFiles& trigger);
  ~CloseRun();

  const Loaded& loaded() const;
  // Feeds a batch and looks at nothing; what came out is dropped.
  Result<void> pass(std::shared_ptr<const InputBatch> input);
  // The same; what came out is given.
  Result<std::vector<Seen>> feed(std::shared_ptr<const InputBatch> input);
  // Feeds rows [from, row] of a batch; the story is that of the last, the others must be no inputs
  // of the trigger.
  Result<InputStory> look(const InputBatch& input, std::uint32_t from, std::uint32_t row);
  // At the end. A state that is none is an error in `seen`.
  struct End {
    std::string state;
    std::vector<Seen> seen;
    std::uint64_t matched = 0;
    StreamCost cost;
  };
  Result<End> finish();

 private:
  class Collector;
  CloseRun();
  Result<void> stop_looking();

  std::unique_ptr<SharedInputs> inputs_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<StreamRun> run_;
  bool looking_ = false;
};

// Rows [from, end) of a batch as one of their own.
std::shared_ptr<const InputBatch> some_rows(const InputBatch& input, std::uint32_t from,
                                            std::uint32_t end);

// "load.lua:3 does not load: …"
std::string does_not_load(const TriggerFiles& trigger, const ScriptError& error);

}  // namespace hastur
