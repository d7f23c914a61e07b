#pragma once

// /metrics in Prometheus' text format, version 0.0.4: the supervisor's counts and, as last heard,
// the syndicator's.

#include <string>

#include "state/checkpoint_store.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

std::string metrics_text(const Dispatcher& dispatcher, const CheckpointStore& store);

}  // namespace hastur
