#pragma once

// The whole pipeline in one process: the logic of both daemons and fake workers, on a clock moved
// by hand, with real SQLite on disks that can fail. One seed decides everything that happens, so a
// seed that fails does so each time.
//
//   datagrams ─▶ Syndicator ══ network: delays, drops, repeats ══ Dispatcher ═▶ FakeWorkers
//                  History                                      CheckpointStore
//
// At the end every fault is healed, everything is delivered, and the result is compared with one
// uninterrupted pass over History as it finally stands.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/clock.h"
#include "state/checkpoint_store.h"
#include "state/history/sqlite_history.h"
#include "supervisor/dispatch/dispatcher.h"
#include "syndicator/syndicator.h"
#include "tests/simulation/planted.h"
#include "tests/state/faulty_vfs.h"
#include "tests/support/fake_worker.h"

namespace hastur::test {

struct WorldOptions {
  Durability durability = Durability::standard;
  bool kills = true;
  // Both machines' power; what was not synced may be gone.
  bool power_cuts = false;
  bool full_disks = false;
  // Triggers are paused and resumed by people, and by their own failures.
  bool pauses = true;
  // Workers give up their turn after a few inputs, and triggers move.
  bool slices = true;
  // Commits come, good and bad ones, with renames; triggers are rolled back. Else a folder is read.
  bool deployments = false;
  Planted planted = Planted::nothing;
  std::size_t steps = 320;
};

class World {
 public:
  World(std::uint64_t seed, const WorldOptions& options);
  ~World();

  // Runs the steps, heals everything, delivers everything.
  void run();

  // What must hold at the end; each returns an empty text or says what does not.
  std::string states_equal_one_pass();
  std::string derived_messages_stand_exactly_once();
  std::string notifications_stand_exactly_once();
  std::string no_number_was_used_twice();
  std::string every_datagram_stands_once();
  // What runs is what the newest deployments say, and each began where its deployment was decided.
  std::string what_runs_is_what_was_deployed();
  // No append bore a message whose commit was not complete, and no daemon found itself unable to go
  // on.
  std::string nothing_went_before_its_commit() const { return broken_; }

  struct Seen {
    std::uint64_t kills = 0, power_cuts = 0, worker_deaths = 0, dropped = 0, derived = 0,
                  notifications = 0, callbacks = 0, restarts = 0, lost_ranges = 0, pauses = 0,
                  aside = 0, digests = 0, late = 0, deployments = 0, refused = 0, rollbacks = 0,
                  renames = 0, gone_on = 0;
  };
  const Seen& seen() const { return seen_; }

  // Bugs that a test plants, to see that the checks find them.
  struct Bugs {
    bool workers_forget_determinism = false;
  };
  Bugs bugs;

 private:
  struct Reference {
    std::map<std::uint64_t, std::string> states;  // by the sequence at which they were judged
    std::vector<Effect> effects;
    // What the run began with, and what it would be judged as after its last input.
    std::string first_state, end_state;
  };
  struct Channel;

  std::uint64_t pick(std::uint64_t below) { return below == 0 ? 0 : random_() % below; }
  bool chance(unsigned percent) { return pick(100) < percent; }
  void step(bool faults);
  void inject();
  void turn_syndicator();
  void turn_supervisor();
  void carry_out();
  void check_release(const AppendRequest& append);
  void deliver_one();
  void start_syndicator();
  void start_supervisor();
  void crash_syndicator();
  void crash_supervisor();
  void cut_power();
  void check_disks();
  void deploy();
  void connect();
  bool settled();
  // One pass of the trigger's run over History as it stands, obeying its journal. Only after run():
  // it and what History holds are asked for by several checks, and kept.
  const Reference& reference(const TriggerName& name, const RunRecord& run, Sequence until);
  Reference pass(const TriggerName& name, const RunRecord& run, Sequence until);
  // Every run that there ever was of the name, with its last input.
  std::vector<std::pair<RunRecord, Sequence>> runs_of(const TriggerName& name);
  // What all of them emit in one pass, in order.
  std::vector<Effect> effects_of(const TriggerName& name);
  const std::vector<std::shared_ptr<const InputBatch>>& all_batches();

  std::uint64_t seed_;
  WorldOptions options_;
  std::mt19937_64 random_;
  ManualClock clock_;
  int boot_ = 1;

  FaultyVfs history_disk_, store_disk_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Syndicator> syndicator_;
  std::unique_ptr<CheckpointStore> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  struct Worker {
    std::unique_ptr<FakeWorker> fake;
    std::deque<WorkerCommand> commands;
  };
  std::vector<Worker> workers_;

  std::deque<std::string> published_;
  std::deque<RequestFrame> requests_;
  std::deque<ReplyFrame> replies_;
  bool connected_ = false;
  int connection_ = 0;

  std::vector<DesiredScript> scripts_;
  std::uint64_t commits_ = 0;
  // All that ever were in a commit.
  std::set<TriggerName> names_;
  std::uint64_t datagrams_ = 0;
  // What anybody may have seen: a hash of each message published, by its number.
  std::map<std::uint64_t, std::uint64_t> published_hashes_;
  std::string reused_;
  std::string broken_;
  // The store as it is on the disk.
  CheckpointStore* committed_ = nullptr;
  Seen seen_;

  std::optional<std::vector<std::shared_ptr<const InputBatch>>> all_batches_;
  // By name, run, and the last input.
  std::map<std::tuple<TriggerName, Run, Sequence>, Reference> references_;
};

}  // namespace hastur::test
