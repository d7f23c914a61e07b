#include "supervisor/dispatch/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/limits_json.h"
#include "supervisor/dispatch/stored_run.h"

namespace hastur {

Dispatcher::Dispatcher(CheckpointStore& store, Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      gate_(store, options_.gate),
      slots_(options_.workers),
      small_states_(options_.checkpoint_every),
      large_states_(options_.checkpoint_every) {
  HASTUR_CHECK(options_.workers > 0, "a supervisor has at least one worker");
  now_ = clock_.now();
  monotonic_ = clock_.monotonic();
  for (Slot& slot : slots_) slot.start_at = monotonic_;
  start_due_workers();
}

Dispatcher::~Dispatcher() = default;

std::vector<Action> Dispatcher::take_actions() { return std::exchange(actions_, {}); }

Sequence Dispatcher::newest() const {
  // Right after a start the follower has seen less than the supervisor before it handed out.
  const Sequence known = position_ ? position_->last : Sequence{};
  return follower_ ? std::max({follower_->newest(), main_, known}) : known;
}

// By our triggers, too, which go on from their own places.
Sequence Dispatcher::seen() const {
  Sequence seen = std::max(store_.position(), main_);
  if (follower_) seen = std::max(seen, follower_->newest());
  for (const auto& [name, trigger] : triggers_) {
    const Checkpoint& stored = trigger->stored();
    seen = std::max({seen, stored.state_sequence, stored.effects_sequence, trigger->cursor()});
  }
  return seen;
}

void Dispatcher::stop_process(Error why) {
  if (dead_) return;
  dead_ = true;
  act(StopProcess{std::move(why)});
}

// A disk that cannot be written may be written again: what was answered is asked for anew, later.
void Dispatcher::retry_or_stop(const Error& why) {
  if (why.code != ErrorCode::full && why.code != ErrorCode::failed) return stop_process(why);
  log_error("the state store could not be written, trying again: {}", why.message);
}

void Dispatcher::ask(Request request, std::optional<RequestId>* id) {
  *id = RequestId{next_request_++};
  act(SendRequest{{**id, std::move(request)}});
}

// ---- events ----

void Dispatcher::connected() {
  position_id_.reset();
  lease_id_.reset();
  position_due_ = true;
  lease_due_ = false;
  stream_is_known_ = false;
  gate_.disconnected();
  if (follower_) follower_->reconnected();
  // What was asked for will not be answered; the members start other reads.
  for (const auto& catchup : catchups_) end_catchup(*catchup);
  catchups_.clear();
  work();
}

void Dispatcher::published(Batch batch) {
  if (!follower_ || dead_) return;
  if (const auto taken = follower_->published(std::move(batch)); !taken) {
    return stop_process(
        {taken.error().code,
         fmt::format(
             "{}; this supervisor's state belongs to stream {}. Give it the state file of that "
             "stream, or a new one",
             taken.error().message, store_.stream()->to_string())});
  }
  work();
}

void Dispatcher::replied(ReplyFrame frame) {
  if (dead_) return;
  if (position_id_ && frame.id == *position_id_) {
    position_id_.reset();
    if (const auto* reply = std::get_if<PositionReply>(&frame.reply)) take_position(*reply);
  } else if (lease_id_ && frame.id == *lease_id_) {
    lease_id_.reset();
    if (const auto* reply = std::get_if<LeaseReply>(&frame.reply)) {
      take_lease(*reply);
    } else if (const auto* refused = std::get_if<RefusedReply>(&frame.reply)) {
      if (stage_ == Stage::running) return stop_process(refused->error);
      log_warn("waiting for the lease of our triggers: {}", refused->error.message);
      lease_refused_ = refused->error.message;
    }
  } else if (const auto catchup = std::ranges::find_if(
                 catchups_, [&](const auto& each) { return each->id == frame.id; });
             catchup != catchups_.end()) {
    read_catchup(**catchup, frame.reply);
  } else {
    const auto ours = gate_.replied(frame, monotonic_);
    if (!ours) return stop_process(ours.error());
    if (!*ours && follower_) {
      if (const auto taken = follower_->replied(frame); !taken) {
        log_warn("a reply of the syndicator could not be used: {}", taken.error().message);
      }
    }
  }
  work();
}

void Dispatcher::turn() { work(); }

void Dispatcher::begin_stop() {
  stopping_ = true;
  work();
}

bool Dispatcher::idle() const {
  if (dead_) return true;
  for (const Slot& slot : slots_) {
    if (!slot.feeds.empty()) return false;
  }
  return gate_.waiting().empty() || commit_error_.has_value();
}

void Dispatcher::work() {
  if (dead_) return;
  now_ = clock_.now();
  monotonic_ = clock_.monotonic();
  start_due_workers();
  if (stage_ == Stage::loading) begin_running();
  if (stage_ == Stage::running) {
    begin_deployment();
    look_after_hold();
    advance_switches();
    retry_paused();
    place_triggers();
    commit();
    settle_late_ones();
    if (!stopping_ && !gate_.is_full()) {
      bring_forward();
      feed_main();
      judge_at_pauses();
    }
    advance_switches();
    commit();
  }
  send_requests();
}

// ---- connecting ----

void Dispatcher::take_position(const PositionReply& reply) {
  if (const auto bound = store_.bind(reply.stream); !bound) return retry_or_stop(bound.error());
  position_ = reply;
  heard_at_ = clock_.monotonic();
  if (!std::exchange(stream_is_known_, true)) lease_due_ = true;
  if (stage_ == Stage::connecting) {
    stage_ = Stage::leasing;
    adopt_stored();
    seen_when_asked_ = seen();
  }
  look_for_set_back();
}

// The lease that is asked for next tells the syndicator, which then goes on behind what was seen.
void Dispatcher::look_for_set_back() {
  if (position_->last >= seen_when_asked_) {
    set_back_told_ = false;
    return;
  }
  if (std::exchange(set_back_told_, true)) return;
  log_error(
      "the syndicator's History was set back: it ends at {}, and inputs up to {} were taken from "
      "the same stream. Triggers keep what they made of them and go on behind; what is numbered "
      "until the syndicator knows is not taken. Was a file of History replaced by an older copy?",
      position_->last.value, seen_when_asked_.value);
  lease_due_ = true;
}

std::set<TriggerName> Dispatcher::lease_names() {
  std::set<TriggerName> names;
  for (const auto& [name, trigger] : triggers_) names.insert(name);
  for (const Probe& probe : probes_) names.insert(probe.script.name);
  if (desired_) {
    for (const DesiredScript& script : *desired_) names.insert(script.name);
  }
  for (const auto& [ticket, deployment] : queued_) {
    for (const DesiredScript& script : deployment.scripts) names.insert(script.name);
  }
  for (const DesiredScript& script : options_.built_in) names.insert(script.name);
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->next_switch && !trigger->next_switch->as.empty())
      names.insert(trigger->next_switch->as);
  }
  // A trigger that is gone may have left messages behind.
  if (const auto kept = store_.outbox(0, options_.gate.append_max)) {
    for (const OutboxMessage& message : *kept) names.insert(message.trigger);
  }
  return names;
}

