#pragma once

// The tables of deployments and pins in a state file. Writes are part of the caller's transaction.

#include <optional>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "state/sqlite/database.h"

namespace hastur {

class DeploymentTable {
 public:
  // `database` outlives it.
  explicit DeploymentTable(Database& database) : database_(database) {}

  Result<void> put(const DeploymentRecord& record);
  // One of a deployment that is not there is no error.
  Result<void> put(const DeploymentOutcome& outcome);
  Result<void> put(const DeploymentReplay& replay);
  Result<void> put(const Pin& pin);
  Result<void> unpin(const TriggerName& trigger);

  Result<std::vector<DeploymentRecord>> find(const CheckpointStore::DeploymentQuery& query);
  Result<std::vector<Pin>> pins();

 private:
  Result<std::vector<DeploymentChange>> changes(std::uint64_t deployment);

  Database& database_;
};

}  // namespace hastur
