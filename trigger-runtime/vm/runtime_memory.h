#pragma once

// What the runtime itself remembers of a trigger from input to input: Memory.runtime.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"
#include "trigger-runtime/vm/effects.h"
#include "trigger-runtime/vm/failure_counts.h"

namespace hastur {

struct RuntimeMemory {
  // Nothing before the first tick.
  std::optional<Time> last_tick;
  // Stream time of the last judgement; nothing before the first.
  std::optional<Time> judged_at;
  // Stream time of the last judgement that failed, for `alerts_wait` after it.
  std::optional<Time> failed_at;
  // It may have stood still from then until the next tick (protocol/stand_still.h).
  std::optional<Time> still_since;
  // What could not be heard since the last call of each callback of ctx:every, by its number; not
  // there: nothing.
  std::map<std::uint32_t, Micros> deaf;
  MinuteCounts minute;
  FailureCounts failures;
  // How wide the slots of windows are in the state, by name of the window, in µs.
  std::map<std::string, std::int64_t> slots;
  friend bool operator==(const RuntimeMemory&, const RuntimeMemory&) = default;
};

// Canonical JSON, so that equal memories are equal bytes.
std::string to_json(const RuntimeMemory& memory);
// Empty text is a first start.
Result<RuntimeMemory> runtime_memory_from_json(std::string_view text);

}  // namespace hastur
