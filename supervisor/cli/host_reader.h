#pragma once

// Reads this host: /proc, /sys, statvfs.

#include "supervisor/cli/host_metrics.h"

namespace hastur {

HostIdentity identify_host();
HostReading read_host();

}  // namespace hastur