void Dispatcher::take_lease(const LeaseReply& reply) {
  // The reply speaks of the names asked for; names that we hold no longer may have had a higher
  // one.
  const Epoch epoch = std::max(store_.epoch(), reply.epoch);
  if (const auto taken = store_.take_epoch(epoch); !taken) return retry_or_stop(taken.error());
  lease_refused_.clear();
  gate_.granted(epoch, lease_asked_for_);
  for (const AppendReply::Mark& mark : reply.marks) {
    Run& last = last_runs_[mark.trigger];
    last = std::max(last, mark.run);
  }
  for (const AppendReply::Mark& mark : reply.marks) follow_later_run(mark);
  if (stage_ == Stage::leasing) stage_ = Stage::loading;
}

// The stream holds messages of a later run than the store knows: the store is an older copy, or
// another supervisor had the trigger meanwhile. The syndicator would take all that the run of the
// store derives for known, so another one begins where those messages end.
void Dispatcher::follow_later_run(const AppendReply::Mark& mark) {
  const auto found = triggers_.find(mark.trigger);
  if (found == triggers_.end() || mark.run <= found->second->run()) return;
  Trigger& trigger = *found->second;
  if (trigger.phase == Trigger::Phase::failed || trigger.next_switch) return;
  const Run next = next_run(mark.trigger);
  log_warn(
      "{} is at run {} here, and the stream holds what run {} derived up to sequence {}: the state "
      "file is an older copy, or another supervisor ran it. Run {} goes on from there",
      mark.trigger, trigger.run().value, mark.run.value, mark.sequence.value, next.value);
  await_switch(trigger, {std::max(trigger.cursor(), mark.sequence).next(),
                         trigger.version(),
                         {},
                         0,
                         next,
                         {},
                         "restore"});
}

