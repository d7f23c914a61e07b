#pragma once

// Where in a script something in its state came from, as far as the lines that ran tell.

#include <cstdint>
#include <string>
#include <vector>

#include "trigger-test/calls.h"
#include "trigger-test/report.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// The keys of "state.hosts.u1[3].load" or "hosts.u1": without the list positions.
std::vector<std::string> keys_of(const std::string& path);

// Where something grew, a line that takes something out is the last to be told.
enum class Wrote : std::uint8_t { anything, more };

// The line that wrote what stands at `path`, by the lines of one call: the last that names the
// deepest key, one that assigns before one that does not. If none does, where the call began.
FilePlace place_that_wrote(const TriggerFiles& trigger, const ObservedCall& call,
                           const std::string& path, Wrote wrote = Wrote::anything);

// The same for what the helper of this name keeps: the last line that calls one of its functions.
FilePlace place_that_told(const TriggerFiles& trigger, const ObservedCall& call,
                          const std::string& helper);

// The call after which the state was no JSON any more, or else the last that changed it; null if
// none did.
const ObservedCall* call_that_broke(const std::vector<ObservedCall>& calls);
// The last call that changed what stands at `path`, or under these keys; null if none did.
const ObservedCall* call_that_wrote(const std::vector<ObservedCall>& calls,
                                    const std::string& path);
const ObservedCall* call_that_wrote(const std::vector<ObservedCall>& calls,
                                    const std::vector<std::string>& keys);

}  // namespace hastur
