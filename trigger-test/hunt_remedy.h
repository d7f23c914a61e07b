#pragma once

// What an author must do about what a hunt found.

#include <string>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-test/script_words.h"

namespace hastur {

// A sentence part that follows a colon. `message`: the one at which it happened, and the filter
// that took it, null if there is none. `line`: of the script, that failed.
std::string remedy_of(const CallError& error, const Json& message, const Json& filter,
                      const ScriptWords& words, std::string_view line);

// "a gauge \"system.load\" without the label 'mount'": a message in the words that matter to an
// error.
std::string described(const Json& message);

// What an error has in common with others that are the same fault: place and text; of a state that
// is no JSON its first key.
std::string kind_of(const CallError& error);
// The same as a word for tools: "error", "instructions", "memory", "state".
std::string_view found_by(CallError::Kind kind);

}  // namespace hastur