void Dispatcher::adopt_stored() {
  auto stored = store_.load_all();
  if (!stored) return stop_process(stored.error());
  for (StoredTrigger& record : *stored) {
    const TriggerName name = record.run.trigger;
    auto version = store_.version(record.run.version);
    if (!version) return stop_process(version.error());
    ScriptVersion files;
    if (*version) files = version_from(**version);
    auto trigger = std::make_unique<Trigger>(
        name, std::move(files), limits_from_json(record.run.limits), std::move(record.checkpoint),
        skips_from_journal(record.journal), pauses_from_journal(record.journal));
    trigger->runtime_build = record.run.runtime;
    for (const JournalRecord& decided : record.journal) {
      if (decided.decision == "behind") trigger->left_behind = decided.sequence;
    }
    if (!*version)
      fail_to_load(*trigger, {"the store does not have the files of its version", "", 0});
    if (!trigger->left_behind) trigger->untouched_through(store_.position());
    if (!trigger->pauses().empty()) with_pauses_.insert(name);
    triggers_.emplace(name, std::move(trigger));
  }
  const auto late = late_triggers(store_);
  if (!late) return stop_process(late.error());
  for (const TriggerName& name : *late) late_.emplace(name, std::max(newest(), position_->last));
  for (auto& [name, trigger] : triggers_) {
    if (trigger->phase == Trigger::Phase::waiting) load(*trigger);
  }
  go_on_with_deployments();
}

void Dispatcher::begin_running() {
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->phase != Trigger::Phase::running && trigger->phase != Trigger::Phase::failed)
      return;
  }
  // A supervisor that never ran begins at the present; one that did, where its furthest trigger
  // must go on. One that was left behind comes after by itself.
  std::optional<Sequence> from;
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->phase == Trigger::Phase::running && !trigger->left_behind)
      from = std::min(from.value_or(trigger->cursor()), trigger->cursor());
  }
  main_ = from.value_or(std::max(store_.position(), position_->last));
  follower_.emplace(position_->stream, main_, options_.follower);
  stage_ = Stage::running;
  log_info("running {} triggers from sequence {}; the stream stands at {}", triggers_.size(),
           main_.value, position_->last.value);
}

void Dispatcher::send_requests() {
  const auto lost = [&](const std::optional<RequestId>& id, Micros asked) {
    return id && monotonic_ - asked >= options_.answer_max;
  };
  if (lost(position_id_, position_asked_)) position_id_.reset(), position_due_ = true;
  if (lost(lease_id_, lease_asked_)) lease_id_.reset(), lease_due_ = true;
  if (!position_id_ && (position_due_ || monotonic_ - position_asked_ >= options_.position_every)) {
    position_due_ = false;
    position_asked_ = monotonic_;
    seen_when_asked_ = seen();
    ask(PositionRequest{}, &position_id_);
  }
  // Nothing is asked of, or given to, a syndicator that may keep another stream.
  if (!stream_is_known_) return;
  if (!lease_id_ && (lease_due_ || monotonic_ - lease_asked_ >= options_.lease_every)) {
    lease_due_ = false;
    lease_asked_ = monotonic_;
    lease_asked_for_ = lease_names();
    ask(LeaseRequest{store_.owner(),
                     {lease_asked_for_.begin(), lease_asked_for_.end()},
                     position_->stream,
                     seen()},
        &lease_id_);
  }
  if (auto append = gate_.request(monotonic_, next_request_)) act(SendRequest{std::move(*append)});
  if (follower_) {
    if (auto read = follower_->request()) act(SendRequest{std::move(*read)});
  }
}

// ---- commits ----

// Of those whose large state waits to be stored, the one that was stored longest ago.
const Trigger* Dispatcher::oldest_large_state() const {
  const Trigger* oldest = nullptr;
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->fresh_bytes() < options_.large_state_bytes || ends(name)) continue;
    if (oldest == nullptr || trigger->stored().state_sequence < oldest->stored().state_sequence)
      oldest = trigger.get();
  }
  return oldest;
}

// Its next run, or its removal, is in the next commit and says all about it.
bool Dispatcher::ends(const TriggerName& name) const {
  return std::ranges::any_of(
      endings_, [&](const Ending& ending) { return ending.prepared && ending.name == name; });
}

