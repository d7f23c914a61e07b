#pragma once

// How much is in a state, and where most of it is.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Where something stands in a state: keys from the top, without list positions.
using StatePath = std::vector<std::string>;

// "state.hosts.u1", state["@window.last"]
std::string words_of(const StatePath& path);
// Whether it is what a helper keeps; then its name is `helper_name`, its kind ("keyed", …)
// `helper_kind`.
bool is_of_helper(const StatePath& path);
std::string helper_name(const StatePath& path);
std::string helper_kind(const StatePath& path);

// The keys in the state of helpers that say how many keys they keep at most.
std::set<std::string> bounded_helpers(const Loaded& loaded);

// By what is there and not by its digits, which come and go. Of `bounded` helpers the heaviest key
// counts: how many there are has an end.
std::size_t state_weight(const Json& state, const std::set<std::string>& bounded);

// The part that grew most from one state to the other.
StatePath growing_path(const Json& before, const Json& after, const std::set<std::string>& bounded);

// Null if nothing stands there.
const Json* part_at(const Json& state, const StatePath& path);
Json* part_at(Json& state, const StatePath& path);

}  // namespace hastur
