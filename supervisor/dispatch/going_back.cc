// Dispatcher: going back to what a trigger was before, and the pins that keep it there.

#include <fmt/format.h>

#include <algorithm>

#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/stored_run.h"

namespace hastur {

Result<void> Dispatcher::can_begin(const TriggerName& name) const {
  const auto found = triggers_.find(name);
  const bool is_to_come = renamed_to(name) != nullptr;
  if (found == triggers_.end() && !is_to_come) return fail(ErrorCode::not_found, no_trigger(name));
  const bool waits = std::ranges::any_of(
      queued_, [&](const auto& each) { return begins_run_of(each.second, name); });
  const bool begins = deploying_ && begins_run_of(deploying_->wanted, name);
  if (waits || begins || is_to_come || found->second->next_switch)
    return fail(ErrorCode::conflict,
                fmt::format("another run of {} is about to begin; try again in a moment", name));
  return {};
}

std::string Dispatcher::no_trigger(const TriggerName& name) const {
  const std::string none = fmt::format("there is no trigger {}", name);
  const auto removed = store_.load_removed(name);
  if (!removed || !*removed) return none;
  if (const auto end = end_of(store_, **removed); end && !end->heir.empty())
    return fmt::format("{}: it went on as {}", none, end->heir);
  return fmt::format(
      "{0}: it was removed. Once its file is back, hastur snapshots {1} lists what is kept of it, "
      "and hastur restore {1} s-… goes on from there",
      none, name);
}

Result<std::uint64_t> Dispatcher::restore(const TriggerName& name, std::uint64_t snapshot,
                                          std::string why) {
  HASTUR_TRY(can_begin(name));
  auto kept = store_.snapshot(snapshot);
  if (!kept) return fail(kept.error());
  if (!*kept || (*kept)->record.trigger != name) {
    return fail(
        ErrorCode::not_found,
        fmt::format("{} has no snapshot s-{}; see hastur snapshots {}", name, snapshot, name));
  }
  const SnapshotRecord& record = (*kept)->record;
  const auto run = store_.run(name, record.run);
  if (!run) return fail(run.error());
  Deployment deployment{.kind = DeploymentKind::restore,
                        .scripts = {{name, triggers_.at(name)->version()}},
                        .why = why};
  deployment.restoration = Trigger::Restoration{snapshot,
                                                record.run,
                                                record.sequence,
                                                record.time,
                                                *run ? (*run)->version : VersionId(),
                                                std::move((*kept)->state),
                                                std::move((*kept)->runtime),
                                                std::move(why)};
  return deploy(std::move(deployment));
}

Result<std::uint64_t> Dispatcher::rollback(const TriggerName& name, std::uint64_t deployment,
                                           std::string why, HistorySince since) {
  HASTUR_TRY(can_begin(name));
  const VersionId present = triggers_.at(name)->version().id;
  CheckpointStore::DeploymentQuery query;
  query.trigger = name;
  query.max = 1'000;
  const auto all = store_.deployments(query);
  if (!all) return fail(all.error());
  std::optional<DeploymentChange> undone;
  for (const DeploymentRecord& record : *all) {
    const auto change = std::ranges::find(record.changes, name, &DeploymentChange::trigger);
    const bool changed_code = change->outcome == "live" && change->before != change->version;
    // Of itself it goes further back; back to what was rolled back only if that is said.
    const bool is_meant =
        deployment > 0 ? record.id == deployment
                       : change->version == present && record.kind != DeploymentKind::rollback;
    if (!changed_code || !is_meant) continue;
    undone = *change;
    break;
  }
  if (!undone || undone->before.empty()) {
    std::string text =
        fmt::format("nothing is known of {} from before {}; see hastur deployments", name,
                    deployment > 0 ? fmt::format("d-{}", deployment) : "its present version");
    const auto pin = pins_.find(name);
    if (pin != pins_.end() && deployment == 0) {
      text += fmt::format(
          ". It is pinned: hastur rollback {0} --before d-{1} undoes what has pinned it, and "
          "hastur unpin {0} lets it follow its file",
          name, pin->second.deployment);
    }
    return fail(ErrorCode::not_found, std::move(text));
  }
  if (!undone->was.empty()) {
    return fail(ErrorCode::conflict,
                fmt::format("{} was {} before; give the file its old name back, with "
                            "ctx:was(\"{}\") in it",
                            name, undone->was, name));
  }
  const auto files = store_.version(undone->before);
  if (!files) return fail(files.error());
  const auto kept = store_.snapshots(name);
  if (!kept) return fail(kept.error());
  std::optional<Snapshot> end;
  for (const SnapshotRecord& record : *kept) {
    if (record.run != undone->run_before || (end && end->record.sequence >= record.sequence))
      continue;
    auto whole = store_.snapshot(record.number);
    if (!whole) return fail(whole.error());
    end = std::move(*whole);
  }
  if (!*files || !end) {
    return fail(ErrorCode::not_found,
                fmt::format("the {} of {} from before that deployment is not kept any more",
                            *files ? "state" : "code", name));
  }
  Deployment back{.kind = DeploymentKind::rollback,
                  .scripts = {{name, version_from(**files)}},
                  .why = why,
                  .replays = since == HistorySince::replayed};
  back.restoration = Trigger::Restoration{end->record.number, end->record.run, end->record.sequence,
                                          end->record.time,   undone->before,  end->state,
                                          end->runtime,       std::move(why)};
  return deploy(std::move(back));
}

Result<void> Dispatcher::unpin(const TriggerName& name) {
  if (pins_.erase(name) == 0)
    return fail(ErrorCode::not_found, fmt::format("{} is not pinned", name));
  gate_.waiting().unpins.push_back(name);
  work();
  return {};
}

// Its file in the branch or folder, as far as that is known; empty: it has none there.
std::string Dispatcher::file_of(const TriggerName& name) const {
  if (const auto pin = pins_.find(name); pin != pins_.end()) return pin->second.file;
  const auto found = triggers_.find(name);
  if (found == triggers_.end()) return {};
  const Trigger& trigger = *found->second;
  return trigger.refused ? trigger.refused_file : file_id(coming_version(trigger).script);
}

// A pin holds until the file is another, or comes, or goes; libraries are not the file.
bool Dispatcher::stays_pinned(const TriggerName& name, const ScriptFile* file) const {
  const auto pin = pins_.find(name);
  return pin != pins_.end() && triggers_.contains(name) &&
         pin->second.file == (file == nullptr ? "" : file_id(*file));
}

bool Dispatcher::keep_pinned(const TriggerName& name, const ScriptFile* file) {
  if (stays_pinned(name, file)) return true;
  if (pins_.contains(name)) deploying_->unpins.push_back(name);
  return false;
}

}  // namespace hastur
