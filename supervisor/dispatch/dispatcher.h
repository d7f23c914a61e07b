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
// A trigger that is not at the main position (its callback raised, its worker died, it is new or
// slow) is brought forward from the recent inputs kept here or from History, on its own, and joins
// the others when it has caught up. A trigger that stays behind for want of time moves to a process
// aside, where it delays nobody (placing.cc).

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
#include "supervisor/dispatch/cadence.h"
#include "supervisor/dispatch/deployment.h"
#include "supervisor/dispatch/output_gate.h"
#include "supervisor/dispatch/replayed.h"
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
// Starts the process of a slot: 0 … workers-1 are shared, those from there on are aside and used as
// they are needed. The one that was there has died or was ended.
struct StartWorker {
  std::uint32_t worker = 0;
};
// Nothing is left for the slot's process to do.
struct EndWorker {
  std::uint32_t worker = 0;
};
struct ToWorker {
  std::uint32_t worker = 0;
  WorkerCommand command;
};
// These are stored as waiting: they may leave, in this order.
struct LetOut {
  std::vector<NotificationRecord> notifications;
};
// The supervisor cannot go on, whatever is tried: the text says why and what the operator can do.
struct StopProcess {
  Error why;
};
// A deployment was decided, and the decision is stored; or a trial has ended, whose record has the
// id 0 and in its report what refuses it. `ticket` is what deploy() returned, 0 for a directory.
struct Deployed {
  std::uint64_t ticket = 0;
  DeploymentRecord record;
  // Of a trial: what the author should know and is no reason to refuse it; lines. Else it stands in
  // the record's report.
  std::string notes = {};
};
using Action =
    std::variant<SendRequest, StartWorker, EndWorker, ToWorker, LetOut, StopProcess, Deployed>;

class Dispatcher {
 public:
  struct Options {
    std::uint32_t workers = 2;
    CountedLimits limits;
    GuardLimits guards;
    // The runtime that workers run, recorded with each run.
    std::string runtime_build;
    // They belong to every whole set, whatever the folder or branch says.
    std::vector<DesiredScript> built_in = {};
    // Inputs kept for triggers that must go back a little.
    std::size_t recent_bytes_max = 32u << 20;
    // Feeds a worker may have unanswered at the main position, and for triggers that are brought
    // forward.
    std::size_t feeds_in_flight_max = 4;
    std::size_t behind_feeds_max = 2;
    // A shared worker that has answered nothing for so long holds up its own triggers only: the
    // main position goes on, and they come after it.
    Micros stalls_after = std::chrono::milliseconds{500};
    // What a trigger may run at a time in a shared worker, and in one aside.
    Micros slice = std::chrono::milliseconds{5};
    Micros slice_aside = std::chrono::milliseconds{50};
    // One that gives up its turn and stays behind for so long moves aside; one aside that has kept
    // up for so long moves back.
    Micros aside_after = std::chrono::seconds{1};
    Micros back_after = std::chrono::seconds{60};
    // Processes aside; when all are there, further slow triggers share the least loaded.
    std::uint32_t aside_max = 8;
    // Reads of History at a time for triggers that are behind.
    std::size_t catchups_max = 8;
    Micros checkpoint_every = std::chrono::seconds{1};
    // States of so many bytes are stored one at a time.
    std::size_t large_state_bytes = 1u << 20;
    Micros lease_every = std::chrono::seconds{3};
    Micros position_every = std::chrono::seconds{1};
    // How long triggers stand still before a switch for those that have not come to it
    // (settling.cc).
    Micros settle_max = std::chrono::seconds{5};
    // When a request is taken for lost.
    Micros answer_max = std::chrono::seconds{5};
    // A worker that dies is started again after this, doubled each time it dies young, up to the
    // second.
    Micros restart_after = std::chrono::milliseconds{10};
    Micros restart_after_max = std::chrono::seconds{5};
    // How far behind the newest stream time the input of a notification may lie for it to leave as
    // it is (late.h).
    Micros late_after = std::chrono::minutes{5};
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
  // The set of scripts that should run, each for itself: what is new or changed is tried, then
  // switched at one sequence; what does not load is refused, and what ran before runs on. Replaces
  // a set that has not been begun.
  void desire(std::vector<DesiredScript> scripts);
  // Begins when those before it have come to their end, or wait for a switch and would change none
  // of its triggers; all its scripts are switched at one sequence, or none is. Returns a ticket,
  // above 0, for `Deployed`.
  std::uint64_t deploy(Deployment deployment);
  // Time has passed: to be called at least every 100 ms.
  void turn();
  // Nothing from the next input on is handed to the trigger, until somebody resumes it. Journalled
  // with the next commit. `not_found`, or `conflict` if it is paused by somebody already.
  Result<void> pause(const TriggerName& name, std::string why);
  // Ends a pause, whoever made it. `not_found`, or `conflict` if it is not paused.
  Result<void> resume(const TriggerName& name, std::string why);
  // Begins a new run of the trigger's version with a snapshot's memory, from an input on that
  // nobody has been given yet. `not_found`; `conflict` if another version or restoration is under
  // way. Returns a ticket, as deploy().
  Result<std::uint64_t> restore(const TriggerName& name, std::uint64_t snapshot, std::string why);
  // Begins a new run with the version and the state from before the deployment that brought the
  // present version (or from before the one with this id, above 0), and pins it. `not_found`;
  // `conflict` as restore(). That History since then is replayed is only noted, for others to do.
  enum class HistorySince : std::uint8_t { left_out, replayed };
  Result<std::uint64_t> rollback(const TriggerName& name, std::uint64_t deployment, std::string why,
                                 HistorySince since = HistorySince::left_out);
  // Whoever knows the file desires it again. `not_found` if it is not pinned.
  Result<void> unpin(const TriggerName& name);

