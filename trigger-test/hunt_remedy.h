#pragma once

// What an author must do about what a hunt found.

#include <string>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-test/script_words.h"

namespace hastur {

// A sentence part that follows a colon. `message`: the one at which it happened, null if there is
// none.
std::string remedy_of(const CallError& error, const Json& message, const ScriptWords& words,
                      std::string_view line);

// "a gauge \"system.load\" without the label 'mount'": a message in the words that matter to an
// error.
std::string described(const Json& message);

}  // namespace hastur
