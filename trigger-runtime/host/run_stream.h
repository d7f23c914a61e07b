#pragma once

// Runs triggers on a stream that is at hand as a whole, through a real worker: what trigger-test
// does, and the reference that production is compared with.
//
// Batches go in order to one worker. A callback that raised on a state that had not been serialised
// stops its trigger; then the last judged memory is put back, the inputs since are fed again with
// that callback skipped, and what had come out before is compared instead of handed out again.
// Production does the same from History.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// A batch with the stream times of its rows, as workers take it.
std::shared_ptr<const InputBatch> input_of(Batch batch);

// Inputs from `from` on are not given, until `until`; nothing: to the end. The state is judged
// before the first of them.
struct StreamPause {
  Sequence from;
  std::optional<Sequence> until;
};

struct StreamTrigger {
  TriggerName name;
  Run run{1};
  ScriptFile script;
  std::vector<ScriptFile> libraries;
  CountedLimits limits;
  GuardLimits guards;
  // Inputs up to here are not its own: of `memory` if there is one, which it then starts with.
  Sequence after = {};
  std::optional<Memory> memory = std::nullopt;
  // Of LoadCommand.
  std::optional<std::string> migrate_from = std::nullopt;
  // What was decided when the run was live. Both in the order of the stream; calls that are not run
  // again are told to the listener with their errors.
  std::vector<Skip> skips = {};
  std::vector<StreamPause> pauses = {};
  // As in LoadCommand.
  bool compare_each_call = false;
  std::optional<WarmHelpers> warm = std::nullopt;
};

// What a trigger's callbacks took, inputs that ran again included.
struct StreamCost {
  std::uint64_t callbacks = 0;
  std::uint64_t instructions = 0;
  std::uint64_t effects_cut = 0;
  // Of the most expensive callback, as far as callbacks were fed one by one.
  std::uint64_t instructions_most = 0;
  // What was said to the worker: feeds, judgements, restores, loads.
  std::uint64_t commands = 0;
  // Times that a callback ran out of memory.
  std::uint64_t out_of_memory = 0;
  Micros cpu{0};
};

// What is done to a trigger between two inputs. Neither shows in the results of a trigger that
// keeps everything in its state.
enum class Restore : std::uint8_t {
  no,
  // Its state is judged and put back from its JSON.
  in_place,
  // The same, into a new load of the script.
  fresh,
};

// An input of a trigger that takes what it derives itself, about to be fed.
struct OwnInput {
  // Of the batches; of a derived message that of the input which it was derived from.
  Sequence input;
  // What its effects, errors and calls bear; nothing: it is derived, and no subscription takes it.
  std::optional<Sequence> own;
  // Nothing: it stands in the batches. Valid during the call.
  const MessageView* derived = nullptr;
};

// What comes out. `trigger` is the number that add() gave, `input` the sequence of the input in the
// batches that were fed; for a derived message that came back it is that of the input which it was
// derived from. In order for each trigger; at one input effects come before errors.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void effect(std::size_t trigger, Sequence input, const Effect& effect) = 0;
  // Failed calls and failed judgements, once each.
  virtual void error(std::size_t trigger, Sequence input, const CallError& error) = 0;
  // Told once of each input of such a trigger (Options::derived_come_back), before what comes of
  // it.
  virtual void begins(std::size_t /*trigger*/, const OwnInput& /*input*/) {}
};

class StreamRun {
 public:
  struct Options {
    // Feeds derived messages to triggers with `own = true`, right after their input. Such a trigger
    // is fed input by input; messages that it derived itself and that stand in the stream already
    // are left out, since it derives them again.
    bool derived_come_back = false;
    // Of RestoreCommand.
    std::uint32_t guarded_callbacks = 1000;
    // Asked after each input that a trigger takes, if it is set.
    std::function<Restore(Sequence)> restore_after = {};
    // Of an earlier run on the same worker: handles count on from it.
    std::uint32_t last_handle = 0;
    // Asked before and after each feed, if it is set: whether a trigger has cost enough. The rest
    // of the batch and what follows is then not fed to it, and reached() says where it stands. It
    // is asked at the latest when `instructions_slice` more are counted and the input under way is
    // done, so that what a run takes is bounded, and ends at the same input on every machine.
    std::function<bool(std::size_t trigger, const StreamCost&)> is_enough = {};
    std::uint64_t instructions_slice = 1'000'000;
    // It is asked then, too, if this is set: what takes time without instructions is bounded as
    // well, and where it ends is a matter of time.
    Micros time_slice{0};
  };

  // Both outlive it. Nobody else sends to the worker.
  StreamRun(Worker& worker, StreamListener& listener, Options options);
  ~StreamRun();

  // Loads a trigger, before the first feed. What the script did wrong is the ScriptError; an error
  // of any call means that nothing further works: `failed` if the worker died while it ran a
  // trigger, which the text names.
  Result<std::variant<std::size_t, ScriptError>> add(StreamTrigger trigger);

  // The next batch; its first row follows the last of the batch before, but for what is lost.
  Result<void> feed(std::shared_ptr<const InputBatch> input);

  // Judges a trigger's state between two feeds.
  Result<Memory> judge(std::size_t trigger);

  // Judges a trigger's state at the end of what was fed. Once for each, after the last feed. If the
  // state fails, the listener is told, and the memory is the last judged one.
  Result<Memory> finish(std::size_t trigger);

  // Messages of the batches that at least one subscription wanted.
  std::uint64_t matched(std::size_t trigger) const;
  // Times that a trigger had to be put back.
  std::uint64_t stops(std::size_t trigger) const;
  StreamCost cost(std::size_t trigger) const;
  // The last input of the batches that it is done with, whether it wanted it or not.
  Sequence reached(std::size_t trigger) const;
  // What the trigger asked for. Lives as long as the run.
  const Loaded& loaded(std::size_t trigger) const;

  // What was observed of it since the last time (vm/observation.h); it is observed from now on as
  // `what` says. Inputs that ran again are in it more than once.
  Result<std::string> observe(std::size_t trigger, ObserveCommand::What what);

  // Unloads all triggers: another run may use the worker after it. Last of all.
  Result<void> unload();
  std::uint32_t last_handle() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hastur