  // ---- a replay takes its triggers' place (docs/replay.md) ----
  // Whether it may, as far as is known now: `not_found`, or `conflict` with what stands against it.
  Result<void> may_replay(const ReplayClaim& claim) const;
  // Lets the triggers of all claims stand still before one input. Asked again with the same claims,
  // it holds them for another `span`; when that is over they go on. `conflict` if it may not be, or
  // another replay is taking over.
  Result<void> hold(std::vector<ReplayClaim> claims, Micros span);
  // The last input that they take, once that is known; nothing while nobody is held.
  std::optional<Sequence> held_through() const;
  // These runs, one for each claim and all up to held_through(), begin with the next input. They
  // are there once nobody is held any more.
  Result<void> take_over(std::vector<ReplayedRun> runs);
  bool is_holding() const { return hold_.has_value(); }
  // They go on as they were.
  void abandon_hold(std::string_view why);

  // Stores and releases what the platform itself asks to be told, as what triggers ask for.
  void notify(NotificationRecord record);
  // Stores one with the status that it has.
  void keep(NotificationRecord record);
  // Nothing that triggers asked to be told waits to be stored: what the store holds is the newest.
  bool has_told_all() const { return gate_.waiting().notifications.empty(); }
  // How often a run ended since the start, with or without another in its place.
  std::uint64_t runs_ended() const { return runs_ended_; }
  // Triggers whose last input lies further than `span` behind the newest stream time although there
  // are more; by how much. Not those that are paused or do not load.
  std::map<TriggerName, Micros> behind(Micros span) const;
  // The range of inputs that was found lost last, by `now`; nothing since the start.
  struct LostRange {
    Sequence first, last;
    std::string why;
    Time found_at{};
  };
  const std::optional<LostRange>& last_lost() const { return last_lost_; }

  // No more inputs; what is under way is finished and stored. stopped() tells when.
  void begin_stop();
  bool stopped() const { return stopping_ && idle(); }

  // What is to be done now, in order. Emptied by the call.
  std::vector<Action> take_actions();

