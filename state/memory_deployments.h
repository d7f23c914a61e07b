#pragma once

// Deployments and pins of the store in memory.

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "state/checkpoint_store.h"

namespace hastur {

class MemoryDeployments {
 public:
  void take(const CommitBatch& batch);

  std::vector<DeploymentRecord> find(const CheckpointStore::DeploymentQuery& query) const;
  std::vector<Pin> pins() const;
  // Whether a deployment or a pin names the version.
  bool names(std::string_view version) const;
  // Returns how many went.
  std::size_t prune(Time before);

 private:
  std::map<std::uint64_t, DeploymentRecord> records_;
  std::map<TriggerName, Pin> pins_;
};

}  // namespace hastur
