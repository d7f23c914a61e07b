#pragma once

// The file in which a replay keeps what comes out until it takes its triggers' place: of the form
// of a state file (docs/formats/state.md), with one new run of each trigger. The supervisor reads
// it (supervisor/dispatch/replayed.h).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lock_file.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/replay/plan.h"
#include "trigger-runtime/host/run_stream.h"

namespace hastur {

// "state.db.replay-4711", beside the state file, for this process.
std::string replay_path(const std::string& state);
// Removes what replays of this state file have left that were killed. Those that run are known by
// their lock.
void remove_dead_replays(const std::string& state);

class ReplayFile final : public StreamListener {
 public:
  struct Options {
    std::string path;
    // Notifications are to be offered for release; else they are only recorded.
    bool pending = false;
    Time started_at{};
  };
  // Makes the file anew, with the runs as they begin; it goes with the object. `stores` holds the
  // versions. Each trigger of the plan has the number of its new run in `stream.run`, and `run` is
  // the one that it replaces.
  static Result<std::unique_ptr<ReplayFile>> make(const ReplayPlan& plan, const StreamId& stream,
                                                  CheckpointStore& versions,
                                                  const Options& options);
  ~ReplayFile() override;

  // What comes out from plan.begin on.
  void effect(std::size_t trigger, Sequence input, const Effect& effect) override;
  void error(std::size_t trigger, Sequence input, const CallError& error) override;
  // Writes what came out since; an error too if it was too much to be handed over.
  Result<void> flush();

  // Once all is loaded, before the first input: ctx:migrate made this of a trigger's state.
  void migrated(std::size_t trigger, std::string state);
  // Stores the runs as they begin: after migrated().
  Result<void> begin();
  // Once for each trigger, at the end. `through` is the last input that was taken.
  Result<void> end(std::size_t trigger, Sequence through, const Memory& memory);
  // Nothing more is written: others may read it.
  void close() { store_.reset(); }

  const std::string& path() const { return options_.path; }
  struct Counts {
    std::uint64_t messages = 0, notifications = 0, errors = 0;
  };
  const Counts& counts(std::size_t trigger) const { return counts_[trigger]; }

 private:
  ReplayFile(const ReplayPlan& plan, CheckpointStore& versions, Options options);

  Options options_;
  // Held as long as the file is there: the store's own is let go before the supervisor reads it.
  std::optional<LockFile> alive_;
  Sequence begin_;
  CheckpointStore& versions_;
  std::vector<RunStart> starts_;
  std::vector<std::vector<JournalRecord>> decisions_;
  std::vector<Counts> counts_;
  std::unique_ptr<CheckpointStore> store_;
  CommitBatch waiting_;
};

}  // namespace hastur