  // ---- for people ----
  struct Refused {
    ScriptError error;
    Time at;
    VersionId version;
  };
  const std::map<TriggerName, std::unique_ptr<Trigger>>& triggers() const { return triggers_; }
  // New scripts that do not load: they are not among the triggers.
  const std::map<TriggerName, Refused>& refused() const { return refused_; }
  enum class Stage : std::uint8_t { connecting, leasing, loading, running };
  const std::map<TriggerName, Pin>& pins() const { return pins_; }
  // Whether a pin keeps the trigger's version when this is its file; null: it has none.
  bool stays_pinned(const TriggerName& name, const ScriptFile* file) const;
  // It belongs to every whole set, whatever the folder or branch says.
  bool is_built_in(const TriggerName& name) const;
  // What is said of a name that no trigger has: that there is none, and if there was one, what has
  // become of it and how it comes back.
  std::string no_trigger(const TriggerName& name) const;
  // False if a trigger's run began under other counted limits or another runtime than are in force
  // now: deploying its version again begins a new run.
  bool runs_as_configured() const;
  Stage stage() const { return stage_; }
  // Everything at or below has been handed to the triggers at the main position.
  Sequence main_position() const { return main_; }
  Sequence newest() const;
  const std::optional<PositionReply>& syndicator() const { return position_; }
  // When it answered last, by the monotonic clock; nothing if it never did.
  std::optional<Micros> heard_at() const { return heard_at_; }
  std::uint64_t messages_seen() const { return messages_seen_; }
  std::uint64_t refilled() const { return follower_ ? follower_->refilled() : 0; }
  std::uint64_t worker_restarts() const { return worker_restarts_; }
  // Why a trigger has the worker it has.
  enum class Place : std::uint8_t { shared, slow, alone, isolated };
  Place place(const Trigger& trigger) const { return slots_[trigger.worker].place; }
  std::uint32_t workers_up() const;
  // Why workers do not stay up for long enough to do anything; nothing if they do.
  std::optional<std::string> worker_trouble() const;
  const OutputGate& gate() const { return gate_; }
  // Of the monotonic clock, in all commits together.
  Micros time_in_commits() const { return time_in_commits_; }
  const std::optional<Error>& commit_error() const { return commit_error_; }
  // Why the syndicator does not grant our triggers' names; empty if it does.
  const std::string& lease_refused() const { return lease_refused_; }
  std::optional<Time> stream_time() const { return stream_time_; }

 private:
  struct Slot {
    Place place = Place::shared;
    bool up = false;
    std::optional<Micros> start_at;
    Micros started{0};
    Micros backoff{0};
    // Unanswered feeds, in order: whether it is of a trigger that is brought forward.
    std::deque<bool> feeds;
    // When it answered last, or was given something after a rest.
    Micros heard{0};
    std::size_t behind_feeds = 0;
    std::size_t triggers = 0;
    // Why it died young, until one in its place has done something.
    std::string died_young;