void Dispatcher::commit() {
  CommitBatch& waiting = gate_.waiting();
  // All states, one large one, the small ones, or none. Large ones are looked for only in a round.
  const bool all = stopping_ && !commit_error_;
  const bool round = all || small_states_.is_due(monotonic_);
  const Trigger* large =
      round && !all && large_states_.is_due(monotonic_) ? oldest_large_state() : nullptr;
  const bool small = round && large == nullptr;
  if (!round && waiting.empty()) return;

  waiting.checkpoints.clear();
  waiting.marks.clear();
  std::optional<Sequence> position;
  const auto is_stored = [&](const Trigger& trigger) {
    return all || &trigger == large ||
           (small && trigger.fresh_bytes() < options_.large_state_bytes);
  };
  for (const auto& [name, trigger] : triggers_) {
    if (ends(name)) continue;
    if (is_stored(*trigger)) {
      if (auto checkpoint = trigger->fresh_checkpoint()) {
        waiting.checkpoints.push_back(std::move(*checkpoint));
        continue;
      }
    }
    if (auto mark = trigger->fresh_mark()) waiting.marks.push_back(std::move(*mark));
  }
  Cadence& cadence = large != nullptr ? large_states_ : small_states_;
  if (round) {
    position = main_;
    for (const auto& [name, trigger] : triggers_) {
      if (trigger->phase == Trigger::Phase::failed) continue;
      position = std::min(*position, trigger->safe_position(is_stored(*trigger)));
    }
    // What is about to begin there has no cursor yet.
    if (deploying_ && deploying_->at && !probes_.empty())
      position = std::min(*position, Sequence{deploying_->at->value - 1});
    for (const Ending& ending : endings_)
      position = std::min(*position, ending.left_behind.value_or(*position));
    // A round that finds nothing judged stays due: the next judgement is stored at once.
    const bool moved_lately = monotonic_ - positioned_at_ < options_.checkpoint_every && !stopping_;
    if (*position <= store_.position() || (waiting.checkpoints.empty() && moved_lately)) {
      position.reset();
    }
    if (position) positioned_at_ = monotonic_;
    if (!waiting.checkpoints.empty()) cadence.begin(monotonic_);
  }
  // What a version ended with is kept: a rollback goes back to it.
  for (const Ending& ending : endings_) {
    if (!ending.prepared) continue;
    waiting.checkpoints.push_back(ending.last);
    // The inputs that a replay gave it are not given again.
    if (ending.is_replayed) waiting.checkpoints.push_back(ending.checkpoint);
  }
  waiting.position = position;
  if (waiting.empty()) return;

  const Micros before = clock_.monotonic();
  const auto committed = gate_.commit();
  const Micros took = clock_.monotonic() - before;
  time_in_commits_ += took;
  if (!committed) {
    if (committed.error().code != ErrorCode::full && committed.error().code != ErrorCode::failed) {
      return stop_process(committed.error());
    }
    if (!commit_error_)
      log_error("nothing leaves until a commit succeeds: {}", committed.error().message);
    commit_error_ = committed.error();
    return;
  }
  if (commit_error_) log_info("commits succeed again");
  commit_error_.reset();
  if (round) cadence.took(took);
  for (const Checkpoint& checkpoint : committed->checkpoints) {
    Trigger& trigger = *triggers_.at(checkpoint.trigger);
    if (trigger.run() == checkpoint.run) trigger.committed(checkpoint);
  }
  for (const EffectsMark& mark : committed->marks) triggers_.at(mark.trigger)->committed(mark);
  let_out(*committed);
  finish_endings();
}

void Dispatcher::let_out(const CommitBatch& committed) {
  // What was kept back is older than what has just been asked for.
  std::vector<std::uint64_t> released;
  for (const NotificationChange& change : committed.notification_changes) {
    if (change.status == NotificationStatus::waiting) released.push_back(change.id);
  }
  LetOut out;
  if (!released.empty()) {
    auto found = store_.notifications_of(released);
    if (!found) return stop_process(found.error());
    out.notifications = std::move(*found);
  }
  for (const NotificationRecord& record : committed.notifications) {
    if (record.status == NotificationStatus::waiting) out.notifications.push_back(record);
  }
  if (!out.notifications.empty()) act(std::move(out));
  for (const DeploymentRecord& record : committed.deployments) {
    const auto ticket = tickets_.extract(record.id);
    act(Deployed{ticket ? ticket.mapped() : 0, record});
  }
}

// ---- versions, shared by start and switch ----

VersionRecord Dispatcher::version_record(const TriggerName& name, const ScriptVersion& version) {
  VersionRecord record{version.id, name, {{version.script.path, version.script.text}}};
  for (const ScriptFile& library : version.libraries)
    record.files.push_back({library.path, library.text});
  return record;
}

RunStart Dispatcher::make_start(const TriggerName& name, const ScriptVersion& version, Run run,
                                std::string_view why, Sequence after, Checkpoint checkpoint) {
  RunStart start;
  start.version = version_record(name, version);
  start.run = {name,
               run,
               version.id,
               limits_to_json(options_.limits),
               options_.runtime_build,
               std::string(why),
               after,
               now_};
  start.checkpoint = std::move(checkpoint);
  return start;
}

}  // namespace hastur
