#pragma once

// /metrics in Prometheus' text format, version 0.0.4: the supervisor's counts and, as last heard,
// the syndicator's.

#include <string>
#include <vector>

#include "state/checkpoint_store.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

std::string metrics_text(const Dispatcher& dispatcher, const CheckpointStore& store);
// Of what the workers' cage lacks.
std::string cage_metrics(const std::vector<std::string>& missing);

}  // namespace hastur