    std::size_t main_feeds() const { return feeds.size() - behind_feeds; }
    void no_feeds() {
      feeds.clear();
      behind_feeds = 0;
    }
  };
  // Whose state a version takes over.
  struct Predecessor {
    TriggerName name;
    VersionId version;
    Run run;
    // As it is stored; without a state it was never judged.
    Memory memory;
    // It runs: its state will be another when it ends.
    bool is_live = false;
    // The input before which it ended, if it does not.
    Sequence ended = {};
  };
  // A version that is being tried: it becomes its trigger's next_switch, or is refused.
  struct Probe {
    DesiredScript script;
    TriggerHandle handle;
    std::uint32_t worker = 0;
    Run run;
    std::optional<Loaded> loaded = std::nullopt;
    std::optional<ScriptError> error = std::nullopt;
    std::optional<Trigger::Restoration> restoration = std::nullopt;
    std::optional<Predecessor> before = std::nullopt;
    // It has been loaded with what it takes over, or need not be.
    bool is_tried = false;
    // The memory that it is loaded with.
    std::optional<Memory> memory = std::nullopt;
    std::optional<WarmHelpers> warm = std::nullopt;
  };
  struct Deploying {
    std::uint64_t ticket = 0;
    Deployment wanted;
    DeploymentRecord record;
    std::vector<TriggerName> removals;
    // Removed triggers that a new name takes over.
    std::set<TriggerName> claimed;
    std::vector<Pin> pins;
    std::vector<TriggerName> unpins;
    // What its author should know and is no reason to refuse it; lines.
    std::string notes;
    // Once all of it loads: the sequence that it is to switch at, and how far stream time had come
    // then; what is stored with it if it is decided so; and when it is decided without those that
    // have not come.
    std::optional<Sequence> at;
    Time stream_time{};
    std::vector<VersionRecord> versions;
    Micros settle_until{0};
    // A directory's scripts stand each for itself.
    bool is_whole() const { return wanted.kind != DeploymentKind::directory; }
  };
  // A version that has ended at a judged memory; what follows waits for its commit.
  struct Ending {
    TriggerName name;
    // What it ended with, and what its successor goes on with.
    Checkpoint last;
    Checkpoint checkpoint;
    // The successor has taken inputs already, in a replay: that is not what its run started with.
    bool is_replayed = false;
    // Its records are among those that wait for the commit.
    bool prepared = false;
    // The new version is loaded again, with this memory, so that its ctx:migrate can convert it.
    bool migrating = false;
    // What its helpers are to begin with; once it is loaded, what they do begin with.
    std::optional<WarmHelpers> warm = std::nullopt;
    // Somebody paused it: its successor is paused from its first input.
    std::optional<Pause> pause;
    // Of the successor of one that was left behind (Trigger::left_behind).
    std::optional<Sequence> left_behind;
  };
  // Triggers that fell behind together read History together, from where the last of them stands;
  // one aside reads alone, at its own pace.
  struct Catchup {
    RequestId id;
    Micros asked_at{0};
    std::set<TriggerName> members;
    Router router;
    bool router_stale = true;
    // What was read and not yet taken by all members.
    struct Held {
      std::shared_ptr<const InputBatch> input;
      LostReply lost;  // if there is no input
    };
    std::deque<Held> held;
    std::uint32_t credit_owed = 0;
    bool ended = false;
  };
  enum class FeedKind : std::uint8_t { main, behind };
  struct Hold {
    std::vector<ReplayClaim> claims;
    Micros until{0};
    std::optional<Sequence> through;
    std::map<TriggerName, ReplayedRun> runs;
  };

  void work();
  bool idle() const;
  void act(Action action) { actions_.push_back(std::move(action)); }
  void stop_process(Error why);
  void retry_or_stop(const Error& why);
  void ask(Request request, std::optional<RequestId>* id);

  // connecting (dispatcher.cc)
  void take_position(const PositionReply& reply);
  void look_for_set_back();
  // The highest number of the stream that anything here has seen.
  Sequence seen() const;
  void take_lease(const LeaseReply& reply);
  void follow_later_run(const AppendReply::Mark& mark);
  void adopt_stored();
  void begin_running();
  void send_requests();
  std::set<TriggerName> lease_names();

  // workers and loading (lifecycle.cc)
  void start_due_workers();
  TriggerHandle new_handle() { return TriggerHandle{++handles_}; }
  // Takes the place of the one it had.
  void give_handle(Trigger& trigger);
  void load(Trigger& trigger);
  void send_load(std::uint32_t worker, TriggerHandle handle, const TriggerName& name, Run run,
                 const ScriptVersion& version, const CountedLimits& limits,
                 std::optional<Memory> memory, std::optional<VersionId> migrate_from = std::nullopt,
                 std::optional<WarmHelpers> warm = std::nullopt);
  void load_next(Trigger& trigger);
  void restart(Trigger& trigger);
  void take(std::uint32_t worker, Loaded reply);
  void take(std::uint32_t worker, LoadFailed reply);
  void take(std::uint32_t worker, Restored reply);
  void take(std::uint32_t worker, FeedReply reply);
  void take(std::uint32_t worker, Judged reply);
  void take(std::uint32_t worker, Unloaded reply);
  Trigger* by_handle(TriggerHandle handle);
  void fail_to_load(Trigger& trigger, ScriptError error);
  void leave_behind(Trigger& trigger, Sequence until);
  JournalRecord behind_record(const TriggerName& name, Run run, Sequence until) const;
  void skip(Trigger& trigger, const CallError& error, std::string_view why);
  void take_death(Trigger& trigger, const WorkerDied& died);

