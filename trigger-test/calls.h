#pragma once

// What callbacks were observed to do (vm/observation.h), as values.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "message/ids.h"
#include "trigger-test/nicknames.h"

namespace hastur {

struct CallStep {
  std::string script;
  std::uint32_t line = 0;
  // Those that changed since the step before.
  std::vector<std::pair<std::string, std::string>> locals;
  std::uint32_t effects = 0;
  // What it said to alerts; `value` is JSON, or empty.
  struct Said {
    std::string alert;
    std::string key;
    std::string value;
  };
  std::vector<Said> said;
  // Keys of the state that changed since the step before.
  std::vector<std::pair<std::string, std::string>> state = {};
};

struct ObservedCall {
  Sequence input;
  std::uint32_t callback = 0;
  bool returned = true;
  std::uint64_t instructions = 0;
  // Null where they were too large.
  Json before;
  Json after;
  std::vector<CallStep> steps;

  std::uint32_t effects() const;
};

// Why nobody is paged about an alert's key.
struct QuietAlert {
  std::string alert;
  std::string key;
  std::string why;
  friend bool operator==(const QuietAlert&, const QuietAlert&) = default;
};

// A tick at which helpers changed the state, or of whose alerts there is news.
struct ObservedTick {
  Sequence input;
  // Null if it did not change, or was too large.
  Json before;
  Json after;
  // Nothing: as told last.
  std::optional<std::vector<QuietAlert>> alerts;
};

// `observed` came from a worker: what is not as it should be is left out. In the order of the
// inputs; of what ran again, the last time.
std::vector<ObservedCall> observed_calls(const Json& observed, const Nicknames& names);
std::vector<ObservedTick> observed_ticks(const Json& observed);

// Where the script caused an effect: the `ordinal`th of what came at `input`. Line 0 if that was
// not observed.
struct ScriptPlace {
  std::string script;
  std::uint32_t line = 0;
};
ScriptPlace place_of_effect(const std::vector<ObservedCall>& calls, Sequence input,
                            std::uint32_t ordinal);

// The line that caused the most effects of one call, of the call that caused the most. Line 0 if
// none was observed.
ScriptPlace place_of_most_effects(const std::vector<ObservedCall>& calls);

}  // namespace hastur
