#pragma once

// The supervisor's logic: brings each trigger its inputs, keeps its memory, lets its effects out,
// in that order.
//
// Stepped by events; each leaves actions to be carried out. No socket, process or thread is inside,
// so that the same code runs under main() and in a simulation. docs/ARCHITECTURE.md tells the way
// of a batch through it:
//
//   StreamFollower ─▶ feed all triggers at the main position ─▶ workers ─▶ accept ─▶
//   OutputGate.commit ─▶ append
//
// A trigger that is not at the main position (its callback raised, its worker died, it is new) is
// brought forward from the recent inputs kept here or from History, on its own, and joins the
// others when it has caught up.

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "message/router.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/output_gate.h"
#include "supervisor/dispatch/trigger.h"
#include "syndicator/client/protocol.h"
#include "syndicator/client/stream_follower.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// ---- actions ----

struct SendRequest {
  RequestFrame frame;
};
// Starts the process of a slot (0 … workers-1); the one that was there has died.
struct StartWorker {
  std::uint32_t worker = 0;
};
struct ToWorker {
  std::uint32_t worker = 0;
  WorkerCommand command;
};
// The supervisor cannot go on, whatever is tried: the text says why and what the operator can do.
struct StopProcess {
  Error why;
};
using Action = std::variant<SendRequest, StartWorker, ToWorker, StopProcess>;

// One trigger of the set that should run.
struct DesiredScript {
  TriggerName name;
  ScriptVersion version;
};

class Dispatcher {
 public:
  struct Options {
    std::uint32_t workers = 2;
    CountedLimits limits;
    GuardLimits guards;
    // The runtime that workers run, recorded with each run.
    std::string runtime_build;
    // Inputs kept for triggers that must go back a little.
    std::size_t recent_bytes_max = 32u << 20;
    // Feeds a worker may have unanswered.
    std::size_t feeds_in_flight_max = 4;
    Micros checkpoint_every = std::chrono::seconds{1};
    Micros lease_every = std::chrono::seconds{3};
    Micros position_every = std::chrono::seconds{1};
    // When a request is taken for lost.
    Micros answer_max = std::chrono::seconds{5};
    // A worker that dies is started again after this, doubled each time it dies young, up to the
    // second.
    Micros restart_after = std::chrono::milliseconds{10};
    Micros restart_after_max = std::chrono::seconds{5};
    // State of a trigger up to which callbacks are guarded after an error, and for how many
    // callbacks.
    std::uint32_t guarded_callbacks = 1'000;
    OutputGate::Options gate;
    StreamFollower::Options follower;
  };

  // `store` and `clock` outlive the dispatcher.
  Dispatcher(CheckpointStore& store, Clock& clock, Options options);
  ~Dispatcher();

  // ---- events ----
  // The connection to the syndicator is there, or there again.
  void connected();
  void published(Batch batch);
  void replied(ReplyFrame frame);
  void worker_replied(std::uint32_t worker, WorkerReply reply);
  void worker_died(std::uint32_t worker, const WorkerDied& died);
  // The set of scripts that should run. What is new or changed is tried, then switched at one
  // sequence; what does not load is refused, and what ran before runs on.
  void desire(std::vector<DesiredScript> scripts);
  // Time has passed: to be called at least every 100 ms.
  void turn();
  // No more inputs; what is under way is finished and stored. stopped() tells when.
  void begin_stop();
  bool stopped() const { return stopping_ && idle(); }

  // What is to be done now, in order. Emptied by the call.
  std::vector<Action> take_actions();

  // ---- for people ----
  struct Refused {
    ScriptError error;
    Time at;
  };
  const std::map<TriggerName, std::unique_ptr<Trigger>>& triggers() const { return triggers_; }
  // New scripts that do not load: they are not among the triggers.
  const std::map<TriggerName, Refused>& refused() const { return refused_; }
  enum class Stage : std::uint8_t { connecting, leasing, loading, running };
  Stage stage() const { return stage_; }
  // Everything at or below has been handed to the triggers at the main position.
  Sequence main_position() const { return main_; }
  Sequence newest() const;
  const std::optional<PositionReply>& syndicator() const { return position_; }
  std::uint64_t messages_seen() const { return messages_seen_; }
  std::uint64_t refilled() const { return follower_ ? follower_->refilled() : 0; }
  std::uint64_t worker_restarts() const { return worker_restarts_; }
  const OutputGate& gate() const { return gate_; }
  const std::optional<Error>& commit_error() const { return commit_error_; }
  std::optional<Time> stream_time() const { return stream_time_; }