  // which worker (placing.cc)
  std::uint32_t least_loaded() const;
  std::uint32_t slot_aside(Place place);
  void move(Trigger& trigger, std::uint32_t worker);
  void leave_slot(std::uint32_t worker);
  void note_yield(Trigger& trigger);
  void place_triggers();

  // pauses (pausing.cc)
  void begin_pause(Trigger& trigger, Sequence from, Pause pause);
  void end_pause(Trigger& trigger, std::string_view by, std::string_view why);
  void pause_failing(Trigger& trigger, Sequence from, std::string why, Time at);
  void retry_paused();
  void watch_failures(Trigger& trigger, const Trigger::Accepted& accepted, bool stopped);
  void judge_at_pauses();

  // late notifications (lateness.cc)
  std::optional<Time> newest_stream_time() const;
  bool is_late(const TriggerName& name, Time input);
  void settle_late_ones();

  // inputs at the main position (feeding.cc)
  void feed_main();
  void take_lost(const LostReply& lost);
  void pass_lost(Trigger& trigger, const LostReply& lost);
  void feed(const std::shared_ptr<const InputBatch>& input, std::span<Trigger* const> triggers,
            Router& router, FeedKind kind);
  bool has_room(const Trigger& trigger, FeedKind kind) const;
  bool stalls(const Slot& slot) const;
  void rebuild_router();

  // inputs for triggers that are behind (catching_up.cc)
  void bring_forward();
  enum class Recent : std::uint8_t { joined, under_way, too_old };
  Recent feed_recent(Trigger& trigger);
  void begin_catchups();
  void advance(Catchup& catchup);
  void feed_held(Catchup& catchup);
  bool take_held_lost(Catchup& catchup, const LostReply& lost);
  void end_catchup(Catchup& catchup);
  void read_catchup(Catchup& catchup, const Reply& reply);
  Trigger* running(const TriggerName& name);

  // sets of versions (deploying.cc)
  void begin_deployment();
  void begin(std::uint64_t ticket, Deployment deployment);
  using Queue = std::deque<std::pair<std::uint64_t, Deployment>>;
  Queue::iterator next_to_begin();
  bool waits_for_switch(const Deployment& deployment) const;
  bool waits_for_lease(const Deployment& deployment);
  bool would_change(const Deployment& deployment, const TriggerName& name) const;
  bool begins_run_of(const Deployment& deployment, const TriggerName& name) const;
  const Trigger* renamed_to(const TriggerName& name) const;
  const ScriptVersion* decided_version(const TriggerName& name) const;
  static const ScriptVersion& coming_version(const Trigger& trigger);
  bool is_refused(const DesiredScript& script) const;
  bool runs_as_configured(const Trigger& trigger) const;
  void probe(DesiredScript script, std::optional<Trigger::Restoration> restoration);
  void load_probe(const Probe& probe);
  void note_empty_was(const Probe& probe);
  std::optional<Predecessor> predecessor(const Probe& probe);
  std::string why_not_taken(const TriggerName& was) const;
  bool try_with_memory();
  void accept_deployment();
  void refuse(Probe& probe);
  void tell_refusal(const TriggerName& name, const ScriptError& error);
  void drop_probes();
  void end_trial();
  void store_deployment();

