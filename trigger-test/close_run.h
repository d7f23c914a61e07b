#pragma once

// Runs one trigger on a stream and looks closely at some of its inputs: what ran, what changed,
// what came of it, and why an alert stayed quiet. Looking changes no result.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "message/message.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/calls.h"
#include "trigger-test/stand.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// The state around an input.
struct StateStory {
  // Whether anything ran that may have changed it.
  bool is_touched = false;
  // Null: it could not be looked at, since it is larger than 64 KiB or no JSON.
  Json before;
  Json after;

  bool is_known() const { return !is_touched || (!before.is_null() && !after.is_null()); }
  // It did; of what is not known: it may have.
  bool may_differ() const { return is_touched && (!is_known() || before != after); }
  // "was larger than 64 KiB or no JSON", if it is not known.
  const char* unknown_words() const;
};

// What a trigger did with one input.
struct InputStory {
  // A message that it derived itself; nothing: the row that was looked at.
  std::optional<Message> derived;
  std::vector<ObservedCall> calls;
  // Of a tick, why the keys of alerts are not paged then.
  std::vector<QuietAlert> alerts;
  StateStory state;
  // Effects and errors, in order.
  std::vector<Seen> seen;
  // Effects that were over a limit; those of what was derived from it count, too.
  std::uint64_t effects_cut = 0;
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
  // Feeds rows [from, row] of a batch. The first story is that of the last row, the others must be
  // no inputs of the trigger. If it takes what it derives itself, the messages derived from that
  // row follow in their order, those that no subscription takes, too; and of a row that it derived
  // when this was recorded there is no story, since it derives it again.
  Result<std::vector<InputStory>> look(const InputBatch& input, std::uint32_t from,
                                       std::uint32_t row);
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
  bool derives_again(const BatchView& view, std::uint32_t row) const;

  TriggerName name_;
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
