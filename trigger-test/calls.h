#pragma once

// What callbacks were observed to do (vm/observation.h), as values.

#include <cstdint>
#include <map>
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

// `observed` came from a worker: what is not as it should be is left out.
std::vector<ObservedCall> observed_calls(const Json& observed, const Nicknames& names);

// Where the script caused an effect: the `ordinal`th of what came at `input`. Line 0 if that was
// not observed.
struct ScriptPlace {
  std::string script;
  std::uint32_t line = 0;
};
ScriptPlace place_of_effect(const std::vector<ObservedCall>& calls, Sequence input,
                            std::uint32_t ordinal);

}  // namespace hastur
