#pragma once

// History in memory: for trigger-test, benches' floors and the contract suite.

#include <memory>

#include "state/history/history.h"

namespace hastur {

std::unique_ptr<History> make_memory_history(const StreamId& stream);

}  // namespace hastur
