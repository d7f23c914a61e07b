// Dispatcher: a replay that takes its triggers' place.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/replayed.h"

namespace hastur {

Result<void> Dispatcher::may_replay(const ReplayClaim& claim) const {
  const TriggerName& name = claim.trigger;
  const auto found = triggers_.find(name);
  if (found == triggers_.end())
    return fail(ErrorCode::not_found, fmt::format("there is no trigger {}", name));
  const Trigger& trigger = *found->second;
  const auto refuse = [](std::string why) { return fail(ErrorCode::conflict, std::move(why)); };
  if (trigger.open_pause() != nullptr)
    return refuse(fmt::format("{} is paused; resume it first", name));
  if (trigger.phase == Trigger::Phase::failed)
    return refuse(fmt::format("{} does not load; mend it first", name));
  if (trigger.run() != claim.replaces || next_run(name) != claim.run)
    return refuse(fmt::format("another run of {} has begun meanwhile; begin again", name));
  return {};
}

Result<void> Dispatcher::hold(std::vector<ReplayClaim> claims, Micros span) {
  monotonic_ = clock_.monotonic();
  if (hold_) {
    if (hold_->claims != claims)
      return fail(ErrorCode::conflict, "another replay is taking over; try again in a moment");
    hold_->until = monotonic_ + span;
    return {};
  }
  if (stage_ != Stage::running || stopping_)
    return fail(ErrorCode::unavailable, "the supervisor is not running yet, or not any more");
  for (const ReplayClaim& claim : claims) {
    HASTUR_TRY(may_replay(claim));
    HASTUR_TRY(can_begin(claim.trigger));
  }
  Deployment deployment;
  deployment.kind = DeploymentKind::restore;
  deployment.by_replay = true;
  for (const ReplayClaim& claim : claims)
    deployment.scripts.push_back({claim.trigger, triggers_.at(claim.trigger)->version()});
  queued_.emplace_back(0, std::move(deployment));
  hold_ = Hold{std::move(claims), monotonic_ + span, std::nullopt, {}};
  work();
  return {};
}

std::optional<Sequence> Dispatcher::held_through() const {
  return hold_ ? hold_->through : std::nullopt;
}

Result<void> Dispatcher::take_over(std::vector<ReplayedRun> runs) {
  if (!hold_ || !hold_->through || !hold_->runs.empty())
    return fail(ErrorCode::conflict, "the replay took too long to take over; begin again");
  for (const ReplayClaim& claim : hold_->claims) {
    const auto run = std::ranges::find_if(runs, [&](const ReplayedRun& each) {
      return each.start.run.trigger == claim.trigger && each.start.run.run == claim.run;
    });
    if (run == runs.end() || run->end.state_sequence != *hold_->through ||
        run->start.run.version != triggers_.at(claim.trigger)->version().id) {
      return fail(ErrorCode::invalid,
                  fmt::format("what the replay hands over is no run of {} up to sequence {}",
                              claim.trigger, hold_->through->value));
    }
  }
  for (ReplayedRun& run : runs) {
    const TriggerName name = run.start.run.trigger;
    hold_->runs.emplace(name, std::move(run));
  }
  work();
  return {};
}

void Dispatcher::abandon_hold(std::string_view why) {
  if (!hold_) return;
  const auto is_held = [this](const TriggerName& name) {
    return std::ranges::find(hold_->claims, name, &ReplayClaim::trigger) != hold_->claims.end();
  };
  // A memory that is being taken is waited for.
  for (const auto& [name, trigger] : triggers_) {
    if (is_held(name) && trigger->phase == Trigger::Phase::judging && ending_of(name) == nullptr)
      return;
  }
  if (std::ranges::any_of(endings_, &Ending::prepared)) return;
  log_warn("the replay does not take over: {}", why);
  std::erase_if(queued_, [](const auto& each) { return each.second.by_replay; });
  if (deploying_ && deploying_->wanted.by_replay) {
    for (const Probe& probe : std::exchange(probes_, {})) {
      if (slots_[probe.worker].up) act(ToWorker{probe.worker, UnloadCommand{probe.handle}});
      leave_slot(probe.worker);
    }
    deploying_.reset();
  }
  for (const ReplayClaim& claim : hold_->claims) {
    const auto found = triggers_.find(claim.trigger);
    if (found != triggers_.end() && found->second->next_switch) abandon_switch(*found->second);
  }
  hold_.reset();
}

// Nobody stands still for a replay that has died.
void Dispatcher::look_after_hold() {
  if (!hold_) return;
  if (monotonic_ >= hold_->until) return abandon_hold("it was not heard of any more");
  const bool begins = deploying_ || std::ranges::any_of(queued_, [](const auto& each) {
                        return each.second.by_replay;
                      });
  for (const ReplayClaim& claim : hold_->claims) {
    const auto found = triggers_.find(claim.trigger);
    const bool waits = begins || (found != triggers_.end() && found->second->next_switch);
    if (!waits) return abandon_hold(fmt::format("{} cannot give way", claim.trigger));
  }
}

// All that are held have come to their end, and what takes their place is there.
bool Dispatcher::replay_is_whole() const {
  if (!hold_ || hold_->runs.empty()) return false;
  // What they asked for last must be committed for their incidents to be known.
  if (!gate_.waiting().notifications.empty()) return false;
  return std::ranges::all_of(hold_->claims, [this](const ReplayClaim& claim) {
    return std::ranges::find(endings_, claim.trigger, &Ending::name) != endings_.end();
  });
}

void Dispatcher::prepare_replayed(Ending& ending, const Trigger::Switch& next) {
  ReplayedRun& run = hold_->runs.at(ending.name);
  std::vector<NotificationRecord> notifications = std::move(run.notifications);
  const bool offered = std::ranges::any_of(notifications, [](const NotificationRecord& record) {
    return record.status == NotificationStatus::pending;
  });
  for (NotificationRecord& record : notifications) {
    record.status = NotificationStatus::recorded;
    gate_.judge(record);
    if (record.status == NotificationStatus::closed) continue;
    record.status = NotificationStatus::recorded;
    record.reason = "replay";
  }
  if (offered) {
    if (const auto done = offer_replayed(store_, notifications); !done)
      log_error("notifications of the replay are only recorded: {}", done.error().message);
  }
  CommitBatch& waiting = gate_.waiting();
  std::ranges::move(notifications, std::back_inserter(waiting.notifications));
  std::ranges::move(run.corrections, std::back_inserter(waiting.messages));
  std::ranges::move(run.decisions, std::back_inserter(waiting.journal));
  ending.checkpoint = run.end;
  ending.is_replayed = true;
  const Sequence after = run.start.run.after;
  // Where it begins with the state that its script gives, which may be long before `after`.
  const bool fresh = run.start.checkpoint.state.empty();
  const Sequence from = run.start.checkpoint.state_sequence;
  RunStart start = make_start(ending.name, *next.version, next.run, next.why, after,
                              std::move(run.start.checkpoint));
  waiting.starts.push_back(std::move(start));
  Json detail = {{"version", next.version->id},
                 {"run", next.restoration->run.value},
                 {"after", after.value},
                 {"fresh", fresh}};
  if (fresh) detail["from"] = from.value;
  waiting.journal.push_back(
      {ending.name, next.run, next.at, "replay", canonical_json(detail), now_});
  // It was judged here, which whoever runs it again does too.
  const Json why = {{"why", "a replay took over"}, {"by", "platform"}};
  for (const char* decision : {"pause", "resume"})
    waiting.journal.push_back(
        {ending.name, next.run, next.at, decision, canonical_json(why), now_});
}

}  // namespace hastur