  // going back (going_back.cc)
  Result<void> can_begin(const TriggerName& name) const;
  std::string file_of(const TriggerName& name) const;
  bool keep_pinned(const TriggerName& name, const ScriptFile* file);

  // all of a set, or nothing (settling.cc)
  void begin_switches();
  void succeed(Probe& probe, Sequence at);
  void remove(const TriggerName& name, Sequence at);
  bool is_being_settled(const Trigger::Switch& next) const;
  bool have_come() const;
  void settle_deployment();
  void decide_deployment();
  void call_off_deployment();
  void start_new(Probe& probe, Sequence at);
  void go_on_with_deployments();
  bool go_on_with(const DeploymentRecord& record);

  // one version after another (switching.cc)
  void advance_switches();
  void finish_endings();
  Ending* ending_of(const TriggerName& name);
  void await_switch(Trigger& trigger, Trigger::Switch next);
  void end_version(const Trigger& trigger, Checkpoint last);
  void begin_migration(Ending& ending);
  void prepare_start(Ending& ending, const Trigger& before, const Trigger::Switch& next);
  void refuse_switch(Trigger& trigger, ScriptError error);
  void abandon_switch(Trigger& trigger);
  Run next_run(const TriggerName& name) const;
  static VersionRecord version_record(const TriggerName& name, const ScriptVersion& version);
  RunStart make_start(const TriggerName& name, const ScriptVersion& version, Run run,
                      std::string_view why, Sequence after, Checkpoint checkpoint);

  // replays (replaying.cc)
  void look_after_hold();
  bool replay_is_whole() const;
  void prepare_replayed(Ending& ending, const Trigger::Switch& next);

  // commits (dispatcher.cc)
  void commit();
  const Trigger* oldest_large_state() const;
  bool ends(const TriggerName& name) const;
  void let_out(const CommitBatch& committed);

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
  // Since it was connected to last, the syndicator has said that its stream is ours.
  bool stream_is_known_ = false;
  std::optional<Micros> heard_at_;
  std::uint64_t next_request_ = 1ull << 32;  // the follower's ids lie below
  std::optional<RequestId> position_id_, lease_id_;
  Micros position_asked_{0}, lease_asked_{0};
  bool position_due_ = false, lease_due_ = false;
  // seen() when the position was asked for last: what came while its answer was under way may be
  // newer.
  Sequence seen_when_asked_;
  // That History ends before what was seen; until it does not any more.
  bool set_back_told_ = false;
  std::set<TriggerName> lease_asked_for_;
  // The deployment that comes next needs the leases of its new names first.
  std::optional<Micros> waits_for_lease_since_;
  std::string lease_refused_;
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
  std::uint64_t runs_ended_ = 0;
  std::deque<std::shared_ptr<const InputBatch>> recent_;
  std::size_t recent_bytes_ = 0;
  std::set<TriggerName> behind_;
  // Those with pauses that recovery may still need; some may have ended meanwhile.
  std::set<TriggerName> with_pauses_;
  std::vector<std::unique_ptr<Catchup>> catchups_;
  // Those whose notifications wait until they have caught up, and how far they must come for that.
  std::map<TriggerName, Sequence> late_;
  Micros looked_at_late_{0};

  std::optional<std::vector<DesiredScript>> desired_;
  Queue queued_;  // by ticket; 0: a replay
  std::uint64_t newest_ticket_ = 0;
  std::uint64_t newest_deployment_ = 0;
  std::optional<Deploying> deploying_;
  std::vector<Probe> probes_;
  std::map<std::uint64_t, std::uint64_t> tickets_;  // by id of what waits to be stored
  std::map<TriggerName, Pin> pins_;
  std::vector<Ending> endings_;
  std::optional<Hold> hold_;

  Micros looked_at_places_{0};
  Cadence small_states_, large_states_;
  Micros positioned_at_{0};
  Micros time_in_commits_{0};
  std::optional<LostRange> last_lost_;
  std::optional<Error> commit_error_;
};

}  // namespace hastur
