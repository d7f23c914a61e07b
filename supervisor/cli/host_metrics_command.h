#pragma once

#include <string>

#include "core/clock.h"
#include "core/loop.h"

namespace hastur {

// Reads this host each `period` and sends what it says to the syndicator at `to`, until SIGTERM or
// SIGINT. A syndicator that is not there yet, or is restarted, is no reason to end. Returns the
// exit code.
int host_metrics_command(const std::string& to, Micros period, Loop& loop, Clock& clock);

}  // namespace hastur
