#include "state/memory_deployments.h"

#include <algorithm>

namespace hastur {

void MemoryDeployments::take(const CommitBatch& batch) {
  for (const DeploymentRecord& record : batch.deployments) {
    DeploymentRecord& kept = records_[record.id] = record;
    std::ranges::sort(kept.changes, {}, &DeploymentChange::trigger);
  }
  for (const DeploymentOutcome& outcome : batch.outcomes) {
    const auto found = records_.find(outcome.deployment);
    if (found == records_.end()) continue;
    const auto change =
        std::ranges::find(found->second.changes, outcome.trigger, &DeploymentChange::trigger);
    if (change != found->second.changes.end()) change->outcome = outcome.outcome;
  }
  for (const DeploymentReplay& replay : batch.replays) {
    const auto found = records_.find(replay.deployment);
    if (found != records_.end()) found->second.replay = replay.replay;
  }
  for (const TriggerName& name : batch.unpins) pins_.erase(name);
  for (const Pin& pin : batch.pins) pins_.insert_or_assign(pin.trigger, pin);
}

std::vector<DeploymentRecord> MemoryDeployments::find(
    const CheckpointStore::DeploymentQuery& query) const {
  std::vector<DeploymentRecord> found;
  for (auto at = records_.rbegin(); at != records_.rend() && found.size() < query.max; ++at) {
    const auto& [id, record] = *at;
    if (query.before != 0 && id >= query.before) continue;
    const bool wanted = query.trigger.empty() ||
                        std::ranges::find(record.changes, query.trigger,
                                          &DeploymentChange::trigger) != record.changes.end();
    if (wanted && (!query.open_replays || record.has_open_replay()) &&
        (!query.pending || record.is_pending()))
      found.push_back(record);
  }
  return found;
}

std::vector<Pin> MemoryDeployments::pins() const {
  std::vector<Pin> found;
  for (const auto& [name, pin] : pins_) found.push_back(pin);
  return found;
}

bool MemoryDeployments::names(std::string_view version) const {
  const auto in_change = [&](const DeploymentChange& change) {
    return change.version == version || change.before == version;
  };
  return std::ranges::any_of(pins_, [&](const auto& e) { return e.second.version == version; }) ||
         std::ranges::any_of(records_, [&](const auto& entry) {
           return std::ranges::any_of(entry.second.changes, in_change);
         });
}

std::size_t MemoryDeployments::prune(Time before) {
  return std::erase_if(records_, [&](const auto& entry) {
    const auto& [id, record] = entry;
    const bool is_newest = id == records_.rbegin()->first;
    const bool has_pin = std::ranges::any_of(
        pins_, [&, id = id](const auto& pin) { return pin.second.deployment == id; });
    const bool is_done = !record.has_open_replay() && !record.is_pending();
    return record.decided_at < before && !is_newest && !has_pin && is_done;
  });
}

}  // namespace hastur