 private:
  struct Slot {
    bool up = false;
    std::optional<Micros> start_at;
    Micros started{0};
    Micros backoff{0};
    std::size_t feeds = 0;
    std::size_t triggers = 0;
  };
  // A version that is being tried: it becomes its trigger's next_switch, or is refused.
  struct Probe {
    DesiredScript script;
    TriggerHandle handle;
    std::uint32_t worker = 0;
    Run run;
    std::optional<Loaded> loaded;
    std::optional<ScriptError> error;
  };
  // A version that has ended at a judged memory; what follows waits for its commit.
  struct Ending {
    TriggerName name;
    Checkpoint checkpoint;
    // Its records are among those that wait for the commit.
    bool prepared = false;
  };
  // Triggers that are behind read History together, from where the last of them stands.
  struct Catchup {
    RequestId id;
    Micros asked_at{0};
    std::set<TriggerName> members;
    std::uint32_t credit_owed = 0;
    bool ended = false;
  };

  void work();
  bool idle() const;
  void act(Action action) { actions_.push_back(std::move(action)); }
  void stop_process(Error why);
  void retry_or_stop(const Error& why);
  void ask(Request request, std::optional<RequestId>* id);

  // connecting (dispatcher.cc)
  void take_position(const PositionReply& reply);
  void take_lease(const LeaseReply& reply);
  void adopt_stored();
  void begin_running();
  void send_requests();
  std::set<TriggerName> lease_names();

  // workers and loading (lifecycle.cc)
  void start_due_workers();
  std::uint32_t least_loaded() const;
  TriggerHandle new_handle() { return TriggerHandle{++handles_}; }
  void load(Trigger& trigger);
  void send_load(std::uint32_t worker, TriggerHandle handle, const TriggerName& name, Run run,
                 const ScriptVersion& version, const CountedLimits& limits,
                 std::optional<Memory> memory);
  void restart(Trigger& trigger);
  void take(std::uint32_t worker, Loaded reply);
  void take(std::uint32_t worker, LoadFailed reply);
  void take(std::uint32_t worker, Restored reply);
  void take(std::uint32_t worker, FeedReply reply);
  void take(std::uint32_t worker, Judged reply);
  void take(std::uint32_t worker, Unloaded reply);
  Trigger* by_handle(TriggerHandle handle);
  void skip_and_restart(Trigger& trigger, const CallError& error, std::string_view why);

  // inputs (feeding.cc)
  void feed_main();
  void take_lost(const LostReply& lost);
  void feed(const std::shared_ptr<const InputBatch>& input, std::span<Trigger* const> triggers,
            Router& router);
  void bring_forward();
  bool feed_recent(Trigger& trigger);
  bool can_leave_catchup(const TriggerName& name);
  void read_catchup(const Reply& reply);
  void rebuild_router();

  // versions (switching.cc)
  void begin_deployment();
  void accept_deployment();
  void advance_switches();
  void start_new(Probe& probe, Sequence at);
  void finish_endings();
  RunStart make_start(const TriggerName& name, const ScriptVersion& version, Run run,
                      std::string_view why, Sequence after, Checkpoint checkpoint);

  // commits (dispatcher.cc)
  void commit();

  CheckpointStore& store_;
  Clock& clock_;
  Options options_;
  OutputGate gate_;
  Time now_;
  Micros monotonic_{0};
  std::vector<Action> actions_;
  bool stopping_ = false;
  bool dead_ = false;

  Stage stage_ = Stage::connecting;
  std::optional<PositionReply> position_;
  std::uint64_t next_request_ = 1ull << 32;  // the follower's ids lie below
  std::optional<RequestId> position_id_, lease_id_;
  Micros position_asked_{0}, lease_asked_{0};
  bool position_due_ = false, lease_due_ = false;
  std::set<TriggerName> lease_asked_for_;
  std::map<TriggerName, Run> last_runs_;  // from the syndicator's marks
  std::optional<StreamFollower> follower_;

  std::vector<Slot> slots_;
  std::uint32_t handles_ = 0;
  std::map<TriggerName, std::unique_ptr<Trigger>> triggers_;
  std::map<TriggerHandle, Trigger*> handles_of_;
  std::map<TriggerName, Refused> refused_;
  std::uint64_t worker_restarts_ = 0;

  Router router_;
  Routed routed_;
  std::vector<Trigger*> lineup_;
  bool router_stale_ = true;
  Sequence main_;
  std::optional<Time> stream_time_;
  std::uint64_t messages_seen_ = 0;
  std::deque<std::shared_ptr<const InputBatch>> recent_;
  std::size_t recent_bytes_ = 0;
  std::set<TriggerName> behind_;
  std::optional<Catchup> catchup_;

  std::optional<std::vector<DesiredScript>> desired_;
  std::vector<Probe> probes_;
  std::vector<TriggerName> removals_;
  bool deploying_ = false;
  std::vector<Ending> endings_;

  Micros checkpointed_at_{0};
  Micros positioned_at_{0};
  Micros checkpoint_pause_{0};
  std::optional<Error> commit_error_;
};

}  // namespace hastur
